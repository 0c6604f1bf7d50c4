"""Kepler's motion along one orbit, forwards and as a search: the compiled core of `curvilinear`."""

# Compiled with constants c35a2b80; renewed by tests/kernel_stamps.py
from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from orbwatch.constants import WGS72_MU_KM3_S2

Doubles = NDArray[np.float64]

MU_KM3_S2 = float(WGS72_MU_KM3_S2)
MOST_TURN_RAD = math.pi
"""Shifts of more than half a revolution are not searched for: which revolution is meant cannot be told."""
_ROUNDS = 30
_SMALL = 1e-13


@numba.njit(cache=True)
def _orbit(state: Doubles) -> tuple[float, float, float]:
    """1 / a, |r|, r.v / sqrt(mu); 1 / a <= 0 is no ellipse."""
    radius = math.sqrt(state[0] ** 2 + state[1] ** 2 + state[2] ** 2)
    speed2 = state[3] ** 2 + state[4] ** 2 + state[5] ** 2
    sigma = (state[0] * state[3] + state[1] * state[4] + state[2] * state[5]) / math.sqrt(MU_KM3_S2)
    return 2.0 / radius - speed2 / MU_KM3_S2, radius, sigma


@numba.njit(cache=True)
def _turned(
    state: Doubles, turn: float, alpha: float, radius: float, sigma: float, out: Doubles
) -> tuple[float, float]:
    """The state after a change of eccentric anomaly; returns the time that takes, s, and the new distance, km.

    Battin 1999, equations 4.41 to 4.43.
    """
    a = 1.0 / alpha
    root = math.sqrt(a)
    sine, cosine = math.sin(turn), math.cos(turn)
    far = a + (radius - a) * cosine + sigma * root * sine
    seconds = (turn * a - (a - radius) * sine + sigma * root * (1.0 - cosine)) * root / math.sqrt(MU_KM3_S2)
    f = 1.0 - a / radius * (1.0 - cosine)
    g = (a * sigma * (1.0 - cosine) + radius * root * sine) / math.sqrt(MU_KM3_S2)
    df = -math.sqrt(MU_KM3_S2 * a) / (far * radius) * sine
    dg = 1.0 - a / far * (1.0 - cosine)
    for i in range(3):
        out[i] = f * state[i] + g * state[i + 3]
        out[i + 3] = df * state[i] + dg * state[i + 3]
    return seconds, far


@numba.njit(cache=True)
def _axes(state: Doubles, outward: Doubles, normal: Doubles) -> None:
    """Unit vectors across the motion: in the plane (outwards, square to the velocity), and along r x v."""
    x, y, z, u, v, w = state[0], state[1], state[2], state[3], state[4], state[5]
    normal[0], normal[1], normal[2] = y * w - z * v, z * u - x * w, x * v - y * u
    length = math.sqrt(normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2)
    speed = math.sqrt(u * u + v * v + w * w)
    for i in range(3):
        normal[i] /= length
    outward[0] = (v * normal[2] - w * normal[1]) / speed
    outward[1] = (w * normal[0] - u * normal[2]) / speed
    outward[2] = (u * normal[1] - v * normal[0]) / speed


@numba.njit(cache=True, nogil=True)
def find_rows(rv: Doubles, r: Doubles, out: Doubles) -> None:
    """For each row, where on the orbit through rv (n, 6) the point r (n, 3) is abeam: out (n, 3) = s, km, km."""
    at, across, normal = np.empty(6), np.empty(3), np.empty(3)
    for row in range(len(rv)):
        state, point = rv[row], r[row]
        alpha, radius, sigma = _orbit(state)
        out[row, :] = np.nan
        if not (alpha > 0.0 and radius > 0.0) or not math.isfinite(point[0] + point[1] + point[2]):
            continue
        turn, seconds, found = 0.0, 0.0, False
        for _ in range(_ROUNDS):
            seconds, far = _turned(state, turn, alpha, radius, sigma, at)
            ahead, speed2 = 0.0, 0.0
            for i in range(3):
                ahead += (point[i] - at[i]) * at[i + 3]
                speed2 += at[i + 3] ** 2
            step = ahead / speed2 * math.sqrt(MU_KM3_S2 * alpha) / far
            turn += min(max(step, -0.5), 0.5)
            if abs(turn) > MOST_TURN_RAD:
                break
            if abs(step) < _SMALL:
                found = True
                break
            found = abs(step) < 1e-9  # round-off of large coordinates can keep steps from shrinking further
        if not found:
            continue
        seconds, far = _turned(state, turn, alpha, radius, sigma, at)
        _axes(at, across, normal)
        out[row, 0] = seconds
        out[row, 1] = sum([(point[i] - at[i]) * across[i] for i in range(3)])
        out[row, 2] = sum([(point[i] - at[i]) * normal[i] for i in range(3)])


@numba.njit(cache=True, nogil=True)
def move_row(state: Doubles, seconds_on: float, out_km: float, normal_km: float, out: Doubles, axes: Doubles) -> None:
    """One state (6,) moved along its orbit and then across, into out (6,); axes (2, 3): outwards and normal there."""
    alpha, radius, sigma = _orbit(state)
    out[:] = np.nan
    if not (alpha > 0.0 and radius > 0.0) or not math.isfinite(seconds_on):
        return
    period = 2.0 * math.pi / math.sqrt(MU_KM3_S2 * alpha**3)
    target = seconds_on - period * math.floor(seconds_on / period + 0.5)
    turn = target * math.sqrt(MU_KM3_S2 * alpha**3)
    for _ in range(_ROUNDS):
        seconds, far = _turned(state, turn, alpha, radius, sigma, out)
        step = (target - seconds) * math.sqrt(MU_KM3_S2 * alpha) / far
        turn += min(max(step, -1.0), 1.0)
        if abs(step) < _SMALL:
            break
    _turned(state, turn, alpha, radius, sigma, out)
    _axes(out, axes[0], axes[1])
    for i in range(3):
        out[i] += out_km * axes[0, i] + normal_km * axes[1, i]


@numba.njit(cache=True, nogil=True)
def move_rows(rv: Doubles, moves: Doubles, out: Doubles) -> None:
    """The inverse: states (n, 6) moved along their orbits by moves[:, 0] s, and across by moves[:, 1:] km."""
    axes = np.empty((2, 3))
    for row in range(len(rv)):
        move_row(rv[row], moves[row, 0], moves[row, 1], moves[row, 2], out[row], axes)
