"""One object's maneuvers as a page: its life in a sentence, its timeline, every burn, and the truth where known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from orbwatch.catalog.burns import Burns
from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.maneuver.found import Maneuvers
from orbwatch.maneuver.patterns import Pattern
from orbwatch.maneuver.timeline import timeline
from orbwatch.report.forecast_words import age_text, share_text
from orbwatch.report.html import Figure, Page, Table
from orbwatch.report.maneuver_plots import rhythm_figure, sizes_figure, timeline_figure
from orbwatch.report.maneuver_sizes import size_cells, speed_text, usual_text
from orbwatch.report.maneuver_truth import Matched, matched, truth_sentence, truth_table
from orbwatch.report.maneuver_words import (
    KIND_WORDS,
    LIKELY,
    every_text,
    life_lines,
    next_words,
    pattern_text,
    when_text,
)

if TYPE_CHECKING:
    from orbwatch.models.maneuver_told import ToldPattern


def page(
    table: GpTable,
    found: Maneuvers,
    life: Pattern,
    least_m_s: Float[np.ndarray, "3"],
    name: str,
    method: str,
    burns: Burns | None = None,
    told: ToldPattern | None = None,
) -> Page:
    """The page of one object.

    table: its sets, ordered; found: its maneuvers; least_m_s: delta-v along R, T, N above which nine of ten are seen;
    method: how they were found; burns: true ones; told: what the classifier says.
    """
    line = timeline(table)
    truth = None if burns is None else matched(found, burns, table)
    lines = life_lines(table, found, life, least_m_s, told)
    sentences = [f"{one[0].upper()}{one[1:]}." for one in lines]
    if truth is not None:
        sentences.append(truth_sentence(truth, table))
    figures: list[Figure] = [timeline_figure(line, found, life, truth)]
    if (found.probability >= LIKELY).sum() > 2:
        figures += [rhythm_figure(found, life), sizes_figure(found)]
    tables = [("Maneuvers", _events(found))] if len(found) else []
    if truth is not None and len(truth.burns):
        tables.append(("True burns beside what was found", truth_table(truth)))
    first, last = when_text(int(table.epoch_us[0]))[:10], when_text(int(table.epoch_us[-1]))[:10]
    return Page(
        title=f"{f'{line.norad_id} {name}'.strip()}: maneuvers, {first} to {last}",
        label="",
        lead=" ".join(sentences),
        numbers=_numbers(table, found, life, truth, least_m_s),
        figures=figures,
        tables=tables,
        sections_title="",
        sections=[],
        method=[
            ("element sets", f"{len(table):,}, {line.regime}; the newest of {when_text(int(table.epoch_us[-1]))} UTC"),
            ("found by", method),
            ("probability", "that there was a maneuver between the two sets, calibrated on other satellites"),
            ("delta-v", "along radial, transverse (in-track) and normal; ±: one standard deviation of its size"),
            ("residuals", "each set against SGP4 from the set before it: a burn between them shows as a step"),
            ("lag", "the first sets after a burn are still fitted over it: epochs can be a day off, sizes too small"),
        ],
    )


def _numbers(
    table: GpTable, found: Maneuvers, life: Pattern, truth: Matched | None, least_m_s: Float[np.ndarray, "3"]
) -> list[tuple[str, str]]:
    likely = found.take(found.probability >= LIKELY)
    numbers = [(f"{len(likely):,}", f"maneuvers with p ≥ {LIKELY:g}; {len(found) - len(likely):,} less likely ones")]
    numbers.append((pattern_text(life.name), "pattern"))
    if len(likely):
        ago_day = (int(table.epoch_us[-1]) - int(likely.epoch_us.max())) / DAY_US
        numbers.append((age_text(ago_day), "from the last one to the newest set"))
        if (usual := usual_text(likely.size_m_s(), likely.dv_sigma_m_s)) != "-":
            numbers.append((usual, "their usual delta-v (median)"))
    if life.rhythm is not None:
        numbers.append((every_text(life), "from one to the next"))
    numbers += [(words.removeprefix("next expected "), "next expected") for words in next_words(life)]
    if np.isfinite(least_m_s[1]):
        numbers.append((speed_text(float(least_m_s[1])), "in-track delta-v above which nine of ten are seen"))
    if truth is not None and len(truth.burns):
        hits = int((truth.burn[truth.likely] >= 0).sum())
        numbers.append((share_text(hits / len(truth.burns)), f"of {len(truth.burns)} true burns among p ≥ {LIKELY:g}"))
        numbers.append((f"{int(truth.false[truth.likely].sum()):,}", f"false alarms among p ≥ {LIKELY:g}"))
    return numbers


def _events(found: Maneuvers) -> Table:
    """Every maneuver, the newest first; numbers as numbers, so that the columns sort."""
    newest = found.take(np.argsort(-found.epoch_us, kind="stable"))
    size = newest.size_m_s()
    rows = [
        [
            when_text(int(newest.epoch_us[i])),
            (int(newest.end_us[i]) - int(newest.start_us[i])) / DAY_US * 24.0,
            float(newest.probability[i]),
            KIND_WORDS.get(str(newest.kind[i]), str(newest.kind[i])),
            *size_cells(float(size[i]), float(newest.dv_sigma_m_s[i])),
            *(float(one) if one else None for one in np.round(newest.dv_rtn_m_s[i], 4)),
            pattern_text(str(newest.pattern[i])),
        ]
        for i in range(len(newest))
    ]
    return Table(
        ["About, UTC", "Between sets, h", "Probability", "What it did", "Delta-v, m/s", "± m/s", "R, m/s", "T, m/s",
         "N, m/s", "Pattern"],
        rows,
        {"Between sets, h": ".0f", "Probability": ".2f", "Delta-v, m/s": ".4f", "± m/s": ".4f", "R, m/s": "+.4f",
         "T, m/s": "+.4f", "N, m/s": "+.4f"},
    )  # fmt: skip
