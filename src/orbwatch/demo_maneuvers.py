"""The demo's maneuvers: simulated satellites that keep their orbits, what was planted beside what is found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from orbwatch.catalog.written import write_atomically
from orbwatch.maneuver.found import Maneuvers
from orbwatch.pipeline_maneuvers import find_maneuvers, life_of, method_label
from orbwatch.report.html import Table, render
from orbwatch.report.maneuver_page import page
from orbwatch.report.maneuver_truth import matched, truth_table
from orbwatch.report.maneuver_words import LIKELY
from orbwatch.simulate.kept import Kept, kept
from orbwatch.simulate.population import EPOCH_US

LABEL = "Simulated satellites: no object on this page is real, and every true burn is known."


@dataclass(frozen=True)
class Told:
    """How what was found compares with what was planted."""

    planted: int
    found: int
    false: int
    page: Path

    def words(self) -> str:
        """In a line."""
        return (
            f"maneuvers planted in 90 days of history: {self.found} of {self.planted} found, {self.false} false alarms"
            f"; {self.page}"
        )


def run(output: Path, seed: int) -> Told:
    """Simulates histories up to the demo's day, looks for maneuvers, and writes a page beside the report."""
    truth = kept(seed, EPOCH_US)
    found = find_maneuvers(truth.table)
    likely = found.take(found.probability >= LIKELY)
    rows, hits, false = _compared(truth, likely)
    first = truth.table[truth.table.norad_id == truth.table.norad_id[0]]
    number, name = int(first.norad_id[0]), str(first.name[0])
    one = page(first, found.of(number), *life_of(first, found.of(number)), name, method_label(None, False), truth.burns)
    every = replace(one, label=LABEL, tables=[*one.tables, ("All simulated satellites", rows)])
    write_atomically(output / "maneuvers.html", render(every).encode())
    return Told(len(truth.burns), hits, false, output / "maneuvers.html")


def _compared(truth: Kept, likely: Maneuvers) -> tuple[Table, int, int]:
    rows: list[list[object]] = []
    hits = false = 0
    table = Table([], [])
    for number in np.unique(truth.table.norad_id).tolist():
        both = matched(likely.of(number), truth.burns, truth.table[truth.table.norad_id == number])
        table = truth_table(both)
        rows += [[number, *row] for row in table.rows]
        hits, false = hits + int((both.burn >= 0).sum()), false + int(both.false.sum())
    note = f"Found with p ≥ {LIKELY:g}. The last satellite never burns."
    return Table(["Object", *table.columns], rows, {"Object": "d", **table.formats}, note=note), hits, false
