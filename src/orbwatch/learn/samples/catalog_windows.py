"""Windows of the catalogue's regime: how the newest set of an object misses its older ones, and its later ones.

All misses are in the coordinates of `propagate.curvilinear` about the orbit of the newest set that was public when
somebody asked: a time along the orbit and two distances across it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int, Shaped

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_apart import APART, apart, is_far_out
from orbwatch.learn.samples.catalog_asks import NEAR, NONE, Asks, later_sets
from orbwatch.learn.samples.catalog_regimes import catalog_regime
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
    elements: Float[np.ndarray, "n k 7"]
    """Mean motion rev/day, eccentricity, inclination deg, B* 1/Earth radii, mean motion's rate / 2 rev/day^2, node deg,
    argument of perigee deg."""
    horizon_day: Float[np.ndarray, "n h"]
    """Days from the asking."""
    rv_teme_km: Float[np.ndarray, "n h 6"]
    """The newest set's own forecast at the horizons, km and km/s; NaN where it has none."""
    truth_shift: Float[np.ndarray, "n h 3"] | None = None
    """Where the object turned out to be, from the newest set carried on to the horizon; NaN where not known."""
    apart: Float32[np.ndarray, "n k 9"] | None = None
    """Each known set from the newest one, at its own epoch: `catalog_apart.APART`; NaN but in medium and geostationary
    orbits. None: in no such orbit."""

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

    def near(self) -> CatalogWindows:
        """The same with only that part of the past that all objects are looked at with."""
        if self.age_day.shape[1] <= NEAR.most:
            return self
        age, shift, elements = (each[:, -NEAR.most :].copy() for each in (self.age_day, self.shift, self.elements))
        old = ~(age <= NEAR.day)
        age[old], shift[old], elements[old] = np.nan, np.nan, np.nan
        return replace(self, age_day=age, shift=shift, elements=elements, apart=None)

    def take(self, index: np.ndarray | slice) -> CatalogWindows:
        """Some of the windows."""
        picked = {f.name: getattr(self, f.name)[index] for f in fields(self) if getattr(self, f.name) is not None}
        return replace(self, **picked)

    @classmethod
    def concat(cls, parts: Sequence[CatalogWindows]) -> CatalogWindows:
        """All windows of several sets with the same horizons, in order; truth where all of them have it."""
        joined: dict[str, Any] = {}
        most = max(part.age_day.shape[1] for part in parts)
        for each in fields(cls):
            values = [getattr(part, each.name) for part in parts]
            if each.name == "newest":
                joined[each.name] = GpTable.concat(values)
            else:
                if each.name == "apart" and any(value is not None for value in values):
                    values = [_unknown(part) if v is None else v for part, v in zip(parts, values, strict=True)]
                if each.name in _PAST and values[0] is not None:
                    values = [_longer(value, most) for value in values]
                joined[each.name] = None if any(v is None for v in values) else np.concatenate(values)
        return cls(**joined)


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
    back_us = table.epoch_us[rows]
    carried, own = _states(catalog, newest[who], back_us), _states(catalog, rows, back_us)
    shift[who, column] = shift_of(carried, own[:, :3])
    differences = None
    far = is_far_out(catalog_regime(table[newest]))[who]
    if far.any():
        differences = np.full((n, k, len(APART)), np.nan, np.float32)
        late_s = shift[who[far], column[far], 0]
        differences[who[far], column[far]] = apart(own[far], carried[far], late_s, back_us[far])
    age_day = np.where(there, (table.epoch_us[newest][:, None] - epoch_us) / DAY_US, np.nan)
    elements = np.stack([getattr(table, name)[asked.past] for name in ELEMENTS], axis=2)
    elements[~there] = np.nan
    at_us = asked.asked_us[:, None] + np.rint(horizon_day * DAY_US).astype(np.int64)
    rv = _states(catalog, np.repeat(newest, at_us.shape[1]), at_us.ravel()).reshape(*at_us.shape, 6)
    found = None
    if truth:
        later = later_sets(table, asked, at_us)
        found = np.full((*at_us.shape, 3), np.nan)
        who, column = np.nonzero(later != NONE)
        point = _states(catalog, later[who, column], at_us[who, column])[:, :3]
        found[who, column] = shift_of(rv[who, column], point)
    every = np.broadcast_to(horizon_day, (n, len(horizon_day)))
    return CatalogWindows(table[newest], asked.asked_us, age_day, shift, elements, every, rv, found, differences)


_PAST = ("age_day", "shift", "elements", "apart")


def _unknown(part: CatalogWindows) -> Float32[np.ndarray, "n k 9"]:
    return np.full((*part.age_day.shape, len(APART)), np.nan, np.float32)


def _longer(past: Shaped[np.ndarray, "n k *c"], most: int) -> Shaped[np.ndarray, "n most *c"]:
    """With empty columns before the oldest set."""
    return np.pad(past, [(0, 0), (most - past.shape[1], 0)] + [(0, 0)] * (past.ndim - 2), constant_values=np.nan)


ELEMENTS = (
    "mean_motion_rev_day", "eccentricity", "inclination_deg", "bstar_per_er", "mean_motion_dot_rev_day2", "raan_deg",
    "arg_perigee_deg",
)  # fmt: skip


def _states(catalog: Sgp4Catalog, row: Int[np.ndarray, " m"], at_us: Int[np.ndarray, " m"]) -> Float[np.ndarray, "m 6"]:
    """States of sets at instants, km and km/s, TEME; NaN where they have none."""
    if not len(at_us):
        return np.empty((0, 6))
    start_us = int(at_us.min())
    r, v, _ = catalog.at(row, start_us, (at_us - start_us) / 1e6)
    return np.concatenate([r, v], axis=1)
