"""Orbital regimes of the catalogue, from the newest element set alone."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int8

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_S, TWO_PI, WGS72_MU_KM3_S2, WGS72_RADIUS_KM

CATALOG_REGIMES = ("LEO < 600 km", "LEO 600-1200 km", "LEO > 1200 km", "MEO", "GEO", "HEO")


def catalog_regime(table: GpTable) -> Int8[np.ndarray, " n"]:
    """Index into `CATALOG_REGIMES` of each set.

    HEO: eccentricity above 0.25. GEO: 0.9 to 1.1 revolutions a day. The others by the altitude of the semi-major axis;
    MEO begins at 2,000 km.
    """
    rate_rad_s = np.maximum(table.mean_motion_rev_day, 1e-6) * (TWO_PI / DAY_S)
    altitude_km = np.cbrt(WGS72_MU_KM3_S2 / rate_rad_s**2) - WGS72_RADIUS_KM
    conditions = [
        table.eccentricity > 0.25,
        (table.mean_motion_rev_day > 0.9) & (table.mean_motion_rev_day < 1.1),
        altitude_km > 2000.0,
        altitude_km < 600.0,
        altitude_km < 1200.0,
    ]
    return np.select(conditions, [5, 4, 3, 0, 1], 2).astype(np.int8)


def is_high(table: GpTable) -> Bool[np.ndarray, " n"]:
    """Which sets are of high orbits: MEO, GEO and HEO."""
    return np.asarray(catalog_regime(table) >= CATALOG_REGIMES.index("MEO"))


def perigee_altitude_km(table: GpTable) -> Float[np.ndarray, " n"]:
    """Height of the perigee of each set's orbit above the equator's radius, from its mean motion."""
    rate_rad_s = table.mean_motion_rev_day * (TWO_PI / DAY_S)
    return np.asarray(np.cbrt(WGS72_MU_KM3_S2 / rate_rad_s**2) * (1.0 - table.eccentricity) - WGS72_RADIUS_KM)
