"""SGP4 from the newest set with its mean motion and B* fitted anew to the older sets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from orbwatch.constants import DAY_US
from orbwatch.learn.judging.catalog_run_back import carried, past_us, robust_fit
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.propagate.curvilinear import shift_of

STEP_SHARE, LEAST_STEP = 0.05, 1e-5
"""Change of B* that tells what B* does: a share of its size, at least this (1 / Earth radii)."""
DRAG_FROM_REV_DAY = 6.4
"""Slower objects are in deep space, where B* has no meaning."""
LEAST_SETS = 5


def refitted_s(windows: CatalogWindows) -> Float[np.ndarray, "n h"]:
    """How far ahead of the newest set along its orbit the refitted one is at the horizons, s.

    One step of differential correction (Vallado 2013, section 10.4; for element sets Levit & Marshall 2011,
    doi:10.1016/j.asr.2010.10.017): the time by which the newest set, run back, misses the older ones is fitted by what
    a change of mean motion does to it, a straight line, and what a change of B* does, which SGP4 itself is asked by
    running the set with another B*. The position at the newest epoch is kept. SGP4 takes no rate of the mean motion:
    its drag is B*'s alone, so that a new rate and a new B* are one unknown. 14.5 days, Huber's weights. Zero with fewer
    than five sets.
    """
    near = windows.near()
    newest = near.newest
    step = np.maximum(STEP_SHARE * np.abs(newest.bstar_per_er), LEAST_STEP)
    other = replace(newest, bstar_per_er=newest.bstar_per_er + step)
    there = np.isfinite(near.shift[..., 0])
    back_us = past_us(near)
    ahead_us = near.asked_us[:, None] + np.rint(near.horizon_day * DAY_US).astype(np.int64)
    known = np.isfinite(near.rv_teme_km[..., 0])
    back = shift_of(carried(newest, back_us, there), carried(other, back_us, there)[..., :3])[..., 0]
    ahead = shift_of(near.rv_teme_km, carried(other, ahead_us, known)[..., :3])[..., 0]
    drags = (newest.mean_motion_rev_day > DRAG_FROM_REV_DAY)[:, None]
    back, ahead = np.where(drags, back, 0.0), np.where(drags, ahead, 0.0)
    design = np.stack([-near.age_day, back], axis=2)
    found = robust_fit(design, near.shift[..., 0], LEAST_SETS)
    at = np.stack([near.ahead_day, np.where(np.isfinite(ahead), ahead, 0.0)], axis=2)
    return np.asarray(np.einsum("nhp,np->nh", at, found))
