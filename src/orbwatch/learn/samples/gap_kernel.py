"""What happens between consecutive element sets of an object: compiled sums over the sets around each gap.

A gap is named by the row of the set before it. `first` and `last` say for each row which rows are of the same object;
no sum reaches beyond them, nor further than `ahead` sets past the one that ends the gap.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LEAST_SIDE = 2  # sets on a side, however far they are
STRIDE = 16  # the scale changes slowly: it is taken anew every so many gaps


@numba.njit(cache=True, nogil=True)
def sides(
    row: int, t_day: Floats, first: Integers, last: Integers, ahead: int, reach_day: float, least: int
) -> tuple[int, int]:
    """Rows of the earliest set before the gap and of the latest set after it, within `reach_day` of its ends."""
    low, high = row, row + 1
    end = min(last[row] - 1, row + 1 + ahead)
    while low > first[row] and (row - low + 1 < least or t_day[row] - t_day[low - 1] <= reach_day):
        low -= 1
    while high < end and (high - row < least or t_day[high + 1] - t_day[row + 1] <= reach_day):
        high += 1
    return low, high


@numba.njit(cache=True, nogil=True)
def find_pairs(
    rows: Integers,
    t_day: Floats,
    first: Integers,
    last: Integers,
    ahead: int,
    before_day: float,
    after_day: float,
    pair: Integers,
) -> None:
    """For gaps: the last set at least `before_day` before the gap, the first at least `after_day` after it -> pair."""
    for g in range(len(rows)):
        row = rows[g]
        low, high = row, row + 1
        end = min(last[row] - 1, row + 1 + ahead)
        while low > first[row] and t_day[row] - t_day[low] < before_day:
            low -= 1
        while high < end and t_day[high] - t_day[row + 1] < after_day:
            high += 1
        pair[g, 0] = low
        pair[g, 1] = high


@numba.njit(cache=True, nogil=True)
def find_steps(
    rows: Integers,
    t_day: Floats,
    first: Integers,
    last: Integers,
    ahead: int,
    reach_day: float,
    least: int,
    y: Floats,
    step: Floats,
    spread: Floats,
    kink: Floats,
) -> None:
    """Columns of y (rows, c) -> (gaps, c): step with one slope on both sides, scatter about it, change of slope."""
    for g in range(len(rows)):
        row = rows[g]
        low, high = sides(row, t_day, first, last, ahead, reach_day, least)
        middle = 0.5 * (t_day[row] + t_day[row + 1])
        before, after = row - low + 1, high - row
        mean_b, mean_a = 0.0, 0.0
        for j in range(low, row + 1):
            mean_b += t_day[j] - middle
        for j in range(row + 1, high + 1):
            mean_a += t_day[j] - middle
        mean_b /= before
        mean_a /= after
        for c in range(y.shape[1]):
            yb, ya = 0.0, 0.0
            for j in range(low, row + 1):
                yb += y[j, c]
            for j in range(row + 1, high + 1):
                ya += y[j, c]
            yb /= before
            ya /= after
            xx_b, xy_b, xx_a, xy_a, yy = 0.0, 0.0, 0.0, 0.0, 0.0
            for j in range(low, row + 1):
                x = t_day[j] - middle - mean_b
                xx_b += x * x
                xy_b += x * (y[j, c] - yb)
                yy += (y[j, c] - yb) ** 2
            for j in range(row + 1, high + 1):
                x = t_day[j] - middle - mean_a
                xx_a += x * x
                xy_a += x * (y[j, c] - ya)
                yy += (y[j, c] - ya) ** 2
            slope = 0.0
            if before + after > 3 and xx_a + xx_b > 1e-9:
                slope = (xy_a + xy_b) / (xx_a + xx_b)
            step[g, c] = (ya - slope * mean_a) - (yb - slope * mean_b)
            spread[g, c] = math.sqrt(max(yy - slope * (xy_a + xy_b), 0.0) / max(before + after - 3, 1))
            kink[g, c] = 0.0
            if before > 1 and after > 1 and xx_a > 1e-9 and xx_b > 1e-9:
                kink[g, c] = xy_a / xx_a - xy_b / xx_b


@numba.njit(cache=True, nogil=True)
def find_levels(
    rows: Integers, t_day: Floats, first: Integers, last: Integers, ahead: int, reach_day: float, x: Floats, out: Floats
) -> None:
    """How much larger a quantity of gaps is, on average, after each gap than before; x: (rows,) by row of the gap."""
    for g in range(len(rows)):
        row = rows[g]
        low, high = sides(row, t_day, first, last, ahead, reach_day, LEAST_SIDE)
        after, many = 0.0, 0
        for j in range(row + 1, high):
            after += x[j]
            many += 1
        if many:
            after /= many
        before, many = 0.0, 0
        for j in range(low, row):
            before += x[j]
            many += 1
        if many:
            before /= many
        out[g] = after - before


@numba.njit(cache=True, nogil=True)
def without_drag_term(
    start: Integers, stop: Integers, steps: Floats, usual: Floats, width: int, trailing: bool, out: Floats
) -> None:
    """Steps of the mean motion (column 0) less what those of B* (column 1) explain among the object's other gaps.

    Gaps whose steps are large by their usual sizes are left out of the regression.
    """
    for k in range(len(start)):
        a, b = start[k], stop[k]
        for g in range(a, b):
            sxy, sxx = 0.0, 0.0
            low = max(a, g - (2 * width if trailing else width))
            high = g if trailing else min(b, g + width + 1)
            for j in range(low, high):
                x, y = steps[j, 1], steps[j, 0]
                if abs(j - g) < 2 or abs(y) > 2.7 * usual[g, 0] or abs(x) > 2.7 * usual[g, 1]:
                    continue
                sxy += y * x
                sxx += x * x
            out[g] = steps[g, 0] - (sxy / sxx * steps[g, 1] if sxx > 0.0 else 0.0)


@numba.njit(cache=True, nogil=True)
def find_scales(start: Integers, stop: Integers, x: Floats, width: int, trailing: bool, scale: Floats) -> None:
    """Rolling robust size (1.4826 x median of |x|) of each column of x (gaps, c) among the object's gaps.

    Trailing sizes are of gaps up to the one itself, at most; at an object's beginning that is little to go by.
    """
    buffer = np.empty(2 * width + 2 * STRIDE)
    for k in range(len(start)):
        a, b = start[k], stop[k]
        at = a
        while at < b:
            upto = min(b, at + (1 if trailing and at < a + STRIDE else STRIDE))
            low = max(a, at + 1 - 2 * width) if trailing else max(a, at - width)
            high = at + 1 if trailing else min(b, upto + width - STRIDE)
            for c in range(x.shape[1]):
                many = 0
                for j in range(low, high):
                    if math.isfinite(x[j, c]):
                        buffer[many] = abs(x[j, c])
                        many += 1
                size = 1.4826 * np.median(buffer[:many]) if many else np.nan
                for g in range(at, upto):
                    scale[g, c] = size
            at = upto


@numba.njit(cache=True, nogil=True)
def find_neighbours(
    start: Integers, stop: Integers, middle_day: Floats, reach: int, ahead: int, place: Integers
) -> None:
    """Gaps 1 .. reach days before and after each, each one gap further at least -> place (gaps, 2 reach); -1: none.

    Columns: -reach .. -1, 1 .. reach.
    """
    for k in range(len(start)):
        for g in range(start[k], stop[k]):
            at = g
            for d in range(1, reach + 1):
                if at >= 0:
                    at -= 1
                    while at >= start[k] and middle_day[g] - middle_day[at] < d - 0.5:
                        at -= 1
                    if at < start[k]:
                        at = -1
                place[g, reach - d] = at
            at = g
            for d in range(1, reach + 1):
                if at >= 0:
                    at += 1
                    while at < stop[k] and middle_day[at] - middle_day[g] < d - 0.5:
                        at += 1
                    if at >= stop[k] or at - g > ahead:
                        at = -1
                place[g, reach + d - 1] = at


@numba.njit(cache=True, nogil=True)
def summed(first: Integers, t_day: Floats, rate: Floats, out: Floats) -> None:
    """Integral of a rate (per day) over the sets of each object, by the trapezoidal rule."""
    for row in range(len(t_day)):
        out[row] = 0.0
        if row > first[row]:
            out[row] = out[row - 1] + 0.5 * (rate[row] + rate[row - 1]) * (t_day[row] - t_day[row - 1])


@numba.njit(cache=True, nogil=True)
def unwrapped(first: Integers, angle: Floats, out: Floats) -> None:
    """Angles (rad) without jumps of a revolution along the sets of each object."""
    for row in range(len(angle)):
        out[row] = angle[row]
        if row > first[row]:
            turn = angle[row] - out[row - 1]
            out[row] = out[row - 1] + turn - 2.0 * math.pi * math.floor(turn / (2.0 * math.pi) + 0.5)
