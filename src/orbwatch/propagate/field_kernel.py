"""How far the tesseral field moves an orbit from its zonal one, compiled.

The acceleration that J2 to J4 leave out is summed by Cunningham's recursion (Montenbruck & Gill 2000, section 3.2.4)
for all nodes of one orbit at once, so the inner loops become vector instructions. It varies slowly: between nodes 60 s
apart it is taken as linear, and the displacement d follows d'' = a(t) + G(t) d, G the gradient of the point mass, from
zero at the epoch (Newmark's linear acceleration). What that neglects is a per cent of a displacement of some hundred
metres.
"""

# Compiled with zonal_kernel 38668f33; renewed by tests/kernel_stamps.py
from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from orbwatch.propagate.zonal_kernel import JIT, MU_KM3_S2, RADIUS_KM

Doubles = NDArray[np.float64]


@njit(**JIT)
def accelerations(r: Doubles, c: Doubles, s: Doubles, v: Doubles, w: Doubles, a: Doubles) -> None:
    """a (3, g), km/s2, at Earth-fixed positions r (3, g), km; c, s: (degree + 1)^2; v, w: work, (degree + 3)^2 x g."""
    g, degree = r.shape[1], c.shape[0] - 1
    a[:] = 0.0
    for k in range(g):
        square = r[0, k] ** 2 + r[1, k] ** 2 + r[2, k] ** 2
        v[0, 0, k], w[0, 0, k] = RADIUS_KM / np.sqrt(square), 0.0
        v[0, 1, k] = RADIUS_KM / square  # room above the diagonal
    for m in range(degree + 2):
        for n in range(m, degree + 2):
            if n == 0:
                continue
            if n == m:
                f = 2.0 * m - 1.0
                for k in range(g):
                    x, y = r[0, k] * v[0, 1, k], r[1, k] * v[0, 1, k]
                    p, q = v[m - 1, m - 1, k], w[m - 1, m - 1, k]
                    v[m, m, k], w[m, m, k] = f * (x * p - y * q), f * (x * q + y * p)
                continue
            f, h = (2.0 * n - 1.0) / (n - m), (n + m - 1.0) / (n - m)
            for k in range(g):
                z, u = f * r[2, k] * v[0, 1, k], h * RADIUS_KM * v[0, 1, k]
                p, q = z * v[n - 1, m, k], z * w[n - 1, m, k]
                if n > m + 1:
                    p, q = p - u * v[n - 2, m, k], q - u * w[n - 2, m, k]
                v[n, m, k], w[n, m, k] = p, q
    scale = MU_KM3_S2 / RADIUS_KM**2
    for n in range(2, degree + 1):
        for m in range(n + 1):
            cc, ss = c[n, m] * scale, s[n, m] * scale
            up, across = v[n + 1, m + 1], w[n + 1, m + 1]
            if m == 0:
                for k in range(g):
                    a[0, k] -= cc * up[k]
                    a[1, k] -= cc * across[k]
            else:
                below, beside, f = v[n + 1, m - 1], w[n + 1, m - 1], 0.5 * (n - m + 2.0) * (n - m + 1.0)
                for k in range(g):
                    a[0, k] += f * (cc * below[k] + ss * beside[k]) - 0.5 * (cc * up[k] + ss * across[k])
                    a[1, k] += f * (ss * below[k] - cc * beside[k]) - 0.5 * (cc * across[k] - ss * up[k])
            here, there, f = v[n + 1, m], w[n + 1, m], n - m + 1.0
            for k in range(g):
                a[2, k] -= f * (cc * here[k] + ss * there[k])


@njit(**JIT)
def _march(nodes: Doubles, a: Doubles, zero: int, end: int, h: float, d: Doubles) -> None:
    """Displacement d (6, g) from node `zero` to node `end`, a step h (of either sign) from one to the next."""
    step = 1 if end > zero else -1
    p, q = np.zeros(3), np.zeros(3)
    x, u = np.zeros(3), np.zeros(3)
    for i in range(3):
        p[i] = a[i, zero]
    k = zero
    while k != end:
        k += step
        for i in range(3):
            x[i] = d[i, k - step] + h * d[3 + i, k - step] + h * h * (p[i] / 3.0 + a[i, k] / 6.0)
        square = nodes[0, k] ** 2 + nodes[1, k] ** 2 + nodes[2, k] ** 2
        along = 3.0 * (nodes[0, k] * x[0] + nodes[1, k] * x[1] + nodes[2, k] * x[2]) / square
        pull = MU_KM3_S2 / (square * np.sqrt(square))
        for i in range(3):
            q[i] = a[i, k] + pull * (along * nodes[i, k] - x[i])
            u[i] = d[3 + i, k - step] + 0.5 * h * (p[i] + q[i])
            d[i, k] = d[i, k - step] + h * d[3 + i, k - step] + h * h * (p[i] / 3.0 + q[i] / 6.0)
            d[3 + i, k] = u[i]
            p[i] = q[i]


@njit(**JIT)
def shift_rows(
    rv: Doubles, gmst: Doubles, rate: float, start: float, h: float, zero: int, offsets: Doubles,
    c: Doubles, s: Doubles, begin: int, end: int, out: Doubles,
) -> None:  # fmt: skip
    """out (n, m, 6), km, km/s, at offsets (n, m) s from zonal states rv (n, g, 6) at nodes start + h * k, k = 0, 1 ...

    gmst: at the epoch, node `zero`. Between nodes: Hermite's cubic. NaN for NaN.
    """
    g, degree = rv.shape[1], c.shape[0] - 1
    fixed, nodes, a, d = np.empty((3, g)), np.empty((3, g)), np.empty((3, g)), np.empty((6, g))
    v, w = np.zeros((degree + 3, degree + 3, g)), np.zeros((degree + 3, degree + 3, g))
    for n in range(begin, end):
        for k in range(g):
            turn = gmst[n] + rate * (start + h * k)
            cos, sin = np.cos(turn), np.sin(turn)
            x, y = rv[n, k, 0], rv[n, k, 1]
            nodes[0, k], nodes[1, k], nodes[2, k] = x, y, rv[n, k, 2]
            fixed[0, k], fixed[1, k], fixed[2, k] = cos * x + sin * y, cos * y - sin * x, rv[n, k, 2]
        accelerations(fixed, c, s, v, w, a)
        for k in range(g):
            turn = gmst[n] + rate * (start + h * k)
            cos, sin = np.cos(turn), np.sin(turn)
            x, y = a[0, k], a[1, k]
            a[0, k], a[1, k] = cos * x - sin * y, sin * x + cos * y
        d[:] = 0.0
        _march(nodes, a, zero, g - 1, h, d)
        _march(nodes, a, zero, 0, -h, d)
        for m in range(offsets.shape[1]):
            t = (offsets[n, m] - start) / h
            if not abs(t) < np.inf:
                out[n, m] = np.nan
                continue
            k = min(max(int(np.floor(t)), 0), max(g - 2, 0))
            f = t - k
            for i in range(3):
                if g == 1:
                    out[n, m, i] = out[n, m, 3 + i] = 0.0
                    continue
                p, q, u, z = d[i, k], d[i, k + 1], h * d[3 + i, k], h * d[3 + i, k + 1]
                b, e = 3.0 * (q - p) - 2.0 * u - z, 2.0 * (p - q) + u + z
                out[n, m, i] = p + f * (u + f * (b + f * e))
                out[n, m, 3 + i] = (u + f * (2.0 * b + f * 3.0 * e)) / h
