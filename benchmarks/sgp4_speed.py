"""Whole-catalogue SGP4 beside the `sgp4` library, astroz and heyoka, in turn in the same run.

Every engine makes positions and velocities of all objects at 30 instants a minute apart, into arrays of its own. Ratios
of processor time count all threads, so another process on the machine does not change them much; wall time is what two
threads gain.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
from jaxtyping import Float
from sgp4.api import Satrec, SatrecArray

from orbwatch.catalog.files import read_gp_text
from orbwatch.catalog.opened import open_text
from orbwatch.constants import DAY_US
from orbwatch.propagate.sgp4 import Sgp4Catalog

INSTANTS, ROUNDS, JD_1970 = 30, 9, 2440587.5

Positions = Float[np.ndarray, "n m 3"]
Engine = Callable[[], Positions]


def run(data: Path) -> str:
    """The section in Markdown; `data` holds data/catalog_snapshots."""
    text = open_text(next((data / "data" / "catalog_snapshots").glob("20250415*")))
    lines = [line for line in text.splitlines() if line[:2] in ("1 ", "2 ")]
    satrecs = {satrec.satnum: (satrec, pair) for pair, satrec in _satrecs(lines)}
    table = read_gp_text(text).table
    table = table[np.isin(table.norad_id, list(satrecs))]
    start_us = int(np.median(table.epoch_us))
    deep = Sgp4Catalog.from_gp(table).deep_space
    out = [
        "## SGP4 of a whole catalogue",
        f"\nPublic catalogue of 2025-04-15, {len(table):,} objects, {deep.mean():.1%} of them in deep space (SDP4), "
        f"{INSTANTS} instants from the median epoch; medians of {ROUNDS} rounds in turn. Speed as a multiple of the "
        f"`sgp4` library {version('sgp4')} (SatrecArray, one thread); difference of positions from it where both "
        "answer, states past re-entry (status 8) left out.\n",
        "| objects | engine | processor time, x sgp4 | wall time, x sgp4 | largest difference, mm |",
        "|---|---|---|---|---|",
    ]
    for name, part in (("near-Earth", table[~deep]), ("all", table)):
        chosen = [satrecs[int(number)] for number in part.norad_id]
        engines = _engines(Sgp4Catalog.from_gp(part), chosen, start_us, near=name == "near-Earth")
        out += [f"| {name} | {row} |" for row in _compare(engines)]
    return "\n".join(out)


def _satrecs(lines: list[str]) -> list[tuple[tuple[str, str], Satrec]]:
    pairs = [(a, b) for a, b in zip(lines[::2], lines[1::2], strict=True) if a[2:7] == b[2:7]]
    return [(pair, Satrec.twoline2rv(*pair)) for pair in pairs]


def _engines(
    catalog: Sgp4Catalog, chosen: list[tuple[Satrec, tuple[str, str]]], start_us: int, near: bool
) -> dict[str, Engine]:
    offsets_s = np.arange(INSTANTS) * 60.0
    times_us = start_us + (offsets_s * 1e6).astype(np.int64)
    jd, fr = times_us // DAY_US + JD_1970, times_us % DAY_US / DAY_US
    array = SatrecArray([satrec for satrec, _ in chosen])

    def library() -> Positions:
        status, r, _ = array.sgp4(jd, fr)
        r[status != 0] = np.nan
        return r

    def ours(threads: int) -> Positions:
        return catalog.nodes(start_us, offsets_s, threads)[0][:, :3].transpose(2, 0, 1)

    engines: dict[str, Engine] = {"sgp4": library, "orbwatch, 1 thread": lambda: ours(1)}
    if (os.cpu_count() or 1) > 1:
        engines["orbwatch, 2 threads"] = lambda: ours(2)
    if importlib.util.find_spec("astroz"):
        from astroz.api import Satrec as AstrozSatrec
        from astroz.api import SatrecArray as AstrozArray

        astroz = AstrozArray([AstrozSatrec.twoline2rv(*pair) for _, pair in chosen])
        engines[f"astroz {version('astroz')}"] = lambda: astroz.sgp4(jd, fr)[1]
    if near and importlib.util.find_spec("heyoka"):
        import heyoka

        propagator = heyoka.model.sgp4_propagator([satrec for satrec, _ in chosen])
        dates = np.empty((INSTANTS, len(chosen)), dtype=propagator.jdtype)
        dates["jd"], dates["frac"] = jd[:, None], fr[:, None]
        engines[f"heyoka {version('heyoka')}"] = lambda: propagator(dates)[:, :3].transpose(2, 0, 1)
    return engines


def _compare(engines: dict[str, Engine]) -> list[str]:
    """Rows of the table: all engines in turn, several rounds, each against the first engine of the same round."""
    truth = engines["sgp4"]()
    truth[np.isnan(engines["orbwatch, 1 thread"]())] = np.nan
    worst = {name: np.nanmax(np.abs(engine() - truth)) * 1e6 for name, engine in engines.items()}
    cpu: dict[str, list[float]] = {name: [] for name in engines}
    wall: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(ROUNDS):
        for name, engine in engines.items():
            cpu_s, wall_s = time.process_time(), time.perf_counter()
            engine()
            cpu[name].append(time.process_time() - cpu_s)
            wall[name].append(time.perf_counter() - wall_s)

    def gain(times: dict[str, list[float]], name: str) -> float:
        return median(a / b for a, b in zip(times["sgp4"], times[name], strict=True))

    return [f"{name} | {gain(cpu, name):.1f} | {gain(wall, name):.1f} | {worst[name]:.3g}" for name in engines]


if __name__ == "__main__":
    print(run(Path(os.environ["ORBWATCH_DATA"])))
