"""Gaussian forecasts, their regions, and the yardstick."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from orbwatch.errors import InputError
from orbwatch.uncertainty.gaussian import Calibration, Formal, GaussianForecast, Regions, oracle_scaled


def made(rng: np.random.Generator, n: int, horizons: int) -> tuple[GaussianForecast, np.ndarray]:
    """Correlated covariances over several magnitudes, and truths drawn from exactly these Gaussians."""
    factor = np.tril(rng.normal(size=(n, horizons, 3, 3)), -1) + np.eye(3) * rng.uniform(0.2, 2, (n, horizons, 1, 3))
    factor *= 10 ** rng.uniform(-3, 1, (n, horizons, 1, 1))
    mean = rng.normal(size=(n, horizons, 3))
    truth = mean + np.einsum("nhij,nhj->nhi", factor, rng.normal(size=(n, horizons, 3)))
    return GaussianForecast(mean, factor @ factor.swapaxes(-1, -2)), truth


def test_mahalanobis_is_that_of_a_linear_solver() -> None:
    forecast, truth = made(np.random.default_rng(1), 50, 4)
    d = truth - forecast.mean_rtn_km
    expected = np.sqrt(np.einsum("nhi,nhi->nh", d, np.linalg.solve(forecast.cov_rtn_km2, d[..., None])[..., 0]))
    np.testing.assert_allclose(forecast.mahalanobis(truth), expected, rtol=1e-9)
    axis = 1000 * np.linalg.det(forecast.cov_rtn_km2) ** (1 / 6)
    np.testing.assert_allclose(forecast.axis_m(), axis, rtol=1e-9)
    single = GaussianForecast(forecast.mean_rtn_km.astype(np.float32), (forecast.cov_rtn_km2).astype(np.float32))
    np.testing.assert_allclose(single.axis_m(), axis, rtol=1e-2)


def test_missing_truth_is_nan_and_a_failed_forecast_is_infinitely_far() -> None:
    forecast, truth = made(np.random.default_rng(2), 4, 1)
    mean, cov = forecast.mean_rtn_km.copy(), forecast.cov_rtn_km2.copy()
    truth[0, 0, 1] = np.nan
    mean[1, 0, 2] = np.nan
    cov[2, 0] = np.ones((3, 3))  # singular
    broken = GaussianForecast(mean, cov)
    score = broken.mahalanobis(truth)[:, 0]
    assert np.isnan(score[0])
    assert np.isinf(score[1:3]).all()
    assert np.isfinite(score[3])
    assert np.isnan(broken.axis_m()[2, 0])
    wide = Regions(mean, cov, np.full((4, 1), 99.0), 0.9)
    np.testing.assert_array_equal(wide.contains(truth)[:, 0], [False, False, False, True])
    everything = Regions(mean, cov, np.full((4, 1), np.inf), 0.9)
    np.testing.assert_array_equal(everything.contains(truth)[:, 0], [False, True, True, True])


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_formal_regions_hold_their_level_of_gaussian_truth(level: float) -> None:
    forecast, truth = made(np.random.default_rng(3), 20_000, 2)
    group = np.zeros(len(forecast), dtype=np.int64)
    regions = Formal().fit(Calibration(forecast, truth, group, group)).regions(forecast, group, level)
    four_sigma = 4 * np.sqrt(level * (1 - level) / 40_000)
    assert abs(regions.contains(truth).mean() - level) < four_sigma
    assert abs(regions.joint(truth).mean() - level**2) < 2 * four_sigma  # the horizons are independent here
    np.testing.assert_allclose(regions.axis_m(), forecast.axis_m() * np.sqrt(chi2.ppf(level, 3)))


def test_formal_regions_of_too_small_covariances_miss() -> None:
    forecast, truth = made(np.random.default_rng(4), 5_000, 1)
    small = GaussianForecast(forecast.mean_rtn_km, forecast.cov_rtn_km2 / 4)
    group = np.zeros(len(forecast), dtype=np.int64)
    # P(chi2_3 <= q / 4) with q = 6.2514, the 90 % quantile: 0.3317.
    assert Formal().regions(small, group, 0.9).contains(truth).mean() == pytest.approx(0.332, abs=0.03)


def test_oracle_covers_exactly_the_level_in_each_cell_and_no_smaller_radius_does() -> None:
    rng = np.random.default_rng(5)
    forecast, truth = made(rng, 3_000, 3)
    group = rng.integers(0, 3, 3_000)
    truth = forecast.mean_rtn_km + (truth - forecast.mean_rtn_km) * (1 + group[:, None, None]) * np.array(
        [[1], [2], [3]]
    )
    regions = oracle_scaled(forecast, truth, group, 0.9)
    inside = regions.contains(truth)
    smaller = Regions(regions.center_rtn_km, regions.shape_rtn_km2, regions.radius * (1 - 1e-9), 0.9).contains(truth)
    for code in range(3):
        count = (group == code).sum()
        np.testing.assert_array_equal(inside[group == code].sum(axis=0), np.ceil(0.9 * count))
        assert (smaller[group == code].mean(axis=0) < 0.9).all()
        assert len(np.unique(regions.radius[group == code])) == 3


def test_oracle_leaves_out_missing_truth_and_is_infinite_without_any() -> None:
    forecast, truth = made(np.random.default_rng(6), 20, 1)
    group = np.repeat([0, 1], 10)
    truth[:11] = np.nan
    regions = oracle_scaled(forecast, truth, group, 0.5)
    assert np.isinf(regions.radius[:10]).all()
    assert regions.contains(truth)[10:].sum() == 5  # ceil(0.5 * 9)


def test_take_and_length() -> None:
    forecast, _ = made(np.random.default_rng(7), 6, 2)
    assert len(forecast) == 6
    assert forecast.horizons == 2
    np.testing.assert_array_equal(forecast.take(np.array([4, 1])).mean_rtn_km, forecast.mean_rtn_km[[4, 1]])
    assert len(forecast.take(slice(0, 3))) == 3


def test_wrong_shapes_and_levels_are_named() -> None:
    forecast, truth = made(np.random.default_rng(8), 5, 2)
    group = np.zeros(5, dtype=np.int64)
    with pytest.raises(InputError, match="cov_rtn_km2"):
        GaussianForecast(forecast.mean_rtn_km, forecast.cov_rtn_km2[:, :1])
    with pytest.raises(InputError, match="truth_rtn_km"):
        Calibration(forecast, truth[:, :1], group, group)
    with pytest.raises(InputError, match="object_id"):
        Calibration(forecast, truth, group, group[:3])
    for level in (0.0, 1.0, -1.0, 90.0):
        with pytest.raises(InputError, match="0 < level < 1"):
            Formal().regions(forecast, group, level)
