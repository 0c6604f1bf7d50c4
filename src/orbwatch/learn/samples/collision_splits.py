"""Which predicted events teach and which judge: by time, and by pair of objects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int8

from orbwatch.learn.samples.collision_predictions import Predictions

PARTS = ("train", "validation", "calibration", "test", "none")
"""They follow one another in time; events between two parts, and early ones of pairs kept back, are in none."""
SHARES = (0.60, 0.68, 0.80)
"""Shares of the events, by TCA, at which training, validation and calibration end."""
_GAP_US = 8 * 86_400_000_000
"""Predictions reach a week ahead: no row of one part's events was made after the next part's first truth."""


@dataclass(frozen=True, eq=False)
class Splits:
    """The part of each event, as an index into PARTS, and whether its pair was kept back from all but the test."""

    part: Int8[np.ndarray, " e"]
    kept_back: Bool[np.ndarray, " e"]


def default_edges(table: Predictions) -> tuple[int, int, int]:
    """Ends of training, validation and calibration, UTC microseconds, at SHARES of the events."""
    last = np.append(np.diff(table.event) != 0, True)
    first, second, third = np.quantile(table.tca_us[last], SHARES)
    return int(first), int(second), int(third)


def split_events(table: Predictions, edges_us: tuple[int, int, int], kept_back: float) -> Splits:
    """Events by TCA; a share of the pairs, by a hash of their numbers, is kept back for the test alone."""
    last = np.append(np.diff(table.event) != 0, True)
    tca, pair = table.tca_us[last], table.pair[last].astype(np.uint64)
    mixed = (pair[:, 0] * np.uint64(0x9E3779B97F4A7C15)) ^ (pair[:, 1] * np.uint64(0xC2B2AE3D27D4EB4F))
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    back = (mixed >> np.uint64(40)).astype(np.float64) / 2.0**24 < kept_back
    part = np.searchsorted(np.array(edges_us), tca, side="right")
    between = np.zeros(len(tca), np.bool_)
    for edge in edges_us:
        between |= (tca > edge) & (tca < edge + _GAP_US)
    unused = between | (back & (part < PARTS.index("test")))
    return Splits(np.where(unused, PARTS.index("none"), part).astype(np.int8), back)
