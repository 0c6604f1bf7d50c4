"""The alarm: rarely without a drift, also where objects and days have their own ways, and surely with one."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.learn.judging.drift import days_variance, week_against_promise
from orbwatch.learn.judging.significance import holm

DAYS, WEEK = 30, 7
ALPHA = 0.05


def inside_of(
    rng: np.random.Generator, objects: int, day_sd: float, object_sd: float, horizon: int, shift: float = 0.0
) -> np.ndarray:
    """Which truths of (object, day) are inside 90 % regions: errors have a common part of days that overlap.

    The radius is such that the share over all objects and days is 0.9; `shift` is added to the log of the last week's
    errors.
    """
    steps = rng.normal(size=DAYS + horizon - 1)
    common = np.convolve(steps, np.ones(horizon) / np.sqrt(horizon), "valid")
    own = rng.normal(size=(objects, 1))
    noise = rng.normal(size=(objects, DAYS))
    size = np.sqrt(0.5**2 + day_sd**2 + object_sd**2)
    log_error = day_sd * common + object_sd * own + 0.5 * noise
    log_error[:, -WEEK:] += shift
    return np.asarray(log_error <= 1.2816 * size)


def chance(inside: np.ndarray, horizon: int, tolerance: float = 0.0) -> float:
    objects = inside.shape[0]
    who, day = np.meshgrid(np.arange(objects), np.arange(DAYS), indexing="ij")
    recent = day.ravel() >= DAYS - WEEK
    return week_against_promise(inside.ravel(), recent, who.ravel(), day.ravel(), 0.9, float(horizon), tolerance).p


@pytest.mark.parametrize(
    ("day_sd", "object_sd", "horizon"), [(0.0, 0.0, 1), (0.0, 0.4, 3), (0.2, 0.3, 1), (0.2, 0.2, 5)]
)
def test_false_alarms_are_as_rare_as_stated(day_sd: float, object_sd: float, horizon: int) -> None:
    rng = np.random.default_rng(4)
    p = np.array([chance(inside_of(rng, 150, day_sd, object_sd, horizon), horizon) for _ in range(300)])
    # 300 trials: 0.05 has a standard error of 0.013.
    assert (p < ALPHA).mean() <= 0.10
    tolerant = np.array([chance(inside_of(rng, 150, day_sd, object_sd, horizon), horizon, 0.04) for _ in range(100)])
    assert (tolerant < ALPHA).mean() <= 0.05


def test_a_family_of_cells_raises_few_alarms() -> None:
    rng = np.random.default_rng(5)
    families = np.array([
        (holm(np.array([chance(inside_of(rng, 100, 0.15, 0.3, 2), 2) for _ in range(12)])) < ALPHA).any()
        for _ in range(60)
    ])  # fmt: skip
    assert families.mean() <= 0.13


@pytest.mark.parametrize("tolerance", [0.0, 0.04])
def test_a_shift_is_found(tolerance: float) -> None:
    rng = np.random.default_rng(6)
    # Errors 1.5 times as large: about 80 % inside instead of 90 %.
    p = np.array([chance(inside_of(rng, 150, 0.05, 0.3, 1, np.log(1.5)), 1, tolerance) for _ in range(60)])
    assert (p < 0.01).mean() > 0.8


def test_a_lasting_excess_within_the_tolerance_is_no_drift() -> None:
    rng = np.random.default_rng(7)
    inside = rng.random((500, DAYS)) < 0.93
    assert chance(inside, 1) < 1e-6
    assert chance(inside, 1, 0.04) == 1.0
    # All inside: nothing scatters, and it is still judged.
    assert chance(np.ones((500, DAYS), bool), 1, 0.04) < 1e-6


def test_the_variance_of_days_is_found_through_their_overlap() -> None:
    rng = np.random.default_rng(8)
    day = np.repeat(np.arange(200), 400)
    for horizon in (1, 7):
        steps = rng.normal(size=200 + horizon - 1)
        common = 0.03 * np.convolve(steps, np.ones(horizon) / np.sqrt(horizon), "valid")
        inside = rng.random(len(day)) < 0.85 + common[day]
        found, freedom = days_variance(inside, day, float(horizon))
        assert found == pytest.approx(0.03**2, rel=0.6)
        assert 200 / horizon / 1.5 < freedom < 200
    none, _ = days_variance(rng.random(len(day)) < 0.9, day, 1.0)
    assert none < 0.01**2


def test_too_little_to_say() -> None:
    rng = np.random.default_rng(9)
    inside = rng.random((10, DAYS)) < 0.5
    assert np.isnan(chance(inside, 1))
    few = week_against_promise(np.ones(5, bool), np.zeros(5, bool), np.arange(5), np.zeros(5, np.int64), 0.9, 1.0, 0.0)
    assert few.truths == 0
    assert np.isnan(few.p)
    assert days_variance(np.ones(5, bool), np.arange(5), 1.0) == (0.0, 1.0)
