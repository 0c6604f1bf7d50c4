"""Rows that teach a detector: gaps of satellites whose operators tell their burns, and of simulated histories."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from orbwatch.catalog.burns import Burns
from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_regimes import is_high
from orbwatch.learn.samples.gaps import GapTable, gap_table
from orbwatch.learn.samples.maneuver_store import Lived
from orbwatch.simulate.behaviour import GAP_KINDS

_BEFORE_US = 5 * DAY_US
_OBJECTS_AT_ONCE = 300
_COLUMNS = ("x", "burn", "owner", "high", "weight")
_STEADY = GAP_KINDS.index("non_impulsive")


@dataclass(frozen=True, eq=False)
class GapRows:
    """Gaps of which it is known whether they hold a burn."""

    x: Float32[np.ndarray, "m columns"]
    burn: Bool[np.ndarray, " m"]
    owner: Int[np.ndarray, " m"]
    """Catalogue number; of simulated histories that of the quiet object beneath."""
    high: Bool[np.ndarray, " m"]
    """Of MEO, GEO and HEO."""
    weight: Float[np.ndarray, " m"]

    def take(self, index: np.ndarray) -> GapRows:
        """Some of them."""
        return GapRows(*(getattr(self, name)[index] for name in _COLUMNS))


@dataclass(frozen=True, eq=False)
class Satellite:
    """A satellite whose operator tells its burns."""

    table: GpTable
    burns: Burns
    gaps: GapTable

    @property
    def middle_us(self) -> Int[np.ndarray, " g"]:
        """Of its gaps, UTC microseconds since 1970."""
        start = self.table.epoch_us[self.gaps.row]
        return np.asarray(start + (self.table.epoch_us[self.gaps.row + 1] - start) // 2)

    def rows(self) -> GapRows:
        """The gaps in the time of which the operator tells."""
        start, end = self.table.epoch_us[self.gaps.row], self.table.epoch_us[self.gaps.row + 1]
        when = self.burns.middle_us
        burn = np.zeros(len(start), bool)
        place = np.searchsorted(start, when, side="right") - 1
        inside = (place >= 0) & (when < end[np.maximum(place, 0)])
        burn[place[inside]] = True
        told = (start >= when.min() - _BEFORE_US) & (end <= when.max() + _BEFORE_US)
        owner = self.table.norad_id[self.gaps.row]
        every = GapRows(self.gaps.features, burn, owner, is_high(self.table)[self.gaps.row], np.ones(len(burn)))
        return every.take(np.flatnonzero(told))


def satellites(table: GpTable, burns: Burns, lookahead: int | None) -> list[Satellite]:
    """Those of a history whose burns are known."""
    found = []
    for norad_id in np.intersect1d(table.norad_id, burns.norad_id):
        own = table[table.norad_id == norad_id]
        found.append(Satellite(own, burns[burns.norad_id == norad_id], gap_table(own, lookahead)))
    return found


def simulated_rows(lived: Lived, lookahead: int | None, quiet_share: float = 1.0, seed: int = 0) -> GapRows:
    """Gaps of simulated histories; those with low thrust or a change of drag are left out: they have no moment.

    Of the gaps in which nothing happens only a share is drawn, each weighing as much more.
    """
    ids, first = np.unique(lived.table.norad_id, return_index=True)
    ends = np.append(first[1:], len(lived.table))
    base = lived.objects["base_norad_id"][np.searchsorted(lived.objects["norad_id"], lived.table.norad_id)]
    rng = np.random.default_rng(seed)
    parts = []
    for at in range(0, len(ids), _OBJECTS_AT_ONCE):
        low, high = int(first[at]), int(ends[min(at + _OBJECTS_AT_ONCE, len(ids)) - 1])
        table = lived.table[low:high]
        gaps = gap_table(table, lookahead)
        kind = lived.kind[gaps.row + low]
        burn = kind > 0
        weight = np.where(burn, 1.0, 1.0 / quiet_share)
        every = GapRows(gaps.features, burn, base[gaps.row + low], is_high(table)[gaps.row], weight)
        parts.append(every.take(np.flatnonzero((kind != _STEADY) & (burn | (rng.random(len(burn)) < quiet_share)))))
    return join_rows(parts)


def quiet_rows(table: GpTable, lookahead: int | None, share: float = 1.0, seed: int = 0) -> GapRows:
    """A share of the gaps of objects that cannot maneuver."""
    rng = np.random.default_rng(seed)
    parts = []
    edges = np.flatnonzero(np.append(True, table.norad_id[1:] != table.norad_id[:-1]))[::_OBJECTS_AT_ONCE]
    for low, high in zip(edges.tolist(), [*edges[1:].tolist(), len(table)], strict=True):
        some = table[low:high]
        gaps = gap_table(some, lookahead)
        row = gaps.row
        nothing = np.zeros(len(row), bool)
        every = GapRows(gaps.features, nothing, some.norad_id[row], is_high(some)[row], np.ones(len(row)))
        parts.append(every.take(np.flatnonzero(rng.random(len(row)) < share)))
    return join_rows(parts)


def weighing(rows: GapRows, total: float) -> GapRows:
    """The same, with weights that add up to this."""
    return replace(rows, weight=rows.weight * (total / rows.weight.sum())) if len(rows.burn) else rows


def join_rows(parts: list[GapRows]) -> GapRows:
    """Several, in order."""
    return GapRows(*(np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS))
