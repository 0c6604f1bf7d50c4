"""Which gaps of a history true burns fall into, and what they add up to there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.burns import Burns
from orbwatch.catalog.gp import GpTable
from orbwatch.maneuver.kinds import NO_KIND, kind_of


@dataclass(frozen=True, eq=False)
class TrueGaps:
    """Gaps with burns, ascending; the burns in one gap are one event."""

    row: Int[np.ndarray, " k"]
    """Of the set before."""
    epoch_us: Int[np.ndarray, " k"]
    """Middle of the largest burn, UTC microseconds since 1970."""
    dv_rtn_m_s: Float[np.ndarray, "k 3"]
    """Sum of the burns; NaN where the operator does not say, or says zero."""
    kind: np.ndarray
    """By the greatest component, or what the operator calls it ("in_track" when the sign is not said)."""


def true_gaps(table: GpTable, burns: Burns) -> TrueGaps:
    """The gaps of a history (ordered by object and epoch) into which middles of burns fall.

    Burns before an object's first set, after its last, or of objects without sets fall into none.
    """
    row = np.full(len(burns), -1, np.int64)
    middle = burns.middle_us
    for norad_id in np.unique(burns.norad_id):
        mine = np.flatnonzero(burns.norad_id == norad_id)
        first, last = np.searchsorted(table.norad_id, [norad_id, norad_id + 1])
        place = np.searchsorted(table.epoch_us[first:last], middle[mine])
        row[mine] = np.where((place > 0) & (place < last - first), first + place - 1, -1)
    inside = np.flatnonzero(row >= 0)
    rows, event = np.unique(row[inside], return_inverse=True)
    dv = np.zeros((len(rows), 3))
    np.add.at(dv, event, burns.dv_rtn_m_s[inside])
    size = np.nan_to_num(np.linalg.norm(burns.dv_rtn_m_s[inside], axis=1))
    order = np.lexsort((size, event))
    largest = inside[order[np.append(event[order][1:] != event[order][:-1], len(order) > 0)]] if len(order) else inside
    dv[~(np.abs(dv).max(axis=1, initial=0.0) > 0.0)] = np.nan
    kind = kind_of(dv)
    said = burns.axis[largest]
    kind = np.where((kind == NO_KIND) & (said != ""), said, kind)
    return TrueGaps(rows, middle[largest], dv, kind)
