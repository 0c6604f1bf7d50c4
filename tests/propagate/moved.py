"""Corrections as a forecaster gives them, made up."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.propagate.along_orbit import AlongOrbit, sample_days
from orbwatch.propagate.corrected import CorrectedCatalog
from orbwatch.propagate.sgp4 import Sgp4Catalog


def moved(table: GpTable, start_us: int, move: Float[np.ndarray, "n 3"], without: int = 0) -> CorrectedCatalog:
    """Sets whose moves (s, km, km) grow with time, with a wave; the last `without` have none."""
    day = sample_days(1.0)
    found = Sgp4Catalog.from_gp(table).states(start_us + np.rint(day * DAY_US).astype(np.int64))
    rv = np.concatenate([found.r_teme_km, found.v_teme_km_s], axis=2)
    values = move[:, None] * (1.0 + day[:, None] + 0.2 * rv[..., :3] / np.linalg.norm(rv[..., :3], axis=2)[..., None])
    row = np.arange(len(table))
    row[len(table) - without :] = -1
    return CorrectedCatalog(table, AlongOrbit.fit(start_us, 1.0, day, rv, values), row)
