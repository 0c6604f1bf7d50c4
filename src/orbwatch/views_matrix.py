"""What `orbwatch matrix` does: element sets in, rows of pairs and a page out."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from orbwatch.catalog.quality import GpRead
from orbwatch.catalog.written import make_folder, write_atomically
from orbwatch.conjunction.matrix import METHOD, PairMatrix, dense_matrix, sparse_matrix
from orbwatch.conjunction.nearest import nearest_of_pairs
from orbwatch.conjunction.screen import screen
from orbwatch.errors import InputError
from orbwatch.pipeline import sizes, window_start
from orbwatch.pipeline_forecast import Foresight, foresee
from orbwatch.progress import Progress
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.report.html import render
from orbwatch.report.matrix_page import beyond_words, page
from orbwatch.report.tabular import Format, emit
from orbwatch.settings import Settings
from orbwatch.time import format_utc, format_utc_many
from orbwatch.uncertainty.covariance import CovarianceModel, EmpiricalCovariance
from orbwatch.views import SHOWN_ROWS, rows_of

FLEET = 500
"""Fleets up to this size have every pair listed unless told otherwise."""


@dataclass(frozen=True)
class Asked:
    """Which pairs are wanted."""

    ids: list[int] | None
    """The fleet; None: all objects."""
    against_all: bool
    """The fleet against the catalogue, instead of among itself."""
    pairs: Literal["auto", "near", "all"]
    """Those below the threshold, or every one."""


def make(
    read: GpRead,
    asked: Asked,
    start: str | None,
    settings: Settings,
    progress: Progress,
    foresight: Foresight | None = None,
) -> PairMatrix:
    """The matrix of element sets over the window of the settings; on forecast orbits with a foresight.

    Raises InputError: no such objects, fewer than two, or a window that the forecasts do not cover.
    """
    table = read.table.newest()
    given = None if asked.ids is None else rows_of(table, asked.ids)
    if asked.against_all and given is None:
        raise InputError("which objects?", field="--against-all", hint="Give --ids FILE or --id NUMBER")
    start_us = window_start(start, table)
    if given is not None and not asked.against_all:
        table, given = table[given], None
    young = np.abs(start_us - table.epoch_us) <= settings.screen.max_age_day * 86_400_000_000
    if not young.all():
        sys.stderr.write(
            f"{int((~young).sum()):,} objects left out: sets more than {settings.screen.max_age_day:g} days from "
            f"{format_utc(start_us, 0)}\n"
        )
        if given is not None:
            kept = np.flatnonzero(young)
            given = np.flatnonzero(np.isin(kept, given))
        table = table[young]
    if len(table) < 2 or (given is not None and not len(given)):
        raise InputError("a pair needs two objects", field="objects", value=len(table), hint="Look at --start, --ids")
    dense = asked.pairs == "all" or (asked.pairs == "auto" and asked.ids is not None and given is None
                                     and len(table) <= FLEET)  # fmt: skip
    if dense and given is not None:
        raise InputError("every pair of a fleet is one among itself", field="--pairs", hint="Leave out --against-all")
    hours, threads, limit_km = settings.screen.hours, settings.screen.threads, settings.screen.threshold_km
    catalog: Sgp4Catalog = Sgp4Catalog.from_gp(table)
    model: CovarianceModel = EmpiricalCovariance.load()
    if foresight is not None:
        sky = foresee(foresight, table, hours, threads, progress)
        if start_us + round(hours * 3.6e9) > sky.forecasts.until_us:
            legal = f"until {format_utc(sky.forecasts.until_us, 0)}"
            raise InputError("a longer window than the forecasts", field="--hours", value=hours, legal=legal)
        catalog, model = sky.catalog, sky.covariance
    bodies = sizes(table, settings)

    def told(stage: str) -> Callable[[float], None]:
        return lambda fraction: progress(stage, fraction)

    found = screen(catalog, start_us, hours, limit_km, first=given, threads=threads, progress=told("screening"))
    if dense:
        near = nearest_of_pairs(catalog, start_us, hours, threads=threads, progress=told("every pair"))
        return dense_matrix(near, found, catalog, bodies, model, hours, limit_km, told("probabilities"))
    return sparse_matrix(
        found, catalog, bodies, model, hours, limit_km, first=given, progress=told("probabilities")
    )  # fmt: skip


def columns(matrix: PairMatrix, settings: Settings) -> dict[str, Any]:
    """One row per pair, units in the names; every probability with its method, radius, covariance and flags."""
    close = matrix.closest
    when = format_utc_many(close.tca_us, 6)
    highest = format_utc_many(matrix.pc_highest_us, 6)
    has = ~np.isnan(matrix.pc_highest)
    there = ~np.isnan(close.miss_km)
    names = np.array(matrix.table.name.tolist(), object)  # each name once, however many pairs it is in
    return {
        "norad_id_1": close.norad_id_1,
        "name_1": names[close.index_1].tolist(),
        "norad_id_2": close.norad_id_2,
        "name_2": names[close.index_2].tolist(),
        "min_km": close.miss_km,
        "at_utc": [at if some else None for at, some in zip(when, there, strict=True)],
        "where": matrix.where.tolist(),
        "rel_speed_km_s": close.rel_speed_km_s,
        "co_moving": close.co_moving,
        "partial": matrix.partial,
        "approaches": matrix.approaches,
        "pc": matrix.pc,
        "pc_maximum": matrix.pc_maximum,
        "diluted": matrix.diluted,
        "pc_highest": matrix.pc_highest,
        "pc_highest_utc": [at if some else None for at, some in zip(highest, has, strict=True)],
        "category": [matrix.risk(row, settings.risk) for row in range(len(matrix))],
        "hbr_m": matrix.hbr_m,
        "hbr_source": matrix.hbr_source,
        "pc_method": [METHOD] * len(matrix),
        "covariance": matrix.covariance,
        "flags": matrix.flags,
    }  # fmt: skip


_TERMINAL = {"object_1": "object 1", "object_2": "object 2", "min_km": "min km", "at_utc": "at UTC", "where": "where",
             "rel_speed_km_s": "km/s", "approaches": "approaches", "pc": "Pc", "pc_highest": "highest Pc",
             "category": "risk", "hbr_m": "HBR m", "flags": "flags"}  # fmt: skip
_NUMBERS = {"min km": ",.3f", "km/s": ".3f", "Pc": ".1e", "highest Pc": ".1e", "HBR m": ".1f"}


def show(
    matrix: PairMatrix, settings: Settings, form: Format, output: Path | None, html: Path | None, seconds: float
) -> None:
    """Rows to standard output or a file, the page to another."""
    rows = columns(matrix, settings)
    n = len(matrix.table)
    if output is not None:
        make_folder(output.parent)
        kind: Format = {".parquet": "parquet", ".json": "json"}.get(output.suffix.lower(), "csv")  # type: ignore[assignment]
        buffer = io.BytesIO()
        emit(rows, kind, buffer)
        write_atomically(output, buffer.getvalue())
    if form == "table":
        rows = {name: values[:SHOWN_ROWS] for name, values in rows.items()}
        for k in (1, 2):
            both = zip(rows[f"name_{k}"], rows[f"norad_id_{k}"], strict=True)
            rows[f"object_{k}"] = [str(name) or str(number) for name, number in both]
        rows["at_utc"] = [None if at is None else at[:19] for at in rows["at_utc"]]
        rows = {head: rows[name] for name, head in _TERMINAL.items()}
    title = f"{len(matrix):,} pairs of {n:,} objects. Pc: {METHOD}; covariance: {matrix.covariance_label}"
    emit(rows, form, title=title, numbers=_NUMBERS)
    if form == "table" and "none" in rows["risk"]:
        sys.stdout.write(f"risk {beyond_words(matrix)}\n")
    if form == "table" and len(matrix) > SHOWN_ROWS:
        sys.stdout.write(f"{len(matrix) - SHOWN_ROWS:,} more rows; --format csv or --output gives all\n")
    if html is not None:
        make_folder(html.parent)
        write_atomically(html, render(page(matrix, settings.risk, seconds)).encode())
    written = "; ".join(str(one) for one in (output, html) if one is not None)
    near = int((matrix.closest.miss_km < matrix.threshold_km).sum())
    sys.stderr.write(
        f"{n:,} objects, {near:,} pairs below {matrix.threshold_km:g} km, "
        f"{'all' if matrix.dense else 'these'} {len(matrix):,} listed, {seconds:.1f} s"
        f"{f'; written: {written}' if written else ''}\n"
    )


def run(
    read: GpRead,
    asked: Asked,
    start: str | None,
    settings: Settings,
    form: Format,
    output: Path | None,
    html: Path | None,
    progress: Progress,
    foresight: Foresight | None = None,
) -> None:
    """Everything that the verb does."""
    began = time.monotonic()
    try:
        matrix = make(read, asked, start, settings, progress, foresight)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("nothing is written of an unfinished matrix") from None
    show(matrix, settings, form, output, html, time.monotonic() - began)
