"""Series of simulated objects of all regimes in a zonal field, some with a burn, for tests of evaluation."""

from __future__ import annotations

import numpy as np

from orbwatch.learn.judging.evaluation_sets import Series
from orbwatch.settings_groups import DatasetSettings
from orbwatch.simulate.burns import Burn, burning_rows
from orbwatch.simulate.sensors import sense
from orbwatch.simulate.trajectories import Truth
from orbwatch.time import parse_utc

from ..simulated import along, states

ROWS = 320


def series(
    n: int = 8, seed: int = 1, burning: tuple[int, ...] = (1, 2), dv_m_s: float = 1.0, rows: int = ROWS
) -> Series:
    """n objects, in turn LEO, MEO, GEO and HEO; those of `burning` are pushed along-track for 60 s at row 150.5."""
    settings = DatasetSettings(objects=max(4, n), hours=rows / 60.0)
    start = states(n, seed)
    times = 60.0 * np.arange(rows)
    before, after = times[times <= 9030.0], times[times > 9030.0]
    start_us = parse_utc("2024-03-01") + 3_600_000_000 * np.arange(n)
    first = along(start, start_us, len(before))
    pushed = first[:, -1].copy()
    burns = [Burn(i, 9030.0, 60.0, (0.0, dv_m_s, 0.0)) for i in burning]
    for i in burning:
        pushed[i, 3:] *= 1.0 + dv_m_s * 1e-3 / np.linalg.norm(pushed[i, 3:])
    rest = along(pushed, start_us + int(before[-1] * 1e6), len(after) + 1)[:, 1:]
    numbers, regime = np.arange(n), (np.arange(n) % 4).astype(np.int8)
    rv = np.concatenate([first, rest], axis=1)
    burn = np.array([burning_rows([b for b in burns if b.object_id == i], times) for i in range(n)], np.uint8)
    ballistic = np.full(n, 0.02)
    truth = Truth(numbers, regime, start_us, rv, ballistic, ballistic, burn, burns)
    sigma_km, noise_km = sense(settings, numbers, regime, rv)
    return Series(truth, noise_km, sigma_km, settings)
