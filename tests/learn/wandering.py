"""Histories of simulated objects whose sets wander a little, as real ones do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.trend import J2_WGS72, perigee_radius_km
from orbwatch.constants import DAY_US, WGS72_RADIUS_KM
from orbwatch.simulate.population import population

LAG_US = int(0.3 * DAY_US)


def wandering(objects: int = 6, sets: int = 30, seed: int = 2) -> GpTable:
    """Histories whose sets lie 8 h apart; node and perigee turn, and elements wander a little from set to set."""
    rng = np.random.default_rng(seed)
    first = population(seed, 200)[:: 200 // objects][:objects]
    start_us = int(first.epoch_us.max())
    incl = np.radians(first.inclination_deg)
    latus = perigee_radius_km(first) * (1.0 + first.eccentricity) / WGS72_RADIUS_KM
    j2_deg_day = 1.5 * J2_WGS72 / latus**2 * first.mean_motion_rev_day * 360.0
    parts = []
    for k in range(sets):
        at_us = start_us + k * DAY_US // 3
        days = (at_us - first.epoch_us) / DAY_US
        mean = first.mean_anomaly_deg + 360.0 * first.mean_motion_rev_day * days + rng.normal(0.0, 1e-3, objects)
        parts.append(replace(
            first, epoch_us=np.full(objects, at_us), seen_us=np.full(objects, at_us + LAG_US),
            raan_deg=np.mod(first.raan_deg - j2_deg_day * np.cos(incl) * days, 360.0),
            arg_perigee_deg=np.mod(first.arg_perigee_deg + j2_deg_day * (2.0 - 2.5 * np.sin(incl) ** 2) * days, 360.0),
            mean_anomaly_deg=np.mod(mean, 360.0), mean_motion_dot_rev_day2=rng.uniform(0.0, 1e-5, objects),
            mean_motion_rev_day=first.mean_motion_rev_day + rng.normal(0.0, 1e-6, objects),
            inclination_deg=first.inclination_deg + rng.normal(0.0, 1e-3, objects),
            eccentricity=first.eccentricity * rng.uniform(0.999, 1.001, objects),
            bstar_per_er=first.bstar_per_er * rng.uniform(0.8, 1.2, objects),
        ))  # fmt: skip
    table = GpTable.concat(parts)
    return table[np.lexsort((table.epoch_us, table.norad_id))]
