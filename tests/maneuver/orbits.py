"""Histories of single made-up objects: a semi-major axis, or a longitude, as a function of time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_S, DAY_US, TWO_PI, WGS72_MU_KM3_S2, WGS72_RADIUS_KM
from orbwatch.frames import gmst_1982_rad
from orbwatch.maneuver.found import Maneuvers
from orbwatch.time import us_to_jd

START_US = 1_767_225_600_000_000  # 2026-01-01


def at_us(day: np.ndarray | float) -> np.ndarray:
    return START_US + np.rint(np.asarray(day) * DAY_US).astype(np.int64)


def low_orbit(
    height_km: Callable[[np.ndarray], np.ndarray], days: float = 100.0, norad_id: int = 7, noise_km: float = 0.01
) -> GpTable:
    """Two sets a day of a circular orbit with this height of the semi-major axis over days since 2026-01-01."""
    day = np.arange(0.0, days, 0.5)
    a_km = height_km(day) + WGS72_RADIUS_KM + np.random.default_rng(norad_id).normal(0.0, noise_km, len(day))
    return _table(day, a_km, norad_id, 1e-3)


def synchronous(
    longitude_deg: np.ndarray, day: np.ndarray, inclination: tuple[np.ndarray, np.ndarray], norad_id: int = 8
) -> GpTable:
    """Sets of a geostationary object with these mean longitudes and inclination vectors (x, y in deg)."""
    sidereal = np.degrees(np.asarray(gmst_1982_rad(*us_to_jd(at_us(day)))))
    rate = np.gradient(longitude_deg, day) / 360.0 + 1.00273791
    a_km = np.cbrt(WGS72_MU_KM3_S2 / (rate * TWO_PI / DAY_S) ** 2)
    noise = np.random.default_rng(norad_id).normal(0.0, 0.005, len(day))
    node = np.mod(np.degrees(np.arctan2(inclination[1], inclination[0])), 360.0)
    return _table(
        day, a_km, norad_id, 2e-4, inclination_deg=np.hypot(*inclination), raan_deg=node,
        mean_anomaly_deg=np.mod(longitude_deg + noise + sidereal - node, 360.0),
    )  # fmt: skip


def burns(day: np.ndarray, norad_id: int, along_m_s: float = np.nan) -> Maneuvers:
    dv = np.full((len(day), 3), np.nan)
    dv[:, 1] = along_m_s
    return Maneuvers.from_times(np.full(len(day), norad_id), at_us(day), dv_rtn_m_s=dv)


def _table(day: np.ndarray, a_km: np.ndarray, norad_id: int, ecc: float, **more: np.ndarray) -> GpTable:
    rate_rev_day = np.sqrt(WGS72_MU_KM3_S2 / a_km**3) * DAY_S / TWO_PI
    base = {name: np.zeros(len(day)) for name in ("raan_deg", "arg_perigee_deg", "mean_anomaly_deg")}
    return GpTable.from_columns(
        {
            "norad_id": np.full(len(day), norad_id), "epoch_us": at_us(day), "mean_motion_rev_day": rate_rev_day,
            "eccentricity": np.full(len(day), ecc), "inclination_deg": np.full(len(day), 53.0), **base, **more,
        }
    )  # fmt: skip
