"""What a timeline of an object shows: its mean elements, and how far each set is from where the one before puts it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_S, TWO_PI, WGS72_MU_KM3_S2, WGS72_RADIUS_KM
from orbwatch.frames import gmst_1982_rad
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES, catalog_regime
from orbwatch.propagate.curvilinear import shift_of
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.time import us_to_jd


@dataclass(frozen=True, eq=False)
class Timeline:
    """One object, a row a set."""

    norad_id: int
    regime: str
    """One of `CATALOG_REGIMES`, of the newest set."""
    epoch_us: Int[np.ndarray, " n"]
    axis_km: Float[np.ndarray, " n"]
    """Semi-major axis above the equator's radius, from the mean motion."""
    perigee_km: Float[np.ndarray, " n"]
    """Heights above the equator's radius."""
    apogee_km: Float[np.ndarray, " n"]
    inclination_deg: Float[np.ndarray, " n"]
    eccentricity: Float[np.ndarray, " n"]
    east_deg: Float[np.ndarray, " n"]
    """Mean longitude, east of Greenwich, without jumps by a turn: what a geostationary object keeps."""
    late_km: Float[np.ndarray, " n"]
    """How far ahead along the track a set is of where SGP4 takes the set before it; NaN for the first."""
    across_km: Float[np.ndarray, " n"]
    """The same along the normal of the orbit."""

    @property
    def geostationary(self) -> bool:
        return self.regime == "GEO"


def timeline(table: GpTable) -> Timeline:
    """The timeline of one object; table: its sets, ordered by time, one at least."""
    rate_rad_s = table.mean_motion_rev_day * (TWO_PI / DAY_S)
    axis_km = np.cbrt(WGS72_MU_KM3_S2 / rate_rad_s**2)
    jd, fr = us_to_jd(table.epoch_us)
    turn_deg = table.raan_deg + table.arg_perigee_deg + table.mean_anomaly_deg - np.degrees(gmst_1982_rad(jd, fr))
    east_deg = np.degrees(np.unwrap(np.radians(turn_deg)))
    east_deg -= 360.0 * np.round(east_deg[-1] / 360.0)
    late_km, across_km = _misses(table)
    return Timeline(
        int(table.norad_id[-1]), CATALOG_REGIMES[int(catalog_regime(table[-1:])[0])], table.epoch_us,
        axis_km - WGS72_RADIUS_KM, axis_km * (1.0 - table.eccentricity) - WGS72_RADIUS_KM,
        axis_km * (1.0 + table.eccentricity) - WGS72_RADIUS_KM, table.inclination_deg, table.eccentricity, east_deg,
        late_km, across_km,
    )  # fmt: skip


def _misses(table: GpTable) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    n = len(table)
    late_km, across_km = np.full((2, n), np.nan)
    if n < 2:
        return late_km, across_km
    catalog, start_us, before = Sgp4Catalog(table), int(table.epoch_us[0]), np.arange(n - 1)
    offset_s = (table.epoch_us[1:] - start_us) / 1e6
    r_km, v_km_s, _ = catalog.at(before, start_us, offset_s)
    true_km, _, _ = catalog.at(before + 1, start_us, offset_s)
    shift = shift_of(np.concatenate([r_km, v_km_s], axis=1), true_km)
    late_km[1:] = shift[:, 0] * np.linalg.norm(np.where(np.isfinite(v_km_s), v_km_s, 0.0), axis=1)
    across_km[1:] = shift[:, 2]
    return late_km, across_km
