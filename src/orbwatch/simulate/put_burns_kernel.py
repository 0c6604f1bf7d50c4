"""Real element sets of objects that did nothing, moved to where burns would have put them: the compiled core.

The difference between the moved object and the real one is carried from set to set by the rates of SGP4 and added to
the real sets, so that their noise, lags and gaps stay.
"""

# Compiled with secular_kernel 87657620; renewed by tests/kernel_stamps.py
from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from orbwatch.propagate.secular_kernel import RADIUS_KM, carry, growth, push, rates, shape, to_equinoctial, turn

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]

TWO_PI = 2.0 * math.pi
MU_KM3_S2 = 398600.8
SLOPE_DAY = 6.0
"""The real growth of the mean motion is that of a line through the sets within so many days."""
THIN_AIR_KM = 1500.0
"""Perigees above are out of the air's reach."""
LOWEST_KM = 140.0
"""Perigee below which an object has come down."""
MOST_KM_DAY = 5.0
"""Decay beyond what an object's own air makes of it is held to this."""
FADE_DAY = 1.5
"""How fast sets forget what went wrong in the first one fitted after a burn."""
FITTED_DRAG_DAY = 2.0
"""Sets know a change of drag by this."""
MOST_BSTAR = 1.0
_FELT = 0.05  # of the bend that least squares would see in a hinge: public sets hold B* back (measured)
_TRIAXIAL = 1.68e-3 / 360.0  # rev/day^2 of a geostationary object, 45 degrees from the stable points (Soop 1994)
_STABLE_RAD = math.radians(75.1)
_SIDEREAL_RAD = math.radians(280.46061837), math.radians(360.98564736629)  # of J2000, and per day
_J2000_DAY = 10957.5  # after 1970


@numba.njit(cache=True)
def scale_height_km(height_km: float) -> float:
    """Of the density of the air under an active Sun, at and above this height (roughly: CIRA 2012, high activity)."""
    return min(max(20.0 + 0.1 * height_km, 25.0), 250.0)


@numba.njit(cache=True)
def triaxial(y: Doubles, day: float) -> float:
    """Growth of the mean motion, rev/day^2, that the Earth's ellipticity makes of a geostationary object."""
    ecc, _ = shape(y)
    if abs(y[0] - 1.0027379) > 0.1 or ecc > 0.1:
        return 0.0
    turned = _SIDEREAL_RAD[0] + _SIDEREAL_RAD[1] * (day - _J2000_DAY)
    return float(-_TRIAXIAL * math.sin(2.0 * (y[5] - turned - _STABLE_RAD)))


@numba.njit(cache=True)
def _slopes(day: Doubles, n: Doubles, out: Doubles) -> None:
    first, last = 0, 0
    for j in range(len(day)):
        while day[j] - day[first] > SLOPE_DAY:
            first += 1
        while last < len(day) and day[last] - day[j] <= SLOPE_DAY:
            last += 1
        count = last - first
        mt = day[first:last].mean()
        mn = n[first:last].mean()
        sxx, sxy = 0.0, 0.0
        for i in range(first, last):
            sxx += (day[i] - mt) ** 2
            sxy += (day[i] - mt) * (n[i] - mn)
        out[j] = sxy / sxx if count > 3 and sxx > 1.0 else 0.0


@numba.njit(cache=True)
def _drag(arcs: Doubles, begin: float, end: float) -> tuple[float, float]:
    """Mean over a time of the factor on the drag, and of the further growth of the mean motion."""
    factor, more = 1.0, 0.0
    span = max(end - begin, 1e-9)
    for i in range(len(arcs)):
        share = (min(end, arcs[i, 1]) - max(begin, arcs[i, 0])) / span
        if share > 0.0:
            factor *= 1.0 + (arcs[i, 2] - 1.0) * share
            more += arcs[i, 3] * share
    return factor, more


@numba.njit(cache=True)
def _perigee_km(y: Doubles) -> float:
    rate = y[0] * TWO_PI / 86400.0
    ecc, _ = shape(y)
    return float((MU_KM3_S2 / (rate * rate)) ** (1.0 / 3.0) * (1.0 - ecc) - RADIUS_KM)


@numba.njit(cache=True)
def _thicker(x: Doubles, y: Doubles) -> float:
    """How much thicker the air is at the perigee of y than at that of x."""
    low = _perigee_km(x)
    if low > THIN_AIR_KM:
        return 1.0
    deeper = (low - _perigee_km(y)) / scale_height_km(0.5 * (low + _perigee_km(y)))
    return math.exp(min(max(deeper, -5.0), 5.0))


@numba.njit(cache=True)
def _grown(x: Doubles, y: Doubles, slope: float, factor: float, more: float, mid_day: float) -> float:
    """Growth of the mean motion of y beyond that of x, rev/day^2."""
    total = more
    if _perigee_km(x) < THIN_AIR_KM:
        total += (factor * _thicker(x, y) - 1.0) * max(slope, 0.0)
    # 5 km/day: dn = 1.5 n da / a
    rate = y[0] * TWO_PI / 86400.0
    most = 1.5 * y[0] * MOST_KM_DAY / (MU_KM3_S2 / (rate * rate)) ** (1.0 / 3.0)
    return float(min(max(total, -most), most) + triaxial(y, mid_day) - triaxial(x, mid_day))


@numba.njit(cache=True)
def _step(x: Doubles, d: Doubles, begin: float, end: float, slope: float, arcs: Doubles, air: bool) -> None:
    """Carry the difference d from the elements x over a time; x is carried as well."""
    y = x + d
    span = end - begin
    grown = 0.0
    if air:
        factor, more = _drag(arcs, begin, end)
        grown = _grown(x, y, slope, factor, more, 0.5 * (begin + end)) * span
    ecc, _ = shape(y)
    carry(x, span, 0.0)
    carry(y, span, grown)
    if grown > 0.0 and ecc > 0.02:  # drag lowers the apogee and leaves the perigee
        rounder = 1.0 - (1.0 - ecc) * (2.0 / 3.0) * grown / y[0] / ecc
        y[1] *= max(rounder, 0.0)
        y[2] *= max(rounder, 0.0)
    d[:] = y - x


@numba.njit(cache=True)
def _object(
    day: Doubles, x: Doubles, bstar: Doubles, ndot: Doubles, when: Doubles, dv: Doubles, late: Doubles, arcs: Doubles,
    ahead: float, status: Bytes,
) -> None:  # fmt: skip
    """One object: day (n), its elements x (n, 6) in place; when (p), dv (p, 3) m/s, late (p, 4), arcs (a, 4)."""
    n, m = len(day), len(when)
    slope = np.empty(n)
    _slopes(day, x[:, 0].copy(), slope)
    offset, grown = np.zeros((n, 6)), np.zeros(n)
    change = np.zeros((m, 6))
    d = np.zeros(6)
    d[5] = ahead
    base = x[0].copy()
    at, k = day[0], 0
    if m and when[0] < at:  # pushed before the first set: the difference begins there
        _step(base, d, at, when[0], 0.0, arcs, False)
        at = when[0]
    for j in range(n):
        near = max(j - 1, 0)
        while k < m and when[k] <= day[j]:
            _step(base, d, at, when[k], slope[near], arcs, True)
            at = when[k]
            push(base + d, dv[k] * 1e-3, change[k])
            d += change[k]
            k += 1
        _step(base, d, at, day[j], slope[near], arcs, True)
        at = day[j]
        base = x[j].copy()
        offset[j] = d
        y = base + d
        ecc, incl = shape(y)
        if status[j] == 0 and (ecc >= 0.98 or not (_perigee_km(y) > LOWEST_KM)):
            status[j:] = 1
            break
        factor, more = _drag(arcs, day[j] - FITTED_DRAG_DAY, day[j])
        low = _perigee_km(base)
        if low < THIN_AIR_KM:
            ecc_x, incl_x = shape(base)
            made_x, made_y = growth(base[0], ecc_x, incl_x), growth(y[0], ecc, incl)
            times = factor * _thicker(base, y)
            bstar[j] = bstar[j] * times * made_x / made_y
            further = more / made_y
            bstar[j] += min(max(further, -MOST_BSTAR), MOST_BSTAR)
            grown[j] = (times - 1.0) * max(slope[j], 0.0) + more
        else:
            grown[j] = more
    _blend(day, x + offset, when, change, late, offset, grown, bstar, status)
    for j in range(n):
        if status[j] == 0:
            x[j] += offset[j]
            ndot[j] += 0.5 * grown[j]


@numba.njit(cache=True)
def _blend(
    day: Doubles, y: Doubles, when: Doubles, change: Doubles, late: Doubles, offset: Doubles, grown: Doubles,
    bstar: Doubles, status: Bytes,
) -> None:  # fmt: skip
    """What the sets near each push know of it: late holds lag (days), span (days, 0: fitted anew), two kicks."""
    part = np.empty(6)
    for k in range(len(when)):
        lag, span, kick, over = late[k, 0], late[k, 1], late[k, 2], late[k, 3]
        reach = span if span > 0.0 else lag + 5.0 * FADE_DAY
        j = int(np.searchsorted(day, when[k] + min(lag, 0.0)))
        while j < len(day) and day[j] < when[k] + reach:
            if status[j]:
                break
            tau = day[j] - when[k]
            dn = change[k, 0]
            part[:] = change[k]
            ecc, incl = shape(y[j])
            _, perigee, node = rates(y[j, 0], ecc, incl)
            turn(part, (perigee + node) * tau, node * tau)
            if span > 0.0:
                # A straight line through a hinge, and through a step, over the span that ends at this set.
                u = max(tau, 0.0) / span
                jump = change[k, 5]
                offset[j, 0] += -dn * (1.0 - 3.0 * u * u + 2.0 * u**3) + 6.0 * u * (1.0 - u) * jump / (TWO_PI * span)
                offset[j, 1:5] -= part[1:5] * (1.0 - u)
                offset[j, 5] += jump * (4.0 * u - 3.0 * u * u - 1.0) - TWO_PI * dn * span * u * (1.0 - u) ** 2
                bent = _FELT * 30.0 * (u * (1.0 - u)) ** 2 * dn / span
            elif 0.0 < tau < lag or lag < tau <= 0.0:
                sign = -1.0 if tau > 0.0 else 1.0
                offset[j, :5] += sign * part[:5]
                offset[j, 5] += sign * (change[k, 5] + TWO_PI * dn * tau)
                bent = 0.0
            else:
                fade = math.exp(-(tau - lag) / FADE_DAY)
                offset[j, 0] += over * dn * fade
                bent = kick * dn * fade
            if _perigee_km(y[j]) < THIN_AIR_KM and bent != 0.0:
                bstar[j] += min(max(bent / growth(y[j, 0], ecc, incl), -MOST_BSTAR), MOST_BSTAR)
                grown[j] += bent
            j += 1


@numba.njit(cache=True)
def put_rows(
    first: Integers, pushed: Integers, drawn: Integers, day: Doubles, elements: Doubles, bstar: Doubles, ndot: Doubles,
    when: Doubles, dv: Doubles, late: Doubles, arcs: Doubles, ahead: Doubles, status: Bytes,
) -> None:  # fmt: skip
    """Every object in turn: first, pushed, drawn (objects + 1) say where its sets, pushes and arcs begin.

    elements (n, 6): mean motion (rev/day), eccentricity, inclination, node, argument of perigee, mean anomaly (rad),
    in place, as bstar and ndot (n); status (n) becomes 1 from where an object has come down.
    """
    for i in range(len(first) - 1):
        a, b = first[i], first[i + 1]
        if b - a == 0:
            continue
        p = slice(pushed[i], pushed[i + 1])
        x = np.empty((b - a, 6))
        for j in range(a, b):
            e = elements[j]
            to_equinoctial(e[0], e[1], e[2], e[3], e[4], e[5], x[j - a])
        _object(
            day[a:b], x, bstar[a:b], ndot[a:b], when[p], dv[p], late[p], arcs[drawn[i] : drawn[i + 1]], ahead[i],
            status[a:b],
        )  # fmt: skip
        for j in range(a, b):
            y = x[j - a]
            ecc, incl = shape(y)
            node, bend = math.atan2(y[3], y[4]), math.atan2(y[1], y[2])
            elements[j, 0], elements[j, 1], elements[j, 2], elements[j, 3] = y[0], ecc, incl, node
            elements[j, 4], elements[j, 5] = bend - node, y[5] - bend
