"""Histories of simulated objects whose sets wander a little, as real ones do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.simulate.population import population

LAG_US = int(0.3 * DAY_US)


def wandering(objects: int = 6, sets: int = 30, seed: int = 2) -> GpTable:
    """Histories whose sets lie 8 h apart; elements wander a little from set to set."""
    rng = np.random.default_rng(seed)
    first = population(seed, 200)[:: 200 // objects][:objects]
    start_us = int(first.epoch_us.max())
    parts = []
    for k in range(sets):
        at_us = start_us + k * DAY_US // 3
        days = (at_us - first.epoch_us) / DAY_US
        mean = first.mean_anomaly_deg + 360.0 * first.mean_motion_rev_day * days + rng.normal(0.0, 1e-3, objects)
        parts.append(replace(
            first, epoch_us=np.full(objects, at_us), seen_us=np.full(objects, at_us + LAG_US),
            mean_anomaly_deg=np.mod(mean, 360.0), mean_motion_dot_rev_day2=rng.uniform(0.0, 1e-5, objects),
            mean_motion_rev_day=first.mean_motion_rev_day + rng.normal(0.0, 1e-6, objects),
            inclination_deg=first.inclination_deg + rng.normal(0.0, 1e-3, objects),
            eccentricity=first.eccentricity * rng.uniform(0.99, 1.01, objects),
            bstar_per_er=first.bstar_per_er * rng.uniform(0.8, 1.2, objects),
        ))  # fmt: skip
    table = GpTable.concat(parts)
    return table[np.lexsort((table.epoch_us, table.norad_id))]
