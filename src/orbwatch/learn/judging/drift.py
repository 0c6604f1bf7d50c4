"""Has the coverage of regions left what was promised, or is it chance?

Two things make a week's share wander without any drift. Objects: an object's forecasts of a week are right or wrong
together. And days: the density of the upper atmosphere is wrong for all objects at once, and forecasts that overlap in
time share it. The variance of the week's share is the sum of both: over objects as in Cameron & Miller 2015
(doi:10.3368/jhr.50.2.317, section II); of days from how much the daily shares of all askings scatter beyond what their
numbers explain, with a correlation of two askings of 1 - (days between them) / horizon, the share of their forecasts'
time that they have in common.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import stats

LEAST_TRUTHS, LEAST_OBJECTS, LEAST_DAYS = 100, 20, 3
"""A week with fewer is not judged."""
USUAL_DAYS = 10
"""With fewer days before the week, the week's own days help to say how days differ."""
DAY_TRUTHS = 10
"""Days with fewer truths say nothing about how days differ."""


@dataclass(frozen=True)
class Week:
    """The share inside the regions in a week's truths, and how unlikely it is if the promise holds."""

    truths: int
    share: float
    standard_error: float
    """Of the share, by objects and by days."""
    p: float
    """Two-sided; NaN where there is too little to say."""


def week_against_promise(
    inside: Bool[np.ndarray, " n"],
    recent: Bool[np.ndarray, " n"],
    object_id: Int[np.ndarray, " n"],
    day: Int[np.ndarray, " n"],
    level: float,
    horizon_day: float,
    tolerance: float,
) -> Week:
    """Judges the recent truths of one kind of object at one horizon; the others only say how much days differ.

    inside: whether each truth was; day: number of the day of asking, one asking an object and day. The promise is
    `level`, 0..1; a departure of less than `tolerance` is none. Student's t with degrees of freedom after Satterthwaite
    (1946).
    """
    truths = int(recent.sum())
    if not truths:
        return Week(0, float("nan"), float("nan"), float("nan"))
    hits = inside[recent].astype(np.float64)
    share = float(hits.mean())
    _, owner = np.unique(object_id[recent], return_inverse=True)
    sums = np.bincount(owner, hits - share)
    objects = len(sums)
    days = np.unique(day[recent])
    if truths < LEAST_TRUTHS or objects < LEAST_OBJECTS or len(days) < LEAST_DAYS:
        return Week(truths, share, float("nan"), float("nan"))
    # With every truth inside, their scatter says nothing of what the promise would let one expect.
    promised = level * (1.0 - level) / truths
    of_objects = max(float(sums @ sums) * objects / (objects - 1) / truths**2, promised)
    # The week's own days, if they have drifted, must not make the drift look usual.
    usual = ~recent if len(np.unique(day[~recent])) >= USUAL_DAYS else np.ones(len(day), bool)
    between, freedom = days_variance(inside[usual], day[usual], horizon_day)
    of_days = between * float(_shared(days, horizon_day).mean())
    total = of_objects + of_days
    degrees = total**2 / (of_objects**2 / (objects - 1) + of_days**2 / freedom)
    excess = max(abs(share - level) - tolerance, 0.0)
    return Week(truths, share, total**0.5, min(1.0, float(2.0 * stats.t.sf(excess / total**0.5, degrees))))


def days_variance(
    inside: Bool[np.ndarray, " n"], day: Int[np.ndarray, " n"], horizon_day: float
) -> tuple[float, float]:
    """Variance of what a day adds to the share of all its askings, and its degrees of freedom (at least 1).

    By moments: the scatter of the daily shares less what their numbers explain, over the part of it that days which
    share their forecasts' time can show.
    """
    names, at = np.unique(day, return_inverse=True)
    count = np.bincount(at, minlength=len(names))
    use = count >= DAY_TRUTHS
    if use.sum() < LEAST_DAYS:
        return 0.0, 1.0
    names, count = names[use], count[use]
    share = np.bincount(at, inside, len(use))[use] / count
    mean = float(share.mean())
    common = float(_shared(names, horizon_day).mean())
    noise = float((mean * (1.0 - mean) / count).mean()) * (1.0 - 1.0 / len(names))
    scatter = float(share.var()) - noise
    return max(scatter, 0.0) / max(1.0 - common, 1.0 / len(names)), max(1.0 / common - 1.0, 1.0)


def _shared(day: Int[np.ndarray, " d"], horizon_day: float) -> Float[np.ndarray, "d d"]:
    apart = np.abs(day[:, None] - day[None, :])
    return np.asarray(np.maximum(1.0 - apart / max(horizon_day, 1.0), 0.0))
