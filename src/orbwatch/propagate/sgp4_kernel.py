"""Near-Earth SGP4, compiled: tiles of 64 objects, every inner loop branch-free over the tile so that it vectorises.

The equations are those of `sgp4` in Vallado, Crawford, Hujsak & Kelso 2006 (AIAA 2006-6753). Rows of a tile (`k`, its
constants; `w`, its workspace) lie end to end in one flat array and are reached by constant offsets: so LLVM can prove
that they do not overlap. Angles are reduced only inside sine and cosine.
"""

# Compiled with constants c35a2b80, sdp4_init dac91061, sgp4_init bbb80c61; renewed by tests/kernel_stamps.py
from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from orbwatch.constants import WGS72_RADIUS_KM
from orbwatch.propagate.sdp4_init import XKE
from orbwatch.propagate.sgp4_init import J2

Doubles = NDArray[np.float64]
Wholes = NDArray[np.int64]
Bytes = NDArray[np.uint8]

LANES = 64
# numba renews its cache by file: after a change here, touch the kernels that import from this one (sdp4_kernel).
JIT: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}

NEAR_ROWS = (
    "sinio", "cosio", "mo", "mdot", "argpo", "argpdot", "nodeo", "nodedot", "nodecf", "cc1", "bcc4", "t2cof",
    "omgcof", "eta", "xmcof", "delmo", "sinmao", "bcc5", "d2", "d3", "d4", "t3cof", "t4cof", "t5cof",
    "ecco", "no", "a0", "aycof", "xlcof", "radius_limit",
)  # fmt: skip
(
    _SINIO, _COSIO, _MO, _MDOT, _ARGPO, _ARGPDOT, _NODEO, _NODEDOT, _NODECF, _CC1, _BCC4, _T2COF,
    _OMGCOF, _ETA, _XMCOF, _DELMO, _SINMAO, _BCC5, _D2, _D3, _D4, _T3COF, _T4COF, _T5COF,
    _ECCO, _NO, _A0, _AYCOF, _XLCOF, _LIMIT,
) = (i * LANES for i in range(len(NEAR_ROWS)))  # fmt: skip

# Rows of the workspace. The first six become x, y, z, vx, vy, vz.
T, U, AXNL, AYNL, AM, NODE, E, SINE, COSE, STATUS = (i * LANES for i in range(6, 16))
WORK_ROWS = 16

# Status beside the library's own error codes 1..6.
NOT_FINITE = 7
OUT_OF_RANGE = 8
ASK_LIBRARY = 255  # outside what the expansions here are good for: the caller asks the `sgp4` library instead

BOUNCED = 1000.0  # added to a status on its way: the drag polynomial has passed re-entry
ROUND, OVAL = 0.0045, 0.3  # below these eccentricities one or two steps solve Kepler's equation
EXTREME = 0.99  # above this one, rounding alone can make millimetres: the library is asked

_PI_1, _PI_2, _PI_3 = 3.1415926534682512, 1.2154201012607932e-10, 4.044532497591901e-21  # sum = pi; 33 bits in each
_KM_S = WGS72_RADIUS_KM * XKE / 60.0


@njit(forceinline=True, **JIT)
def sincos(x: float) -> tuple[float, float]:
    """Sine and cosine, absolute error < 3e-16 for |x| < 3e6: reduction to [-pi/2, pi/2] in three parts, minimax."""
    n = np.floor(x * 0.3183098861837907 + 0.5)
    r = ((x - n * _PI_1) - n * _PI_2) - n * _PI_3
    sign = 1.0 - 2.0 * (n - 2.0 * np.floor(0.5 * n))
    z = r * r
    s = -7.642711163386911e-13 + z * 2.718478035576837e-15
    s = -2.505210660522318e-08 + z * (1.6058927767339383e-10 + z * s)
    s = -0.00019841269841185862 + z * (2.755731920777084e-06 + z * s)
    s = -0.16666666666666666 + z * (0.008333333333333113 + z * s)
    c = -1.1463036341425076e-11 + z * 4.610261100751825e-14
    c = -2.755731652309903e-07 + z * (2.087656762920973e-09 + z * c)
    c = -0.001388888888878553 + z * (2.4801587279126885e-05 + z * c)
    c = -0.49999999999999983 + z * (0.04166666666666437 + z * c)
    return sign * (r + r * z * s), sign * (1.0 + z * c)


@njit(forceinline=True, **JIT)
def turn(s: float, c: float, d: float) -> tuple[float, float]:
    """Sine and cosine of x + d from those of x, for |d| < 0.08 (error < 1e-16)."""
    z = d * d
    sd = d - d * z * (1.0 / 6.0 - z * (1.0 / 120.0 - z * (1.0 / 5040.0)))
    cd = z * (0.5 - z * (1.0 / 24.0 - z * (1.0 / 720.0 - z * (1.0 / 40320.0))))
    return s + (c * sd - s * cd), c - (s * sd + c * cd)


@njit(**JIT)
def _secular(k: Doubles, w: Doubles) -> int:
    """Gravity and drag at the times in `w[T]`; leaves what `solve` needs. Returns the level of eccentricity."""
    oval, long = 0, 0
    for i in range(LANES):
        t = w[T + i]
        t2 = t * t
        xmdf = k[_MO + i] + k[_MDOT + i] * t
        argpdf = k[_ARGPO + i] + k[_ARGPDOT + i] * t
        _, cosx = sincos(xmdf)
        delm = 1.0 + k[_ETA + i] * cosx
        temp = k[_OMGCOF + i] * t + k[_XMCOF + i] * (delm * delm * delm - k[_DELMO + i])
        mm = xmdf + temp
        argpm = argpdf - temp
        sinm, _ = sincos(mm)
        tempa = 1.0 - t * (k[_CC1 + i] + t * (k[_D2 + i] + t * (k[_D3 + i] + t * k[_D4 + i])))
        em = k[_ECCO + i] - k[_BCC4 + i] * t - k[_BCC5 + i] * (sinm - k[_SINMAO + i])
        templ = t2 * (k[_T2COF + i] + t * (k[_T3COF + i] + t * (k[_T4COF + i] + t * k[_T5COF + i])))
        bad = ASK_LIBRARY if em > EXTREME else 0.0
        bad = 1.0 if (em >= 1.0 or em < -0.001) else bad
        bounced = BOUNCED if tempa <= 0.0 else 0.0
        em = 1.0e-6 if em < 1.0e-6 else em
        am = k[_A0 + i] * tempa * tempa
        sina, cosa = sincos(argpm)
        temp = 1.0 / (am * (1.0 - em * em))
        axnl = em * cosa
        w[AXNL + i] = axnl
        w[AYNL + i] = em * sina + temp * k[_AYCOF + i]
        w[U + i] = mm + k[_NO + i] * templ + argpm + temp * k[_XLCOF + i] * axnl
        w[NODE + i] = k[_NODEO + i] + k[_NODEDOT + i] * t + k[_NODECF + i] * t2
        w[AM + i] = am
        w[STATUS + i] = bad + bounced
        oval += 1 if em > ROUND else 0
        long += 1 if em > OVAL else 0
    return level(oval, long)


@njit(forceinline=True, **JIT)
def level(oval: int, long: int) -> int:
    """How to solve Kepler's equation for a tile with so many lanes above ROUND and above OVAL: 0, 1 or 2."""
    return 2 if long > 0 else (1 if oval > 0 else 0)


@njit(forceinline=True, **JIT)
def _kepler_step(axnl: float, aynl: float, s: float, c: float, gone: float) -> float:
    """Correction of E by the inverse series to fifth order; s, c its sine and cosine, `gone` = E - u."""
    esine = axnl * s - aynl * c
    ecose = axnl * c + aynl * s
    g = 1.0 / (1.0 - ecose)
    h = (esine - gone) * g
    a2 = 0.5 * esine * g
    a3 = ecose * g * (1.0 / 6.0)
    a4 = -esine * g * (1.0 / 24.0)
    a22 = a2 * a2
    return h * (1.0 - h * (a2 - h * ((2.0 * a22 - a3) - h * (a2 * (5.0 * a22 - 5.0 * a3) + a4))))


@njit(**JIT)
def _kepler_once(w: Doubles) -> None:
    """One step from E = u: error < 1e-14 rad where e < ROUND (to which J3 adds up to 0.0012)."""
    for i in range(LANES):
        s, c = sincos(w[U + i])
        d = _kepler_step(w[AXNL + i], w[AYNL + i], s, c, 0.0)
        w[SINE + i], w[COSE + i] = turn(s, c, d)


@njit(**JIT)
def _kepler_twice(w: Doubles) -> None:
    """Two steps from E = u: error < 1e-14 rad where e < OVAL."""
    for i in range(LANES):
        u, axnl, aynl = w[U + i], w[AXNL + i], w[AYNL + i]
        s, c = sincos(u)
        gone = _kepler_step(axnl, aynl, s, c, 0.0)
        s, c = sincos(u + gone)
        w[SINE + i], w[COSE + i] = turn(s, c, _kepler_step(axnl, aynl, s, c, gone))


@njit(**JIT)
def _kepler_newton(w: Doubles) -> None:
    """Newton's method as in the library: from E = u, steps held to 0.95, at most ten."""
    for i in range(LANES):
        w[E + i] = w[U + i]
    for _ in range(10):
        going = 0
        for i in range(LANES):
            s, c = sincos(w[E + i])
            axnl, aynl = w[AXNL + i], w[AYNL + i]
            d = (w[U + i] - aynl * c + axnl * s - w[E + i]) / (1.0 - c * axnl - s * aynl)
            d = 0.95 if d >= 0.95 else d
            d = -0.95 if d <= -0.95 else d
            w[E + i] += d
            going += 1 if abs(d) >= 1.0e-12 else 0
            # Where it has converged, with the last step: the answer does not depend on the tile's other lanes.
            d = d if abs(d) < 1.0e-6 else 0.0
            w[SINE + i], w[COSE + i] = turn(s, c, d)
        if going == 0:
            break


@njit(**JIT)
def solve(incl: Doubles, limit: Doubles, shape: int, w: Doubles) -> None:
    """Kepler's equation, short-period terms, and the state into the first six rows of `w`; status into `w[STATUS]`.

    `incl`: sine, then cosine, of the inclination of each lane; `limit`: the greatest radius to believe; `shape`: the
    `level` of eccentricity.
    """
    if shape == 0:
        _kepler_once(w)
    elif shape == 1:
        _kepler_twice(w)
    else:
        _kepler_newton(w)
    for i in range(LANES):
        sine, cose, axnl, aynl, am = w[SINE + i], w[COSE + i], w[AXNL + i], w[AYNL + i], w[AM + i]
        sini, cosi = incl[i], incl[LANES + i]
        ecose = axnl * cose + aynl * sine
        esine = axnl * sine - aynl * cose
        betasq = 1.0 - (axnl * axnl + aynl * aynl)
        betal = np.sqrt(betasq)
        rootam = np.sqrt(am)
        # One division for four: 1/(1 - ecose), 1/(1 + betal), 1/sqrt(am), 1/pl.
        one = 1.0 - ecose
        two = 1.0 + betal
        pl = am * betasq
        inverse = 1.0 / ((one * two) * (rootam * pl))
        q = inverse * two * rootam * pl
        temp = esine * (inverse * one * rootam * pl)
        invroot = inverse * one * two * pl
        invpl = inverse * one * two * rootam
        sinu = q * (sine - aynl - axnl * temp)
        cosu = q * (cose - axnl + aynl * temp)
        sin2u = (cosu + cosu) * sinu
        cos2u = 1.0 - 2.0 * sinu * sinu
        temp1 = 0.5 * J2 * invpl
        temp2 = temp1 * invpl
        cosisq = cosi * cosi
        con41 = 3.0 * cosisq - 1.0
        x1mth2 = 1.0 - cosisq
        mrt = am * one * (1.0 - 1.5 * temp2 * betal * con41) + 0.5 * temp1 * x1mth2 * cos2u
        rate = temp1 * invroot * invroot * invroot  # temp1 * nm / xke
        mvt = esine * q * invroot - rate * x1mth2 * sin2u
        rvdot = betal * q * invroot + rate * (x1mth2 * cos2u + 1.5 * con41)
        sinsu, cossu = turn(sinu, cosu, -0.25 * temp2 * (7.0 * cosisq - 1.0) * sin2u)
        sinx, cosx = turn(sini, cosi, 1.5 * temp2 * cosi * sini * cos2u)
        snod, cnod = sincos(w[NODE + i] + 1.5 * temp2 * cosi * sin2u)
        xmx = -snod * cosx
        xmy = cnod * cosx
        ux = xmx * sinsu + cnod * cossu
        uy = xmy * sinsu + snod * cossu
        uz = sinx * sinsu
        mr = mrt * WGS72_RADIUS_KM
        mv = mvt * _KM_S
        rv = rvdot * _KM_S
        vx = mv * ux + rv * (xmx * cossu - cnod * sinsu)
        vy = mv * uy + rv * (xmy * cossu - snod * sinsu)
        vz = mv * uz + rv * (sinx * cossu)
        # The first of: the error codes in the library's order, not finite, then what is not to be believed.
        early = w[STATUS + i]
        total = mr * (ux + uy + uz) + (vx + vy + vz)
        late = OUT_OF_RANGE if (early >= BOUNCED or mrt > limit[i]) else 0.0
        late = NOT_FINITE if total - total != 0.0 else late
        late = 6.0 if mrt < 1.0 else late
        late = ASK_LIBRARY if temp2 > 0.045 else late
        late = 4.0 if pl < 0.0 else late
        early = early - BOUNCED if early >= BOUNCED else early
        status = late if early == 0.0 else early
        w[STATUS + i] = status
        w[i] = mr * ux if status == 0.0 else np.nan
        w[LANES + i] = mr * uy if status == 0.0 else np.nan
        w[2 * LANES + i] = mr * uz if status == 0.0 else np.nan
        w[3 * LANES + i] = vx if status == 0.0 else np.nan
        w[4 * LANES + i] = vy if status == 0.0 else np.nan
        w[5 * LANES + i] = vz if status == 0.0 else np.nan


@njit(**JIT)
def scatter(w: Doubles, columns: Wholes, count: int, rv: Doubles, status: Bytes) -> None:
    """Write the states of a tile into their columns of rv (6, n) and status (n,)."""
    for row in range(6):
        for i in range(count):
            rv[row, columns[i]] = w[row * LANES + i]
    for i in range(count):
        status[columns[i]] = np.uint8(w[STATUS + i])


@njit(**JIT)
def near_states(
    constants: Doubles,
    epoch_min: Doubles,
    columns: Wholes,
    counts: Wholes,
    offsets_min: Doubles,
    rv: Doubles,
    status: Bytes,
) -> None:
    """States of near-Earth tiles at `epoch_min` (tiles, LANES) + `offsets_min` (m,) minutes after their epochs.

    constants (tiles, rows * LANES) in the order of NEAR_ROWS; columns (tiles, LANES): where each lane goes in
    rv (m, 6, n) and status (m, n); counts (tiles,): lanes in use.
    """
    w = np.empty(WORK_ROWS * LANES)
    for tile in range(len(counts)):
        k = constants[tile]
        incl = k[_SINIO : _SINIO + 2 * LANES]
        limit = k[_LIMIT : _LIMIT + LANES]
        start = epoch_min[tile]
        for j in range(len(offsets_min)):
            offset = offsets_min[j]
            for i in range(LANES):
                w[T + i] = start[i] + offset
            solve(incl, limit, _secular(k, w), w)
            scatter(w, columns[tile], counts[tile], rv[j], status[j])
