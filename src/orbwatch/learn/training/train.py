"""Training of the short-arc forecaster: `train(data, output, ...)` -> `Trained`.

This module needs no torch; what does is imported when training starts.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from orbwatch.progress import Progress
from orbwatch.settings_groups import NetworkSettings, TrainSettings


@dataclass(frozen=True)
class Trained:
    """What a training run came to, and where it is."""

    folder: Path
    best_checkpoint: Path
    last_checkpoint: Path
    metrics: Path
    """CSV, one row every 50 steps and one an epoch."""
    loss_curve: Path
    """HTML."""
    windows: int
    """Training windows in use, each counted once."""
    samples: int
    """Samples in an epoch: those windows, with the ones that burn or were drawn again as often as they count."""
    epochs: int
    """Epochs done."""
    steps: int
    best_loss: float
    """Lowest validation loss, of the averaged weights."""
    best_epoch: int
    """From 1."""
    stopped_early: bool
    median_km: dict[str, tuple[float, float]]
    """Median position error at the last horizon in the last validation, by regime and for "all": model, least
    squares."""
    windows_per_s: float
    """Training throughput with everything that belongs to it, validation left out, since the last start."""
    waited_share: float
    """Share of the training time spent waiting for batches."""
    prepared_share: float
    """Share of the training time that the background thread was busy making batches."""
    figures: dict[str, float] = field(default_factory=dict)
    """What else the last validation measured, by name."""


def train(
    data: Path,
    output: Path,
    network: NetworkSettings | None = None,
    settings: TrainSettings | None = None,
    *,
    resume: bool = False,
    progress: Progress | None = None,
) -> Trained:
    """Trains a `TrajectoryTransformer` on a store of sequences.

    Args:
        data: folder written by `orbwatch dataset build`.
        output: folder of the run: config.json, scaler.json, last.ckpt, best.ckpt, metrics.csv, loss.html, tensorboard/.
        network: its size.
        settings: of the training.
        resume: go on from last.ckpt in `output`, in mid-epoch if need be; on a CPU with the same number of threads the
            weights come out as without the break, bit for bit. Without a checkpoint there, training starts.
        progress: called with a line that says how it goes and the fraction done.

    Raises:
        InputError: bad settings, data or folder; settings that are not those of the run that is resumed.
        TrainingError: out of memory; a loss that is not a number (which batch, which windows).
        KeyboardInterrupt: Ctrl-C, after last.ckpt was written.
    """
    # Threads that wait must not spin: with a busy neighbour they slow training thirtyfold. Read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from orbwatch.learn.training.fit import fit

    return fit(data, output, network or NetworkSettings(), settings or TrainSettings(), resume, progress)
