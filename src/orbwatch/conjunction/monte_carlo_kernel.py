"""Compiled trials of `monte_carlo`: how near two two-body orbits with sampled elements come."""

# Compiled with constants c35a2b80; renewed by tests/kernel_stamps.py
from __future__ import annotations

import math

import numpy as np
from numba import njit

from orbwatch.constants import WGS84_MU_KM3_S2

_MU = WGS84_MU_KM3_S2
_TURN = 2.0 * math.pi


@njit(cache=True, nogil=True, error_model="numpy")
def _state(e: np.ndarray, t: float, out: np.ndarray) -> bool:
    """Position and velocity after t seconds of an orbit (mean motion, af, ag, chi, psi, mean longitude)."""
    n, k, h, p, q = e[0], e[1], e[2], e[3], e[4]
    ecc2 = h * h + k * k
    if not (n > 0.0 and ecc2 < 1.0):
        return False
    longitude = e[5] + n * t
    longitude -= _TURN * math.floor(longitude / _TURN)
    sin, cos = math.sin(longitude), math.cos(longitude)
    f = longitude + k * sin - h * cos
    for _ in range(30):
        sin, cos = math.sin(f), math.cos(f)
        step = (f + h * cos - k * sin - longitude) / (1.0 - h * sin - k * cos)
        f -= min(0.9, max(-0.9, step))
        if abs(step) < 1e-7:  # its square is left
            break
    sin, cos = math.sin(f), math.cos(f)
    a = (_MU / (n * n)) ** (1.0 / 3.0)
    b = 1.0 / (1.0 + math.sqrt(1.0 - ecc2))
    x = a * ((1.0 - h * h * b) * cos + h * k * b * sin - k)
    y = a * ((1.0 - k * k * b) * sin + h * k * b * cos - h)
    rate = a * n / (1.0 - h * sin - k * cos)
    vx = rate * (h * k * b * cos - (1.0 - h * h * b) * sin)
    vy = rate * ((1.0 - k * k * b) * cos - h * k * b * sin)
    c = 1.0 / (1.0 + p * p + q * q)
    f0, f1, f2 = (1.0 - p * p + q * q) * c, 2.0 * p * q * c, -2.0 * p * c
    g0, g1, g2 = 2.0 * p * q * c, (1.0 + p * p - q * q) * c, 2.0 * q * c
    out[0], out[1], out[2] = x * f0 + y * g0, x * f1 + y * g1, x * f2 + y * g2
    out[3], out[4], out[5] = vx * f0 + vy * g0, vx * f1 + vy * g1, vx * f2 + vy * g2
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _elements(mean: np.ndarray, root: np.ndarray, z: np.ndarray, first: int, out: np.ndarray) -> None:
    for i in range(6):
        total = mean[i]
        for j in range(6):
            total += root[i, j] * z[first + j]
        out[i] = total


@njit(cache=True, nogil=True, error_model="numpy")
def fill_short(
    mean: np.ndarray, root1: np.ndarray, root2: np.ndarray, z: np.ndarray, t0: float, low: float, high: float,
    miss: np.ndarray,
) -> None:  # fmt: skip
    """Relative position at the closest approach near t0, found by Newton's steps, or at the end of [low, high]."""
    e1, e2, s1, s2 = np.empty(6), np.empty(6), np.empty(6), np.empty(6)
    for i in range(len(miss)):
        _elements(mean[0], root1, z[i], 0, e1)
        _elements(mean[1], root2, z[i], 6, e2)
        miss[i, :] = math.inf
        t = t0
        for _ in range(8):
            if not (_state(e1, t, s1) and _state(e2, t, s2)):
                break
            rv = vv = 0.0
            for j in range(3):
                r, v = s2[j] - s1[j], s2[j + 3] - s1[j + 3]
                rv, vv = rv + r * v, vv + v * v
            step = -rv / vv if vv > 0.0 else 0.0
            new = min(high, max(low, t + step))
            # Straight on from here: exact to half the relative acceleration times the square of a short step.
            ahead = new - t
            if abs(ahead) < 1.0:
                for j in range(3):
                    miss[i, j] = s2[j] - s1[j] + ahead * (s2[j + 3] - s1[j + 3])
            t = new
            if abs(ahead) < 1e-2:
                break


@njit(cache=True, nogil=True, error_model="numpy")
def fill_long(
    mean: np.ndarray, root1: np.ndarray, root2: np.ndarray, z: np.ndarray, low: float, high: float, hbr: float,
    hit: np.ndarray,
) -> None:  # fmt: skip
    """Whether the objects come nearer than hbr anywhere in [low, high]: steps that cannot jump over an approach.

    A step is at most the distance to the ball over the relative speed, which itself grows by the relative acceleration;
    where that is less than a small part of the ball, the straight path through the step is looked at.
    """
    e1, e2, s1, s2 = np.empty(6), np.empty(6), np.empty(6), np.empty(6)
    for i in range(len(hit)):
        _elements(mean[0], root1, z[i], 0, e1)
        _elements(mean[1], root2, z[i], 6, e2)
        hit[i] = 0.0
        t = low
        while t < high:
            if not (_state(e1, t, s1) and _state(e2, t, s2)):
                break
            rr = rv = vv = pull = 0.0
            d1 = math.sqrt(s1[0] ** 2 + s1[1] ** 2 + s1[2] ** 2)
            d2 = math.sqrt(s2[0] ** 2 + s2[1] ** 2 + s2[2] ** 2)
            m1, m2 = _MU / d1**3, _MU / d2**3
            for j in range(3):
                r, v = s2[j] - s1[j], s2[j + 3] - s1[j + 3]
                rr, rv, vv = rr + r * r, rv + r * v, vv + v * v
                pull += (m2 * s2[j] - m1 * s1[j]) ** 2
            distance, speed = math.sqrt(rr), math.sqrt(vv)
            if distance <= hbr:  # at the very start that is no collision within the time
                hit[i] = 1.0 if t > low else 0.0
                break
            gap = distance - hbr
            # v t + g t^2 / 2 = gap, with twice the acceleration now and never less than the tide over the gap.
            g = 2.0 * math.sqrt(pull) + 3.0 * m1 * distance
            safe = (math.sqrt(speed * speed + 2.0 * g * gap) - speed) / g if g > 0.0 else high - t
            shortest = 0.2 * hbr / (speed + math.sqrt(2.0 * g * hbr))
            step = min(max(safe, shortest), high - t)
            if safe < shortest and rv < 0.0:
                ahead = min(step, -rv / vv)
                if rr + 2.0 * ahead * rv + ahead * ahead * vv <= hbr * hbr:
                    hit[i] = 1.0
                    break
            t += step
