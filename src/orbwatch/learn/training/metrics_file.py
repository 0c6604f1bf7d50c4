"""metrics.csv of a training run: its columns, and reading it back."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

METRICS = "metrics.csv"
LOSSES = {"training": "train_loss", "validation": "val_loss"}
"""Columns of the two curves."""
FIXED = ("step", "epoch", "train_loss", "learning_rate", "windows_per_s", "val_loss")
"""Columns of every run."""

Rows = list[dict[str, str]]


class Shown(NamedTuple):
    """The horizon whose errors are shown while a network trains, and the physics beside them."""

    node: int
    """Its place among the horizons."""
    horizon: str
    physics: str

    def names(self, regime: str) -> tuple[str, str]:
        """Columns of the median errors of model and physics."""
        place = "".join(c if c.isalnum() else "_" for c in regime)
        return f"model_{self.horizon}_km_{place}", f"{self.physics}_{self.horizon}_km_{place}"

    def columns(self, regimes: Sequence[str]) -> tuple[str, ...]:
        """Columns of all regimes."""
        return tuple(name for regime in ("all", *regimes) for name in self.names(regime))


def read_metrics(path: Path) -> Rows:
    """Rows of a metrics.csv; none when there is none yet."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def curve(rows: Rows, column: str) -> list[tuple[float, float]]:
    """Points (epoch, value) of the rows that have one."""
    return [(float(row["epoch"]), float(row[column])) for row in rows if row.get(column)]
