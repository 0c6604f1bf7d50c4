# mypy: disable-error-code="untyped-decorator"
"""Compiled search for every minimum of the separation of a pair within one interval, on quintic Hermite polynomials."""

# Compiled with screen_kernel 7de65bd6, constants c35a2b80; renewed by tests/kernel_stamps.py
from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from orbwatch.conjunction.screen_kernel import DEEPEST_KM, GRADIENT, Doubles, Whole
from orbwatch.constants import WGS72_MU_KM3_S2 as MU

# inner functions are compiled into the outer one: no entry points, no cache of their own
INNER: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
PARTS = 16  # of an interval, for slow pairs
MOST = 5  # minima of a polynomial of degree ten


@njit(**INNER)
def quintic(rv: Doubles, k: int, i: int, j: int, step_s: float, c: Doubles) -> None:
    """Coefficients (3, 6) in x = (t - t_k) / step through the relative states of nodes k - 1, k and k + 1."""
    for d in range(3):
        pa = rv[k - 1, d, j] - rv[k - 1, d, i]
        p0 = rv[k, d, j] - rv[k, d, i]
        pb = rv[k + 1, d, j] - rv[k + 1, d, i]
        qa = (rv[k - 1, d + 3, j] - rv[k - 1, d + 3, i]) * step_s
        q0 = (rv[k, d + 3, j] - rv[k, d + 3, i]) * step_s
        qb = (rv[k + 1, d + 3, j] - rv[k + 1, d + 3, i]) * step_s
        even, odd = 0.5 * (pb + pa) - p0, 0.5 * (pb - pa) - q0
        c[d, 0], c[d, 1] = p0, q0
        c[d, 4] = 0.25 * (qb - qa) - even
        c[d, 2] = even - c[d, 4]
        c[d, 5] = 0.5 * (0.5 * (qb + qa) - q0 - 3.0 * odd)
        c[d, 3] = odd - c[d, 5]


@njit(**INNER)
def squared(c: Doubles, x: float) -> tuple[float, float, float]:
    """Squared separation, half its derivative f = p . p', and f', at x."""
    s = f = g = 0.0
    for d in range(3):
        p = c[d, 5]
        q = w = 0.0
        for e in range(4, -1, -1):
            w = w * x + q
            q = q * x + p
            p = p * x + c[d, e]
        s += p * p
        f += p * q
        g += q * q + 2.0 * p * w
    return s, f, g


@njit(**INNER)
def _root(c: Doubles, a: float, b: float, derivative: bool) -> float:
    """Zero between a and b, where the sign differs, of f (or of f'): Newton's method within bisection."""
    low_is_negative = (squared(c, a)[2] if derivative else squared(c, a)[1]) < 0.0
    x = 0.5 * (a + b)
    for _ in range(80):
        _, f, g = squared(c, x)
        value = g if derivative else f
        if (value < 0.0) == low_is_negative:
            a = x
        else:
            b = x
        new = x - f / g if not derivative and g != 0.0 else a
        if not a < new < b:
            new = 0.5 * (a + b)
        if abs(new - x) < 1e-10 or b - a < 1e-10:
            return new
        x = new
    return x


@njit(**INNER)
def turning_points(c: Doubles, edge: float, parts: int, out: Doubles) -> int:
    """All x in [-edge, edge] where f turns from negative to positive, into `out`; returns how many.

    In each part the ends are compared; where f has one sign at both but an extremum towards zero between them, the
    extremum is looked at too. So a part hides no minimum unless f' itself has two zeros in it.
    """
    count = 0
    a = -edge
    _, fa, ga = squared(c, a)
    for part in range(parts):
        b = edge if part == parts - 1 else -edge + 2.0 * edge * (part + 1) / parts
        _, fb, gb = squared(c, b)
        lo = hi = 0.0
        found = fa < 0.0 <= fb
        if found:
            lo, hi = a, b
        elif fa >= 0.0 and fb >= 0.0 and ga < 0.0 < gb:
            lo, hi = _root(c, a, b, True), b
            found = squared(c, lo)[1] < 0.0
        elif fa < 0.0 and fb < 0.0 and ga > 0.0 > gb:
            lo, hi = a, _root(c, a, b, True)
            found = squared(c, hi)[1] >= 0.0
        if found and count < len(out):
            out[count] = _root(c, lo, hi, False)
            count += 1
        a, fa, ga = b, fb, gb
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def minima(
    rv: Doubles,
    doubt: Doubles,
    pairs: Whole,
    step_s: float,
    limit: float,
    margin_s: float,
    slow_margin_s: float,
    first_k: int,
    first_x: float,
    last_k: int,
    last_x: float,
) -> tuple[Whole, Doubles, Whole, Whole]:
    """Minima of the separation near each (node, i, j) of `pairs`, within half a step and a margin of the node.

    Returns rows and offsets from the node (s) of the minima below `limit`; rows of the pairs that stay below `limit`
    all over the interval, cut to the window (which begins at first_x steps from node first_k and ends likewise); and
    rows of the pairs with a state in doubt at one of the three nodes, which need another way. The margin is wider for
    slow pairs, whose minima the polynomials of two nodes place less alike.
    """
    n = len(pairs)
    row, offset, count = np.empty(n * MOST, np.int64), np.empty(n * MOST), 0
    close, n_close = np.empty(n, np.int64), 0
    lost, n_lost = np.empty(n, np.int64), 0
    c = np.empty((3, 6))
    roots = np.empty(MOST)
    edge, slow_edge = 0.5 + margin_s / step_s, 0.5 + slow_margin_s / step_s
    limit2 = limit * limit
    # 1.4: the pair's radius falls by less than a tenth within the interval
    stiff = 1.4 * GRADIENT * MU * step_s * step_s
    for q in range(n):
        k, i, j = pairs[q, 0], pairs[q, 1], pairs[q, 2]
        good = True
        for o in range(k - 1, k + 2):
            good = good and doubt[o, i] == 0.0 and doubt[o, j] == 0.0
        if not good:
            lost[n_lost] = q
            n_lost += 1
            continue
        quintic(rv, k, i, j, step_s, c)
        p0 = np.sqrt(c[0, 0] ** 2 + c[1, 0] ** 2 + c[2, 0] ** 2)
        q0 = np.sqrt(c[0, 1] ** 2 + c[1, 1] ** 2 + c[2, 1] ** 2)
        r = np.sqrt(rv[k, 0, i] ** 2 + rv[k, 1, i] ** 2 + rv[k, 2, i] ** 2)
        tide = stiff / max(r, DEEPEST_KM) ** 3
        far = p0 + 1.1 * slow_edge * q0
        slow = q0 - slow_edge * tide * far
        # |p'|^2 > |p| |p''| all along: f rises throughout, at most one zero
        rising = slow > 0.0 and slow * slow > tide * far * far
        parts = 1 if rising else PARTS
        for o in range(turning_points(c, edge if rising else slow_edge, parts, roots)):
            if squared(c, roots[o])[0] < limit2:
                row[count], offset[count] = q, roots[o] * step_s
                count += 1
        if parts > 1:
            xa = first_x if k == first_k else -0.5
            xb = last_x if k == last_k else 0.5
            if squared(c, xa)[0] < limit2 and squared(c, 0.5 * (xa + xb))[0] < limit2 and squared(c, xb)[0] < limit2:
                close[n_close] = q
                n_close += 1
    return row[:count], offset[:count], close[:n_close], lost[:n_lost]
