r"""Maneuvers found in public element sets: recall, false alarms, types, delays, quiet objects, speed; against a peer.

The peer is optional, and only the peer's rows and rules are left out without it: `pip install maneuver-detect==0.3.0`.
Its classical detector and its scorer need none of the torch, lightning, datasets and astropy that this brings, so that
`pip install --no-deps maneuver-detect==0.3.0` and `pip install pandas sgp4 httpx platformdirs` do.

What is slow (models without one satellite at a time; events on quiet objects) is kept under out/, file by file, and not
made again. To try it on few satellites with small models:

    python -m benchmarks.maneuvers --satellites Sentinel-6A,SARAL,Fengyun-2D,Fengyun-2E --models 1 --trees 20 \
        --lives - --quiet - --parts found,alerts

What teaches beside satellites with true burns must be what taught the shipped detector: ORBWATCH_LIVES names the folder
of simulated histories (`orbwatch dataset maneuvers`; built if not given), ORBWATCH_QUIET the history of objects that
cannot maneuver (none if not given).
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np

from benchmarks import maneuvers_peer as peer
from benchmarks.maneuvers_alerts import alerts
from benchmarks.maneuvers_known import BATCH, KEPT, PARTS, Known, Plan
from benchmarks.maneuvers_left_out import Scored, say
from benchmarks.maneuvers_quiet import quiet
from benchmarks.maneuvers_speed import LIMIT_S, THREADS, busy, gaps_per_cpu_s, search
from benchmarks.maneuvers_told import Figures, figures
from orbwatch.catalog.gp import GpTable
from orbwatch.learn.judging.detector_board import above_noise
from orbwatch.learn.judging.detector_matching import RATES_YEAR
from orbwatch.learn.samples.gap_rows import Satellite
from orbwatch.settings_groups import DetectorSettings

ORBITS = {"LEO": False, "GEO": True}
_BY_TIME = (
    "By time: an event is a burn's when its gap's middle is within a day of it, and a false alarm when it is two days "
    "or more from every burn; types are those of the burns found at one false alarm, raising and lowering as one (of "
    "how many; what always saying in-track would get right)."
)
_BY_GAP = (
    "By maneuver-detect's own matcher, labels and metrics: an event is a burn's when its gap's middle lies in the "
    "burn's gap between sets or in one beside it; every other event is a false alarm, a second one of a burn too. Own "
    "floor: the burns that count by its rule."
)
_LISTED = (
    "With the times of the lists as published (Shorten et al.), all burns: in LEO they are one day late, in GEO eight "
    "hours. An event at its gap's middle, or when the set comes that ends the gap (`epoch_utc` of the command)."
)
_LISTED_HEAD = (
    "| orbit | detector | by time: recall at 1, middle | end | best F1, middle | end | by maneuver-detect: recall at "
    "1, middle | end | best F1, middle | end |"
)
_GOALS = {"LEO": (0.75, 0.72), "GEO": (0.68, 0.70)}


def run(data: Path, plan: Plan | None = None) -> str:
    """The section in Markdown; `data` holds data/maneuvers and data/gp_history."""
    plan = plan or Plan(lives=_given("ORBWATCH_LIVES"), quiet=_given("ORBWATCH_QUIET"))
    known = Known(data, plan)
    orbits = {orbit: high for orbit, high in ORBITS.items() if known.of(high)}
    lines = ["## Maneuvers", "", _lead(known, orbits)]
    if "found" in plan.parts:
        lines += _found(known, orbits)
    scored: dict[bool, list[Scored]] = {}
    if {"alerts", "quiet"} & {*plan.parts}:
        scored = {causal: [one for high in orbits.values() for one in known.leave.boosted(causal, high)]
                  for causal in (False, True)}  # fmt: skip
    if "alerts" in plan.parts:
        lines += ["", "### Alerts as sets arrive", "", *alerts(scored)]
    history = data / "data" / "gp_history" / "gp_history_2026.parquet"
    if "quiet" in plan.parts:
        lines += ["", "### Objects that cannot maneuver", "", *quiet(history, plan.model, scored, known.taught(), KEPT)]
    if "speed" in plan.parts:
        lines += ["", "### Speed", "", *_speed(history, known, plan)]
    return "\n".join(lines)


def _lead(known: Known, orbits: dict[str, bool]) -> str:
    counts = "; ".join(
        f"{orbit}: {len(mine)} satellites, {sum(len(one.burns) for one in mine)} burns, "
        f"{sum(int(above_noise(one).sum()) for one in mine)} of them above the noise"
        for orbit, mine in ((orbit, known.of(high)) for orbit, high in orbits.items())
    )
    absent = peer.missing()
    return (
        f"Satellites whose operators publish their burns, {len(known.table):,} public sets about once a day. {counts} "
        "(one axis of the burn exceeds what would be seen in the object with 90 %, or its size is not known). Boosted "
        "trees and timing only: each satellite by models that never saw it. 95 % intervals: Wilson's; false alarms "
        f"per satellite-year.{known.unlike()}{'' if absent is None else f' maneuver-detect is left out: {absent}.'}"
    )


def _found(known: Known, orbits: dict[str, bool]) -> list[str]:
    """Three tables: our rules, those of maneuver-detect, and the lists' times."""
    head = " | ".join(f"recall at {rate:g}" for rate in RATES_YEAR)
    head = f"| orbit | detector | {head} | precision at 1 | recall at 1, all burns | type right (of; in-track) |"
    head += " best F1, all burns |"
    ours = ["", _BY_TIME, "", head, "|---" * 9 + "|"]
    theirs = ["", _BY_GAP, "", f"{head} recall at 1, own floor |", "|---" * 10 + "|"]
    lists = ["", _LISTED, "", _LISTED_HEAD, "|---" * 10 + "|"]
    goals = []
    for orbit, high in orbits.items():
        mine = known.of(high)
        true, above = [one.burns for one in mine], [above_noise(one) for one in mine]
        listed = [known.listed_of(one) for one in mine]
        all_listed = [np.ones(len(each), bool) for each in listed]
        floor = [known.above_their_floor(one) for one in mine] if peer.missing() is None else []
        for name, told in known.told(high).items():
            say(f"{orbit}, {name}")
            row = figures(told, true, above)
            ours.append(f"| {orbit} | {name} | {_cells(row)} |")
            if name == BATCH:
                goals.append(_goal(orbit, row))
            late = [figures(each, listed, all_listed) for each in (told, [one.at_end() for one in told])]
            cells = [f"{one.recall[1][0]:.3f}" for one in late] + [f"{one.f1:.3f}" for one in late]
            if floor:
                own = peer.score(told, true, floor)
                theirs.append(
                    f"| {orbit} | {name} | {_cells(peer.score(told, true, above))} | {_share(own.recall[1])} |"
                )
                other = [peer.score(each, listed, all_listed) for each in (told, [one.at_end() for one in told])]
                cells += [f"{one.recall[1][0]:.3f}" for one in other] + [f"{one.f1:.3f}" for one in other]
            else:
                cells += ["-"] * 4
            lists.append(f"| {orbit} | {name} | {' | '.join(cells)} |")
    return ["", " ".join(goals), *ours, *(theirs if len(theirs) > 5 else []), *lists]


def _goal(orbit: str, row: Figures) -> str:
    recall, f1 = _GOALS[orbit]
    met = row.recall[1][0] >= recall and row.precision >= 0.75 and row.f1 >= f1
    return (
        f"{orbit}, targets recall {recall} with precision 0.75 at one false alarm, F1 {f1}: "
        f"{row.recall[1][0]:.3f} with {row.precision:.3f}, {row.f1:.3f}: {'met' if met else 'MISSED'}."
    )


def _cells(row: Figures | peer.Theirs) -> str:
    cells = [*(_share(each) for each in row.recall), f"{row.precision:.3f}", f"{row.recall_all:.3f}"]
    return " | ".join([*cells, f"{row.axis:.3f} ({row.axes}; {row.along:.3f})" if row.axes else "-", f"{row.f1:.3f}"])


def _share(of: tuple[float, float, float]) -> str:
    return f"{of[0]:.3f} ({of[1]:.2f}-{of[2]:.2f})"


def _speed(history: Path, known: Known, plan: Plan) -> list[str]:
    reason = None if plan.anyway else busy()
    if reason:
        say(reason)
        return [f"Not measured: {reason}. `./run bench maneuvers` again when it is idle; the rest is kept."]
    taken = search(history, plan.model)
    lines = [
        f"`orbwatch maneuvers --all` on {taken.sets:,} sets of {taken.objects:,} objects, {THREADS} processes, from "
        f"reading the file to {taken.events:,} written events: {taken.wall_s:.0f} s, {taken.cpu_s:.0f} s of processor, "
        f"at most {taken.peak_mb:,.0f} MB in all. Target {LIMIT_S:.0f} s: "
        f"{'met' if taken.wall_s <= LIMIT_S else 'MISSED'}."
    ]
    if peer.missing() is None:
        every: list[Satellite] = [one for high in ORBITS.values() for one in known.of(high)]
        table = GpTable.concat(sorted((one.table for one in every), key=lambda own: int(own.norad_id[0])))
        ours, theirs = gaps_per_cpu_s(table, [known.series(one) for one in every], plan.model)
        lines.append(
            f"Gaps of the {len(every)} satellites per second of processor, one thread, from element sets in memory to "
            f"events with types and delta-v: {ours / theirs:.1f} times those of {peer.name()}'s classical detector."
        )
    return lines


def _given(name: str) -> Path | None:
    return Path(os.environ[name]) if name in os.environ else None


def _arguments() -> Plan:
    parser = argparse.ArgumentParser(description="Prints the section; does not change BENCHMARKS.md.")
    parser.add_argument("--satellites", help="names, parted by commas")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--models", type=int, default=DetectorSettings.detector_models)
    parser.add_argument("--trees", type=int, default=DetectorSettings.detector_trees)
    parser.add_argument("--lives", type=Path, default=_given("ORBWATCH_LIVES"), help="simulated histories; -: none")
    parser.add_argument("--quiet", type=Path, default=_given("ORBWATCH_QUIET"), help="history that is quiet; -: none")
    parser.add_argument("--model", help="detector for quiet objects and speed")
    parser.add_argument("--anyway", action="store_true", help="time it though the machine is busy")
    given = parser.parse_args()
    settings = DetectorSettings(detector_models=given.models, detector_trees=given.trees)
    names = tuple(given.satellites.split(",")) if given.satellites else None
    parts = tuple(given.parts.split(","))
    return Plan(names, settings, parts, given.lives, given.quiet, given.model, given.anyway)


if __name__ == "__main__":
    print(run(Path(os.environ["ORBWATCH_DATA"]), _arguments()))
