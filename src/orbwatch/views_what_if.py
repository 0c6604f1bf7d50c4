"""What `orbwatch what-if` does: an event from the store, a catalogue or a message in; surfaces, tables, a page out."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from orbwatch.catalog.cdm import Cdm, read_cdms
from orbwatch.catalog.files import read_gp
from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.store import Store, StoredEvent
from orbwatch.catalog.written import make_folder, write_atomically
from orbwatch.conjunction.assessment import HOUR_US
from orbwatch.conjunction.cdm_assess import assess_message
from orbwatch.conjunction.choice import SHORT
from orbwatch.conjunction.risk import assess_approaches
from orbwatch.conjunction.screen import screen
from orbwatch.conjunction.what_if import LABEL, Event, outcome, spread, surface
from orbwatch.conjunction.what_if_event import burning_first, of_message, of_stored
from orbwatch.conjunction.what_if_least import least
from orbwatch.conjunction.what_if_secondary import Maneuver, Secondary, chosen, rescreen
from orbwatch.errors import InputError, StoreError
from orbwatch.pipeline import inputs_path, read_sets, sizes
from orbwatch.pipeline_forecast import kept
from orbwatch.progress import Progress
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.report.html import Table, cell, render
from orbwatch.report.tabular import Format, emit, emit_json
from orbwatch.report.what_if_page import WhatIf, lead, least_table, page, secondary_table
from orbwatch.settings import Settings
from orbwatch.time import format_utc, parse_utc
from orbwatch.uncertainty.covariance import CovarianceModel, EmpiricalCovariance

_KEY = re.compile(r"(\d+)-(\d+)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d(?:\.\d+)?)")
_AROUND_US = 120_000_000
_LOOK_KM = 200.0
_SLOW_KM_S = 0.1
_ALIKE = 1.5


@dataclass(frozen=True)
class Asked:
    """What is to be tried."""

    event: str
    """Key of a stored event, ids and time of one to look for in a catalogue, or a message's file."""
    catalog: Path | None
    burns: str | None
    """1, 2, or a catalogue number: which object burns; None: the one that may."""
    dv_m_s: tuple[float, ...]
    """From, to, and how many."""
    hours: tuple[float, ...]
    target_pc: float
    execution_error: float
    back_h: float
    days: float
    """How long after the event the moved object is screened; 0: not at all."""
    maneuvers: tuple[Maneuver, ...]
    """What is to be screened again; empty: some of the smallest burns."""
    hbr_m: float | None


@dataclass(frozen=True, eq=False)
class _Loaded:
    event: Event
    catalog: Sgp4Catalog | None
    model: CovarianceModel
    from_message: bool
    until_us: int | None
    """End of the forecasts that the catalogue rests on."""
    why_not: str = ""
    doubt: str = ""
    known_h: float = np.inf
    """How long before the closest approach a message was made: nobody could burn earlier because of it."""


def run(
    asked: Asked, settings: Settings, form: Format, output: Path | None, plot: Path | None, progress: Progress
) -> None:
    """Everything that the verb does. Raises InputError and StoreError."""
    try:
        made = make(asked, settings, progress)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("nothing is written of an unfinished what-if") from None
    if plot is not None:
        make_folder(plot.parent)
        write_atomically(plot, render(page(made)).encode())
    if output is not None:
        make_folder(output.parent)
        kinds: dict[str, Format] = {".parquet": "parquet", ".json": "json"}
        buffer = io.BytesIO()
        emit(grid(made), kinds.get(output.suffix.lower(), "csv"), buffer)
        write_atomically(output, buffer.getvalue())
    show(made, form)
    for file in (output, plot):
        if file is not None:
            sys.stderr.write(f"written: {file}\n")


def make(asked: Asked, settings: Settings, progress: Progress) -> WhatIf:
    """The surfaces, the smallest burns, and what the moved object would meet."""
    loaded = _load(asked, settings)
    event, threads = _chosen_object(loaded.event, asked.burns), settings.screen.threads
    speed = float(np.linalg.norm(event.v_km_s[1] - event.v_km_s[0]))
    if speed < _SLOW_KM_S:
        raise InputError(
            "the two fly together: what a burn changes is no single encounter", field="event", value=event.key,
            legal=f"relative speed of at least {1e3 * _SLOW_KM_S:g} m/s, it is {1e3 * speed:.2g}",
        )  # fmt: skip
    dv, hours = _grid(asked.dv_m_s, 81, "--dv-m-s"), _grid(asked.hours, 97, "--hours")
    known = hours <= loaded.known_h
    hours = hours[known] if known.sum() > 1 else hours
    progress("burns", 0.0)
    made = surface(event, dv, hours, execution_error=asked.execution_error, threads=threads)
    progress("burns", 0.5)
    smallest = [least(made, asked.target_pc, sign) for sign in (1, -1)]
    progress("burns", 1.0)
    own = outcome(event, np.zeros(1), np.array([hours.min() * 3600.0]))
    secondary, why = _secondary(asked, loaded, event, smallest, settings, progress)
    return WhatIf(made, smallest, float(own.pc[0]), float(own.miss_km[0]), asked.back_h, secondary, why, loaded.doubt)


def _secondary(
    asked: Asked, loaded: _Loaded, event: Event, smallest: Any, settings: Settings, progress: Progress
) -> tuple[Secondary | None, str]:
    maneuvers = list(asked.maneuvers)
    if not maneuvers:
        for one in smallest:
            maneuvers += chosen(one.dv_m_s, one.lead_h)
    if asked.days <= 0.0:
        return None, "not asked for"
    if loaded.catalog is None:
        return None, loaded.why_not
    if not maneuvers:
        return None, "no burn in the range takes the probability below the threshold, or none is needed"
    days = asked.days
    if loaded.until_us is not None:
        days = min(days, (loaded.until_us - event.tca_us) / 86.4e9)
        if days <= 0.0:
            return None, "the event is at the end of the forecasts that its catalogue rests on"
    table = loaded.catalog.table
    found = rescreen(
        event, loaded.catalog, sizes(table, settings), loaded.model, maneuvers, days, settings.screen.threshold_km,
        from_message=loaded.from_message, threads=settings.screen.threads,
        progress=lambda fraction: progress("screening again", fraction),
    )  # fmt: skip
    return found, ""


def _chosen_object(event: Event, burns: str | None) -> Event:
    if burns is None:
        return burning_first(event)
    if burns in ("1", str(event.norad_ids[0])):
        return event
    if burns in ("2", str(event.norad_ids[1])):
        return event.swapped()
    numbers = ", ".join(str(one) for one in event.norad_ids if one)
    raise InputError("not an object of the event", field="--burns", value=burns, legal=f"1, 2, {numbers}")


def _grid(given: tuple[float, ...], count: int, flag: str) -> np.ndarray:
    low, high = given[:2]
    number = int(given[2]) if len(given) > 2 else count
    if not low < high or not 2 <= number <= 2001:
        raise InputError(
            "not a range", field=flag, value=":".join(f"{one:g}" for one in given), legal="LOW:HIGH[:COUNT]"
        )
    return spread((low, high), number)


# ------------------------------------------------------------------------------------ where events come from


def _load(asked: Asked, settings: Settings) -> _Loaded:
    path = Path(asked.event)
    if path.is_file():
        return _of_file(path, asked, settings)
    if _KEY.fullmatch(asked.event) is None:
        raise InputError(
            "neither a file nor an event",
            value=asked.event,
            legal="ID-ID-YYYYMMDDTHHMMSS.mmm, as `orbwatch replay` lists",
        )
    return _of_store(asked, settings) if asked.catalog is None else _of_catalog(asked, settings)


def _of_file(path: Path, asked: Asked, settings: Settings) -> _Loaded:
    messages = read_cdms(path)
    cdm = max(messages, key=lambda one: one.creation_us or 0)  # of several the newest
    event = of_message(cdm, path.name, asked.hbr_m, settings.risk)
    model, doubt = EmpiricalCovariance.load(), _doubt(cdm, asked, settings)
    known_h = np.inf if cdm.creation_us is None else (cdm.tca_us - cdm.creation_us) / HOUR_US
    why_not, catalog = "a message names no other objects: give --catalog FILE", None
    if asked.catalog is not None:
        why_not, catalog = "", Sgp4Catalog.from_gp(_usable(read_sets(asked.catalog).table.newest()))
    return _Loaded(event, catalog, model, True, None, why_not, doubt, known_h)


def _doubt(cdm: Cdm, asked: Asked, settings: Settings) -> str:
    """Where curved paths, or the message itself, have another probability than straight ones."""
    told = assess_message(cdm, settings=settings.risk, hbr_m=asked.hbr_m, samples=0)
    straight = next((one["pc"] for one in told["results"] if one["method"] == "foster_1992"), None)
    if told["pc"] is None or straight is None or told["chosen"] == "foster_1992":
        return ""
    if max(told["pc"], straight) <= _ALIKE * min(told["pc"], straight):
        return ""
    return (
        f"Straight paths are doubtful here: with curved ones Pc is {told['pc']:.1e} ({SHORT[told['chosen']]}), "
        "so that these burns are rough."
    )


def _usable(table: GpTable) -> GpTable:
    return table[Sgp4Catalog.from_gp(table).init_status == 0]


def _of_store(asked: Asked, settings: Settings) -> _Loaded:
    with Store.open(settings.store.resolved_url()) as store:
        stored = store.event(asked.event)
        run = next(run for run in store.runs() if run.id == stored.run_id)
    event, model = of_stored(stored), EmpiricalCovariance.load()
    content = str(run.inputs["catalog_sha256"])
    path = inputs_path(settings.store, content)
    if not path.exists():
        return _Loaded(event, None, model, False, None, f"the element sets of its run are gone: {path}")
    table = read_gp(path).table
    if table.content_hash() != content:
        raise StoreError(f"{path} is not what run {run.id} used: its contents have another hash")
    if run.inputs.get("forecasts_sha256"):
        sky = kept(table, inputs_path(settings.store, str(run.inputs["forecasts_sha256"]), ".npz"))
        return _Loaded(event, sky.catalog, sky.covariance, False, sky.forecasts.until_us)
    return _Loaded(event, Sgp4Catalog.from_gp(table), model, False, None)


def _of_catalog(asked: Asked, settings: Settings) -> _Loaded:
    """The approach of two objects of a catalogue that is nearest to a time."""
    match = _KEY.fullmatch(asked.event)
    assert match is not None
    assert asked.catalog is not None
    one, two, year, month, day, hour, minute, second = match.groups()
    tca_us = parse_utc(f"{year}-{month}-{day}T{hour}:{minute}:{second}")
    table = _usable(read_sets(asked.catalog).table.newest())
    rows = np.flatnonzero(np.isin(table.norad_id, [int(one), int(two)]))
    if len(rows) != 2:
        raise InputError("the two objects are not both in the catalogue", file=asked.catalog, value=asked.event)
    pair = table[rows]
    found = screen(
        Sgp4Catalog.from_gp(pair), tca_us - _AROUND_US, 2 * _AROUND_US / 3.6e9, _LOOK_KM, threads=1
    )  # fmt: skip
    if not len(found):
        raise InputError(
            f"no approach below {_LOOK_KM:g} km within two minutes of that time", file=asked.catalog, value=asked.event
        )
    nearest = found[np.array([int(np.argmin(np.abs(found.tca_us - tca_us)))])]
    model = EmpiricalCovariance.load()
    stored: StoredEvent = assess_approaches(nearest, pair, sizes(pair, settings), model)[0]
    return _Loaded(of_stored(stored), Sgp4Catalog.from_gp(table), model, False, None)


# ------------------------------------------------------------------------------------ what is shown


_LEAST_KEYS = ("hours_before", "dv_m_s", "miss_km", "pc", "pc_maximum", "diluted", "tca_later_s", "back_on_orbit_m_s",
               "back_in_slot_m_s", "left_behind_km")  # fmt: skip
_SECONDARY_KEYS = ("maneuver", "approaches", "new", "nearest_km", "pc_highest", "pc_highest_new",
                   "orbit_error_m")  # fmt: skip


def grid(made: WhatIf) -> dict[str, Any]:
    """The surface, a row for each burn: units in the names, and what the probability rests on."""
    one, event = made.surface, made.event
    dv, hours = np.meshgrid(one.dv_m_s, one.lead_h, indexing="ij")
    count = dv.size
    return {
        "event": [event.key] * count,
        "object": [event.names[0]] * count,
        "dv_m_s": dv.ravel(),
        "hours_before": hours.ravel(),
        "miss_km": one.miss_km.ravel(),
        "tca_later_s": one.shift_s.ravel(),
        "pc": one.pc.ravel(),
        "pc_method": ["foster_1992 circle"] * count,
        "hbr_m": np.full(count, event.hbr_m),
        "covariance": [" / ".join(dict.fromkeys(event.cov_sources))] * count,
        "note": [LABEL] * count,
    }


def show(made: WhatIf, form: Format) -> None:
    """On a terminal the smallest burns and what they would meet; for programs all, or (CSV, Parquet) the surface."""
    if form in ("csv", "parquet"):
        emit(grid(made), form)
        return
    tables: list[tuple[str, Table, tuple[str, ...]]] = [("smallest_burns", least_table(made), _LEAST_KEYS)]
    if made.secondary is not None:
        tables.append(("screened_again", secondary_table(made.secondary), _SECONDARY_KEYS))
    if form == "json":
        emit_json(
            {
                "label": LABEL,
                "event": made.event.key,
                "object": made.event.names[0],
                "tca_utc": format_utc(made.event.tca_us),
                "pc": made.own_pc if np.isfinite(made.own_pc) else None,
                "pc_method": "foster_1992 circle",
                "miss_km": made.own_miss_km,
                "hbr_m": made.event.hbr_m,
                "hbr_source": made.event.hbr_source,
                "covariance": list(made.event.cov_sources),
                "target_pc": made.smallest[0].threshold,
                **{
                    name: [{key: _plain(value) for key, value in zip(keys, row, strict=True)} for row in table.rows]
                    for name, table, keys in tables
                },
                "not_screened_again": made.why_not or None,
            }
        )
        return
    sys.stdout.write(f"{LABEL}\n{made.event.names[0]} × {made.event.names[1]}: {lead(made)}\n")
    sys.stdout.flush()
    for _, table, _ in tables:
        if not table.rows:
            continue
        columns = {
            head: [cell(row[k], table.formats.get(head)) for row in table.rows] for k, head in enumerate(table.columns)
        }
        emit(columns, "table")
    if made.why_not:
        sys.stderr.write(f"not screened again: {made.why_not}\n")


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value
