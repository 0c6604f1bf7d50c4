"""Askings: an object and a time, what was known of it then, and what became known later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from orbwatch.catalog.gp import NO_TIME, GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_asks_kernel import NONE, find_known, find_later

__all__ = ["NONE", "PAST", "SPAN_DAY", "TRUTH_WITHIN_DAY", "Asks", "asks", "later_sets", "public_us"]

SPAN_DAY = 14.5
"""Sets older than this at the newest one's epoch are not looked at."""
PAST = 48
"""Most sets of an object that are looked at: with more, the older ones are thinned out evenly."""
RECENT = 10
"""The newest ones that are never thinned out."""

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


def asks(table: GpTable, norad_id: Int[np.ndarray, " n"], asked_us: Int[np.ndarray, " n"]) -> Asks:
    """What was known of objects at times, from sets whose epoch and publication are not after the asking.

    table: ordered by (norad_id, epoch_us), as `catalog.history` gives it; what it holds of later times has no effect.
    """
    first, last = _rows(table, norad_id)
    past = np.full((len(asked_us), PAST), NONE, np.int64)
    find_known(table.epoch_us, public_us(table), first, last, asked_us, int(SPAN_DAY * DAY_US), RECENT, past)
    return Asks(norad_id, asked_us, past)


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
