"""Assessed messages as a page: how serious each event is and why, how it came to that, what the value rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from orbwatch.conjunction.category import CATEGORIES, limits
from orbwatch.conjunction.cdm_changes import length
from orbwatch.conjunction.cdm_curves import Curves, curves_of
from orbwatch.conjunction.cdm_event import Told
from orbwatch.conjunction.choice import SHORT
from orbwatch.errors import InputError
from orbwatch.progress import Progress, silent
from orbwatch.report.html import Figure, Page, Section, Table
from orbwatch.report.message_plots import miss_figure, pc_figure, time_figure
from orbwatch.report.message_words import COLUMN, PLANE, by_event, event_columns, message_columns, title_of
from orbwatch.report.plots import dilution, pc_against_hbr
from orbwatch.settings import RiskSettings

Entry = Mapping[str, Any]

MOST = 60
"""Events with plots."""

_LEAST_SHARE = 1e-12
"""Of the largest probability over the size of the covariance: less is not drawn."""

_BADGES = {"low": "green", "medium": "amber", "high": "red", "critical": "red"}
_FORMATS = {
    "messages": "d", "lead d": ".2f", "to TCA d": ".2f", "miss m": ",.0f", PLANE: ".1f", "Pc": ".1e",
    **dict.fromkeys(COLUMN.values(), ".2e"),
}  # fmt: skip


def page(told: Sequence[Told], settings: RiskSettings, hbr_m: float | None = None, progress: Progress = silent) -> Page:
    """The page of all events, the most serious first; curves are those of each event's last message."""
    messages = {id(entry): one for one, entry in told}
    events = by_event([entry for _, entry in told])
    sections = []
    for i, group in enumerate(events[:MOST]):
        progress("curves of the events", i / len(events[:MOST]))
        curves = None
        cdm = messages[id(group[-1])].cdm
        if cdm is not None:
            try:
                curves = curves_of(cdm, settings=settings, hbr_m=hbr_m)
            except (InputError, ArithmeticError, ValueError):
                curves = None  # the assessment of such a message says what is wrong with it
        sections.append(_section(f"event-{i}", group, curves, settings))
    progress("curves of the events", 1.0)
    last = [group[-1] for group in events]
    counts = {name: sum(entry["category"] == name for entry in last) for name in reversed(CATEGORIES)}
    one = len(events) == 1
    return Page(
        title=title_of(last[0]) if one else f"{len(events):,} conjunctions from {len(told):,} messages",
        label="",
        lead=_lead(last),
        numbers=_numbers(last[0]) if one else [(f"{count:,}", name) for name, count in counts.items() if count],
        figures=[],
        tables=[] if one else [("Events", _event_table(events))],
        sections_title="" if one else "Events, the most serious first",
        sections=sections,
        method=_method(settings),
    )  # fmt: skip


def _lead(last: Sequence[Entry]) -> str:
    first = last[0]
    if len(last) == 1:
        return f"{_capital(first['category_reason'])}. {_capital(first['reason'])}."
    serious = sum(CATEGORIES.index(entry["category"]) >= CATEGORIES.index("high") for entry in last)
    return (
        f"{serious:,} of high or critical risk. The most serious: {title_of(first)}; {first['category_reason']}."
        if serious
        else "None of high or critical risk."
    )


def _numbers(entry: Entry) -> list[tuple[str, str]]:
    found = [(entry["category"], "category")]
    if entry["pc"] is not None:
        found.append((f"{entry['pc']:.1e}", f"probability of collision, {SHORT[entry['chosen']]}"))
    if entry["miss_m"] is not None:
        found.append((length(entry["miss_m"]), "miss distance"))
    if entry["mahalanobis_plane"] is not None:
        found.append((f"{entry['mahalanobis_plane']:.1f}", "sigmas away, in the encounter plane"))
    if entry["lead_day"] is not None:
        found.append((f"{entry['lead_day']:.1f} d", "before, at the last message"))
    return found


def _event_table(events: Sequence[Sequence[Entry]]) -> Table:
    return _table(event_columns(events), [f"event-{i}" if i < MOST else None for i in range(len(events))], events)


def _table(columns: Mapping[str, Any], links: Sequence[str | None], events: Sequence[Sequence[Entry]]) -> Table:
    values = [np.asarray(each).tolist() for each in columns.values()]
    rows = [list(row) for row in zip(*values, strict=True)]
    formats = {name: spec for name, spec in _FORMATS.items() if name in columns}
    for row, group in zip(rows, events, strict=True):
        row[0] = f"{row[0]}"
        if links:
            row[0] = " · ".join(group[-1]["objects"]) + f" · {group[-1]['tca_utc'][:16].replace('T', ' ')}"
    return Table(columns=list(columns), rows=rows, formats=formats, links=links)


def _section(anchor: str, group: Sequence[Entry], curves: Curves | None, settings: RiskSettings) -> Section:
    last = group[-1]
    figures: list[Figure] = []
    if last["miss_rtn_m"] is not None:
        figures.append(miss_figure(group))
    if any(one["pc"] is not None for entry in group for one in entry["results"]):
        figures.append(pc_figure(group, settings))
    if curves is not None:
        if np.isfinite(curves.pc_of_hbr).any():
            figures.append(pc_against_hbr(curves.hbr_m, curves.pc_of_hbr, curves.used_hbr_m))
            shown = curves.pc_of_scale > _LEAST_SHARE * np.nanmax(curves.pc_of_scale)
            figures.append(dilution(curves.scale[shown], curves.pc_of_scale[shown]))
        if len(curves.in_time.t_s) > 1:
            figures.append(time_figure(curves.in_time))
    tables = [("Messages", _table(message_columns(group), (), [[entry] for entry in group]))]
    tables.append(("Probabilities at the last message", _results(last)))
    return Section(
        anchor=anchor,
        heading=title_of(last),
        badge=last["category"],
        badge_class=_BADGES.get(last["category"], ""),
        facts=_facts(last),
        tables=tables,
        figures=figures,
        notes=[*last["notes"], *(f"{one['file']}: {text}" for one in group[:-1] for text in one["warnings"])],
    )


def _facts(last: Entry) -> list[tuple[str, str]]:
    facts = [("Category", last["category_reason"]), ("Method", last["reason"])]
    if last["changes"] is not None:
        facts.append(("Since the last message", last["changes"]["words"]))
    if last["trend"] is not None:
        facts.append(("Pc over the last three messages", last["trend"]))
    if last["largest"] is not None:
        facts.append(("Largest", last["largest"]["words"]))
    if last["hbr_m"] is not None:
        facts.append(("Hard-body radius", f"{last['hbr_m']:g} m, {last['hbr_source']}"))
    if last["rel_speed_m_s"] is not None:
        facts.append(("Relative speed", f"{last['rel_speed_m_s']:,.1f} m/s"))
    left = last["to_tca_day"]
    when = f"in {left:.2f} days" if left >= 0.0 else f"{-left:,.2f} days ago"
    facts.append(("Closest approach", f"{when}, when this was made"))
    return [*facts, ("File", last["file"])]


def _results(last: Entry) -> Table:
    rows = []
    for one in last["results"]:
        interval = "" if one["interval"] is None else f"{one['interval'][0]:.3e} to {one['interval'][1]:.3e}"
        rows.append([SHORT[one["method"]], one["pc"], interval, ", ".join(one["flags"])])
    for one in last["shared_density_error"]:
        name = f"{SHORT[one['method']]}, with the density error that both share"
        rows.append([name, one["pc"], "", ", ".join(one["flags"])])
    return Table(columns=["method", "Pc", "95 %", "flags"], rows=rows, formats={"Pc": ".6e"})


def _method(settings: RiskSettings) -> list[tuple[str, str]]:
    watch, alert, critical = limits("pc", settings)
    close = limits("close", settings)
    falls = f"when the risk was {settings.hold_factor:g} times below its threshold in {settings.hold_messages} messages"
    chances = ", ".join(f"{one:g}" for one in close)
    return [
        ("Categories", f"medium from Pc {watch:g}, high from {alert:g}, critical from {critical:g}; without a "
         f"probability from the chance of a final miss below {settings.close_km:g} km: {chances}"),
        ("Rising and falling", f"a category rises at once, and falls {falls} one after another"),
        ("Method", "the cheapest whose assumptions hold: 2D, 2D-Nc, 3D-Nc, Monte Carlo"),
        ("Plane sigmas", "Mahalanobis distance of the miss in the encounter plane, which straight paths depend on"),
        ("Curves", "over the hard-body radius and the size of the covariance: 2D; in time: 3D-Nc, two-body motion"),
    ]  # fmt: skip


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
