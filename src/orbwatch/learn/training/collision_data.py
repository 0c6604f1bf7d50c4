"""Batches of askings for the trainer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from orbwatch.errors import InputError
from orbwatch.learn.samples.collision_asks import FEATURES
from orbwatch.learn.samples.collision_store import CollisionStore, Lesson
from orbwatch.learn.samples.gap_scaler import GapScaler
from orbwatch.learn.training.batches import Chosen, Data
from orbwatch.learn.training.order import Draw, stream
from orbwatch.models.collision_loss import Truth
from orbwatch.settings_groups import PredictorSettings, TrainSettings


class CollisionBatch(NamedTuple):
    """What one step is given: n askings."""

    x: Tensor
    """(n, F), scaled."""
    trend: Tensor
    """(n, 7, 3) km"""
    spread: Tensor
    """(n, 3) km"""
    change: Tensor
    timed: Tensor
    unlisted: Tensor
    now: Tensor
    row: Tensor
    """(n,) int64, rows of the table of predictions."""
    event: Tensor
    """(n,) int64"""

    @property
    def truth(self) -> Truth:
        """What became of them."""
        return Truth(self.change, self.timed, self.unlisted, self.now)


class CollisionData(Data):
    """Training and validation batches from a file of predictions; of the settings of the training, those of horizons,
    losses of positions and augmentations are not used."""

    def __init__(
        self,
        store: CollisionStore,
        settings: TrainSettings,
        sizes: PredictorSettings,
        scaler: GapScaler | None = None,
    ) -> None:
        chosen = choose_rows(store, settings, sizes)
        taught = np.unique(chosen.train)
        self.taught = len(taught)
        self.rows = np.concatenate((taught, chosen.validation))
        self.lesson: Lesson = store.lesson(self.rows)
        features = self.lesson.asks.features
        if scaler is None:
            scaler = GapScaler.fit(FEATURES, features[: self.taught])
        super().__init__(settings, chosen, scaler)
        self.store, self.sizes = store, sizes
        self.x = scaler.apply(features, np.ones(len(features), np.bool_))

    def train_batch(self, epoch: int, step: int, rank: int = 0, processes: int = 1) -> CollisionBatch:
        """Batch `step` of `epoch`: always the same for the same seed and data."""
        ids = self.order.at(epoch, step, rank, processes)
        return self._batch(np.searchsorted(self.rows[: self.taught], ids))

    def validation_batch(self, number: int) -> CollisionBatch:
        """Batch `number` of the validation askings."""
        ids = self.validation_ids(number)
        return self._batch(self.taught + np.searchsorted(self.chosen.validation, ids))

    def _batch(self, at: Int[np.ndarray, " n"]) -> CollisionBatch:
        lesson, asks = self.lesson, self.lesson.asks
        change = np.nan_to_num(lesson.change_km[at]).astype(np.float32)
        timed = np.isfinite(lesson.change_km[at, 2]).astype(np.float32)
        row = self.rows[at]
        columns = (
            self.x[at],
            asks.trend_km[at],
            asks.spread_km[at],
            change,
            timed,
            lesson.unlisted[at],
            asks.now_km[at],
            row,
            self.store.table.event[row],
        )
        return CollisionBatch(*(torch.from_numpy(np.ascontiguousarray(column)) for column in columns))


def choose_rows(store: CollisionStore, settings: TrainSettings, sizes: PredictorSettings) -> Chosen:
    """The askings to train and to validate on; `train.windows` of the training ones at random (0: all).

    With `train.bootstrap`, of as many pairs as there are, drawn with replacement. Raises InputError when there
    are none.
    """
    training, validation = (store.teaching_rows(part, sizes.least_lead_day) for part in ("train", "validation"))
    rng = stream(settings.seed, Draw.CHOICE)
    for name, found in (("training", training), ("validation", validation)):
        if not len(found):
            raise InputError(f"no {name} event in the file", file=store.folder, hint="It needs more events")
    if settings.bootstrap:
        pair = np.unique(store.table.pair[training], axis=0, return_inverse=True)[1].reshape(-1)
        times = np.bincount(rng.integers(0, pair.max() + 1, pair.max() + 1), minlength=pair.max() + 1)
        training = np.repeat(training, times[pair])
    if 0 < settings.windows < len(training):
        training = np.sort(rng.choice(training, settings.windows, replace=False))
    return Chosen(training, validation)
