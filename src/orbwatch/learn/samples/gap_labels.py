"""From element sets and burns to gaps with labels, as the maneuver classifier learns from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Int8

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_regimes import catalog_regime
from orbwatch.learn.samples.gap_windows import UNKNOWN, LabelledGaps
from orbwatch.learn.samples.gaps import COLUMNS, NETWORK_COLUMNS, gap_table
from orbwatch.learn.samples.maneuver_names import KINDS

THIN_DAY = 3.0
"""Days from one set to the next where patterns are told: twenty gaps are two months."""
_PLACES = [COLUMNS.index(name) for name in NETWORK_COLUMNS]


@dataclass(frozen=True, eq=False)
class Labels:
    """What is known of objects: burns, and patterns that hold from a time on."""

    norad_id: Int[np.ndarray, " b"]
    at_us: Int[np.ndarray, " b"]
    """Middle of each burn, UTC microseconds since 1970; ordered by object and time."""
    kind: Int8[np.ndarray, " b"]
    """Index into `KINDS`, or `UNKNOWN`."""


def kind_of(dv_rtn_m_s: Float[np.ndarray, "b 3"]) -> Int8[np.ndarray, " b"]:
    """Index into `KINDS` by the largest part of a change of velocity; `UNKNOWN` where it is not known."""
    known = np.isfinite(dv_rtn_m_s).all(axis=1) & (np.abs(dv_rtn_m_s).max(axis=1, initial=0.0) > 0.0)
    axis = np.abs(np.nan_to_num(dv_rtn_m_s)).argmax(axis=1)
    along = np.where(dv_rtn_m_s[:, 1] > 0.0, KINDS.index("in_track_raise"), KINDS.index("in_track_lower"))
    code = np.select([axis == 0, axis == 2], [KINDS.index("radial"), KINDS.index("cross_track")], along)
    return np.where(known, code, UNKNOWN).astype(np.int8)


def thinned(table: GpTable, day: float = THIN_DAY) -> GpTable:
    """The last set of each object in each interval of so many days; an object's own first and last sets stay."""
    bucket = table.epoch_us // round(day * DAY_US)
    ends = np.append((np.diff(bucket) != 0) | (np.diff(table.norad_id) != 0), True)
    return table[ends]


def labelled(
    table: GpTable, burns: Labels, split: Int8[np.ndarray, " s"], lookahead: int | None = None
) -> LabelledGaps:
    """Gaps of a history (ordered by norad_id, epoch_us) with the kinds of the burns that they hold.

    A gap with several burns has the kind of the first. Patterns are `UNKNOWN`. split: of each set.
    """
    gaps = gap_table(table, lookahead)
    row = gaps.row
    kind = np.zeros(len(row), np.int8)
    for norad_id in np.unique(burns.norad_id):
        mine = np.flatnonzero(burns.norad_id == norad_id)[::-1]
        of = np.flatnonzero(table.norad_id[row] == norad_id)
        if not len(of):
            continue
        place = np.searchsorted(table.epoch_us[row[of]], burns.at_us[mine], side="right") - 1
        inside = (place >= 0) & (burns.at_us[mine] < table.epoch_us[row[of[place]] + 1])
        kind[of[place[inside]]] = np.where(burns.kind[mine[inside]] >= 0, burns.kind[mine[inside]] + 1, UNKNOWN)
    norad = np.asarray(table.norad_id[row])
    return LabelledGaps(
        features=gaps.features[:, _PLACES],
        object_id=np.cumsum(np.r_[0, np.diff(norad) != 0]) if len(norad) else norad,
        norad_id=norad,
        start_us=np.asarray(table.epoch_us[row]),
        end_us=np.asarray(table.epoch_us[row + 1]),
        regime=catalog_regime(table)[row],
        kind=kind,
        pattern=np.full(len(row), UNKNOWN, np.int8),
        split=split[row],
    )


def only_between(
    gaps: LabelledGaps, start_us: Int[np.ndarray, " g"] | int, end_us: Int[np.ndarray, " g"] | int
) -> Bool[np.ndarray, " g"]:
    """Gaps inside a span of time: beyond the lists of an operator nothing is known."""
    return np.asarray((gaps.start_us >= start_us) & (gaps.end_us <= end_us))
