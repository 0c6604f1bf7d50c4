"""A made-up data set of gaps that can be learned: what kind a gap is of stands in its features, with noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from orbwatch.learn.samples.gap_store import GapStore, write_gaps
from orbwatch.learn.samples.gap_windows import LabelledGaps

FEATURES = ("up", "across", "away", "length")
KINDS = ("none", "up", "down")
PATTERNS = ("still", "busy")


def gaps(objects: int = 40, each: int = 60, seed: int = 1) -> LabelledGaps:
    """Half of the objects burn in a tenth of their gaps."""
    rng = np.random.default_rng(seed)
    many = objects * each
    owner = np.repeat(np.arange(objects), each)
    busy = owner % 2
    kind = np.where(busy & (rng.random(many) < 0.1), rng.integers(1, 3, many), 0).astype(np.int8)
    features = rng.normal(size=(many, len(FEATURES))).astype(np.float32)
    features[:, 0] += np.select([kind == 1, kind == 2], [6.0, -6.0], 0.0)
    start_us = np.tile(np.arange(each), objects) * 86_400_000_000
    orbit = np.stack([600.0 + owner, 50.0 + 0.0 * owner], axis=1).astype(np.float32)
    split = np.array([0, 0, 0, 1, 1, 2, 0, 0, 3, 3], np.int8)[owner % 10]
    return LabelledGaps(
        features, owner, owner + 100, start_us, start_us + 86_400_000_000, np.zeros(many, np.int8), orbit, kind,
        busy.astype(np.int8), split,
    )  # fmt: skip


def write_world(folder: Path, objects: int = 40) -> GapStore:
    """The data set on disk."""
    return write_gaps(gaps(objects), folder, FEATURES, KINDS, PATTERNS)
