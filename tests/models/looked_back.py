"""Past forecasts that met their truth, made up: errors so many times what the radii were made for."""

from __future__ import annotations

import numpy as np

from orbwatch.constants import DAY_US
from orbwatch.models.catalog_coverage import HORIZON_DAY, Matured

EXACT = np.array([1.538, 2.500, 3.368])
"""Radii of a Gaussian in three dimensions (chi, 3 degrees of freedom)."""
BEGIN_US = 1_780_000_000_000_000


def looked_back(growth: np.ndarray, objects: int = 60, groups: int = 3, seed: int = 1) -> Matured:
    """Each object asked on each day; growth: of the errors, by day of the forecast's own time. Groups in turn."""
    rng = np.random.default_rng(seed)
    days = len(growth)
    who, day = (x.ravel() for x in np.meshgrid(np.arange(objects), np.arange(days), indexing="ij"))
    asked_us = BEGIN_US + day * DAY_US
    met = np.minimum((day[:, None] + HORIZON_DAY).astype(np.int64), days - 1)
    # The horizons of one forecast share half of their error.
    shared, own = rng.normal(size=(len(day), 1, 3)), rng.normal(size=(len(day), len(HORIZON_DAY), 3))
    distance = growth[met] * np.linalg.norm((shared + own) / np.sqrt(2.0), axis=-1)
    public_us = asked_us[:, None] + np.rint((HORIZON_DAY + 0.3) * DAY_US).astype(np.int64)
    return Matured(
        norad_id=who + 1,
        asked_us=asked_us,
        group=who % groups,
        regime=np.zeros(len(day), np.int64),
        kind=np.full(len(day), ""),
        distance=distance,
        radius=np.broadcast_to(EXACT, (*distance.shape, 3)).copy(),
        public_us=public_us,
        sigma_km=np.ones((*distance.shape, 3)),
    )
