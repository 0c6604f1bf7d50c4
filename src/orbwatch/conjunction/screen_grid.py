"""The grid of the screening: cells over the sphere of directions, bins over the radius."""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Float, Int, UInt32

BIN_KM = 4.0
LOWEST_KM = 6300.0
_HIGHEST_KM = 50_000.0  # everything above shares one bin


def sphere_cells(
    width: float,
) -> tuple[Int[np.ndarray, "g g g"], UInt32[np.ndarray, " cells_and_1"], UInt32[np.ndarray, " neighbors"]]:
    """The cubes of edge `width` (unit sphere = 1, the first corner at -1, -1, -1) that the unit sphere meets.

    Returns their numbers in the grid (-1: the sphere does not pass there) and, for each, the numbers of itself and its
    neighbors, in order: near[near_from[c]:near_from[c + 1]]. Two unit vectors at most `width` apart lie in one cell or
    in neighbors, as no coordinate differs by more.
    """
    g = int(2.0 / width) + 1
    low = -1.0 + width * np.arange(g)
    high = low + width
    near2 = np.clip(0.0, low, high) ** 2
    far2 = np.maximum(low**2, high**2)
    nearest = near2[:, None, None] + near2[None, :, None] + near2[None, None, :]
    farthest = far2[:, None, None] + far2[None, :, None] + far2[None, None, :]
    meets = (nearest <= 1.0 + 1e-9) & (farthest >= 1.0 - 1e-9)
    cells = np.full((g, g, g), -1, np.int32)
    cells[meets] = np.arange(np.count_nonzero(meets))
    framed = np.full((g + 2, g + 2, g + 2), -1, np.int32)
    framed[1:-1, 1:-1, 1:-1] = cells
    around = np.stack(
        [framed[a : a + g, b : b + g, c : c + g][meets] for a, b, c in itertools.product(range(3), repeat=3)], axis=1
    )
    around.sort(axis=1)
    exists = around >= 0
    near_from = np.concatenate([[0], np.cumsum(exists.sum(axis=1))]).astype(np.uint32)
    return cells, near_from, around[exists].astype(np.uint32)


def radial_bins(radius_km: Float[np.ndarray, " n"], count: int) -> Int[np.ndarray, " t"]:
    """Bin of each BIN_KM-wide layer from LOWEST_KM up, not decreasing, such that bins hold about the same number.

    NaN radii (failed objects) are left out.
    """
    layers = int((_HIGHEST_KM - LOWEST_KM) / BIN_KM)
    radius = radius_km[np.isfinite(radius_km)]
    layer = np.clip((radius - LOWEST_KM) / BIN_KM, 0, layers - 1).astype(np.int64)
    below = np.cumsum(np.bincount(layer, minlength=layers)) - 1
    share = np.maximum(below, 0) * count // max(len(radius), 1)
    out: Int[np.ndarray, " t"] = np.unique(share, return_inverse=True)[1].astype(np.int16)
    return out
