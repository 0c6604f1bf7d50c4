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
from orbwatch.models.catalog_forecast import forecast_catalog
from orbwatch.models.registry import find_model

STEP_US = 6 * 3600 * 1_000_000
REACH_DAY = float(NODES_DAY[-1])


@dataclass(frozen=True, eq=False)
class Refreshed:
    """Rows as those of `CatalogForecasts.columns`, ordered by object and time."""

    columns: dict[str, Any]
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
    earlier: dict[str, Any] | None,
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
    kept = {} if earlier is None else _kept(table, norad_id, asked_us, read_card(find_model(model)).name, earlier,
                                            reach_day)  # fmt: skip
    done = np.unique(kept["norad_id"]) if kept else np.empty(0, np.int64)
    again = np.setdiff1d(norad_id, done)
    fresh = forecast_catalog(table, again, asked_us, standing_days(asked_us), model, threads).columns()
    columns = fresh
    if len(done):
        columns = {name: np.concatenate([np.asarray(fresh[name]), kept[name]]) for name in fresh}
        # Both parts are ordered by object and time, and no object is in both.
        order = np.argsort(columns["norad_id"], kind="stable")
        columns = {name: values[order] for name, values in columns.items()}
    return Refreshed(columns, len(again), len(done))


def read_standing(path: Path) -> dict[str, Any]:
    """The rows of a file that `refresh` gave, as columns. Raises InputError where it is no such file."""
    try:
        frame = pl.read_parquet(path)
        made = {
            name: frame[name].fill_null(np.nan).to_numpy() if frame[name].dtype.is_float() else _plain(frame[name])
            for name in frame.columns
        }
        missing = {"norad_id", "asked_utc", "t_utc", "newest_epoch_utc", "method", "k90"} - made.keys()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).split("\n", 1)[0][:200]
        raise InputError(f"not a standing file of forecasts: {reason}", file=path) from error
    if missing:
        raise InputError("not a standing file of forecasts", file=path, field=min(missing), hint="A column is missing")
    return made


def _plain(series: pl.Series) -> np.ndarray:
    if series.dtype == pl.String:
        return np.array(series.fill_null("").to_list(), np.str_)
    return series.to_numpy()


def _instants(texts: np.ndarray) -> Int[np.ndarray, " n"]:
    """UTC microseconds since 1970 of what `CatalogForecasts.columns` wrote; a million in no time."""
    made = pl.Series(texts).str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us").dt.epoch("us")
    return np.asarray(made.to_numpy(), np.int64)


def _kept(
    table: GpTable,
    norad_id: Int[np.ndarray, " n"],
    asked_us: int,
    method: str,
    earlier: dict[str, Any],
    reach_day: float,
) -> dict[str, Any]:
    """Those rows of the earlier forecasts that stay."""
    ids, first, row = np.unique(earlier["norad_id"], return_index=True, return_inverse=True)
    then_us = _instants(earlier["asked_utc"][first])
    if len(then_us) and int(then_us.max()) > asked_us:
        what = "the standing forecasts were asked later than this"
        raise InputError(what, field="--at", value=asked_us, hint="Ask later, or write another file")
    t_us = _instants(earlier["t_utc"])
    last_us = np.zeros(len(ids), np.int64)
    np.maximum.at(last_us, row, t_us)
    wanted_us = (asked_us + int(reach_day * DAY_US)) // STEP_US * STEP_US
    stays = np.isin(ids, norad_id) & (earlier["method"][first] == method) & (last_us >= wanted_us)
    # An object without a forecast (no set, an old one) costs nothing to ask about again.
    stays &= earlier["newest_epoch_utc"][first] != ""
    # What has become known since: by the time of publication, and by the newest epoch where that time is not known.
    after = np.zeros(len(ids), np.bool_)
    place = np.searchsorted(ids, table.norad_id)
    inside = (place < len(ids)) & (ids[np.minimum(place, len(ids) - 1)] == table.norad_id)
    public = public_us(table)
    new = inside & (public <= asked_us)
    new[inside] &= public[inside] > then_us[place[inside]]
    after[place[new]] = True
    newest_us = np.zeros(len(ids), np.int64)
    known = inside & (public <= asked_us)
    np.maximum.at(newest_us, place[known], table.epoch_us[known])
    had = stays.copy()
    had[stays] = _instants(earlier["newest_epoch_utc"][first][stays]) == newest_us[stays]
    rows = (stays & had & ~after)[row] & (t_us > asked_us)
    return {name: values[rows] for name, values in earlier.items()}
