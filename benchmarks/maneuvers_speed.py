"""How long a search of a whole history for maneuvers takes, and gaps per second against maneuver-detect."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.maneuvers_peer import detect
from orbwatch.catalog.gp import GpTable
from orbwatch.pipeline_maneuvers import find_maneuvers

THREADS = 2
LIMIT_S = 120.0
QUIET_LOAD = 1.0
_EVERY_S = 0.5


@dataclass(frozen=True)
class Search:
    """`orbwatch maneuvers --all`, as a process of its own."""

    sets: int
    objects: int
    events: int
    wall_s: float
    cpu_s: float
    """Of the process and those that it starts."""
    peak_mb: float
    """All of them together; what they share counts once."""


def busy() -> str | None:
    """Why nothing should be timed now."""
    load = os.getloadavg()[0]
    return f"the machine is busy (load {load:.1f})" if load >= QUIET_LOAD else None


def search(history: Path, model: str | None) -> Search:
    """Of every object of a history, with compiled code in place."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.parquet"
        few = Path(folder) / "few.txt"
        few.write_text("25544\n20580\n")
        given = ["maneuvers", "--history", str(history), "--format", "parquet", "--output", str(found)]
        given += ["--threads", str(THREADS)] + ([] if model is None else ["--model", model])
        command = [sys.executable, "-c", "from orbwatch.cli import main; main()", *given]
        subprocess.run([*command, "--ids", str(few)], check=True, capture_output=True)
        begin = time.perf_counter()
        child = subprocess.Popen([*command, "--all"], start_new_session=True, stderr=subprocess.DEVNULL)
        peak_mb, used, status = 0.0, None, 0
        while used is None:
            time.sleep(_EVERY_S)
            peak_mb = max(peak_mb, _session_mb(child.pid))
            done, status, taken = os.wait4(child.pid, os.WNOHANG)
            used = taken if done else None
        wall_s = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise subprocess.CalledProcessError(child.returncode, child.args)
        events = len(pl.read_parquet(found))
    sets, objects = pl.scan_parquet(history).select(pl.len(), pl.col("norad").n_unique()).collect().row(0)
    return Search(sets, objects, events, wall_s, used.ru_utime + used.ru_stime, peak_mb)


def gaps_per_cpu_s(table: GpTable, series: list[Any], model: str | None) -> tuple[float, float]:
    """Ours and maneuver-detect's, in turn on the same satellites, twice; the better of each.

    Ours: evidence, probabilities, estimates and patterns of a history that has been read. Theirs: the classical
    detector with types and delta-v, on series that have been put together.
    """
    gaps = len(table) - len(series)
    ours, theirs = [], []
    for _ in range(2):
        begin = time.process_time()
        find_maneuvers(table, model)
        ours.append(time.process_time() - begin)
        begin = time.process_time()
        for one in series:
            detect(one)
        theirs.append(time.process_time() - begin)
    return gaps / min(ours), gaps / min(theirs)


def _session_mb(leader: int) -> float:
    """Proportional memory of a session's processes, MB."""
    total_kb = 0.0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if os.getsid(int(entry.name)) == leader:
                rows = (line.split() for line in (entry / "smaps_rollup").read_text().splitlines())
                total_kb += sum(float(row[1]) for row in rows if row[0] == "Pss:")
    return total_kb / 1024.0
