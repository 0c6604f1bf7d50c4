"""Losses against scipy and scoringrules, their minima, and targets far out."""

from __future__ import annotations

import math
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal, multivariate_t
from torch import Tensor

from orbwatch.models import losses
from orbwatch.settings_groups import TrainSettings

NAMES = ("nll", "beta-nll", "student", "crps", "energy", "huber")


def case(n: int = 6, horizons: int = 3, size: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(4)
    mean = torch.randn(n, horizons, 6, generator=g, dtype=torch.float64)
    lower = torch.randn(n, horizons, 3, 3, generator=g, dtype=torch.float64).tril(-1)
    diagonal = torch.rand(n, horizons, 3, generator=g, dtype=torch.float64) + 0.5
    target = mean + size * torch.randn(n, horizons, 6, generator=g, dtype=torch.float64)
    return mean, lower + torch.diag_embed(diagonal), target


def test_nll_is_scipys() -> None:
    mean, factor, target = case()
    ours = losses.gaussian_nll(mean, factor, target)
    assert float(losses.mahalanobis_squared(mean, factor, target).max()) < losses.TAIL**2
    for i in range(6):
        for j in range(3):
            cov = (factor[i, j] @ factor[i, j].T).numpy()
            theirs = -multivariate_normal(mean[i, j, :3].numpy(), cov).logpdf(target[i, j, :3].numpy())
            assert ours[i, j].item() == pytest.approx(theirs, rel=1e-10)


def test_student_is_scipys_but_for_a_constant() -> None:
    mean, factor, target = case(size=30.0)
    ours = losses.student_nll(mean, factor, target).numpy()
    theirs = np.array([
        [
            -multivariate_t(mean[i, j, :3].numpy(), (factor[i, j] @ factor[i, j].T).numpy(), df=losses.FREEDOM).logpdf(
                target[i, j, :3].numpy()
            )
            for j in range(3)
        ]
        for i in range(6)
    ])  # fmt: skip
    np.testing.assert_allclose(ours - theirs, (ours - theirs)[0, 0], rtol=1e-9)


def test_nll_grows_linearly_far_out_and_has_no_step() -> None:
    mean, factor, target = torch.zeros(1, 4, 6), torch.eye(3).expand(1, 4, 3, 3), torch.zeros(1, 4, 6)
    target[0, :, 0] = torch.tensor([9.999, 10.001, 500.0, 1000.0])
    near, past, far, twice = losses.gaussian_nll(mean, factor, target)[0].tolist()
    assert past - near == pytest.approx(0.02, abs=1e-3)
    assert twice - far == pytest.approx(5000.0, rel=1e-4)


def test_beta_nll_weighs_by_the_determinant_and_does_not_differentiate_it() -> None:
    mean, factor, target = case()
    assert torch.equal(losses.beta_nll(mean, factor, target, 0.0), losses.gaussian_nll(mean, factor, target))
    weight = torch.linalg.det(factor @ factor.mT) ** (0.5 / 3)
    expected = weight * losses.gaussian_nll(mean, factor, target)
    torch.testing.assert_close(losses.beta_nll(mean, factor, target), expected)
    factor.requires_grad_()
    losses.beta_nll(mean, factor, target).sum().backward()
    found = factor.grad
    factor.grad = None
    (weight.detach() * losses.gaussian_nll(mean, factor, target)).sum().backward()
    torch.testing.assert_close(found, factor.grad)


def test_crps_is_that_of_scoringrules(scoringrules: ModuleType) -> None:
    mean, factor, target = case()
    sigma = np.sqrt(np.diagonal((factor @ factor.mT).numpy(), axis1=2, axis2=3))
    theirs = scoringrules.crps_normal(target[..., :3].numpy(), mean[..., :3].numpy(), sigma).mean(-1)
    np.testing.assert_allclose(losses.crps(mean, factor, target).numpy(), theirs, atol=1e-9)


def test_energy_score_is_that_of_scoringrules_on_a_large_sample(scoringrules: ModuleType) -> None:
    mean, factor, target = case(n=2, horizons=1)
    torch.manual_seed(5)
    ours = losses.energy_score(mean, factor, target, draws=20_000)
    draws = torch.randn(2000, 3, dtype=torch.float64)
    for i in range(2):
        sample = (mean[i, 0, :3] + draws @ factor[i, 0].T).numpy()
        theirs = scoringrules.es_ensemble(target[i, 0, :3].numpy(), sample)
        assert ours[i, 0].item() == pytest.approx(float(theirs), rel=0.05)


def test_huber_and_physics_consistency() -> None:
    mean, factor, target = torch.zeros(1, 1, 6), torch.eye(3).expand(1, 1, 3, 3), torch.zeros(1, 1, 6)
    target[..., 0], target[..., 5] = 0.5, 3.0
    assert losses.huber(mean, factor, target).item() == pytest.approx((0.125 + 2.5) / 6)
    assert losses.physics_consistency(torch.zeros(2, 3, 6)).tolist() == [[0.0] * 3] * 2
    assert losses.physics_consistency(torch.ones(1, 1, 6)).item() == pytest.approx(0.5)


@pytest.mark.parametrize("name", NAMES)
def test_every_loss_is_finite_far_out_and_lower_at_the_truth(name: str) -> None:
    whole = losses.loss(replace(TrainSettings(), loss=name))
    mean, factor, target = case(size=1000.0)
    mean.requires_grad_()
    factor.requires_grad_()
    value = whole(mean, factor, target, torch.zeros_like(mean))
    assert value.shape == (6, 3)
    value.mean().backward()
    assert mean.grad is not None
    assert bool(torch.isfinite(value).all() & torch.isfinite(mean.grad).all())
    assert whole(target, factor, target, torch.zeros_like(mean)).mean() < value.mean()


@pytest.mark.parametrize("name", ["nll", "beta-nll", "crps", "energy"])
def test_probabilistic_losses_find_the_spread(name: str) -> None:
    torch.manual_seed(6)
    target = 3.0 * torch.randn(2000, 1, 6)
    log_sigma = torch.zeros(1, requires_grad=True)
    scored = losses.position_loss(replace(TrainSettings(), loss=name))
    optimizer = torch.optim.Adam([log_sigma], lr=0.05)
    for _ in range(120):
        factor = log_sigma.exp() * torch.eye(3).expand(2000, 1, 3, 3)
        optimizer.zero_grad()
        scored(torch.zeros_like(target), factor, target).mean().backward()
        optimizer.step()
    assert log_sigma.item() == pytest.approx(math.log(3.0), abs=0.08)
