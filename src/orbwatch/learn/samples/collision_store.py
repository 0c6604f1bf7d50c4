"""Predictions with what became of them, and who teaches and who judges: what the collision predictor is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.written import file_hash
from orbwatch.errors import InputError
from orbwatch.learn.samples.collision_asks import Asks, ask, newest_rows
from orbwatch.learn.samples.collision_predictions import Predictions, read_predictions
from orbwatch.learn.samples.collision_splits import PARTS, Splits, default_edges, split_events
from orbwatch.learn.samples.collision_truth import (
    LISTED,
    UNKNOWN,
    Ends,
    dropped_share,
    find_ends,
    targets,
)

LATEST_AGE_DAY = 1.5
"""A prediction made this much earlier than was asked for is no longer the latest one (`judged`)."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """Askings with their answers."""

    asks: Asks
    change_km: Float[np.ndarray, "n 3"]
    """Final minus newest prediction, by channel; NaN where it is not known."""
    unlisted: Bool[np.ndarray, " n"]
    """The event is not listed after the fact, though its day was screened."""
    miss_km: Float[np.ndarray, " n"]
    """Final miss; infinite where it was beyond the list, NaN where it is not known."""

    def take(self, chosen: Any) -> Lesson:
        """Some of them."""
        return Lesson(self.asks.take(chosen), self.change_km[chosen], self.unlisted[chosen], self.miss_km[chosen])


@dataclass(frozen=True, eq=False)
class CollisionStore:
    """A file of predictions, open."""

    folder: Path
    """The file."""
    table: Predictions
    ends: Ends
    splits: Splits
    manifest: dict[str, Any]

    @classmethod
    def open(cls, path: Path, kept_back: float = 0.2) -> CollisionStore:
        """Reads a file of predictions and splits it. Raises InputError where it cannot be used to learn from."""
        table = read_predictions(path)
        ends = find_ends(table)
        if not (ends.state == LISTED).any():
            hint = "Events need a prediction made after their TCA, which is their truth"
            raise InputError("no event whose end is known", file=path, hint=hint)
        edges = default_edges(table)
        settings = {"edges_utc": [str(np.datetime64(edge, "us")) for edge in edges], "kept_back": kept_back}
        manifest = {"kind": "collision", "settings": settings | {"dropped_share": dropped_share(table, ends)}}
        return cls(path, table, ends, split_events(table, edges, kept_back), manifest)

    def __reduce__(self) -> tuple[Any, ...]:
        return CollisionStore.open, (self.folder,)

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 of the file."""
        return file_hash(self.folder)

    @property
    def dropped_share(self) -> float:
        """Share of the events that are not listed after the fact for another reason than distance."""
        return float(self.manifest["settings"]["dropped_share"])

    def part_of(self, row: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
        """The split that rows of the table belong to, an index into PARTS."""
        return np.asarray(self.splits.part[self.table.event[row]], np.int64)

    def lesson(self, row: Int[np.ndarray, " n"]) -> Lesson:
        """Askings that have these rows as their newest predictions."""
        asks = ask(self.table, row)
        return Lesson(asks, *targets(self.table, self.ends, asks))

    def teaching_rows(self, part: str, least_lead_day: float) -> Int[np.ndarray, " n"]:
        """Every prediction of a part's events that is made at least so long before TCA, where the end is known."""
        known = self.ends.state[self.table.event] != UNKNOWN
        chosen = known & (self.table.lead_day >= least_lead_day)
        return np.flatnonzero(chosen & (self.splits.part[self.table.event] == PARTS.index(part)))

    def judged_rows(self, part: str, at_lead_day: float) -> Int[np.ndarray, " n"]:
        """The latest prediction of each event of a part at that lead time, where the end is known and it is no older
        than LATEST_AGE_DAY more."""
        row = newest_rows(self.table, at_lead_day)
        fresh = self.table.lead_day[row] < at_lead_day + LATEST_AGE_DAY
        known = self.ends.state[self.table.event[row]] != UNKNOWN
        return np.asarray(row[fresh & known & (self.part_of(row) == PARTS.index(part))])
