"""What the verbs say that judge the catalogue's forecaster against truths other than the history's own later sets."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from orbwatch.errors import InputError
from orbwatch.progress import Progress
from orbwatch.report.tabular import Format, emit


@dataclass(frozen=True)
class Judged:
    """What is judged, and on what."""

    model: str
    history: Path
    names: Path | None
    form: Format


def evaluate_precise(judged: Judged, orbits: Path, delay_h: float, progress: Progress) -> None:
    """Checks of frames and times first, to standard error; then the table of errors in metres."""
    from orbwatch.catalog.history import read_history
    from orbwatch.catalog.precise import read_precise
    from orbwatch.learn.judging.catalog_precise import check_rows, judge_precise, known_orbits
    from orbwatch.models.catalog_runtime import CatalogForecaster

    forecaster = CatalogForecaster.load(judged.model, threads=2)
    tables, aside = read_precise(orbits)
    for each in aside:
        click.echo(f"left out: {each}", err=True)
    known, strange = known_orbits(tables, read_history(judged.history).table)
    if strange:
        labels = ", ".join(each.label for each in strange)
        click.echo(f"no element sets at the time of {len(strange)} orbits: {labels}", err=True)
    if not known:
        raise InputError("no object of these orbits has element sets at the time", file=judged.history)
    _say(check_rows(known), "SGP4 at the epochs of its own sets against the precise orbits")
    found = judge_precise(forecaster, known, round(delay_h * 3.6e9), progress)
    emit(found, judged.form, title=f"{forecaster.card.name} against precise orbits, m", numbers=number_formats(found))


def evaluate_other(judged: Judged, later: Path, at: str | None, ids: Path | None, progress: Progress) -> None:
    """The table of errors in metres; the distance of the two files' sets at the same time first, to standard error."""
    from orbwatch.catalog.history import read_history
    from orbwatch.catalog.ids import read_ids, read_names
    from orbwatch.learn.judging.catalog_noise import noise_between_km
    from orbwatch.learn.judging.catalog_other_truth import Asked, judge_other, other_windows
    from orbwatch.models.catalog_runtime import CatalogForecaster
    from orbwatch.time import parse_utc

    forecaster = CatalogForecaster.load(judged.model, threads=2)
    wanted = None if ids is None else read_ids(ids)
    table, truth = (read_history(path, wanted).table for path in (judged.history, later))
    names = {int(i): str(name) for t in (table, truth) for i, name in zip(t.norad_id, t.name, strict=True) if name}
    names |= {} if judged.names is None else read_names(judged.names)
    between = noise_between_km(table, truth, names)
    if between["pairs"]:
        _say(between, "Sets of both files less than half a day apart, from each other")
    windows, truth_km = other_windows(table, truth, Asked(None if at is None else parse_utc(at)))
    found = judge_other(forecaster, windows, truth_km, names, progress)
    title = f"{forecaster.card.name} against {later.name}, m"
    emit(found, judged.form, title=title, numbers=number_formats(found))


def number_formats(table: dict[str, list[Any]]) -> dict[str, str]:
    """Three digits for what is no whole number and no text."""
    return {name: ".3g" for name, cells in table.items() if np.asarray(cells).dtype.kind == "f"}


def _say(table: dict[str, list[Any]], title: str) -> None:
    emit(table, "table", sys.stderr.buffer, title=title, numbers=number_formats(table))
