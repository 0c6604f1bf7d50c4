"""What all networks of orbwatch have in common while Lightning trains them: optimiser, average, seeds, what is kept."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import nn

from orbwatch.learn.training import ema
from orbwatch.learn.training.order import Draw, torch_seed
from orbwatch.learn.training.process import settle
from orbwatch.learn.training.schedule import optimizer, rate
from orbwatch.settings_groups import TrainSettings


@dataclass(frozen=True)
class Validation:
    """What one validation found."""

    loss: float
    shown: dict[str, float]
    """Further columns of metrics.csv."""
    result: dict[str, Any] = field(default_factory=dict)
    """What the checkpoint's result says beside the loss: plain values."""


class Learner(LightningModule):
    """Training, and validation with the averaged weights; subclasses say what is lost, and what is shown.

    Args:
        network: to train.
        settings: of the training.
        steps_an_epoch: optimiser steps in one.
        threads: that each of several processes computes with.
    """

    def __init__(self, network: nn.Module, settings: TrainSettings, steps_an_epoch: int, threads: int = 1) -> None:
        super().__init__()
        self.network = network
        self.average = ema.averaged(network) if settings.ema > 0.0 else None
        self.settings, self.steps_an_epoch, self.threads = settings, steps_an_epoch, threads
        self.validation: Validation | None = None
        self.carried: dict[str, Any] = {}
        """Put into every checkpoint: scaler, features, hashes."""

    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Names of `Validation.shown`, in the order of the file."""

    def setup(self, stage: str) -> None:
        """Settles the threads of each of several processes."""
        del stage
        if self.trainer.world_size > 1:
            settle(self.threads)

    def configure_optimizers(self) -> Any:
        """AdamW with a learning rate that is a function of the step alone."""
        steps = self.settings.epochs * self.steps_an_epoch
        fused = self.trainer.precision == "32-true"  # in mixed precision Lightning refuses to clip for a fused one
        chosen = optimizer(self.network, self.settings, fused=fused)
        schedule = torch.optim.lr_scheduler.LambdaLR(chosen, lambda step: rate(step, steps, self.settings.warmup))
        return {"optimizer": chosen, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def seeded_step(self) -> tuple[int, int]:
        """Epoch and step that are due; torch's random numbers are set to theirs."""
        epoch, step = divmod(self.trainer.global_step, self.steps_an_epoch)
        self._reseed(torch_seed(self.settings.seed, Draw.NETWORK, epoch, step, self.trainer.global_rank))
        return epoch, step

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

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds what is needed to use the weights elsewhere."""
        checkpoint["orbwatch"] = checkpoint.get("orbwatch", {}) | self.carried
