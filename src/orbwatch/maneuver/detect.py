"""Which gaps between element sets hold a maneuver: the best of each few neighbours, with its probability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.gaps import COLUMNS, LOOKAHEAD, GapTable, gap_table

Score = Callable[[GpTable, GapTable], Float[np.ndarray, " g"]]
"""The probability of a maneuver in each gap of a history."""

APART_DAY = 0.8
"""Of gaps whose middles are nearer to each other than this only the likeliest is an event: sets come about once a day,
and one burn raises the probability of the gaps beside its own."""

_STEADY = ("along_less_drag_4d", "cross_speed_0_4", "miss_t_1d", "ecc_4d", "plane_4d")
_STEEPNESS, _HALF = 2.5, 3.6


@dataclass(frozen=True, eq=False)
class Detections:
    """Events, in the order of the history."""

    row: Int[np.ndarray, " d"]
    """Row of the set before the gap; the set after is the next one."""
    epoch_us: Int[np.ndarray, " d"]
    """Middle of the gap, UTC microseconds since 1970."""
    probability: Float[np.ndarray, " d"]

    def take(self, index: np.ndarray) -> Detections:
        """Some of them."""
        return Detections(self.row[index], self.epoch_us[index], self.probability[index])


def detect(table: GpTable, score: Score, causal: bool = False, min_probability: float = 0.05) -> Detections:
    """The events of a history, ordered by (norad_id, epoch_us).

    causal: each gap is judged by the sets up to `LOOKAHEAD` after the one that ends it, and by the object's past; what
    comes later has no effect.
    """
    gaps = gap_table(table, LOOKAHEAD if causal else None)
    return events(table, gaps, score(table, gaps), min_probability)


def events(
    table: GpTable, gaps: GapTable, probability: Float[np.ndarray, " g"], min_probability: float = 0.05
) -> Detections:
    """The likeliest gap first: it takes those about it out of the running."""
    row = gaps.row
    middle_us = table.epoch_us[row] + (table.epoch_us[row + 1] - table.epoch_us[row]) // 2
    keep = _peaks(table.norad_id[row], middle_us, probability, min_probability)
    return Detections(row[keep], middle_us[keep], np.asarray(probability[keep], np.float64))


def by_threshold(_: GpTable, gaps: GapTable) -> Float[np.ndarray, " g"]:
    """The detector without learning, and what learning has to beat.

    The largest of five kinds of evidence, each as a multiple of its usual size (asinh), through a logistic curve: one
    half at 18 times the usual size. Nothing is fitted; the curve only makes a probability of it.
    """
    largest = np.abs(gaps.features[:, [COLUMNS.index(name) for name in _STEADY]]).max(axis=1, initial=0.0)
    return np.asarray(1.0 / (1.0 + np.exp(-_STEEPNESS * (largest.astype(np.float64) - _HALF))))


def _peaks(
    norad_id: Int[np.ndarray, " g"],
    middle_us: Int[np.ndarray, " g"],
    probability: Float[np.ndarray, " g"],
    least: float,
) -> Int[np.ndarray, " d"]:
    """Places of the gaps that are events."""
    likely = np.flatnonzero(probability >= least)
    taken: Bool[np.ndarray, " l"] = np.zeros(len(likely), bool)
    owner, when = norad_id[likely], middle_us[likely]
    keep = []
    for k in np.argsort(-probability[likely], kind="stable").tolist():
        if taken[k]:
            continue
        keep.append(likely[k])
        low, high = k, k + 1
        while low > 0 and owner[low - 1] == owner[k] and when[k] - when[low - 1] < APART_DAY * DAY_US:
            low -= 1
        while high < len(likely) and owner[high] == owner[k] and when[high] - when[k] < APART_DAY * DAY_US:
            high += 1
        taken[low:high] = True
    return np.sort(np.array(keep, np.int64))
