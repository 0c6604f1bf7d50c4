"""Compiled sum over the sphere of `collision_rate` and of `probability_nc2d`: the flow of probability into a ball."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

_ROOT_2 = math.sqrt(2.0)
_ROOT_PI = math.sqrt(math.pi)
_ROOT_2PI = math.sqrt(2.0 * math.pi)
_NOTHING = 1400.0  # twice an exponent whose power of e is 0 as a double


@njit(cache=True, nogil=True, error_model="numpy")
def inward(mean: float, variance: float) -> float:
    """Mean of max(0, -x), x normal."""
    if not variance > 1e-30:
        return max(0.0, -mean)
    sigma = math.sqrt(variance)
    z = mean / (_ROOT_2 * sigma)
    if z > 26.0:
        return 0.0
    return max(0.0, sigma / _ROOT_2PI * (math.exp(-z * z) - _ROOT_PI * z * math.erfc(z)))


@njit(cache=True, nogil=True, error_model="numpy")
def fill_rate(
    nodes: np.ndarray,
    weights: np.ndarray,
    frames: np.ndarray,
    relative: np.ndarray,
    inverse: np.ndarray,
    slope: np.ndarray,
    spread: np.ndarray,
    radius: np.ndarray,
    out: np.ndarray,
) -> None:
    """Sum over the sphere of exp(-half the squared Mahalanobis distance) times the mean inward speed, per row."""
    for i in range(len(out)):
        f, a, b, c, r = frames[i], inverse[i], slope[i], spread[i], radius[i]
        total = 0.0
        for p in range(len(weights)):
            ux = nodes[p, 0] * f[0, 0] + nodes[p, 1] * f[1, 0] + nodes[p, 2] * f[2, 0]
            uy = nodes[p, 0] * f[0, 1] + nodes[p, 1] * f[1, 1] + nodes[p, 2] * f[2, 1]
            uz = nodes[p, 0] * f[0, 2] + nodes[p, 1] * f[1, 2] + nodes[p, 2] * f[2, 2]
            x, y, z = r * ux - relative[i, 0], r * uy - relative[i, 1], r * uz - relative[i, 2]
            m = a[0, 0] * x * x + a[1, 1] * y * y + a[2, 2] * z * z
            m += 2.0 * (a[0, 1] * x * y + a[0, 2] * x * z + a[1, 2] * y * z)
            if m > _NOTHING:
                continue
            mean = ux * (relative[i, 3] + b[0, 0] * x + b[0, 1] * y + b[0, 2] * z)
            mean += uy * (relative[i, 4] + b[1, 0] * x + b[1, 1] * y + b[1, 2] * z)
            mean += uz * (relative[i, 5] + b[2, 0] * x + b[2, 1] * y + b[2, 2] * z)
            variance = c[0, 0] * ux * ux + c[1, 1] * uy * uy + c[2, 2] * uz * uz
            variance += 2.0 * (c[0, 1] * ux * uy + c[0, 2] * ux * uz + c[1, 2] * uy * uz)
            total += weights[p] * math.exp(-0.5 * m) * inward(mean, variance)
        out[i] = total
