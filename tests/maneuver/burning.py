"""Simulated histories with known burns, and a plain detector, for tests of what stands around detectors."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.simulate.kept import Orbit, history_at

START_US = 1_772_000_000_000_000
STEP_US = DAY_US // 2


def history(
    norad_id: int = 7, days: int = 60, burns: dict[int, float] | None = None, seed: int = 1, rev_day: float = 12.81
) -> GpTable:
    """Sets of one object, two a day; burns: m/s along the track, by the number of the set before it."""
    orbit = Orbit(START_US, rev_day * 2.0 * np.pi / 86400.0, 1e-4, -1e-3, np.radians(66.0), 0.7, 0.5)
    given = burns or {}
    burn_us = np.array([START_US + k * STEP_US + STEP_US // 2 for k in given], np.int64)
    dv = np.array([[0.0, size, 0.0] for size in given.values()]).reshape(-1, 3)
    when = START_US + STEP_US * np.arange(days * DAY_US // STEP_US)
    table = history_at(orbit, when, burn_us, dv, np.random.default_rng(seed))
    return GpTable.from_rows([{**row, "norad_id": norad_id} for row in table], "simulated")


def steps(table: GpTable, _model: str | None, _causal: bool, min_probability: float) -> SimpleNamespace:
    """Gaps over which the mean motion steps more than usually: a stand-in for detectors."""
    motion = table.mean_motion_rev_day
    step = np.where(table.norad_id[1:] == table.norad_id[:-1], np.abs(np.diff(motion)), 0.0)
    probability = np.minimum(step / 4e-6, 0.99)
    row = np.flatnonzero(probability >= max(min_probability, 0.5))
    middle_us = (table.epoch_us[row] + table.epoch_us[row + 1]) // 2
    return SimpleNamespace(row=row, epoch_us=middle_us, probability=probability[row])
