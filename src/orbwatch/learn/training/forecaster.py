"""The trajectory transformer as Lightning trains it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from orbwatch.learn.training import ema
from orbwatch.learn.training.batches import Batch, Checked
from orbwatch.learn.training.failures import not_finite
from orbwatch.learn.training.metrics_file import Shown
from orbwatch.learn.training.order import Draw, torch_seed
from orbwatch.learn.training.process import settle
from orbwatch.learn.training.schedule import optimizer, rate
from orbwatch.models.losses import loss
from orbwatch.models.trajectory import Parts, TrajectoryTransformer
from orbwatch.settings_groups import TrainSettings


@dataclass(frozen=True)
class Validation:
    """What one validation found."""

    loss: float
    median_km: dict[str, tuple[float, float]]
    """Median position error at the horizon shown by regime and for "all": of the model, of physics."""


class Forecaster(LightningModule):
    """Training, validation with the averaged weights, and the state of both.

    The validation loss is the training loss, but plain NLL where training is on beta-NLL: a weight that the network
    itself sets makes no fair comparison of epochs.
    """

    def __init__(
        self,
        network: TrajectoryTransformer,
        settings: TrainSettings,
        steps_an_epoch: int,
        regimes: tuple[str, ...],
        shown: Shown,
        threads: int = 1,
    ) -> None:
        super().__init__()
        self.regimes, self.shown = regimes, shown
        self.network = network
        self.average = ema.averaged(network) if settings.ema > 0.0 else None
        self.settings, self.steps_an_epoch, self.threads = settings, steps_an_epoch, threads
        self.validation: Validation | None = None
        self.carried: dict[str, Any] = {}
        """Put into every checkpoint: scaler, features, hashes."""
        self._found: list[tuple[Tensor, ...]] = []

    @property
    def evaluated(self) -> TrajectoryTransformer:
        """The network that is validated and shipped."""
        return self.network if self.average is None else self.average

    def setup(self, stage: str) -> None:
        """Chooses the losses in each process: functions made on the spot do not travel."""
        del stage
        if self.trainer.world_size > 1:
            settle(self.threads)
        self.loss = loss(self.settings)
        fair = replace(self.settings, loss="nll") if self.settings.loss == "beta-nll" else self.settings
        self.validation_loss = loss(fair)

    def configure_optimizers(self) -> Any:
        """AdamW with a learning rate that is a function of the step alone."""
        steps = self.settings.epochs * self.steps_an_epoch
        fused = self.trainer.precision == "32-true"  # in mixed precision Lightning refuses to clip for a fused one
        chosen = optimizer(self.network, self.settings, fused=fused)
        schedule = torch.optim.lr_scheduler.LambdaLR(chosen, lambda step: rate(step, steps, self.settings.warmup))
        return {"optimizer": chosen, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, batch: Batch) -> Tensor:
        """Mean loss of a batch. Raises TrainingError when it is not a number."""
        epoch, step = divmod(self.trainer.global_step, self.steps_an_epoch)
        self._reseed(torch_seed(self.settings.seed, Draw.NETWORK, epoch, step, self.trainer.global_rank))
        each, known = _losses(self.network, self.loss, batch)[:2]
        value = each.sum() / known.sum().clamp(min=1)
        if not torch.isfinite(value):
            bad = ~torch.isfinite(each).all(1)
            raise not_finite(epoch, step, batch.window[bad].tolist(), batch.object_id[bad].tolist(), len(bad))
        return value

    def _reseed(self, seed: int) -> None:
        # torch.manual_seed keeps a stack trace of every call where there is no GPU: milliseconds, and growing memory.
        index = self.device.index
        generator = torch.default_generator if index is None else torch.cuda.default_generators[index]
        generator.manual_seed(seed)

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """To the GPU; on a CPU there is nothing to do."""
        return batch if device.type == "cpu" else super().transfer_batch_to_device(batch, device, dataloader_idx)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """One step of the optimiser, and of the average, before anything can be saved."""
        super().optimizer_step(*args, **kwargs)
        if self.average is not None:
            ema.follow(self.average, self.network, self.settings.ema, self.trainer.global_step + 1)

    def validation_step(self, checked: Checked) -> None:
        """Loss, and position errors at the horizon shown, of a batch; NaN where its truth is not known."""
        batch, node = checked.batch, self.shown.node
        each, known, parts = _losses(self.evaluated, self.validation_loss, batch)
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
        self.validation = Validation(float(each.mean(dtype=np.float64)), medians)
        self.log("val_loss", self.validation.loss, sync_dist=self.trainer.world_size > 1)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds what is needed to use the weights elsewhere."""
        checkpoint["orbwatch"] = checkpoint.get("orbwatch", {}) | self.carried


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
