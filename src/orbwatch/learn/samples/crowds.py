"""Constellations by the look of their orbits: many objects with the same inclination and mean motion."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.gp import GpTable

INCLINATION_DEG, MOTION_REV_DAY = 0.25, 0.1
"""Size of a cell."""
CROWD = 60
"""Objects that make a constellation of a cell."""


def cells(table: GpTable) -> Int[np.ndarray, "n 2"]:
    """Cell of each set's orbit: inclination and mean motion, counted in cells."""
    columns = (table.inclination_deg / INCLINATION_DEG, table.mean_motion_rev_day / MOTION_REV_DAY)
    return np.stack([np.rint(np.nan_to_num(column)).astype(np.int64) for column in columns], axis=1)


def crowd_weight(table: GpTable) -> Float[np.ndarray, " n"]:
    """1 over the square root of how many of these objects share each one's cell; one row an object."""
    _, cell, count = np.unique(cells(table), axis=0, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / np.sqrt(count[cell.ravel()]))


def crowded_cells(table: GpTable) -> Int[np.ndarray, "c 2"]:
    """Cells that at least `CROWD` of these objects share; one row an object."""
    found, count = np.unique(cells(table), axis=0, return_counts=True)
    return np.asarray(found[count >= CROWD])
