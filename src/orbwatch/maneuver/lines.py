"""Straight lines before and after a gap: how much the slope, or the level, changes there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

RATE_WEIGHT_DAY2 = 0.25
"""How much a known rate counts beside the sum of squared times (day^2) of the values themselves. Mean motions of sets
trail a burn by days (their fits look back), positions at their epochs hardly: the rate only helps short sides."""


class Bend(NamedTuple):
    """Two lines through values before and after: what changes."""

    slope: Float[np.ndarray, " g"]
    """Slope after less slope before; NaN where a side cannot tell."""
    unit: Float[np.ndarray, " g"]
    """Its standard deviation for values with a scatter of 1 each."""
    crossing_day: Float[np.ndarray, " g"]
    squares: Float[np.ndarray, " g"]
    """Sum of the squares left over."""
    free: Float[np.ndarray, " g"]
    """Values less parameters."""
    start: Float[np.ndarray, " g"]
    """Value of the line before at day 0 less that of the line after."""


def bend(
    day: Float[np.ndarray, "g m"],
    value: Float[np.ndarray, "g m"],
    rate: Float[np.ndarray, "g m"],
    before: Bool[np.ndarray, "g m"],
    after: Bool[np.ndarray, "g m"],
) -> Bend:
    """Least squares with a line on each side; the `rate` of the set farthest out stands in where a side is short."""
    sides = []
    for use, farthest in (
        (before, np.argmax(before, axis=1)),
        (after, after.shape[1] - 1 - np.argmax(after[:, ::-1], axis=1)),
    ):
        known = np.where(use.any(axis=1), np.take_along_axis(rate, farthest[:, None], axis=1)[:, 0], np.nan)
        sides.append(_line(day, value, known, use & np.isfinite(value)))
    (mean_b, day_b, slope_b, spread_b, squares_b, n_b), (mean_a, day_a, slope_a, spread_a, squares_a, n_a) = sides
    slope = slope_a - slope_b
    start = (mean_b - slope_b * day_b) - (mean_a - slope_a * day_a)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = start / slope
        unit = np.sqrt(1.0 / spread_b + 1.0 / spread_a)
    free = np.maximum(n_b - 2.0, 0.0) + np.maximum(n_a - 2.0, 0.0)
    return Bend(slope, unit, crossing, squares_b + squares_a, free, start)


def _line(
    day: Float[np.ndarray, "g m"],
    value: Float[np.ndarray, "g m"],
    known: Float[np.ndarray, " g"],
    use: Bool[np.ndarray, "g m"],
) -> tuple[np.ndarray, ...]:
    n = use.sum(axis=1)
    count = np.maximum(n, 1)
    x, y = np.where(use, day, 0.0), np.where(use, value, 0.0)
    mean_x, mean_y = x.sum(axis=1) / count, y.sum(axis=1) / count
    x, y = np.where(use, day - mean_x[:, None], 0.0), np.where(use, y - mean_y[:, None], 0.0)
    spread = (x * x).sum(axis=1) + RATE_WEIGHT_DAY2
    slope = ((x * y).sum(axis=1) + RATE_WEIGHT_DAY2 * known) / spread
    left = y - slope[:, None] * x
    mean_y = np.where(n > 0, mean_y, np.nan)
    return mean_y, mean_x, slope, spread, (left * left).sum(axis=1), n


class Step(NamedTuple):
    """One slope, two levels: what changes."""

    level: Float[np.ndarray, "g c"]
    """Level after less level before, at day 0; NaN where a side is empty."""
    unit: Float[np.ndarray, " g"]
    """Its standard deviation for values with a scatter of 1 each."""
    squares: Float[np.ndarray, " g"]
    free: Float[np.ndarray, " g"]


def step(
    day: Float[np.ndarray, "g m"],
    value: Float[np.ndarray, "g m c"],
    before: Bool[np.ndarray, "g m"],
    after: Bool[np.ndarray, "g m"],
) -> Step:
    """Least squares with a common slope; none where there are fewer than four values."""
    n_b, n_a = before.sum(axis=1), after.sum(axis=1)
    use = before | after
    means, days = [], []
    x = np.where(use, day, 0.0)
    y = np.where(use[..., None], value, 0.0)
    for side, n in ((before, n_b), (after, n_a)):
        count = np.maximum(n, 1)
        days.append((np.where(side, x, 0.0)).sum(axis=1) / count)
        means.append(np.where(side[..., None], y, 0.0).sum(axis=1) / count[:, None])
    x = np.where(before, x - days[0][:, None], np.where(after, x - days[1][:, None], 0.0))
    y = np.where(before[..., None], y - means[0][:, None], np.where(after[..., None], y - means[1][:, None], 0.0))
    spread = (x * x).sum(axis=1)
    sloped = (n_b + n_a >= 4) & (spread > 0.0)
    slope = np.where(sloped[:, None], (x[..., None] * y).sum(axis=1) / np.where(sloped, spread, 1.0)[:, None], 0.0)
    apart = days[1] - days[0]
    level = means[1] - means[0] - slope * apart[:, None]
    level = np.where(((n_b > 0) & (n_a > 0))[:, None], level, np.nan)
    left = y - slope[:, None] * x[..., None]
    with np.errstate(divide="ignore"):
        unit = np.sqrt(1.0 / n_b + 1.0 / n_a + np.where(sloped, apart**2 / np.where(sloped, spread, 1.0), 0.0))
    return Step(level, unit, (left * left).sum(axis=(1, 2)), value.shape[2] * np.maximum(n_b + n_a - 2.0 - sloped, 0.0))
