"""Checkpoints: written whole or not at all, now and then in an epoch and at its end; `models.checkpoint` reads them.

A run's folder holds last.ckpt, from which the run goes on, and best.ckpt, that of the lowest validation loss. Both are
Lightning checkpoints; under "orbwatch" they carry what the weights mean: settings, scaler, features, hashes, results.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from typing_extensions import override

from orbwatch.learn.training.failures import Interrupted
from orbwatch.learn.training.learner import Learner
from orbwatch.learn.training.run_folder import BEST, LAST


class Checkpoints(Checkpoint):
    """Writes last.ckpt and best.ckpt, and answers the first Ctrl-C with a checkpoint before it stops.

    Args:
        folder: of the run.
        every_steps: from one checkpoint in mid-epoch to the next.
    """

    def __init__(self, folder: Path, every_steps: int) -> None:
        self.folder, self.every_steps = folder, every_steps
        self.best_loss, self.best_epoch = float("inf"), -1
        self._asked_to_stop = False
        self._before: Any = None

    @override
    def state_dict(self) -> dict[str, Any]:
        """What goes into the checkpoint."""
        return {"best_loss": self.best_loss, "best_epoch": self.best_epoch}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up the best so far."""
        self.best_loss, self.best_epoch = state_dict["best_loss"], state_dict["best_epoch"]

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """From here on the first Ctrl-C is answered between two steps, the second at once."""
        if threading.current_thread() is threading.main_thread() and trainer.world_size == 1:
            self._before = signal.signal(signal.SIGINT, self._stop_soon)

    @override
    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Gives Ctrl-C back."""
        self._give_back()

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Gives Ctrl-C back."""
        self._give_back()

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """A checkpoint every so many steps; not after an epoch's last, as validation and the epoch's end follow."""
        if trainer.is_last_batch:
            return
        if self._asked_to_stop or trainer.global_step % self.every_steps == 0:
            self._save(trainer, best=False)
            self._stop_if_asked()

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The epoch's checkpoint, the best too if it is that. Lightning calls this after early stopping has judged."""
        assert isinstance(pl_module, Learner)
        assert pl_module.validation is not None
        better = pl_module.validation.loss < self.best_loss
        if better:
            self.best_loss, self.best_epoch = pl_module.validation.loss, trainer.current_epoch
        pl_module.carried["result"] = {
            "epochs": trainer.current_epoch + 1,
            "steps": trainer.global_step,
            "best_loss": self.best_loss,
            "best_epoch": self.best_epoch + 1,
            "stopped_early": bool(trainer.should_stop),
        } | pl_module.validation.result
        self._save(trainer, best=better)
        self._stop_if_asked()

    def _save(self, trainer: Trainer, *, best: bool) -> None:
        new = self.folder / f".{LAST}.tmp"
        trainer.save_checkpoint(new)
        if not trainer.is_global_zero:
            return
        _sync(new)
        if best:  # first, so that a kill between the two only means that this epoch's end is done again
            copy = self.folder / f".{BEST}.tmp"
            shutil.copyfile(new, copy)
            _sync(copy)
            copy.replace(self.folder / BEST)
        new.replace(self.folder / LAST)

    def _give_back(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def _stop_soon(self, *_: object) -> None:
        self._asked_to_stop = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def _stop_if_asked(self) -> None:
        if self._asked_to_stop:
            raise Interrupted


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
