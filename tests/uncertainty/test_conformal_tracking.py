"""Factors on radii: they follow a drift, know nothing early, and lean on larger groups where truths are few."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.constants import DAY_US
from orbwatch.uncertainty.conformal_tracking import LEAST, LONGEST_STEP, RATE, Scores, rate_of, track, track_nested

LEVEL = np.array([0.5, 0.9, 0.99])
EXACT = np.array([1.538, 2.500, 3.368])
"""Radii of a Gaussian in three dimensions (chi, 3 degrees of freedom)."""


def daily(growth: np.ndarray, a_day: int = 200, delay_day: float = 0.5, group: int = 0, seed: int = 1) -> Scores:
    """Askings a day whose errors are so many times what the radii were made for; one horizon."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(len(growth)), a_day)
    distance = growth[day] * np.linalg.norm(rng.normal(size=(len(day), 3)), axis=1)
    ratio = distance[:, None, None] / EXACT
    public = np.rint((day + delay_day) * DAY_US).astype(np.int64)[:, None]
    return Scores(ratio, public, np.full(len(day), group), LEVEL)


def joined(*parts: Scores) -> Scores:
    return Scores(
        np.concatenate([part.ratio for part in parts]),
        np.concatenate([part.public_us for part in parts]),
        np.concatenate([part.group for part in parts]),
        LEVEL,
    )


def times(days: int) -> np.ndarray:
    return np.arange(1, days + 1) * DAY_US


def test_a_drift_is_followed() -> None:
    growth = np.concatenate([np.ones(20), np.full(40, 1.6)])
    scores = daily(growth)
    found = track(scores, 1, times(60))
    factor = np.exp(found.log_factor[:, 0, 0])
    np.testing.assert_allclose(factor[19], 1.0, atol=0.15)
    np.testing.assert_allclose(factor[-10:].mean(axis=0), 1.6, rtol=0.08)
    # Forecasts of a day with the factors of the day before: what a user would have had.
    asked = np.repeat(np.arange(60), 200)
    late = asked >= 40
    inside = scores.ratio[late, 0] <= factor[asked[late] - 1]
    np.testing.assert_allclose(inside.mean(axis=0), LEVEL, atol=0.02)
    assert (scores.ratio[late, 0, 1] <= 1.0).mean() < 0.7


def test_truths_that_come_later_change_nothing() -> None:
    whole = daily(np.linspace(1.0, 2.0, 30), delay_day=7.0)
    early = whole.public_us[:, 0] <= 20 * DAY_US
    cut = Scores(whole.ratio[early], whole.public_us[early], whole.group[early], LEVEL)
    np.testing.assert_array_equal(track(whole, 1, times(20)).log_factor, track(cut, 1, times(20)).log_factor)
    assert (track(whole, 1, times(6)).log_factor == 0.0).all()


def test_one_step_is_the_equation() -> None:
    first = np.array([0.5, 0.8, 1.2, 3.0])
    scores = Scores(np.tile(first[:, None, None], (1, 1, 3)), np.full((4, 1), DAY_US), np.zeros(4, np.int64), LEVEL)
    found = track(scores, 1, np.array([DAY_US, 2 * DAY_US]))
    expected = np.clip(1.0 * rate_of(LEVEL) * 4 / 24 * (0.5 - (1 - LEVEL)), -LONGEST_STEP, LONGEST_STEP)
    np.testing.assert_allclose(found.log_factor[0, 0, 0], expected)
    np.testing.assert_array_equal(found.log_factor[1], found.log_factor[0])
    assert found.matured[:, 0, 0].tolist() == [4, 4]
    np.testing.assert_allclose(1.0 / rate_of(LEVEL), [0.890, 0.547, 0.104], atol=0.002)
    assert RATE < 1.0


def test_a_gap_in_the_truths_holds_the_factor() -> None:
    scores = daily(np.full(40, 1.5))
    kept = (scores.public_us[:, 0] < 15 * DAY_US) | (scores.public_us[:, 0] > 30 * DAY_US)
    scores.ratio[~kept] = np.nan
    found = track(scores, 1, times(40)).log_factor[:, 0, 0]
    np.testing.assert_array_equal(found[15], found[28])


def test_few_truths_lean_on_the_regime_and_on_all() -> None:
    parent = np.array([0, 0, 1])
    many, few = daily(np.full(30, 1.6), 50), daily(np.full(30, 5.0), 2, group=1)
    other = daily(np.full(10, 3.0), 5, group=2)
    found = track_nested(joined(many, few, other), parent, times(30))
    last = np.exp(found.log_factor[-1, :, 0, 1])
    assert found.matured[-1, :, 0].tolist() == [1500, 60, 50]
    assert last[0] == pytest.approx(1.6, rel=0.1)
    assert last[1] == pytest.approx(last[0], rel=0.1)
    assert found.matured[-1, 1, 0] < LEAST
    # The second regime has too few as well: it takes what all have in common.
    assert last[2] == pytest.approx(last[0], rel=0.15)
    lonely = track_nested(daily(np.full(9, 4.0), 10), np.array([0]), times(9))
    assert (lonely.log_factor == 0.0).all()


def test_missing_truths_are_no_truths() -> None:
    scores = daily(np.full(5, 2.0))
    scores.ratio[::2] = np.nan
    assert track(scores, 1, times(5)).matured[-1, 0, 0] == 500
