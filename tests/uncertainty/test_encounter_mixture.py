"""Miss distances of a mixture of Gaussians, shifts of one of Laplace distributions, against closed forms, drawing."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.uncertainty.encounter_mixture import EncounterMixture, joined


def one(mean: tuple[float, float, float], sigma: tuple[float, float, float]) -> EncounterMixture:
    return EncounterMixture(np.ones((1, 1)), np.array([[mean]]), np.array([[sigma]]), np.ones((1, 1)))


def test_a_round_gaussian_at_the_middle_is_rayleigh() -> None:
    told = one((0.0, 0.0, 0.0), (0.3, 0.3, 1.0))
    for x in (0.1, 0.3, 1.0):
        assert told.miss_below(np.array([x]))[0] == pytest.approx(1.0 - np.exp(-0.5 * (x / 0.3) ** 2), abs=1e-6)
    assert told.miss_below(np.array([-1.0]))[0] == pytest.approx(0.0, abs=1e-9)
    assert told.miss_below(np.array([np.inf]))[0] == pytest.approx(1.0)


def test_quantiles_are_where_drawn_ones_are() -> None:
    rng = np.random.default_rng(1)
    weight, along_weight = np.array([[0.7, 0.3]]), np.array([[0.2, 0.8]])
    mean, sigma = np.array([[[1.0, -2.0, 0.1], [1.1, -1.5, 0.4]]]), np.array([[[0.01, 0.2, 0.1], [0.05, 0.5, 0.3]]])
    told = EncounterMixture(weight, mean, sigma, along_weight)
    which, when = (rng.choice(2, 200_000, p=p) for p in (weight[0], along_weight[0]))
    drawn = mean[0, which] + sigma[0, which] * rng.standard_normal((len(which), 3))
    miss = np.hypot(drawn[:, 0], drawn[:, 1])
    along = mean[0, when, 2] + sigma[0, when, 2] * rng.laplace(size=len(when))
    for p in (0.05, 0.5, 0.95):
        assert told.miss_quantile(np.array([p]))[0] == pytest.approx(np.quantile(miss, p), abs=5e-3)
        assert told.along_quantile(np.array([p]))[0] == pytest.approx(np.quantile(along, p), abs=1e-2)


def test_quantiles_invert_probabilities_of_every_shape() -> None:
    rng = np.random.default_rng(2)
    mean, sigma = rng.normal(0.0, 2.0, (500, 3, 3)), np.exp(rng.normal(-3.0, 1.5, (500, 3, 3)))
    told = EncounterMixture(rng.dirichlet(np.ones(3), 500), mean, sigma, rng.dirichlet(np.ones(3), 500))
    p = rng.uniform(0.01, 0.99, 500)
    assert told.miss_below(told.miss_quantile(p)) == pytest.approx(p, abs=3e-3)
    assert told.along_below(told.along_quantile(p)) == pytest.approx(p, abs=1e-4)


def test_members_vote_equally() -> None:
    told = joined([one((0.0, 1.0, 0.0), (0.1, 0.1, 1.0)), one((0.0, 3.0, 0.0), (0.1, 0.1, 1.0))])
    assert told.weight.sum() == pytest.approx(1.0)
    assert told.miss_below(np.array([2.0]))[0] == pytest.approx(0.5, abs=1e-6)
