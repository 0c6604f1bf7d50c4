"""The newest set of each asking carried back to the epochs of older ones, and small robust fits to what it missed."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.propagate.sgp4 import Sgp4Catalog

ROUNDS = 6
HUBER = 2.0
_RIDGE = 1e-10


def past_us(windows: CatalogWindows) -> Int[np.ndarray, "n k"]:
    """Epochs of the known sets; the newest one's where there is none."""
    age_us = np.rint(np.where(np.isfinite(windows.age_day), windows.age_day, 0.0) * DAY_US).astype(np.int64)
    return np.asarray(windows.newest.epoch_us[:, None] - age_us)


def carried(
    table: GpTable, at_us: Int[np.ndarray, "n m"], wanted: Bool[np.ndarray, "n m"]
) -> Float[np.ndarray, "n m 6"]:
    """States of each row's set at its instants, TEME, km and km/s; NaN where not wanted, or where it has none."""
    out = np.full((*at_us.shape, 6), np.nan)
    who, column = np.nonzero(wanted)
    if not len(who):
        return out
    at = at_us[who, column]
    start_us = int(at.min())
    r, v, _ = Sgp4Catalog(table).at(who, start_us, (at - start_us) / 1e6)
    out[who, column] = np.concatenate([r, v], axis=1)
    return out


def robust_fit(
    design: Float[np.ndarray, "n k p"], value: Float[np.ndarray, "n k"], least: int
) -> Float[np.ndarray, "n p"]:
    """Coefficients of each row by iteratively reweighted least squares with Huber's weights (Huber 1981, section 7.8).

    Values that are NaN count for nothing. Zeros for rows with fewer than `least` values. The spread is 1.4826 times the
    median absolute residual.
    """
    there = np.isfinite(value) & np.isfinite(design).all(axis=2)
    columns = np.where(there[..., None], design, 0.0)
    size = np.sqrt((columns**2).sum(axis=1)) + 1e-30
    columns, target = columns / size[:, None], np.where(there, value, 0.0)
    weight = there.astype(np.float64)
    terms = design.shape[2]
    found = np.zeros((len(value), terms))
    for _ in range(ROUNDS):
        normal = np.einsum("nkp,nk,nkq->npq", columns, weight, columns) + _RIDGE * np.eye(terms)
        right = np.einsum("nkp,nk,nk->np", columns, weight, target)
        found = np.linalg.solve(normal, right[..., None])[..., 0]
        left = np.abs(target - np.einsum("nkp,np->nk", columns, found))
        spread = 1.4826 * _median(left, there)
        bound = HUBER * np.maximum(spread, 1e-12)[:, None]
        weight = np.where(there, np.minimum(1.0, bound / np.maximum(left, 1e-15)), 0.0)
    return np.where((there.sum(axis=1) >= least)[:, None], found / size, 0.0)


def _median(value: Float[np.ndarray, "n k"], there: Bool[np.ndarray, "n k"]) -> Float[np.ndarray, " n"]:
    """Medians over the values that are there; 0 where none is."""
    ordered = np.sort(np.where(there, value, np.inf), axis=1)
    count = there.sum(axis=1)
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, value.shape[1] - 1)
    row = np.arange(len(value))
    return np.where(count > 0, 0.5 * (ordered[row, low] + ordered[row, high]), 0.0)
