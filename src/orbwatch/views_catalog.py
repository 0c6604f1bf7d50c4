"""What forecasts of the catalogue do and say."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.written import make_folder, write_atomically
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.report.tabular import Format, emit

if TYPE_CHECKING:
    from orbwatch.catalog.gp import GpTable
    from orbwatch.models.catalog_inertial import Inertial

_THREADS = 2
_ROWS_SHOWN = 60
_SENTENCES = 3
_MOST_PAST = 500
"""Objects whose past forecasts are made: each is asked about sixty times."""
MOST_DAY = 7.5


@dataclass(frozen=True)
class Asked:
    """What is asked for."""

    history: Path | None
    catalog: Path | None
    """Newest sets, read beside the history; one of the two is given."""
    at: str | None
    """UTC instant; None: now."""
    days: Float[np.ndarray, " h"]
    ids_file: Path | None
    ids: tuple[int, ...]
    names: Path | None
    model: str
    calibration: Path | None = None
    """Factors on the radii, learned from past forecasts."""


@dataclass(frozen=True)
class Sets:
    """What is known of the objects asked about."""

    raw: GpTable
    """As published; where nobody needs that, the cleaned ones."""
    table: GpTable
    """Ordered and cleaned."""
    norad_id: Int[np.ndarray, " n"]
    at_us: int
    names: Mapping[int, str]


def forecast_history(
    asked: Asked,
    output: Path | None,
    form: Format,
    *,
    frame: Inertial | None = None,
    oem: Path | None = None,
    plot: Path | None = None,
) -> int:
    """Forecast objects of a history; 1 when none could be."""
    from orbwatch.models.catalog_forecast import forecast_catalog
    from orbwatch.report.forecast_words import forecast_words, sentence, title

    known = _read(asked, keep_raw=plot is not None)
    if plot is not None and len(known.norad_id) != 1:
        hint = "Give one catalogue number"
        raise InputError("a plot is of one object", field="--plot", value=f"{len(known.norad_id):,} objects", hint=hint)
    made = forecast_catalog(known.table, known.norad_id, known.at_us, asked.days, asked.model, _THREADS)
    if asked.calibration is not None:
        from orbwatch.models.catalog_adaptation import adapted

        made = adapted(made, asked.calibration, asked.model)
    columns = made.columns()
    if frame is not None:
        from orbwatch.models.catalog_inertial import inertial_columns

        columns |= inertial_columns(made, frame)
    if output is not None or form != "table":
        _put(columns, form, output, f"{len(known.norad_id):,} objects at {len(asked.days)} times")
    elif (made.newest_us > 0).all() and not np.isfinite(made.rv_teme_km).any() and _old(known):
        click.echo(_none_young(known))
    else:
        emit(forecast_words(made, known.names), form, title=title(made), limit=_ROWS_SHOWN)
        for i in range(len(made.norad_id) if len(made.norad_id) <= _SENTENCES else 0):
            click.echo(sentence(made, i, known.names.get(int(made.norad_id[i]), "")))
        for line in _cautions(known, made.norad_id[: -(-_ROWS_SHOWN // len(asked.days))]):
            click.echo(line)
    _say_missing(made.norad_id, made.newest_us > 0)
    if oem is not None:
        _write_oem(known, asked, frame or "eme2000", oem)
    if plot is not None:
        _write_plot(known, asked, plot)
    return 0 if np.isfinite(made.rv_teme_km).any() else 1


def refresh_history(asked: Asked, standing: Path, reach_day: float) -> int:
    """Make or renew a standing file of forecasts; 1 when none could be made."""
    from orbwatch.models.catalog_refresh import read_standing, refresh

    known = _read(asked)
    earlier = read_standing(standing) if standing.exists() else None
    made = refresh(known.table, known.norad_id, known.at_us, asked.model, earlier, reach_day, _THREADS)
    rows = io.BytesIO()
    made.frame.write_parquet(rows)
    write_atomically(standing, rows.getvalue())
    click.echo(f"{standing}: {made.asked:,} objects asked about, {made.kept:,} kept as they were", err=True)
    return 0 if made.frame["x_teme_km"].count() else 1


def past_of_history(asked: Asked, output: Path | None, form: Format) -> int:
    """How forecasts of the last 30 days held; 1 when none can be judged."""
    from orbwatch.models.catalog_past import past_forecasts, summary
    from orbwatch.models.catalog_runtime import CatalogForecaster
    from orbwatch.report.forecast_words import held_sentence, past_words

    known = _read(asked, keep_raw=True)
    if len(known.norad_id) > _MOST_PAST:
        legal, count = f"up to {_MOST_PAST} objects", f"{len(known.norad_id):,} objects"
        raise InputError("past forecasts of too many objects", field="--past", value=count, legal=legal)
    forecaster = CatalogForecaster.load(asked.model, _THREADS)
    past = past_forecasts(known.raw, known.norad_id, known.at_us, forecaster)
    found = summary(past, asked.days)
    if output is not None or form != "table":
        _put(found, form, output, f"{len(np.unique(past.norad_id)):,} objects at {len(asked.days)} times")
    else:
        emit(past_words(found, known.names), form, title="Past forecasts of the last 30 days", limit=_ROWS_SHOWN)
    _say_missing(known.norad_id, np.isin(known.norad_id, known.table.norad_id))
    click.echo(f"{held_sentence(past.held(), int(past.told.sum()), len(past.asked_us))}.", err=True)
    return 0 if past.told.any() else 1


def check_days(text: str | None, days: float | None) -> Float[np.ndarray, " h"]:
    """Forecast times from the command line: days, separated by commas, ascending; or the usual ones up to a last."""
    usual = np.array([0.5, 1.0, 2.0, 3.0, 5.0, 7.0])
    if days is not None:
        return np.append(usual[usual < days], days)
    if text is None:
        return usual
    try:
        made = np.array([float(part) for part in text.split(",")])
    except ValueError:
        made = np.empty(0)
    good = len(made) > 0 and np.isfinite(made).all() and (np.diff(made) > 0.0).all()
    if not good or made[0] <= 0.0 or made[-1] > MOST_DAY:
        raise InputError(
            "not forecast times",
            file="command line",
            field="--horizons-day",
            value=text,
            legal=f"ascending days above 0 and up to {MOST_DAY:g}, separated by commas",
        )
    return made


def _read(asked: Asked, *, keep_raw: bool = False) -> Sets:
    from orbwatch.catalog.gp import GpTable
    from orbwatch.catalog.history import clean_history, read_sets
    from orbwatch.catalog.ids import known_names, read_ids
    from orbwatch.time import parse_utc

    at_us = time.time_ns() // 1000 if asked.at is None else parse_utc(asked.at)
    wanted = ([] if asked.ids_file is None else read_ids(asked.ids_file)) + list(asked.ids)
    files = [file for file in (asked.history, asked.catalog) if file is not None]
    parts = [read_sets(file, wanted or None, end_us=at_us + 1, public_by_us=at_us)[0] for file in files]
    raw = parts[0] if len(parts) == 1 else GpTable.concat(parts)
    table = clean_history(raw).table
    if not len(table):
        raise _nothing_known(files, wanted, at_us, len(raw))
    ids = np.array(sorted(set(wanted)), np.int64) if wanted else np.unique(table.norad_id)
    return Sets(raw if keep_raw else table, table, ids, at_us, known_names(table, asked.names, asked.history))


def _nothing_known(files: list[Path], wanted: list[int], at_us: int, bad: int) -> InputError:
    """Why there is no set to forecast from: nothing of these objects, nothing yet, or nothing good."""
    from orbwatch.catalog.history import read_sets
    from orbwatch.learn.samples.catalog_asks import public_us
    from orbwatch.time import format_utc

    which = f"any of the {len(wanted):,} objects asked for" if len(wanted) > 1 else "the object asked for"
    if bad:
        return InputError(f"every element set of {which if wanted else 'it'} is out of range", file=files[0])
    later = [public_us(read_sets(file, wanted or None)[0]) for file in files]
    first = [int(each.min()) for each in later if len(each)]
    if not first:
        return InputError(f"no element set of {which}" if wanted else "no element sets in it", file=files[0])
    hint = f"The first one was public at {format_utc(min(first), 0)}"
    at = format_utc(at_us, 0)
    return InputError("no element set was public by the time asked at", files[0], field="--at", value=at, hint=hint)


def _put(columns: Mapping[str, Any], form: Format, output: Path | None, what: str) -> None:
    if output is None:
        emit(columns, form)
        return
    rows = io.BytesIO()
    emit(columns, form, rows)
    write_atomically(output, rows.getvalue())
    click.echo(f"{output}: {what}", err=True)


def _old(known: Sets) -> bool:
    from orbwatch.models.catalog_forecast import OLDEST_DAY

    return bool(known.at_us - int(known.table.epoch_us.max()) > OLDEST_DAY * DAY_US)


def _none_young(known: Sets) -> str:
    """That all sets are too old to forecast from, and at which instant they were not."""
    from orbwatch.learn.samples.catalog_asks import public_us
    from orbwatch.models.catalog_forecast import OLDEST_DAY
    from orbwatch.time import format_utc

    last = format_utc(int(public_us(known.table).max()), 0)
    return (
        f"no forecast: no element set is younger than {OLDEST_DAY:g} days at {format_utc(known.at_us, 0)}; "
        f"for the history's last instant give --at {last}"
    )


def _cautions(known: Sets, shown: Int[np.ndarray, " k"]) -> list[str]:
    """A line for each object shown that has just maneuvered, as far as its sets tell."""
    from orbwatch.pipeline_maneuvers import fresh_maneuvers
    from orbwatch.report.maneuver_words import caution_sentence, names_of

    found = fresh_maneuvers(known.table, shown.tolist(), known.at_us)
    told = [(number, caution_sentence(found, number)) for number in shown.tolist()]
    return [f"{names_of(known.names, number)}: {words}" for number, words in told if words]


def _say_missing(norad_id: Int[np.ndarray, " n"], known: Bool[np.ndarray, " n"]) -> None:
    none = norad_id[~known]
    if len(none):
        some = ", ".join(str(one) for one in none[:10].tolist()) + (" and others" if len(none) > 10 else "")
        click.echo(f"{len(none):,} of {len(norad_id):,} objects had no public element set then: {some}", err=True)


def _write_oem(known: Sets, asked: Asked, frame: Inertial, place: Path) -> None:
    """One message an object: a file for one, a folder for several."""
    from orbwatch.catalog.oem import write_oem
    from orbwatch.models.catalog_ephemeris import ephemeris, forecast_path

    until_day = float(asked.days[-1])
    single = len(known.norad_id) == 1 and not place.is_dir()
    if not single:
        make_folder(place)
    written = 0
    for norad_id in known.norad_id.tolist():
        made = forecast_path(known.table, norad_id, known.at_us, until_day, asked.model, _THREADS)
        message = ephemeris(known.table, made, until_day, name=known.names.get(norad_id, ""), frame=frame)
        if message is None:
            continue
        file = place if single else place / f"{norad_id}.oem"
        write_atomically(file, write_oem(message, "xml" if file.suffix == ".xml" else "kvn").encode())
        written += 1
    what = "written" if single else f"{written:,} messages"
    click.echo(f"{place}: {what if written else 'no forecast to write'}", err=True)


def _write_plot(known: Sets, asked: Asked, file: Path) -> None:
    from orbwatch.learn.samples.catalog_windows import NODES_DAY
    from orbwatch.models.catalog_forecast import forecast_catalog
    from orbwatch.models.catalog_past import past_forecasts
    from orbwatch.models.catalog_runtime import CatalogForecaster
    from orbwatch.pipeline_maneuvers import fresh_maneuvers
    from orbwatch.report.forecast_page import page
    from orbwatch.report.html import render
    from orbwatch.report.maneuver_words import caution_sentence

    made = forecast_catalog(known.table, known.norad_id, known.at_us, NODES_DAY, asked.model, _THREADS)
    forecaster = CatalogForecaster.load(asked.model, _THREADS)
    past = past_forecasts(known.raw, known.norad_id, known.at_us, forecaster)
    name = known.names.get(int(known.norad_id[0]), "")
    number = int(known.norad_id[0])
    caution = caution_sentence(fresh_maneuvers(known.table, [number], known.at_us), number)
    write_atomically(file, render(page(made, past, name, caution)).encode())
    click.echo(f"{file}: error growth and past forecasts", err=True)
