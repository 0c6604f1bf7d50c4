"""How far apart two sets of an object are at one time, in numbers that do not turn with the object along its orbit.

A time shift and two distances across mix what goes round with the orbit (eccentricity, plane) with what grows (mean
motion). Above the atmosphere the two are kept apart here: a timing freed of eccentricity, its rate, and differences of
the eccentricity vector and of the orbit's normal, inertial ones, which exist for circular and for equatorial orbits
too. Osculating elements of both at the same time are compared, so that the periodic effects of Sun and Moon cancel.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, Int8

from orbwatch.constants import DAY_S, TWO_PI, WGS72_MU_KM3_S2
from orbwatch.elements import cartesian_to_equinoctial
from orbwatch.frames import gmst_1982_rad
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES
from orbwatch.time import us_to_jd

APART = (
    "phase_s", "rate_s_day", "ecc_x", "ecc_y", "ecc_z", "normal_x", "normal_y", "normal_z", "place_rad",
)  # fmt: skip
"""Timing (positive: the older set is ahead), its rate, eccentricity vector and unit normal (TEME): all of them the
older set's less the newest one's, carried to its epoch. Last the older set's own mean longitude east of Greenwich."""
PHASE, RATE, PLACE = 0, 1, 8
ECC, NORMAL = slice(2, 5), slice(5, 8)

FAR_OUT = (CATALOG_REGIMES.index("MEO"), CATALOG_REGIMES.index("GEO"))
"""Regimes that are looked at so: no drag, and round enough for first order in the eccentricity."""


def is_far_out(regime: Int8[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Which objects are in the regimes of `FAR_OUT`."""
    return np.isin(regime, FAR_OUT)


def apart(
    older: Float[np.ndarray, "m 6"],
    newest: Float[np.ndarray, "m 6"],
    late_s: Float[np.ndarray, " m"],
    at_us: Int[np.ndarray, " m"],
) -> Float32[np.ndarray, "m 9"]:
    """Columns `APART` of states of two sets at the same instants: TEME, km and km/s; UTC microseconds since 1970.

    late_s: the time along the newest one's orbit from it to the older one (`propagate.curvilinear`). With a difference
    d of the eccentricity vectors the older set is, to first order, 2 a d.t behind along the orbit and a d.r lower (r,
    t: unit vectors outwards and along; Vallado 2013, section 6.7): that is taken out of the timing. NaN for states that
    are no ellipse.
    """
    ecc, normal, motion = _vectors(newest)
    own_ecc, own_normal, own_motion = _vectors(older)
    along = np.cross(normal, newest[:, :3])
    along /= np.linalg.norm(along, axis=1)[:, None]
    d_ecc = own_ecc - ecc
    phase_s = late_s + 2.0 * (d_ecc * along).sum(axis=1) / motion
    place = mean_longitude_rad(older[:, None], at_us[:, None])[:, 0]
    columns = [phase_s, (own_motion / motion - 1.0) * DAY_S, d_ecc, own_normal - normal, place]
    return np.column_stack(columns).astype(np.float32)


def _vectors(rv: Float[np.ndarray, "m 6"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eccentricity vector, unit normal, mean motion in rad/s; NaN for states that are no ellipse."""
    r, v = rv[:, :3], rv[:, 3:]
    momentum, distance = np.cross(r, v), np.linalg.norm(r, axis=1)
    ecc = np.cross(v, momentum) / WGS72_MU_KM3_S2 - r / distance[:, None]
    inverse_a = 2.0 / distance - (v**2).sum(axis=1) / WGS72_MU_KM3_S2
    bound = inverse_a > 0.0
    motion = np.sqrt(WGS72_MU_KM3_S2 * np.where(bound, inverse_a, np.nan) ** 3)
    return ecc, momentum / np.linalg.norm(momentum, axis=1)[:, None], motion


def mean_longitude_rad(
    rv_teme_km: Float[np.ndarray, "n m 6"], at_us: Int[np.ndarray, "n m"]
) -> Float[np.ndarray, "n m"]:
    """Mean longitude east of Greenwich: node + argument of perigee + mean anomaly - sidereal time; in [-pi, pi)."""
    found = cartesian_to_equinoctial(rv_teme_km[..., :3], rv_teme_km[..., 3:])
    return half_turn(np.asarray(found.mean_longitude_rad) - gmst_1982_rad(*us_to_jd(at_us)))


def half_turn(angle_rad: np.ndarray) -> np.ndarray:
    """Angles in [-pi, pi)."""
    return np.mod(angle_rad + np.pi, TWO_PI) - np.pi
