# mypy: disable-error-code="untyped-decorator"
"""Compiled check of a catalogue's states over a chunk of nodes: where they exist, and how far they can be trusted."""

# Compiled with constants c35a2b80; renewed by tests/kernel_stamps.py
from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from numba import njit

from orbwatch.constants import WGS72_MU_KM3_S2 as MU

# inner functions are compiled into the outer ones: no entry points, no cache of their own
INNER: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
Doubles = Float[np.ndarray, "..."]
Bytes = UInt8[np.ndarray, "..."]

_J2_TERM = 1.5 * 1.082616e-3 * 6378.135**2  # 3/2 J2 R^2
ROUGH_KM = 0.5  # what velocities may fail to integrate to, over a step, before an object is treated apart
CARRIED_KM = 1.0  # error of a state carried on over a step without SGP4
ESCAPE = 2.2  # v^2 r / mu: 2 at escape speed
FASTER_THAN_ESCAPE = 9


@njit(**INNER)
def _acceleration(x: float, y: float, z: float) -> tuple[float, float, float]:
    r2 = x * x + y * y + z * z
    g = -MU / (r2 * np.sqrt(r2))
    j = _J2_TERM / r2
    k = 5.0 * z * z / r2
    return g * x * (1.0 + j * (1.0 - k)), g * y * (1.0 + j * (1.0 - k)), g * z * (1.0 + j * (3.0 - k))


@njit(**INNER)
def _slope(state: Doubles, out: Doubles) -> None:
    out[0], out[1], out[2] = state[3], state[4], state[5]
    out[3], out[4], out[5] = _acceleration(state[0], state[1], state[2])


@njit(**INNER)
def _carry(rv: Doubles, source: int, target: int, i: int, step_s: float) -> None:
    """State of object i at node `source` moved on by step_s under gravity and oblateness (Runge-Kutta, in quarters)."""
    h = 0.25 * step_s
    y, w, total, slope = np.empty(6), np.empty(6), np.empty(6), np.empty(6)
    for d in range(6):
        y[d] = rv[source, d, i]
    for _ in range(4):
        for d in range(6):
            w[d] = y[d]
            total[d] = 0.0
        for stage in range(4):
            _slope(w, slope)
            ahead = h if stage == 2 else 0.5 * h
            for d in range(6):
                w[d] = y[d] + ahead * slope[d]
                total[d] += slope[d] * (1.0 if stage % 3 == 0 else 2.0)
        for d in range(6):
            y[d] += h / 6.0 * total[d]
    for d in range(6):
        rv[target, d, i] = y[d]


@njit(**INNER)
def _pulls(state: Doubles, out: Doubles) -> None:
    for i in range(state.shape[1]):
        out[0, i], out[1, i], out[2, i] = _acceleration(state[0, i], state[1, i], state[2, i])


@njit(**INNER)
def _misfit2(a: Doubles, b: Doubles, pull_a: Doubles, pull_b: Doubles, step_s: float, out: Doubles) -> None:
    """Square of r_b - r_a less its integral from velocities and accelerations (Hermite's rule), km^2."""
    half, twelfth = 0.5 * step_s, step_s * step_s / 12.0
    for i in range(a.shape[1]):
        x = b[0, i] - a[0, i] - half * (a[3, i] + b[3, i]) + twelfth * (pull_b[0, i] - pull_a[0, i])
        y = b[1, i] - a[1, i] - half * (a[4, i] + b[4, i]) + twelfth * (pull_b[1, i] - pull_a[1, i])
        z = b[2, i] - a[2, i] - half * (a[5, i] + b[5, i]) + twelfth * (pull_b[2, i] - pull_a[2, i])
        out[i] = x * x + y * y + z * z


@njit(cache=True, nogil=True, error_model="numpy")
def survey(rv: Doubles, status: Bytes, step_s: float, doubt: Doubles) -> None:
    """How far each state can be trusted over a step, into `doubt` (m, n), km: 0 where it is good enough (see `screen`).

    NaN where there is none; status is set to FASTER_THAN_ESCAPE where SGP4, after an object's fall, gives speeds that
    no orbit has. Where an object fails, its state is carried on from the neighboring node into `rv`, so that
    what happens before the failure is still searched. Where velocities do not integrate to the positions (SGP4 on
    objects about to fall, mainly), by how much they do not.
    """
    m, n = status.shape
    pull, next_pull, misfit2 = np.empty((3, n)), np.empty((3, n)), np.empty(n)
    doubt[:] = 0.0
    for k in range(m):
        x, y, z, u, v, w = rv[k, 0], rv[k, 1], rv[k, 2], rv[k, 3], rv[k, 4], rv[k, 5]
        for i in range(n):
            speed2 = u[i] * u[i] + v[i] * v[i] + w[i] * w[i]
            if speed2 * np.sqrt(x[i] * x[i] + y[i] * y[i] + z[i] * z[i]) > ESCAPE * MU:
                status[k, i] = FASTER_THAN_ESCAPE
    for k in range(m):
        for i in range(n):
            if status[k, i] == 0:
                continue
            doubt[k, i] = CARRIED_KM
            if k > 0 and status[k - 1, i] == 0:
                _carry(rv, k - 1, k, i, step_s)
            elif k + 1 < m and status[k + 1, i] == 0:
                _carry(rv, k + 1, k, i, -step_s)
            else:
                doubt[k, i] = np.nan
    _pulls(rv[0], pull)
    for k in range(m - 1):
        _pulls(rv[k + 1], next_pull)
        _misfit2(rv[k], rv[k + 1], pull, next_pull, step_s, misfit2)
        pull, next_pull = next_pull, pull
        for i in range(n):
            if misfit2[i] > ROUGH_KM * ROUGH_KM:
                misfit = np.sqrt(misfit2[i])
                doubt[k, i] = max(doubt[k, i], misfit)
                doubt[k + 1, i] = max(doubt[k + 1, i], misfit)
