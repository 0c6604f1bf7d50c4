"""Windows of the catalogue's regime: how the newest set of an object misses its older ones, and its later ones.

All misses are in the coordinates of `propagate.curvilinear` about the orbit of the newest set that was public when
somebody asked: a time along the orbit and two distances across it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_asks import NONE, Asks, later_sets
from orbwatch.propagate.curvilinear import shift_of
from orbwatch.propagate.sgp4 import Sgp4Catalog

NODES_DAY = np.arange(1, 31) * 0.25
"""Horizons from the time of asking: 6 h .. 7.5 d."""


@dataclass(frozen=True, eq=False)
class CatalogWindows:
    """n askings seen from the newest set, all arrays over them; k columns of the past end with the newest set itself.

    Shifts are (time along the orbit s, distance outwards in the plane km, distance along r x v km), NaN where there is
    no set, or none that can be propagated.
    """

    newest: GpTable
    """The newest public set of each (n rows)."""
    asked_us: Int[np.ndarray, " n"]
    age_day: Float[np.ndarray, "n k"]
    """Days from each known set's epoch to the newest one's; NaN where there are fewer."""
    shift: Float[np.ndarray, "n k 3"]
    """Position of each known set at its own epoch, from the newest set carried back to it."""
    elements: Float[np.ndarray, "n k 5"]
    """Mean motion rev/day, eccentricity, inclination deg, B* 1/Earth radii, mean motion's rate / 2 rev/day^2."""
    horizon_day: Float[np.ndarray, "n h"]
    """Days from the asking."""
    truth_shift: Float[np.ndarray, "n h 3"] | None = None
    """Where the object turned out to be, from the newest set carried on to the horizon; NaN where not known."""

    def __len__(self) -> int:
        return len(self.asked_us)

    @property
    def lag_day(self) -> Float[np.ndarray, " n"]:
        """Days from the newest set's epoch to the asking."""
        return np.asarray((self.asked_us - self.newest.epoch_us) / DAY_US)

    @property
    def ahead_day(self) -> Float[np.ndarray, "n h"]:
        """Days from the newest set's epoch to the horizons."""
        return np.asarray(self.horizon_day + self.lag_day[:, None])

    def take(self, index: np.ndarray | slice) -> CatalogWindows:
        """Some of the windows."""
        picked = {f.name: getattr(self, f.name)[index] for f in fields(self) if getattr(self, f.name) is not None}
        return replace(self, **picked)


def windows_of(
    table: GpTable, catalog: Sgp4Catalog, asked: Asks, horizon_day: Float[np.ndarray, " h"], truth: bool
) -> CatalogWindows:
    """Windows of askings that each have a known set; with `truth`, what the later sets nearest to the horizons say.

    table: the history, ordered by (norad_id, epoch_us); catalog: the same rows made ready.
    """
    n, k = asked.past.shape
    newest = asked.newest
    there = asked.past != NONE
    epoch_us = np.where(there, table.epoch_us[asked.past], 0)
    shift = np.full((n, k, 3), np.nan)
    who, column = np.nonzero(there)
    rows = asked.past[who, column]
    shift[who, column] = _shift(catalog, newest[who], rows, table.epoch_us[rows])
    age_day = np.where(there, (table.epoch_us[newest][:, None] - epoch_us) / DAY_US, np.nan)
    elements = np.stack([getattr(table, name)[asked.past] for name in ELEMENTS], axis=2)
    elements[~there] = np.nan
    found = None
    if truth:
        at_us = asked.asked_us[:, None] + np.rint(horizon_day * DAY_US).astype(np.int64)
        later = later_sets(table, asked, at_us)
        found = np.full((*at_us.shape, 3), np.nan)
        who, column = np.nonzero(later != NONE)
        found[who, column] = _shift(catalog, newest[who], later[who, column], at_us[who, column])
    every = np.broadcast_to(horizon_day, (n, len(horizon_day)))
    return CatalogWindows(table[newest], asked.asked_us, age_day, shift, elements, every, found)


ELEMENTS = (
    "mean_motion_rev_day", "eccentricity", "inclination_deg", "bstar_per_er", "mean_motion_dot_rev_day2"
)  # fmt: skip


def _shift(
    catalog: Sgp4Catalog, reference: Int[np.ndarray, " m"], other: Int[np.ndarray, " m"], at_us: Int[np.ndarray, " m"]
) -> Float[np.ndarray, "m 3"]:
    """Where set `other` says the object is at instants, from where set `reference` says it is."""
    if not len(at_us):
        return np.empty((0, 3))
    start_us = int(at_us.min())
    offset_s = (at_us - start_us) / 1e6
    r, v, _ = catalog.at(reference, start_us, offset_s)
    point, _, _ = catalog.at(other, start_us, offset_s)
    return shift_of(np.concatenate([r, v], axis=1), point)
