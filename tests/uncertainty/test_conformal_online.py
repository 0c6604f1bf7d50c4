"""Adaptive conformal inference: the long-run bound against any scores, and recovery after a drift."""

from __future__ import annotations

import json

import numpy as np
import pytest

from orbwatch.errors import InputError
from orbwatch.uncertainty.conformal_online import AdaptiveConformal
from orbwatch.uncertainty.gaussian import GaussianForecast


def stream(model: AdaptiveConformal, scores: np.ndarray) -> np.ndarray:
    """Feed the scores (t, H) one by one; return the misses (t, H)."""
    return np.array([model.update(score) for score in scores])


def test_coverage_holds_under_drift_where_fixed_regions_lose_it() -> None:
    rng = np.random.default_rng(1)
    steps = 1500
    growth = np.concatenate([np.ones(500), np.linspace(1, 4, 500), np.full(500, 4.0)])
    scores = growth[:, None] * np.abs(rng.normal(size=(steps, 2)))
    fixed = np.quantile(scores[:400], 0.9, axis=0)
    missed = stream(AdaptiveConformal(0.9, 2, memory=300), scores)
    assert (scores[500:] > fixed).mean() > 0.35
    np.testing.assert_allclose(missed[500:].mean(axis=0), 0.1, atol=0.035)
    np.testing.assert_allclose(missed[1200:].mean(axis=0), 0.1, atol=0.05)


@pytest.mark.parametrize("kind", ["always stranger", "always nearer", "alternating", "zero"])
def test_the_bound_holds_against_hostile_scores(kind: str) -> None:
    steps, level, rate = 600, 0.9, 0.05
    time = np.arange(1.0, steps + 1)
    scores = {
        "always stranger": time,
        "always nearer": 1 / time,
        "alternating": np.where(time % 2 == 0, time, 1 / time),
        "zero": np.zeros(steps),
    }[kind]
    missed = stream(AdaptiveConformal(level, 1, rate, memory=100), scores[:, None])
    assert abs(missed.mean() - (1 - level)) <= (level + rate) / (rate * steps) + 1e-12


def test_one_step_is_equation_2_and_missing_truth_changes_nothing() -> None:
    model = AdaptiveConformal(0.8, 2, rate=0.1)
    assert np.isinf(model.radius()).all()
    stream(model, 1 / np.arange(1.0, 20.0)[:, None].repeat(2, axis=1))
    before = model.miss_rate.copy()
    assert np.isfinite(model.radius()).all()
    np.testing.assert_array_equal(model.update(np.array([100.0, np.nan])), [True, False])
    np.testing.assert_allclose(model.miss_rate, [before[0] + 0.1 * (0.2 - 1), before[1]])


def test_the_radius_is_the_exact_rank_of_the_memory() -> None:
    model = AdaptiveConformal(0.8, 1, rate=1e-9, memory=9)
    stream(model, np.arange(50.0)[:, None])
    model.miss_rate[:] = 0.2
    assert model.radius()[0] == 48.0  # k = ceil(10 * 0.8) = 8 of 41..49
    model.miss_rate[:] = 1.0
    assert model.radius()[0] == 0.0
    assert model.update(np.zeros(1))[0]


def test_json_and_back_and_regions() -> None:
    model = AdaptiveConformal(0.8, 2, rate=0.1, memory=30)
    stream(model, np.array([[1.0, np.nan], [2.0, np.inf], [0.5, 3.0], [4.0, 1.0]] * 3))
    again = AdaptiveConformal.from_dict(json.loads(json.dumps(model.to_dict(), allow_nan=False)))
    np.testing.assert_array_equal(again.scores, model.scores)
    for _ in range(5):
        np.testing.assert_array_equal(again.radius(), model.radius())
        np.testing.assert_array_equal(again.update(np.array([1.5, 9.0])), model.update(np.array([1.5, 9.0])))
    forecast = GaussianForecast(np.zeros((4, 2, 3)), np.broadcast_to(np.eye(3), (4, 2, 3, 3)))
    regions = again.regions(forecast)
    np.testing.assert_array_equal(regions.radius, np.tile(model.radius(), (4, 1)))
    with pytest.raises(InputError, match="horizons"):
        again.regions(GaussianForecast(np.zeros((4, 1, 3)), np.zeros((4, 1, 3, 3))))


def test_errors_are_named() -> None:
    for rate in (0.0, 1.0):
        with pytest.raises(InputError, match="rate"):
            AdaptiveConformal(0.9, 1, rate)
    with pytest.raises(InputError, match="memory"):
        AdaptiveConformal(0.9, 1, memory=0)
    with pytest.raises(InputError, match="cannot be read"):
        AdaptiveConformal.from_dict({"level": 0.9})
