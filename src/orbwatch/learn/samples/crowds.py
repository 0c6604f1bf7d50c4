"""Constellations by the look of their orbits: many objects with the same inclination and height."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.gp import GpTable

INCLINATION_DEG, MOTION_REV_DAY = 0.25, 0.1
"""Size of a cell."""
LOW_REV_DAY, LOW_INCLINATION_DEG = 14.9, 0.1
"""Below about 600 km constellations climb and come down again: there the inclination alone tells them, more finely."""
CROWD, LOW_CROWD = 60, 250
"""Objects that make a constellation of a cell, and of an inclination of low orbits."""


def crowd_weight(table: GpTable) -> Float[np.ndarray, " n"]:
    """1 over the square root of how many of these objects share each one's cell; one row an object."""
    places = np.stack([_cell(table.inclination_deg, INCLINATION_DEG), _cell(table.mean_motion_rev_day, MOTION_REV_DAY)])
    _, cell, count = np.unique(places, axis=1, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / np.sqrt(count[cell.ravel()]))


def shells(table: GpTable) -> Int[np.ndarray, "n 2"]:
    """Where each orbit stands among the constellations' shells: cells of inclination, and of mean motion or -1."""
    low = table.mean_motion_rev_day > LOW_REV_DAY
    fine, coarse = (_cell(table.inclination_deg, size) for size in (LOW_INCLINATION_DEG, INCLINATION_DEG))
    motion = np.where(low, -1, _cell(table.mean_motion_rev_day, MOTION_REV_DAY))
    return np.stack([np.where(low, fine, coarse), motion], axis=1)


def crowded_shells(table: GpTable) -> Int[np.ndarray, "c 2"]:
    """Those that enough of these objects share; one row an object."""
    found, count = np.unique(shells(table), axis=0, return_counts=True)
    return np.asarray(found[count >= np.where(found[:, 1] < 0, LOW_CROWD, CROWD)])


def _cell(value: Float[np.ndarray, " n"], size: float) -> Int[np.ndarray, " n"]:
    return np.asarray(np.rint(np.nan_to_num(value) / size), np.int64)
