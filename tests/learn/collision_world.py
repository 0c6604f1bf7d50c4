"""Predicted approaches whose errors are known: the height drifts evenly, one object comes earlier every day."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

DAY_US = 86_400_000_000
START_US = 1_500_000_000_000_000
SPEED_KM_S = 7.35


def write_predictions(path: Path, events: int = 400, seed: int = 1, noise_km: float = 0.002) -> pl.DataFrame:
    """A table of events a few hours apart, predicted daily for a week and once after the fact, listed within 5 km.

    Both objects fly level on circles, at right angles. All heights drift by 20 m a day and event-wise sign; object 1 is
    found earlier by 4 ms a day. Every seventh pair is the same.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for event in range(events):
        pair = (1000 + event % 7, 2000 + event % 5)
        tca_us = START_US + event * DAY_US // 3 + int(rng.integers(0, DAY_US // 3))
        height, side, sign = *rng.uniform(-4.0, 4.0, 2), rng.choice((-1.0, 1.0))
        made = (tca_us // DAY_US - 6 + np.arange(8)) * DAY_US
        lead = (tca_us - made) / DAY_US
        early_s = 0.004 * lead + noise_km / 10.0 * rng.standard_normal(8)
        h = height - sign * 0.02 * lead + noise_km * rng.standard_normal(8)
        r, v, shift_s = approach(h, side, early_s)
        rows += [
            (*pair, tca_us + round(shift_s[i] * 1e6), int(made[i]), *r[i], *v[i], 1 if lead[i] < 0 else 7)
            for i in range(8)
            if np.linalg.norm(r[i]) < 5.0
        ]
    names = ("norad1", "norad2", "tca", "generated", "rx", "ry", "rz", "vx", "vy", "vz", "horizon_days")
    frame = pl.DataFrame(rows, schema=names, orient="row").with_columns(
        pl.col("tca", "generated").cast(pl.Datetime("us")), alt_km=pl.lit(1000.0)
    )
    frame.write_parquet(path)
    return frame


def approach(height_km: np.ndarray, side_km: float, early_s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Object 1 minus 2 in RTN of object 1, which is early by so much: position and velocity at TCA, its shift."""
    first, second = np.array((0.0, SPEED_KM_S, 0.0)), np.array((0.0, 0.0, SPEED_KM_S))
    v = first - second
    e2 = np.cross(v / np.linalg.norm(v), (1.0, 0.0, 0.0))
    at_old = np.outer(height_km, (1.0, 0.0, 0.0)) + side_km * e2 + np.outer(early_s, first)
    shift_s = -(at_old @ v) / (v @ v)
    return at_old + np.outer(shift_s, v), np.tile(v, (len(height_km), 1)), shift_s
