"""The report of a conjunction assessment: what matters first, then every number with where it comes from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orbwatch import __version__
from orbwatch.catalog.store import StoredEvent
from orbwatch.conjunction.assessment import Assessment
from orbwatch.conjunction.risk import RISK_FLAGS, PlaneView, covariance_sources, plane_view
from orbwatch.constants import DAY_US, WGS72_RADIUS_KM
from orbwatch.report import plots
from orbwatch.report.burns_tried import TRIED, burn_facts, burn_figures, burn_of
from orbwatch.report.forecasts import correction, forecast_number, forecast_table, miss_by_sgp4
from orbwatch.report.html import Page, Section, Table
from orbwatch.report.maneuvers_lately import lately_facts, lately_number, lately_table
from orbwatch.settings import Settings
from orbwatch.time import format_utc

LISTED = 1000  # rows of the event table; the CSV beside the report holds all


def page(result: Assessment, truth: Table | None = None, label: str = "") -> Page:
    """The page of a finished run; `truth`, for a simulated catalogue, stands beside the result."""
    inputs, settings = result.inputs, result.settings
    return Page(
        title=f"Conjunction assessment, {_minute(inputs.start_us)} to {_minute(inputs.end_us)} UTC",
        label=label if result.complete else " ".join([label, _incomplete(result)]).strip(),
        lead=_lead(result),
        numbers=[
            (f"{len(inputs.table):,}", "objects, all against all"),
            *forecast_number(result),
            (f"{len(result.events):,}", f"approaches within {_volume(settings)}"),
            (f"{result.watched:,}", f"with Pc ≥ {settings.risk.pc_watch:g}"),
            (f"{result.alerts:,}", f"alerts: Pc ≥ {settings.risk.pc_alert:g}"),
            (f"{len(result.co_moving):,}", "co-moving pairs, listed apart"),
            *lately_number(result),
        ],
        figures=_overview(result),
        tables=[
            *([("Planted and found", truth)] if truth else []),
            ("Approaches, most probable collision first", _listed(result)),
            *([("Co-moving pairs", _co_moving(result))] if result.co_moving else []),
            *lately_table(result),
            *([("Where states and covariances come from", forecast_table(result))] if result.forecasts else []),
        ],
        sections_title="Most probable collisions",
        sections=[
            _section(result, event, burn=number < TRIED)
            for number, event in enumerate(result.ranked[: settings.report.top_events])
        ],
        method=_method(result),
    )  # fmt: skip


def _volume(settings: Settings) -> str:
    box = settings.screen.box_rtn_km
    if settings.screen.reach_km > settings.screen.threshold_km:
        return f"{settings.screen.threshold_km:g} km, or {settings.screen.reach_km:g} km where they may collide"
    if box is None:
        return f"{settings.screen.threshold_km:g} km"
    return f"± {' × '.join(f'{side:g}' for side in box)} km (RTN)"


def _reach_km(settings: Settings) -> float:
    """The largest miss distance there can be."""
    box = settings.screen.box_rtn_km
    return max(settings.screen.reach_km, settings.screen.threshold_km) if box is None else float(np.linalg.norm(box))


def _store_option(settings: Settings) -> str:
    url = settings.store.url
    if url is None:
        return ""
    return f" --store {url}" if url.startswith("sqlite:") else " --store URL"  # a server's holds a password


def _minute(us: int) -> str:
    return format_utc(us, 0)[:16].replace("T", " ")


def _incomplete(result: Assessment) -> str:
    until = result.run.covered_until_us
    return (
        "Interrupted: covered until "
        + (format_utc(until, 0) if until else "nothing yet")
        + ". The same command continues."
    )


def _lead(result: Assessment) -> str:
    if not result.ranked:
        return "No approach within the screening volume in this window, co-moving pairs apart."
    top = result.ranked[0]
    nearest = min(result.ranked, key=lambda event: event.miss_km)
    count = {0: "No event is", 1: "One event is"}.get(result.alerts, f"{result.alerts:,} events are")
    first = f"{count} at or above the alert threshold (Pc {result.settings.risk.pc_alert:g})."
    most = (
        f" Most probable: {_pair(top)}, {format_utc(top.tca_us, 0).replace('T', ' ')} UTC, "
        f"{top.miss_km:.3f} km, Pc {top.pc:.1e}."
        if top.pc
        else ""
    )
    return f"{first}{most} Nearest: {_pair(nearest)} at {nearest.miss_km * 1e3:,.0f} m."


def _pair(event: StoredEvent) -> str:
    return f"{event.name_1 or event.norad_id_1} × {event.name_2 or event.norad_id_2}"


def _overview(result: Assessment) -> list[plots.Spec]:
    inputs, events = result.inputs, result.events
    ages = plots.age_histogram(
        np.abs(inputs.start_us - inputs.table.epoch_us) / DAY_US,
        sum(n for why, n in inputs.left_out.items() if "days from the start" in why),
        result.settings.screen.max_age_day,
    )
    if not events:
        return [ages]
    shown = events[:20_000][::-1]  # the most probable ones, on top; more dots than this only slow the page
    radii = np.linalg.norm([event.payload["r_teme_km"][0] for event in events], axis=1)
    return [
        plots.approaches_in_time(
            [format_utc(event.tca_us, 0) for event in shown],
            np.array([event.miss_km for event in shown]),
            np.array([np.nan if event.pc is None else event.pc for event in shown]),
            [_pair(event) for event in shown],
            _reach_km(result.settings),
        ),
        plots.altitude_histogram(radii - WGS72_RADIUS_KM),
        ages,
    ]


def _listed(result: Assessment) -> Table:
    top = result.settings.report.top_events
    rows = [
        [
            format_utc(event.tca_us, 3).replace("T", " "),
            event.name_1 or str(event.norad_id_1),
            event.name_2 or str(event.norad_id_2),
            event.miss_km,
            *([event.payload.get("sgp4_miss_km")] if result.forecasts else []),
            event.rel_speed_km_s,
            event.pc,
            event.payload.get("pc_maximum"),
            event.payload.get("hbr_m"),
            max(event.payload["age_day"]),
            ", ".join(event.payload.get("flags", [])),
            event.event_key,
        ]
        for event in result.ranked[:LISTED]
    ]
    alone = ["By SGP4, km"] if result.forecasts else []
    more = len(result.ranked) - len(rows)
    note = f"{more:,} less probable approaches are in events.csv beside this file. " if more > 0 else ""
    note += (
        "Pc: foster_1992 over a circle of the combined hard-body radius. Maximum: over all scales of the covariance. "
        f"Covariance: {result.covariance_label}."
    )
    if result.forecasts:
        note += " By SGP4: the miss distance of the nearest approach without the forecaster's correction."
    return Table(
        ["TCA, UTC", "Object 1", "Object 2", "Miss, km", *alone, "Speed, km/s", "Pc", "Pc maximum", "HBR, m",
         "Oldest set, days", "Flags", "Event"],
        rows,
        {"Miss, km": ".3f", "By SGP4, km": ".3f", "Speed, km/s": ".2f", "Pc": ".2e", "Pc maximum": ".2e",
         "HBR, m": ".1f", "Oldest set, days": ".2f"},
        [event.event_key for event in result.ranked[: min(top, LISTED)]] + [None] * max(len(rows) - top, 0),
        note,
    )  # fmt: skip


def _co_moving(result: Assessment) -> Table:
    rows = [
        [
            events[0].name_1 or str(events[0].norad_id_1),
            events[0].name_2 or str(events[0].norad_id_2),
            events[0].miss_km,
            max(event.rel_speed_km_s for event in events) * 1e3,
            len(events),
            format_utc(events[0].tca_us, 0).replace("T", " "),
        ]
        for events in result.co_moving.values()
    ]
    return Table(
        ["Object 1", "Object 2", "Nearest, km", "Speed at most, m/s", "Minima", "Nearest at, UTC"],
        rows,
        {"Nearest, km": ".3f", "Speed at most, m/s": ".2f", "Minima": "d"},
        note="Docked, in formation, or on the same orbit: a 2D probability does not apply, so they raise no alert.",
    )


def _section(result: Assessment, event: StoredEvent, *, burn: bool) -> Section:
    risk = result.settings.risk
    view = plane_view(event)
    pc = event.pc
    words = "no Pc" if pc is None else f"Pc {pc:.1e}"
    level = "" if pc is None else "red" if pc >= risk.pc_alert else "amber" if pc >= risk.pc_watch else "green"
    when = format_utc(event.tca_us, 3).replace("T", " ")
    tried = burn_of(event, risk, result.inputs.start_us) if burn else None
    return Section(
        event.event_key,
        f"{_pair(event)} · {when} UTC · {event.miss_km:.3f} km",
        words,
        level,
        [*_facts(event), *lately_facts(result, event), *burn_facts(tried)],
        [("Probability of collision, by method", _methods(view))],
        [*_figures(event, view), *burn_figures(tried)],
        [f"{flag}: {RISK_FLAGS[flag]}" for flag in event.payload.get("flags", [])],
    )


def _facts(event: StoredEvent) -> list[tuple[str, str]]:
    payload = event.payload
    r, t, n = payload["miss_rtn_km"]
    epochs = [format_utc(us, 0).replace("T", " ") for us in payload["epoch_us"]]
    ages = payload["age_day"]
    sigmas = [np.sqrt(np.diagonal(np.array(cov))) for cov in payload["cov_rtn_km2"]]
    facts = [
        ("Event", event.event_key),
        ("Miss distance", f"{event.miss_km:.4f} km = R {r:+.4f}, T {t:+.4f}, N {n:+.4f} km (RTN of object 1)"),
        ("Relative speed", f"{event.rel_speed_km_s:.3f} km/s"),
        ("Hard-body radius", f"{payload['hbr_m']:g} m combined ({payload['hbr_source']})"),
        *miss_by_sgp4(event),
    ]
    sources = covariance_sources(event)
    if sources[0] == sources[1]:
        facts.append(("Covariance", sources[0]))
    for i, (number, name) in enumerate(((event.norad_id_1, event.name_1), (event.norad_id_2, event.name_2))):
        sr, st, sn = sigmas[i]
        facts.append(
            (
                f"Object {i + 1}",
                f"{f'{number} {name}'.strip()}: elements of {epochs[i]} UTC, {ages[i]:.2f} days before; "
                f"1σ R {sr:.3f}, T {st:.3f}, N {sn:.3f} km",
            )
        )
        if sources[0] != sources[1]:
            facts.append((f"Covariance {i + 1}", sources[i]))
    return facts


def _methods(view: PlaneView) -> Table:
    rows = [[one.method, one.kind, one.pc, ", ".join(one.flags)] for one in view.results]
    return Table(["Method", "Kind", "Pc", "Flags"], rows, {"Pc": ".3e"})


def _figures(event: StoredEvent, view: PlaneView) -> Sequence[plots.Spec]:
    names = (event.name_1 or str(event.norad_id_1), event.name_2 or str(event.norad_id_2))
    return [
        plots.encounter_plane(view.miss_km, view.cov_1_km2, view.cov_2_km2, event.payload["hbr_m"], names),
        plots.pc_against_hbr(view.hbr_m, view.pc_of_hbr, event.payload["hbr_m"]),
        plots.dilution(view.scale, view.pc_of_scale),
    ]


def _method(result: Assessment) -> list[tuple[str, str]]:
    run, inputs, settings = result.run, result.inputs, result.settings
    left_out = "; ".join(f"{n:,} {why}" for why, n in inputs.left_out.items() if n) or "none"
    bad = "; ".join(inputs.rejected[:10])
    if len(inputs.rejected) > 10:
        bad += f"; and {len(inputs.rejected) - 10:,} more"
    return [
        ("Element sets", f"{inputs.table.source or 'given'}: {len(inputs.table):,} used; left out: {left_out}"),
        ("SHA-256 of the sets used", str(run.inputs.get("catalog_sha256", ""))),
        ("Quarantined", bad or "none"),
        ("Propagation", "SGP4/SDP4, WGS-72, TEME (AIAA 2006-6753)" + correction(result)),
        (
            "Screening",
            f"all pairs, every approach within {_volume(settings)}; "
            "time of closest approach refined on the propagator itself",
        ),
        ("Covariance", f"{result.covariance_label}: {result.covariance_caution}"),
        ("Probability", "2D, short encounter (Foster & Estes 1992); it says nothing of maneuvers after the epoch"),
        ("Alert, watch", f"Pc ≥ {settings.risk.pc_alert:g}, Pc ≥ {settings.risk.pc_watch:g}"),
        ("Run", f"{run.id}, {run.status}, key {run.run_key[:16]}, orbwatch {__version__}, {result.seconds:.1f} s"),
        ("Recompute", f"orbwatch replay EVENT{_store_option(settings)}"),
    ]
