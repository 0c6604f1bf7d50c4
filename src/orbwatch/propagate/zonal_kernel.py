"""Orbits in the zonal field J2 to J4 with their state transitions, compiled: tiles of objects, one in each lane.

Gravity is the gradient of U = mu/r (1 - sum J_n (R/r)^n P_n(s)), s = z/r, which with the derivatives of the Legendre
polynomials is a = alpha r + beta z^, alpha = mu/r^3 (-1 + sum J_n (R/r)^n P'_{n+1}(s)), beta = -mu/r^2 sum J_n (R/r)^n
P'_n(s) (Vallado 2013, section 8.7, in these terms). Its gradient is alpha I + D r^r^ + E (r^z^ + z^r^) + F z^z^, with
D = mu/r^3 (3 - sum J_n (R/r)^n P''_{n+2}), E = mu/r^3 sum J_n (R/r)^n P''_{n+1}, F = -mu/r^3 sum J_n (R/r)^n P''_n.

Steps are Nystrom's method of order 5 with four stages (Hairer, Norsett & Wanner 1993, Solving ODEs I, table II.14.2).
Transitions weigh differences, not positions: a step of order 3 and the gradient of J2 alone keep them good to
1e-4 over 50 minutes in LEO, where positions are good to 0.1 m.

A tile `w` is a flat array of `TILE` floats. Row k of it is `w[k * LANES : (k + 1) * LANES]`; rows 0-5 are x, y, z, vx,
vy, vz, rows 6 + 6 c + k are d(component k) / d(start's component c). Constant offsets let LLVM prove that rows do not
overlap, so the loops over lanes become vector instructions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

# EGM2008 (Pavlis et al. 2012, J. Geophys. Res. 117, B04406): J_n = -sqrt(2n + 1) C_n0.
MU_KM3_S2 = 398600.4415
RADIUS_KM = 6378.1363
J2, J3, J4 = 1.0826261738522e-3, -2.5324105185677e-6, -1.6198975999169e-6

LANES = 16  # at 8 LLVM unrolls some loops instead of making vectors
LONGEST_STEP_S = 60.0
LARGEST_TURN = 0.08  # h |v| / r of a step
SHORTEST_STEP_S = 1.0  # what falls into the Earth must not take forever
MOST_STEPS = 200_000

JIT: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}

_Y, _Z, _VX, _VY, _VZ = (k * LANES for k in range(1, 6))
PHI = 6 * LANES
LEFT = 42 * LANES  # seconds each lane still has to go
_STEP = 43 * LANES
_STAGE = 44 * LANES  # at 0 and 2/3 of the step: x, y, z, 1/r, then the six of the gravity gradient
_STAGE_ROWS = 10 * LANES
TILE = 64 * LANES

_K2 = J2 * RADIUS_KM**2
_K3 = J3 * RADIUS_KM**3
_K4 = J4 * RADIUS_KM**4


@njit(forceinline=True, **JIT)
def gravity(x: float, y: float, z: float) -> tuple[float, float, float, float]:
    """Acceleration (km/s2) at a position (km), and 1/r."""
    q = 1.0 / (x * x + y * y + z * z)
    u = np.sqrt(q)
    s2 = z * z * q
    k2 = _K2 * q
    k3 = _K3 * q * u * (z * u)  # odd terms take their factor s here
    k4 = _K4 * q * q
    g = MU_KM3_S2 * q * u
    alpha = g * (-1.0 + k2 * (7.5 * s2 - 1.5) + k3 * (17.5 * s2 - 7.5) + k4 * ((39.375 * s2 - 26.25) * s2 + 1.875))
    # beta with its factor z taken out of the even terms; J3's is even in s
    beta = -g * (z * (3.0 * k2 + k4 * (17.5 * s2 - 7.5)) + _K3 * q * (7.5 * s2 - 1.5))
    return alpha * x, alpha * y, alpha * z + beta, u


@njit(forceinline=True, **JIT)
def gradient(x: float, y: float, z: float, u: float) -> tuple[float, float, float, float, float, float]:
    """xx, xy, xz, yy, yz, zz of d(acceleration) / d(position), 1/s2, at a position with 1/r = u; J2 alone."""
    q = u * u
    s = z * u
    s2 = s * s
    k2 = _K2 * q
    g = MU_KM3_S2 * q * u
    a = g * (k2 * (7.5 * s2 - 1.5) - 1.0)
    d = g * (3.0 - k2 * (52.5 * s2 - 7.5))
    e = g * k2 * 15.0 * s
    f = -3.0 * g * k2
    ex, ey = x * u, y * u
    de = d * s + e
    return a + d * ex * ex, d * ex * ey, ex * de, a + d * ey * ey, ey * de, a + s * (de + e) + f


@njit(forceinline=True, **JIT)
def _keep(w: Doubles, at: int, x: float, y: float, z: float, u: float) -> None:
    w[at], w[at + LANES], w[at + 2 * LANES], w[at + 3 * LANES] = x, y, z, u


@njit(**JIT)
def _states(w: Doubles) -> None:
    """One step of each lane's state by its own `_STEP`; leaves the stages' positions."""
    for i in range(LANES):
        x, y, z = w[i], w[_Y + i], w[_Z + i]
        h = w[_STEP + i]
        dx, dy, dz = h * w[_VX + i], h * w[_VY + i], h * w[_VZ + i]
        h2 = h * h
        a1, b1, c1, u = gravity(x, y, z)
        _keep(w, _STAGE + i, x, y, z, u)
        p = x + 0.2 * dx + h2 * (0.02 * a1)
        q = y + 0.2 * dy + h2 * (0.02 * b1)
        r = z + 0.2 * dz + h2 * (0.02 * c1)
        a2, b2, c2, _ = gravity(p, q, r)
        p = x + 2.0 / 3.0 * dx + h2 * (-1.0 / 27.0 * a1 + 7.0 / 27.0 * a2)
        q = y + 2.0 / 3.0 * dy + h2 * (-1.0 / 27.0 * b1 + 7.0 / 27.0 * b2)
        r = z + 2.0 / 3.0 * dz + h2 * (-1.0 / 27.0 * c1 + 7.0 / 27.0 * c2)
        a3, b3, c3, u = gravity(p, q, r)
        _keep(w, _STAGE + _STAGE_ROWS + i, p, q, r, u)
        p = x + dx + h2 * (0.3 * a1 - 2.0 / 35.0 * a2 + 9.0 / 35.0 * a3)
        q = y + dy + h2 * (0.3 * b1 - 2.0 / 35.0 * b2 + 9.0 / 35.0 * b3)
        r = z + dz + h2 * (0.3 * c1 - 2.0 / 35.0 * c2 + 9.0 / 35.0 * c3)
        a4, b4, c4, _ = gravity(p, q, r)
        w[i] = x + dx + h2 * (14.0 * a1 + 100.0 * a2 + 54.0 * a3) * (1.0 / 336.0)
        w[_Y + i] = y + dy + h2 * (14.0 * b1 + 100.0 * b2 + 54.0 * b3) * (1.0 / 336.0)
        w[_Z + i] = z + dz + h2 * (14.0 * c1 + 100.0 * c2 + 54.0 * c3) * (1.0 / 336.0)
        w[_VX + i] += h * (14.0 * a1 + 125.0 * a2 + 162.0 * a3 + 35.0 * a4) * (1.0 / 336.0)
        w[_VY + i] += h * (14.0 * b1 + 125.0 * b2 + 162.0 * b3 + 35.0 * b4) * (1.0 / 336.0)
        w[_VZ + i] += h * (14.0 * c1 + 125.0 * c2 + 162.0 * c3 + 35.0 * c4) * (1.0 / 336.0)


@njit(forceinline=True, **JIT)
def _gradients(w: Doubles, stage: int) -> None:
    at = _STAGE + stage * _STAGE_ROWS
    for i in range(LANES):
        xx, xy, xz, yy, yz, zz = gradient(w[at + i], w[at + LANES + i], w[at + 2 * LANES + i], w[at + 3 * LANES + i])
        w[at + 4 * LANES + i] = xx
        w[at + 5 * LANES + i] = xy
        w[at + 6 * LANES + i] = xz
        w[at + 7 * LANES + i] = yy
        w[at + 8 * LANES + i] = yz
        w[at + 9 * LANES + i] = zz


@njit(forceinline=True, **JIT)
def _pull(w: Doubles, at: int, x: float, y: float, z: float) -> tuple[float, float, float]:
    """The gradient kept at `at`, times a vector."""
    xx, xy, xz = w[at + 4 * LANES], w[at + 5 * LANES], w[at + 6 * LANES]
    yy, yz, zz = w[at + 7 * LANES], w[at + 8 * LANES], w[at + 9 * LANES]
    return xx * x + xy * y + xz * z, xy * x + yy * y + yz * z, xz * x + yz * y + zz * z


@njit(forceinline=True, **JIT)
def _column(w: Doubles, column: int) -> None:
    """One column of the transitions: Nystrom's step of order 3 on two of the stages, at 0 and 2/3."""
    at = PHI + 6 * column * LANES
    for i in range(LANES):
        k = at + i
        x, y, z = w[k], w[k + _Y], w[k + _Z]
        h = w[_STEP + i]
        dx, dy, dz = h * w[k + _VX], h * w[k + _VY], h * w[k + _VZ]
        h2 = h * h
        a1, b1, c1 = _pull(w, _STAGE + i, x, y, z)
        p = x + 2.0 / 3.0 * dx + h2 * (2.0 / 9.0 * a1)
        q = y + 2.0 / 3.0 * dy + h2 * (2.0 / 9.0 * b1)
        r = z + 2.0 / 3.0 * dz + h2 * (2.0 / 9.0 * c1)
        a2, b2, c2 = _pull(w, _STAGE + _STAGE_ROWS + i, p, q, r)
        w[k] = x + dx + h2 * (0.25 * (a1 + a2))
        w[k + _Y] = y + dy + h2 * (0.25 * (b1 + b2))
        w[k + _Z] = z + dz + h2 * (0.25 * (c1 + c2))
        w[k + _VX] += h * (0.25 * a1 + 0.75 * a2)
        w[k + _VY] += h * (0.25 * b1 + 0.75 * b2)
        w[k + _VZ] += h * (0.25 * c1 + 0.75 * c2)


@njit(**JIT)
def _transitions(w: Doubles) -> None:
    _gradients(w, 0)
    _gradients(w, 1)
    _column(w, 0)
    _column(w, 1)
    _column(w, 2)
    _column(w, 3)
    _column(w, 4)
    _column(w, 5)


@njit(forceinline=True, **JIT)
def _choose_steps(w: Doubles) -> int:
    """Equal parts of what is left that are short enough here; how many lanes still go."""
    going = 0
    for i in range(LANES):
        x, y, z, vx, vy, vz = w[i], w[_Y + i], w[_Z + i], w[_VX + i], w[_VY + i], w[_VZ + i]
        turn = np.sqrt((vx * vx + vy * vy + vz * vz) / (x * x + y * y + z * z)) * (1.0 / LARGEST_TURN)
        turn = 1.0 / LONGEST_STEP_S if turn < 1.0 / LONGEST_STEP_S else turn
        turn = 1.0 / SHORTEST_STEP_S if turn > 1.0 / SHORTEST_STEP_S else turn
        left = w[LEFT + i]
        parts = np.ceil(abs(left) * turn - 1e-9)
        parts = parts if parts >= 1.0 else 1.0  # a state that is NaN goes there at once
        h = left / parts
        w[_STEP + i] = h
        w[LEFT + i] = 0.0 if parts == 1.0 else left - h
        going += 1 if left != 0.0 else 0
    return going


@njit(**JIT)
def advance_tile(w: Doubles) -> None:
    """Move each lane's state by its `LEFT` seconds (any sign, finite), which become zero."""
    for _ in range(MOST_STEPS):
        if _choose_steps(w) == 0:
            return
        _states(w)


@njit(**JIT)
def advance_tile_stm(w: Doubles) -> None:
    """`advance_tile` with the transitions, which must have been started (`start_tile_stm`)."""
    for _ in range(MOST_STEPS):
        if _choose_steps(w) == 0:
            return
        _states(w)
        _transitions(w)


@njit(**JIT)
def start_tile_stm(w: Doubles) -> None:
    """Transitions become the identity."""
    for k in range(36 * LANES):
        w[PHI + k] = 0.0
    for c in range(6):
        for i in range(LANES):
            w[PHI + 7 * c * LANES + i] = 1.0


@njit(**JIT)
def load_tile(w: Doubles, rv: Doubles, first: int) -> None:
    """Rows first, first + 1 ... of rv (n, 6) into the lanes; lanes beyond the end repeat the last row."""
    for i in range(LANES):
        j = min(first + i, len(rv) - 1)
        for k in range(6):
            w[k * LANES + i] = rv[j, k]
        w[LEFT + i] = 0.0


@njit(**JIT)
def propagate_rows(rv: Doubles, offsets_s: Doubles, begin: int, end: int, out: Doubles, stm: Doubles) -> None:
    """States of objects begin..end (rows of rv (n, 6)) at offsets_s (n, m), sorted in each row away from zero in each
    direction as given, negative ones going down first; out (n, m, 6), stm (n, m, 6, 6) or of no size. NaN: NaN."""
    w = np.empty(TILE)
    partials = stm.size > 0
    m = offsets_s.shape[1]
    now = np.empty(LANES)
    for first in range(begin, end, LANES):
        lanes = min(LANES, end - first)
        for forward in range(2):
            load_tile(w, rv, first)
            now[:] = 0.0
            if partials:
                start_tile_stm(w)
            for step in range(m):
                j = step if forward == 1 else m - 1 - step
                for i in range(lanes):
                    t = offsets_s[first + i, j]
                    mine = t >= 0.0 if forward == 1 else t < 0.0
                    w[LEFT + i] = t - now[i] if mine else 0.0
                    now[i] = t if mine else now[i]
                if partials:
                    advance_tile_stm(w)
                else:
                    advance_tile(w)
                for i in range(lanes):
                    t = offsets_s[first + i, j]
                    if not (t >= 0.0 if forward == 1 else t < 0.0):
                        continue
                    for k in range(6):
                        out[first + i, j, k] = w[k * LANES + i]
                    if partials:
                        for c in range(6):
                            for k in range(6):
                                stm[first + i, j, k, c] = w[PHI + (6 * c + k) * LANES + i]
