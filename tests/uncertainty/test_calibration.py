"""Calibration measures: equal to torchmetrics, right on forecasts known to be true or false, errors by object."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import binary_calibration_error, multiclass_calibration_error

from orbwatch.errors import InputError
from orbwatch.uncertainty.calibration import (
    coverage,
    coverage_curve,
    joint_coverage,
    pit_axes,
    pit_distance,
    reliability,
    sharpness_m,
    uniform_deviation,
)
from orbwatch.uncertainty.gaussian import Formal, GaussianForecast, Regions


def test_ece_and_mce_equal_torchmetrics() -> None:
    rng = np.random.default_rng(1)
    logits = 2 * rng.normal(size=(3000, 4))
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    label = np.argmax(logits + 2 * rng.gumbel(size=logits.shape), axis=1)
    for bins in (10, 15):
        mine = reliability(probability.max(axis=1), probability.argmax(axis=1) == label, bins)
        for norm, value in (("l1", mine.ece()), ("max", mine.mce())):
            expected = multiclass_calibration_error(
                torch.from_numpy(probability), torch.from_numpy(label), 4, n_bins=bins, norm=norm
            )
            assert value == pytest.approx(float(expected), abs=1e-6)
        two = rng.random(2000)
        truth = rng.random(2000) < two**2
        mine = reliability(two, truth, bins)
        for norm, value in (("l1", mine.ece()), ("max", mine.mce())):
            expected = binary_calibration_error(
                torch.from_numpy(two), torch.from_numpy(truth.astype(np.int64)), n_bins=bins, norm=norm
            )
            assert value == pytest.approx(float(expected), abs=1e-6)
    assert mine.ece() > 0.1  # E(p - p^2) = 1/6


def test_reliability_of_a_calibrated_classifier_and_of_its_edges() -> None:
    rng = np.random.default_rng(2)
    confidence = rng.random(100_000)
    assert reliability(confidence, rng.random(100_000) < confidence).ece() < 0.01
    got = reliability(np.array([0.0, 0.5, 1.0, 1.0]), np.array([False, True, True, False]), 2)
    np.testing.assert_array_equal(got.count, [1, 3])
    np.testing.assert_allclose(got.accuracy, [0, 2 / 3])
    assert np.isnan(reliability(np.array([0.1]), np.array([True]), 2).accuracy[1])
    for bad in (np.array([]), np.array([1.5]), np.array([np.nan])):
        with pytest.raises(InputError, match="confidence"):
            reliability(bad, np.zeros(len(bad), dtype=bool))


def drawn(seed: int, n: int) -> tuple[GaussianForecast, np.ndarray]:
    rng = np.random.default_rng(seed)
    factor = np.tril(rng.normal(size=(n, 2, 3, 3)), -1) + np.eye(3)
    mean = rng.normal(size=(n, 2, 3))
    truth = mean + np.einsum("nhij,nhj->nhi", factor, rng.normal(size=(n, 2, 3)))
    return GaussianForecast(mean, factor @ factor.swapaxes(-1, -2)), truth


def test_pit_is_uniform_for_the_truth_alone() -> None:
    forecast, truth = drawn(3, 10_000)
    # The 1 % point of Kolmogorov's statistic is 1.63 / sqrt(n).
    assert uniform_deviation(pit_distance(forecast, truth)) < 1.63 / np.sqrt(20_000)
    for axis in range(3):
        assert uniform_deviation(pit_axes(forecast, truth)[..., axis]) < 1.63 / np.sqrt(20_000)
    small = GaussianForecast(forecast.mean_rtn_km, 0.5 * forecast.cov_rtn_km2)
    assert uniform_deviation(pit_distance(small, truth)) > 0.15
    shifted = GaussianForecast(forecast.mean_rtn_km + 1.0, forecast.cov_rtn_km2)
    assert uniform_deviation(pit_axes(shifted, truth)) > 0.15
    assert uniform_deviation(np.array([np.nan, 0.5])) == 0.5
    assert np.isnan(uniform_deviation(np.array([np.nan])))


def test_coverage_curve_is_the_diagonal_for_the_truth_alone() -> None:
    forecast, truth = drawn(4, 10_000)
    truth[:100] = np.nan
    group = np.zeros(10_000, dtype=np.int64)
    levels = np.array([0.1, 0.5, 0.9])
    np.testing.assert_allclose(
        coverage_curve(Formal(), forecast, truth, group, levels), levels[:, None].repeat(2, axis=1), atol=0.02
    )
    wide = GaussianForecast(forecast.mean_rtn_km, 4 * forecast.cov_rtn_km2)
    assert (coverage_curve(Formal(), wide, truth, group, levels) > levels[:, None] + 0.05).all()


def test_the_error_of_a_coverage_is_the_scatter_over_draws_of_objects() -> None:
    rng = np.random.default_rng(5)
    shares, errors = [], []
    for _ in range(300):
        object_id = np.repeat(np.arange(30), rng.integers(5, 40, 30))
        n = len(object_id)
        # An object's windows lie within the radius together or not at all, mostly.
        far = np.where(rng.random(30) < 0.3, 2.0, 0.5)[object_id] + 0.2 * rng.normal(size=n)
        truth = np.zeros((n, 1, 3))
        truth[:, 0, 0] = far
        regions = Regions(np.zeros((n, 1, 3)), np.broadcast_to(np.eye(3), (n, 1, 3, 3)), np.ones((n, 1)), 0.7)
        got = coverage(regions, truth, np.zeros(n, dtype=np.int8), object_id)
        shares.append(got.share[0, 0])
        errors.append(got.standard_error[0, 0])
        assert (got.objects[0, 0], got.windows[0, 0]) == (30, n)
    assert np.mean(shares) == pytest.approx(0.7, abs=0.02)
    assert np.mean(errors) == pytest.approx(np.std(shares), rel=0.15)
    assert np.std(shares) > 2.5 * np.sqrt(0.21 / n)  # windows taken as independent would claim far less


def test_coverage_by_cell_and_joint_with_gaps() -> None:
    truth = np.zeros((4, 2, 3))
    truth[1, 1, 0] = 5.0
    truth[2, 0] = np.nan
    regions = Regions(np.zeros((4, 2, 3)), np.broadcast_to(np.eye(3), (4, 2, 3, 3)), np.ones((4, 2)), 0.9)
    group, object_id = np.array([0, 0, 2, 2]), np.array([1, 2, 3, 3])
    got = coverage(regions, truth, group, object_id)
    np.testing.assert_array_equal(got.group, [0, 2])
    np.testing.assert_array_equal(got.share, [[1, 0.5], [1, 1]])
    np.testing.assert_array_equal(got.windows, [[2, 2], [1, 2]])
    np.testing.assert_allclose(got.standard_error, [[0, 0.5], [np.nan, np.nan]])
    both = joint_coverage(regions, truth, group, object_id)
    np.testing.assert_array_equal(both.share, [[0.5], [1.0]])
    np.testing.assert_array_equal(both.windows, [[2], [1]])
    truth[:2, 0] = np.nan
    empty = coverage(regions, truth, group, object_id)
    assert np.isnan(empty.share[0, 0])
    assert empty.windows[0, 0] == 0


def test_sharpness_is_the_median_axis() -> None:
    shape = np.broadcast_to(np.diag([1e-6, 4e-6, 16e-6]), (5, 1, 3, 3))  # 1, 2, 4 m
    regions = Regions(np.zeros((5, 1, 3)), shape, np.array([[1.0], [2.0], [9.0], [np.inf], [1.0]]), 0.9)
    np.testing.assert_allclose(sharpness_m(regions, np.array([0, 0, 0, 4, 4])), [[4.0], [np.inf]])
