"""Tiles of short arcs of positions, one in each lane: the rows that they share, loading them, and solving equations."""

# Compiled with zonal_kernel 38668f33; renewed by tests/kernel_stamps.py
from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from orbwatch.propagate.zonal_kernel import JIT, LANES, TILE, Doubles

Wholes = NDArray[np.int64]

FEWEST = 4
"""Positions that an orbit needs."""

# Rows after the tile's own. Normal equations first.
NORMAL = TILE
GRADIENT = NORMAL + 36 * LANES
SEEN = GRADIENT + 6 * LANES  # one position: t, x, y, z, 1/sigma (0: missing)
START = SEEN + 5 * LANES  # state at the epoch that the partials belong to
MOVE = START + 6 * LANES
CHI2 = MOVE + 6 * LANES
SPAN = CHI2 + LANES  # of the arc with the epoch, s
DONE = SPAN + LANES
LATEST = DONE + LANES  # time of the latest position, s
HALF = LATEST + LANES  # the arc's half length, s; the start's time tau runs from -1 to 1 in it
LIGHT = HALF + LANES  # the smallest sigma
BASE = LIGHT + LANES  # weighted Chebyshev polynomials at one position
RIGHT = BASE + 6 * LANES  # right sides, then coefficients, six for each axis; so the next two
NODE = RIGHT + 18 * LANES  # positions, then accelerations, at the Chebyshev points
FALL = NODE + 18 * LANES  # acceleration in powers of tau, integrated twice
SUM = FALL + 18 * LANES
LINE = SUM + 9 * LANES
ARC = LINE + 6 * LANES  # per position, latest first: rows as of SEEN
ARC_ROWS = 5 * LANES


@njit(**JIT)
def factor(w: Doubles, size: int) -> None:
    """Cholesky factor L of each lane's matrix at NORMAL (row r, column c at r * 6 + c), in its lower half; 1/L on the
    diagonal. A matrix that is not positive definite gives NaN."""
    for c in range(size):
        for r in range(c, size):
            at = NORMAL + (6 * r + c) * LANES
            for k in range(c):
                a, b = NORMAL + (6 * r + k) * LANES, NORMAL + (6 * c + k) * LANES
                for i in range(LANES):
                    w[at + i] -= w[a + i] * w[b + i]
        top = NORMAL + 7 * c * LANES
        for i in range(LANES):
            w[top + i] = 1.0 / np.sqrt(w[top + i]) if w[top + i] > 0.0 else np.nan
        for r in range(c + 1, size):
            at = NORMAL + (6 * r + c) * LANES
            for i in range(LANES):
                w[at + i] *= w[top + i]


@njit(**JIT)
def solve(w: Doubles, at: int, size: int) -> None:
    """The vector in rows from `at` becomes the solution of the factored equations."""
    for r in range(size):
        for k in range(r):
            for i in range(LANES):
                w[at + r * LANES + i] -= w[NORMAL + (6 * r + k) * LANES + i] * w[at + k * LANES + i]
        for i in range(LANES):
            w[at + r * LANES + i] *= w[NORMAL + 7 * r * LANES + i]
    for r in range(size - 1, -1, -1):
        for k in range(r + 1, size):
            for i in range(LANES):
                w[at + r * LANES + i] -= w[NORMAL + (6 * k + r) * LANES + i] * w[at + k * LANES + i]
        for i in range(LANES):
            w[at + r * LANES + i] *= w[NORMAL + 7 * r * LANES + i]


@njit(**JIT)
def load(w: Doubles, t_s: Doubles, r_km: Doubles, sigma_km: Doubles, first: int, lanes: int, count: Wholes) -> None:
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
                w[LATEST + i] = t
            previous = t if np.isfinite(t) else previous  # steps fall together with other lanes' steps
            at = ARC + j * ARC_ROWS + i
            w[at] = previous
            w[at + LANES] = x if there else 0.0
            w[at + 2 * LANES] = y if there else 0.0
            w[at + 3 * LANES] = z if there else 0.0
            w[at + 4 * LANES] = 1.0 / sigma if there else 0.0
            seen += 1 if there else 0
            span = max(span, abs(t)) if there else span
        count[i] = seen
        w[SPAN + i] = span


@njit(forceinline=True, **JIT)
def take(w: Doubles, j: int) -> None:
    """The j-th position from the latest becomes the one at SEEN."""
    for k in range(ARC_ROWS):
        w[SEEN + k] = w[ARC + j * ARC_ROWS + k]
