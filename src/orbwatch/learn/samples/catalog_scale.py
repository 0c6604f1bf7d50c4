"""How large an error physics expects along the orbit: the unit in which the network sees and says time shifts."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from orbwatch.constants import DAY_S
from orbwatch.learn.samples.catalog_windows import CatalogWindows

NOISE_S = 0.004
"""Timing error of a good set, s, per day ahead and one more."""
DRAG_SHARE = 0.1
"""Share of the whole effect of drag that a forecast may well be wrong by."""
_LIKE_AGE_DAY = 0.3
_LEAST_SPAN_DAY = 0.5


def drag_shift_s(windows: CatalogWindows, ahead_day: Float[np.ndarray, "n h"]) -> Float[np.ndarray, "n h"]:
    """How far drag as the newest set has it moves the object along its orbit in some days, s (at least 0)."""
    rate = 2.0 * np.abs(windows.newest.mean_motion_dot_rev_day2) / windows.newest.mean_motion_rev_day
    return np.asarray(rate[:, None] * ahead_day**2 / 2.0 * DAY_S)


def quiet_scale_s(windows: CatalogWindows, ahead_day: Float[np.ndarray, "n h"]) -> Float[np.ndarray, "n h"]:
    """What noise and drag alone make likely, s."""
    return np.asarray(NOISE_S * (1.0 + ahead_day) + DRAG_SHARE * drag_shift_s(windows, ahead_day))


def time_scale_s(windows: CatalogWindows, ahead_day: Float[np.ndarray, "n h"]) -> Float[np.ndarray, "n h"]:
    """Expected size of the time shift some days after the newest set's epoch, s.

    The most by which the newest set misses the older ones of like age, grown in proportion where the past is shorter
    than the forecast; at least what noise and drag make likely.
    """
    there = np.isfinite(windows.shift[..., 0])
    missed = np.where(there, np.abs(windows.shift[..., 0]), 0.0)
    age = np.where(np.isfinite(windows.age_day), windows.age_day, np.inf)
    # Columns run from the oldest set to the newest: the running maximum from the end is over all ages up to each.
    most = np.maximum.accumulate(missed[:, ::-1], axis=1)
    within = (age[:, ::-1, None] <= ahead_day[:, None, :] + _LIKE_AGE_DAY).sum(axis=1)
    past = np.take_along_axis(most, np.maximum(within - 1, 0), axis=1)
    expected = np.maximum(past, quiet_scale_s(windows, ahead_day))
    return np.asarray(expected * np.maximum(1.0, ahead_day / span_day(windows)[:, None]))


def span_day(windows: CatalogWindows) -> Float[np.ndarray, " n"]:
    """Age of the oldest known set at the newest one's epoch, at least half a day."""
    there = np.isfinite(windows.shift[..., 0])
    return np.asarray(np.maximum(np.where(there, windows.age_day, 0.0).max(axis=1), _LEAST_SPAN_DAY))
