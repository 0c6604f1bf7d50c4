"""Unscented Kalman filter along an arc of positions, compiled: one arc at a time, its sigma points in a tile's lanes.

Symmetric set of 2 n points with no weight at the mean (Julier & Uhlmann 2004, Proc. IEEE 92, 401, eq. 12 with W0 = 0).
Measurements are linear in the state, so their update is Kalman's own. Process noise: white acceleration.
"""

# Compiled with zonal_kernel 38668f33; renewed by tests/kernel_stamps.py
from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from orbwatch.propagate.zonal_kernel import JIT, LANES, LEFT, TILE, Doubles, advance_tile

Bytes = NDArray[np.uint8]


@njit(**JIT)
def _cholesky(a: Doubles, low: Doubles) -> bool:
    """Lower factor of a (6, 6); False where it is not positive definite."""
    for c in range(6):
        for r in range(c, 6):
            total = a[r, c]
            for k in range(c):
                total -= low[r, k] * low[c, k]
            if r == c:
                if not total > 0.0:
                    return False
                low[c, c] = np.sqrt(total)
            else:
                low[r, c] = total / low[c, c]
    return True


@njit(**JIT)
def _predict(w: Doubles, points: Doubles, mean: Doubles, cov: Doubles, low: Doubles, seconds: float, q: float) -> bool:
    """Mean and covariance after `seconds`, through 12 sigma points, with process noise of density q (km2/s3)."""
    if seconds == 0.0:
        return True
    if not _cholesky(cov, low):
        return False
    spread = np.sqrt(6.0)
    for i in range(LANES):
        sign = spread if i < 6 else -spread
        for k in range(6):
            w[k * LANES + i] = mean[k] + sign * low[k, i % 6]
        w[LEFT + i] = seconds if i < 12 else 0.0
    advance_tile(w)
    for p in range(12):
        for k in range(6):
            points[p, k] = w[k * LANES + p]
    for k in range(6):
        total = 0.0
        for p in range(12):
            total += points[p, k] - mean[k]
        mean[k] += total / 12.0
    for r in range(6):
        for c in range(r + 1):
            total = 0.0
            for p in range(12):
                total += (points[p, r] - mean[r]) * (points[p, c] - mean[c])
            cov[r, c] = total / 12.0
            cov[c, r] = cov[r, c]
    h = abs(seconds)
    for a in range(3):
        cov[a, a] += q * h * h * h / 3.0
        cov[a + 3, a + 3] += q * h
        cov[a, a + 3] += 0.5 * q * h * seconds
        cov[a + 3, a] = cov[a, a + 3]
    return True


@njit(**JIT)
def _update(mean: Doubles, cov: Doubles, seen: Doubles, variance: float) -> float:
    """Take in one position, an axis after the other (their noise is independent); returns its part of chi-square."""
    chi2 = 0.0
    for a in range(3):
        s = cov[a, a] + variance
        innovation = seen[a] - mean[a]
        chi2 += innovation * innovation / s
        column = cov[:, a].copy()
        for r in range(6):
            mean[r] += column[r] / s * innovation
            for c in range(6):
                cov[r, c] -= column[r] * column[c] / s
    return chi2


@njit(**JIT)
def filter_rows(
    t_s: Doubles,
    r_km: Doubles,
    sigma_km: Doubles,
    start: Doubles,
    start_cov: Doubles,
    process_km2_s3: float,
    begin: int,
    end: int,
    rv: Doubles,
    cov: Doubles,
    chi2: Doubles,
    failed: Bytes,
) -> None:
    """Filter arcs begin..end: positions in time order, NaN where missing; start (n, 6), start_cov (n, 6, 6): belief at
    the time of each arc's first position, before it. Fills the belief at t = 0, chi-square and whether it failed."""
    w, points, low = np.zeros(TILE), np.empty((12, 6)), np.zeros((6, 6))
    for row in range(begin, end):
        mean, belief = rv[row], cov[row]
        mean[:] = start[row]
        belief[:] = start_cov[row]
        chi2[row] = 0.0
        good, begun, now = np.isfinite(mean.sum()), False, 0.0
        for j in range(t_s.shape[1]):
            if not (good and np.isfinite(sigma_km[row, j])):
                continue
            now = now if begun else t_s[row, j]
            good = _predict(w, points, mean, belief, low, t_s[row, j] - now, process_km2_s3)
            now, begun = t_s[row, j], True
            chi2[row] += _update(mean, belief, r_km[row, j], sigma_km[row, j] ** 2)
        good = good and _predict(w, points, mean, belief, low, 0.0 - now, process_km2_s3)
        good = good and np.isfinite(mean.sum() + belief.sum() + chi2[row])
        failed[row] = 0 if good else 1
