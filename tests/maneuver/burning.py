"""Simulated histories with known burns, and a plain detector, for tests of what stands around detectors."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.simulate.mean_elements import library_satrec, through_state

START_US = 1_772_000_000_000_000
STEP_US = DAY_US // 2
BSTAR = 1e-6


def history(norad_id: int = 7, days: int = 60, burns: dict[int, float] | None = None, seed: int = 1) -> GpTable:
    """Sets of one object at 1,340 km, two a day; burns: m/s along the velocity, by the number of the set before it."""
    rng = np.random.default_rng(seed)
    row: dict[str, Any] = {
        "epoch_us": START_US, "mean_motion_rev_day": 12.81, "eccentricity": 0.001, "inclination_deg": 66.0,
        "raan_deg": 40.0, "arg_perigee_deg": 270.0, "mean_anomaly_deg": 90.0, "bstar_per_er": BSTAR,
    }  # fmt: skip
    rows = [row]
    for k in range(1, days * DAY_US // STEP_US):
        at_us = START_US + k * STEP_US
        middle_us = at_us - STEP_US // 2
        if burns and k - 1 in burns:
            state = _state(row, middle_us)
            speed = np.linalg.norm(state[3:])
            state[3:] *= 1.0 + burns[k - 1] / 1e3 / speed
            row = through_state(state, middle_us, middle_us, BSTAR)
        row = through_state(_state(row, at_us), at_us, at_us, BSTAR)
        noisy = {**row, "mean_anomaly_deg": (row["mean_anomaly_deg"] + rng.normal(0.0, 2e-4)) % 360.0}
        noisy["inclination_deg"] += rng.normal(0.0, 2e-4)
        rows.append(noisy)
    return GpTable.from_rows([{**one, "norad_id": norad_id} for one in rows], "simulated")


def steps(table: GpTable, _model: str | None, _causal: bool, min_probability: float) -> SimpleNamespace:
    """Gaps over which the mean motion steps more than usually: a stand-in for detectors."""
    motion = table.mean_motion_rev_day
    step = np.where(table.norad_id[1:] == table.norad_id[:-1], np.abs(np.diff(motion)), 0.0)
    probability = np.minimum(step / 4e-6, 0.99)
    row = np.flatnonzero(probability >= max(min_probability, 0.3))
    middle_us = (table.epoch_us[row] + table.epoch_us[row + 1]) // 2
    return SimpleNamespace(row=row, epoch_us=middle_us, probability=probability[row])


def _state(row: dict[str, Any], at_us: int) -> np.ndarray:
    error, r, v = library_satrec(row).sgp4_tsince((at_us - row["epoch_us"]) / 6e7)
    assert error == 0
    return np.array([*r, *v])
