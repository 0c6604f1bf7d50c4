"""Probability of collision on real messages: against NASA CARA's values, beside ssatk and kessler-toolkit.

Peers are optional: `pip install --no-deps --target FOLDER ssatk kessler-toolkit`, FOLDER on PYTHONPATH. Both are asked
for what they have, the 2D probability in the encounter plane; kessler-toolkit also from the file by its own reader.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from orbwatch.catalog.cdm import Cdm, read_cdm
from orbwatch.conjunction.cdm import probabilities
from orbwatch.conjunction.cdm_assess import assess_message
from orbwatch.conjunction.cdm_row import Row, curved_row
from orbwatch.conjunction.encounter import Encounter
from orbwatch.conjunction.monte_carlo import monte_carlo
from orbwatch.conjunction.probability import foster_1992
from orbwatch.conjunction.probability_nc import hall_2021_nc3d
from orbwatch.conjunction.probability_nc2d import hall_2021_nc2d
from orbwatch.conjunction.validity import hall_2023_validity
from orbwatch.settings import RiskSettings

REPEATS = 20
FACTOR = 10.0
"""A value off by more than this from the Monte Carlo estimate misleads."""


@dataclass(frozen=True, eq=False)
class Case:
    """One message with CARA's values."""

    file: Path
    cdm: Cdm
    plane: Encounter
    row: Row
    expected: dict[str, Any]


def cases(data: Path) -> list[Case]:
    """The published events whose messages are there."""
    published = json.loads((data / "reference" / "pc_cara_real_cdms.json").read_text())["cases"]
    found = []
    for case in published:
        file = data / "data" / "cdm" / "cara" / f"{case['id']}.cdm"
        cdm = read_cdm(file)
        flat = probabilities(cdm, defaults=RiskSettings())
        row, lacking = curved_row(cdm, flat)
        if row is None:
            sys.exit(f"{file}: {lacking}")
        found.append(Case(file, cdm, flat.encounter, row, case["expected"]))
    return found


def plane_of(case: Case) -> tuple[np.ndarray, np.ndarray, float]:
    """Miss (m), covariance (m^2) and radius (m) in the encounter plane."""
    plane = case.plane
    cov = 0.5 * (plane.cov_km2[0] + plane.cov_km2[0].T)  # a peer refuses what rounding leaves
    return plane.miss_km[0] * 1e3, cov * 1e6, float(plane.hbr_km[0] * 1e3)


def ours(case: Case, method: str) -> float:
    """Value of one of our methods."""
    if method == "2D":
        plane = case.plane
        return float(foster_1992(plane.miss_km, plane.cov_km2, plane.hbr_km, threads=1)[0])
    validity = hall_2023_validity(*case.row)
    short = hall_2021_nc2d(*case.row, validity)
    if method == "2D-Nc":
        return float(short.pc[0])
    return float(hall_2021_nc3d(*case.row, whole=short.lengthy).pc[0])


def chosen(case: Case) -> float:
    """What `cdm assess` says, by default."""
    found = assess_message(case.cdm, settings=RiskSettings())
    return float("nan") if found["pc"] is None else float(found["pc"])


Peer = tuple[str, Callable[[Case], float]]


def peers() -> tuple[list[Peer], list[str]]:
    """The peers that can be asked, and why others cannot."""
    found: list[Peer] = []
    missing = []
    try:
        from ssatk.ssa.conjunction import probability_of_collision

        found.append((f"ssatk {version('ssatk')}", lambda case: float(probability_of_collision(*plane_of(case)))))
    except ImportError as error:
        missing.append(f"ssatk: {error}")
    try:
        from kessler_toolkit.cdm_parser import parse_cdm_kvn
        from kessler_toolkit.collision_probability import compute_pc, pc_chan, pc_foster
    except ImportError as error:
        missing.append(f"kessler-toolkit: {error}")
        return found, missing
    logging.getLogger("kessler_toolkit").setLevel(logging.ERROR)
    name = f"kessler-toolkit {version('kessler-toolkit')}"

    def from_file(case: Case) -> float:
        read = parse_cdm_kvn(case.file.read_text())
        got = compute_pc(
            miss_m=read.miss_distance_m, hbr_m=plane_of(case)[2], r_rel_m=read.rel_position_rtn_m,
            v_rel_ms=read.rel_velocity_rtn_ms, cov1_m2=read.sat1.cov_rtn_m2, cov2_m2=read.sat2.cov_rtn_m2,
            pc_reported=None,
        )  # fmt: skip
        return float(got.value)

    found.append((f"{name}, `pc_foster`", lambda case: float(pc_foster(*plane_of(case)))))
    found.append((f"{name}, `pc_chan`", lambda case: float(pc_chan(*plane_of(case)))))
    found.append((f"{name}, from the file", from_file))
    return found, missing


def values(call: Callable[[Case], float], events: Sequence[Case]) -> np.ndarray:
    """Of all events; NaN where the call fails."""
    out = np.full(len(events), np.nan)
    for i, case in enumerate(events):
        try:
            out[i] = call(case)
        except (ArithmeticError, ValueError, RuntimeError, TypeError):
            continue
    return out


def line(name: str, got: np.ndarray, events: Sequence[Case]) -> str:
    """A row of the table of errors."""
    truth = {key: np.array([case.expected[key] for case in events]) for key in events[0].expected}
    error = np.abs(got / truth["Pc2D"] - 1.0)
    nc = np.abs(got / truth["Nc3D"] - 1.0)
    inside = (got >= truth["Pc_monte_carlo_95lo"]) & (got <= truth["Pc_monte_carlo_95hi"])
    with np.errstate(divide="ignore", invalid="ignore"):
        off = ~(np.abs(np.log(got / truth["Pc_monte_carlo"])) <= np.log(FACTOR))
    return (
        f"| {name} | {np.nanmedian(error):.1e} | {int((error <= 1e-7).sum())} | {int((nc <= 1e-3).sum())} "
        f"| {int(inside.sum())} | {int(off.sum())} | {int(np.isnan(got).sum())} |"
    )


def cpu_s(call: Callable[[], object], repeats: int = REPEATS) -> float:
    """Processor seconds of a call, the least of some."""
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return float(best)


def together(events: Sequence[Case]) -> Callable[[], object]:
    """All events in one call of ours."""
    miss, cov, hbr = (
        np.concatenate([getattr(case.plane, name) for case in events]) for name in ("miss_km", "cov_km2", "hbr_km")
    )
    return lambda: foster_1992(miss, cov, hbr, threads=1)


def speeds(asked: Sequence[Peer], events: Sequence[Case]) -> list[str]:
    """Rows of processor time an event, as ratios to ours one by one."""

    def each(call: Callable[[Case], float], repeats: int = REPEATS) -> float:
        return cpu_s(lambda: values(call, events), repeats) / len(events)

    unit = each(lambda case: ours(case, "2D"))
    rows = [("orbwatch, 2D, one call an event", unit)]
    rows.append(("orbwatch, 2D, all events in one call", cpu_s(together(events)) / len(events)))
    rows += [(name, each(call)) for name, call in asked]
    rows.append(
        ("orbwatch, test of the 2D assumptions", each(lambda c: float(hall_2023_validity(*c.row).extended[0]), 2))
    )
    rows.append(("orbwatch, these and 2D-Nc", each(lambda case: ours(case, "2D-Nc"), 2)))
    rows.append(("orbwatch, these and 3D-Nc", each(lambda case: ours(case, "3D-Nc"), 2)))
    million = cpu_s(lambda: trials(events[0], 1_000_000), 2)
    rows.append(("orbwatch, Monte Carlo, a million trials of one event", million))
    return [f"| {name} | {seconds * 1e3:.3g} | {seconds / unit:,.3g} |" for name, seconds in rows]


def trials(case: Case, samples: int) -> tuple[float, float]:
    """Our own interval."""
    validity = hall_2023_validity(*case.row)
    got = monte_carlo(*case.row, validity.bottoms, np.array([case.expected["Nc3D"]]), samples=samples, threads=2)
    return float(got.low[0]), float(got.high[0])


def run(data: Path) -> str:
    events = cases(data)
    asked, missing = peers()
    ours(events[0], "3D-Nc")  # compiles
    table = [line(f"orbwatch, {name}", values(lambda case, name=name: ours(case, name), events), events)  # type: ignore[misc]
             for name in ("2D", "2D-Nc", "3D-Nc")]  # fmt: skip
    table.append(line("orbwatch, as `cdm assess` chooses", values(chosen, events), events))
    table += [line(name, values(call, events), events) for name, call in asked]
    own = np.array([case.expected["Nc3D"] for case in events])
    table.append(line("NASA CARA's own 3D-Nc", own, events))
    held = sum(low <= case.expected["Nc3D"] <= high for case in events for low, high in [trials(case, 100_000)])
    lines = [
        "## Probability of collision on real messages",
        "",
        f"{len(events)} real conjunctions published by NASA CARA with their messages, their values of each method and "
        "a Monte Carlo estimate with its 95 % interval (of which two in forty would miss the truth). "
        "Columns: median relative difference to CARA's 2D value; events within 1e-7 of it; within 1e-3 of their 3D-Nc; "
        f"inside their Monte Carlo interval; off by more than {FACTOR:g} times from its middle; no value.",
        "",
        "| what | to 2D, median | 2D within 1e-7 | 3D-Nc within 1e-3 | inside Monte Carlo | off ten times | none |",
        "|---|---|---|---|---|---|---|",
        *table,
        "",
        f"Our own 95 % interval of 100,000 trials holds CARA's 3D-Nc in {held} of {len(events)}.",
        "",
        "| what | processor, ms an event | ratio |",
        "|---|---|---|",
        *speeds(asked, events),
        "",
        "Peers get the encounter plane ready-made (miss, covariance, radius), except where it says from the file: "
        "there the peer reads the message and projects it itself. Neither has 2D-Nc, 3D-Nc, Monte Carlo or a test of "
        "the 2D assumptions.",
        *(f"Not asked: {reason}." for reason in missing),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(run(Path(os.environ.get("ORBWATCH_DATA", "."))), file=sys.stdout)
