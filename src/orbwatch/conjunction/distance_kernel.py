# mypy: disable-error-code="untyped-decorator"
"""Compiled search for where each of many pairs may be nearest in a stretch of time, however far apart (see `nearest`).

All arrays are TEME, kilometres and seconds. `rv` is (m, 6, n): states of n objects at m nodes a fixed step apart.
"""

# Compiled with approach_kernel 9ac80090, screen_kernel 7de65bd6; renewed by tests/kernel_stamps.py
from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool
from numba import njit

from orbwatch.conjunction.approach_kernel import PARTS, quintic, squared, turning_points
from orbwatch.conjunction.screen_kernel import Doubles

# inner functions are compiled into the outer ones: no entry points, no cache of their own
INNER: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
Flags = Bool[np.ndarray, "..."]

POLYNOMIAL_KM = 0.15  # error of the polynomial where velocities integrate to the positions
_ROOTS = 8
_UNBOUND = 1e6  # km for each km of doubt: no upper bound from a state that is not exact


@njit(**INNER)
def _bounds(
    here: Doubles, pull: Doubles, bend: Doubles, doubt: Doubles, i: int, low_s: float, high_s: float, lower: Doubles,
    upper: Doubles,
) -> None:  # fmt: skip
    """Bounds of the separation of i from each later object over [low_s, high_s] around a node, into (n,); or NaN.

    The straight line from the node gives both, as far as the parabola bends from it and the rest from the parabola.
    """
    n = len(bend)
    x, y, z, u, v, w = here[0, i], here[1, i], here[2, i], here[3, i], here[4, i], here[5, i]
    a, b, c, own, mine = pull[0, i], pull[1, i], pull[2, i], bend[i], doubt[i]
    half2 = 0.5 * max(low_s * low_s, high_s * high_s)
    for j in range(i + 1, n):
        dx, dy, dz = here[0, j] - x, here[1, j] - y, here[2, j] - z
        du, dv, dw = here[3, j] - u, here[4, j] - v, here[5, j] - w
        da, db, dc = pull[0, j] - a, pull[1, j] - b, pull[2, j] - c
        along = dx * du + dy * dv + dz * dw
        speed2 = du * du + dv * dv + dw * dw
        t = min(max(-along / (speed2 + 1e-30), low_s), high_s)
        line = np.sqrt(max(dx * dx + dy * dy + dz * dz + t * (2.0 * along + speed2 * t), 0.0))
        slack = half2 * np.sqrt(da * da + db * db + dc * dc) + own + bend[j]
        unsure = mine + doubt[j]
        lower[j] = line - slack - unsure
        upper[j] = line + slack + _UNBOUND * unsure


@njit(cache=True, nogil=True, error_model="numpy")
def upper_bounds(
    rv: Doubles, pull: Doubles, bend: Doubles, doubt: Doubles, half_s: float, opens: Flags, begin: int, end: int,
    best: Doubles,
) -> None:  # fmt: skip
    """An upper bound of the smallest separation of each pair i < j, begin <= i < end, lowers `best` (n, n).

    `opens` (m, 2): whether the interval reaches before, and after, each node; a node without both is not looked at.
    """
    m, _, n = rv.shape
    lower, upper = np.empty(n), np.empty(n)
    for k in range(1, m - 1):
        if not (opens[k, 0] or opens[k, 1]):
            continue
        low_s, high_s = -half_s * opens[k, 0], half_s * opens[k, 1]
        for i in range(begin, end):
            _bounds(rv[k], pull[k], bend[k], doubt[k], i, low_s, high_s, lower, upper)
            row = best[i]
            for j in range(i + 1, n):
                if upper[j] < row[j]:
                    row[j] = upper[j]


@njit(**INNER)
def _more(table: Doubles) -> Doubles:
    out = np.empty((2 * len(table), table.shape[1]))
    for row in range(len(table)):
        for column in range(table.shape[1]):
            out[row, column] = table[row, column]
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def candidates(
    rv: Doubles, pull: Doubles, bend: Doubles, doubt: Doubles, step_s: float, opens: Flags, begin: int, end: int,
    best: Doubles,
) -> tuple[Doubles, Doubles]:  # fmt: skip
    """Where each pair i < j, begin <= i < end, may be nearest, given upper bounds `best` (n, n), which are lowered.

    Returns rows (node, i, j, seconds from the node, separation) of minima by the polynomial that are no further than
    its error from the best; and rows (node, i, j) where a state in doubt leaves the interval to be searched exactly.
    """
    m, _, n = rv.shape
    half_s = 0.5 * step_s
    lower, upper = np.empty(n), np.empty(n)
    c, roots = np.empty((3, 6)), np.empty(_ROOTS)
    found, n_found = np.empty((256, 5)), 0
    lost, n_lost = np.empty((64, 3)), 0
    for k in range(1, m - 1):
        if not (opens[k, 0] or opens[k, 1]):
            continue
        low_s, high_s = -half_s * opens[k, 0], half_s * opens[k, 1]
        for i in range(begin, end):
            _bounds(rv[k], pull[k], bend[k], doubt[k], i, low_s, high_s, lower, upper)
            row = best[i]
            for j in range(i + 1, n):
                if not lower[j] <= row[j]:
                    continue
                good = True
                for o in range(k - 1, k + 2):
                    good = good and doubt[o, i] == 0.0 and doubt[o, j] == 0.0
                if not good:
                    if n_lost == len(lost):
                        lost = _more(lost)
                    lost[n_lost, 0], lost[n_lost, 1], lost[n_lost, 2] = k, i, j
                    n_lost += 1
                    continue
                quintic(rv, k, i, j, step_s, c)
                for q in range(turning_points(c, 0.51, PARTS, roots)):
                    x = roots[q]
                    if (x < 0.0 and not opens[k, 0]) or (x > 0.0 and not opens[k, 1]):
                        continue
                    distance = np.sqrt(squared(c, x)[0])
                    if distance > row[j] + POLYNOMIAL_KM:
                        continue
                    row[j] = min(row[j], distance + POLYNOMIAL_KM)
                    if n_found == len(found):
                        found = _more(found)
                    found[n_found, 0], found[n_found, 1], found[n_found, 2] = k, i, j
                    found[n_found, 3], found[n_found, 4] = x * step_s, distance
                    n_found += 1
    return found[:n_found], lost[:n_lost]
