"""Training of the collision predictor: `train_collision(predictions, output, ...)`. Needs torch when called."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orbwatch.learn.training.train import Trained
from orbwatch.progress import Progress
from orbwatch.settings_groups import PredictorSettings, TrainSettings

if TYPE_CHECKING:
    from orbwatch.learn.training.collision_data import CollisionData
    from orbwatch.learn.training.collision_learner import CollisionLearner


def train_collision(
    predictions: Path,
    output: Path,
    sizes: PredictorSettings | None = None,
    settings: TrainSettings | None = None,
    *,
    resume: bool = False,
    progress: Progress | None = None,
) -> Trained:
    """Trains a `CollisionNetwork` on a file of predictions, those made after the fact among them.

    Args:
        predictions: table of `learn.samples.collision_predictions`; split by time and pair.
        output: folder of the run, as for `learn.training.train.train`.
        sizes: of the network.
        settings: of the training; what is said of horizons, losses of positions and augmentations is not used.
        resume: go on from last.ckpt in `output`.
        progress: called with a line that says how it goes and the fraction done.

    Raises:
        InputError: bad settings, data or folder; settings that are not those of the run that is resumed.
        TrainingError: out of memory; a loss that is not a number.
        KeyboardInterrupt: Ctrl-C, after last.ckpt was written.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is loaded; see `train`
    from orbwatch.learn.samples.collision_store import CollisionStore
    from orbwatch.learn.samples.gap_scaler import GapScaler
    from orbwatch.learn.training.collision_data import CollisionData
    from orbwatch.learn.training.fit import opened, train_module, trained
    from orbwatch.learn.training.run_folder import RunFolder, configuration

    sizes, settings = sizes or PredictorSettings(), settings or TrainSettings()
    store = CollisionStore.open(predictions)
    folder = RunFolder(output)
    config = configuration(store, sizes, settings)
    before = opened(folder, config, resume=resume)
    scaler = GapScaler.from_dict(before["orbwatch"]["scaler"]) if before else None
    given = CollisionData(store, settings, sizes, scaler)
    train_module(lambda: _module(given, config), given, folder, before, progress)
    return trained(folder)


def _module(given: CollisionData, config: dict[str, Any]) -> CollisionLearner:
    import torch

    from orbwatch.learn.samples.collision_asks import FEATURES
    from orbwatch.learn.training.collision_learner import CollisionLearner
    from orbwatch.learn.training.fit import network_threads
    from orbwatch.learn.training.order import Draw, torch_seed
    from orbwatch.models.collision import CollisionNetwork

    settings, store = given.settings, given.store
    torch.manual_seed(torch_seed(settings.seed, Draw.WEIGHTS))
    network = CollisionNetwork(given.sizes, len(FEATURES))
    module = CollisionLearner(network, settings, given.order.steps, store.dropped_share, network_threads(settings))
    module.carried = config | {
        "scaler": given.scaler.to_dict(),
        "features": list(FEATURES),
        "units": "kilometres, days; the network's own numbers are scaled",
        "windows": given.chosen.distinct,
        "samples_an_epoch": len(given.chosen.train),
        "validation_windows": len(given.chosen.validation),
        "started_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return module
