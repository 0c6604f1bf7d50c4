"""Mean elements in time as SGP4 itself carries them, and what a small change of velocity does to them: compiled.

Elements here: mean motion (Kozai, rev/day), then the equinoctial h = e sin(perigee longitude), k = e cos(it),
p = tan(i/2) sin(node), q = tan(i/2) cos(node), and the mean longitude (rad): free of singularities but at i = 180 deg.
Rates are those of `sgp4init` (Vallado, Crawford, Hujsak & Kelso 2006, AIAA 2006-6753; WGS-72): a set whose phase were
carried on by other rates would not fit the sets after it.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

TWO_PI = 2.0 * math.pi
XKE = 0.07436691613317342
J2 = 0.001082616
J4 = -0.00000165597
RADIUS_KM = 6378.135
MU_KM3_S2 = 398600.8
MIN_DAY = 1440.0


@numba.njit(cache=True)
def brouwer(n_rev_day: float, ecc: float, cosi: float) -> float:
    """Brouwer's mean motion, rad/min, of Kozai's (rev/day): `initl`."""
    kozai = n_rev_day * TWO_PI / MIN_DAY
    left = 1.0 - ecc * ecc
    ak = (XKE / kozai) ** (2.0 / 3.0)
    d1 = 0.75 * J2 * (3.0 * cosi * cosi - 1.0) / (math.sqrt(left) * left)
    delta = d1 / (ak * ak)
    adel = ak * (1.0 - delta * delta - delta * (1.0 / 3.0 + 134.0 * delta * delta / 81.0))
    return float(kozai / (1.0 + d1 / (adel * adel)))


@numba.njit(cache=True)
def rates(n_rev_day: float, ecc: float, incl: float) -> tuple[float, float, float]:
    """Secular rates of mean anomaly, argument of perigee and node, rad/day."""
    cosi = math.cos(incl)
    c2 = cosi * cosi
    c4 = c2 * c2
    no = brouwer(n_rev_day, ecc, cosi)
    left = 1.0 - ecc * ecc
    root = math.sqrt(left)
    po = (XKE / no) ** (2.0 / 3.0) * left
    inverse = 1.0 / (po * po)
    t1 = 1.5 * J2 * inverse * no
    t2 = 0.5 * t1 * J2 * inverse
    t3 = -0.46875 * J4 * inverse * inverse * no
    mean = no + 0.5 * t1 * root * (3.0 * c2 - 1.0) + 0.0625 * t2 * root * (13.0 - 78.0 * c2 + 137.0 * c4)
    perigee = -0.5 * t1 * (1.0 - 5.0 * c2)
    perigee += 0.0625 * t2 * (7.0 - 114.0 * c2 + 395.0 * c4) + t3 * (3.0 - 36.0 * c2 + 49.0 * c4)
    node = -t1 * cosi + (0.5 * t2 * (4.0 - 19.0 * c2) + 2.0 * t3 * (3.0 - 7.0 * c2)) * cosi
    return mean * MIN_DAY, perigee * MIN_DAY, node * MIN_DAY


@numba.njit(cache=True)
def growth(n_rev_day: float, ecc: float, incl: float) -> float:
    """Growth of the mean motion, rev/day^2, that SGP4 makes of a B* of 1: 3 n times C1 / B*."""
    cosi = math.cos(incl)
    no = brouwer(n_rev_day, ecc, cosi)
    ao = (XKE / no) ** (2.0 / 3.0)
    perigee_km = (ao * (1.0 - ecc) - 1.0) * RADIUS_KM
    s_km = 78.0
    if perigee_km < 156.0:
        s_km = max(perigee_km - 78.0, 20.0)
    qzms = ((120.0 - s_km) / RADIUS_KM) ** 4
    tsi = 1.0 / (ao - (s_km / RADIUS_KM + 1.0))
    eta = ao * ecc * tsi
    eta2 = eta * eta
    eeta = ecc * eta
    psi2 = abs(1.0 - eta2)
    c2 = qzms * tsi**4 / psi2**3.5 * no
    con41 = 3.0 * cosi * cosi - 1.0
    c2 *= ao * (1.0 + 1.5 * eta2 + eeta * (4.0 + eta2)) + 0.375 * J2 * tsi / psi2 * con41 * (
        8.0 + 3.0 * eta2 * (8.0 + eta2)
    )
    return float(3.0 * n_rev_day * c2 * MIN_DAY)


@numba.njit(cache=True)
def to_equinoctial(n: float, ecc: float, incl: float, node: float, perigee: float, mean: float, out: Doubles) -> None:
    """Classical mean elements (rev/day, rad) as the six numbers above."""
    lean = math.tan(0.5 * incl)
    out[0] = n
    out[1] = ecc * math.sin(perigee + node)
    out[2] = ecc * math.cos(perigee + node)
    out[3] = lean * math.sin(node)
    out[4] = lean * math.cos(node)
    out[5] = mean + perigee + node


@numba.njit(cache=True)
def shape(y: Doubles) -> tuple[float, float]:
    """Eccentricity, and inclination (rad)."""
    return math.hypot(y[1], y[2]), 2.0 * math.atan(math.hypot(y[3], y[4]))


@numba.njit(cache=True)
def carry(y: Doubles, day: float, grown: float) -> None:
    """The elements `day` days on, in place; the mean motion grows by `grown` rev/day evenly on the way."""
    ecc, incl = shape(y)
    mean, perigee, node = rates(y[0] + 0.5 * grown, min(ecc, 0.99), incl)
    turn(y, (perigee + node) * day, node * day)
    y[5] += (mean + perigee + node) * day
    y[0] += grown


@numba.njit(cache=True)
def turn(y: Doubles, perigee: float, node: float) -> None:
    """Turn the eccentricity vector and the node vector by these angles, in place."""
    c, s = math.cos(perigee), math.sin(perigee)
    h, k = y[1], y[2]
    y[1], y[2] = h * c + k * s, k * c - h * s
    c, s = math.cos(node), math.sin(node)
    p, q = y[3], y[4]
    y[3], y[4] = p * c + q * s, q * c - p * s


@numba.njit(cache=True)
def _kepler(mean: float, ecc: float) -> float:
    m = (mean + math.pi) % TWO_PI - math.pi
    x = m + 0.85 * ecc * (1.0 if m >= 0.0 else -1.0)
    for _ in range(50):
        step = (x - ecc * math.sin(x) - m) / (1.0 - ecc * math.cos(x))
        x -= max(min(step, 1.0), -1.0)
        if abs(step) < 1e-14:
            break
    return float(x)


@numba.njit(cache=True)
def push(y: Doubles, dv_rtn_km_s: Doubles, change: Doubles) -> None:
    """What a sudden change of velocity (R, T, N; km/s) does to elements y: `change`, to be added to them.

    The finite form of Gauss' variational equations: elements to state, velocity added, state to elements, by Kepler's
    laws; both ways with the same mu, so that no velocity is no change. Mean elements are taken for osculating ones: the
    result is off by parts in a thousand, as J2 is.
    """
    rate = y[0] * TWO_PI / 86400.0
    a = (MU_KM3_S2 / (rate * rate)) ** (1.0 / 3.0)
    ecc, _ = shape(y)
    bend = math.atan2(y[1], y[2])
    anomaly = _kepler(y[5] - bend, ecc)
    true = 2.0 * math.atan2(
        math.sqrt(1.0 + ecc) * math.sin(0.5 * anomaly), math.sqrt(1.0 - ecc) * math.cos(0.5 * anomaly)
    )
    longitude = bend + true
    slr = a * (1.0 - ecc * ecc)
    r = slr / (1.0 + ecc * math.cos(true))
    speed = math.sqrt(MU_KM3_S2 / slr)
    v_r = speed * ecc * math.sin(true) + dv_rtn_km_s[0]
    v_t = speed * (1.0 + ecc * math.cos(true)) + dv_rtn_km_s[1]
    v_n = dv_rtn_km_s[2]
    # The plane turns about the radius by the angle of the new transverse velocity: Rodrigues' vector of the sum.
    across = math.hypot(v_t, v_n)
    half = math.tan(0.5 * math.atan2(v_n, v_t))
    p, q = y[3], y[4]
    # quaternion of the plane (1, q, p, 0) in node axes, times the turn about the radius (1, half cos L, half sin L, 0)
    cos_l, sin_l = math.cos(longitude), math.sin(longitude)
    bx, by = half * cos_l, half * sin_l
    w = 1.0 - q * bx - p * by
    x_ = bx + q
    y_ = by + p
    z_ = q * by - p * bx
    # The product turns a little about the normal, too: taken into the longitudes, so that the form (1, q, p, 0) holds.
    twist = math.atan2(z_, w)
    c, s = math.cos(twist), math.sin(twist)
    size = math.hypot(w, z_)
    new_q = (x_ * c - y_ * s) / size
    new_p = (x_ * s + y_ * c) / size
    longitude_new = longitude + 2.0 * twist
    # shape in the new plane
    momentum = r * across
    slr_new = momentum * momentum / MU_KM3_S2
    e_cos = slr_new / r - 1.0
    e_sin = math.sqrt(slr_new / MU_KM3_S2) * v_r
    ecc_new = math.hypot(e_cos, e_sin)
    true_new = math.atan2(e_sin, e_cos)
    a_new = slr_new / max(1.0 - ecc_new * ecc_new, 1e-6)
    bend_new = longitude_new - true_new
    e_ = 2.0 * math.atan2(
        math.sqrt(max(1.0 - ecc_new, 0.0)) * math.sin(0.5 * true_new),
        math.sqrt(1.0 + ecc_new) * math.cos(0.5 * true_new),
    )
    mean_longitude = bend_new + e_ - ecc_new * math.sin(e_)
    change[0] = math.sqrt(MU_KM3_S2 / a_new**3) * 86400.0 / TWO_PI - y[0]
    change[1] = ecc_new * math.sin(bend_new) - y[1]
    change[2] = ecc_new * math.cos(bend_new) - y[2]
    change[3] = new_p - y[3]
    change[4] = new_q - y[4]
    change[5] = (mean_longitude - y[5] + math.pi) % TWO_PI - math.pi
