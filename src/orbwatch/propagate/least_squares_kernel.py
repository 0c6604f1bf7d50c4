"""Weighted least squares of an orbit through a short arc of positions, compiled: tiles of arcs, one in each lane.

Gauss-Newton with the variational equations (Tapley, Schutz & Born 2004, section 4.3; Montenbruck & Gill 2000, section
8.1). Without a guess it begins where `arc_start_kernel` says.

Lanes never influence each other: an arc's result is the same alone and beside any others.
"""

# Compiled with arc_kernel d41a61a3, arc_start_kernel fb3e09e4, zonal_kernel 38668f33; renewed by tests/kernel_stamps.py
from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from orbwatch.propagate.arc_kernel import (
    ARC,
    ARC_ROWS,
    CHI2,
    DONE,
    FEWEST,
    GRADIENT,
    MOVE,
    NORMAL,
    SEEN,
    SPAN,
    START,
    Wholes,
    factor,
    load,
    solve,
    take,
)
from orbwatch.propagate.arc_start_kernel import first_guess
from orbwatch.propagate.zonal_kernel import (
    JIT,
    LANES,
    LEFT,
    MU_KM3_S2,
    PHI,
    Doubles,
    advance_tile_stm,
    start_tile_stm,
)

Bytes = NDArray[np.uint8]

OK, TOO_FEW, NOT_CONVERGED, NOT_AN_ORBIT = 0, 1, 2, 3
LOWEST_KM = 6378.0

_TOLERANCE = 1e-3  # formal sigmas that may be left after the last step
_MOST_ROUNDS = 15
_BEND = 10.0  # how fast partials change: relative change per relative displacement of the arc
_LONGEST_MOVE = 0.2  # of a step, relative to r


@njit(forceinline=True, **JIT)
def _add_column(w: Doubles, c: int) -> None:
    at = PHI + 6 * c * LANES
    n = NORMAL + 6 * c * LANES
    for i in range(LANES):
        weight = w[SEEN + 4 * LANES + i]
        weight *= weight
        x, y, z = weight * w[at + i], weight * w[at + LANES + i], weight * w[at + 2 * LANES + i]
        dx, dy, dz = (
            w[SEEN + LANES + i] - w[i],
            w[SEEN + 2 * LANES + i] - w[LANES + i],
            w[SEEN + 3 * LANES + i] - w[2 * LANES + i],
        )
        w[GRADIENT + c * LANES + i] += x * dx + y * dy + z * dz
        for d in range(c + 1):
            k = PHI + 6 * d * LANES + i
            w[n + d * LANES + i] += x * w[k] + y * w[k + LANES] + z * w[k + 2 * LANES]


@njit(**JIT)
def _add_position(w: Doubles) -> None:
    """One position's part of the normal equations and of chi-square."""
    for i in range(LANES):
        dx, dy, dz = (
            w[SEEN + LANES + i] - w[i],
            w[SEEN + 2 * LANES + i] - w[LANES + i],
            w[SEEN + 3 * LANES + i] - w[2 * LANES + i],
        )
        weight = w[SEEN + 4 * LANES + i]
        w[CHI2 + i] += weight * weight * (dx * dx + dy * dy + dz * dz)
    _add_column(w, 0)
    _add_column(w, 1)
    _add_column(w, 2)
    _add_column(w, 3)
    _add_column(w, 4)
    _add_column(w, 5)


@njit(**JIT)
def _linearise(w: Doubles, k: int) -> None:
    """Normal equations about START."""
    w[: 6 * LANES] = w[START : START + 6 * LANES]
    w[NORMAL : NORMAL + 42 * LANES] = 0.0
    w[CHI2 : CHI2 + LANES] = 0.0
    start_tile_stm(w)
    for j in range(k):
        at = ARC + j * ARC_ROWS
        before = at - ARC_ROWS
        for i in range(LANES):
            w[LEFT + i] = w[at + i] - (w[before + i] if j > 0 else 0.0)
        take(w, j)
        advance_tile_stm(w)
        _add_position(w)


@njit(**JIT)
def _step(w: Doubles) -> int:
    """Move START of the lanes that are not done by their solution; how many are still not done."""
    factor(w, 6)
    w[MOVE : MOVE + 6 * LANES] = w[GRADIENT : GRADIENT + 6 * LANES]
    solve(w, MOVE, 6)
    going = 0
    for i in range(LANES):
        if w[DONE + i] != 0.0:
            continue
        gain, dr2, dv2, r2 = 0.0, 0.0, 0.0, 0.0
        for k in range(3):
            dr, dv, r = w[MOVE + k * LANES + i], w[MOVE + (3 + k) * LANES + i], w[START + k * LANES + i]
            gain += dr * w[GRADIENT + k * LANES + i] + dv * w[GRADIENT + (3 + k) * LANES + i]
            dr2, dv2, r2 = dr2 + dr * dr, dv2 + dv * dv, r2 + r * r
        moved = (np.sqrt(dr2) + w[SPAN + i] * np.sqrt(dv2)) / np.sqrt(r2)
        short = min(1.0, _LONGEST_MOVE / moved) if moved > 0.0 else 1.0
        for k in range(6):
            w[START + k * LANES + i] += short * w[MOVE + k * LANES + i]
        if not np.isfinite(moved) or gain < 0.0:
            w[DONE + i] = 2.0
        elif short == 1.0 and _BEND * moved * np.sqrt(gain) < _TOLERANCE:
            w[DONE + i] = 1.0
            w[CHI2 + i] -= gain
        else:
            going += 1
    return going


@njit(**JIT)
def _invert(w: Doubles, i: int, cov: Doubles) -> None:
    """Inverse of one lane's factored matrix into cov (6, 6)."""
    low = np.zeros((6, 6))
    for c in range(6):
        low[c, c] = w[NORMAL + 7 * c * LANES + i]
        for r in range(c + 1, 6):
            total = 0.0
            for k in range(c, r):
                total += w[NORMAL + (6 * r + k) * LANES + i] * low[k, c]
            low[r, c] = -total * w[NORMAL + 7 * r * LANES + i]
    for r in range(6):
        for c in range(r + 1):
            total = 0.0
            for k in range(r, 6):
                total += low[k, r] * low[k, c]
            cov[r, c] = total
            cov[c, r] = total


@njit(**JIT)
def fit_rows(
    t_s: Doubles,
    r_km: Doubles,
    sigma_km: Doubles,
    guess: Doubles,
    begin: int,
    end: int,
    rv: Doubles,
    cov: Doubles,
    rms: Doubles,
    count: Wholes,
    status: Bytes,
) -> None:
    """Fit arcs begin..end: t_s (n, k) ascending, r_km (n, k, 3), sigma_km (n, k), guess (n, 6) (NaN: none).

    Fills rv (n, 6), cov (n, 6, 6), rms, count and status (n,). NaN where status is not 0.
    """
    k = t_s.shape[1]
    w = np.zeros(ARC + k * ARC_ROWS)
    seen = np.empty(LANES, np.int64)
    held = np.empty((LANES, 6, 6))
    for first in range(begin, end, LANES):
        lanes = min(LANES, end - first)
        load(w, t_s, r_km, sigma_km, first, lanes, seen)
        cold = False
        for i in range(LANES):
            w[DONE + i] = 3.0 if (seen[i] < FEWEST or i >= lanes) else 0.0
            cold = cold or (w[DONE + i] == 0.0 and not np.isfinite(guess[first + i, 0]))
        if cold:
            first_guess(w, k)
        for i in range(LANES):
            given = i < lanes and np.isfinite(guess[first + i, 0])
            for c in range(6):
                if given:
                    w[START + c * LANES + i] = guess[first + i, c]
                if w[DONE + i] != 0.0:
                    w[START + c * LANES + i] = 7000.0 if c == 0 else (7.5 if c == 4 else 0.0)
        for _ in range(_MOST_ROUNDS):
            before = w[DONE : DONE + LANES].copy()
            chi2 = w[CHI2 : CHI2 + LANES].copy()
            _linearise(w, k)
            going = _step(w)
            for i in range(LANES):
                if before[i] != 0.0:
                    w[CHI2 + i] = chi2[i]
                elif w[DONE + i] == 1.0:
                    _invert(w, i, held[i])
            if going == 0:
                break
        for i in range(lanes):
            _finish(w, i, seen[i], first + i, held[i], rv, cov, rms, count, status)


@njit(**JIT)
def _finish(
    w: Doubles,
    i: int,
    seen: int,
    row: int,
    held: Doubles,
    rv: Doubles,
    cov: Doubles,
    rms: Doubles,
    count: Wholes,
    status: Bytes,
) -> None:
    count[row] = seen
    state = OK
    if seen < FEWEST:
        state = TOO_FEW
    elif w[DONE + i] != 1.0:
        state = NOT_CONVERGED
    else:
        r2, v2 = 0.0, 0.0
        for c in range(3):
            r2 += w[START + c * LANES + i] ** 2
            v2 += w[START + (3 + c) * LANES + i] ** 2
        if r2 < LOWEST_KM**2 or 0.5 * v2 >= MU_KM3_S2 / np.sqrt(r2):
            state = NOT_AN_ORBIT
    status[row] = state
    good = state == OK
    for c in range(6):
        rv[row, c] = w[START + c * LANES + i] if good else np.nan
        for d in range(6):
            cov[row, c, d] = held[c, d] if good else np.nan
    freedom = 3 * seen - 6
    rms[row] = np.sqrt(max(w[CHI2 + i], 0.0) / freedom) if good and freedom > 0 else (1.0 if good else np.nan)
