"""How predicted misses change until the end, and whether the chances of a close miss made from that are calibrated."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from orbwatch.conjunction.expected_miss import CHANGE_M, LEAD_DAY, SHARE, p_miss_below
from orbwatch.constants import DAY_US

EDGES_DAY = np.array([0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.1])
FITTED, JUDGED = 0.6, 0.8
"""Shares of the predictions in order of time: between them the table is made, after the second it is judged."""
BELOW_KM = (0.2, 0.5, 1.0)
BINS = np.array([0.0, 0.002, 0.01, 0.05, 0.2, 0.5, 0.8, 1.0])
MOST = 20_000


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions of approaches of which it is known what became of them."""

    tca_us: np.ndarray
    lead_day: np.ndarray
    miss_km: np.ndarray
    final_km: np.ndarray
    change_km: np.ndarray
    """Of the miss vector, across the relative velocity."""

    def part(self, rows: np.ndarray) -> Predictions:
        """Some of them."""
        return Predictions(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def predictions(file: Path) -> Predictions:
    """Those made before the approach, of events with a prediction after it."""
    frame = pl.read_parquet(file).sort("norad1", "norad2", "tca", "generated")
    tca, made = (frame[name].cast(pl.Datetime("us")).dt.epoch("us").to_numpy() for name in ("tca", "generated"))
    one, two = (frame[name].to_numpy() for name in ("norad1", "norad2"))
    r, v = (np.stack([frame[f"{c}{axis}"].to_numpy() for axis in "xyz"], axis=1).astype(float) for c in "rv")
    new = (one[1:] != one[:-1]) | (two[1:] != two[:-1]) | (np.diff(tca) > 600_000_000)
    event = np.concatenate([[0], np.cumsum(new)])
    order = np.lexsort((made, event))
    last = np.full(int(event[-1]) + 1, -1)
    last[event[order]] = order  # the one written last stays
    final = last[event]
    lead = (tca - made) / DAY_US
    speed = np.linalg.norm(v[final], axis=1)
    known = (lead > 0.0) & (lead[final] < 0.0) & (speed > 0.0)
    along = v[final][known] / speed[known, None]
    moved = (r[final] - r)[known]
    moved -= np.sum(moved * along, axis=1)[:, None] * along
    miss = np.linalg.norm(r, axis=1)
    return Predictions(tca[known], lead[known], miss[known], miss[final][known], np.linalg.norm(moved, axis=1))


def table(given: Predictions) -> np.ndarray:
    """Quantiles of the change, m, by lead."""
    return np.array(
        [
            np.quantile(given.change_km[(given.lead_day >= low) & (given.lead_day < high)], SHARE) * 1e3
            for low, high in pairwise(EDGES_DAY)
        ]
    )


def run(data: Path) -> str:
    every = predictions(data / "data" / "conjunctions" / "derelict_conjunctions_2016_2019.parquet")
    start, end = np.quantile(every.tca_us, [FITTED, JUDGED])
    made = table(every.part((every.tca_us >= start) & (every.tca_us < end)))
    judged = every.part((every.tca_us >= end) & (every.miss_km < 3.0) & (every.lead_day > 0.5))
    some = np.random.default_rng(1).permutation(len(judged.tca_us))[:MOST]
    judged = judged.part(np.sort(some))
    off_m = float(np.abs(made - CHANGE_M).max())
    lines = [
        "## How near the final miss may come",
        "",
        "Predicted approaches of derelicts: how far the miss vector moved, across the relative velocity, until after "
        "the fact. The packaged table (`conjunction/expected_miss.py`) is made of the predictions between "
        f"{FITTED:.0%} and {JUDGED:.0%} of the time; made again, its numbers differ by {off_m:.1f} m at most. Below: "
        f"chances of a final miss below a distance, made from it, on {MOST:,} later predictions below 3 km, and how "
        "often that came true.",
        "",
        "| days ahead | 50 % below, m | 90 % below, m | 99 % below, m |",
        "|---|---|---|---|",
    ]
    half, most, nearly = (int(np.argmin(np.abs(SHARE - share))) for share in (0.5, 0.9, 0.99))
    for day, row in zip(LEAD_DAY, made, strict=True):
        lines.append(f"| {day:g} | {row[half]:.0f} | {row[most]:.0f} | {row[nearly]:,.0f} |")
    heads = [f"{low:g}-{high:g}" for low, high in pairwise(BINS)]
    lines += [
        "",
        f"| chance said | {' | '.join(heads)} | Brier | that of the latest miss |",
        "|---" * (len(heads) + 3) + "|",
    ]
    for below in BELOW_KM:
        said = p_miss_below(judged.miss_km, judged.lead_day, below)
        came = judged.final_km < below
        cells = []
        for low, high in pairwise(BINS):
            inside = (said >= low) & ((said < high) | (high == 1.0))
            cells.append(
                f"{said[inside].mean():.3f}: {came[inside].mean():.3f} ({inside.sum():,})" if inside.any() else ""
            )
        brier = np.mean((said - came) ** 2)
        latest = np.mean(((judged.miss_km < below).astype(float) - came) ** 2)
        lines.append(f"| below {below * 1e3:.0f} m | {' | '.join(cells)} | {brier:.4f} | {latest:.4f} |")
    lines += ["", "Cells: mean chance said: share that came true (number)."]
    return "\n".join(lines)


if __name__ == "__main__":
    print(run(Path(os.environ.get("ORBWATCH_DATA", "."))), file=sys.stdout)
