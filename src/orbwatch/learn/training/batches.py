"""What training is given, whatever it learns: batches that are a pure function of (seed, epoch, step).

`Data` is what the regimes' own data modules are made of: which windows a batch holds, and which horizons are asked for,
is said by `order`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int
from lightning.pytorch import LightningDataModule
from torch import Tensor

from orbwatch.errors import InputError
from orbwatch.learn.samples.gap_scaler import GapScaler
from orbwatch.learn.samples.scaler import Scaler
from orbwatch.learn.training.metrics_file import Shown
from orbwatch.learn.training.order import Draw, Order, stream
from orbwatch.learn.training.prefetch import Clock, ahead
from orbwatch.settings_groups import TrainSettings

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
    """(n, H, 6), NaN where the truth is not known"""
    window: Tensor
    """(n,) int64, ids in the store."""
    object_id: Tensor
    """(n,) int64"""


class Checked(NamedTuple):
    """A validation batch: all horizons, and what turns the one that is shown into kilometres."""

    batch: Batch
    factor_km: Tensor
    """(n, 3, 3): position factor of physics at that horizon, without the scale."""
    regime: Tensor
    """(n,) int64, index into the data's regimes."""


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


class Data(LightningDataModule):
    """Training and validation batches. Sent to another process, it maps the files of its data anew there."""

    regimes: tuple[str, ...]
    """Names of the codes in `Checked.regime`. This, queries and a horizon to show are for forecasts only."""
    features: tuple[Any, ...]
    """The table of features: named tuples."""
    query: tuple[Any, ...]
    """The table of queries."""
    shown: Shown
    """Which horizon's errors validation tells."""
    scaler: Any
    """Of the inputs; its `to_dict` is kept with the run."""

    def __init__(self, settings: TrainSettings, chosen: Chosen, scaler: Scaler | GapScaler) -> None:
        super().__init__()
        self.settings, self.chosen, self.scaler = settings, chosen, scaler
        self.clock = Clock()
        self.order = Order(chosen.train, settings.batch, settings.seed)

    def train_dataloader(self) -> TrainBatches:
        """Batches of the epoch that is due, from the step that is due."""
        return TrainBatches(self)

    def val_dataloader(self) -> ValidationBatches:
        """The validation windows, all horizons. Every process sees all of them."""
        return ValidationBatches(self)

    @abstractmethod
    def train_batch(self, epoch: int, step: int, rank: int = 0, processes: int = 1) -> tuple[Any, ...]:
        """Batch `step` of `epoch`: always the same for the same seed and data."""

    @abstractmethod
    def validation_batch(self, number: int) -> tuple[Any, ...]:
        """Batch `number` of the validation windows."""

    def horizons(self, epoch: int, step: int, of: int) -> Int[np.ndarray, " h"]:
        """The horizons that a batch asks for, of so many."""
        asked = stream(self.settings.seed, Draw.HORIZONS, epoch, step).permutation(of)
        return np.sort(asked[: self.settings.horizons])

    def validation_ids(self, number: int) -> Int[np.ndarray, " n"]:
        """The windows of a validation batch."""
        return self.chosen.validation[number * VALIDATION_BATCH : (number + 1) * VALIDATION_BATCH]


class TrainBatches:
    """One epoch of training batches, from wherever the trainer stands.

    The trainer's own count of optimiser steps, which travels in the checkpoint, says where: epoch and step are its
    quotient and remainder by the steps of an epoch. So nothing else has to be saved, and a continued epoch has only its
    remaining batches.
    """

    def __init__(self, data: Data) -> None:
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

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
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

    def __init__(self, data: Data) -> None:
        self.data = data

    def __len__(self) -> int:
        return -(-len(self.data.chosen.validation) // VALIDATION_BATCH)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return ahead(self.data.validation_batch, range(len(self)), Clock())


def spread(ids: Int[np.ndarray, " n"], most: int) -> Int[np.ndarray, " m"]:
    """At most `most` of the ids, evenly spread."""
    if len(ids) <= most:
        return ids
    return ids[np.linspace(0, len(ids) - 1, most).round().astype(np.int64)]
