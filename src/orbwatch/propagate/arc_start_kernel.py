"""A first orbit through each short arc of positions, compiled: tiles of arcs, one in each lane.

A polynomial of degree 5 through the positions gives accelerations, which, integrated twice, leave a straight line to be
fitted (Picard's method; two rounds): closer than the noise for most arcs.
"""

# Compiled with arc_kernel d41a61a3, zonal_kernel 38668f33; renewed by tests/kernel_stamps.py
from __future__ import annotations

import numpy as np
from numba import njit

from orbwatch.propagate.arc_kernel import (
    ARC,
    ARC_ROWS,
    BASE,
    FALL,
    FEWEST,
    HALF,
    LATEST,
    LIGHT,
    LINE,
    NODE,
    NORMAL,
    RIGHT,
    SEEN,
    START,
    SUM,
    factor,
    load,
    solve,
    take,
)
from orbwatch.propagate.zonal_kernel import JIT, LANES, LEFT, Doubles, advance_tile, gravity

# Chebyshev points, the polynomials there, and from values there to coefficients of powers.
DEGREE = 5
_POINTS = np.cos(np.pi * (np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1))
_AT_POINTS = np.polynomial.chebyshev.chebvander(_POINTS, DEGREE)
_TWICE = np.arange(1.0, DEGREE + 2) * np.arange(2.0, DEGREE + 3)
_TO_FALL = np.linalg.inv(np.vander(_POINTS, increasing=True)) / _TWICE[:, None]
_RIDGE = 1e-9  # too few positions for the degree: the smallest polynomial through them


@njit(forceinline=True, **JIT)
def _add_power(w: Doubles, r: int) -> None:
    for i in range(LANES):
        b = w[BASE + r * LANES + i]
        for c in range(r + 1):
            w[NORMAL + (6 * r + c) * LANES + i] += b * w[BASE + c * LANES + i]
        b *= w[BASE + i]
        w[RIGHT + r * LANES + i] += b * w[SEEN + LANES + i]
        w[RIGHT + (6 + r) * LANES + i] += b * w[SEEN + 2 * LANES + i]
        w[RIGHT + (12 + r) * LANES + i] += b * w[SEEN + 3 * LANES + i]


@njit(**JIT)
def _polynomials(w: Doubles, k: int) -> None:
    """Coefficients of each lane's polynomials in Chebyshev's, into RIGHT."""
    w[NORMAL : NORMAL + 36 * LANES] = 0.0
    w[RIGHT : RIGHT + 18 * LANES] = 0.0
    for j in range(k):
        take(w, j)
        for i in range(LANES):
            tau = (w[SEEN + i] - w[LATEST + i]) / w[HALF + i] + 1.0
            b0 = w[SEEN + 4 * LANES + i] * w[LIGHT + i]
            b1 = b0 * tau
            b2 = 2.0 * tau * b1 - b0
            b3 = 2.0 * tau * b2 - b1
            b4 = 2.0 * tau * b3 - b2
            w[BASE + i], w[BASE + LANES + i], w[BASE + 2 * LANES + i] = b0, b1, b2
            w[BASE + 3 * LANES + i], w[BASE + 4 * LANES + i] = b3, b4
            w[BASE + 5 * LANES + i] = 2.0 * tau * b4 - b3
        _add_power(w, 0)
        _add_power(w, 1)
        _add_power(w, 2)
        _add_power(w, 3)
        _add_power(w, 4)
        _add_power(w, 5)
    for r in range(DEGREE + 1):
        for i in range(LANES):
            w[NORMAL + 7 * r * LANES + i] += _RIDGE
    factor(w, DEGREE + 1)
    for axis in range(3):
        solve(w, RIGHT + 6 * axis * LANES, DEGREE + 1)


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
    at = FALL + 6 * axis * LANES + i
    total = w[at + 4 * LANES] + tau * w[at + 5 * LANES]
    total = w[at + 2 * LANES] + tau * (w[at + 3 * LANES] + tau * total)
    return tau * tau * (w[at] + tau * (w[at + LANES] + tau * total))


@njit(**JIT)
def _place(w: Doubles, tau: float, at: int) -> None:
    """Positions on the lines, fallen, at tau: rows `at`, `at` + 6 and `at` + 12."""
    for axis in range(3):
        line = LINE + 2 * axis * LANES
        for i in range(LANES):
            w[at + 6 * axis * LANES + i] = w[line + i] + w[line + LANES + i] * tau + _fallen(w, axis, i, tau)


@njit(**JIT)
def _line(w: Doubles, k: int) -> None:
    """Least-squares straight lines through the positions less the fall; LINE: value and slope of each axis."""
    w[SUM : SUM + 9 * LANES] = 0.0
    for j in range(k):
        take(w, j)
        for i in range(LANES):
            tau = (w[SEEN + i] - w[LATEST + i]) / w[HALF + i] + 1.0
            weight = w[SEEN + 4 * LANES + i] * w[LIGHT + i]
            weight *= weight
            x = weight * (w[SEEN + LANES + i] - _fallen(w, 0, i, tau))
            y = weight * (w[SEEN + 2 * LANES + i] - _fallen(w, 1, i, tau))
            z = weight * (w[SEEN + 3 * LANES + i] - _fallen(w, 2, i, tau))
            w[SUM + i] += weight
            w[SUM + LANES + i] += weight * tau
            w[SUM + 2 * LANES + i] += weight * tau * tau
            w[SUM + 3 * LANES + i] += x
            w[SUM + 4 * LANES + i] += x * tau
            w[SUM + 5 * LANES + i] += y
            w[SUM + 6 * LANES + i] += y * tau
            w[SUM + 7 * LANES + i] += z
            w[SUM + 8 * LANES + i] += z * tau
    for i in range(LANES):
        s0, s1, s2 = w[SUM + i], w[SUM + LANES + i], w[SUM + 2 * LANES + i]
        down = 1.0 / (s0 * s2 - s1 * s1)
        for axis in range(3):
            a, b = w[SUM + (3 + 2 * axis) * LANES + i], w[SUM + (4 + 2 * axis) * LANES + i]
            w[LINE + 2 * axis * LANES + i] = (s2 * a - s1 * b) * down
            w[LINE + (2 * axis + 1) * LANES + i] = (s0 * b - s1 * a) * down


@njit(**JIT)
def first_guess(w: Doubles, k: int) -> None:
    """Each lane's state at the epoch, from its positions, into START."""
    for i in range(LANES):
        earliest, most = w[LATEST + i], 0.0
        for j in range(k):
            at = ARC + j * ARC_ROWS + i
            weight = w[at + 4 * LANES]
            earliest = w[at] if weight > 0.0 else earliest
            most = max(most, weight)
        half = 0.5 * (w[LATEST + i] - earliest)
        w[HALF + i] = half if half > 0.0 else 1.0
        w[LIGHT + i] = 1.0 / most if most > 0.0 else 0.0
    _polynomials(w, k)
    _mix(w, _AT_POINTS, RIGHT, NODE)
    for _ in range(2):
        for m in range(DEGREE + 1):
            at = NODE + m * LANES
            for i in range(LANES):
                x, y, z, _u = gravity(w[at + i], w[at + 6 * LANES + i], w[at + 12 * LANES + i])
                h2 = w[HALF + i] * w[HALF + i]
                w[at + i], w[at + 6 * LANES + i], w[at + 12 * LANES + i] = h2 * x, h2 * y, h2 * z
        _mix(w, _TO_FALL, NODE, FALL)
        _line(w, k)
        for m in range(DEGREE + 1):
            _place(w, _POINTS[m], NODE + m * LANES)
    _place(w, 1.0, NODE)
    for axis in range(3):
        for i in range(LANES):
            speed = w[LINE + (2 * axis + 1) * LANES + i]
            for c in range(DEGREE + 1):
                speed += (c + 2.0) * w[FALL + (6 * axis + c) * LANES + i]
            w[axis * LANES + i] = w[NODE + 6 * axis * LANES + i]
            w[(3 + axis) * LANES + i] = speed / w[HALF + i]
    for i in range(LANES):
        w[LEFT + i] = -w[LATEST + i]
    advance_tile(w)
    w[START : START + 6 * LANES] = w[: 6 * LANES]


@njit(**JIT)
def guess_rows(t_s: Doubles, r_km: Doubles, sigma_km: Doubles, begin: int, end: int, rv: Doubles) -> None:
    """Starts only: states at the epoch of arcs begin..end into rv (n, 6); NaN with fewer than four positions."""
    k = t_s.shape[1]
    w = np.zeros(ARC + k * ARC_ROWS)
    seen = np.empty(LANES, np.int64)
    for first in range(begin, end, LANES):
        lanes = min(LANES, end - first)
        load(w, t_s, r_km, sigma_km, first, lanes, seen)
        first_guess(w, k)
        for i in range(lanes):
            for c in range(6):
                rv[first + i, c] = w[START + c * LANES + i] if seen[i] >= FEWEST else np.nan
