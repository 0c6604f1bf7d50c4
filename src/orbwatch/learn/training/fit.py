"""One training run from settings to files, with Lightning."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import EarlyStopping

from orbwatch.errors import InputError
from orbwatch.learn.samples.catalog_store import CatalogStore, is_catalog
from orbwatch.learn.samples.scaler import Scaler
from orbwatch.learn.samples.sequences import SequenceStore
from orbwatch.learn.training.batches import Data
from orbwatch.learn.training.catalog_data import CatalogData
from orbwatch.learn.training.checkpoints import Checkpoints
from orbwatch.learn.training.datamodule import TrackData
from orbwatch.learn.training.failures import Interrupted, is_out_of_memory, out_of_memory
from orbwatch.learn.training.forecaster import Forecaster
from orbwatch.learn.training.learner import Learner
from orbwatch.learn.training.metrics_file import METRICS
from orbwatch.learn.training.order import Draw, torch_seed
from orbwatch.learn.training.process import computing_with, quiet
from orbwatch.learn.training.relay import relayed
from orbwatch.learn.training.run_folder import SCALER, RunFolder, configuration
from orbwatch.learn.training.run_log import CURVE, RunLog
from orbwatch.learn.training.train import Trained
from orbwatch.models.checkpoint import read_checkpoint
from orbwatch.models.trajectory import TrajectoryTransformer
from orbwatch.progress import Progress
from orbwatch.settings_groups import NetworkSettings, TrainSettings

PRECISION = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


def fit(
    data: Path,
    output: Path,
    network: NetworkSettings,
    settings: TrainSettings,
    resume: bool,
    progress: Progress | None,
) -> Trained:
    """See `orbwatch.learn.training.train.train`."""
    device = pick_device(settings)
    store = open_store(data)
    folder = RunFolder(output)
    config = configuration(store, network, settings)
    before = opened(folder, config, resume=resume)
    scaler = Scaler.from_dict(before["orbwatch"]["scaler"]) if before else None
    given = _data(store, network, settings, scaler, device)
    train_module(lambda: _module(given, network, config), given, folder, before, progress)
    return trained(folder)


def opened(folder: RunFolder, config: dict[str, Any], *, resume: bool) -> dict[str, Any] | None:
    """Makes the folder of a run, and gives the checkpoint to go on from; see `RunFolder.open`."""
    return read_checkpoint(folder.last) if folder.open(config, resume=resume) else None


def train_module(
    make: Callable[[], Learner],
    given: Data,
    folder: RunFolder,
    before: dict[str, Any] | None,
    progress: Progress | None,
) -> None:
    """Trains what `make` gives, on `given`, from the checkpoint `before` on, until the run is complete."""
    settings = given.settings
    device = pick_device(settings)
    precision = pick_precision(settings, device)
    result = before["orbwatch"].get("result", {}) if before else {}
    if before is None:
        folder.write_json(SCALER, given.scaler.to_dict())
    if not (result.get("stopped_early") or result.get("epochs", 0) >= settings.epochs):
        module = make()
        relay = relayed(progress) if settings.devices > 1 else nullcontext(progress)
        with quiet(), computing_with(network_threads(settings)), relay as told:
            log = RunLog(folder.path, settings.batch, given.clock, told)
            callbacks = [log, _stopping(settings), Checkpoints(folder.path, settings.checkpoint_steps)]
            trainer = _trainer(folder, settings, device, precision, callbacks)
            _run(trainer, module, given, folder, device, going_on=before is not None)
    if progress is not None:
        progress("trained", 1.0)


def open_store(data: Path) -> SequenceStore | CatalogStore:
    """The data set in a folder, of tracks or of askings. Raises InputError where there is none."""
    return CatalogStore.open(data) if is_catalog(data) else SequenceStore.open(data)


def _data(
    store: SequenceStore | CatalogStore,
    network: NetworkSettings,
    settings: TrainSettings,
    scaler: Scaler | None,
    device: str,
) -> Data:
    if isinstance(store, CatalogStore):
        return CatalogData(store, settings, scaler)
    threads = _preparing_threads(settings, device)
    return TrackData(
        store, settings, uncertainty=network.uncertainty_features, scaler=scaler, threads=threads
    )  # fmt: skip


def pick_device(settings: TrainSettings) -> str:
    """cpu or cuda. Raises InputError when a GPU is asked for and there is none, or too few."""
    there = torch.cuda.device_count() if settings.device != "cpu" and torch.cuda.is_available() else 0
    if settings.device == "cuda" and there == 0:
        raise InputError("no GPU that torch can use", field="train.device", value="cuda", legal="auto, cpu")
    if there and settings.devices > there:
        raise InputError("fewer GPUs than that", field="train.devices", value=settings.devices, legal=f"1 .. {there}")
    return "cuda" if there else "cpu"


def pick_precision(settings: TrainSettings, device: str) -> str:
    """Lightning's name of the arithmetic. Raises InputError for fp16 on a CPU."""
    if settings.precision == "auto":
        return PRECISION["bf16" if device == "cuda" and torch.cuda.is_bf16_supported() else "fp32"]
    if settings.precision == "fp16" and device == "cpu":
        raise InputError("needs a GPU", field="train.precision", value="fp16", legal="auto, fp32, bf16")
    return PRECISION[settings.precision]


def _module(given: Data, network: NetworkSettings, config: dict[str, Any]) -> Forecaster:
    settings = given.settings
    torch.manual_seed(torch_seed(settings.seed, Draw.WEIGHTS))
    model = TrajectoryTransformer(network, features=len(given.features), query=len(given.query))
    module = Forecaster(model, settings, given.order.steps, given.regimes, given.shown, network_threads(settings))
    module.carried = config | {
        "scaler": given.scaler.to_dict(),
        "features": [feature._asdict() for feature in given.features],
        "query": [feature._asdict() for feature in given.query],
        "units": "kilometres, seconds, radians; the network's own numbers are whitened",
        "windows": given.chosen.distinct,
        "samples_an_epoch": len(given.chosen.train),
        "validation_windows": len(given.chosen.validation),
        "started_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return module


def _trainer(folder: RunFolder, settings: TrainSettings, device: str, precision: str, callbacks: list[Any]) -> Trainer:
    return Trainer(
        accelerator="gpu" if device == "cuda" else "cpu",
        devices=settings.devices,
        strategy="ddp_spawn" if settings.devices > 1 else "auto",
        precision=precision,  # type: ignore[arg-type]
        max_epochs=settings.epochs,
        gradient_clip_val=settings.clip,
        callbacks=callbacks,
        default_root_dir=folder.path,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def _stopping(settings: TrainSettings) -> EarlyStopping:
    return EarlyStopping("val_loss", min_delta=0.0, patience=settings.patience, check_on_train_epoch_end=True)


def _run(trainer: Trainer, module: Learner, given: Data, folder: RunFolder, device: str, *, going_on: bool) -> None:
    try:
        trainer.fit(module, datamodule=given, ckpt_path=folder.last if going_on else None, weights_only=True)
    except Interrupted:
        raise KeyboardInterrupt(f"training stopped; {folder.last} holds it, --resume goes on from there") from None
    except SystemExit as error:  # how Lightning answers the second Ctrl-C
        raise KeyboardInterrupt(f"training stopped at once; --resume goes on from {folder.last}") from error
    except (MemoryError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise out_of_memory(given.settings.batch, device) from error
        raise


def trained(folder: RunFolder) -> Trained:
    """What a run came to, from its last checkpoint."""
    carried = read_checkpoint(folder.last)["orbwatch"]
    result, speed = carried["result"], carried["speed"]
    return Trained(
        folder=folder.path,
        best_checkpoint=folder.best,
        last_checkpoint=folder.last,
        metrics=folder.path / METRICS,
        loss_curve=folder.path / CURVE,
        windows=carried["windows"],
        samples=carried.get("samples_an_epoch", carried["windows"]),
        epochs=result["epochs"],
        steps=result["steps"],
        best_loss=result["best_loss"],
        best_epoch=result["best_epoch"],
        stopped_early=result["stopped_early"],
        median_km={name: (model, squares) for name, (model, squares) in result.get("median_km", {}).items()},
        figures=result.get("figures", {}),
        windows_per_s=speed["windows_per_s"],
        waited_share=speed["waited_share"],
        prepared_share=speed["prepared_share"],
    )


def _preparing_threads(settings: TrainSettings, device: str) -> int:
    return max(1, settings.threads - 1) if device == "cuda" else 1


def network_threads(settings: TrainSettings) -> int:
    """On a CPU all of them, though one more prepares batches: that takes a seventh of the time."""
    return 1 if pick_device(settings) == "cuda" else settings.threads
