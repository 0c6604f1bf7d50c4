"""Batches of askings for the trainer: gathered from the store of a catalogue, scaled, put into the network's form.

Horizons without truth have a target of NaN.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int

from orbwatch.errors import InputError
from orbwatch.learn.samples.catalog_basis import ALONG, mix_of
from orbwatch.learn.samples.catalog_features import FEATURES, QUERY, CatalogInputs
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES
from orbwatch.learn.samples.catalog_store import CatalogStore
from orbwatch.learn.samples.scaler import Scaler
from orbwatch.learn.training.batches import (
    SCALER_WINDOWS,
    VALIDATION_WINDOWS,
    Batch,
    Checked,
    Chosen,
    Data,
    spread,
)
from orbwatch.learn.training.metrics_file import Shown
from orbwatch.learn.training.order import Draw, stream
from orbwatch.settings_groups import TrainSettings
from orbwatch.uncertainty.ensemble import bootstrap_objects

BALANCE = 0.6
"""A regime with k times fewer askings than the largest has each of them k^BALANCE times as often in an epoch."""
MOST_REPEATS = 12
DAYS_3 = 11
"""Place of the horizon of three days."""


class CatalogData(Data):
    """Training and validation batches from a data set of askings.

    Args:
        store: the open data set.
        settings: of the training; augmentations and burns are the tracks' alone.
        scaler: the one of an earlier run of the same data, when that is continued; else it is fitted.
    """

    regimes = CATALOG_REGIMES
    features = FEATURES
    query = QUERY
    shown = Shown(DAYS_3, "3d", "sgp4")

    def __init__(self, store: CatalogStore, settings: TrainSettings, scaler: Scaler | None = None) -> None:
        chosen = choose_asks(store, settings)
        super().__init__(settings, chosen, scaler or _fit_scaler(store, chosen, settings.seed))
        self.store = store

    def train_batch(self, epoch: int, step: int, rank: int = 0, processes: int = 1) -> Batch:
        """Batch `step` of `epoch`: always the same for the same seed and data."""
        ids = self.order.at(epoch, step, rank, processes)
        given = self.store.gather(ids)
        return self._batch(given, ids, self.horizons(epoch, step, given.query.shape[1]))

    def validation_batch(self, number: int) -> Checked:
        """Batch `number` of the validation askings."""
        ids = self.validation_ids(number)
        given = self.store.gather(ids)
        scale = given.scale[:, DAYS_3].copy()
        scale[:, ALONG] *= self.store.asks["speed_km_s"][ids]
        return Checked(
            self._batch(given, ids, np.arange(given.query.shape[1])),
            torch.from_numpy(scale[:, :, None] * np.eye(3, dtype=np.float32)),
            torch.from_numpy(self.store.regime[ids].astype(np.int64)),
        )

    def _batch(self, given: CatalogInputs, ids: Int[np.ndarray, " n"], horizons: Int[np.ndarray, " h"]) -> Batch:
        x, query = self.scaler.apply(given)
        assert given.target is not None
        target = np.concatenate([given.target, np.zeros_like(given.target)], axis=2)
        h = horizons
        mix = mix_of(given.trend[:, h], given.scale[:, h], given.phase[:, h], given.ahead_day[:, h], given.speed_km_s)
        columns = (
            x, given.valid, query[:, h], mix, np.zeros(len(ids), np.float32), target[:, h], ids,
            self.store.asks["norad_id"][ids],
        )  # fmt: skip
        return Batch(*(torch.from_numpy(np.ascontiguousarray(column)) for column in columns))


def choose_asks(store: CatalogStore, settings: TrainSettings) -> Chosen:
    """The askings to train and to validate on.

    Training: `train.windows` of the training objects' askings at random (0: all); with `train.bootstrap`, of as many
    objects as there are, drawn with replacement. Those of small regimes count several times. Validation: at most
    `VALIDATION_WINDOWS`, evenly spread. Raises InputError when there are none.
    """
    training, validation = (_with_truth(store, split) for split in ("train", "validation"))
    rng = stream(settings.seed, Draw.CHOICE)
    if settings.bootstrap and len(training):
        training = training[bootstrap_objects(store.asks["norad_id"][training], rng)]
    if 0 < settings.windows < len(training):
        training = np.sort(rng.choice(training, settings.windows, replace=False))
    for name, found in (("training", training), ("validation", validation)):
        if not len(found):
            raise InputError(f"no usable {name} asking in the data set", hint="It needs a longer history")
    counts = np.bincount(store.regime[training], minlength=len(CATALOG_REGIMES))
    repeats = np.clip(np.rint((counts.max() / np.maximum(counts, 1)) ** BALANCE), 1, MOST_REPEATS).astype(np.int64)
    return Chosen(np.repeat(training, repeats[store.regime[training]]), spread(validation, VALIDATION_WINDOWS))


def _with_truth(store: CatalogStore, split: str) -> Int[np.ndarray, " n"]:
    """Askings of a split of which any truth is known."""
    ids = store.ids(split)
    parts = [ids[:0]]
    for some in np.array_split(ids, max(1, len(ids) // 8192)):
        target = store.gather(some).target
        assert target is not None
        parts.append(some[np.isfinite(target).all(axis=2).any(axis=1)])
    return np.concatenate(parts)


def _fit_scaler(store: CatalogStore, chosen: Chosen, seed: int) -> Scaler:
    """Scaler of the features, from training askings of this run alone."""
    ids = chosen.train
    if len(ids) > SCALER_WINDOWS:
        ids = np.sort(stream(seed, Draw.SCALER).choice(ids, SCALER_WINDOWS, replace=False))
    return Scaler.fit(store.gather(part) for part in np.array_split(ids, max(1, len(ids) // 4096)))
