"""The page of a what-if: what a burn would change, what is the smallest that helps, and what else it would meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orbwatch import __version__
from orbwatch.conjunction.what_if import DYNAMICS, LABEL, Event, Surface
from orbwatch.conjunction.what_if_least import Least, way_back
from orbwatch.conjunction.what_if_secondary import Checked, Maneuver, Meeting, Secondary
from orbwatch.report.html import Page, Section, Table
from orbwatch.report.what_if_plots import least_lines, miss_map, probability_map
from orbwatch.time import format_utc

SHOWN_HOURS = (1.0, 2.0, 4.0, 6.0, 9.0, 12.0, 18.0, 24.0, 36.0, 48.0, 72.0)


@dataclass(frozen=True)
class Tried:
    """What one burn does to the event itself."""

    maneuver: Maneuver
    miss_km: float
    pc: float
    """NaN without a covariance."""


@dataclass(frozen=True, eq=False)
class WhatIf:
    """Everything that was looked at for one event."""

    surface: Surface
    smallest: Sequence[Least]
    """Forwards, backwards."""
    own_pc: float
    """The event's own probability, without a burn."""
    own_miss_km: float
    back_h: float
    """Time after the closest approach within which the object is to be back in its slot."""
    secondary: Secondary | None
    why_not: str
    """Why nothing was screened again, if so."""
    doubt: str = ""
    """What speaks against the numbers, in a sentence."""
    why_burning: str = ""
    """Why the first object is the one that burns."""
    cut: str = ""
    """Which of the times asked for are not shown, and why, in a sentence."""
    left_out: str = ""
    """Which objects are not met, in a sentence."""
    reach_m_s: float = np.inf
    """What the maps show at first of the delta-v, either way."""
    tried: tuple[Tried, ...] = ()
    """Burns that were asked for."""

    @property
    def event(self) -> Event:
        """What a burn is tried on."""
        return self.surface.event


def page(made: WhatIf) -> Page:
    """The page; it says at the top that it supports a decision and is not one."""
    event, surface = made.event, made.surface
    when = format_utc(event.tca_us, 3).replace("T", " ")
    tables = [(f"Smallest burns for Pc ≤ {made.smallest[0].threshold:g}", least_table(made))]
    if made.secondary is not None:
        tables.append(("What the moved object would meet", secondary_table(made.secondary)))
    return Page(
        title=f"What if {event.names[0]} burns? {event.names[0]} × {event.names[1]}, {when} UTC",
        label=LABEL,
        lead=" ".join([lead(made), *conditions(made)]),
        numbers=[
            (f"{made.own_pc:.1e}" if np.isfinite(made.own_pc) else "–", "Pc without a burn (foster_1992, circle)"),
            (f"{made.own_miss_km:.3f} km", "miss without a burn"),
            *[(f"{least_words(one)}", f"smallest burn {way}") for one, way in
              zip(made.smallest, ("forwards", "backwards"), strict=True)],
        ],
        figures=[
            probability_map(surface, made.smallest, wide=True, reach_m_s=made.reach_m_s),
            miss_map(surface, reach_m_s=made.reach_m_s),
            least_lines(made.smallest),
        ],
        tables=tables,
        sections_title="Maneuvers screened again",
        sections=[] if made.secondary is None else [_section(one, made.secondary) for one in made.secondary.checked],
        method=[
            ("Burn", "impulsive, along the transverse axis (T of RTN) of the object, at the given time"),
            ("Paths", f"{DYNAMICS}; off by 0.1 % of the displacement in low orbits over two days"),
            ("The other object", "stays on its path"),
            ("Probability", f"foster_1992 over a circle of {event.hbr_m:g} m ({event.hbr_source}), 2D, short"),
            ("Covariance", " / ".join(dict.fromkeys(event.cov_sources)) + "; each in its own RTN, as in the event"),
            ("Execution error", f"{100 * surface.execution_error:g} % of the burn" if surface.execution_error else
             "none: a burn that comes out differently is not in the numbers"),
            ("Cost of returning", "linear, circular orbit: undone after the closest approach; and back in the slot "
             f"within {made.back_h:g} h of it by a larger burn back and a third one"),
            ("Screened again", "no: " + made.why_not if made.secondary is None else
             f"until {format_utc(made.secondary.until_us, 0)} UTC, below {made.secondary.threshold_km:g} km; "
             f"the burned state as an element set; covariance: {made.secondary.covariance_label}"),
            ("Made by", f"orbwatch {__version__}, event {event.key}"),
        ],
    )  # fmt: skip


def least_words(one: Least) -> str:
    """The smallest burn over all times, in words."""
    if np.isnan(one.dv_m_s).all():
        return "none in range"
    best = int(np.nanargmin(np.abs(one.dv_m_s)))
    if one.dv_m_s[best] == 0.0:
        return "none needed"
    return f"{100.0 * abs(one.dv_m_s[best]):.2g} cm/s, {one.lead_h[best]:.3g} h before"


def lead(made: WhatIf) -> str:
    """What matters, in two sentences."""
    threshold = made.smallest[0].threshold
    doubt = f" {made.doubt}" if made.doubt else ""
    if not np.isfinite(made.own_pc):
        return "Without a covariance there is no probability: the map of the miss distance is what there is."
    if made.own_pc <= threshold:
        already = f"below {threshold:g} already: for that no burn is needed"
        return f"Without a burn Pc is {made.own_pc:.1e} (2D), {already}.{doubt}"
    words = [f"{way} {least_words(one)}" for one, way in zip(made.smallest, ("forwards", "backwards"), strict=True)]
    return f"Pc is {made.own_pc:.1e} (2D). The smallest burn that takes it to {threshold:g}: {'; '.join(words)}.{doubt}"


def conditions(made: WhatIf) -> list[str]:
    """Who burns and why; what burns that were asked for do; the times and objects that are left out. Sentences."""
    words = [f"{made.event.names[0]} burns" + (f": {made.why_burning}." if made.why_burning else ".")]
    tried = [_tried_words(one) for one in made.tried]
    return words + tried + [one for one in (made.cut, none_words(made), made.left_out) if one]


def _tried_words(one: Tried) -> str:
    pc = f", Pc {one.pc:.1e}" if np.isfinite(one.pc) else ""
    return f"With {name_of(one.maneuver)}, the miss is {one.miss_km:.3f} km{pc}."


def none_words(made: WhatIf) -> str:
    """At which of the table's times no burn of the range is enough; empty if at none."""
    parts = []
    for one, way, sign in zip(made.smallest, ("forwards", "backwards"), (1.0, -1.0), strict=True):
        hours = [one.lead_h[row] for row in _shown(one) if not np.isfinite(one.dv_m_s[row])]
        reach = float((sign * made.surface.dv_m_s).max())
        if hours and reach > 0.0 and np.isfinite(made.own_pc):
            parts.append(f"{way} up to {reach:.2g} m/s at {', '.join(f'{hour:.3g}' for hour in hours)} h before")
    return f"No burn is enough {'; '.join(parts)}." if parts else ""


def least_table(made: WhatIf) -> Table:
    """The smallest burns at some times, with what they lead to and what coming back costs."""
    rows = []
    for one in made.smallest:
        for row in _rows(one):
            dv, hour = float(one.dv_m_s[row]), float(one.lead_h[row])
            if dv == 0.0:  # none is needed
                continue
            back = way_back(dv, hour, made.back_h)
            found = one.found
            rows.append(
                [
                    hour, dv, float(found.miss_km[row]), float(found.pc[row]),
                    float(found.pc_maximum[row]), bool(found.diluted[row]), float(found.shift_s[row]), back.orbit_m_s,
                    back.slot_m_s, back.left_km,
                ]
            )  # fmt: skip
    heads = [
        "Hours before", "Delta-v, m/s", "Miss, km", "Pc", "Pc maximum", "Diluted", "TCA later by, s",
        "Back on the orbit, m/s", f"And in its slot in {made.back_h:g} h, m/s", "Left behind, km",
    ]  # fmt: skip
    note = (
        "Costs of coming back are totals, the burn included. Pc maximum: over all sizes of the covariance. Diluted: a "
        f"smaller covariance would give a larger Pc. {LABEL}"
    )
    return Table(
        heads,
        rows,
        dict(zip(heads, (".3g", "+.4f", ".3f", ".1e", ".1e", "", "+.2f", ".4f", ".4f", "+.1f"), strict=True)),
        note=note,
    )


def _rows(one: Least) -> list[int]:
    return [row for row in _shown(one) if np.isfinite(one.dv_m_s[row])]


def _shown(one: Least) -> list[int]:
    shown = {int(np.abs(one.lead_h - hour).argmin()) for hour in SHOWN_HOURS
             if one.lead_h.min() <= hour <= one.lead_h.max()}  # fmt: skip
    return sorted(shown | {int(one.lead_h.argmax())})  # the earliest is the cheapest, as a rule


def highest(meetings: Sequence[Meeting]) -> float:
    """The highest probability; NaN without one."""
    return max((one.pc for one in meetings if one.pc is not None), default=float("nan"))


def secondary_table(found: Secondary) -> Table:
    """A row a maneuver, the unmoved object first."""

    def row(name: str, meetings: Sequence[Meeting], error_km: float) -> list[object]:
        new = [one for one in meetings if one.new]
        return [
            name, len(meetings), len(new), min((one.miss_km for one in meetings), default=float("nan")),
            highest(meetings), highest(new), error_km * 1e3,
        ]  # fmt: skip

    rows = [row("no burn" if found.has_event else "no burn (without the event)", found.baseline, float("nan"))]
    rows += [row(name_of(one.maneuver), one.meetings, one.refit_error_km) for one in found.checked]
    heads = ["Maneuver", f"Approaches below {found.threshold_km:g} km", "New ones", "Nearest, km", "Highest Pc",
             "Highest Pc of new ones", "Orbit's error at the event, m"]  # fmt: skip
    return Table(heads, rows, dict(zip(heads[1:], ("d", "d", ".3f", ".1e", ".1e", ".0f"), strict=True)), note=(
        f"Until {format_utc(found.until_us, 0)} UTC. {whose_words(found) or 'Highest Pc counts the event itself.'} "
        "Orbit's error: between the screened element set and the path of the maps, at the event."
    ))  # fmt: skip


def whose_words(found: Secondary) -> str:
    """Where the event itself is not what the screening met: what it met instead; empty otherwise."""
    if found.has_event and not found.from_message:
        return ""
    others = "as the catalogue has them, the event's other one too" if found.from_message else "those of the catalogue"
    missing = "" if found.has_event else "; the event itself is not among the approaches, with or without a burn"
    return f"The objects met are {others}{missing}."


def name_of(one: Maneuver) -> str:
    """The maneuver in words."""
    return f"{one.dv_m_s:+.4f} m/s, {one.lead_h:.3g} h before"


def _section(one: Checked, found: Secondary) -> Section:
    most = sorted(one.meetings, key=lambda meeting: -(meeting.pc or 0.0))[:50]
    rows = [
        [format_utc(m.tca_us, 0).replace("T", " "), m.name, m.norad_id, m.miss_km, m.rel_speed_km_s, m.pc, m.new]
        for m in most
    ]
    heads = ["TCA, UTC", "Other object", "Number", "Miss, km", "Speed, km/s", "Pc", "New"]
    table = Table(heads, rows, {"Number": "d", "Miss, km": ".3f", "Speed, km/s": ".2f", "Pc": ".1e"})
    worst = highest(one.meetings)
    new = sum(m.new for m in one.meetings)
    return Section(
        f"burn{one.maneuver.dv_m_s:+.4f}at{one.maneuver.lead_h:g}",
        name_of(one.maneuver),
        f"{new} new below {found.threshold_km:g} km" + (f", highest Pc {worst:.1e}" if np.isfinite(worst) else ""),
        "",
        [("Screened orbit", f"{one.refit_error_km * 1e3:.0f} m from the path of the maps at the event")],
        [("Approaches, most probable first", table)],
    )
