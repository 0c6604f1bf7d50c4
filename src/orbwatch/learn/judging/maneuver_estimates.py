"""Estimates of maneuvers held to what operators say they did: size, uncertainty, kind and time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.learn.judging.significance import Interval, mean_difference, median_ratio

NORMAL_90 = 1.6449
"""Half the width of a 90 % interval, in standard deviations."""
_LEAST = 20


@dataclass(frozen=True)
class Held:
    """n events: what was estimated and what was true."""

    object_id: Int[np.ndarray, " n"]
    dv_m_s: Float[np.ndarray, "n 3"]
    true_m_s: Float[np.ndarray, "n 3"]
    """NaN where only the kind is known."""
    sigma_m_s: Float[np.ndarray, " n"]
    """Standard deviation of the size."""
    detectable_m_s: Float[np.ndarray, "n 3"]
    kind: np.ndarray
    true_kind: np.ndarray
    late_s: Float[np.ndarray, " n"]
    """Estimated less true time."""

    def above(self) -> Bool[np.ndarray, " n"]:
        """Events with a true component that should be seen; all of those whose size is not known."""
        with np.errstate(invalid="ignore"):
            seen = (np.abs(self.true_m_s) > self.detectable_m_s).any(axis=1)
        return np.asarray(seen | np.isnan(self.true_m_s).any(axis=1))


@dataclass(frozen=True)
class EstimateScores:
    """Scores with 95 % intervals, satellites drawn with replacement; NaN where nothing counts."""

    events: int
    relative_error: Interval
    """Median of |size / true size - 1|."""
    covered: Interval
    """Share of true sizes inside the 90 % interval, its width fitted on the other satellites."""
    kind: Interval
    """Share of kinds that are right; raising and lowering are one kind, as with the published figure."""
    commonest: float
    """Share of the commonest kind: what always guessing it would get right."""
    recall: dict[str, float]
    """Share of events of each true axis whose kind is right."""
    late_h: Interval
    """Median absolute error of the time, hours."""


def score_estimates(held: Held, of: Bool[np.ndarray, " n"]) -> EstimateScores:
    """Scores of some of the events; the widening of intervals is fitted on all that count of other satellites."""
    size, true = (np.linalg.norm(dv, axis=1) for dv in (held.dv_m_s, held.true_m_s))
    counts = of & held.above()
    known = counts & np.isfinite(true) & np.isfinite(size)
    sigmas = np.abs(size - true) / held.sigma_m_s
    width = widening(sigmas, held.object_id, held.above() & np.isfinite(sigmas)) * NORMAL_90
    right = axis_of(held.kind) == axis_of(held.true_kind)
    named = counts & (held.true_kind != "") & (held.true_kind != "unknown")

    def median(values: Float[np.ndarray, " n"], use: Bool[np.ndarray, " n"]) -> Interval:
        return median_ratio(values[use], np.ones(int(use.sum())), held.object_id[use])

    def share(values: Bool[np.ndarray, " n"], use: Bool[np.ndarray, " n"]) -> Interval:
        return mean_difference(values[use].astype(np.float64), np.zeros(int(use.sum())), held.object_id[use])

    true_axis = axis_of(held.true_kind)
    recall = {str(axis): float(right[named & (true_axis == axis)].mean()) for axis in np.unique(true_axis[named])}
    commonest = max((float((true_axis[named] == axis).mean()) for axis in recall), default=float("nan"))
    with np.errstate(invalid="ignore"):
        return EstimateScores(
            int(counts.sum()),
            median(np.abs(size / true - 1.0), known),
            share(sigmas < width, known),
            share(right, named),
            commonest,
            recall,
            median(np.abs(held.late_s) / 3600.0, counts),
        )


def widening(
    sigmas: Float[np.ndarray, " n"], object_id: Int[np.ndarray, " n"], use: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """For each event the factor on its standard deviation with which 90 % of the other objects' events are inside.

    sigmas: absolute errors over their standard deviations. 1 where there are fewer than 20 others.
    """
    out = np.ones(len(sigmas))
    for each in np.unique(object_id):
        others = np.sort(sigmas[use & (object_id != each)])
        if len(others) >= _LEAST:
            place = min(int(np.ceil(0.9 * (len(others) + 1))), len(others)) - 1
            out[object_id == each] = others[place] / NORMAL_90
    return out


def axis_of(kind: np.ndarray) -> np.ndarray:
    """Kinds with raising and lowering along the track taken together."""
    return np.where(np.char.startswith(kind.astype(str), "in_track"), "in_track", kind)
