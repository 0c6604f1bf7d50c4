"""Attention, integrated gradients and ablation of small networks whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from orbwatch.errors import InputError
from orbwatch.learn.judging import interpret
from orbwatch.models.trajectory import TrajectoryTransformer
from orbwatch.settings_groups import NetworkSettings

GROUPS = ("residual", "residual", "orbit", "time")


def _batch(n: int = 24, horizons: int = 3) -> interpret.NetworkInputs:
    torch.manual_seed(1)
    mix = torch.zeros(n, horizons, 6, 12)
    mix[..., :6] = torch.eye(6)
    return interpret.NetworkInputs(
        torch.randn(n, 20, 4), torch.ones(n, 20, dtype=torch.bool), torch.randn(n, horizons, 8), mix, torch.zeros(n)
    )


def _network(seed: int = 1) -> TrajectoryTransformer:
    torch.manual_seed(seed)
    model = TrajectoryTransformer(NetworkSettings(width=16, heads=2, layers=1, feedforward=16), features=4).eval()
    torch.nn.init.normal_(model.state_head.weight, std=0.1)
    torch.nn.init.normal_(model.horizon_head.weight, std=0.1)
    return model


class OnlyFirst(torch.nn.Module):
    """The correction is the mean of feature 0, the spread grows with feature 2 of the last step."""

    def forward(self, x, _valid, query, _mix, _log_scale):
        unused = 0.0 * query[..., :1]
        mean = x[:, :, :1].mean(1, keepdim=True) + unused.expand(-1, -1, 6)
        return mean, torch.diag_embed(torch.exp(x[:, -1:, 2:3] + unused.expand(-1, -1, 3)))


def test_attention_weights_sum_to_one_and_leave_the_network_alone() -> None:
    model, batch = _network(), _batch()
    with torch.no_grad():
        before = model(*batch.arguments())[0]
    maps = interpret.attention(model, batch)
    assert maps.state.shape == (20,)
    assert maps.horizons.shape == (3, 20)
    np.testing.assert_allclose(maps.horizons.sum(axis=1), 1.0, atol=1e-6)
    assert maps.state.sum() == pytest.approx(1.0, abs=1e-6)
    with torch.no_grad():
        torch.testing.assert_close(model(*batch.arguments())[0], before)
    assert not model.attention._forward_pre_hooks


def test_integrated_gradients_find_what_is_used() -> None:
    model, batch = OnlyFirst(), _batch()
    found = interpret.integrated_gradients(model, batch)
    assert found.by_group(GROUPS)["residual"] == pytest.approx(1.0)
    np.testing.assert_allclose(found.by_step().sum(), 1.0)
    assert found.history[:, 1:].sum() == 0.0
    assert found.remainder < 1e-4
    spread = interpret.integrated_gradients(model, batch, "spread")
    assert spread.by_group(GROUPS)["orbit"] == pytest.approx(1.0)
    assert spread.by_step()[-1] == pytest.approx(1.0)


def test_integrated_gradients_are_complete_for_the_transformer() -> None:
    found = interpret.integrated_gradients(_network(), _batch(), "spread", steps=48)
    assert found.remainder < 0.05
    assert sum(found.by_group(GROUPS).values()) == pytest.approx(1.0)


def test_untrained_network_attributes_nothing() -> None:
    model = TrajectoryTransformer(NetworkSettings(width=16, heads=2, layers=1, feedforward=16), features=4).eval()
    found = interpret.integrated_gradients(model, _batch())
    assert set(found.by_group(GROUPS).values()) == {0.0}
    assert found.by_step().sum() == 0.0
    assert found.remainder == 0.0


def test_ablation_hurts_only_the_group_in_use() -> None:
    model, batch = OnlyFirst(), _batch(n=60)
    with torch.no_grad():
        target = model(*batch.arguments())[0].double().numpy() + 1e-3
    ratios = interpret.ablation(model, batch, target, GROUPS, np.zeros(60, np.int8))
    assert ratios["residual"] > 10.0
    assert ratios["orbit"] == ratios["time"] == 1.0


def test_summary_is_plain() -> None:
    batch = _batch()
    out = interpret.summary(_network(), batch, np.ones((24, 3, 6)), GROUPS, np.repeat(np.int8([0, 1]), 12))
    assert set(out) == {"attention", "ablation", "correction", "spread"}
    assert set(out["correction"]) == {"groups", "steps", "remainder"}


def test_unknown_output_is_refused() -> None:
    with pytest.raises(InputError, match="no such output"):
        interpret.integrated_gradients(_network(), _batch(), "mood")
