"""Histories of objects in which nothing burns, made by SGP4's own rates, with a little noise."""

from __future__ import annotations

import numpy as np

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.propagate.secular_kernel import carry, growth, shape, to_equinoctial

START_US = 1_772_000_000_000_000
LOW = (14.3, 1.5e-3, 82.5)
GEO = (1.0027379, 3e-4, 4.0)


def quiet_sets(
    norad_id: int,
    orbit: tuple[float, float, float] = LOW,
    days: float = 120.0,
    every_day: float = 0.7,
    bstar: float = 1e-4,
    noise: float = 1.0,
) -> GpTable:
    """Sets of one object; orbit: mean motion (rev/day), eccentricity, inclination (deg)."""
    rng = np.random.default_rng(norad_id)
    day = np.sort(rng.uniform(-0.1, 0.1, int(days / every_day)) + every_day * np.arange(int(days / every_day)))
    y = np.empty(6)
    to_equinoctial(orbit[0], orbit[1], float(np.radians(orbit[2])), *rng.uniform(0.0, 6.0, 3), y)
    rows = np.empty((len(day), 6))
    grown = bstar * growth(orbit[0], orbit[1], float(np.radians(orbit[2]))) if orbit[0] > 10.0 else 0.0
    for i, step in enumerate(np.diff(day, prepend=day[0]).tolist()):
        carry(y, step, grown * step)
        rows[i] = y
    scatter = noise * np.array([2e-7 if orbit[0] > 10.0 else 2e-8, 2e-6, 2e-6, 1e-6, 1e-6, 5e-6])
    rows += rng.normal(0.0, 1.0, rows.shape) * scatter
    node, bend = np.arctan2(rows[:, 3], rows[:, 4]), np.arctan2(rows[:, 1], rows[:, 2])
    shapes = np.array([shape(row) for row in rows])
    return GpTable.from_columns(
        {
            "norad_id": np.full(len(day), norad_id),
            "epoch_us": START_US + (day * DAY_US).astype(np.int64),
            "mean_motion_rev_day": np.round(rows[:, 0], 8),
            "eccentricity": np.round(shapes[:, 0], 7),
            "inclination_deg": np.round(np.degrees(shapes[:, 1]), 4),
            "raan_deg": np.round(np.degrees(node) % 360.0, 4) % 360.0,
            "arg_perigee_deg": np.round(np.degrees(bend - node) % 360.0, 4) % 360.0,
            "mean_anomaly_deg": np.round(np.degrees(rows[:, 5] - bend) % 360.0, 4) % 360.0,
            "bstar_per_er": np.full(len(day), bstar),
            "mean_motion_dot_rev_day2": np.full(len(day), round(grown / 2.0, 8)),
        },
        "quiet",
    )
