"""How much an object's sets scatter when nothing happens, and so the smallest burn that would be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.maneuver.around import SIDE, Around, around
from orbwatch.maneuver.lines import Bend, Step, bend, step

CLOSE_SETS = 4
"""Gaps so near to an event do not count as quiet."""
_ENOUGH = 16
_WIDEST_STRIDE = 10
"""Every tenth gap of a long history is looked at: neighbours share their sets, and cost time."""
NEAREST = 20
"""Quiet gaps that say how an object's sets scatter at a time."""
_LEAST = 5
_AT_ONCE = 4096
LONG_TAILS = 1.3
"""What the 90th percentile of quiet gaps says of the standard deviation, over what their median says (typically)."""
FALSE_ALARM, SEEN = 1e-3, 0.9
"""What `minimum_detectable_m_s` stands for: the false alarms of each axis and gap, and the share that is seen."""
# With a scatter of 1: half of |x| of a normal number below 0.674 and 90 % below 1.645; of a plane vector's length 1.177
# and 2.146. The false alarms above 3.291 and 3.717; another 1.282 up, 90 % are seen.
_LINE, _PLANE = (0.6745, 1.6449, 3.2905 + 1.2816), (1.1774, 2.1460, 3.7169 + 1.2816)


class Changes(NamedTuple):
    """What changes at a split of the sets into before and after."""

    timing: Bend
    ecc: Step
    plane: Step

    def parts(self) -> tuple[Bend | Step, Step, Step]:
        return self.timing, self.ecc, self.plane


def changes(sets: Around, split: int = 0) -> Changes:
    """Changes where the sets up to column offset `split` (0: the last before the gap) are before it."""
    offset = np.arange(1 - SIDE, SIDE + 1)
    before, after = sets.there & (offset <= split), sets.there & (offset > split)
    return Changes(
        bend(sets.day, sets.timing_m_s_day, sets.rate_m_s, before, after),
        step(sets.day, sets.ecc_m_s, before, after),
        step(sets.day, sets.plane_m_s, before, after),
    )


@dataclass(frozen=True, eq=False)
class Scatter:
    """Of each gap, from the quiet gaps of its object nearest in time; NaN where there are fewer than five."""

    timing: Float[np.ndarray, " g"]
    """Standard deviation of the slope's change for a unit of `Bend.unit`, m/s day."""
    ecc: Float[np.ndarray, " g"]
    """Of each component of the step of the eccentricity vector, for a unit of `Step.unit`, m/s."""
    plane: Float[np.ndarray, " g"]
    fit: Float[np.ndarray, "g 3"]
    """Standard deviation of sets about the fits: timing, eccentricity vector, plane."""
    calm: Float[np.ndarray, " g"]
    """Of the timing, in the calmest fifth of all the object's gaps: a floor that long thrust does not lift."""


@dataclass(frozen=True, eq=False)
class QuietGaps:
    """Normalised changes at gaps where nothing is known to happen."""

    row: Int[np.ndarray, " q"]
    norad_id: Int[np.ndarray, " q"]
    size: Float[np.ndarray, "q 3"]
    """Length of the change in timing, eccentricity vector and plane over its unit."""
    squares: Float[np.ndarray, "q 3"]
    """Mean square of what the fits leave."""
    unit: Float[np.ndarray, "q 3"]


def quiet_gaps(table: GpTable, ids: Int[np.ndarray, " k"], events: Int[np.ndarray, " d"]) -> QuietGaps:
    """Gaps of some objects (ascending), evenly over their histories, away from the gaps after rows `events`."""
    first, last = np.searchsorted(table.norad_id, ids), np.searchsorted(table.norad_id, ids, side="right")
    stride = np.clip((last - first) // _ENOUGH, 1, _WIDEST_STRIDE)
    candidates = [
        np.arange(a + 1, b - 2, s) for a, b, s in zip(first.tolist(), last.tolist(), stride.tolist(), strict=True)
    ]
    row = np.concatenate([np.zeros(0, np.int64), *candidates])
    busy = np.zeros(len(table) + 1, np.int64)
    np.add.at(busy, np.clip(events - CLOSE_SETS, 0, len(table)), 1)
    np.add.at(busy, np.clip(events + CLOSE_SETS + 1, 0, len(table)), -1)
    row = row[np.cumsum(busy)[row] == 0]
    # In parts that stay in the processor's cache.
    parts = [_normalised(table, row[i : i + _AT_ONCE]) for i in range(0, max(len(row), 1), _AT_ONCE)]
    size, squares, unit = (np.concatenate(column) for column in zip(*parts, strict=True))
    return QuietGaps(row, table.norad_id[row], size, squares, unit)


def _normalised(
    table: GpTable, row: Int[np.ndarray, " q"]
) -> tuple[Float[np.ndarray, "q 3"], Float[np.ndarray, "q 3"], Float[np.ndarray, "q 3"]]:
    """Lengths of changes over their units, mean squares left over, and the units."""
    found = changes(around(table, row))
    unit = np.stack([each.unit for each in found], axis=1)
    size = np.stack([np.abs(found.timing.slope), *(np.linalg.norm(s.level, axis=1) for s in found[1:])], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = np.stack([each.squares / np.where(each.free > 0, each.free, np.nan) for each in found], axis=1)
        size = size / np.where(unit > 0, unit, np.nan)
    return size, squares, unit


def scatter_at(table: GpTable, row: Int[np.ndarray, " g"], quiet: QuietGaps) -> Scatter:
    """How the sets of each gap's object scatter about that time."""
    first = np.searchsorted(quiet.norad_id, table.norad_id[row])
    last = np.searchsorted(quiet.norad_id, table.norad_id[row], side="right")
    start = np.searchsorted(quiet.row, row) - NEAREST // 2
    start = np.maximum(np.minimum(start, last - NEAREST), first)
    index = start[:, None] + np.arange(NEAREST)
    there = index < last[:, None]
    index = np.clip(index, 0, max(len(quiet.row) - 1, 0))
    if not len(quiet.row):
        nothing = np.full(len(row), np.nan)
        return Scatter(nothing, nothing, nothing, np.full((len(row), 3), np.nan), nothing)
    sizes = [
        _scale(np.where(there, quiet.size[index, part], np.nan), _LINE if part == 0 else _PLANE) for part in range(3)
    ]
    fit = [np.sqrt(_quantile(np.where(there, quiet.squares[index, part], np.nan), 0.5)) for part in range(3)]
    ordered = quiet.squares[np.lexsort((quiet.squares[:, 0], quiet.norad_id)), 0]
    calm = np.sqrt(ordered[np.minimum(first + (last - first) // 5, len(ordered) - 1)])
    return Scatter(sizes[0], sizes[1], sizes[2], np.stack(fit, axis=1), np.where(last - first >= _LEAST, calm, np.nan))


def detectable_m_s(found: Changes, scatter: Scatter) -> Float[np.ndarray, "g 3"]:
    """The burn along R, T, N that would be seen in each gap, given its sets and the object's scatter at that time."""
    timing, ecc, plane = found
    return np.stack(
        [
            ecc.unit * scatter.ecc * _PLANE[2],
            timing.unit * scatter.timing * _LINE[2],
            plane.unit * scatter.plane * _PLANE[2],
        ],
        axis=1,
    )


def minimum_detectable_m_s(table: GpTable) -> tuple[Int[np.ndarray, " k"], Float[np.ndarray, "k 3"]]:
    """The objects of a history and the burn along R, T, N (m/s) that would be seen with 90 % in each.

    A single burn between sets as they usually come, against the object's own scatter, with one false alarm in a
    thousand gaps along each axis. From medians over gaps, which an object's own maneuvers hardly move, times the factor
    by which scatter is longer-tailed than normal. NaN for objects with too few sets. Burns along the track are seen by
    the timing, across it by the plane, radial ones by the eccentricity vector, which is told the least well.
    """
    ids = np.unique(table.norad_id)
    quiet = quiet_gaps(table, ids, np.zeros(0, np.int64))
    first, last = np.searchsorted(quiet.norad_id, ids), np.searchsorted(quiet.norad_id, ids, side="right")
    out = np.full((len(ids), 3), np.nan)
    size = quiet.size * quiet.unit
    for i, (a, b) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        for axis, (part, limits) in enumerate(((1, _PLANE), (0, _LINE), (2, _PLANE))):
            out[i, axis] = _quantile(size[None, a:b, part], 0.5)[0] / limits[0] * limits[2] * LONG_TAILS
    return ids, out


def _scale(size: Float[np.ndarray, "g m"], limits: tuple[float, float, float]) -> Float[np.ndarray, " g"]:
    """Standard deviation from lengths: the greater of what their median and their 90th percentile say."""
    return np.maximum(_quantile(size, 0.5) / limits[0], _quantile(size, 0.9) / limits[1])


def _quantile(values: Float[np.ndarray, "g m"], share: float) -> Float[np.ndarray, " g"]:
    """Of the finite values in each row; NaN where there are fewer than `_LEAST`."""
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    ordered = np.sort(np.where(np.isfinite(values), values, np.nan), axis=1)
    n = np.isfinite(ordered).sum(axis=1)
    place = np.round(share * np.maximum(n - 1, 0)).astype(np.int64)
    found = np.take_along_axis(ordered, place[:, None], axis=1)[:, 0]
    return np.where(n >= _LEAST, found, np.nan)
