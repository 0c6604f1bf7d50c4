"""Delta-v, kind and time of maneuvers, estimated from public element sets, against the operators' own files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from orbwatch.catalog.burns import read_burns
from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import read_history
from orbwatch.learn.judging.maneuver_estimates import EstimateScores, Held, score_estimates
from orbwatch.learn.judging.significance import Interval
from orbwatch.maneuver.estimate import estimate
from orbwatch.maneuver.truth import TrueGaps, true_gaps

BURNS = {
    "CryoSat-2": "cs2man.txt",
    "Jason-1": "ja1man.txt",
    "Jason-2": "ja2man.txt",
    "SARAL": "srlman.txt",
    "Sentinel-3A": "s3aman.txt",
    "Sentinel-6A": "s6aman.txt",
    "Fengyun-2D": "manFY2D.txt.fy",
    "Fengyun-2E": "manFY2E.txt.fy",
    "Fengyun-2F": "manFY2F.txt.fy",
}
_FEW_SETS = 3


def run(data: Path) -> str:
    """The section in Markdown; `data` holds data/maneuvers."""
    folder = data / "data" / "maneuvers"
    known = []
    for name, file in BURNS.items():
        burns = read_burns(folder / "raw" / file)
        table = read_history(folder / f"{name}.tle.xz", ids=[int(burns.norad_id[0])]).table
        known.append((table, true_gaps(table, burns)))
    lines = [
        "Given the gap between element sets in which a true burn lies, or one beside it. Burns in one gap are one "
        "event; those above the least detectable burn (90 %) count. Leave-one-satellite-out: the width of the 90 % "
        "intervals is fitted on the other satellites. 95 % intervals from a bootstrap over satellites.",
        "",
        "| gap | satellites | events | median relative error of the size | in the 90 % interval | kind right | "
        "always the commonest kind | right by axis | median error of the time, h |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for shift, words in ((0, "true"), (1, "one late"), (-1, "one early")):
        held, low = measured(known, shift)
        for regime, of in (("LEO", low), ("GEO", ~low), ("all", np.ones(len(low), bool))):
            lines.append(_row(words, regime, score_estimates(held, of)))
    return "\n".join(lines) + "\n"


def measured(known: list[tuple[GpTable, TrueGaps]], shift: int) -> tuple[Held, np.ndarray]:
    """Estimates given gaps that are `shift` sets from the true ones, and which events are in low orbits."""
    parts, low = [], []
    for table, truth in known:
        use = (truth.row >= _FEW_SETS) & (truth.row < len(table) - _FEW_SETS - 2)
        row = truth.row[use]
        got = estimate(table, row + shift)
        parts.append(
            (
                table.norad_id[row],
                got.dv_rtn_m_s,
                truth.dv_rtn_m_s[use],
                got.sigma_m_s,
                got.detectable_m_s,
                got.kind,
                truth.kind[use],
                (got.epoch_us - truth.epoch_us[use]) / 1e6,
            )
        )
        low.append(table.mean_motion_rev_day[row] > 2.0)
    return Held(*(np.concatenate(column) for column in zip(*parts, strict=True))), np.concatenate(low)


def _row(words: str, regime: str, scores: EstimateScores) -> str:
    def told(value: Interval, digits: int, factor: float = 100.0, unit: str = " %") -> str:
        if not np.isfinite(value.estimate):
            return "not known"
        low, high = (f"{end * factor:.{digits}f}" for end in (value.low, value.high))
        return f"{value.estimate * factor:.{digits}f}{unit} ({low}-{high})"

    cells = [
        told(scores.relative_error, 1),
        told(scores.covered, 1),
        told(scores.kind, 1),
        f"{100.0 * scores.commonest:.1f} %",
        ", ".join(f"{axis.replace('_', ' ')} {100.0 * share:.0f} %" for axis, share in scores.recall.items()),
        told(scores.late_h, 1, 1.0, ""),
    ]
    return f"| {words} | {regime} | {scores.events} | {' | '.join(cells)} |"
