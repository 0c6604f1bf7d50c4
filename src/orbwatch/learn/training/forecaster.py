"""The trajectory transformer as Lightning trains it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from orbwatch.learn.training.batches import Batch, Checked
from orbwatch.learn.training.failures import not_finite
from orbwatch.learn.training.learner import Learner, Validation
from orbwatch.learn.training.metrics_file import Shown
from orbwatch.models.losses import loss
from orbwatch.models.trajectory import Parts, TrajectoryTransformer
from orbwatch.settings_groups import TrainSettings


class Forecaster(Learner):
    """Training, validation with the averaged weights, and the state of both.

    The validation loss is the training loss, but plain NLL where training is on beta-NLL: a weight that the network
    itself sets makes no fair comparison of epochs.
    """

    network: TrajectoryTransformer
    average: TrajectoryTransformer | None

    def __init__(
        self,
        network: TrajectoryTransformer,
        settings: TrainSettings,
        steps_an_epoch: int,
        regimes: tuple[str, ...],
        shown: Shown,
        threads: int = 1,
    ) -> None:
        super().__init__(network, settings, steps_an_epoch, threads)
        self.regimes, self.shown = regimes, shown
        self._found: list[tuple[Tensor, ...]] = []

    def columns(self) -> tuple[str, ...]:
        """Median errors at the horizon shown, by regime: of the model, of physics."""
        return self.shown.columns(self.regimes)

    def setup(self, stage: str) -> None:
        """Chooses the losses in each process: functions made on the spot do not travel."""
        super().setup(stage)
        self.loss = loss(self.settings)
        fair = replace(self.settings, loss="nll") if self.settings.loss == "beta-nll" else self.settings
        self.validation_loss = loss(fair)

    def training_step(self, batch: Batch) -> Tensor:
        """Mean loss of a batch. Raises TrainingError when it is not a number."""
        epoch, step = self.seeded_step()
        each, known = _losses(self.network, self.loss, batch)[:2]
        value = each.sum() / known.sum().clamp(min=1)
        if not torch.isfinite(value):
            bad = ~torch.isfinite(each).all(1)
            raise not_finite(epoch, step, batch.window[bad].tolist(), batch.object_id[bad].tolist(), len(bad))
        return value

    def validation_step(self, checked: Checked) -> None:
        """Loss, and position errors at the horizon shown, of a batch; NaN where its truth is not known."""
        batch, node = checked.batch, self.shown.node
        each, known, parts = _losses(self.average or self.network, self.validation_loss, batch)
        root = checked.factor_km * batch.log_scale.exp()[:, None, None]
        target = batch.target[:, node, :3]
        model = _length_km(root, target - parts.mean[:, node, :3])
        mean = each.sum(1) / known.sum(1)
        self._found.append((mean, model, _length_km(root, target), checked.regime, batch.window, batch.object_id))

    def on_validation_epoch_end(self) -> None:
        """Puts the batches together; raises TrainingError when the loss is not a number."""
        columns = [torch.cat(column).cpu().numpy() for column in zip(*self._found, strict=True)]
        self._found.clear()
        each, model, squares, regime, window, object_id = columns
        bad = ~np.isfinite(each)
        if bad.any():
            epoch, step = divmod(self.trainer.global_step - 1, self.steps_an_epoch)
            raise not_finite(epoch, step, window[bad].tolist(), object_id[bad].tolist(), len(each))
        medians = {}
        for code, name in enumerate(("all", *self.regimes), start=-1):
            here = np.isfinite(squares) & ((regime == code) | (code < 0))
            if here.any():
                medians[name] = (float(np.median(model[here])), float(np.median(squares[here])))
        pairs = ((self.shown.names(name), errors) for name, errors in medians.items())
        shown = {name: error for names, errors in pairs for name, error in zip(names, errors, strict=True)}
        self.validation = Validation(float(each.mean(dtype=np.float64)), shown, {"median_km": medians})
        self.log("val_loss", self.validation.loss, sync_dist=self.trainer.world_size > 1)


def _losses(network: TrajectoryTransformer, whole: Callable[..., Tensor], batch: Batch) -> tuple[Tensor, Tensor, Parts]:
    """Losses (n, H), zero where the truth is not known; where it is; and the forecast."""
    parts = network.parts(batch.x, batch.valid, batch.query, batch.mix, batch.log_scale)
    known = torch.isfinite(batch.target).all(-1)
    target = torch.where(known.unsqueeze(-1), batch.target, 0.0)
    return whole(parts.mean, parts.factor, target, parts.local) * known, known, parts


def _length_km(root: Tensor, whitened: Tensor) -> Tensor:
    """Length of a whitened residual (n, 3) in kilometres, (n,)."""
    # Elementwise, so that mixed precision leaves it in full precision.
    length: Tensor = torch.linalg.vector_norm((root * whitened.unsqueeze(1)).sum(2), dim=1)
    return length
