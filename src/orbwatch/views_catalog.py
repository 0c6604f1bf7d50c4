"""What forecasts of the catalogue do and say."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from jaxtyping import Float

from orbwatch.errors import InputError
from orbwatch.report.tabular import Format, emit

_THREADS = 2
_ROWS_SHOWN = 60


@dataclass(frozen=True)
class Asked:
    """What is asked for."""

    at: str | None
    """UTC instant; None: now."""
    days: Float[np.ndarray, " h"]
    ids_file: Path | None
    ids: tuple[int, ...]


def forecast_history(
    history: Path, asked: Asked, model: str, calibration: Path | None, output: Path | None, form: Format
) -> int:
    """Forecast objects of a history; 1 when none could be."""
    from orbwatch.catalog.history import read_history
    from orbwatch.catalog.ids import read_ids
    from orbwatch.catalog.written import write_atomically
    from orbwatch.models.catalog_adaptation import adapted
    from orbwatch.models.catalog_forecast import forecast_catalog
    from orbwatch.time import parse_utc

    at_us = time.time_ns() // 1000 if asked.at is None else parse_utc(asked.at)
    wanted = ([] if asked.ids_file is None else read_ids(asked.ids_file)) + list(asked.ids)
    read = read_history(history, wanted or None, end_us=at_us + 1, public_by_us=at_us)
    ids = np.array(sorted(set(wanted)), np.int64) if wanted else read.ids()
    made = forecast_catalog(read.table, ids, at_us, asked.days, model, _THREADS)
    made = made if calibration is None else adapted(made, calibration, model)
    columns = made.columns()
    if output is not None:
        rows = io.BytesIO()
        emit(columns, form, rows)
        write_atomically(output, rows.getvalue())
        click.echo(f"{output}: {len(ids):,} objects at {len(asked.days)} times", err=True)
    elif form == "table":
        emit(_short(columns), form, title=_title(made.model), limit=_ROWS_SHOWN, numbers=_NUMBERS)
    else:
        emit(columns, form)
    return 0 if np.isfinite(made.rv_teme_km).any() else 1


def check_days(text: str) -> Float[np.ndarray, " h"]:
    """Forecast times from the command line: days, separated by commas, ascending."""
    try:
        days = np.array([float(part) for part in text.split(",")])
    except ValueError:
        days = np.empty(0)
    if not len(days) or not np.isfinite(days).all() or not (np.diff(days) > 0.0).all() or days[0] <= 0.0:
        raise InputError(
            "not forecast times",
            file="command line",
            field="--horizons-day",
            value=text,
            legal="ascending days above 0 and up to 7.5, separated by commas",
        )
    return days


_NUMBERS = dict.fromkeys(("radial_km_90", "along_km_90", "normal_km_90"), ".3f")


def _title(model: str) -> str:
    return f"Forecasts by {model}: half axes of the 90 % ellipsoid, km"


def _short(columns: dict[str, Any]) -> dict[str, Any]:
    """What a terminal shows: no states, the ellipsoid in words of kilometres."""
    k90 = np.asarray(columns["k90"], np.float64)
    half = {
        name: np.where(np.isfinite(k90), k90, np.nan) * np.sqrt(np.asarray(columns[f"cov_{axis}_km2"]))
        for name, axis in (("radial_km_90", "rr"), ("along_km_90", "tt"), ("normal_km_90", "nn"))
    }
    return {
        "norad_id": columns["norad_id"], "t_utc": columns["t_utc"], "newest_epoch_utc": columns["newest_epoch_utc"],
        **half, "regime": columns["regime"], "status": columns["status"],
    }  # fmt: skip
