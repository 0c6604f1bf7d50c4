"""A standing file of forecasts at fixed times, of which a refresh makes anew only what has changed.

The times are whole six hours of UTC, the same whoever asks when, so that rows of different askings stand side by side.
A forecast is kept as it was, with the covariance and time of its own asking, while nothing new is known of its object
and it still reaches as far as is wanted. Kept regions hold what they say; they were made for any later fate of the
object, being seen again or not. They do not widen because no new set has come: whoever wants that asks all anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.learn.samples.catalog_asks import public_us
from orbwatch.learn.samples.catalog_windows import NODES_DAY
from orbwatch.models.card import read_card
from orbwatch.models.catalog_forecast import CatalogForecasts, forecast_catalog
from orbwatch.models.registry import find_model
from orbwatch.time import format_utc

STEP_US = 6 * 3600 * 1_000_000
REACH_DAY = float(NODES_DAY[-1])


@dataclass(frozen=True, eq=False)
class Refreshed:
    """A standing file and what was done for it."""

    frame: pl.DataFrame
    """Rows as those of `CatalogForecasts.columns`, ordered by object and time; null where a number is not finite."""
    asked: int
    """Objects asked about now."""
    kept: int
    """Objects whose earlier forecast was kept."""


def standing_days(asked_us: int) -> Float[np.ndarray, " h"]:
    """Days from an asking (UTC microseconds since 1970) to the whole six hours of UTC after it, up to 7.5 days."""
    first = asked_us // STEP_US + 1
    at_us = np.arange(first, (asked_us + int(REACH_DAY * DAY_US)) // STEP_US + 1) * STEP_US
    return np.asarray((at_us - asked_us) / DAY_US)


def refresh(
    table: GpTable,
    norad_id: Int[np.ndarray, " n"],
    asked_us: int,
    model: str,
    earlier: pl.DataFrame | None,
    reach_day: float = 7.0,
    threads: int = 1,
) -> Refreshed:
    """Forecasts at the standing times after the asking, of which those of unchanged objects are the earlier ones.

    table: a history of what is public, ordered by (norad_id, epoch_us). earlier: what an earlier call gave
    (`read_standing`), None at first. Asked again is an object of which a set has become public since its forecast was
    asked, one whose newest set is another, one whose forecast no longer reaches `reach_day` days ahead, and one that
    another model forecast. Objects that are not in `norad_id` are left out. Raises InputError as `forecast_catalog`
    does, and for an asking before that of an earlier forecast.
    """
    method = read_card(find_model(model)).name
    kept = None if earlier is None else _kept(table, norad_id, asked_us, method, earlier, reach_day)
    done = np.empty(0, np.int64) if kept is None else kept["norad_id"].unique().to_numpy()
    again = np.setdiff1d(norad_id, done)
    made = forecast_catalog(table, again, asked_us, standing_days(asked_us), model, threads)
    frame = _framed(made.columns())
    if kept is not None and len(kept):
        # Both parts are ordered by time within an object, and no object is in both.
        parts = [frame, kept.select(frame.columns)] if len(frame) else [kept]
        frame = pl.concat(parts).sort("norad_id", maintain_order=True)
    return Refreshed(frame, len(again), len(done))


def read_standing(path: Path) -> pl.DataFrame:
    """The rows of a file that `refresh` gave. Raises InputError where it is no such file."""
    try:
        frame = pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).split("\n", 1)[0][:200]
        raise InputError(f"not a standing file of forecasts: {reason}", file=path) from error
    expected = _kinds()
    if different := [name for name, kind in expected.items() if frame.schema.get(name) != kind]:
        hint = "Give the file of an earlier --refresh, or a new name"
        raise InputError("not a standing file of forecasts", file=path, field=different[0], hint=hint)
    return frame.select(list(expected))


def _kinds() -> dict[str, Any]:
    """What a standing file has in its columns."""
    none = CatalogForecasts(
        np.zeros(1, np.int64), 0, np.ones(1), np.zeros(1, np.int64), np.zeros((1, 1, 6)), np.zeros((1, 1, 3, 3)),
        np.zeros((1, 1, 3)), np.zeros((1, 1)), np.zeros(1, np.int64), np.array([""]), np.array([""]), "",
    )  # fmt: skip
    return dict(_framed(none.columns()).schema)


def _framed(columns: dict[str, Any]) -> pl.DataFrame:
    frame = pl.DataFrame(columns)
    real = [name for name, kind in frame.schema.items() if kind.is_float()]
    return frame.with_columns(pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in real)


def _instants(texts: pl.Series) -> Int[np.ndarray, " n"]:
    """UTC microseconds since 1970 of what `CatalogForecasts.columns` wrote; a million in no time."""
    made = texts.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us").dt.epoch("us")
    return np.asarray(made.to_numpy(), np.int64)


def _kept(
    table: GpTable,
    norad_id: Int[np.ndarray, " n"],
    asked_us: int,
    method: str,
    earlier: pl.DataFrame,
    reach_day: float,
) -> pl.DataFrame:
    """Those rows of the earlier forecasts that stay."""
    each = earlier.group_by("norad_id").agg(
        pl.col("asked_utc", "newest_epoch_utc", "method").first(), pl.col("t_utc").max()
    )
    each = each.sort("norad_id")
    # An object without a forecast (no set, an old one) costs nothing to ask about again.
    each = each.filter(pl.col("newest_epoch_utc") != "", pl.col("method") == method)
    each = each.filter(pl.Series(np.isin(each["norad_id"].to_numpy(), norad_id), dtype=pl.Boolean))
    ids, then_us = each["norad_id"].to_numpy(), _instants(each["asked_utc"])
    if len(ids) and int(then_us.max()) > asked_us:
        what, at = "the standing forecasts were asked later than this", format_utc(asked_us, 0)
        raise InputError(what, field="--at", value=at, hint="Ask later, or write another file")
    wanted_us = (asked_us + int(reach_day * DAY_US)) // STEP_US * STEP_US
    # What has become known since: by the time of publication, and by the newest epoch where that time is not known.
    public = public_us(table)
    recent = np.flatnonzero(np.isin(table.norad_id, ids) & (public <= asked_us))
    place = np.searchsorted(ids, table.norad_id[recent])
    news = np.zeros(len(ids), np.bool_)
    news[place[public[recent] > then_us[place]]] = True
    newest_us = np.zeros(len(ids), np.int64)
    np.maximum.at(newest_us, place, table.epoch_us[recent])
    same = _instants(each["newest_epoch_utc"]) == newest_us
    stays = ids[same & ~news & (_instants(each["t_utc"]) >= wanted_us)]
    ahead = pl.col("t_utc") > format_utc(asked_us)
    return earlier.filter(pl.col("norad_id").is_in(stays.tolist()), ahead)
