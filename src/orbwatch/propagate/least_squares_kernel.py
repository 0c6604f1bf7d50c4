"""Weighted least squares of an orbit through a short arc of positions, compiled: tiles of arcs, one in each lane.

Gauss-Newton with the variational equations (Tapley, Schutz & Born 2004, section 4.3; Montenbruck & Gill 2000, section
8.1). A start without a guess comes from a polynomial of degree 5 through the positions, whose accelerations, integrated
twice, leave a straight line to be fitted (Picard's method; two rounds): closer than the noise for most arcs.

Lanes never influence each other: an arc's result is the same alone and beside any others.
"""

# Compiled with zonal_kernel 23c95c41; renewed by tests/kernel_stamps.py
from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from orbwatch.propagate.zonal_kernel import (
    JIT,
    LANES,
    LEFT,
    MU_KM3_S2,
    PHI,
    TILE,
    Doubles,
    advance_tile,
    advance_tile_stm,
    gravity,
    start_tile_stm,
)

Bytes = NDArray[np.uint8]
Wholes = NDArray[np.int64]

OK, TOO_FEW, NOT_CONVERGED, NOT_AN_ORBIT = 0, 1, 2, 3
FEWEST = 4
LOWEST_KM = 6378.0

_TOLERANCE = 1e-3  # formal sigmas that may be left after the last step
_MOST_ROUNDS = 15
_BEND = 10.0  # how fast partials change: relative change per relative displacement of the arc
_LONGEST_MOVE = 0.2  # of a step, relative to r

# Rows after the tile's own. Normal equations first.
_N = TILE
_B = _N + 36 * LANES
_SEEN = _B + 6 * LANES  # one position: t, x, y, z, 1/sigma (0: missing)
_START = _SEEN + 5 * LANES  # state at the epoch that the partials belong to
_MOVE = _START + 6 * LANES
_CHI2 = _MOVE + 6 * LANES
_SPAN = _CHI2 + LANES  # of the arc with the epoch, s
_DONE = _SPAN + LANES
_LATEST = _DONE + LANES  # time of the latest position, s
_HALF = _LATEST + LANES  # the arc's half length, s; the start's time tau runs from -1 to 1 in it
_LIGHT = _HALF + LANES  # the smallest sigma
_BASE = _LIGHT + LANES  # weighted Chebyshev polynomials at one position
_RIGHT = _BASE + 6 * LANES  # right sides, then coefficients, six for each axis; so the next two
_NODE = _RIGHT + 18 * LANES  # positions, then accelerations, at the Chebyshev points
_FALL = _NODE + 18 * LANES  # acceleration in powers of tau, integrated twice
_SUM = _FALL + 18 * LANES
_LINE = _SUM + 9 * LANES
_ARC = _LINE + 6 * LANES  # per position, latest first: rows as of _SEEN
_ARC_ROWS = 5 * LANES

# Chebyshev points, the polynomials there, and from values there to coefficients of powers.
DEGREE = 5
_POINTS = np.cos(np.pi * (np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1))
_AT_POINTS = np.polynomial.chebyshev.chebvander(_POINTS, DEGREE)
_TWICE = np.arange(1.0, DEGREE + 2) * np.arange(2.0, DEGREE + 3)
_TO_FALL = np.linalg.inv(np.vander(_POINTS, increasing=True)) / _TWICE[:, None]
_RIDGE = 1e-9  # too few positions for the degree: the smallest polynomial through them


@njit(**JIT)
def _factor(w: Doubles, size: int) -> None:
    """Cholesky factor L of each lane's matrix at _N (row r, column c at r * 6 + c), in its lower half; 1/L on the
    diagonal. A matrix that is not positive definite gives NaN."""
    for c in range(size):
        for r in range(c, size):
            at = _N + (6 * r + c) * LANES
            for k in range(c):
                a, b = _N + (6 * r + k) * LANES, _N + (6 * c + k) * LANES
                for i in range(LANES):
                    w[at + i] -= w[a + i] * w[b + i]
        top = _N + 7 * c * LANES
        for i in range(LANES):
            w[top + i] = 1.0 / np.sqrt(w[top + i]) if w[top + i] > 0.0 else np.nan
        for r in range(c + 1, size):
            at = _N + (6 * r + c) * LANES
            for i in range(LANES):
                w[at + i] *= w[top + i]


@njit(**JIT)
def _solve(w: Doubles, at: int, size: int) -> None:
    """The vector in rows from `at` becomes the solution of the factored equations."""
    for r in range(size):
        for k in range(r):
            for i in range(LANES):
                w[at + r * LANES + i] -= w[_N + (6 * r + k) * LANES + i] * w[at + k * LANES + i]
        for i in range(LANES):
            w[at + r * LANES + i] *= w[_N + 7 * r * LANES + i]
    for r in range(size - 1, -1, -1):
        for k in range(r + 1, size):
            for i in range(LANES):
                w[at + r * LANES + i] -= w[_N + (6 * k + r) * LANES + i] * w[at + k * LANES + i]
        for i in range(LANES):
            w[at + r * LANES + i] *= w[_N + 7 * r * LANES + i]


@njit(**JIT)
def _load(w: Doubles, t_s: Doubles, r_km: Doubles, sigma_km: Doubles, first: int, lanes: int, count: Wholes) -> None:
    """Positions latest first into the lanes; missing ones weigh nothing."""
    k = t_s.shape[1]
    for i in range(LANES):
        seen, previous, span = 0, 0.0, 0.0
        row = first + min(i, lanes - 1)
        for j in range(k):
            p = k - 1 - j
            t, sigma = t_s[row, p], sigma_km[row, p]
            x, y, z = r_km[row, p, 0], r_km[row, p, 1], r_km[row, p, 2]
            there = np.isfinite(t + x + y + z) and sigma > 0.0 and sigma < np.inf
            if there and seen == 0:
                w[_LATEST + i] = t
            previous = t if np.isfinite(t) else previous  # steps fall together with other lanes' steps
            at = _ARC + j * _ARC_ROWS + i
            w[at] = previous
            w[at + LANES] = x if there else 0.0
            w[at + 2 * LANES] = y if there else 0.0
            w[at + 3 * LANES] = z if there else 0.0
            w[at + 4 * LANES] = 1.0 / sigma if there else 0.0
            seen += 1 if there else 0
            span = max(span, abs(t)) if there else span
        count[i] = seen
        w[_SPAN + i] = span


@njit(forceinline=True, **JIT)
def _take(w: Doubles, j: int) -> None:
    for k in range(_ARC_ROWS):
        w[_SEEN + k] = w[_ARC + j * _ARC_ROWS + k]


@njit(forceinline=True, **JIT)
def _add_power(w: Doubles, r: int) -> None:
    for i in range(LANES):
        b = w[_BASE + r * LANES + i]
        for c in range(r + 1):
            w[_N + (6 * r + c) * LANES + i] += b * w[_BASE + c * LANES + i]
        b *= w[_BASE + i]
        w[_RIGHT + r * LANES + i] += b * w[_SEEN + LANES + i]
        w[_RIGHT + (6 + r) * LANES + i] += b * w[_SEEN + 2 * LANES + i]
        w[_RIGHT + (12 + r) * LANES + i] += b * w[_SEEN + 3 * LANES + i]


@njit(**JIT)
def _polynomials(w: Doubles, k: int) -> None:
    """Coefficients of each lane's polynomials in Chebyshev's, into _RIGHT."""
    w[_N : _N + 36 * LANES] = 0.0
    w[_RIGHT : _RIGHT + 18 * LANES] = 0.0
    for j in range(k):
        _take(w, j)
        for i in range(LANES):
            tau = (w[_SEEN + i] - w[_LATEST + i]) / w[_HALF + i] + 1.0
            b0 = w[_SEEN + 4 * LANES + i] * w[_LIGHT + i]
            b1 = b0 * tau
            b2 = 2.0 * tau * b1 - b0
            b3 = 2.0 * tau * b2 - b1
            b4 = 2.0 * tau * b3 - b2
            w[_BASE + i], w[_BASE + LANES + i], w[_BASE + 2 * LANES + i] = b0, b1, b2
            w[_BASE + 3 * LANES + i], w[_BASE + 4 * LANES + i] = b3, b4
            w[_BASE + 5 * LANES + i] = 2.0 * tau * b4 - b3
        _add_power(w, 0)
        _add_power(w, 1)
        _add_power(w, 2)
        _add_power(w, 3)
        _add_power(w, 4)
        _add_power(w, 5)
    for r in range(DEGREE + 1):
        for i in range(LANES):
            w[_N + 7 * r * LANES + i] += _RIDGE
    _factor(w, DEGREE + 1)
    for axis in range(3):
        _solve(w, _RIGHT + 6 * axis * LANES, DEGREE + 1)


@njit(**JIT)
def _mix(w: Doubles, matrix: Doubles, source: int, target: int) -> None:
    """Six rows for each axis become the matrix times them."""
    for axis in range(3):
        for m in range(DEGREE + 1):
            for i in range(LANES):
                total = 0.0
                for c in range(DEGREE + 1):
                    total += matrix[m, c] * w[source + (6 * axis + c) * LANES + i]
                w[target + (6 * axis + m) * LANES + i] = total


@njit(forceinline=True, **JIT)
def _fallen(w: Doubles, axis: int, i: int, tau: float) -> float:
    """The fall along an axis by tau, from rest at 0."""
    at = _FALL + 6 * axis * LANES + i
    total = w[at + 4 * LANES] + tau * w[at + 5 * LANES]
    total = w[at + 2 * LANES] + tau * (w[at + 3 * LANES] + tau * total)
    return tau * tau * (w[at] + tau * (w[at + LANES] + tau * total))


@njit(**JIT)
def _place(w: Doubles, tau: float, at: int) -> None:
    """Positions on the lines, fallen, at tau: rows `at`, `at` + 6 and `at` + 12."""
    for axis in range(3):
        line = _LINE + 2 * axis * LANES
        for i in range(LANES):
            w[at + 6 * axis * LANES + i] = w[line + i] + w[line + LANES + i] * tau + _fallen(w, axis, i, tau)


@njit(**JIT)
def _line(w: Doubles, k: int) -> None:
    """Least-squares straight lines through the positions less the fall; _LINE: value and slope of each axis."""
    w[_SUM : _SUM + 9 * LANES] = 0.0
    for j in range(k):
        _take(w, j)
        for i in range(LANES):
            tau = (w[_SEEN + i] - w[_LATEST + i]) / w[_HALF + i] + 1.0
            weight = w[_SEEN + 4 * LANES + i] * w[_LIGHT + i]
            weight *= weight
            x = weight * (w[_SEEN + LANES + i] - _fallen(w, 0, i, tau))
            y = weight * (w[_SEEN + 2 * LANES + i] - _fallen(w, 1, i, tau))
            z = weight * (w[_SEEN + 3 * LANES + i] - _fallen(w, 2, i, tau))
            w[_SUM + i] += weight
            w[_SUM + LANES + i] += weight * tau
            w[_SUM + 2 * LANES + i] += weight * tau * tau
            w[_SUM + 3 * LANES + i] += x
            w[_SUM + 4 * LANES + i] += x * tau
            w[_SUM + 5 * LANES + i] += y
            w[_SUM + 6 * LANES + i] += y * tau
            w[_SUM + 7 * LANES + i] += z
            w[_SUM + 8 * LANES + i] += z * tau
    for i in range(LANES):
        s0, s1, s2 = w[_SUM + i], w[_SUM + LANES + i], w[_SUM + 2 * LANES + i]
        down = 1.0 / (s0 * s2 - s1 * s1)
        for axis in range(3):
            a, b = w[_SUM + (3 + 2 * axis) * LANES + i], w[_SUM + (4 + 2 * axis) * LANES + i]
            w[_LINE + 2 * axis * LANES + i] = (s2 * a - s1 * b) * down
            w[_LINE + (2 * axis + 1) * LANES + i] = (s0 * b - s1 * a) * down


@njit(**JIT)
def _guess(w: Doubles, k: int) -> None:
    """Each lane's state at the epoch, from its positions, into _START."""
    for i in range(LANES):
        earliest, most = w[_LATEST + i], 0.0
        for j in range(k):
            at = _ARC + j * _ARC_ROWS + i
            weight = w[at + 4 * LANES]
            earliest = w[at] if weight > 0.0 else earliest
            most = max(most, weight)
        half = 0.5 * (w[_LATEST + i] - earliest)
        w[_HALF + i] = half if half > 0.0 else 1.0
        w[_LIGHT + i] = 1.0 / most if most > 0.0 else 0.0
    _polynomials(w, k)
    _mix(w, _AT_POINTS, _RIGHT, _NODE)
    for _ in range(2):
        for m in range(DEGREE + 1):
            at = _NODE + m * LANES
            for i in range(LANES):
                x, y, z, _u = gravity(w[at + i], w[at + 6 * LANES + i], w[at + 12 * LANES + i])
                h2 = w[_HALF + i] * w[_HALF + i]
                w[at + i], w[at + 6 * LANES + i], w[at + 12 * LANES + i] = h2 * x, h2 * y, h2 * z
        _mix(w, _TO_FALL, _NODE, _FALL)
        _line(w, k)
        for m in range(DEGREE + 1):
            _place(w, _POINTS[m], _NODE + m * LANES)
    _place(w, 1.0, _NODE)
    for axis in range(3):
        for i in range(LANES):
            speed = w[_LINE + (2 * axis + 1) * LANES + i]
            for c in range(DEGREE + 1):
                speed += (c + 2.0) * w[_FALL + (6 * axis + c) * LANES + i]
            w[axis * LANES + i] = w[_NODE + 6 * axis * LANES + i]
            w[(3 + axis) * LANES + i] = speed / w[_HALF + i]
    for i in range(LANES):
        w[LEFT + i] = -w[_LATEST + i]
    advance_tile(w)
    w[_START : _START + 6 * LANES] = w[: 6 * LANES]


@njit(**JIT)
def guess_rows(t_s: Doubles, r_km: Doubles, sigma_km: Doubles, begin: int, end: int, rv: Doubles) -> None:
    """Starts only: states at the epoch of arcs begin..end into rv (n, 6); NaN with fewer than four positions."""
    k = t_s.shape[1]
    w = np.zeros(_ARC + k * _ARC_ROWS)
    seen = np.empty(LANES, np.int64)
    for first in range(begin, end, LANES):
        lanes = min(LANES, end - first)
        _load(w, t_s, r_km, sigma_km, first, lanes, seen)
        _guess(w, k)
        for i in range(lanes):
            for c in range(6):
                rv[first + i, c] = w[_START + c * LANES + i] if seen[i] >= FEWEST else np.nan


@njit(forceinline=True, **JIT)
def _add_column(w: Doubles, c: int) -> None:
    at = PHI + 6 * c * LANES
    n = _N + 6 * c * LANES
    for i in range(LANES):
        weight = w[_SEEN + 4 * LANES + i]
        weight *= weight
        x, y, z = weight * w[at + i], weight * w[at + LANES + i], weight * w[at + 2 * LANES + i]
        dx, dy, dz = (
            w[_SEEN + LANES + i] - w[i],
            w[_SEEN + 2 * LANES + i] - w[LANES + i],
            w[_SEEN + 3 * LANES + i] - w[2 * LANES + i],
        )
        w[_B + c * LANES + i] += x * dx + y * dy + z * dz
        for d in range(c + 1):
            k = PHI + 6 * d * LANES + i
            w[n + d * LANES + i] += x * w[k] + y * w[k + LANES] + z * w[k + 2 * LANES]


@njit(**JIT)
def _add_position(w: Doubles) -> None:
    """One position's part of the normal equations and of chi-square."""
    for i in range(LANES):
        dx, dy, dz = (
            w[_SEEN + LANES + i] - w[i],
            w[_SEEN + 2 * LANES + i] - w[LANES + i],
            w[_SEEN + 3 * LANES + i] - w[2 * LANES + i],
        )
        weight = w[_SEEN + 4 * LANES + i]
        w[_CHI2 + i] += weight * weight * (dx * dx + dy * dy + dz * dz)
    _add_column(w, 0)
    _add_column(w, 1)
    _add_column(w, 2)
    _add_column(w, 3)
    _add_column(w, 4)
    _add_column(w, 5)


@njit(**JIT)
def _linearise(w: Doubles, k: int) -> None:
    """Normal equations about _START."""
    w[: 6 * LANES] = w[_START : _START + 6 * LANES]
    w[_N : _N + 42 * LANES] = 0.0
    w[_CHI2 : _CHI2 + LANES] = 0.0
    start_tile_stm(w)
    for j in range(k):
        at = _ARC + j * _ARC_ROWS
        before = at - _ARC_ROWS
        for i in range(LANES):
            w[LEFT + i] = w[at + i] - (w[before + i] if j > 0 else 0.0)
        _take(w, j)
        advance_tile_stm(w)
        _add_position(w)


@njit(**JIT)
def _step(w: Doubles) -> int:
    """Move _START of the lanes that are not done by their solution; how many are still not done."""
    _factor(w, 6)
    w[_MOVE : _MOVE + 6 * LANES] = w[_B : _B + 6 * LANES]
    _solve(w, _MOVE, 6)
    going = 0
    for i in range(LANES):
        if w[_DONE + i] != 0.0:
            continue
        gain, dr2, dv2, r2 = 0.0, 0.0, 0.0, 0.0
        for k in range(3):
            dr, dv, r = w[_MOVE + k * LANES + i], w[_MOVE + (3 + k) * LANES + i], w[_START + k * LANES + i]
            gain += dr * w[_B + k * LANES + i] + dv * w[_B + (3 + k) * LANES + i]
            dr2, dv2, r2 = dr2 + dr * dr, dv2 + dv * dv, r2 + r * r
        moved = (np.sqrt(dr2) + w[_SPAN + i] * np.sqrt(dv2)) / np.sqrt(r2)
        short = min(1.0, _LONGEST_MOVE / moved) if moved > 0.0 else 1.0
        for k in range(6):
            w[_START + k * LANES + i] += short * w[_MOVE + k * LANES + i]
        if not np.isfinite(moved) or gain < 0.0:
            w[_DONE + i] = 2.0
        elif short == 1.0 and _BEND * moved * np.sqrt(gain) < _TOLERANCE:
            w[_DONE + i] = 1.0
            w[_CHI2 + i] -= gain
        else:
            going += 1
    return going


@njit(**JIT)
def _invert(w: Doubles, i: int, cov: Doubles) -> None:
    """Inverse of one lane's factored matrix into cov (6, 6)."""
    low = np.zeros((6, 6))
    for c in range(6):
        low[c, c] = w[_N + 7 * c * LANES + i]
        for r in range(c + 1, 6):
            total = 0.0
            for k in range(c, r):
                total += w[_N + (6 * r + k) * LANES + i] * low[k, c]
            low[r, c] = -total * w[_N + 7 * r * LANES + i]
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
    w = np.zeros(_ARC + k * _ARC_ROWS)
    seen = np.empty(LANES, np.int64)
    held = np.empty((LANES, 6, 6))
    for first in range(begin, end, LANES):
        lanes = min(LANES, end - first)
        _load(w, t_s, r_km, sigma_km, first, lanes, seen)
        cold = False
        for i in range(LANES):
            w[_DONE + i] = 3.0 if (seen[i] < FEWEST or i >= lanes) else 0.0
            cold = cold or (w[_DONE + i] == 0.0 and not np.isfinite(guess[first + i, 0]))
        if cold:
            _guess(w, k)
        for i in range(LANES):
            given = i < lanes and np.isfinite(guess[first + i, 0])
            for c in range(6):
                if given:
                    w[_START + c * LANES + i] = guess[first + i, c]
                if w[_DONE + i] != 0.0:
                    w[_START + c * LANES + i] = 7000.0 if c == 0 else (7.5 if c == 4 else 0.0)
        for _ in range(_MOST_ROUNDS):
            before = w[_DONE : _DONE + LANES].copy()
            chi2 = w[_CHI2 : _CHI2 + LANES].copy()
            _linearise(w, k)
            going = _step(w)
            for i in range(LANES):
                if before[i] != 0.0:
                    w[_CHI2 + i] = chi2[i]
                elif w[_DONE + i] == 1.0:
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
    elif w[_DONE + i] != 1.0:
        state = NOT_CONVERGED
    else:
        r2, v2 = 0.0, 0.0
        for c in range(3):
            r2 += w[_START + c * LANES + i] ** 2
            v2 += w[_START + (3 + c) * LANES + i] ** 2
        if r2 < LOWEST_KM**2 or 0.5 * v2 >= MU_KM3_S2 / np.sqrt(r2):
            state = NOT_AN_ORBIT
    status[row] = state
    good = state == OK
    for c in range(6):
        rv[row, c] = w[_START + c * LANES + i] if good else np.nan
        for d in range(6):
            cov[row, c, d] = held[c, d] if good else np.nan
    freedom = 3 * seen - 6
    rms[row] = np.sqrt(max(w[_CHI2 + i], 0.0) / freedom) if good and freedom > 0 else (1.0 if good else np.nan)
