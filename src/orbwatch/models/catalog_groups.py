"""Groups of alike askings: what is fitted for a group holds in it (Mondrian), whoever else is asked about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES, catalog_regime
from orbwatch.learn.samples.catalog_scale import quiet_scale_s, time_scale_s
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.learn.samples.crowds import crowded_shells, shells

BEHAVIOUR = ("calm", "uneven", "restless", "without a past", "not seen for days")
"""How an object's newest set has fitted the ones before it."""
COMPANY = ("alone", "constellation", "light")
"""Whether many objects share its inclination and mean motion; or, between 600 and 1200 km, whether air moves it as only
debris and upper stages are moved: there it is the density of the air, and no burn, that SGP4 misses. That takes
several sets of its last days that bear B* out; without them, and where they speak against it, nobody is light."""
LIGHT_BSTAR = 3e-4
"""Median B* of the known sets, 1 / Earth radii, from which on an object is light."""
_AIRY = CATALOG_REGIMES.index("LEO 600-1200 km")
"""Lower down B* says little, as payloads with large panels are as light; higher up next to nothing."""
UNEVEN, RESTLESS = 2.0, 10.0
"""Time shifts this many times the noise and drag that a day brings."""
FEW_SETS = 3
OLD_DAY = 3.0
"""Newest sets older than this when asked stand in a group of their own."""
GROUPS = tuple(f"{regime}, {company}, {how}" for regime in CATALOG_REGIMES for company in COMPANY for how in BEHAVIOUR)
LEAST_OBJECTS = 40
"""Groups with fewer objects are joined to one that is like them."""


def behaviour_of(group: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Index into `BEHAVIOUR` of groups."""
    return group % len(BEHAVIOUR)


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which group an asking belongs to."""

    crowded: Int[np.ndarray, "c 2"]
    """Shells of the constellations (`learn.samples.crowds`)."""
    stands_for: Int[np.ndarray, " g"]
    """Each of `GROUPS`, or the one that it was joined to."""

    @classmethod
    def fit(cls, table: GpTable, windows: CatalogWindows) -> Grouping:
        """Crowds of a catalogue (one row an object), and small groups of some windows joined to others."""
        alone = cls(crowded_shells(table), np.arange(len(GROUPS)))
        group = alone.of(windows)
        pairs = np.unique(np.stack([group, windows.newest.norad_id], axis=1), axis=0)
        objects = np.bincount(pairs[:, 0], minlength=len(GROUPS))
        return cls(alone.crowded, _joined(objects))

    def of(self, windows: CatalogWindows) -> Int[np.ndarray, " n"]:
        """Index into `GROUPS` of each window, from what was known when it was asked."""
        return np.asarray(self.stands_for[self._own(windows)])

    def shut(self, windows: CatalogWindows) -> Bool[np.ndarray, " n"]:
        """Which windows have hardly a past, and no group fitted on such: nothing is better founded there than SGP4."""
        own = self._own(windows)
        alone = behaviour_of(own) == BEHAVIOUR.index("without a past")
        return np.asarray(alone & (self.stands_for[own] != own))

    def _own(self, windows: CatalogWindows) -> Int[np.ndarray, " n"]:
        near = windows.near()
        day = near.lag_day[:, None] + 1.0
        ratio = (time_scale_s(near, day) / quiet_scale_s(near, day))[:, 0]
        count = np.isfinite(near.age_day).sum(axis=1)
        conditions = [near.lag_day > OLD_DAY, count < FEW_SETS, ratio > RESTLESS, ratio > UNEVEN]
        how = np.select(conditions, [4, 3, 2, 1], 0)
        regime = catalog_regime(near.newest).astype(np.int64)
        borne_out = (ratio <= RESTLESS) & ((near.age_day <= OLD_DAY).sum(axis=1) >= FEW_SETS)
        company = self._company(near, (regime == _AIRY) & borne_out)
        return np.asarray((regime * len(COMPANY) + company) * len(BEHAVIOUR) + how)

    def _company(self, near: CatalogWindows, airy: Bool[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
        known = {tuple(cell) for cell in self.crowded.tolist()}
        crowded = np.array([tuple(cell) in known for cell in shells(near.newest).tolist()], np.bool_)
        bstar = near.elements[..., 3].copy()
        # The newest set's own, whatever else is known.
        bstar[:, -1] = near.newest.bstar_per_er
        light = airy & (np.nanmedian(bstar, axis=1) > LIGHT_BSTAR)
        return np.select([light, crowded], [2, 1], 0)


def _joined(objects: Int[np.ndarray, " g"]) -> Int[np.ndarray, " g"]:
    """Groups with too few objects stand for the most alike of their regime, the wilder one of two."""
    per = len(COMPANY) * len(BEHAVIOUR)
    out = np.arange(len(objects))
    for group in np.flatnonzero(objects < LEAST_OBJECTS).tolist():
        first = group // per * per
        others = [each for each in range(first, first + per) if objects[each] >= LEAST_OBJECTS]
        if not others:
            others = [first + int(objects[first : first + per].argmax())]
        how, company = group % len(BEHAVIOUR), group // len(BEHAVIOUR)
        out[group] = min(
            others,
            key=lambda each: (
                abs(each % len(BEHAVIOUR) - how) + 0.5 * (each // len(BEHAVIOUR) != company), -(each % len(BEHAVIOUR)),
            ),
        )  # fmt: skip
    return out
