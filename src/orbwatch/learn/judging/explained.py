"""Why a trained network answers as it does: its training run's losses, and `interpret` on a sample of windows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from orbwatch.learn.judging.interpret import NetworkInputs, summary
from orbwatch.learn.samples.features import feature_table, inputs
from orbwatch.learn.samples.windows import Windows
from orbwatch.models.checkpoint import load_network

SAMPLE = 256
"""Windows that attributions are averaged over."""


def explain(checkpoint: Path, windows: Windows, seed: int = 1) -> dict[str, Any]:
    """Attention, attributions and ablation (`interpret.summary`) of a checkpoint's network on a sample of windows.

    windows: with truth, good fits. The sample has the same number of each regime, as far as there are so many.
    Raises InputError for a checkpoint that cannot be read.
    """
    network, scaler, carried = load_network(checkpoint)
    features = feature_table(len(carried["features"]) == len(feature_table()))
    part = windows.take(_sample(windows.regime, seed))
    given = inputs(part, uncertainty=len(features) == len(feature_table()))
    x, query = scaler.apply(given)
    assert given.target is not None
    tensors = (torch.from_numpy(each) for each in (x, given.valid, query, given.mix, given.log_scale))
    groups = [feature.group for feature in features]
    return dict(summary(network, NetworkInputs(*tensors), given.target.astype(np.float64), groups, part.regime))


def _sample(regime: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(regime))
    turn = np.zeros(len(regime), np.int64)
    for code in np.unique(regime):
        mine = np.flatnonzero(regime[order] == code)
        turn[mine] = np.arange(len(mine))
    return np.sort(order[np.argsort(turn, kind="stable")[:SAMPLE]])
