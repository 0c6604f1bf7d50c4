"""What the weather in space did to all objects alike, taken out of what the trees are taught.

The upper atmosphere swells and shrinks for all low orbits together, and the newest sets already hold the best forecast
of it that their makers had. What was left over in a given week shows in every object's residual of that week: a model
that is shown it learns to tell the weeks of its training apart, which is of no use later. So the day's median over
objects, in units of each object's own drag, is subtracted from the targets of training, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32, Int

from orbwatch.constants import DAY_US

BANDS_KM = (420.0, 480.0, 530.0, 600.0, 700.0, 800.0, 1000.0)
"""Perigee altitudes up to which objects are taken together; higher ones are left alone."""
CALM = 3.0
"""Whole effect of drag over the expected error: above this an object tells of the density."""
TOUCHED = 1.0
"""Above this an object's target is corrected; below, its own unrest hides the density."""
LEAST = 20
"""Days and bands with fewer askings are not corrected."""
MOST = 1.0
"""Days with a larger median are days with bad sets."""


class Dragged(NamedTuple):
    """Askings as far as drag concerns them."""

    perigee_km: Float[np.ndarray, " n"]
    asked_us: Int[np.ndarray, " n"]
    drag_s: Float[np.ndarray, "n h"]
    """Whole effect of drag on the time along the orbit."""
    expected_s: Float[np.ndarray, "n h"]
    """Expected error of it, from the object's own past."""


@dataclass(frozen=True, eq=False)
class CommonMode:
    """Median residual along the orbit over the whole effect of drag, by band, day of asking and horizon."""

    first_day: int
    """Days since 1970."""
    ratio: Float32[np.ndarray, "bands days h"]

    @classmethod
    def fit(cls, seen: Iterable[tuple[Dragged, Float[np.ndarray, "n h"]]]) -> CommonMode:
        """From askings and their true times along the orbit, s (NaN: not known): training objects' alone."""
        cells, ratios, calms = [], [], []
        for dragged, late_s in seen:
            cells.append(np.stack([_band(dragged), dragged.asked_us // DAY_US], axis=1))
            ratios.append((late_s / np.maximum(dragged.drag_s, 1e-9)).astype(np.float32))
            calms.append(dragged.drag_s > CALM * dragged.expected_s)
        (band, day), ratio, calm = np.concatenate(cells).T, np.concatenate(ratios), np.concatenate(calms)
        first, days = int(day.min()), int(np.ptp(day)) + 1
        low = band < len(BANDS_KM)
        cell = np.where(low, band, 0) * days + (day - first)
        columns = [_medians(ratio[:, h], cell, calm[:, h] & low, len(BANDS_KM) * days) for h in range(ratio.shape[1])]
        medians = np.stack(columns, axis=1).reshape(len(BANDS_KM), days, -1)
        return cls(first, np.where(np.abs(medians) > MOST, 0.0, medians).astype(np.float32))

    def late_s(self, dragged: Dragged) -> Float[np.ndarray, "n h"]:
        """What these askings have in common with the others of their day and band, s; 0 where unknown."""
        band, day = _band(dragged), dragged.asked_us // DAY_US - self.first_day
        known = (day >= 0) & (day < self.ratio.shape[1]) & (band < len(BANDS_KM))
        ratio = self.ratio[np.where(known, band, 0), np.where(known, day, 0)]
        touched = known[:, None] & (dragged.drag_s > TOUCHED * dragged.expected_s)
        return np.asarray(np.where(touched, ratio * dragged.drag_s, 0.0), np.float64)


def _band(dragged: Dragged) -> Int[np.ndarray, " n"]:
    return np.searchsorted(BANDS_KM, dragged.perigee_km).astype(np.int64)


def _medians(
    value: Float[np.ndarray, " n"], cell: Int[np.ndarray, " n"], use: np.ndarray, cells: int
) -> Float[np.ndarray, " cells"]:
    """Median of the used, finite values of each cell; 0 for cells with fewer than `LEAST`."""
    use = use & np.isfinite(value)
    order = np.lexsort([value[use], cell[use]])
    ordered, count = value[use][order], np.bincount(cell[use], minlength=cells)
    first = np.cumsum(count) - count
    out = np.zeros(cells)
    full = np.flatnonzero(count >= LEAST)
    low, high = first[full] + (count[full] - 1) // 2, first[full] + count[full] // 2
    out[full] = (ordered[low] + ordered[high]) / 2.0
    return out
