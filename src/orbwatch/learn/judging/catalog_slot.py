"""Station-kept satellites: whatever the newest set says of the drift, the object stays about its longitude."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from orbwatch.constants import DAY_S, DAY_US, TWO_PI
from orbwatch.learn.judging.catalog_run_back import carried, past_us
from orbwatch.learn.samples.catalog_apart import half_turn, mean_longitude_rad
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES, catalog_regime
from orbwatch.learn.samples.catalog_windows import CatalogWindows

SLOT_DEG = 0.3
"""Objects that stayed within this about the median of their longitudes keep a slot."""
LEAST_DAY, LEAST_SETS = 10.0, 8


def kept_s(windows: CatalogWindows) -> Float[np.ndarray, "n h"]:
    """Time along the orbit from the newest set towards the object's slot, s; zero for all but station-kept satellites.

    The slot is the median longitude of the known sets (up to 45 days), as SGP4 does not know of the maneuvers that end
    every drift: mean motion returns to that of the Earth's rotation. Both are believed by their variances: the slot's,
    from how the sets spread about it, and SGP4's, from by how much a day the newest set, run back, misses older ones.
    """
    out = np.zeros(windows.horizon_day.shape)
    mine = np.flatnonzero(catalog_regime(windows.newest) == CATALOG_REGIMES.index("GEO"))
    if len(mine):
        part = windows.take(mine)
        slot, spread, kept = _slot(part)
        rate = (part.newest.mean_motion_rev_day * TWO_PI / DAY_S)[:, None]
        at_us = part.asked_us[:, None] + np.rint(part.horizon_day * DAY_US).astype(np.int64)
        off = slot[:, None] - mean_longitude_rad(part.rv_teme_km, at_us)
        late = np.where(np.isfinite(off), half_turn(off), 0.0) / rate
        missed = _missed_s_day(part)[:, None] * part.ahead_day
        share = missed**2 / (missed**2 + (spread[:, None] / rate) ** 2 + 1e-12)
        out[mine] = np.where(kept[:, None], share * late, 0.0)
    return out


def _missed_s_day(windows: CatalogWindows) -> Float[np.ndarray, " n"]:
    """By how much a day of age the newest set misses the older ones along the orbit; 0 where none is a day old."""
    old = np.isfinite(windows.shift[..., 0]) & (windows.age_day > 1.0)
    rate = np.where(old, np.abs(windows.shift[..., 0]) / np.where(old, windows.age_day, 1.0), np.nan)
    rate[~old.any(axis=1)] = 0.0
    return np.asarray(np.nanmedian(rate, axis=1))


def _slot(windows: CatalogWindows) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Median longitude of the known sets, how they spread about it (one sigma), and whether the object keeps it."""
    there = np.isfinite(windows.shift[..., 0])
    at_us = past_us(windows)
    rate = (windows.newest.mean_motion_rev_day * TWO_PI / DAY_S)[:, None]
    back = mean_longitude_rad(carried(windows.newest, at_us, there), at_us)
    longitude = back + windows.shift[..., 0] * rate
    own = longitude[:, -1:]
    off = np.where(there, half_turn(longitude - own), np.nan)
    few = there.sum(axis=1) < LEAST_SETS
    off[few] = 0.0
    middle = np.nanmedian(off, axis=1)
    spread, most = np.nanquantile(np.abs(off - middle[:, None]), (0.68, 0.9), axis=1)
    oldest = np.nanmax(np.where(there, windows.age_day, 0.0), axis=1)
    kept = ~few & (most < np.radians(SLOT_DEG)) & (oldest > LEAST_DAY)
    return own[:, 0] + middle, spread, kept
