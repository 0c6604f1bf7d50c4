"""Training of the maneuver classifier: `train_maneuver(data, output, ...)` -> `Trained`. Needs torch when called."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orbwatch.catalog.written import file_hash
from orbwatch.errors import InputError
from orbwatch.learn.training.train import Trained
from orbwatch.progress import Progress
from orbwatch.settings_groups import ClassifierSettings, TrainSettings

if TYPE_CHECKING:
    from orbwatch.learn.training.classifier import Classifier
    from orbwatch.learn.training.gap_data import GapData
    from orbwatch.models.maneuver import ManeuverClassifier


def train_maneuver(
    data: Path,
    output: Path,
    sizes: ClassifierSettings | None = None,
    settings: TrainSettings | None = None,
    *,
    start: Path | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Trained:
    """Trains a `ManeuverClassifier` on a data set of gaps.

    Args:
        data: folder of `learn.samples.gap_store`.
        output: folder of the run, as for `learn.training.train.train`.
        sizes: of the classifier, and what its loss weighs.
        settings: of the training; what is said of horizons, losses of positions and augmentations is not used.
        start: checkpoint of another run, whose weights and scaler this one begins with, to be tuned to other data.
        resume: go on from last.ckpt in `output`.
        progress: called with a line that says how it goes and the fraction done.

    Raises:
        InputError: bad settings, data or folder; settings that are not those of the run that is resumed.
        TrainingError: out of memory; a loss that is not a number.
        KeyboardInterrupt: Ctrl-C, after last.ckpt was written.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is loaded; see `train`
    from orbwatch.learn.samples.gap_scaler import GapScaler
    from orbwatch.learn.samples.gap_store import GapStore
    from orbwatch.learn.training.fit import opened, train_module, trained
    from orbwatch.learn.training.gap_data import GapData
    from orbwatch.learn.training.run_folder import RunFolder, configuration
    from orbwatch.models.maneuver_export import load_classifier

    sizes, settings = sizes or ClassifierSettings(), settings or TrainSettings()
    store = GapStore.open(data)
    folder = RunFolder(output)
    config = configuration(store, sizes, settings) | {"start": None if start is None else file_hash(start)}
    begun = None if start is None else load_classifier(start)
    before = opened(folder, config, resume=resume)
    scaler = GapScaler.from_dict(before["orbwatch"]["scaler"]) if before else None
    given = GapData(store, settings, sizes, scaler or (begun[1] if begun else None))
    train_module(lambda: _module(given, config, begun[0] if begun else None), given, folder, before, progress)
    return trained(folder)


def _module(given: GapData, config: dict[str, Any], start: ManeuverClassifier | None) -> Classifier:
    import torch

    from orbwatch.learn.training.classifier import Classifier
    from orbwatch.learn.training.fit import network_threads
    from orbwatch.learn.training.order import Draw, torch_seed
    from orbwatch.models.maneuver import ManeuverClassifier

    settings, sizes, store = given.settings, given.sizes, given.store
    torch.manual_seed(torch_seed(settings.seed, Draw.WEIGHTS))
    network = ManeuverClassifier(sizes, len(store.features), len(store.kinds), len(store.patterns))
    if start is not None:
        try:
            network.load_state_dict(start.state_dict())
        except RuntimeError as error:
            raise InputError("the weights to start from are of another network", field="start") from error
    module = Classifier(network, sizes, settings, given.order.steps, network_threads(settings))
    module.carried = config | {
        "scaler": given.scaler.to_dict(),
        "features": list(store.features),
        "kinds": list(store.kinds),
        "patterns": list(store.patterns),
        "units": "evidence over its usual size; the network's own numbers are scaled",
        "windows": given.chosen.distinct,
        "samples_an_epoch": len(given.chosen.train),
        "validation_windows": len(given.chosen.validation),
        "started_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return module
