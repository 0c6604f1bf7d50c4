"""Weeks that count the same, and quantiles of draws over objects."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.constants import DAY_US
from orbwatch.learn.judging.weekly import draw_objects, quantiles, week_weights
from orbwatch.time import parse_utc

MONDAY_US = parse_utc("2026-07-06T00:00:00")


def test_every_iso_week_counts_the_same() -> None:
    sunday_us, next_us = MONDAY_US + 7 * DAY_US - 1, MONDAY_US + 7 * DAY_US
    weight = week_weights(np.array([MONDAY_US, sunday_us, sunday_us, sunday_us, next_us, next_us]))
    np.testing.assert_allclose(weight, [0.25, 0.25, 0.25, 0.25, 0.5, 0.5])


def test_the_odd_days_of_a_period_are_no_weeks() -> None:
    week = np.repeat([-1, 0, 1, 2], [1, 10, 20, 1])
    weight = week_weights(MONDAY_US + week * 7 * DAY_US)
    np.testing.assert_allclose(weight[:11], 1.0 / 11.0)
    np.testing.assert_allclose(weight[11:], 1.0 / 21.0)


def test_a_week_with_many_truths_does_not_decide_alone() -> None:
    at_us = MONDAY_US + np.repeat([0, 7, 14], [90, 30, 30]) * DAY_US
    error = np.repeat([1.0, 2.0, 3.0], [90, 30, 30])
    times = np.ones((1, 150))
    assert quantiles(error, np.ones(150), times, (0.5,)).estimate[0] == 1.0
    found = quantiles(error, week_weights(at_us), times, (0.5, 0.9))
    np.testing.assert_array_equal(found.estimate, [2.0, 3.0])
    np.testing.assert_array_equal(found.drawn[0], found.estimate)


def test_draws_take_whole_objects() -> None:
    owner = np.array([7, 7, 9, 9, 9, 4])
    times = draw_objects(owner, 200)
    assert (times[:, 0] == times[:, 1]).all()
    assert (times[:, 2] == times[:, 4]).all()
    assert (times[:, 0] + times[:, 2] + times[:, 5] == 3).all()
    value = np.array([1.0, 1.0, 2.0, 2.0, 2.0, 3.0])
    drawn = quantiles(value, np.ones(6), times, (0.5,)).drawn[:, 0]
    assert set(np.unique(drawn)) == {1.0, 2.0, 3.0}
    np.testing.assert_array_equal(draw_objects(owner, 200), times)


def test_values_without_bound_are_the_largest() -> None:
    found = quantiles(np.array([1.0, np.inf, 2.0]), np.ones(3), np.ones((1, 3)), (0.5, 0.9))
    np.testing.assert_array_equal(found.estimate, [2.0, np.inf])


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_equal_weights_are_plain_quantiles(level: float) -> None:
    value = np.random.default_rng(3).normal(size=1001)
    found = quantiles(value, np.ones(1001), np.ones((1, 1001)), (level,)).estimate[0]
    assert found == pytest.approx(np.quantile(value, level), abs=0.01)
