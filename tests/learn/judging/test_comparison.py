"""Tables of ratios and tests, and the decision that follows from them."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.learn.judging import comparison
from orbwatch.learn.judging.metrics import Errors, rows_of
from orbwatch.learn.judging.significance import holm

NAMES = ("LEO", "MEO", "GEO", "HEO")
HORIZON_S = 60.0 * np.arange(1.0, 31.0)


def _setup(gain_leo: float = 0.8, gain_meo: float = 1.0):
    rng = np.random.default_rng(1)
    objects, windows = 24, 12
    ids = np.repeat(np.arange(objects), windows)
    regime = (ids % 2).astype(np.int8)
    base = np.exp(rng.normal(size=objects))[ids, None] * np.linspace(1.0, 3.0, 30)
    reference = 0.1 * base * rng.chisquare(3, size=(len(ids), 30)) ** 0.5
    gain = np.where(regime == 0, gain_leo, gain_meo)[:, None]
    model = reference * gain * np.exp(0.1 * rng.normal(size=reference.shape))
    forecasts = {"model": Errors(model, model / 1e3), "least_squares": Errors(reference, reference / 1e3)}
    return forecasts, regime, ids, np.tile(np.arange(windows), objects)


def test_gain_is_found_where_it_is() -> None:
    forecasts, regime, ids, time = _setup()
    table = comparison.compare(forecasts, [("model", "least_squares")], regime, ids, time, HORIZON_S, NAMES, draws=200)
    assert len(table["ratio"]) == 2 * 3 * 7
    (leo,) = rows_of(table, quantity="position", regime="LEO", horizon_min=30.0)
    assert leo["ratio"] == pytest.approx(0.8, abs=0.05)
    assert leo["ratio_low"] < leo["ratio"] < leo["ratio_high"] < 1.0
    assert (leo["windows"], leo["objects"]) == (144, 12)
    assert leo["difference_high"] < 0.0
    assert leo["wilcoxon_holm"] < 0.05
    assert leo["dm_statistic"] < 0.0
    (meo,) = rows_of(table, quantity="position", regime="MEO", horizon_min=30.0)
    assert meo["wilcoxon_holm"] > 0.05
    (together,) = rows_of(table, quantity="velocity", regime="all", horizon_min=1.0)
    assert np.isnan(together["dm_holm"])
    assert together["dm_p"] < 1.0


def test_holm_family_is_regimes_by_horizons() -> None:
    forecasts, regime, ids, time = _setup()
    pairs = [("model", "least_squares"), ("least_squares", "model")]
    table = comparison.compare(forecasts, pairs, regime, ids, time, HORIZON_S, NAMES, draws=20)
    family = [row for row in rows_of(table, quantity="velocity", forecaster="least_squares") if row["regime"] != "all"]
    assert len(family) == 14
    expected = holm(np.array([row["dm_p"] for row in family]))
    np.testing.assert_allclose([row["dm_holm"] for row in family], expected)


def test_model_ships_only_where_it_gains() -> None:
    forecasts, regime, ids, time = _setup(gain_leo=0.8, gain_meo=1.3)
    table = comparison.compare(forecasts, [("model", "least_squares")], regime, ids, time, HORIZON_S, NAMES, draws=200)
    decision = comparison.fallback(table, "model", "least_squares", NAMES)
    assert decision["ships"] == [True, False, False, False]
    assert "better than least squares at 30 min" in decision["reason"][0]
    assert "worse than least squares at 1, 5" in decision["reason"][1]
    assert decision["reason"][2] == "no windows to judge by"


def test_equal_model_falls_back() -> None:
    forecasts, regime, ids, time = _setup(gain_leo=1.0)
    forecasts["model"] = forecasts["least_squares"]
    table = comparison.compare(forecasts, [("model", "least_squares")], regime, ids, time, HORIZON_S, NAMES, draws=50)
    decision = comparison.fallback(table, "model", "least_squares", NAMES[:2])
    assert decision["ships"] == [False, False]
    assert decision["reason"][0] == "no significant gain at 30 min"


def test_a_loss_at_any_horizon_or_in_the_tail_falls_back() -> None:
    forecasts, regime, ids, time = _setup(gain_leo=0.8)
    model = forecasts["model"].position_km
    early, late = model.copy(), model.copy()
    early[regime == 0, 0] *= 1.06 / 0.8
    spread = np.random.default_rng(2).random(len(late)) < 0.1
    late[spread & (regime == 0), -1] *= 20.0
    pair = [("model", "least_squares")]
    for spoiled, expected in ((early, "worse than least squares at 1 min"), (late, "95th percentile is")):
        given = forecasts | {"model": Errors(spoiled, spoiled)}
        table = comparison.compare(given, pair, regime, ids, time, HORIZON_S, NAMES, draws=100)
        decision = comparison.fallback(table, "model", "least_squares", NAMES[:1])
        assert decision["ships"] == [False]
        assert expected in decision["reason"][0]
        assert decision["ratio_high"][0] < 1.0


def test_the_ratio_of_tails_is_that_of_95th_percentiles() -> None:
    forecasts, regime, ids, time = _setup()
    table = comparison.compare(forecasts, [("model", "least_squares")], regime, ids, time, HORIZON_S, NAMES, draws=20)
    (row,) = rows_of(table, quantity="position", regime="all", horizon_min=30.0)
    model, squares = (np.quantile(forecasts[name].position_km[:, -1], 0.95) for name in ("model", "least_squares"))
    assert row["p95_ratio"] == pytest.approx(model / squares)


def test_horizons_tested_are_those_there_are() -> None:
    assert comparison.tested_columns(np.array([90.0, 300.0, 330.0])) == [1, 2]
