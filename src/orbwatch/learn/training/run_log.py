"""What is written down while a network trains: metrics.csv, TensorBoard events, the loss curve, progress."""

from __future__ import annotations

import csv
import math
import time
from io import StringIO
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from typing_extensions import override

from orbwatch.catalog.written import write_atomically
from orbwatch.learn.training.learner import Learner
from orbwatch.learn.training.loss_curve import loss_page
from orbwatch.learn.training.metrics_file import FIXED, LOSSES, METRICS, Rows, curve, read_metrics
from orbwatch.learn.training.prefetch import Clock
from orbwatch.progress import Progress

CURVE, BOARD = "loss.html", "tensorboard"
EVERY_STEPS = 50
"""Steps from one row of the training loss to the next."""
SAY_EVERY_S, WRITE_EVERY_S = 0.5, 10.0


class RunLog(Callback):
    """Follows the training at next to no cost: the loss is read from the device every `EVERY_STEPS` steps only.

    Rows after the step that a continued run starts from are dropped: they are written anew.

    Args:
        folder: of the run.
        batch: windows in a step, of all processes together.
        clock: where the data module counts its time.
        progress: told how it goes, in the first process.
    """

    def __init__(self, folder: Path, batch: int, clock: Clock, progress: Progress | None) -> None:
        self.folder, self.batch, self.clock, self.progress = folder, batch, clock, progress
        self.training_s = 0.0
        self.trained = 0
        self._board: Any = None
        self._rows: Rows = []
        self._columns: tuple[str, ...] = ()
        self._sum: Any = 0.0
        self._count = 0
        self._since = self._said = self._row_at = self._written = 0.0

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Opens the logs at the step where training starts; a checkpoint has been read by now."""
        assert isinstance(pl_module, Learner)
        self._columns = (*FIXED, *pl_module.columns())
        self._restart_clock()
        if not trainer.is_global_zero:
            return
        from torch.utils.tensorboard import SummaryWriter

        step = trainer.global_step
        self._rows = [row for row in read_metrics(self.folder / METRICS) if int(row["step"]) <= step]
        self._board = SummaryWriter(str(self.folder / BOARD), purge_step=step + 1)

    @override
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Starts the clock."""
        self._restart_clock()

    @override
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Sums the loss; now and then a row and a word."""
        self._sum = self._sum + outputs["loss"].detach()
        self._count += 1
        self.trained += self.batch
        now = time.perf_counter()
        self.training_s += now - self._since
        self._since = now
        if not trainer.is_global_zero:
            return
        step = trainer.global_step
        if step % EVERY_STEPS == 0 or trainer.is_last_batch:
            self._train_row(trainer, pl_module, now)
        if self.progress is not None and now - self._said >= SAY_EVERY_S:
            self._said = now
            self._say(trainer, step)

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The epoch's row, the files, the curve."""
        assert isinstance(pl_module, Learner)
        found = pl_module.validation
        if not trainer.is_global_zero or found is None:
            return
        self._add(trainer, pl_module, {"val_loss": found.loss} | found.shown)
        self._write()
        spent = max(1e-9, self.training_s)
        pl_module.carried["speed"] = {
            "windows_per_s": self.windows_per_s(),
            "waited_share": min(1.0, self.clock.waited_s / spent),
            "prepared_share": min(1.0, self.clock.made_s / spent),
        }
        if self.progress is not None:
            self._say(trainer, trainer.global_step)

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Closes the logs."""
        self._close()

    @override
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Closes the logs."""
        self._close()

    def windows_per_s(self) -> float:
        """Windows trained in a second, waiting for data counted, validation not."""
        return self.trained / self.training_s if self.training_s > 0.0 else 0.0

    def _close(self) -> None:
        if self._board is not None:
            self._write()
            self._board.close()
            self._board = None

    def _restart_clock(self) -> None:
        self._since = self._row_at = time.perf_counter()

    def _train_row(self, trainer: Trainer, module: LightningModule, now: float) -> None:
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        speed = self._count * self.batch / max(1e-9, now - self._row_at)
        row = {"train_loss": float(self._sum) / self._count, "learning_rate": rate, "windows_per_s": speed}
        self._sum, self._count, self._row_at = 0.0, 0, now
        self._add(trainer, module, row)
        if now - self._written >= WRITE_EVERY_S:
            self._write()

    def _add(self, trainer: Trainer, module: LightningModule, values: dict[str, float]) -> None:
        assert isinstance(module, Learner)
        step = trainer.global_step
        place = {"step": str(step), "epoch": f"{step / module.steps_an_epoch:.4f}"}
        self._rows.append(place | {name: f"{value:.8g}" for name, value in values.items()})
        for name, value in values.items():
            self._board.add_scalar(name, value, step)

    def _write(self) -> None:
        self._written = time.perf_counter()
        text = StringIO()
        table = csv.DictWriter(text, self._columns, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(self._rows)
        write_atomically(self.folder / METRICS, text.getvalue().encode())
        training, validation = (curve(self._rows, LOSSES[name]) for name in ("training", "validation"))
        best = min(validation, key=lambda point: point[1], default=(0.0, math.nan))
        page = loss_page(training, validation, round(best[0]), f"{self.windows_per_s():,.0f} windows/s in training")
        write_atomically(self.folder / CURVE, page.encode())
        self._board.flush()

    def _say(self, trainer: Trainer, step: int) -> None:
        assert self.progress is not None
        assert trainer.max_epochs is not None
        steps = int(trainer.num_training_batches)
        total = steps * trainer.max_epochs
        loss = next((row["train_loss"] for row in reversed(self._rows) if row.get("train_loss")), "")
        speed = self.windows_per_s()
        left = (total - step) * self.batch / speed / 60.0 if speed > 0.0 else math.nan
        words = [f"epoch {min(trainer.max_epochs, step // steps + 1)}/{trainer.max_epochs}"]
        if loss:
            words.append(f"loss {float(loss):.4g}")
        self.progress(", ".join([*words, f"{speed:,.0f} windows/s", f"{left:,.1f} min left"]), step / total)
