"""Batches of windows for the trainer: chosen, gathered, augmented, made into features and scaled, ahead of need.

Which windows a batch holds, which of them are augmented and how, and which horizons are asked for is a pure function of
(seed, epoch, step): see `order`. Windows with thrust after their last position are left out of training and validation,
as nothing in them could foretell it; so are those whose least-squares fit failed.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Int

from orbwatch.errors import InputError
from orbwatch.learn.samples.augment import AUGMENTATIONS, augment
from orbwatch.learn.samples.features import QUERY, Inputs, feature_table, inputs
from orbwatch.learn.samples.scaler import Scaler
from orbwatch.learn.samples.sequences import SequenceStore
from orbwatch.learn.samples.windows import BURN_IN_HISTORY, REGIMES
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
    return Chosen(training, spread(validation, VALIDATION_WINDOWS))


def fit_scaler(store: SequenceStore, chosen: Chosen, seed: int, uncertainty: bool, threads: int) -> Scaler:
    """Scaler of the features, from training windows of this run alone."""
    rng = stream(seed, Draw.SCALER)
    ids = chosen.train
    if len(ids) > SCALER_WINDOWS:
        ids = np.sort(rng.choice(ids, SCALER_WINDOWS, replace=False))
    parts = np.array_split(ids, max(1, len(ids) // 4096))
    return Scaler.fit(inputs(store.gather(part), uncertainty=uncertainty, threads=threads) for part in parts)


class TrackData(Data):
    """Training and validation batches from a data set. Sent to another process, it maps the files anew there.

    Args:
        store: the open data set.
        settings: of the training.
        uncertainty: use the uncertainty features.
        scaler: the one of an earlier run of the same data, when that is continued; else it is fitted.
        threads: to prepare batches with.
    """

    regimes = REGIMES
    query = QUERY
    shown = Shown(-1, "30min", "least_squares")

    def __init__(
        self,
        store: SequenceStore,
        settings: TrainSettings,
        *,
        uncertainty: bool = True,
        scaler: Scaler | None = None,
        threads: int = 1,
    ) -> None:
        chosen = choose(store, settings)
        super().__init__(settings, chosen, scaler or fit_scaler(store, chosen, settings.seed, uncertainty, threads))
        self.store, self.uncertainty, self.threads = store, uncertainty, threads
        self.names = augmentation_names(settings)
        self.features = feature_table(uncertainty)

    def train_batch(self, epoch: int, step: int, rank: int = 0, processes: int = 1) -> Batch:
        """Batch `step` of `epoch`: always the same for the same seed and data."""
        ids = self.order.at(epoch, step, rank, processes)
        windows = self.store.gather(ids)
        rng = stream(self.settings.seed, Draw.AUGMENTATION, epoch, step, rank)
        horizons = self.horizons(epoch, step, windows.horizon_s.shape[1])
        if self.settings.augment > 0.0 and self.names:
            windows = augment(windows, self.settings.augment, self.names, rng)
        found = inputs(windows, uncertainty=self.uncertainty, horizons=horizons, threads=self.threads)
        return self._tensors(found, ids, windows.object_id, found.usable)

    def validation_batch(self, number: int) -> Checked:
        """Batch `number` of the validation windows."""
        ids = self.validation_ids(number)
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
