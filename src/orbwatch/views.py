"""What the verbs print: results as rows, on a terminal or for programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, cast

import numpy as np

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.omm_json import write_omm_json
from orbwatch.catalog.quality import GpRead
from orbwatch.catalog.store import Store, StoredEvent
from orbwatch.conjunction.assessment import Assessment
from orbwatch.conjunction.screen import Approaches
from orbwatch.constants import DAY_US, TWO_PI, WGS72_MU_KM3_S2, WGS72_RADIUS_KM
from orbwatch.demo import Verdict
from orbwatch.elements import itrf_to_geodetic
from orbwatch.errors import InputError
from orbwatch.frames import teme_to_itrf
from orbwatch.outputs import Outputs
from orbwatch.pipeline import find, read_sets, sizes, window_start
from orbwatch.pipeline_forecast import Foresight, Newest, foresee, read_newest
from orbwatch.progress import Progress
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.replay import Comparison
from orbwatch.report.events import event_columns
from orbwatch.report.tabular import Format, emit, emit_json
from orbwatch.settings import Settings
from orbwatch.time import format_utc, format_utc_many, parse_utc, us_to_jd
from orbwatch.uncertainty.covariance import EmpiricalCovariance, regime_of

SHOWN_ROWS = 30


def show_assessment(result: Assessment, form: str, written: Outputs) -> None:
    """The events of a run, the most probable first; on a terminal without those of co-moving pairs.

    Form "cdm": the messages of the top events, one after another.
    """
    if form == "cdm":
        sys.stdout.write("\n".join(written.messages))
        sys.stdout.flush()
        return
    label = (
        f"{len(result.ranked):,} approaches; {len(result.events) - len(result.ranked):,} more, of "
        f"{len(result.co_moving)} co-moving pairs, in the report. "
        f"Pc: foster_1992, circle; covariance: {result.covariance_label}"
    )
    events = result.ranked if form == "table" else result.events
    _show_events(events, cast(Format, form), label, f"all of them in {written.events}")


def _show_events(events: list[StoredEvent], form: Format, title: str, rest: str = "--format json gives all") -> None:
    columns = event_columns(events)
    if form == "table":
        for name, number in (("name_1", "norad_id_1"), ("name_2", "norad_id_2")):
            columns[name] = [given or str(one) for given, one in zip(columns[name], columns[number], strict=True)]
        columns = {head: columns[name] for name, head in _TERMINAL.items()}
    emit(columns, form, title=title, limit=SHOWN_ROWS, rest=rest, numbers=_APPROACH_NUMBERS)


_TERMINAL = {
    "event": "event (ids, TCA UTC)", "name_1": "object 1", "name_2": "object 2", "miss_km": "miss km",
    "rel_speed_km_s": "km/s", "pc": "Pc", "pc_maximum": "Pc max", "hbr_m": "HBR m", "flags": "flags",
}  # fmt: skip
_APPROACH_NUMBERS = {
    "miss km": ".3f", "km/s": ".3f", "Pc": ".1e", "Pc max": ".1e", "HBR m": ".1f",
    "miss_km": ".3f", "rel_speed_km_s": ".3f", "pc": ".2e", "pc_maximum": ".2e", "hbr_m": ".1f",
}  # fmt: skip


def newest_of(history: Path, model: str | None, catalog: Path | None, start: str | None, settings: Settings) -> Newest:
    """The newest public sets of a history at the start (as given, else by `window_start`), of a catalogue's objects."""
    read = None if catalog is None else read_sets(catalog)
    if start is None:
        table = read_sets(history).table if read is None else read.table
        start_us = window_start(None, table.newest())
    else:
        start_us = parse_utc(start)
    newest = read_newest(history, model or "catalog", start_us, settings.screen.max_age_day, read)
    if newest.newer:
        sys.stderr.write(f"{history} has newer sets than {catalog} (objects: {newest.newer:,}); these are used\n")
    return newest


def screen_sets(
    read: GpRead,
    ids: list[int] | None,
    among: bool,
    start: str | None,
    settings: Settings,
    progress: Progress,
    foresight: Foresight | None = None,
) -> Approaches:
    """Screen element sets: all against all; with ids, these against all, or among themselves.

    foresight: on orbits that the catalogue's forecaster corrects, as far ahead as it does.
    """
    table = read.table.newest()
    indices = None if ids is None else rows_of(table, ids)
    if among and indices is None:
        raise InputError("which objects?", field="--among", hint="Give --ids FILE or --id NUMBER")
    if among and indices is not None:
        table, indices = table[indices], None
    start_us = window_start(start, table)
    hours = settings.screen.hours
    catalog: Sgp4Catalog = Sgp4Catalog.from_gp(table)
    if foresight is not None:
        sky = foresee(foresight, table, hours, settings.screen.threads, progress)
        if start_us + round(hours * 3.6e9) > sky.forecasts.until_us:
            legal = f"until {format_utc(sky.forecasts.until_us, 0)}"
            raise InputError("a longer window than the forecasts", field="--hours", value=hours, legal=legal)
        catalog = sky.catalog
    return find(catalog, start_us, hours, settings, lambda f: progress("screening", f), indices)


def rows_of(table: GpTable, ids: list[int]) -> np.ndarray:
    missing = sorted(set(ids) - set(table.norad_id.tolist()))
    if missing:
        some = ", ".join(map(str, missing[:5])) + (" ..." if len(missing) > 5 else "")
        raise InputError(f"{len(missing)} of the wanted objects are not in the catalogue: {some}", file=table.source)
    return np.flatnonzero(np.isin(table.norad_id, ids))


def show_approaches(found: Approaches, form: Format) -> None:
    """Approaches in order of time."""
    columns: dict[str, Any] = {
        "norad_id_1": found.norad_id_1,
        "norad_id_2": found.norad_id_2,
        "tca_utc": format_utc_many(found.tca_us),
        "miss_km": found.miss_km,
        "rel_speed_km_s": found.rel_speed_km_s,
        "co_moving": found.co_moving,
    }
    emit(columns, form, limit=SHOWN_ROWS, numbers=_APPROACH_NUMBERS)


def show_states(catalog: Path, at: str, ids: list[int] | None, form: Format) -> None:
    """TEME states of the newest set of each object at one instant; failures are empty with their status."""
    table = read_sets(catalog).table.newest()
    if ids is not None:
        table = table[rows_of(table, ids)]
    states = Sgp4Catalog.from_gp(table).states(np.array([parse_utc(at)]))
    columns: dict[str, Any] = {"norad_id": table.norad_id}
    for quantity, unit, values in (("", "km", states.r_teme_km), ("v", "km_s", states.v_teme_km_s)):
        columns |= {f"{quantity}{axis}_teme_{unit}": values[:, 0, i] for i, axis in enumerate("xyz")}
    columns["status"] = states.status[:, 0].astype(np.int64)
    emit(columns, form, limit=SHOWN_ROWS)


def show_object(norad_id: int, catalog: Path, settings: Settings, form: str, at: str | None = None) -> None:
    """One object: its newest set, how old, how well its position is known, its orbit and place, its size."""
    catalogue = read_sets(catalog).table
    at_us = window_start(at, catalogue)
    table = catalogue[catalogue.norad_id == norad_id]
    if not len(table):
        raise InputError("no such object in the catalogue", file=catalog, field="norad_id", value=norad_id)
    table = table.newest()
    if form == "omm":
        sys.stdout.buffer.write(write_omm_json(table).encode())
        sys.stdout.flush()
    elif form == "json":
        emit_json(_facts(table, settings, at_us))
    else:
        emit(_two_columns(_facts(table, settings, at_us)), "table", title=f"{norad_id} {table.name[0]}")


def say_where(written: Outputs, result: Assessment) -> None:
    """One line on standard error: where the results are."""
    state = "" if result.complete else "interrupted: the same command continues. "
    if result.stored_before:
        state = f"done before, taken from the store (run {result.run.id}): "
    sys.stderr.write(
        f"{state}{len(result.events):,} approaches, {result.alerts} alerts in {result.seconds:.1f} s. "
        f"Report: {written.report}; events: {written.events}; {len(written.messages)} CDMs: {written.cdm_folder}\n"
    )


def say_verdicts(verdicts: list[Verdict]) -> int:
    """How the demo's results compare with its truth, on standard error; the exit code is 1 when they do not."""
    planted = [one for one in verdicts if one.kind != "natural"]
    wrong = [one for one in verdicts if not one.right]
    sys.stderr.write(
        f"planted: {sum(one.right for one in planted)} of {len(planted)} as they should be; "
        f"not planted: {len(verdicts) - len(planted)}, compared with the sgp4 library; {len(wrong)} verdicts wrong\n"
    )
    for one in wrong:
        sys.stderr.write(f"WRONG {one.kind} {one.norad_id_1} {one.norad_id_2}: {one.words}\n")
    return 1 if wrong else 0


def show_replay(comparisons: list[Comparison], form: Format) -> int:
    """Stored beside recomputed; the exit code is 1 when they differ."""
    columns: dict[str, Any] = {
        "quantity": [one.quantity for one in comparisons],
        "stored": [str(one.stored) for one in comparisons],
        "recomputed": [str(one.again) for one in comparisons],
        "difference": np.array([one.difference for one in comparisons]),
        "tolerance": np.array([one.tolerance for one in comparisons]),
        "same": [one.same for one in comparisons],
    }
    emit(columns, form)
    return 0 if all(one.same for one in comparisons) else 1


def show_stored(settings: Settings, form: Format) -> None:
    """The most probable events of every run in the store, newest run first."""
    with Store.open(settings.store.resolved_url()) as store:
        events = [event for run in store.runs() for event in store.events(run.id, limit=SHOWN_ROWS)]
    _show_events(events, form, "Stored events, the newest run first")


def _two_columns(facts: dict[str, Any]) -> dict[str, list[str]]:
    shown = [
        "-" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value) for value in facts.values()
    ]
    return {"quantity": list(facts), "value": shown}


def _facts(table: GpTable, settings: Settings, at_us: int) -> dict[str, Any]:
    row = table.row(0)
    states = Sgp4Catalog.from_gp(table).states(np.array([at_us]))
    r, v = states.r_teme_km[:, 0], states.v_teme_km_s[:, 0]
    place = None
    if states.status[0, 0] == 0:
        jd, fr = us_to_jd(np.array([at_us]))
        place = itrf_to_geodetic(teme_to_itrf(r[0], v[0], float(jd[0]), float(fr[0]))[0])
    axis_km = np.cbrt(WGS72_MU_KM3_S2 / (row["mean_motion_rev_day"] * TWO_PI / 86400.0) ** 2)
    model = EmpiricalCovariance.load()
    sigma = np.sqrt(np.diagonal(model.cov_rtn_km2(table, np.array([at_us]))[0]))
    bodies = sizes(table, settings)
    facts = {
        "norad_id": row["norad_id"],
        "name": row["name"],
        "object_id": row["object_id"],
        "type": str(bodies.object_type[0]),
        "epoch_utc": format_utc(row["epoch_us"]),
        "at_utc": format_utc(at_us),
        "age_day": (at_us - row["epoch_us"]) / DAY_US,
        "regime": str(regime_of(table)[0]),
        "period_min": 1440.0 / row["mean_motion_rev_day"],
        "perigee_altitude_km": float(axis_km * (1.0 - row["eccentricity"]) - WGS72_RADIUS_KM),
        "apogee_altitude_km": float(axis_km * (1.0 + row["eccentricity"]) - WGS72_RADIUS_KM),
        "inclination_deg": row["inclination_deg"],
        "eccentricity": row["eccentricity"],
        "bstar_per_er": row["bstar_per_er"],
        "latitude_deg": place and float(np.degrees(place.latitude_rad)),
        "longitude_deg": place and float(np.degrees(place.longitude_rad)),
        "altitude_km": place and float(place.height_km),
        "status": int(states.status[0, 0]),
        "sigma_radial_km": float(sigma[0]),
        "sigma_along_track_km": float(sigma[1]),
        "sigma_cross_track_km": float(sigma[2]),
        "sigma_source": model.label,
        "hbr_m": float(bodies.hbr_m[0]),
        "hbr_source": str(bodies.source[0]),
    }
    return {name: None if isinstance(one, float) and not np.isfinite(one) else one for name, one in facts.items()}
