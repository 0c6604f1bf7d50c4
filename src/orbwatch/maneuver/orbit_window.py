"""What an orbit did in the days before an instant, from its element sets: the evidence for a pattern of life."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float, Int, Int8

from orbwatch.catalog.gp import NO_TIME, GpTable
from orbwatch.constants import DAY_S, DAY_US, TWO_PI, WGS72_MU_KM3_S2, WGS72_RADIUS_KM
from orbwatch.frames import gmst_1982_rad
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES, catalog_regime
from orbwatch.maneuver.found import Maneuvers
from orbwatch.maneuver.pattern_limits import LAG_DAY, LEAST_PROBABILITY, LIMITS, SETBACK, WINDOW_DAY
from orbwatch.maneuver.window_kernel import FIELDS, newest_rows, windows
from orbwatch.time import us_to_jd


@dataclass(frozen=True, eq=False)
class OrbitWindows:
    """One row an asking (k,); NaN where the sets were too few to say. Heights change by the semi-major axis."""

    days: Float[np.ndarray, " k"]
    """From the first to the last set of the window."""
    sets: Float[np.ndarray, " k"]
    start_km: Float[np.ndarray, " k"]
    """Semi-major axis at the start."""
    end_km: Float[np.ndarray, " k"]
    noise_km: Float[np.ndarray, " k"]
    """By how much sets scatter about their neighbours."""
    span_km: Float[np.ndarray, " k"]
    """Largest less smallest semi-major axis."""
    eccentricity: Float[np.ndarray, " k"]
    quiet_days: Float[np.ndarray, " k"]
    """Of gaps that no burn touches."""
    quiet_change_km: Float[np.ndarray, " k"]
    """What the semi-major axis did in them."""
    middle_days: Float[np.ndarray, " k"]
    """From the first set to the middle one."""
    middle_km: Float[np.ndarray, " k"]
    end_rate_km_day: Float[np.ndarray, " k"]
    """Slope over the last week."""
    rise_days: Float[np.ndarray, " k"]
    """From the start of the rise that lasts to the end, to the newest set; and its height:"""
    risen_km: Float[np.ndarray, " k"]
    fall_days: Float[np.ndarray, " k"]
    fallen_km: Float[np.ndarray, " k"]
    before_fall_km_day: Float[np.ndarray, " k"]
    """Mean rate from the first known set to the start of the fall; and how long that was:"""
    before_fall_days: Float[np.ndarray, " k"]
    longitude_span_deg: Float[np.ndarray, " k"]
    """Of a synchronous orbit's mean longitude, as the next four."""
    off_free_deg: Float[np.ndarray, " k"]
    """Range of what free motion under the Earth's ellipticity leaves unexplained."""
    drift_deg_day: Float[np.ndarray, " k"]
    """At the end."""
    longitude_deg: Float[np.ndarray, " k"]
    """The median."""
    off_plane_deg: Float[np.ndarray, " k"]
    """Between the orbit's plane and where Sun, Moon and Earth would have turned it."""
    newest_us: Int[np.ndarray, " k"]
    """Epoch of the newest set, UTC microseconds since 1970."""
    regime: Int8[np.ndarray, " k"]
    """Index into `CATALOG_REGIMES`, of the newest set."""

    def perigee_km(self) -> Float[np.ndarray, " k"]:
        """Height of the perigee at the end."""
        return np.asarray(self.end_km * (1.0 - self.eccentricity) - WGS72_RADIUS_KM)

    def speed_m_s(self) -> Float[np.ndarray, " k"]:
        """Mean orbital speed at the end, m/s."""
        return np.asarray(np.sqrt(WGS72_MU_KM3_S2 / self.end_km) * 1e3)


def axis_km(table: GpTable) -> Float[np.ndarray, " n"]:
    """Semi-major axis of each set, from its mean motion."""
    rate_rad_s = np.maximum(table.mean_motion_rev_day, 1e-6) * (TWO_PI / DAY_S)
    return np.asarray(np.cbrt(WGS72_MU_KM3_S2 / rate_rad_s**2))


def mean_longitudes_deg(table: GpTable) -> Float[np.ndarray, " n"]:
    """Mean longitude east of Greenwich of each set at its epoch, from its mean elements, in [0, 360)."""
    sidereal = np.degrees(np.asarray(gmst_1982_rad(*us_to_jd(table.epoch_us)))) if len(table) else np.empty(0)
    return np.asarray(np.mod(table.raan_deg + table.arg_perigee_deg + table.mean_anomaly_deg - sidereal, 360.0))


def known_us(table: GpTable) -> Int[np.ndarray, " n"]:
    """When each set was there to be used: its epoch, or when it became public if that is known and later."""
    return np.where(table.seen_us == NO_TIME, table.epoch_us, np.maximum(table.seen_us, table.epoch_us))


def orbit_windows(
    table: GpTable,
    burns: Maneuvers,
    norad_id: Int[np.ndarray, " k"],
    at_us: Int[np.ndarray, " k"],
    window_day: float = WINDOW_DAY,
) -> OrbitWindows:
    """The last `window_day` days of objects at instants, from the sets and the burns known by then.

    table: ordered by (norad_id, epoch_us). burns: in any order; those likely enough (`LEAST_PROBABILITY`) count.
    The runs (`rise_days` ... ) look back over the whole known history.
    """
    start_us = int(table.epoch_us.min()) if len(table) else 0

    def days(us: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        return (us - start_us) / DAY_US

    first, end = (np.searchsorted(table.norad_id, norad_id, side) for side in ("left", "right"))
    mine = burns.take(burns.probability >= LEAST_PROBABILITY).ordered()
    first_burn, end_burn = (np.searchsorted(mine.norad_id, norad_id, side) for side in ("left", "right"))
    regimes = catalog_regime(table)
    synchronous = regimes == CATALOG_REGIMES.index("GEO")
    longitude = np.full(len(table), np.nan)
    longitude[synchronous] = mean_longitudes_deg(table[synchronous])
    newest = np.empty(len(norad_id), np.int64)
    newest_rows(table.epoch_us, first, end, at_us, newest)
    regime = regimes[newest] if len(table) else np.zeros(len(norad_id), np.int8)
    node = np.radians(table.raan_deg)
    found = np.full((len(norad_id), FIELDS), np.nan)
    # A table of an object that came into GEO holds other sets too: no longitude is unwrapped over them.
    whole = np.zeros(len(norad_id), bool)
    away = np.concatenate([[0], np.cumsum(~synchronous)])
    if len(table):
        whole = away[end] == away[first]
    slack_km = np.array([SETBACK * limits.run_km for limits in LIMITS.values()])[regime]
    windows(
        days(table.epoch_us), days(known_us(table)), axis_km(table), table.eccentricity, longitude,
        table.inclination_deg * np.cos(node), table.inclination_deg * np.sin(node), first, end, days(at_us),
        whole, days(mine.start_us), days(mine.end_us), first_burn, end_burn,
        slack_km, window_day, LAG_DAY, found,
    )  # fmt: skip
    newest_us = table.epoch_us[newest] if len(table) else np.full(len(norad_id), NO_TIME)
    names = [field.name for field in fields(OrbitWindows)]
    return OrbitWindows(**dict(zip(names, [*found.T.copy(), newest_us, regime], strict=True)))
