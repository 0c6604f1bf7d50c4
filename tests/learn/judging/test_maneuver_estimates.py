"""Scores of estimates: intervals are widened by other satellites alone, and only what can be seen counts."""

from __future__ import annotations

import numpy as np

from orbwatch.learn.judging.maneuver_estimates import Held, score_estimates, widening


def held(n: int, factor: float, seed: int = 1) -> Held:
    """Events of four satellites whose stated uncertainty is too small by a factor."""
    rng = np.random.default_rng(seed)
    true = np.zeros((n, 3))
    true[:, 1] = rng.uniform(0.5, 1.0, n)
    dv = true + np.array([0.0, 1.0, 0.0]) * rng.normal(0.0, 0.02, (n, 1))
    kinds = np.where(np.arange(n) % 10 == 0, "cross_track", "in_track_raise")
    return Held(
        np.arange(n) % 4,
        dv,
        true,
        np.full(n, 0.02 / factor),
        np.full((n, 3), 0.1),
        kinds,
        np.full(n, "in_track_lower"),
        np.full(n, 3600.0),
    )


def test_intervals_that_are_too_narrow_are_widened() -> None:
    scores = score_estimates(held(2000, 3.0), np.ones(2000, bool))
    assert 0.87 < scores.covered.estimate < 0.93
    assert scores.covered.low < scores.covered.estimate < scores.covered.high
    assert scores.kind.estimate == 0.9
    assert scores.commonest == 1.0
    assert scores.recall == {"in_track": 0.9}
    assert scores.late_h.estimate == 1.0
    assert 0.01 < scores.relative_error.estimate < 0.03


def test_the_width_never_comes_from_the_same_satellite() -> None:
    sigmas = np.concatenate([np.full(50, 100.0), np.full(50, 1.0)])
    factor = widening(sigmas, np.repeat([1, 2], 50), np.ones(100, bool))
    assert factor[0] < 1.0 < factor[-1]
    assert (widening(sigmas[:30], np.ones(30, np.int64), np.ones(30, bool)) == 1.0).all()


def test_what_cannot_be_seen_does_not_count() -> None:
    events = held(100, 1.0)
    events.true_m_s[:40] *= 1e-3
    events.true_m_s[40] = np.nan
    scores = score_estimates(events, np.ones(100, bool))
    assert scores.events == 60
