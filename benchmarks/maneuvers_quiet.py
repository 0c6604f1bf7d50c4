"""False alarms of the shipped detector on debris and rocket bodies."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.maneuvers_alerts import of_orbit, threshold_at
from benchmarks.maneuvers_left_out import Scored, kept
from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import read_history
from orbwatch.catalog.ids import read_names
from orbwatch.catalog.written import file_hash
from orbwatch.errors import InputError
from orbwatch.learn.judging.detector_matching import RATES_YEAR
from orbwatch.learn.judging.detector_quiet import LEAST_SETS, count_alarms, passive_ids
from orbwatch.learn.samples.catalog_regimes import is_high
from orbwatch.maneuver.detect import detect
from orbwatch.models.maneuver_trees import DETECTOR, ManeuverTrees
from orbwatch.models.registry import find_model
from orbwatch.pipeline_maneuvers import LEAST_PROBABILITY, method_label

TARGET, LEAST_OBJECTS = 1.0, 500
FEWER_SETS = 12
_LEAST = 0.01
_AT_ONCE = 200


def quiet(
    history: Path, model: str | None, scored: dict[bool, list[Scored]], taught: np.ndarray, folder: Path
) -> list[str]:
    """A table in Markdown.

    scored: satellites left out, by mode, which give the thresholds; taught: quiet objects whose histories taught.
    """
    try:
        find_model(model or DETECTOR)
    except InputError as error:
        return [f"Not measured: {error}."]
    names = read_names(history.parent / "objects.tsv")
    table = read_history(history).table
    every = passive_ids(table, names, FEWER_SETS)
    table = table[np.isin(table.norad_id, every)]
    ids = passive_ids(table, names)
    lines = [
        f"Debris and rocket bodies by name with {LEAST_SETS} sets or more, by the detector that ships, at the "
        "thresholds that give the satellites above these false alarms a year when they are left out, and for all "
        "events that are listed. 95 % intervals: objects drawn anew. Taught: the detector learnt from their "
        "histories, too, as they are or with burns put in.",
        "",
        "| mode | objects | number | object-years | "
        + " | ".join(f"false alarms a year, at {rate:g}" for rate in RATES_YEAR)
        + f" | listed ({LEAST_PROBABILITY:g}) | objects with any at 1 |",
        "|---|---|---|---|" + "---|" * (len(RATES_YEAR) + 2),
    ]
    said: list[str] = []
    high = is_high(table)
    groups = {
        "not taught": ids[~np.isin(ids, taught)],
        f"not taught, {FEWER_SETS} sets or more": every[~np.isin(every, taught)],
        "taught": ids[np.isin(ids, taught)],
        "all": ids,
    }
    for causal in (False, True):
        trees = ManeuverTrees.load(model or DETECTOR, causal)
        facts = (method_label(model, causal), file_hash(history), len(every))
        mode = "causal" if causal else "batch"
        found = kept(folder, f"quiet_{mode}", facts, lambda causal=causal, trees=trees: _events(table, trees, causal))  # type: ignore[misc]
        row, chance = found["row"], found["probability"]
        limits = [_limits(trees, scored[causal], rate) for rate in RATES_YEAR]
        for name, mine in groups.items():
            counts = [count_alarms(table, row[chance >= each[high[row].astype(int)]], mine) for each in limits]
            listed = count_alarms(table, row[chance >= LEAST_PROBABILITY], mine)
            single = counts[RATES_YEAR.index(1.0)]
            cells = [f"{one.rate.estimate:.2f} ({one.rate.low:.2f}-{one.rate.high:.2f})" for one in counts]
            lines.append(
                f"| {mode} | {name} | {single.objects:,} | {single.years:.0f} | {' | '.join(cells)} | "
                f"{listed.rate.estimate:.2f} | {single.alarmed:,} |"
            )
            if single.objects >= LEAST_OBJECTS and name.startswith("not"):
                met = single.rate.estimate <= TARGET
                said.append(f"{mode}, {single.objects:,} objects {name}: {'met' if met else 'MISSED'}")
    return [*lines, "", f"Target, {TARGET:g} a year on {LEAST_OBJECTS} objects or more: {'; '.join(said)}."]


def _limits(trees: ManeuverTrees, scored: list[Scored], rate: float) -> np.ndarray:
    """Calibrated probabilities from which events count, in low and high orbits."""
    out = []
    for high in (False, True):
        mine = of_orbit(scored, high)
        chance = np.clip(threshold_at(mine, rate) if mine else 0.5, 1e-12, 1.0 - 1e-12)
        slope, offset = trees.calibration[int(high)]
        out.append(1.0 / (1.0 + np.exp(-(slope * np.log(chance / (1.0 - chance)) + offset))))
    return np.array(out)


def _events(table: GpTable, trees: ManeuverTrees, causal: bool) -> dict[str, np.ndarray]:
    """Rows and probabilities of events, some objects at a time."""
    starts = np.flatnonzero(np.append(True, table.norad_id[1:] != table.norad_id[:-1]))
    rows, chances = [], []
    for k in range(0, len(starts), _AT_ONCE):
        first, last = int(starts[k]), int(starts[k + _AT_ONCE]) if k + _AT_ONCE < len(starts) else len(table)
        found = detect(table[first:last], trees, causal, _LEAST)
        rows.append(found.row + first)
        chances.append(found.probability)
    return {"row": np.concatenate(rows), "probability": np.concatenate(chances)}
