"""Batches of windows for the trainer: chosen, gathered, augmented, made into features and scaled, ahead of need.

Which windows a batch holds, which of them are augmented and how, and which horizons are asked for is a pure function of
(seed, epoch, step): see `order`. Windows with thrust after their last position are left out of training and validation,
as nothing in them could foretell it; so are those whose least-squares fit failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int
from lightning.pytorch import LightningDataModule
from torch import Tensor

from orbwatch.errors import InputError
from orbwatch.learn.samples.augment import AUGMENTATIONS, augment
from orbwatch.learn.samples.features import Inputs, inputs
from orbwatch.learn.samples.scaler import Scaler
from orbwatch.learn.samples.sequences import SequenceStore
from orbwatch.learn.samples.windows import BURN_IN_HISTORY
from orbwatch.learn.training.order import Draw, Order, stream
from orbwatch.learn.training.prefetch import Clock, ahead
from orbwatch.settings_groups import TrainSettings
from orbwatch.uncertainty.ensemble import bootstrap_objects

VALIDATION_WINDOWS = 20_000
"""Most windows that the validation loss is measured on, spread evenly over all validation objects."""
SCALER_WINDOWS = 50_000
"""Most training windows that the scaler is fitted on, drawn at random."""
VALIDATION_BATCH = 1024


class Batch(NamedTuple):
    """What one training step is given: n windows, H horizons, whitened and scaled."""

    x: Tensor
    """(n, 20, F)"""
    valid: Tensor
    """(n, 20) bool"""
    query: Tensor
    """(n, H, Q)"""
    mix: Tensor
    """(n, H, 6, 12)"""
    log_scale: Tensor
    """(n,)"""
    target: Tensor
    """(n, H, 6)"""
    window: Tensor
    """(n,) int64, ids in the store."""
    object_id: Tensor
    """(n,) int64"""


class Checked(NamedTuple):
    """A validation batch: all horizons, and what turns the last of them into kilometres."""

    batch: Batch
    factor_km: Tensor
    """(n, 3, 3): formal position factor at the last horizon, without the scale."""
    regime: Tensor
    """(n,) int64, index into REGIMES."""


@dataclass(frozen=True)
class Chosen:
    """The windows that a run uses."""

    train: Int[np.ndarray, " n"]
    """An epoch's, some of them more than once."""
    validation: Int[np.ndarray, " v"]

    @property
    def distinct(self) -> int:
        """Training windows, each counted once."""
        return len(np.unique(self.train))


def augmentation_names(settings: TrainSettings) -> tuple[str, ...]:
    """The augmentations in use, in the order given. Raises InputError for a name that is not there."""
    names = tuple(name.strip() for name in settings.augmentations.split(",") if name.strip())
    for name in names:
        if name not in AUGMENTATIONS:
            legal = ", ".join(AUGMENTATIONS)
            raise InputError("no such augmentation", field="train.augmentations", value=name, legal=legal)
    return names


def choose(store: SequenceStore, settings: TrainSettings) -> Chosen:
    """The windows to train and to validate on.

    Training: `train.windows` of the training objects' windows at random (0: all); with `train.bootstrap`, of as many
    objects as there are, drawn with replacement. Of these, windows with a burn in their history then count
    `train.burn_repeat` times. Validation: at most `VALIDATION_WINDOWS`, evenly spread over objects and time. Raises
    InputError when there are none.
    """
    training, validation = (store.ids(split, usable=True) for split in ("train", "validation"))
    rng = stream(settings.seed, Draw.CHOICE)
    if settings.bootstrap and len(training):
        training = training[bootstrap_objects(store.object_of(training), rng)]
    if 0 < settings.windows < len(training):
        training = np.sort(rng.choice(training, settings.windows, replace=False))
    burned = training[(store.burn_bits[training] & BURN_IN_HISTORY) > 0]
    training = np.concatenate([training, *[burned] * (settings.burn_repeat - 1)])
    for name, found in (("training", training), ("validation", validation)):
        if not len(found):
            hint = "Build a data set with more objects or fewer burns"
            raise InputError(f"no usable {name} window in the data set", hint=hint)
    return Chosen(training, _spread(validation, VALIDATION_WINDOWS))


def fit_scaler(store: SequenceStore, chosen: Chosen, seed: int, uncertainty: bool, threads: int) -> Scaler:
    """Scaler of the features, from training windows of this run alone."""
    rng = stream(seed, Draw.SCALER)
    ids = chosen.train
    if len(ids) > SCALER_WINDOWS:
        ids = np.sort(rng.choice(ids, SCALER_WINDOWS, replace=False))
    parts = np.array_split(ids, max(1, len(ids) // 4096))
    return Scaler.fit(inputs(store.gather(part), uncertainty=uncertainty, threads=threads) for part in parts)


class TrackData(LightningDataModule):
    """Training and validation batches from a data set. Sent to another process, it maps the files anew there.

    Args:
        store: the open data set.
        settings: of the training.
        uncertainty: use the uncertainty features.
        scaler: the one of an earlier run of the same data, when that is continued; else it is fitted.
        threads: to prepare batches with.
    """

    def __init__(
        self,
        store: SequenceStore,
        settings: TrainSettings,
        *,
        uncertainty: bool = True,
        scaler: Scaler | None = None,
        threads: int = 1,
    ) -> None:
        super().__init__()
        self.store, self.settings, self.uncertainty, self.threads = store, settings, uncertainty, threads
        self.names = augmentation_names(settings)
        self.clock = Clock()
        self.chosen = choose(store, settings)
        self.scaler = scaler or fit_scaler(store, self.chosen, settings.seed, uncertainty, threads)
        self.order = Order(self.chosen.train, settings.batch, settings.seed)

    def train_dataloader(self) -> TrainBatches:
        """Batches of the epoch that is due, from the step that is due."""
        return TrainBatches(self)

    def val_dataloader(self) -> ValidationBatches:
        """The validation windows, all horizons. Every process sees all of them."""
        return ValidationBatches(self)

    def train_batch(self, epoch: int, step: int, rank: int = 0, processes: int = 1) -> Batch:
        """Batch `step` of `epoch`: always the same for the same seed and data."""
        ids = self.order.at(epoch, step, rank, processes)
        windows = self.store.gather(ids)
        rng = stream(self.settings.seed, Draw.AUGMENTATION, epoch, step, rank)
        asked = stream(self.settings.seed, Draw.HORIZONS, epoch, step).permutation(windows.horizon_s.shape[1])
        horizons = np.sort(asked[: self.settings.horizons])
        if self.settings.augment > 0.0 and self.names:
            windows = augment(windows, self.settings.augment, self.names, rng)
        found = inputs(windows, uncertainty=self.uncertainty, horizons=horizons, threads=self.threads)
        return self._tensors(found, ids, windows.object_id, found.usable)

    def validation_batch(self, number: int) -> Checked:
        """Batch `number` of the validation windows."""
        ids = self.chosen.validation[number * VALIDATION_BATCH : (number + 1) * VALIDATION_BATCH]
        windows = self.store.gather(ids)
        found = inputs(windows, uncertainty=self.uncertainty, threads=self.threads)
        keep = found.usable
        return Checked(
            self._tensors(found, ids, windows.object_id, keep),
            torch.from_numpy(np.ascontiguousarray(found.factor_km[keep, -1], np.float32)),
            torch.from_numpy(windows.regime[keep].astype(np.int64)),
        )

    def _tensors(
        self, found: Inputs, ids: Int[np.ndarray, " n"], objects: Int[np.ndarray, " n"], keep: Bool[np.ndarray, " n"]
    ) -> Batch:
        if found.target is None:
            raise InputError("the data set holds no truth to learn from", file=self.store.folder)
        x, query = self.scaler.apply(found)
        columns = (x, found.valid, query, found.mix, found.log_scale, found.target, ids, objects)
        # An augmented window whose new fit failed is dropped; as a rule all stay, and nothing is copied.
        whole = bool(keep.all())
        return Batch(*(torch.from_numpy(np.ascontiguousarray(c if whole else c[keep])) for c in columns))


class TrainBatches:
    """One epoch of training batches, from wherever the trainer stands.

    The trainer's own count of optimiser steps, which travels in the checkpoint, says where: epoch and step are its
    quotient and remainder by the steps of an epoch. So nothing else has to be saved, and a continued epoch has only its
    remaining batches.
    """

    def __init__(self, data: TrackData) -> None:
        self.data = data

    def __len__(self) -> int:
        return self.data.order.steps

    def state_dict(self) -> dict[str, int]:
        """Tells Lightning that an epoch can be continued, and with what."""
        return {"seed": self.data.settings.seed, "steps": len(self)}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Raises InputError when the checkpoint's batches are not these."""
        if state != self.state_dict():
            raise InputError("the checkpoint is of other batches", value=state, legal=str(self.state_dict()))

    def __iter__(self) -> Iterator[Batch]:
        # Lightning makes the iterator before it knows where it stands: ask at the first batch.
        trainer = self.data.trainer
        if trainer is None:
            raise RuntimeError("batches are for a trainer")
        epoch, first = divmod(trainer.global_step, len(self))
        rank, processes = trainer.global_rank, trainer.world_size
        steps = range(first, len(self))
        yield from ahead(lambda s: self.data.train_batch(epoch, s, rank, processes), steps, self.data.clock)


class ValidationBatches:
    """The validation windows in order."""

    def __init__(self, data: TrackData) -> None:
        self.data = data

    def __len__(self) -> int:
        return -(-len(self.data.chosen.validation) // VALIDATION_BATCH)

    def __iter__(self) -> Iterator[Checked]:
        return ahead(self.data.validation_batch, range(len(self)), Clock())


def _spread(ids: Int[np.ndarray, " n"], most: int) -> Int[np.ndarray, " m"]:
    """At most `most` of the ids, evenly spread."""
    if len(ids) <= most:
        return ids
    return ids[np.linspace(0, len(ids) - 1, most).round().astype(np.int64)]
