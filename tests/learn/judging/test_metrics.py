"""Errors and their tables."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.learn.judging import metrics


def test_errors_are_distances() -> None:
    truth = np.zeros((2, 3, 6))
    forecast = truth.copy()
    forecast[0, 1] = (3.0, 0.0, 4.0, 0.0, 5.0, 12.0)
    error = metrics.errors(forecast, truth)
    assert error.position_km[0, 1] == 5.0
    assert error.velocity_km_s[0, 1] == 13.0
    assert error.of("position") is error.position_km
    assert error.of("velocity").sum() == 13.0


def test_measures_leave_out_missing_forecasts() -> None:
    error = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, np.nan], [6.0, np.nan]])
    out = metrics.measures(error)
    assert out["mse"][0] == pytest.approx(41.0 / 3.0)
    assert out["rmse"][0] == pytest.approx((41.0 / 3.0) ** 0.5)
    assert out["mae"][0] == pytest.approx(3.0)
    assert out["median"][0] == 2.0
    assert out["p95"][0] == pytest.approx(np.quantile([1.0, 2.0, 6.0], 0.95))
    assert np.isnan(out["median"][1])


def test_table_has_every_cell() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(6, 2, 6))
    errors = {"a": metrics.errors(truth + 1.0, truth), "b": metrics.errors(np.full_like(truth, np.nan), truth)}
    regime = np.array([0, 0, 0, 2, 2, 2], np.int8)
    table = metrics.error_table(
        errors, regime, np.array([1, 1, 2, 3, 3, 3]), np.array([60.0, 1800.0]), ("LEO", "MEO", "GEO")
    )
    assert metrics.height(table) == 2 * 2 * 3 * 2
    (row,) = metrics.rows_of(table, quantity="position", forecaster="a", regime="LEO", horizon_min=30.0)
    assert row["median"] == pytest.approx(3.0**0.5)
    assert (row["windows"], row["objects"], row["failed"]) == (3, 2, 0)
    (row,) = metrics.rows_of(table, quantity="velocity", forecaster="b", regime="all", horizon_min=1.0)
    assert row["failed"] == 6
    assert np.isnan(row["rmse"])


def test_tables_are_stacked() -> None:
    one = metrics.columns(("a", "b"), [(1, 2), (3, 4)])
    assert metrics.stacked({"x": one, "y": one}, "set") == {
        "set": ["x", "x", "y", "y"],
        "a": [1, 3, 1, 3],
        "b": [2, 4, 2, 4],
    }
    assert metrics.height({}) == 0
