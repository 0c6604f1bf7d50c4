"""Robust polynomials through unevenly spaced values: the compiled core of `trend`."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]

TERMS = 4
"""Coefficients of a cubic."""
_ROUNDS = 8
_HUBER = 2.0
_RIDGE = 1e-12


@numba.njit(cache=True)
def _solve(normal: Doubles, right: Doubles, terms: int, out: Doubles) -> None:
    """Cholesky's solution of a small normal equation, in place."""
    for i in range(terms):
        for j in range(i + 1):
            s = normal[i, j]
            for k in range(j):
                s -= normal[i, k] * normal[j, k]
            normal[i, j] = math.sqrt(max(s, 1e-30)) if i == j else s / normal[j, j]
    for i in range(terms):
        s = right[i]
        for k in range(i):
            s -= normal[i, k] * out[k]
        out[i] = s / normal[i, i]
    for i in range(terms - 1, -1, -1):
        s = out[i]
        for k in range(i + 1, terms):
            s -= normal[k, i] * out[k]
        out[i] = s / normal[i, i]


@numba.njit(cache=True)
def _fit(
    time: Doubles, value: Doubles, count: int, terms: int, coefficient: Doubles, weight: Doubles, size: Doubles
) -> float:
    """Iteratively reweighted least squares with Huber's weights; returns the scale (1.4826 MAD) of what is left."""
    normal, right = np.empty((TERMS, TERMS)), np.empty(TERMS)
    weight[:count] = 1.0
    scale = 0.0
    for turn in range(_ROUNDS):
        normal[:, :] = 0.0
        right[:] = 0.0
        for k in range(count):
            power_i = weight[k]
            for i in range(terms):
                power = power_i
                right[i] += power * value[k]
                for j in range(i + 1):
                    normal[i, j] += power_i * time[k] ** j
                power_i *= time[k]
        for i in range(terms):
            normal[i, i] += _RIDGE * count
        _solve(normal, right, terms, coefficient)
        for k in range(count):
            left = value[k]
            power = 1.0
            for i in range(terms):
                left -= coefficient[i] * power
                power *= time[k]
            size[k] = abs(left)
        scale = 1.4826 * np.median(size[:count])
        if turn < _ROUNDS - 1:
            for k in range(count):
                weight[k] = 1.0 if size[k] <= _HUBER * scale else _HUBER * scale / size[k]
    return scale


@numba.njit(cache=True, nogil=True)
def fit_rows(
    age: Doubles,
    value: Doubles,
    span: Doubles,
    terms: Integers,
    least: Integers,
    coefficients: Doubles,
    scale: Doubles,
) -> None:
    """age, value (n, k), NaN = nothing there; span, terms, least (f,) -> coefficients (n, f, 4), scale (n, f)."""
    n, most = age.shape
    time, picked, weight, size = np.empty(most), np.empty(most), np.empty(most), np.empty(most)
    for row in range(n):
        for fit in range(len(span)):
            count = 0
            for k in range(most):
                if age[row, k] <= span[fit] and math.isfinite(value[row, k]):
                    time[count], picked[count] = -age[row, k] / span[fit], value[row, k]
                    count += 1
            coefficients[row, fit, :] = 0.0
            scale[row, fit] = np.nan
            if count < least[fit]:
                continue
            scale[row, fit] = _fit(time, picked, count, terms[fit], coefficients[row, fit], weight, size)
            for i in range(terms[fit]):
                coefficients[row, fit, i] /= span[fit] ** i
