"""Askings: an object and a time, what was known of it then, and what became known later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from orbwatch.catalog.gp import NO_TIME, GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_asks_kernel import NONE, find_known, find_later
from orbwatch.learn.samples.catalog_regimes import is_high

__all__ = ["FAR", "NEAR", "NONE", "TRUTH_WITHIN_DAY", "Asks", "Reach", "asks", "is_far", "later_sets", "public_us"]


@dataclass(frozen=True)
class Reach:
    """How far back the sets of an object are looked at."""

    day: float
    """Sets older than this at the newest one's epoch are not."""
    most: int
    """With more sets, the older ones are thinned out evenly."""
    recent: int
    """The newest ones, which are never thinned out."""


NEAR = Reach(14.5, 48, 10)
"""For all objects."""
FAR = Reach(45.0, 128, 48)
"""For high orbits: who keeps a slot repeats what was done weeks ago."""

TRUTH_WITHIN_DAY = 0.3
"""Later sets tell where an object is at times this near to their epochs."""


@dataclass(frozen=True, eq=False)
class Asks:
    """n askings. Rows are those of the table of the history, which is ordered by (norad_id, epoch_us)."""

    norad_id: Int[np.ndarray, " n"]
    asked_us: Int[np.ndarray, " n"]
    """UTC microseconds since 1970."""
    past: Int[np.ndarray, "n k"]
    """Rows of the known sets, oldest first, the newest in the last column; `NONE` where there are fewer."""

    @property
    def newest(self) -> Int[np.ndarray, " n"]:
        """Row of the newest known set, or `NONE`."""
        return self.past[:, -1]

    def __len__(self) -> int:
        return len(self.asked_us)

    def take(self, index: np.ndarray | slice) -> Asks:
        """Some of them."""
        return Asks(self.norad_id[index], self.asked_us[index], self.past[index])


def public_us(table: GpTable) -> Int[np.ndarray, " n"]:
    """When each set was public, UTC microseconds since 1970: never before its epoch; at the epoch where unknown."""
    return np.where(table.seen_us == NO_TIME, table.epoch_us, np.maximum(table.seen_us, table.epoch_us))


def asks(table: GpTable, norad_id: Int[np.ndarray, " n"], asked_us: Int[np.ndarray, " n"], reach: Reach = NEAR) -> Asks:
    """What was known of objects at times, from sets whose epoch and publication are not after the asking.

    table: ordered by (norad_id, epoch_us), as `catalog.history` gives it; what it holds of later times has no effect.
    """
    first, last = _rows(table, norad_id)
    past = np.full((len(asked_us), reach.most), NONE, np.int64)
    find_known(table.epoch_us, public_us(table), first, last, asked_us, int(reach.day * DAY_US), reach.recent, past)
    return Asks(norad_id, asked_us, past)


def is_far(table: GpTable, norad_id: Int[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Which objects are in high orbits, to be looked at as `FAR`; table: ordered by norad_id."""
    first, last = _rows(table, norad_id)
    if not len(table):
        return np.zeros(len(norad_id), np.bool_)
    return np.asarray(is_high(table[np.minimum(first, len(table) - 1)]) & (first < last))


def later_sets(
    table: GpTable, asked: Asks, at_us: Int[np.ndarray, "n h"], within_us: int = int(TRUTH_WITHIN_DAY * DAY_US)
) -> Int[np.ndarray, "n h"]:
    """Rows of the sets nearest to instants, with epochs after the asking; `NONE` where none is within `within_us`."""
    first, last = _rows(table, asked.norad_id)
    found = np.full(at_us.shape, NONE, np.int64)
    find_later(table.epoch_us, first, last, asked.asked_us, at_us, within_us, found)
    return found


def _rows(table: GpTable, norad_id: Int[np.ndarray, " n"]) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    return np.searchsorted(table.norad_id, norad_id, "left"), np.searchsorted(table.norad_id, norad_id, "right")
