"""The collision predictor as Lightning trains it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from orbwatch.learn.training.collision_data import CollisionBatch
from orbwatch.learn.training.failures import not_finite
from orbwatch.learn.training.learner import Learner, Validation
from orbwatch.models.collision import CollisionNetwork
from orbwatch.models.collision_loss import mixture_loss
from orbwatch.settings_groups import TrainSettings

FIGURES = ("height_ratio", "side_ratio", "along_ratio")
"""What a validation shows beside the loss: median errors of the mean over those of the latest prediction."""


class CollisionLearner(Learner):
    """Negative log likelihood of what became of the events."""

    network: CollisionNetwork
    average: CollisionNetwork | None

    def __init__(
        self, network: CollisionNetwork, settings: TrainSettings, steps: int, dropped: float, threads: int = 1
    ) -> None:
        super().__init__(network, settings, steps, threads)
        self.dropped = dropped
        self._found: list[tuple[Tensor, ...]] = []

    def columns(self) -> tuple[str, ...]:
        """Errors by channel."""
        return FIGURES

    def training_step(self, batch: CollisionBatch) -> Tensor:
        """Mean loss of a batch. Raises TrainingError when it is not a number."""
        epoch, step = self.seeded_step()
        loss = mixture_loss(self.network(batch.x, batch.trend, batch.spread), batch.truth, self.dropped)
        value = loss.mean()
        if not torch.isfinite(value):
            bad = ~torch.isfinite(loss)
            raise not_finite(epoch, step, batch.row[bad].tolist(), batch.event[bad].tolist(), len(bad))
        return value

    def validation_step(self, batch: CollisionBatch) -> None:
        """Losses and errors of a batch are put aside."""
        told = (self.average or self.network)(batch.x, batch.trend, batch.spread)
        loss = mixture_loss(told, batch.truth, self.dropped)
        weight = torch.stack((told[0], told[0], told[3]), 2).exp()
        mean = (weight * told[1]).sum(1)
        known = (~batch.unlisted) & (batch.timed > 0)
        self._found.append((loss, (mean - batch.change).abs()[known], batch.change.abs()[known]))

    def on_validation_epoch_end(self) -> None:
        """Puts the batches together; raises TrainingError when the loss is not a number."""
        losses, error, latest = (torch.cat(column).cpu() for column in zip(*self._found, strict=True))
        self._found.clear()
        loss = float(losses.mean())
        if not np.isfinite(loss):
            epoch, step = divmod(self.trainer.global_step - 1, self.steps_an_epoch)
            raise not_finite(epoch, step, [], [], 0)
        ratio = error.median(0)[0] / latest.median(0)[0].clamp(min=1e-9) if len(error) else torch.full((3,), np.nan)
        figures = dict(zip(FIGURES, ratio.tolist(), strict=True))
        self.validation = Validation(loss, figures, {"figures": figures})
        self.log("val_loss", loss, sync_dist=self.trainer.world_size > 1)
