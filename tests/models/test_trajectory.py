"""Untrained it is least squares; parameters counted; any horizon; dropout in the heads alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from orbwatch.errors import InputError
from orbwatch.models.trajectory import TrajectoryTransformer, parameters
from orbwatch.settings_groups import NetworkSettings

MOST_PARAMETERS = 235_000


def inputs(n: int = 4, horizons: int = 5, features: int = 24) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(1)
    return (
        torch.randn(n, 20, features, generator=g),
        torch.rand(n, 20, generator=g) > 0.1,
        torch.randn(n, horizons, 8, generator=g),
        torch.randn(n, horizons, 6, 12, generator=g),
        torch.rand(n, generator=g),
    )


def trained(settings: NetworkSettings | None = None, features: int = 24) -> TrajectoryTransformer:
    """A network whose heads are not zero."""
    torch.manual_seed(2)
    model = TrajectoryTransformer(settings or NetworkSettings(), features)
    for head in (model.state_head, model.horizon_head):
        torch.nn.init.normal_(head.weight, std=0.3)
        torch.nn.init.normal_(head.bias, std=0.3)
    torch.nn.init.uniform_(model.scale_share)
    return model


def test_parameters_of_the_default() -> None:
    assert parameters(TrajectoryTransformer(NetworkSettings())) == 168_579
    assert parameters(TrajectoryTransformer(NetworkSettings(layers=3))) < MOST_PARAMETERS


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(InputError, match=r"network.heads"):
        TrajectoryTransformer(NetworkSettings(width=64, heads=3))


@pytest.mark.parametrize("training", [True, False])
def test_untrained_is_exactly_least_squares(training: bool) -> None:
    given = inputs()
    mean, factor = TrajectoryTransformer(NetworkSettings()).train(training)(*given)
    assert torch.equal(mean, torch.zeros(4, 5, 6))
    assert torch.equal(factor, torch.exp(-given[4])[:, None, None, None] * torch.eye(3).expand(4, 5, 3, 3))


def test_any_horizon_gives_the_same_answer_alone() -> None:
    x, valid, query, mix, log_scale = inputs(horizons=7)
    model = trained().eval()
    mean, factor = model(x, valid, query, mix, log_scale)
    alone_mean, alone_factor = model(x, valid, query[:, 3:4], mix[:, 3:4], log_scale)
    torch.testing.assert_close(alone_mean, mean[:, 3:4], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(alone_factor, factor[:, 3:4], atol=1e-5, rtol=1e-5)


def test_windows_do_not_see_each_other_and_parts_add_up() -> None:
    given = inputs()
    model = trained().eval()
    parts = model.parts(*given)
    one = model.parts(*(value[1:2] for value in given))
    torch.testing.assert_close(one.mean, parts.mean[1:2], atol=1e-5, rtol=1e-5)
    explained = (given[3][..., :6] @ parts.state[:, None, :, None] + given[3][..., 6:] @ parts.plain.unsqueeze(3))[
        ..., 0
    ]
    torch.testing.assert_close(parts.mean, explained + parts.local, atol=1e-5, rtol=1e-5)


def test_factor_is_lower_with_a_positive_diagonal() -> None:
    factor = trained().eval()(*inputs())[1]
    assert torch.equal(factor, factor.tril())
    assert bool((factor.diagonal(dim1=2, dim2=3) > 0).all())
    assert bool((factor[..., 1, 0] != 0).any())


def test_missing_positions_are_seen_as_missing() -> None:
    x, valid, query, mix, log_scale = inputs()
    model = trained().eval()
    assert not torch.allclose(model(x, valid, query, mix, log_scale)[0], model(x, ~valid, query, mix, log_scale)[0])


def test_dropout_is_in_the_heads_alone_and_its_masks_can_be_given() -> None:
    given = inputs()
    model = trained().train()
    state, horizon = model.trunk(*given[:3])
    again = model.trunk(*given[:3])
    assert torch.equal(state, again[0])
    assert torch.equal(horizon, again[1])
    assert not torch.equal(model(*given)[0], model(*given)[0])
    keep = (torch.rand(6, 1, 64) > 0.1).float() / 0.9
    passes = model.head(state, horizon, *given[3:], keep, keep.unsqueeze(1))
    assert passes.mean.shape == (6, 4, 5, 6)
    assert passes.factor.shape == (6, 4, 5, 3, 3)
    single = model(*given, keep[2].expand(4, -1), keep[2].expand(4, 1, -1))
    torch.testing.assert_close(passes.mean[2], single[0])
    torch.testing.assert_close(passes.factor[2], single[1])


def test_gradients_reach_every_parameter_once_the_heads_are_off_zero() -> None:
    model = trained()
    mean, factor = model(*inputs())
    (mean.square().sum() + factor.square().sum()).backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in model.parameters())


def test_mixed_precision_answers_in_full_precision() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mean, factor = trained()(*inputs())
    assert mean.dtype == factor.dtype == torch.float32


def test_without_the_uncertainty_group() -> None:
    assert trained(features=20)(*inputs(features=20))[0].shape == (4, 5, 6)
