"""The rhythm of an object's burns: how long from one to the next, how regularly, and when the next one is due.

Logarithms of intervals scatter about their mean; the scatter is the object's own, drawn towards what is believed of an
unknown operator while there are few intervals. Standardized so, intervals of all objects have one distribution
(`WAITING`, measured on true burns), from which intervals, and the chance of a silence, follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.gp import NO_TIME
from orbwatch.constants import DAY_US
from orbwatch.maneuver.pattern_limits import (
    LEAST_BURNS,
    REGULAR_NONE,
    RHYTHM_HALF_LIFE,
    RHYTHM_INTERVALS,
    RHYTHM_PRIOR,
    RHYTHM_SPREAD,
    SAME_BURN_DAY,
)

LEVEL = 0.9
"""Of every interval given here."""
SHARES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99, 0.995)
WAITING: tuple[float, ...] = (
    -5.43, -3.93, -2.43, -1.85, -1.39, -0.69, -0.26, 0.03, 0.26, 0.53, 0.78, 0.97, 1.56, 1.91, 2.7, 4.04, 4.15,
)  # fmt: skip
"""Standardized log intervals at `SHARES`, each of ten satellites with true burns weighing the same
(`learn.judging.maneuver_patterns.waiting_times`)."""


@dataclass(frozen=True)
class Rhythm:
    """Of at least `LEAST_BURNS` burns."""

    burns: int
    """That it is known from; burns within `SAME_BURN_DAY` count once."""
    last_us: int
    """The last of them, UTC microseconds since 1970."""
    period_day: float
    """Geometric mean of the last intervals, newer ones weighing more."""
    period_low_day: float
    """The 90 % interval of that mean."""
    period_high_day: float
    regularity: float
    """1 for a clock, 0 for burns no more regular than chance."""
    spread: float
    """Standard deviation that the next interval's logarithm is believed to have."""


def separate_us(burn_us: Int[np.ndarray, " b"]) -> Int[np.ndarray, " e"]:
    """Burns in order, those within `SAME_BURN_DAY` of the first of a group counted once, at its first.

    Groups do not chain: an object that burns daily has one every two days.
    """
    kept: list[int] = []
    for at in np.sort(burn_us).tolist():
        if not kept or at - kept[-1] > SAME_BURN_DAY * DAY_US:
            kept.append(at)
    return np.array(kept, np.int64)


def rhythm_of(burn_us: Int[np.ndarray, " b"]) -> Rhythm | None:
    """The rhythm of an object's burns (UTC microseconds since 1970, any order); None of fewer than `LEAST_BURNS`."""
    burns = separate_us(burn_us)
    if len(burns) < LEAST_BURNS:
        return None
    mean, own, count = _moments(np.log(np.diff(burns) / DAY_US))
    spread = _believed(own, count)
    half = 1.645 * spread / np.sqrt(count)
    regularity = max(0.0, 1.0 - own / REGULAR_NONE)
    ends = np.exp(mean + half * np.array([0.0, -1.0, 1.0])).tolist()
    return Rhythm(len(burns), int(burns[-1]), ends[0], ends[1], ends[2], float(regularity), float(spread))


def silence_chance(rhythm: Rhythm, at_us: int, waiting: Sequence[float] = WAITING) -> float:
    """The chance, under its own rhythm, that an object is silent from its last burn to an instant or longer."""
    return 1.0 - float(_share(_standard([rhythm], [at_us]), waiting)[0])


def silence_chances(
    rhythms: Sequence[Rhythm | None], at_us: Int[np.ndarray, " k"], waiting: Sequence[float] = WAITING
) -> Float[np.ndarray, " k"]:
    """`silence_chance` of many; NaN where there is no rhythm."""
    out = np.full(len(rhythms), np.nan)
    there = [k for k, rhythm in enumerate(rhythms) if rhythm is not None]
    out[there] = 1.0 - _share(_standard([each for each in rhythms if each is not None], at_us[there].tolist()), waiting)
    return out


def next_burn_us(rhythm: Rhythm, at_us: int, waiting: Sequence[float] = WAITING) -> tuple[int, int, int]:
    """When the next burn is due, asked at an instant since which none is known: median and ends of the 90 % interval.

    The distribution of the interval given that it has already lasted to `at_us`. Ends further than 30 years away are
    `NO_TIME`.
    """
    gone = float(_share(_standard([rhythm], [at_us]), waiting)[0])
    edge = (1.0 - LEVEL) / 2.0
    z = _place(gone + (1.0 - gone) * np.array([0.5, edge, 1.0 - edge]), waiting)
    day = np.exp(np.minimum(np.log(rhythm.period_day) + rhythm.spread * z, 50.0))
    out = [int(rhythm.last_us + x * DAY_US) if x < 30.0 * 365.25 else NO_TIME for x in day.tolist()]
    return out[0], out[1], out[2]


def standardized(burn_us: Int[np.ndarray, " b"]) -> Float[np.ndarray, " i"]:
    """Each interval of an object's burns as its own past (`LEAST_BURNS` or more) saw it: what `WAITING` is made of."""
    burns = separate_us(burn_us)
    logs = np.log(np.diff(burns) / DAY_US)
    out = []
    for k in range(LEAST_BURNS - 1, len(logs)):
        mean, own, count = _moments(logs[:k])
        out.append((logs[k] - mean) / _believed(own, count))
    return np.array(out, np.float64)


def waiting_of(values: Sequence[Float[np.ndarray, " _"]]) -> tuple[float, ...]:
    """Quantiles at `SHARES` of several objects' standardized intervals, every object weighing the same."""
    every = [each for each in values if len(each)]
    pooled = np.concatenate(every)
    weight = np.concatenate([np.full(len(each), 1.0 / len(each)) for each in every])
    order = np.argsort(pooled, kind="stable")
    share = (np.cumsum(weight[order]) - 0.5 * weight[order]) / weight.sum()
    found = np.interp(SHARES, share, pooled[order])
    # Strictly rising, so that it can be read both ways.
    return tuple((found + 1e-6 * np.arange(len(SHARES))).tolist())


def _moments(logs: Float[np.ndarray, " i"]) -> tuple[float, float, float]:
    """Weighted mean and standard deviation of the last intervals' logarithms, and how many they are worth."""
    last = logs[-RHYTHM_INTERVALS:]
    weight = 0.5 ** (np.arange(len(last))[::-1] / RHYTHM_HALF_LIFE)
    total = weight.sum()
    mean = float(weight @ last / total)
    own = float(np.sqrt(weight @ (last - mean) ** 2 / total))
    return mean, own, float(total**2 / (weight @ weight))


def _believed(own: float, count: float) -> float:
    return float(np.sqrt((RHYTHM_PRIOR * RHYTHM_SPREAD**2 + count * own**2) / (RHYTHM_PRIOR + count)))


def _standard(rhythms: Sequence[Rhythm], at_us: Sequence[int]) -> Float[np.ndarray, " k"]:
    silent_day = np.array([(at - one.last_us) / DAY_US for one, at in zip(rhythms, at_us, strict=True)])
    period_day, spread = (np.array([getattr(one, name) for one in rhythms]) for name in ("period_day", "spread"))
    return np.asarray((np.log(np.maximum(silent_day, 1e-3)) - np.log(period_day)) / spread)


def _logit(share: Float[np.ndarray, " q"]) -> Float[np.ndarray, " q"]:
    return np.asarray(np.log(share / (1.0 - share)))


def _share(z: Float[np.ndarray, " k"], waiting: Sequence[float]) -> Float[np.ndarray, " k"]:
    """Share of intervals below z: linear in its logit between the quantiles and beyond, so tails fall as powers."""
    knots = _logit(np.array(SHARES))
    logit = _line(z, np.array(waiting), knots)
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0))))


def _place(share: Float[np.ndarray, " q"], waiting: Sequence[float]) -> Float[np.ndarray, " q"]:
    safe = np.clip(share, 1e-12, 1.0 - 1e-12)
    return _line(_logit(safe), _logit(np.array(SHARES)), np.array(waiting))


def _line(
    x: Float[np.ndarray, " q"], at: Float[np.ndarray, " k"], to: Float[np.ndarray, " k"]
) -> Float[np.ndarray, " q"]:
    """Linear interpolation; beyond the ends the last pieces' slopes over three knots go on."""
    low = to[0] + (x - at[0]) * (to[2] - to[0]) / (at[2] - at[0])
    high = to[-1] + (x - at[-1]) * (to[-1] - to[-3]) / (at[-1] - at[-3])
    return np.asarray(np.where(x < at[0], low, np.where(x > at[-1], high, np.interp(x, at, to))))
