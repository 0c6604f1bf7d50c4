"""How far a forecast is from the truth, in km and km/s, by regime and horizon.

An error is a distance: the length of the position (or velocity) difference vector. So MSE is the mean squared distance,
RMSE its root, MAE the mean distance; no axis is averaged away and nothing is standardised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

Columns = dict[str, list[Any]]
"""A table: column name -> cells, all of one length."""

MEASURES = ("mse", "rmse", "mae", "median", "p95")
"""mse in km^2 or km^2/s^2, the others in km or km/s."""

ALL = "all"
"""Name of the row that takes all regimes together."""


@dataclass(frozen=True, eq=False)
class Errors:
    """Distances from the truth; NaN where there was no forecast."""

    position_km: Float[np.ndarray, "n h"]
    velocity_km_s: Float[np.ndarray, "n h"]

    def of(self, quantity: str) -> Float[np.ndarray, "n h"]:
        """The errors of "position" (km) or "velocity" (km/s)."""
        return self.position_km if quantity == "position" else self.velocity_km_s


def errors(rv_km: Float[np.ndarray, "n h 6"], truth_rv_km: Float[np.ndarray, "n h 6"]) -> Errors:
    """Distances between forecast and true states (km, km/s), both in the same inertial frame."""
    difference = rv_km - truth_rv_km
    return Errors(np.linalg.norm(difference[..., :3], axis=-1), np.linalg.norm(difference[..., 3:], axis=-1))


def measures(error: Float[np.ndarray, "n h"]) -> dict[str, Float[np.ndarray, " h"]]:
    """Every one of `MEASURES` for each horizon, over the rows that have a forecast; NaN where none has."""
    out = {name: np.full(error.shape[1], np.nan) for name in MEASURES}
    for column, values in enumerate(error.T):
        finite = values[np.isfinite(values)]
        if not len(finite):
            continue
        mse = float(np.mean(finite**2))
        median, p95 = np.quantile(finite, (0.5, 0.95))
        row = (mse, mse**0.5, float(np.mean(finite)), float(median), float(p95))
        for name, value in zip(MEASURES, row, strict=True):
            out[name][column] = value
    return out


def regimes_of(regime: Int[np.ndarray, " n"], names: Sequence[str]) -> list[tuple[str, Bool[np.ndarray, " n"]]]:
    """(name, rows) of every regime that occurs, then of all of them together."""
    present = [(name, regime == code) for code, name in enumerate(names) if np.any(regime == code)]
    return [*present, (ALL, np.ones(len(regime), bool))]


def error_table(
    forecasts: Mapping[str, Errors],
    regime: Int[np.ndarray, " n"],
    object_id: Int[np.ndarray, " n"],
    horizon_s: Float[np.ndarray, " h"],
    regime_names: Sequence[str],
) -> Columns:
    """One row for each quantity, forecaster, regime and horizon: `MEASURES`, and how many windows and objects had none.

    Columns: quantity, forecaster, regime, horizon_min, windows, objects, failed, then `MEASURES`. `failed` counts the
    windows without a forecast, which no measure includes.
    """
    rows: list[tuple[Any, ...]] = []
    for quantity in ("position", "velocity"):
        for name, error in forecasts.items():
            for label, mask in regimes_of(regime, regime_names):
                values = error.of(quantity)[mask]
                measured = measures(values)
                objects = len(np.unique(object_id[mask]))
                failed = np.sum(~np.isfinite(values), axis=0)
                for column, seconds in enumerate(horizon_s):
                    head = (quantity, name, label, float(seconds) / 60.0, len(values), objects, int(failed[column]))
                    rows.append((*head, *(float(measured[measure][column]) for measure in MEASURES)))
    names = ("quantity", "forecaster", "regime", "horizon_min", "windows", "objects", "failed", *MEASURES)
    return columns(names, rows)


def columns(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Columns:
    """Rows as a table of columns."""
    listed = list(rows)
    return {name: [row[index] for row in listed] for index, name in enumerate(names)}


def rows_of(table: Columns, **where: Any) -> list[dict[str, Any]]:
    """The rows of a table whose cells equal `where`, each as a mapping."""
    matching = list(range(height(table)))
    for name, value in where.items():
        cells = table[name]
        matching = [i for i in matching if cells[i] == value]
    return [{name: cells[i] for name, cells in table.items()} for i in matching]


def height(table: Columns) -> int:
    """Number of rows."""
    return len(next(iter(table.values()), []))


def stacked(tables: Mapping[str, Columns], column: str) -> Columns:
    """Tables of the same columns one under the other, with the name of each in a new first column."""
    names = list(next(iter(tables.values()), {}))
    labels = [label for label, table in tables.items() for _ in range(height(table))]
    return {column: labels} | {name: [cell for table in tables.values() for cell in table[name]] for name in names}
