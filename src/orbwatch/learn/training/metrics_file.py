"""metrics.csv of a training run: its columns, and reading it back."""

from __future__ import annotations

import csv
from pathlib import Path

from orbwatch.learn.samples.windows import REGIMES

METRICS = "metrics.csv"
GROUPS = ("all", *REGIMES)
COLUMNS = (
    *("step", "epoch", "train_loss", "learning_rate", "windows_per_s", "val_loss"),
    *(f"{who}_30min_km_{group}" for group in GROUPS for who in ("model", "least_squares")),
)
LOSSES = {"training": "train_loss", "validation": "val_loss"}
"""Columns of the two curves."""

Rows = list[dict[str, str]]


def read_metrics(path: Path) -> Rows:
    """Rows of a metrics.csv; none when there is none yet."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def curve(rows: Rows, column: str) -> list[tuple[float, float]]:
    """Points (epoch, value) of the rows that have one."""
    return [(float(row["epoch"]), float(row[column])) for row in rows if row.get(column)]
