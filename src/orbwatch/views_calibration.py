"""What `orbwatch calibration` does and says."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from jaxtyping import Int

from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.progress import Progress
from orbwatch.report.tabular import Format, emit

if TYPE_CHECKING:
    from orbwatch.catalog.gp import GpTable

_THREADS = 2
_SEED = 1
_PAST_DAY = 80
_NO_CELLS = "too few truths for cells by behaviour and kind: the rows of whole regimes are all there is"
"""Days of sets before the first asking that a forecast may use."""
DRIFT = 3
"""Exit code when the last week has left the promise."""
_SHOWN = (
    "regime", "part", "day", "truths", "objects", "inside_50", "inside_90", "inside_90_low", "inside_90_high",
    "inside_99", "adapted_90", "along_km_90", "verdict", "week_90", "drift_p",
)  # fmt: skip


@dataclass(frozen=True)
class LookBack:
    """What is to be asked again."""

    history: Path
    ids_file: Path | None
    at: str | None
    """UTC instant that counts as now; None: the history's end."""
    days: int
    sample: int
    """Most objects; 0: all."""
    model: str
    names: Path | None


def calibrate(asked: LookBack, save: Path | None, plot: Path | None, form: Format, progress: Progress) -> int:
    """Measure how regions have held, save the factors and the plots; `DRIFT` when the last week has left the promise.

    Raises InputError when nothing could be measured.
    """
    from orbwatch.catalog.ids import read_names
    from orbwatch.catalog.kinds import kinds_of
    from orbwatch.catalog.written import write_atomically
    from orbwatch.learn.judging.catalog_held import alarms, cells, held_table, words
    from orbwatch.models.catalog_adaptation import adaptation, as_asked, factors_at
    from orbwatch.models.catalog_coverage import HORIZON_DAY, daily_us, look_back
    from orbwatch.models.catalog_groups import GROUPS
    from orbwatch.models.registry import show
    from orbwatch.report.calibration import calibration_page
    from orbwatch.report.html import render

    card = show(asked.model).card
    progress("reading the history", 0.0)
    table, at_us = _read(asked)
    chosen = sampled(table, asked.sample)
    times = daily_us(at_us, asked.days)
    matured = look_back(table, chosen, times, asked.model, HORIZON_DAY, _THREADS, progress)
    if not len(matured):
        if not len(table) or (table.norad_id[1:] != table.norad_id[:-1]).all():
            hint = "Give a history of many days, not a snapshot: past forecasts are held to later sets"
            raise InputError("no object has two element sets in this time", file=asked.history, hint=hint)
        needed_day = float(HORIZON_DAY[0]) + asked.days
        hint = (
            f"The history must go on for {HORIZON_DAY[0]:g} to {HORIZON_DAY[-1]:g} days (the horizons) after the "
            f"forecasts, and have sets before them: give --days a larger number than {HORIZON_DAY[-1]:g}, and a "
            f"history of more than {needed_day:g} days before --at"
        )
        raise InputError("no past forecast has met a truth", file=asked.history, field="--days", value=asked.days,
                         hint=hint)  # fmt: skip
    if asked.names is not None:
        matured = replace(matured, kind=kinds_of(matured.norad_id, read_names(asked.names)))
    every = np.append(times, at_us)
    factors = factors_at(matured, every)
    factor = as_asked(matured, every, factors)
    found = held_table(matured, factor, HORIZON_DAY, GROUPS, at_us)
    drifting = alarms(found)
    if save is not None:
        used = table[np.isin(table.norad_id, chosen)]
        learned = adaptation(matured, factors, times, card, HORIZON_DAY, used.content_hash(), at_us)
        learned.write(save)
    if plot is not None:
        page = calibration_page(found, matured, factor, drifting, HORIZON_DAY, card.name, asked.days)
        write_atomically(plot, render(page).encode())
    _show(found, form, card.name)
    for line in [*(words(found) if cells(found) else [_NO_CELLS]), *(f"drift: {said}" for said in drifting)]:
        click.echo(line, err=True)
    if save is not None:
        click.echo(
            f"{save}: factors of {int(factors.matured[-1].sum()):,} truths, for forecast --calibration", err=True
        )
    return DRIFT if drifting else 0


def sampled(table: GpTable, most: int) -> Int[np.ndarray, " m"]:
    """Catalogue numbers: all, or an even share of each regime where it has so many, and the rest at random."""
    from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES, catalog_regime

    ids, first = np.unique(table.norad_id, return_index=True)
    if most == 0 or len(ids) <= most:
        return ids
    drawn = np.random.default_rng(_SEED).permutation(len(ids))
    regime = catalog_regime(table[first])[drawn]
    # The place of each object in its own regime's queue: those within an even share come first.
    place = np.empty(len(ids), np.int64)
    for code in range(len(CATALOG_REGIMES)):
        place[regime == code] = np.arange(int((regime == code).sum()))
    early = place < most // len(CATALOG_REGIMES)
    return np.sort(ids[drawn[np.argsort(~early, kind="stable")[:most]]])


def _read(asked: LookBack) -> tuple[GpTable, int]:
    """The history that is needed, and when "now" is."""
    from orbwatch.catalog.history import read_history
    from orbwatch.catalog.ids import read_ids
    from orbwatch.learn.samples.catalog_asks import public_us
    from orbwatch.time import parse_utc

    wanted = None if asked.ids_file is None else read_ids(asked.ids_file)
    until_us = time.time_ns() // 1000 if asked.at is None else parse_utc(asked.at)
    before_us = (asked.days + _PAST_DAY) * DAY_US
    start_us = None if asked.at is None else until_us - before_us
    table = read_history(asked.history, wanted, start_us, until_us + 1, until_us).table
    if asked.at is None and len(table):
        until_us = min(until_us, int(public_us(table).max()))
        table = table[table.epoch_us >= until_us - before_us]
    return table, until_us


def _show(found: dict[str, list[Any]], form: Format, model: str) -> None:
    from orbwatch.learn.judging.catalog_held import ALL, NARROW, WIDE

    if form != "table":
        emit(found, form)
        return
    # A terminal shows whole regimes, and what does not hold.
    rows = [i for i, part in enumerate(found["part"]) if part == ALL or found["verdict"][i] in (NARROW, WIDE)]
    title = f"How the regions of {model} have held: shares of truths inside, of past forecasts"
    numbers = dict.fromkeys(_SHOWN[5:11], ".3f") | {"along_km_90": ".3g", "week_90": ".3f", "drift_p": ".2g"}
    shown = {name: np.array(found[name])[rows] for name in _SHOWN}
    emit(shown, form, title=title, numbers=numbers)
    click.echo(f"{len(found['part']) - len(rows):,} more rows, by behaviour and kind: --format json gives all")
