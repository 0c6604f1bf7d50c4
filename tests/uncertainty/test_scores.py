"""Proper scores, equal to scoringrules and scipy, and best for the truth."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from orbwatch.errors import InputError
from orbwatch.uncertainty.gaussian import GaussianForecast
from orbwatch.uncertainty.scores import (
    crps_axes_km,
    crps_gaussian,
    energy_score,
    energy_score_km,
    interval_score,
    nll,
)


def forecast_and_truth(seed: int, n: int, scale: float = 1.0) -> tuple[GaussianForecast, np.ndarray]:
    rng = np.random.default_rng(seed)
    factor = np.tril(rng.normal(size=(n, 2, 3, 3)), -1) + np.eye(3)
    mean = rng.normal(size=(n, 2, 3))
    truth = mean + np.einsum("nhij,nhj->nhi", factor, rng.normal(size=(n, 2, 3)))
    return GaussianForecast(mean, scale**2 * factor @ factor.swapaxes(-1, -2)), truth


def test_crps_equals_scoringrules(scoringrules: ModuleType) -> None:
    rng = np.random.default_rng(1)
    mean, sd, truth = rng.normal(size=(5, 7)), rng.uniform(0.01, 3, (5, 7)), 3 * rng.normal(size=(5, 7))
    expected = scoringrules.crps_normal(truth, mean, sd)
    np.testing.assert_allclose(crps_gaussian(mean, sd, truth), expected, rtol=0, atol=1e-9)
    forecast, position = forecast_and_truth(2, 4)
    got = crps_axes_km(forecast, position)[3, 1, 2]
    sigma = np.sqrt(forecast.cov_rtn_km2[3, 1, 2, 2])
    assert got == pytest.approx(scoringrules.crps_normal(position[3, 1, 2], forecast.mean_rtn_km[3, 1, 2], sigma))


def test_energy_score_equals_scoringrules(scoringrules: ModuleType) -> None:
    rng = np.random.default_rng(3)
    samples, truth = rng.normal(size=(40, 6, 3)), rng.normal(size=(6, 3))
    expected = scoringrules.es_ensemble(truth, samples, m_axis=0, v_axis=-1)
    np.testing.assert_allclose(energy_score(samples, truth), expected, rtol=0, atol=1e-9)
    line = scoringrules.crps_ensemble(truth[:, 0], samples[..., 0], m_axis=0, estimator="nrg")
    np.testing.assert_allclose(energy_score(samples[..., :1], truth[:, :1]), line, atol=1e-9)
    with pytest.raises(InputError, match="samples"):
        energy_score(samples[:0], truth)


def test_sampled_energy_score_approaches_the_closed_form() -> None:
    # Isotropic: E|x - x'| = 4 sigma / sqrt(pi), and at the mean E|x| = 2 sigma sqrt(2 / pi).
    forecast = GaussianForecast(np.zeros((2, 1, 3)), np.stack([np.eye(3), 9 * np.eye(3)])[:, None])
    expected = np.array([1.0, 3.0]) * (2 * np.sqrt(2 / np.pi) - 2 / np.sqrt(np.pi))
    got = energy_score_km(forecast, np.zeros((2, 1, 3)), draws=20_000)[:, 0]
    np.testing.assert_allclose(got, expected, rtol=0.02)
    # Against the double sum of samples from the same, correlated Gaussians.
    some, truth = forecast_and_truth(4, 3)
    factor = np.linalg.cholesky(some.cov_rtn_km2)
    z = np.random.default_rng(5).normal(size=(1500, 3, 2, 3))
    samples = some.mean_rtn_km + np.einsum("nhij,mnhj->mnhi", factor, z)
    np.testing.assert_allclose(energy_score_km(some, truth, draws=20_000), energy_score(samples, truth), atol=0.06)


def test_nll_equals_scipy() -> None:
    forecast, truth = forecast_and_truth(6, 5)
    expected = [
        [
            -multivariate_normal(forecast.mean_rtn_km[n, h], forecast.cov_rtn_km2[n, h]).logpdf(truth[n, h])
            for h in (0, 1)
        ]
        for n in range(5)
    ]
    np.testing.assert_allclose(nll(forecast, truth), expected, rtol=1e-8)


def test_interval_score_equals_scoringrules(scoringrules: ModuleType) -> None:
    rng = np.random.default_rng(7)
    lower = rng.normal(size=50)
    upper, truth = lower + rng.uniform(0, 2, 50), 2 * rng.normal(size=50)
    expected = scoringrules.interval_score(truth, lower, upper, 0.2)
    np.testing.assert_allclose(interval_score(lower, upper, truth, 0.8), expected, rtol=0, atol=1e-9)
    with pytest.raises(InputError, match="level"):
        interval_score(lower, upper, truth, 1.5)


def test_every_score_is_best_for_the_true_covariance() -> None:
    def mean_scores(scale: float) -> np.ndarray:
        forecast, truth = forecast_and_truth(8, 4000, scale)
        return np.array(
            [
                crps_axes_km(forecast, truth).mean(),
                nll(forecast, truth).mean(),
                energy_score_km(forecast, truth, draws=32).mean(),
            ]
        )

    true = mean_scores(1.0)
    assert (true < mean_scores(0.6)).all()
    assert (true < mean_scores(1.6)).all()
