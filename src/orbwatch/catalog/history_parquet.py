"""Histories in Parquet: integers that hold a TLE's digits exactly, plain numbers where a set has more digits."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from orbwatch.catalog.gp import NO_TIME, GpTable
from orbwatch.catalog.history_whole import check_whole, seal
from orbwatch.catalog.quality import ANGLES, check_writable, wrap_circle
from orbwatch.errors import InputError

SCALED = {
    "ndot_e8": ("mean_motion_dot_rev_day2", 1e8),
    "inc_e4": ("inclination_deg", 1e4),
    "raan_e4": ("raan_deg", 1e4),
    "ecc_e7": ("eccentricity", 1e7),
    "argp_e4": ("arg_perigee_deg", 1e4),
    "ma_e4": ("mean_anomaly_deg", 1e4),
    "n_e8": ("mean_motion_rev_day", 1e8),
}
"""Integer column -> column of `GpTable`, times this."""
POWERS = {"nddot": "mean_motion_ddot_rev_day3", "bstar": "bstar_per_er"}
"""Pair of columns (_m, _x) -> column of `GpTable` = m x 1e-5 x 10^x."""
COUNTERS = {"elset": "element_set_no", "rev": "rev_at_epoch", "ephemeris_type": "ephemeris_type"}
TEXTS = ("name", "object_id", "classification")
ROWS_A_GROUP = 100_000  # sets are ordered by object, so a filter on ids skips most groups unread


def read_parquet(
    path: Path, ids: Collection[int] | None = None, start_us: int | None = None, end_us: int | None = None
) -> GpTable:
    """The sets of a Parquet file with start_us <= epoch < end_us of the objects `ids`, in file order, not yet checked.

    Only what passes the filters is unpacked. Raises InputError for a damaged file or one without the columns.
    """
    check_whole(path)
    try:
        frame = pl.scan_parquet(path, glob=False)
        if ids is not None:
            frame = frame.filter(pl.col("norad").is_in(sorted(ids)))
        if start_us is not None:
            frame = frame.filter(pl.col("epoch_us") >= start_us)
        if end_us is not None:
            frame = frame.filter(pl.col("epoch_us") < end_us)
        return _table(frame.collect(), str(path))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).split("\n", 1)[0][:200]
        raise InputError(
            f"cannot read this history: {reason}", file=path, hint="Expected Parquet of GP sets"
        ) from error


def _table(frame: pl.DataFrame, source: str) -> GpTable:
    """Columns are taken out of the frame one by one, so that memory holds each only once or twice."""
    columns: dict[str, Any] = {"norad_id": _whole(frame, "norad"), "epoch_us": _whole(frame, "epoch_us")}
    for key, (name, scale) in SCALED.items():
        columns[name] = _real(frame, name) if name in frame.columns else _whole(frame, key) / scale
        if name in ANGLES:
            wrap_circle(columns[name])
    for key, name in POWERS.items():
        columns[name] = _real(frame, name) if name in frame.columns else _power(frame, key)
    for key, name in COUNTERS.items():
        if key in frame.columns:
            columns[name] = _whole(frame, key)
    for name in TEXTS:
        if name in frame.columns:
            columns[name] = frame.drop_in_place(name).cast(pl.String).fill_null("").to_numpy()
    if "seen_us" in frame.columns:
        columns["seen_us"] = _whole(frame, "seen_us", NO_TIME)
    elif "seen_s" in frame.columns:
        seconds = _whole(frame, "seen_s", NO_TIME)
        known = (seconds > -(2**40)) & (seconds < 2**40)
        columns["seen_us"] = np.where(known, np.where(known, seconds, 0) * 1_000_000, NO_TIME)
    return GpTable.from_columns(columns, source)


def _whole(frame: pl.DataFrame, key: str, missing: int = -1) -> Int[np.ndarray, " n"]:
    return frame.drop_in_place(key).cast(pl.Int64).fill_null(missing).to_numpy()


def _real(frame: pl.DataFrame, key: str) -> Float[np.ndarray, " n"]:
    return frame.drop_in_place(key).cast(pl.Float64).fill_null(np.nan).to_numpy(writable=True)


def _power(frame: pl.DataFrame, key: str) -> Float[np.ndarray, " n"]:
    """m x 10^(x - 5), as the decimal would be rounded: whole numbers divided or multiplied by exact powers of ten."""
    mantissa = _whole(frame, f"{key}_m")
    power = np.clip(_whole(frame, f"{key}_x"), -15, 20) - 5
    value = mantissa / 10.0 ** np.maximum(-power, 0)
    large = power > 0
    value[large] = mantissa[large] * 10.0 ** power[large]
    return np.asarray(value)


def write_parquet(table: GpTable, path: Path) -> None:
    """Writes the sets, ordered by object and epoch; columns that the integers cannot hold exactly as plain numbers.

    Raises InputError for values out of range.
    """
    check_writable(table)
    ordered = table[np.lexsort((table.epoch_us, table.norad_id))]
    columns: dict[str, Any] = {"norad": ordered.norad_id.astype(np.int32), "epoch_us": ordered.epoch_us}
    for key, (name, scale) in SCALED.items():
        values = getattr(ordered, name)
        whole = np.rint(values * scale)
        exact = bool((np.abs(whole) < 2**53).all()) and np.array_equal(whole / scale, values)
        columns[key if exact else name] = whole.astype(np.int64) if exact else values
    for key, name in POWERS.items():
        values = getattr(ordered, name)
        mantissa, power = _mantissa_and_power(values)
        both = pl.DataFrame({f"{key}_m": mantissa, f"{key}_x": power})
        exact = np.array_equal(_power(both, key), values)
        columns |= (
            {f"{key}_m": mantissa.astype(np.int32), f"{key}_x": power.astype(np.int8)} if exact else {name: values}
        )
    columns |= {key: getattr(ordered, name) for key, name in COUNTERS.items()}
    columns |= {name: pl.Series(getattr(ordered, name).tolist(), dtype=pl.String) for name in TEXTS}
    seconds, rest = np.divmod(ordered.seen_us, 1_000_000)
    unknown = ordered.seen_us == NO_TIME
    by_second = bool((rest[~unknown] == 0).all())
    seen = pl.Series(seconds if by_second else ordered.seen_us).set(pl.Series(unknown), None)
    columns["seen_s" if by_second else "seen_us"] = seen
    pl.DataFrame(columns).write_parquet(path, row_group_size=ROWS_A_GROUP, statistics=True)
    seal(path)


def _mantissa_and_power(values: Float[np.ndarray, " n"]) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Five digits and the power of ten of numbers, as a TLE has them; 0, 0 for zero."""
    size = np.abs(values)
    power = np.floor(np.log10(np.where(size > 0, size, 0.1))).astype(np.int64) + 1
    power = np.clip(power, -9, 9)
    mantissa = np.rint(values * 10.0 ** (5 - power))
    fits = np.abs(mantissa) < 2**31
    return np.where(fits, mantissa, 0).astype(np.int64), np.where(size > 0, power, 0)
