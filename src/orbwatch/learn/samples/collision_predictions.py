"""Predicted approaches as they come in a table: the same event again and again, until it happens.

Columns: norad1, norad2; tca and generated (UTC: when they will be nearest, when that was predicted); rx, ry, rz (km),
vx, vy, vz (km/s), object 1 minus object 2 at tca in the radial, in-track and cross-track axes of one of them (which one
is seen from vy: see `collision_plane`); alt_km; optional: range_km, horizon_days (length of the screening run). Parquet
or CSV.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from orbwatch.errors import InputError

IDS, TIMES = ("norad1", "norad2"), ("tca", "generated")
NUMBERS = ("rx", "ry", "rz", "vx", "vy", "vz", "alt_km")
SAME_EVENT_US = 300_000_000
"""Predictions of a pair whose TCA lie no further apart are of one event."""
_FARTHEST_KM, _FASTEST_KM_S = 1e5, 50.0
_RANGE_TOLERANCE_KM, _RANGE_WRONG = (
    0.05,
    0.05,
)  # found by other means than the state, it differs in some rows of good files
_MOST_YEARS_APART_US = 400 * 86_400 * 1_000_000


@dataclass(frozen=True, eq=False)
class Predictions:
    """n predictions, ordered by event, by when they were made, then by TCA; one an event and instant of making.

    Of two approaches of one event in one prediction (slow encounters) the earlier one is kept.
    """

    event: Int[np.ndarray, " n"]
    """0, 1, ...: pair by pair, in the order of time."""
    norad: Int[np.ndarray, "n 2"]
    """As given: object 1, object 2."""
    tca_us: Int[np.ndarray, " n"]
    generated_us: Int[np.ndarray, " n"]
    r_km: Float[np.ndarray, "n 3"]
    v_km_s: Float[np.ndarray, "n 3"]
    alt_km: Float[np.ndarray, " n"]
    horizon_day: Int[np.ndarray, " n"]
    """Length of the screening run that made it; 0 where it is not said."""

    def __len__(self) -> int:
        return len(self.event)

    @property
    def lead_day(self) -> Float[np.ndarray, " n"]:
        """From the making of a prediction to its TCA; negative after the fact."""
        return np.asarray((self.tca_us - self.generated_us) / 86_400e6)

    @property
    def pair(self) -> Int[np.ndarray, "n 2"]:
        """The two numbers, the smaller one first."""
        return np.sort(self.norad, axis=1)


def read_predictions(path: Path, at_lead_day: float = -np.inf) -> Predictions:
    """Predictions of a Parquet or CSV file, those made less than `at_lead_day` before their TCA left out unread.

    Raises InputError naming the file, and the row and column of the first value that cannot be.
    """
    return group_events(checked(_frame(path), path), at_lead_day)


def _frame(path: Path) -> pl.DataFrame:
    try:
        if path.suffix.lower() in (".csv", ".txt"):
            return pl.read_csv(path, try_parse_dates=True, infer_schema_length=10_000)
        return pl.read_parquet(path, glob=False)
    except FileNotFoundError as error:
        raise InputError("no such file", file=path) from error
    except (OSError, pl.exceptions.PolarsError) as error:
        first = str(error).splitlines()[0]
        raise InputError(f"cannot be read: {first}", file=path, legal="Parquet, or CSV by its name") from error


def checked(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    """The columns that are needed, in plain types. Raises InputError for what is missing, no number, or unphysical."""
    missing = [name for name in (*IDS, *TIMES, *NUMBERS) if name not in frame.columns]
    if missing:
        raise InputError(
            "columns are missing", file=path, field=", ".join(missing), legal=", ".join((*IDS, *TIMES, *NUMBERS))
        )
    if not len(frame):
        raise InputError("no prediction in it", file=path)
    columns: dict[str, Any] = {}
    for name in IDS:
        columns[name] = _cast(frame, name, pl.Int64, path)
        _refuse(columns[name] < 1, columns[name], name, "a catalogue number, 1 or more", path)
    for name in TIMES:
        columns[name] = _time(frame, name, path)
    for name in NUMBERS:
        columns[name] = _cast(frame, name, pl.Float64, path)
        _refuse(~np.isfinite(columns[name]), columns[name], name, "a finite number", path)
    for names, most, unit in ((NUMBERS[:3], _FARTHEST_KM, "km"), (NUMBERS[3:6], _FASTEST_KM_S, "km/s")):
        for name in names:
            _refuse(np.abs(columns[name]) > most, columns[name], name, f"within +-{most:g} {unit}", path)
    _refuse((columns["alt_km"] < 0.0) | (columns["alt_km"] > 1e6), columns["alt_km"], "alt_km", "0 .. 1e6 km", path)
    apart = np.abs(columns["tca"] - columns["generated"]) > _MOST_YEARS_APART_US
    _refuse(apart, columns["generated"], "generated", "within 400 days of tca", path)
    if "range_km" in frame.columns:
        range_km = _cast(frame, "range_km", pl.Float64, path)
        size = np.sqrt(sum(columns[name] ** 2 for name in NUMBERS[:3]))
        wrong = ~(np.abs(range_km - size) <= _RANGE_TOLERANCE_KM + 0.01 * size)
        _refuse(wrong & (wrong.mean() > _RANGE_WRONG), range_km, "range_km", "the length of rx, ry, rz", path)
    has = "horizon_days" in frame.columns
    columns["horizon_days"] = _cast(frame, "horizon_days", pl.Int64, path) if has else np.zeros(len(frame), np.int64)
    return pl.DataFrame(columns)


def group_events(frame: pl.DataFrame, at_lead_day: float = -np.inf) -> Predictions:
    """What `checked` gave as events; only rows at least so long before their TCA."""
    frame = frame.filter((pl.col("tca") - pl.col("generated")) / 86_400e6 >= at_lead_day)
    pair = np.sort(frame.select(IDS).to_numpy(), axis=1)
    order = np.lexsort((frame["generated"], frame["tca"], pair[:, 1], pair[:, 0]))
    frame, pair = frame[order], pair[order]
    tca = frame["tca"].to_numpy()
    first = np.ones(len(tca), np.bool_)
    first[1:] = (np.diff(pair, axis=0) != 0).any(axis=1) | (np.diff(tca) > SAME_EVENT_US)
    event = np.cumsum(first) - 1
    generated = frame["generated"].to_numpy()
    order = np.lexsort((tca, generated, event))
    kept = np.ones(len(order), np.bool_)
    kept[1:] = (np.diff(event[order]) != 0) | (np.diff(generated[order]) != 0)
    rows = order[kept]
    taken = frame[rows]
    return Predictions(
        event=event[rows],
        norad=taken.select(IDS).to_numpy(),
        tca_us=tca[rows],
        generated_us=generated[rows],
        r_km=taken.select(NUMBERS[:3]).to_numpy(),
        v_km_s=taken.select(NUMBERS[3:6]).to_numpy(),
        alt_km=taken["alt_km"].to_numpy(),
        horizon_day=taken["horizon_days"].to_numpy(),
    )


def _cast(frame: pl.DataFrame, name: str, kind: Any, path: Path) -> Any:
    column = frame[name]
    cast = column.cast(kind, strict=False)
    if cast.null_count():
        row = int(cast.is_null().arg_max() or 0)
        raise InputError(
            "not a number", file=path, line=row + 1, field=name, value=column[row], hint="Lines count rows"
        )
    return cast.to_numpy()


def _time(frame: pl.DataFrame, name: str, path: Path) -> Any:
    column = frame[name]
    if column.dtype == pl.String:
        try:
            column = column.str.strip_suffix("Z").str.to_datetime(time_unit="us", strict=False)
        except pl.exceptions.ComputeError:  # not one of them is a time
            raise InputError("not a time", file=path, line=1, field=name, value=column[0], legal="ISO 8601") from None
    if not isinstance(column.dtype, pl.Datetime):
        raise InputError("not a column of times", file=path, field=name, legal="UTC timestamps, or ISO 8601 text")
    if column.null_count():
        row = int(column.is_null().arg_max() or 0)
        raise InputError("not a time", file=path, line=row + 1, field=name, value=frame[name][row])
    if column.dtype.time_zone is not None:
        column = column.dt.convert_time_zone("UTC")
    return column.dt.epoch("us").to_numpy()


def _refuse(bad: Any, values: Any, name: str, legal: str, path: Path) -> None:
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError("a value that cannot be", file=path, line=row + 1, field=name, value=values[row], legal=legal)
