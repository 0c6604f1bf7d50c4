"""What an orbit did in the days before an instant: the compiled core of `orbit_window`.

Semi-major axes are medians of three neighbouring sets, so that one bad set decides nothing.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]

FIELDS = 23
"""Numbers of a window, in the order of `orbit_window.OrbitWindows`."""
_END_DAY, _DRIFT_DAY, _CLOSE_DAY = 7.0, 10.0, 3.0
_BEFORE_SETS = 8
"""What an orbit did before a fall is told by so many sets."""

# Free motion of a synchronous orbit's longitude, deg/day^2: 3 n^2 sum of m (Re/a)^l P_lm(0) (C sin ml - S cos ml),
# n 360.9856 deg/day, Re/a 0.151270 (Kaula 1966, section 3.6); C22, S22, C31, S31, C33, S33 of EGM2008, unnormalized.
_N2 = 3.0 * 360.9856**2 / math.degrees(1.0)
_C22, _S22 = 2.0 * 0.151270**2 * 3.0 * 1.57446e-6, 2.0 * 0.151270**2 * 3.0 * -9.0387e-7
_C31, _S31 = 0.151270**3 * -1.5 * 2.19264e-6, 0.151270**3 * -1.5 * 2.6843e-7
_C33, _S33 = 3.0 * 0.151270**3 * 15.0 * 1.0056e-7, 3.0 * 0.151270**3 * 15.0 * 1.9722e-7

# An unkept plane turns about a pole 7.4 deg from the Earth's, once in 53 years (Allan & Cook 1964).
_POLE_DEG, _TURN_RAD_DAY = 7.4, 2.0 * math.pi / (53.0 * 365.25)


@numba.njit(cache=True)
def acceleration_deg_day2(longitude_deg: float) -> float:
    """Of a synchronous orbit's mean longitude, by the Earth's ellipticity (degrees 2 and 3)."""
    x = math.radians(longitude_deg)
    return _N2 * (
        _C22 * math.sin(2.0 * x) - _S22 * math.cos(2.0 * x)
        + _C31 * math.sin(x) - _S31 * math.cos(x)
        + _C33 * math.sin(3.0 * x) - _S33 * math.cos(3.0 * x)
    )  # fmt: skip


@numba.njit(cache=True)
def _sorted(values: Doubles) -> Doubles:
    """A sorted copy (Shell 1959): a few hundred numbers, and far quicker to compile than the library's."""
    x = values.copy()
    step = len(x) // 2
    while step > 0:
        for i in range(step, len(x)):
            y, j = x[i], i
            while j >= step and x[j - step] > y:
                x[j] = x[j - step]
                j -= step
            x[j] = y
        step //= 2
    return x


@numba.njit(cache=True)
def _median(values: Doubles) -> float:
    n = len(values)
    if n == 0:
        return math.nan
    x = _sorted(values)
    return 0.5 * (x[(n - 1) // 2] + x[n // 2])


@numba.njit(cache=True)
def _ends(t: Doubles, a: Doubles) -> tuple[float, float]:
    """First and last value, each a median of three where the three are close in time."""
    n = len(t)
    few = min(3, n)
    first = _median(a[:few]) if t[few - 1] - t[0] < _CLOSE_DAY else a[0]
    last = _median(a[n - few :]) if t[n - 1] - t[n - few] < _CLOSE_DAY else a[n - 1]
    return first, last


@numba.njit(cache=True)
def _slope(x: Doubles, y: Doubles) -> float:
    mx, my = x.mean(), y.mean()
    sxx = ((x - mx) ** 2).sum()
    return float(((x - mx) * (y - my)).sum() / sxx) if sxx > 1e-9 else math.nan


@numba.njit(cache=True)
def _run(t: Doubles, a: Doubles, sign: float, slack_km: float, noise: float, out: Doubles) -> None:
    """The rise (sign 1) or fall (-1) that lasts to the end: since when, by how much, and the rate before it."""
    n = len(t)
    s = sign * a
    end, low, at = s[n - 1], s[n - 1], n - 1
    i = n - 1
    while i >= 0:
        if s[i] < low:
            low, at = s[i], i
        elif s[i] > low + max(4.0 * noise, slack_km, 0.15 * (end - low)):
            break
        i -= 1
    first = i + 1
    gained = end - low
    since = at
    for j in range(n - 1, first - 1, -1):
        if s[j] <= low + max(2.0 * noise, 0.03 * gained):
            since = j
            break
    out[0], out[1] = t[n - 1] - t[since], gained
    out[2], out[3] = math.nan, t[since] - t[0]
    if since >= _BEFORE_SETS and out[3] > 1.0:
        # To the extreme, not to the first row past it: what was lost by then belongs to the run.
        out[2] = (sign * low - a[0]) / out[3]


@numba.njit(cache=True)
def _quiet(
    t: Doubles, a: Doubles, first: int, burn_start: Doubles, burn_end: Doubles, at: float, lag: float, out: Doubles
) -> None:
    """Days, and change of the semi-major axis, of the gaps from row `first` on that no burn touches."""
    days = change = 0.0
    e = 0
    for j in range(first, len(t) - 1):
        while e < len(burn_end) and (burn_end[e] + lag <= t[j] or burn_end[e] > at):
            e += 1
        if e < len(burn_end) and burn_start[e] <= t[j + 1]:
            continue
        days += t[j + 1] - t[j]
        change += a[j + 1] - a[j]
    out[0], out[1] = days, change


@numba.njit(cache=True)
def _synchronous(t: Doubles, longitude_deg: Doubles, hx: Doubles, hy: Doubles, out: Doubles) -> None:
    """Longitude's span, its departure from free motion, its drift at the end and middle, and the plane's departure."""
    n = len(t)
    x = np.empty(n)
    x[0] = longitude_deg[0]
    for j in range(1, n):
        step = longitude_deg[j] - longitude_deg[j - 1]
        x[j] = x[j - 1] + step - 360.0 * round(step / 360.0)
    smooth = x.copy()
    for j in range(1, n - 1):
        smooth[j] = _median(x[j - 1 : j + 2])
    out[0] = smooth.max() - smooth.min()
    free = np.empty(n)
    free[0] = 0.0
    rate = 0.0
    for j in range(1, n):
        step = t[j] - t[j - 1]
        pull = acceleration_deg_day2(0.5 * (x[j] + x[j - 1]))
        free[j] = free[j - 1] + rate * step + 0.5 * pull * step * step
        rate += pull * step
    left = smooth - free
    slope = _slope(t, left)
    left = left - left.mean() - slope * (t - t.mean())
    left = _sorted(left)
    out[1] = left[int(0.95 * (n - 1))] - left[int(0.05 * (n - 1))]
    last = n - 1
    while last > 0 and t[last - 1] > t[n - 1] - _DRIFT_DAY:
        last -= 1
    out[2] = _slope(t[last:], x[last:]) if n - last > 3 else math.nan
    out[3] = _median(x)
    few = min(5, n)
    turn = _TURN_RAD_DAY * (_median(t[n - few :]) - _median(t[:few]))
    px, py = _median(hx[:few]) - _POLE_DEG, _median(hy[:few])
    free_x = _POLE_DEG + px * math.cos(turn) + py * math.sin(turn)
    free_y = -px * math.sin(turn) + py * math.cos(turn)
    out[4] = math.hypot(_median(hx[n - few :]) - free_x, _median(hy[n - few :]) - free_y)


@numba.njit(cache=True)
def newest_rows(epoch_us: Integers, first: Integers, end: Integers, at_us: Integers, row: Integers) -> None:
    """Row of each object's newest set by an instant -> row; its first one where there is none yet, 0 at least."""
    for k in range(len(at_us)):
        low, high = first[k], end[k]
        while low < high:
            middle = (low + high) // 2
            if epoch_us[middle] <= at_us[k]:
                low = middle + 1
            else:
                high = middle
        row[k] = max(min(max(low - 1, first[k]), len(epoch_us) - 1), 0)


@numba.njit(cache=True)
def windows(
    t: Doubles, known: Doubles, a: Doubles, ecc: Doubles, longitude_deg: Doubles, hx: Doubles, hy: Doubles,
    first_row: Integers, end_row: Integers, at: Doubles, synchronous: NDArray[np.bool_],
    burn_start: Doubles, burn_end: Doubles, first_burn: Integers, end_burn: Integers,
    slack_km: Doubles, window_day: float, lag_day: float, out: Doubles,
) -> None:  # fmt: skip
    """One row of `FIELDS` numbers each asking; times in days. Rows known after `at` are not looked at.

    A rise or fall goes on through setbacks of `slack_km`.
    """
    for k in range(len(at)):
        out[k] = math.nan
        out[k, 1] = 0.0
        rows = np.empty(end_row[k] - first_row[k], np.int64)
        n = 0
        for r in range(first_row[k], end_row[k]):
            if known[r] <= at[k] and t[r] <= at[k]:
                rows[n] = r
                n += 1
        if n == 0:
            continue
        rows = rows[:n]
        time, axis = t[rows], a[rows]
        smooth = axis.copy()
        for j in range(1, n - 1):
            smooth[j] = _median(axis[j - 1 : j + 2])
        smooth[0], smooth[n - 1] = _ends(time, axis)
        begin = 0
        while begin < n - 1 and time[begin] < at[k] - window_day:
            begin += 1
        m = n - begin
        here = rows[begin:]
        few = min(3, m)
        o = out[k]
        o[0], o[1] = time[n - 1] - time[begin], m
        o[2], o[3] = _ends(time[begin:], axis[begin:])
        bend = np.abs(axis[begin : n - 2] - 2.0 * axis[begin + 1 : n - 1] + axis[begin + 2 :]) if m > 3 else axis[:0]
        o[4] = 1.4826 / math.sqrt(6.0) * _median(bend)
        o[5] = smooth[begin:].max() - smooth[begin:].min()
        o[6] = _median(ecc[here[m - few :]])
        e0, e1 = first_burn[k], end_burn[k]
        _quiet(time, smooth, begin, burn_start[e0:e1], burn_end[e0:e1], at[k], lag_day, o[7:9])
        middle = begin
        while middle < n - 1 and time[middle] < 0.5 * (time[begin] + time[n - 1]):
            middle += 1
        o[9], o[10] = time[middle] - time[begin], smooth[middle]
        last = begin
        while last < n - 1 and time[last] < time[n - 1] - _END_DAY:
            last += 1
        o[11] = _slope(time[last:], axis[last:]) if n - last > 2 and time[n - 1] - time[last] > 2.0 else math.nan
        if m >= 4:
            noise = max(o[4], 1e-3)
            up, down = np.empty(4), np.empty(4)
            _run(time, smooth, 1.0, slack_km[k], noise, up)
            _run(time, smooth, -1.0, slack_km[k], noise, down)
            o[12], o[13] = up[0], up[1]
            o[14], o[15], o[16], o[17] = down[0], down[1], down[2], down[3]
        if synchronous[k] and m >= 8:
            _synchronous(time[begin:], longitude_deg[here], hx[here], hy[here], o[18:23])
