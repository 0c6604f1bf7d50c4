"""Maneuvers before an assessment's window: words and a table for its report."""

from __future__ import annotations

import math

from orbwatch.catalog.store import StoredEvent
from orbwatch.catalog.store_maneuvers import StoredManeuver
from orbwatch.conjunction.assessment import Assessment
from orbwatch.constants import DAY_US
from orbwatch.report.forecast_words import age_text
from orbwatch.report.html import Table
from orbwatch.report.maneuver_sizes import size_cells
from orbwatch.report.maneuver_words import KIND_WORDS, LIKELY, ago_text, burn_text, pattern_text, when_text

_NAMED = 2


def lately_number(result: Assessment) -> list[tuple[str, str]]:
    """How many of the objects that matter maneuvered, for the top of the page; nothing where nobody looked."""
    lately = result.lately
    if lately is None or not lately.words:
        return []
    count = len({one.norad_id for one in lately.maneuvers if one.probability >= LIKELY})
    return [(f"{count:,}", f"of the {len(lately.words):,} objects shown maneuvered in the {lately.days:g} days before")]


def lately_facts(result: Assessment, event: StoredEvent) -> list[tuple[str, str]]:
    """What both objects of an event did before the window; nothing where nobody looked."""
    lately = result.lately
    if lately is None:
        return []
    facts = []
    for i, number in enumerate((event.norad_id_1, event.norad_id_2)):
        if number in lately.words:
            likely = [one for one in lately.of(number) if one.probability >= LIKELY]
            facts.append((f"Maneuvers {i + 1}", _words(likely, result)))
            facts.append((f"Pattern {i + 1}", lately.words[number]))
    return facts


def _words(likely: list[StoredManeuver], result: Assessment) -> str:
    at_us = result.inputs.start_us
    if not likely:
        return f"none found in the {result.lately.days:g} days before the window" if result.lately else ""
    told = [f"{ago_text(one.epoch_us, at_us)} ({_burn(one)})" for one in likely[:_NAMED]]
    more = f", and {len(likely) - _NAMED} more" if len(likely) > _NAMED else ""
    return f"maneuvered {', '.join(told)}{more}"


def _burn(one: StoredManeuver) -> str:
    return burn_text(one.dv_m_s, _sigma(one), one.kind, one.probability)


def _sigma(one: StoredManeuver) -> float:
    return math.nan if one.dv_sigma_m_s is None else one.dv_sigma_m_s


def lately_table(result: Assessment) -> list[tuple[str, Table]]:
    """The likely ones with what is known of each, the newest first; no table where there is none."""
    lately = result.lately
    likely = [] if lately is None else [one for one in lately.maneuvers if one.probability >= LIKELY]
    if lately is None or not likely:
        return []
    names = {
        number: name
        for event in result.events
        for number, name in ((event.norad_id_1, event.name_1), (event.norad_id_2, event.name_2))
    }
    rows = [
        [
            one.norad_id,
            names.get(one.norad_id, ""),
            when_text(one.epoch_us),
            age_text((result.inputs.start_us - one.epoch_us) / DAY_US),
            one.probability,
            KIND_WORDS.get(one.kind, one.kind),
            *size_cells(one.dv_m_s, _sigma(one)),
            pattern_text(one.pattern),
        ]
        for one in sorted(likely, key=lambda one: -one.epoch_us)
    ]
    table = Table(
        ["Object", "Name", "About, UTC", "Before the window", "Probability", "What it did", "Delta-v, m/s", "± m/s",
         "Pattern"],
        rows,
        {"Object": "d", "Probability": ".2f", "Delta-v, m/s": ".4f", "± m/s": ".4f"},
        note=f"Of the objects whose events are shown below and of all alerts, with p ≥ {LIKELY:g}. `orbwatch "
        "maneuvers` lists the others.",
    )  # fmt: skip
    return [(f"Maneuvers in the {lately.days:g} days before", table)]
