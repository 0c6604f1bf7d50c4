"""Coverage and size of regions around forecasts whose errors are known."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.learn.judging import coverage
from orbwatch.learn.judging.metrics import columns, rows_of
from orbwatch.uncertainty.gaussian import GaussianForecast

NAMES = ("LEO", "MEO", "GEO", "HEO")


def _set(seed: int, claimed: float = 1.0, objects: int = 60, windows: int = 160, horizons: int = 3):
    """Errors of 50 m an axis that grow with the horizon; the covariance claims `claimed` times that."""
    rng = np.random.default_rng(seed)
    n = objects * windows
    sigma = 0.05 * np.arange(1.0, horizons + 1.0)
    truth = rng.normal(size=(n, horizons, 3)) * sigma[None, :, None]
    cov = np.broadcast_to(np.eye(3) * (claimed * sigma[:, None, None]) ** 2, (n, horizons, 3, 3)).copy()
    ids = np.repeat(np.arange(objects), windows)
    forecast = GaussianForecast(np.zeros((n, horizons, 3)), cov)
    group = (ids % 2).astype(np.int8)
    return forecast, coverage.Seen(truth, group, group, ids, 60.0 * np.arange(1.0, horizons + 1.0))


def _methods(source: str, forecast: GaussianForecast, seen: coverage.Seen, unit: str):
    return coverage.Method(source, coverage.ALONE), coverage.conformal(source, forecast, seen, unit)


def _table(claimed: float):
    fitted = _methods("model", *_set(1, claimed), unit="effective")
    forecast, seen = _set(2, claimed)
    oracle = coverage.yardstick(_set(2)[0], seen)
    rows = [row for method in fitted for row in coverage.coverage_rows(method, forecast, seen, oracle, NAMES)]
    return columns(coverage.COVERAGE, rows)


def test_honest_covariance_covers_what_it_says() -> None:
    table = _table(1.0)
    for row in rows_of(table, kind="alone", regime="all"):
        expected = 0.9**3 if row["horizon_min"] == 0.0 else 0.9
        assert row["coverage"] == pytest.approx(expected, abs=0.03)
        if row["horizon_min"] == 0.0:
            assert np.isnan(row["axis_ratio"])  # the oracle has no tube
        else:
            assert row["axis_ratio"] == pytest.approx(1.0, abs=0.03)
        assert row["low"] < row["coverage"] < row["high"]
    (cell,) = rows_of(table, kind="alone", regime="MEO", horizon_min=2.0)
    assert cell["axis_m"] == pytest.approx(100.0 * 6.251**0.5, rel=1e-3)  # chi-squared, 3 degrees of freedom, 90 %
    assert (cell["windows"], cell["objects"]) == (4800, 30)


def test_conformal_repairs_a_covariance_that_is_too_small() -> None:
    table = _table(0.5)
    for row in rows_of(table, kind="alone", regime="LEO", horizon_min=1.0):
        assert row["coverage"] < 0.5
    worst = coverage.worst_cells(table)
    alone, conformal = (rows_of(worst, kind=kind)[0] for kind in ("alone", "conformal"))
    assert alone["within"] == 0
    assert conformal["within"] == conformal["cells"] == 6
    assert 0.87 < conformal["joint_least"] <= conformal["joint_greatest"] < 0.93
    for row in rows_of(table, kind="conformal", regime="all"):
        if row["horizon_min"] > 0.0:
            assert row["axis_ratio"] == pytest.approx(1.0, abs=0.05)


def test_reliability_follows_the_level() -> None:
    forecast, seen = _set(3)
    alone, conformal = _methods("model", *_set(1), unit="object")
    for method in (alone, conformal):
        table = columns(coverage.RELIABILITY, coverage.reliability_rows(method, forecast, seen, NAMES, (0.5, 0.9)))
        for row in rows_of(table, regime="all"):
            assert row["coverage"] == pytest.approx(row["level"], abs=0.04)


def test_geometric_mean() -> None:
    assert coverage.geometric_mean(np.array([1.0, 100.0])) == pytest.approx(10.0)
    assert coverage.geometric_mean(np.array([1.0, np.inf])) == np.inf
    assert np.isnan(coverage.geometric_mean(np.zeros(0)))
