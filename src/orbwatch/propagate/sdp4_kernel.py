"""Deep-space SDP4, compiled: the Sun, the Moon and the 12-h and 24-h resonances, in tiles as in `sgp4_kernel`.

The equations are those of `dspace` and `dpper` in Vallado, Crawford, Hujsak & Kelso 2006 (AIAA 2006-6753), operation
mode "i". All objects of a tile share one kind of resonance.
"""

# Compiled with sdp4_init dac91061, sgp4_init bbb80c61, sgp4_kernel f5943a35; renewed by tests/kernel_stamps.py
from __future__ import annotations

import numpy as np
from numba import njit

from orbwatch.propagate.sdp4_init import RPTIM, ZEL, ZES, ZNL, ZNS
from orbwatch.propagate.sgp4_init import J3_OVER_J2
from orbwatch.propagate.sgp4_kernel import (
    AM,
    ASK_LIBRARY,
    AXNL,
    AYNL,
    BOUNCED,
    EXTREME,
    JIT,
    LANES,
    NODE,
    OVAL,
    ROUND,
    STATUS,
    WORK_ROWS,
    Bytes,
    Doubles,
    E,
    T,
    U,
    Wholes,
    level,
    scatter,
    sincos,
    solve,
)

DEEP_ROWS = (
    "radius_limit", "mo", "mdot", "argpo", "argpdot", "nodeo", "nodedot", "nodecf", "cc1", "bcc4", "t2cof",
    "ecco", "no", "a0", "inclo", "gsto", "dedt", "didt", "dmdt", "dnodt", "domdt", "zmos", "zmol",
    "sun_e2", "sun_e3", "sun_i2", "sun_i3", "sun_l2", "sun_l3", "sun_l4", "sun_gh2", "sun_gh3", "sun_gh4",
    "sun_h2", "sun_h3", "moon_e2", "moon_e3", "moon_i2", "moon_i3", "moon_l2", "moon_l3", "moon_l4", "moon_gh2",
    "moon_gh3", "moon_gh4", "moon_h2", "moon_h3", "xlamo", "xfact", *(f"res{i}" for i in range(10)),
)  # fmt: skip
(
    _LIMIT, _MO, _MDOT, _ARGPO, _ARGPDOT, _NODEO, _NODEDOT, _NODECF, _CC1, _BCC4, _T2COF,
    _ECCO, _NO, _A0, _INCLO, _GSTO, _DEDT, _DIDT, _DMDT, _DNODT, _DOMDT, _ZMOS, _ZMOL, _SUN,
) = (i * LANES for i in range(24))  # fmt: skip
_MOON = _SUN + 12 * LANES
_XLAMO = _MOON + 12 * LANES
_XFACT = _XLAMO + LANES
_RES = _XFACT + LANES

# Rows of a body's block.
_E2, _E3, _I2, _I3, _L2, _L3, _L4, _GH2, _GH3, _GH4, _H2, _H3 = (i * LANES for i in range(12))

# Rows of the workspace beyond those of `sgp4_kernel`: mean elements, the resonance's state and rates, inclination.
_ARGP, _MM, _INCL, _XLI, _XNI, _ATIME, _XNDT, _XLDOT, _XNDDT, _SINI, _COSI = (
    (WORK_ROWS + i) * LANES for i in range(11)
)
_WORK_ROWS = WORK_ROWS + 11

_STEP_MIN = 720.0
_STEP2 = 259200.0  # half its square
_HALF_DAY = 2  # the kind of resonance; 1 is one day

# Terms of the resonances in the order of res0 ..: multiples of the argument of perigee and of the longitude, phase.
_DAY_TERMS = np.array([[0.0, 1.0, 0.13130908], [0.0, 2.0, 2.0 * 2.8843198], [0.0, 3.0, 3.0 * 0.37448087]])
_HALF_DAY_TERMS = np.array(
    [
        [2.0, 1.0, 5.7686396],
        [0.0, 1.0, 5.7686396],
        [1.0, 1.0, 0.95240898],
        [-1.0, 1.0, 0.95240898],
        [2.0, 2.0, 1.8014998],
        [0.0, 2.0, 1.8014998],
        [1.0, 1.0, 1.0508330],
        [-1.0, 1.0, 1.0508330],
        [1.0, 2.0, 4.4108898],
        [-1.0, 2.0, 4.4108898],
    ]
)


@njit(forceinline=True, **JIT)
def _atan2(y: float, x: float) -> float:
    """Angle of (x, y), error < 3e-16 + rounding: reduction to |tan| < tan(pi/8), minimax."""
    ax, ay = abs(x), abs(y)
    low = ay if ay < ax else ax
    high = ax if ay < ax else ay
    steep = low > 0.41421356237309503 * high
    top = low - high if steep else low
    bottom = low + high if steep else high
    q = top / (bottom if bottom > 0.0 else 1.0)
    z = q * q
    p = -0.043056652551564774 + z * 0.020656759978441113
    p = -0.0663686299306274 + z * (0.05672325885526748 + z * p)
    p = -0.09090738688842571 + z * (0.0768952228777946 + z * p)
    p = -0.14285714133444247 + z * (0.1111110449820259 + z * p)
    p = -0.33333333333325177 + z * (0.19999999998180285 + z * p)
    a = q + q * z * p
    a = a + 0.7853981633974483 if steep else a
    a = 1.5707963267948966 - a if ay > ax else a
    a = 3.141592653589793 - a if x < 0.0 else a
    return -a if y < 0.0 else a


@njit(**JIT)
def _resonance_rates(k: Doubles, kind: int, w: Doubles) -> None:
    """Rates of the resonance's longitude and mean motion at its last whole step (`dspace`, dot terms)."""
    terms = _HALF_DAY_TERMS if kind == _HALF_DAY else _DAY_TERMS
    for i in range(LANES):
        w[_XLDOT + i] = w[_XNI + i] + k[_XFACT + i]
        w[_XNDT + i] = 0.0
        w[_XNDDT + i] = 0.0
    for row in range(len(terms)):
        perigees, longitudes, phase = terms[row]
        d = k[_RES + row * LANES : _RES + (row + 1) * LANES]
        for i in range(LANES):
            perigee = k[_ARGPO + i] + k[_ARGPDOT + i] * w[_ATIME + i]
            s, c = sincos(perigees * perigee + longitudes * w[_XLI + i] - phase)
            w[_XNDT + i] += d[i] * s
            w[_XNDDT + i] += longitudes * d[i] * c * w[_XLDOT + i]


@njit(**JIT)
def _at_epoch(k: Doubles, kind: int, w: Doubles) -> None:
    """Start the resonance's integration at each lane's epoch."""
    for i in range(LANES):
        w[_ATIME + i] = 0.0
        w[_XLI + i] = k[_XLAMO + i]
        w[_XNI + i] = k[_NO + i]
    _resonance_rates(k, kind, w)


@njit(**JIT)
def _resonance_to(k: Doubles, kind: int, w: Doubles) -> None:
    """Integrate to the last whole step (720 min, from epoch) before `w[T]`; back to epoch where time has gone back."""
    returned = 0
    for i in range(LANES):
        t, atime = w[T + i], w[_ATIME + i]
        back = (t * atime < 0.0) | (abs(t) < abs(atime))
        w[_ATIME + i] = 0.0 if back else atime
        w[_XLI + i] = k[_XLAMO + i] if back else w[_XLI + i]
        w[_XNI + i] = k[_NO + i] if back else w[_XNI + i]
        returned += 1 if back else 0
    if returned > 0:
        _resonance_rates(k, kind, w)
    while True:
        behind = 0
        for i in range(LANES):
            t, atime = w[T + i], w[_ATIME + i]
            step = _STEP_MIN if t > 0.0 else -_STEP_MIN
            due = abs(t - atime) >= _STEP_MIN
            xli = w[_XLI + i] + w[_XLDOT + i] * step + w[_XNDT + i] * _STEP2
            xni = w[_XNI + i] + w[_XNDT + i] * step + w[_XNDDT + i] * _STEP2
            w[_XLI + i] = xli if due else w[_XLI + i]
            w[_XNI + i] = xni if due else w[_XNI + i]
            w[_ATIME + i] = atime + step if due else atime
            behind += 1 if due else 0
        if behind == 0:
            return
        _resonance_rates(k, kind, w)


@njit(**JIT)
def _secular(k: Doubles, kind: int, w: Doubles) -> None:
    """Mean elements at `w[T]` with the secular effects of gravity, drag, Sun and Moon, and of resonance."""
    for i in range(LANES):
        t = w[T + i]
        w[_MM + i] = k[_MO + i] + (k[_MDOT + i] + k[_DMDT + i]) * t
        w[_ARGP + i] = k[_ARGPO + i] + (k[_ARGPDOT + i] + k[_DOMDT + i]) * t
        w[NODE + i] = k[_NODEO + i] + (k[_NODEDOT + i] + k[_DNODT + i]) * t + k[_NODECF + i] * t * t
        w[AM + i] = k[_A0 + i]
        w[STATUS + i] = 0.0
    if kind != 0:
        _resonance_to(k, kind, w)
        for i in range(LANES):
            t = w[T + i]
            ft = t - w[_ATIME + i]
            half = 0.5 * ft * ft
            nm = w[_XNI + i] + w[_XNDT + i] * ft + w[_XNDDT + i] * half
            xl = w[_XLI + i] + w[_XLDOT + i] * ft + w[_XNDT + i] * half
            theta = k[_GSTO + i] + t * RPTIM
            node = w[NODE + i]
            w[_MM + i] = xl - 2.0 * (node - theta) if kind == _HALF_DAY else xl - node - w[_ARGP + i] + theta
            # (no / nm)^(2/3) by two steps of Halley's method for the cube root: exact for nm within 30 % of no.
            ratio = k[_NO + i] / nm
            x = ratio - 1.0
            y = 1.0 + x * (1.0 / 3.0 - x * (1.0 / 9.0))
            y3 = y * y * y
            y = y * (y3 + 2.0 * ratio) / (2.0 * y3 + ratio)
            y3 = y * y * y
            y = y * (y3 + 2.0 * ratio) / (2.0 * y3 + ratio)
            w[AM + i] = k[_A0 + i] * (y * y)
            w[STATUS + i] = 0.0 if abs(x) < 0.3 else ASK_LIBRARY
    for i in range(LANES):
        t = w[T + i]
        tempa = 1.0 - k[_CC1 + i] * t
        em = k[_ECCO + i] + k[_DEDT + i] * t - k[_BCC4 + i] * t
        status = w[STATUS + i]
        status = 1.0 if (status == 0.0 and (em >= 1.0 or em < -0.001)) else status
        w[STATUS + i] = status + (BOUNCED if tempa <= 0.0 else 0.0)
        w[AM + i] *= tempa * tempa
        w[E + i] = 1.0e-6 if em < 1.0e-6 else em
        w[_INCL + i] = k[_INCLO + i] + k[_DIDT + i] * t
        w[_MM + i] += k[_NO + i] * (k[_T2COF + i] * t * t)


@njit(forceinline=True, **JIT)
def _body(k: Doubles, row: int, zm: float, ze: float) -> tuple[float, float, float, float, float]:
    """Long-period terms of one body whose mean anomaly is `zm`: eccentricity, inclination, longitude, gh, h."""
    s, _ = sincos(zm)
    sinzf, coszf = sincos(zm + 2.0 * ze * s)
    f2 = 0.5 * sinzf * sinzf - 0.25
    f3 = -0.5 * sinzf * coszf
    return (
        k[row + _E2] * f2 + k[row + _E3] * f3,
        k[row + _I2] * f2 + k[row + _I3] * f3,
        k[row + _L2] * f2 + k[row + _L3] * f3 + k[row + _L4] * sinzf,
        k[row + _GH2] * f2 + k[row + _GH3] * f3 + k[row + _GH4] * sinzf,
        k[row + _H2] * f2 + k[row + _H3] * f3,
    )


@njit(**JIT)
def _periodics(k: Doubles, w: Doubles) -> int:
    """Add the long-period terms of Sun and Moon (`dpper`), then those of J3; returns the level of eccentricity."""
    oval, long = 0, 0
    for i in range(LANES):
        t = w[T + i]
        se, si, sl, sgh, sh = _body(k, _SUN + i, k[_ZMOS + i] + ZNS * t, ZES)
        me, mi, ml, mgh, mh = _body(k, _MOON + i, k[_ZMOL + i] + ZNL * t, ZEL)
        pinc, ph, pgh = si + mi, sh + mh, sgh + mgh
        ep = w[E + i] + (se + me)
        incl = w[_INCL + i] + pinc
        node = w[NODE + i]
        sini, cosi = sincos(incl)
        # Lyddane's variables below 0.2 rad. The change of the node is an arctangent; the part of the perigee's that
        # goes with the node itself needs the node as the library has it, in (-2 pi, 2 pi) with its sign.
        flat = incl < 0.2
        dnode_flat = _atan2(ph, sini + pinc * cosi)
        wrapped = node - np.trunc(node * 0.15915494309189535) * 6.283185307179586
        dnode = dnode_flat if flat else ph / sini
        dargp = pgh - cosi * dnode - (pinc * sini * wrapped if flat else 0.0)
        argp = w[_ARGP + i] + dargp
        mp = w[_MM + i] + (sl + ml)
        node = node + dnode
        # A negative inclination is the same plane with the node on the other side.
        under = incl < 0.0
        sini = -sini if under else sini
        node = node + 3.141592653589793 if under else node
        argp = argp - 3.141592653589793 if under else argp
        status = w[STATUS + i]
        # At 180 degrees 1 + cos i loses all its digits, and with them goes any agreement.
        code = ASK_LIBRARY if (ep > EXTREME or cosi < -0.9999) else 0.0
        code = 3.0 if (ep < 0.0 or ep > 1.0) else code
        w[STATUS + i] = status + code if (status == 0.0 or status == BOUNCED) else status
        sina, cosa = sincos(argp)
        temp = 1.0 / (w[AM + i] * (1.0 - ep * ep))
        below = 1.0 + cosi
        below = below if abs(below) > 1.5e-12 else 1.5e-12
        axnl = ep * cosa
        w[AXNL + i] = axnl
        w[AYNL + i] = ep * sina - temp * (0.5 * J3_OVER_J2) * sini
        w[U + i] = mp + argp - temp * (0.25 * J3_OVER_J2) * sini * (3.0 + 5.0 * cosi) / below * axnl
        w[NODE + i] = node
        w[_SINI + i] = sini
        w[_COSI + i] = cosi
        oval += 1 if ep > ROUND else 0
        long += 1 if ep > OVAL else 0
    return level(oval, long)


@njit(**JIT)
def deep_states(
    constants: Doubles,
    kinds: Wholes,
    epoch_min: Doubles,
    columns: Wholes,
    counts: Wholes,
    offsets_min: Doubles,
    rv: Doubles,
    status: Bytes,
) -> None:
    """States of deep-space tiles, as `near_states`; constants in the order of DEEP_ROWS; kinds (tiles,): 0, 1 or 2."""
    w = np.zeros(_WORK_ROWS * LANES)
    incl = w[_SINI : _SINI + 2 * LANES]
    for tile in range(len(counts)):
        k = constants[tile]
        kind = kinds[tile]
        limit = k[_LIMIT : _LIMIT + LANES]
        start = epoch_min[tile]
        if kind != 0:
            _at_epoch(k, kind, w)
        for j in range(len(offsets_min)):
            offset = offsets_min[j]
            for i in range(LANES):
                w[T + i] = start[i] + offset
            _secular(k, kind, w)
            solve(incl, limit, _periodics(k, w), w)
            scatter(w, columns[tile], counts[tile], rv[j], status[j])
