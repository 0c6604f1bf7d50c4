"""What an object's older sets would have forecast, held to its later ones: the compiled core of `catalog_own`."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

OWN = 6
"""Numbers of each forecast: corrections by drift and place, by drift alone, the mean; spread before and after; how
many older forecasts there were."""
_FADES_DAY = 25.0
_MOST_GAP_DAY = 1.6
_LEAST = 8
_LEAST_SETS = 10
_RIDGE = 0.05


@numba.njit(cache=True, nogil=True)
def hold_rows(
    age: Doubles, phase: Doubles, rate: Doubles, drift: Doubles, place: Doubles, ahead: Doubles, out: Doubles
) -> None:
    """age, phase, rate, drift, place (n, k; oldest first, age NaN = nothing there); ahead (n, h); out (n, h, 6)."""
    n, most = age.shape
    time, late, gain = np.empty(most), np.empty(most), np.empty(most)
    first, second = np.empty(most), np.empty(most)
    error, weight, x, y = np.empty(most), np.empty(most), np.empty(most), np.empty(most)
    for row in range(n):
        out[row] = np.nan
        count = 0
        for k in range(most):
            if math.isfinite(age[row, k] + phase[row, k] + rate[row, k]):
                time[count], late[count], gain[count] = -age[row, k], phase[row, k], rate[row, k]
                first[count], second[count] = drift[row, k], place[row, k]
                count += 1
        if count < _LEAST_SETS:
            continue
        for h in range(ahead.shape[1]):
            far, used, at = ahead[row, h], 0, 1
            for k in range(count):
                then = time[k] + far
                if then > 0.0:
                    break
                while at < count - 1 and time[at] < then:
                    at += 1
                gap = time[at] - time[at - 1]
                if gap >= _MOST_GAP_DAY or gap <= 0.0 or then < time[at - 1]:
                    continue
                found = late[at - 1] + (late[at] - late[at - 1]) * (then - time[at - 1]) / gap
                error[used] = found - late[k] - gain[k] * far
                weight[used], x[used], y[used] = math.exp(time[k] / _FADES_DAY), first[k], second[k]
                used += 1
            if used >= _LEAST:
                _regress(error, weight, x, y, used, out[row, h])
            out[row, h, 5] = used


@numba.njit(cache=True, nogil=True)
def _regress(error: Doubles, weight: Doubles, x: Doubles, y: Doubles, used: int, out: Doubles) -> None:
    """Ridge regression of errors on drift and place, both zero at the newest set: what it says there."""
    total, mean, mx, my = 0.0, 0.0, 0.0, 0.0
    for k in range(used):
        total += weight[k]
        mean += weight[k] * error[k]
        mx += weight[k] * x[k]
        my += weight[k] * y[k]
    mean, mx, my = mean / total, mx / total, my / total
    xx, xy, yy, xe, ye, ee = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(used):
        dx, dy, de, w = x[k] - mx, y[k] - my, error[k] - mean, weight[k]
        xx += w * dx * dx
        xy += w * dx * dy
        yy += w * dy * dy
        xe += w * dx * de
        ye += w * dy * de
        ee += w * de * de
    ridge = max(_RIDGE * 0.5 * (xx + yy), 1e-6)
    a, b = xx + ridge, yy + ridge
    inverse = 1.0 / (a * b - xy * xy)
    gx, gy = (b * xe - xy * ye) * inverse, (a * ye - xy * xe) * inverse
    left = ee - 2.0 * (gx * xe + gy * ye) + gx * gx * xx + 2.0 * gx * gy * xy + gy * gy * yy
    out[0] = mean - gx * mx - gy * my
    out[1] = mean - xe / (xx * (1.0 + _RIDGE) + 1e-6) * mx
    out[2] = mean
    out[3] = math.sqrt(ee / total)
    out[4] = math.sqrt(max(left, 0.0) / total)
