"""What `orbwatch what-if` does: an event from the store, a catalogue or a message in; surfaces, tables, a page out."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from orbwatch.catalog.written import make_folder, write_atomically
from orbwatch.conjunction.what_if import LABEL, Event, Surface, outcome, spread, surface
from orbwatch.conjunction.what_if_event import burning_first, why_burning
from orbwatch.conjunction.what_if_least import Least, least
from orbwatch.conjunction.what_if_secondary import Maneuver, Secondary, chosen, rescreen
from orbwatch.errors import InputError
from orbwatch.pipeline import sizes
from orbwatch.pipeline_what_if import Loaded, load
from orbwatch.progress import Progress
from orbwatch.report.html import Table, cell, render
from orbwatch.report.tabular import Format, emit, emit_json
from orbwatch.report.what_if_page import (
    Tried,
    WhatIf,
    conditions,
    lead,
    least_table,
    page,
    secondary_table,
    whose_words,
)
from orbwatch.settings import Settings
from orbwatch.time import format_utc

_SLOW_KM_S = 0.1
_WIDE_M_S = 0.2
_NARROW_M_S = 0.01
_MOST = 0.75  # of the smallest burns: those in the last hours can be many times the others
_SOON_H = 1.0  # where the usual range begins: what is known later than that has the hours that there are
_LATEST = 0.1  # of the time since the event was known, where that is shorter than what was asked for


@dataclass(frozen=True)
class Asked:
    """What is to be tried."""

    event: str
    """Key of a stored event, ids and time of one to look for in a catalogue, or a message's file."""
    catalog: Path | None
    burns: str | None
    """1, 2, or a catalogue number: which object burns; None: the one that may."""
    dv_m_s: tuple[float, ...] | None
    """From, to, and how many; None: as wide as what helps."""
    hours: tuple[float, ...]
    target_pc: float
    execution_error: float
    back_h: float
    days: float
    """How long after the event the moved object is screened; 0: not at all."""
    maneuvers: tuple[Maneuver, ...]
    """What is to be screened again; empty: some of the smallest burns."""
    hbr_m: float | None


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
    loaded = load(asked.event, asked.catalog, asked.hbr_m, settings)
    event, threads = _chosen_object(loaded.event, asked.burns), settings.screen.threads
    speed = float(np.linalg.norm(event.v_km_s[1] - event.v_km_s[0]))
    if speed < _SLOW_KM_S:
        raise InputError(
            "the two fly together: what a burn changes is no single encounter", field="event", value=event.key,
            legal=f"relative speed of at least {1e3 * _SLOW_KM_S:g} m/s, it is {1e3 * speed:.2g}",
        )  # fmt: skip
    dv = _grid(asked.dv_m_s or (-_WIDE_M_S, _WIDE_M_S), 81, "--dv-m-s")
    hours, cut = _known(asked.hours, loaded)
    _refuse_unknown(asked.maneuvers, loaded)
    progress("burns", 0.0)

    def tried(dv_m_s: Float[np.ndarray, " k"]) -> tuple[Surface, list[Least]]:
        made = surface(event, dv_m_s, hours, execution_error=asked.execution_error, threads=threads)
        return made, [least(made, asked.target_pc, sign) for sign in (1, -1)]

    made, smallest = tried(dv)
    progress("burns", 0.5)
    reach_m_s = np.inf
    if asked.dv_m_s is None:
        narrow = _enough_m_s(smallest, 1.0)
        if narrow < _WIDE_M_S:
            made, smallest = tried(spread((-narrow, narrow), len(dv)))
        reach_m_s = _enough_m_s(smallest, _MOST)
    progress("burns", 1.0)
    own = outcome(event, np.zeros(1), np.array([hours.min() * 3600.0]))
    secondary, why = _secondary(asked, loaded, event, smallest, settings, progress)
    return WhatIf(
        made, smallest, float(own.pc[0]), float(own.miss_km[0]), asked.back_h, secondary, why, loaded.doubt,
        why_burning(event, asked.burns is not None), cut, loaded.left_out, reach_m_s,
        tuple(_tried(event, one, asked.execution_error) for one in asked.maneuvers),
    )  # fmt: skip


def _known(asked: tuple[float, ...], loaded: Loaded) -> tuple[Float[np.ndarray, " t"], str]:
    """Hours before the closest approach at which the event was known, and what is left out of those asked for."""
    hours = _grid(asked, 97, "--hours")
    low, high = asked[:2]
    if high <= loaded.known_h:
        return hours, ""
    if loaded.known_h <= 0.0:
        return hours, f"Looking back only: the event was known after its closest approach ({loaded.known_by})."
    if low >= loaded.known_h and low > _SOON_H:
        raise InputError(
            "all burns would come before the event was known", field="--hours", value=f"{low:g}:{high:g}",
            legal=_span_words(loaded),
        )  # fmt: skip
    low = min(low, _LATEST * loaded.known_h)
    return spread((low, loaded.known_h), len(hours)), (
        f"Burns earlier than {loaded.known_h:.3g} h before are left out: they would come before the event was known "
        f"({loaded.known_by})."
    )


def _refuse_unknown(maneuvers: Sequence[Maneuver], loaded: Loaded) -> None:
    """Nobody burns for what is not known yet; of an event known afterwards everything is hindsight."""
    for one in maneuvers:
        if one.lead_h > loaded.known_h > 0.0:
            raise InputError(
                "the burn would come before the event was known", field="--maneuver",
                value=f"{one.dv_m_s:g}@{one.lead_h:g}", legal=_span_words(loaded),
            )  # fmt: skip


def _span_words(loaded: Loaded) -> str:
    return f"less than {loaded.known_h:.3g} hours before the closest approach ({loaded.known_by})"


def _tried(event: Event, one: Maneuver, execution_error: float) -> Tried:
    """What a burn that was asked for does to the event itself."""
    dv, lead_s = np.array([one.dv_m_s]), np.array([one.lead_h * 3600.0])
    found = outcome(event, dv, lead_s, execution_error=execution_error)
    return Tried(one, float(found.miss_km[0]), float(found.pc[0]))


def _enough_m_s(smallest: Sequence[Least], part: float) -> float:
    """Half the range on which that part of the smallest burns is seen; what is tried first where none helps."""
    sizes_m_s = np.abs(np.concatenate([one.dv_m_s for one in smallest]))
    sizes_m_s = sizes_m_s[np.isfinite(sizes_m_s) & (sizes_m_s > 0.0)]
    return max(_NARROW_M_S, 2.0 * float(np.quantile(sizes_m_s, part))) if len(sizes_m_s) else _WIDE_M_S


def _secondary(
    asked: Asked, loaded: Loaded, event: Event, smallest: Any, settings: Settings, progress: Progress
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
                "object_why": made.why_burning,
                "told": conditions(made)[1:],
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
    sys.stdout.writelines(f"{line}\n" for line in conditions(made))
    sys.stdout.flush()
    for _, table, _ in tables:
        if not table.rows:
            continue
        columns = {
            head: [cell(row[k], table.formats.get(head)) for row in table.rows] for k, head in enumerate(table.columns)
        }
        emit(columns, "table")
    if made.secondary is not None and (words := whose_words(made.secondary)):
        sys.stdout.write(f"{words}\n")
    if made.why_not:
        sys.stderr.write(f"not screened again: {made.why_not}\n")


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value
