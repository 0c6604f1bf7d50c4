# mypy: disable-error-code="untyped-decorator"
"""Compiled core of `along_orbit` and `corrected`: reading the numbers at many times, moving states by them."""

# Compiled with constants c35a2b80, curvilinear_kernel 7f5e92ac; renewed by tests/kernel_stamps.py
from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from orbwatch.constants import WGS72_MU_KM3_S2 as MU
from orbwatch.propagate.curvilinear_kernel import move_row

Doubles = NDArray[np.float64]
Whole = NDArray[np.int64]

_J2_TERM = 1.5 * 1.082616e-3 * 6378.135**2  # 3/2 J2 R^2, km^2
_FLAT = 1e-12  # of h: the plane is the equator's, and the node anywhere
_DAY_S = 86400.0


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _between(day: float, step_day: float, count: int) -> tuple[int, float, float]:
    """Knot to the left, share of the way to the next one, and the share's change a day; held beyond the ends."""
    x = day / step_day
    if x <= 0.0:
        return 0, 0.0, 0.0
    if x >= count - 1.0:
        return count - 2, 1.0, 0.0
    left = int(x)
    return left, x - left, 1.0 / step_day


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _phase(state: Doubles) -> tuple[float, float, float]:
    """Cosine and sine of the argument of latitude, and its change in rad/s."""
    x, y, z, u, v, w = state[0], state[1], state[2], state[3], state[4], state[5]
    hx, hy, hz = y * w - z * v, z * u - x * w, x * v - y * u
    radius, h = math.sqrt(x * x + y * y + z * z), math.sqrt(hx * hx + hy * hy + hz * hz)
    level = math.sqrt(hx * hx + hy * hy)
    nx, ny = (-hy / level, hx / level) if level > _FLAT * h else (1.0, 0.0)
    cosine = (x * nx + y * ny) / radius
    # (h x node) . r
    sine = (-hz * ny * x + hz * nx * y + (hx * ny - hy * nx) * z) / (h * radius)
    return cosine, sine, h / (radius * radius)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _read(
    state: Doubles, day: float, step_day: float, smooth: int, turn_day: float, weight: Doubles,
    value: Doubles, rate: Doubles,
) -> None:  # fmt: skip
    """The numbers of one object, weight (smooth + 2 turns, c), where it is in `state`; and their change a second."""
    cosine, sine, swing = _phase(state)
    left, share, slope = _between(day, step_day, smooth)
    turns = (len(weight) - smooth) // 2
    left_t, share_t, slope_t = _between(day, turn_day, turns)
    slope, slope_t = slope / _DAY_S, slope_t / _DAY_S
    for c in range(weight.shape[1]):
        a, b = weight[left, c], weight[left + 1, c]
        p, q = weight[smooth + left_t, c], weight[smooth + left_t + 1, c]
        r, s = weight[smooth + turns + left_t, c], weight[smooth + turns + left_t + 1, c]
        of_cos, of_sin = p + share_t * (q - p), r + share_t * (s - r)
        value[c] = a + share * (b - a) + of_cos * cosine + of_sin * sine
        rate[c] = (
            slope * (b - a) + slope_t * ((q - p) * cosine + (s - r) * sine) + swing * (of_sin * cosine - of_cos * sine)
        )


@numba.njit(cache=True, nogil=True, error_model="numpy")
def read_rows(
    rv: Doubles, day: Doubles, index: Whole, step_day: float, smooth: int, turn_day: float, weight: Doubles,
    out: Doubles,
) -> None:  # fmt: skip
    """Numbers of object index[k], weight (n, smooth + 2 turns, c), where it is in rv[k], (k, 6); into out (k, c)."""
    rate = np.empty(weight.shape[2])
    for k in range(len(index)):
        _read(rv[k], day[k], step_day, smooth, turn_day, weight[index[k]], out[k], rate)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _move(state: Doubles, value: Doubles, rate: Doubles, moved: Doubles, axes: Doubles) -> None:
    """A state (6,) moved by value (s, km, km), with the velocity that a body so moved has, into `moved`.

    The velocity is the moved orbit's, and the change of the move itself; the axis outwards turns with the velocity,
    and the oblateness pulls the orbit on during the time shift (first order).
    """
    move_row(state, value[0], value[1], value[2], moved, axes)
    x, y, z = state[0], state[1], state[2]
    r2 = x * x + y * y + z * z
    j = -MU * _J2_TERM / (r2 * r2 * math.sqrt(r2))
    k = 5.0 * z * z / r2
    pull = (j * x * (1.0 - k), j * y * (1.0 - k), j * z * (3.0 - k))
    u, v, w = moved[3], moved[4], moved[5]
    speed2 = u * u + v * v + w * w
    hx = state[1] * state[5] - state[2] * state[4]
    hy = state[2] * state[3] - state[0] * state[5]
    hz = state[0] * state[4] - state[1] * state[3]
    far2 = moved[0] ** 2 + moved[1] ** 2 + moved[2] ** 2
    bend = MU * math.sqrt(hx * hx + hy * hy + hz * hz) / (far2 * math.sqrt(far2) * speed2)  # rad/s
    along = rate[0] + value[1] * bend / math.sqrt(speed2)
    for i in range(3):
        moved[i + 3] += along * moved[i + 3] + rate[1] * axes[0, i] + rate[2] * axes[1, i] + value[0] * pull[i]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def move_at(
    rv: Doubles, day: Doubles, index: Whole, step_day: float, smooth: int, turn_day: float, weight: Doubles
) -> None:
    """States (k, 6) of objects index[k] moved in place; index -1, and NaN, stay as they are."""
    value, rate, moved, axes = np.empty(3), np.empty(3), np.empty(6), np.empty((2, 3))
    for k in range(len(index)):
        if index[k] >= 0 and math.isfinite(rv[k, 0]):
            _read(rv[k], day[k], step_day, smooth, turn_day, weight[index[k]], value, rate)
            _move(rv[k], value, rate, moved, axes)
            rv[k, :] = moved


@numba.njit(cache=True, nogil=True, error_model="numpy")
def move_nodes(
    rv: Doubles, day: Doubles, index: Whole, step_day: float, smooth: int, turn_day: float, weight: Doubles
) -> None:
    """The same for all objects at m times, rv (m, 6, n), day (m,), index (n,)."""
    state, value, rate, moved, axes = np.empty(6), np.empty(3), np.empty(3), np.empty(6), np.empty((2, 3))
    for m in range(rv.shape[0]):
        for i in range(rv.shape[2]):
            if index[i] < 0 or not math.isfinite(rv[m, 0, i]):
                continue
            for c in range(6):
                state[c] = rv[m, c, i]
            _read(state, day[m], step_day, smooth, turn_day, weight[index[i]], value, rate)
            _move(state, value, rate, moved, axes)
            for c in range(6):
                rv[m, c, i] = moved[c]
