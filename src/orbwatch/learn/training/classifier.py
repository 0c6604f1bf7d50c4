"""The maneuver classifier as Lightning trains it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from orbwatch.learn.training.failures import not_finite
from orbwatch.learn.training.learner import Learner, Validation
from orbwatch.models.losses import focal_cross_entropy
from orbwatch.models.maneuver import ManeuverClassifier
from orbwatch.settings_groups import ClassifierSettings, TrainSettings
from orbwatch.uncertainty.class_scores import average_precision, macro_f1

FIGURES = ("gap_loss", "pattern_loss", "burn_precision", "gap_macro_f1", "pattern_macro_f1")
"""What a validation shows beside the loss."""


class GapBatch(NamedTuple):
    """What one step is given: n windows, scaled; target rows of nothing but zeros are not known."""

    x: Tensor
    """(n, 20, F)"""
    valid: Tensor
    """(n, 20) bool"""
    kind: Tensor
    """(n, 20, kinds): probabilities."""
    pattern: Tensor
    """(n, patterns): probabilities."""
    window: Tensor
    """(n,) int64, first gaps in the series."""
    object_id: Tensor
    """(n,) int64"""


class Classifier(Learner):
    """Focal loss in training; plain cross-entropy, which is a proper score, where epochs are compared."""

    network: ManeuverClassifier
    average: ManeuverClassifier | None

    def __init__(
        self,
        network: ManeuverClassifier,
        sizes: ClassifierSettings,
        settings: TrainSettings,
        steps_an_epoch: int,
        threads: int = 1,
    ) -> None:
        super().__init__(network, settings, steps_an_epoch, threads)
        self.sizes = sizes
        self._found: list[tuple[Tensor, ...]] = []

    def columns(self) -> tuple[str, ...]:
        """Losses of both heads, and how well the classes are told."""
        return FIGURES

    def training_step(self, batch: GapBatch) -> Tensor:
        """Mean loss of a batch. Raises TrainingError when it is not a number."""
        epoch, step = self.seeded_step()
        kind, pattern = self.network(batch.x, batch.valid)
        gap = focal_cross_entropy(kind, batch.kind, self.sizes.focus)
        window = focal_cross_entropy(pattern, batch.pattern, self.sizes.focus)
        value = _mean(gap, batch.kind) + self.sizes.pattern_weight * _mean(window, batch.pattern)
        if not torch.isfinite(value):
            bad = ~torch.isfinite(gap.sum(1) + window)
            raise not_finite(epoch, step, batch.window[bad].tolist(), batch.object_id[bad].tolist(), len(bad))
        return value

    def validation_step(self, batch: GapBatch) -> None:
        """Logits and truths of a batch are put aside."""
        kind, pattern = (self.average or self.network)(batch.x, batch.valid)
        gaps, windows = batch.kind.sum(-1) > 0, batch.pattern.sum(-1) > 0
        self._found.append(
            (kind[gaps], batch.kind[gaps].argmax(-1), pattern[windows], batch.pattern[windows].argmax(-1))
        )

    def on_validation_epoch_end(self) -> None:
        """Puts the batches together; raises TrainingError when the loss is not a number."""
        kind, true_kind, pattern, true_pattern = (torch.cat(column).cpu() for column in zip(*self._found, strict=True))
        self._found.clear()
        gap_loss = float(functional.cross_entropy(kind, true_kind)) if len(kind) else 0.0
        pattern_loss = float(functional.cross_entropy(pattern, true_pattern)) if len(pattern) else 0.0
        loss = gap_loss + self.sizes.pattern_weight * pattern_loss
        if not np.isfinite(loss):
            epoch, step = divmod(self.trainer.global_step - 1, self.steps_an_epoch)
            raise not_finite(epoch, step, [], [], 0)
        burn = 1.0 - functional.softmax(kind, -1)[:, 0]
        figures = {
            "gap_loss": gap_loss,
            "pattern_loss": pattern_loss,
            "burn_precision": average_precision(burn.numpy(), (true_kind > 0).numpy()),
            "gap_macro_f1": macro_f1(kind.argmax(-1).numpy(), true_kind.numpy()),
            "pattern_macro_f1": macro_f1(pattern.argmax(-1).numpy(), true_pattern.numpy()),
        }
        self.validation = Validation(loss, figures, {"figures": figures})
        self.log("val_loss", loss, sync_dist=self.trainer.world_size > 1)


def _mean(each: Tensor, target: Tensor) -> Tensor:
    """Mean over the rows whose target is known; those that are not have a loss of zero."""
    return each.sum() / (target.sum(-1) > 0).sum().clamp(min=1)
