from __future__ import annotations

import numpy as np
import pytest

from orbwatch.catalog.gp import NO_TIME
from orbwatch.constants import DAY_US
from orbwatch.maneuver.rhythm import (
    SHARES,
    WAITING,
    next_burn_us,
    rhythm_of,
    separate_us,
    silence_chance,
    standardized,
    waiting_of,
)

from .orbits import at_us


def clock(every_day: float, count: int, jitter: float = 0.0) -> np.ndarray:
    return at_us(np.cumsum(every_day * np.exp(np.random.default_rng(1).normal(0.0, jitter, count))))


def test_no_rhythm_is_claimed_of_three_burns() -> None:
    assert rhythm_of(clock(20.0, 3)) is None
    assert rhythm_of(np.empty(0, np.int64)) is None
    assert rhythm_of(clock(20.0, 4)) is not None


def test_burns_close_together_count_once_and_do_not_chain() -> None:
    assert len(separate_us(at_us(np.array([0.0, 0.1, 1.5, 20.0, 21.0])))) == 2
    daily = separate_us(at_us(np.arange(30.0)))
    assert np.diff(daily).min() == 3 * DAY_US
    # Four burns in two pairs are two.
    assert rhythm_of(at_us(np.array([0.0, 0.1, 20.0, 20.1]))) is None


def test_a_clock_is_regular_and_chance_is_not() -> None:
    regular, irregular = rhythm_of(clock(30.0, 15, 0.05)), rhythm_of(clock(30.0, 15, 1.3))
    assert regular is not None
    assert irregular is not None
    assert regular.period_day == pytest.approx(30.0, rel=0.05)
    assert regular.period_low_day < 30.0 < regular.period_high_day
    assert regular.regularity > 0.9
    assert irregular.regularity < 0.6
    few = rhythm_of(clock(30.0, 4, 0.05))
    assert few is not None
    assert few.spread > regular.spread, "fewer intervals are believed less"


def test_the_next_burn_is_due_after_now_and_later_the_longer_it_is_silent() -> None:
    rhythm = rhythm_of(clock(30.0, 15, 0.1))
    assert rhythm is not None
    ends = [next_burn_us(rhythm, rhythm.last_us + day * DAY_US) for day in (0, 20, 40, 80)]
    for day, (middle, low, high) in zip((0, 20, 40, 80), ends, strict=True):
        assert rhythm.last_us + day * DAY_US <= low < middle < high
    assert [low for _, low, _ in ends] == sorted(low for _, low, _ in ends)
    assert abs(ends[0][0] - rhythm.last_us - 30 * DAY_US) < 8 * DAY_US


def test_ends_beyond_thirty_years_are_not_given() -> None:
    rhythm = rhythm_of(clock(500.0, 6, 1.5))
    assert rhythm is not None
    assert next_burn_us(rhythm, rhythm.last_us + 9000 * DAY_US)[2] == NO_TIME


def test_silence_becomes_less_likely_and_stops_a_rhythm() -> None:
    rhythm = rhythm_of(clock(30.0, 15, 0.1))
    assert rhythm is not None
    chances = [silence_chance(rhythm, rhythm.last_us + day * DAY_US) for day in (0, 10, 30, 60, 300, 3000)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.99
    assert chances[4] < 0.01
    assert silence_chance(rhythm, rhythm.last_us - DAY_US) > 0.99, "asked before the last burn"


def test_waiting_times_are_those_of_the_satellites_alike() -> None:
    assert len(WAITING) == len(SHARES)
    assert list(WAITING) == sorted(WAITING)
    narrow, wide = np.linspace(-1.0, 1.0, 400), np.linspace(-3.0, 3.0, 20)
    found = waiting_of([narrow, wide, np.empty(0)])
    assert np.all(np.diff(found) > 0.0)
    assert found[SHARES.index(0.5)] == pytest.approx(0.0, abs=0.2)
    # Half of the weight is the wide one's, though it has few: the 95 % point is where 10 % of it lie beyond.
    assert found[SHARES.index(0.95)] == pytest.approx(2.4, abs=0.3)


def test_intervals_of_its_own_kind_are_covered_as_promised() -> None:
    rng = np.random.default_rng(3)
    made = [at_us(np.cumsum(rng.lognormal(3.0, rng.uniform(0.2, 0.8), 60))) for _ in range(12)]
    waiting = waiting_of([standardized(each) for each in made[:8]])
    inside = []
    for each in made[8:]:
        burns = separate_us(each)
        for k in range(4, len(burns)):
            rhythm = rhythm_of(burns[:k])
            assert rhythm is not None
            _, low, high = next_burn_us(rhythm, int(burns[k - 1]), waiting)
            inside.append(low <= burns[k] <= high)
    assert 0.84 < np.mean(inside) < 0.96
