"""Interpolation of tabulated states as ephemeris messages ask for it: Lagrange, linear, Hermite."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int


def lagrange(
    times_us: Int[np.ndarray, " m"], values: Float[np.ndarray, "m d"], at_us: Int[np.ndarray, " k"], degree: int
) -> Float[np.ndarray, "k d"]:
    """Values at `at_us` of the polynomial through the degree + 1 nearest nodes (fewer when the table is shorter).

    `times_us` increases strictly; any one time scale, microseconds. Neville's scheme (Press et al., Numerical Recipes,
    3rd ed., 3.2). Outside the table it extrapolates: the caller checks the span.
    """
    nodes, x, _ = _windows(times_us, at_us, degree + 1)
    table = values[nodes]
    for width in range(1, nodes.shape[1]):
        left, right = x[:, :-width, None], x[:, width:, None]
        table = (left * table[:, 1:] - right * table[:, :-1]) / (left - right)
    return np.asarray(table[:, 0])


def hermite(
    times_us: Int[np.ndarray, " m"],
    r: Float[np.ndarray, "m d"],
    v: Float[np.ndarray, "m d"],
    at_us: Int[np.ndarray, " k"],
    degree: int,
) -> tuple[Float[np.ndarray, "k d"], Float[np.ndarray, "k d"]]:
    """Positions and velocities (units of r, and of r per second) of the polynomial of at most `degree` that has the
    positions and velocities of the nearest (degree + 1) / 2 nodes; the velocity is its derivative.

    `times_us` as in `lagrange`. Divided differences on doubled nodes (Burden & Faires, Numerical
    Analysis, 9th ed., 3.4).
    """
    nodes, x, scale_s = _windows(times_us, at_us, max(1, (degree + 1) // 2))
    z = np.repeat(x, 2, axis=1)
    table = np.repeat(r[nodes], 2, axis=1)
    slope = v[nodes] * scale_s
    coefficients = [table[:, 0]]
    for width in range(1, z.shape[1]):
        gap = (z[:, width:] - z[:, :-width])[:, :, None]
        divided = (table[:, 1:] - table[:, :-1]) / np.where(gap == 0.0, 1.0, gap)
        if width == 1:
            divided[:, ::2] = slope
        table = divided
        coefficients.append(table[:, 0])
    # Newton's form by Horner's rule at x = 0, the time asked for, together with its derivative.
    value, derivative = coefficients[-1], np.zeros_like(coefficients[-1])
    for i in range(len(coefficients) - 2, -1, -1):
        offset = -z[:, i, None]
        derivative = value + offset * derivative
        value = coefficients[i] + offset * value
    return value, derivative / scale_s


def _windows(
    times_us: Int[np.ndarray, " m"], at_us: Int[np.ndarray, " k"], count: int
) -> tuple[Int[np.ndarray, "k n"], Float[np.ndarray, "k n"], float]:
    """Indices of the `count` nodes around each time, their offsets from it in units of the mean step, and that in s."""
    count = min(count, len(times_us))
    after = np.searchsorted(times_us, at_us, side="right")
    first = np.clip(after - (count + 1) // 2, 0, len(times_us) - count)
    nodes = first[:, None] + np.arange(count)
    step_us = (times_us[-1] - times_us[0]) / (len(times_us) - 1) if len(times_us) > 1 else 1e6
    return nodes, (times_us[nodes] - at_us[:, None]) / step_us, float(step_us) * 1e-6
