"""Batches of windows of gaps for the trainer: gathered, mixed with like ones, scaled.

Two windows are mixed only in evidence and labels, which are residuals over their usual size and shares of classes: no
orbit is ever averaged (Zhang et al. 2018, mixup, kept to windows of the same regime).
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float32, Int, Int8

from orbwatch.errors import InputError
from orbwatch.learn.samples.gap_scaler import GapScaler
from orbwatch.learn.samples.gap_store import GapStore
from orbwatch.learn.samples.gap_windows import GapWindows
from orbwatch.learn.samples.splits import SPLITS
from orbwatch.learn.training.batches import VALIDATION_WINDOWS, Chosen, Data, spread
from orbwatch.learn.training.classifier import GapBatch
from orbwatch.learn.training.order import Draw, stream
from orbwatch.settings_groups import ClassifierSettings, TrainSettings
from orbwatch.uncertainty.ensemble import bootstrap_objects

STRIDE = 4
"""Gaps from one training window to the next."""
ALPHA = 0.3
"""Both parameters of the Beta distribution that the share of a mixed window is drawn from."""


class GapData(Data):
    """Training and validation batches from a data set of gaps.

    Args:
        store: the open data set.
        settings: of the training; augmentations, horizons and losses of forecasts are not used.
        sizes: of the classifier.
        scaler: the one of an earlier run of the same data, when that is continued; else it is fitted.
    """

    def __init__(
        self, store: GapStore, settings: TrainSettings, sizes: ClassifierSettings, scaler: GapScaler | None = None
    ) -> None:
        chosen = choose_gaps(store, settings)
        rows = store.series.split == list(SPLITS).index("train")
        super().__init__(settings, chosen, scaler or GapScaler.fit(store.features, store.series.features[rows]))
        self.store, self.sizes = store, sizes

    def train_batch(self, epoch: int, step: int, rank: int = 0, processes: int = 1) -> GapBatch:
        """Batch `step` of `epoch`: always the same for the same seed and data."""
        ids = self.order.at(epoch, step, rank, processes)
        batch = self._batch(ids)
        return self._mixed(batch, ids, stream(self.settings.seed, Draw.AUGMENTATION, epoch, step, rank))

    def validation_batch(self, number: int) -> GapBatch:
        """Batch `number` of the validation windows."""
        return self._batch(self.validation_ids(number))

    def _batch(self, ids: Int[np.ndarray, " n"]) -> GapBatch:
        windows = self.store.series.gather(ids)
        kinds, patterns = len(self.store.kinds), len(self.store.patterns)
        x = self.scaler.apply(windows.x, windows.valid)
        columns = (
            x,
            windows.valid,
            one_hot(windows.kind, kinds),
            one_hot(windows.pattern, patterns),
            ids,
            windows.norad_id,
        )
        return GapBatch(*(torch.from_numpy(np.ascontiguousarray(column)) for column in columns))

    def _mixed(self, batch: GapBatch, ids: Int[np.ndarray, " n"], rng: np.random.Generator) -> GapBatch:
        partner = like_windows(self.store.series.gather(ids), rng)
        chosen = (rng.random(len(ids)) < self.sizes.mix) & (partner >= 0)
        share = rng.beta(ALPHA, ALPHA, len(ids))
        kept = torch.from_numpy(np.where(chosen, np.maximum(share, 1.0 - share), 1.0).astype(np.float32))
        other = torch.from_numpy(np.where(chosen, partner, 0))

        def mix(value: torch.Tensor) -> torch.Tensor:
            weight = kept.reshape(-1, *(1,) * (value.dim() - 1))
            return weight * value + (1.0 - weight) * value[other]

        return batch._replace(x=mix(batch.x), kind=mix(batch.kind), pattern=mix(batch.pattern))


def one_hot(label: Int8[np.ndarray, "*n"], classes: int) -> Float32[np.ndarray, "*n c"]:
    """Probabilities of labels; zeros where a label is not known."""
    table = np.concatenate([np.eye(classes, dtype=np.float32), np.zeros((1, classes), np.float32)])
    return table[np.where(label >= 0, label, classes)]


def like_windows(windows: GapWindows, rng: np.random.Generator) -> Int[np.ndarray, " n"]:
    """Another window of the batch for each: of the same regime, whole, known to the same extent; -1 where none is."""
    known = (windows.kind >= 0).any(axis=1) * 2 + (windows.pattern >= 0)
    like = windows.regime * 4 + known
    partner = np.full(len(windows), -1)
    whole = windows.valid.all(axis=1)
    for code in np.unique(like):
        rows = np.flatnonzero((like == code) & whole)
        if len(rows) > 1:
            partner[rows] = np.roll(rows, int(rng.integers(1, len(rows))))
    return partner


def choose_gaps(store: GapStore, settings: TrainSettings) -> Chosen:
    """The windows to train and to validate on, by their first gaps.

    Training: `train.windows` of the training objects' windows at random (0: all); with `train.bootstrap`, of as many
    objects as there are, drawn with replacement. Windows with a maneuver then count `train.burn_repeat` times.
    Raises InputError when there are none.
    """
    starts = store.series.starts(STRIDE)
    split = store.series.split[starts]
    training, validation = (starts[split == list(SPLITS).index(name)] for name in ("train", "validation"))
    rng = stream(settings.seed, Draw.CHOICE)
    if settings.bootstrap and len(training):
        training = training[bootstrap_objects(store.series.norad_id[training], rng)]
    if 0 < settings.windows < len(training):
        training = np.sort(rng.choice(training, settings.windows, replace=False))
    for name, found in (("training", training), ("validation", validation)):
        if not len(found):
            raise InputError(f"no {name} window in the data set", hint="It needs more objects")
    burned = training[(store.series.gather(training).kind > 0).any(axis=1)]
    training = np.concatenate([training, *[burned] * (settings.burn_repeat - 1)])
    return Chosen(training, spread(validation, VALIDATION_WINDOWS))
