"""The leaderboard of detectors of maneuvers, each satellite judged by models that never saw it.

Truth is what operators' files say, in UTC. A burn counts as above the noise when one axis of its change of velocity
exceeds what would be seen in that object with 90 % (`maneuver.scatter`), or when the file has no numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import expit

from orbwatch.catalog.burns import Burns
from orbwatch.catalog.gp import GpTable
from orbwatch.learn.judging.detector_left_out import (
    LEAST_SATELLITES,
    LeftOut,
    boosted,
    left_out,
    threshold_odds,
    timing_only,
)
from orbwatch.learn.judging.detector_matching import RATES_YEAR, Matched, match
from orbwatch.learn.judging.detector_teachers import Teachers
from orbwatch.learn.samples.catalog_regimes import is_high
from orbwatch.learn.samples.gap_rows import Satellite, satellites
from orbwatch.learn.samples.gaps import LOOKAHEAD
from orbwatch.maneuver.scatter import minimum_detectable_m_s
from orbwatch.models.maneuver_trees import MODES, ORBITS
from orbwatch.progress import Progress, silent
from orbwatch.settings_groups import DetectorSettings
from orbwatch.uncertainty.calibration import reliability
from orbwatch.uncertainty.class_scores import platt

LEAST = 0.05
"""Events below this are not told of."""
_BINS = 10


@dataclass(frozen=True)
class BoardRow:
    """One detector on the satellites of one kind of orbit."""

    detector: str
    orbit: str
    satellites: int
    years: float
    burns: int
    """Burns above the noise; `recall_all` is of all."""
    all_burns: int
    recall: tuple[float, ...]
    """At `RATES_YEAR` false alarms per satellite-year, of burns above the noise."""
    recall_low: float
    """95 % interval at one a year."""
    recall_high: float
    precision: float
    recall_all: float
    f1: float
    """Best over thresholds, all burns within a day."""
    ece: float | None
    """Of the events' probabilities, made with the other satellites; None without any of `LEAST`."""


def above_noise(one: Satellite) -> Bool[np.ndarray, " b"]:
    """Which of a satellite's burns should be seen."""
    least = minimum_detectable_m_s(one.table)[1][0]
    size = np.abs(one.burns.dv_rtn_m_s)
    return np.asarray((size >= least).any(axis=1) | np.isnan(size).any(axis=1))


def board_row(detector: str, orbit: str, found: list[LeftOut]) -> BoardRow:
    """Figures of one detector."""
    every = Matched.join([_matched(one, None) for one in found])
    seen = Matched.join([_matched(one, above_noise(one.satellite)) for one in found])
    points = [seen.at_rate(rate) for rate in RATES_YEAR]
    single = points[RATES_YEAR.index(1.0)]
    low, high = single.recall_interval
    chance = np.concatenate([fair_probability(found, i) for i in range(len(found))])
    true = np.concatenate([one.true for one in found])
    told = chance >= LEAST
    ece = reliability(chance[told], true[told], _BINS).ece() if told.any() else None
    recall = tuple(float(point.recall) for point in points)
    alone = every.at_rate(1.0)
    return BoardRow(
        detector, orbit, len(found), round(every.years, 1), seen.burns, every.burns, recall, low, high,
        alone.precision, alone.recall, every.best_f1(), ece,
    )  # fmt: skip


def fair_probability(found: list[LeftOut], i: int) -> Float[np.ndarray, " d"]:
    """Of the events of a satellite, calibrated on those of the others."""
    others = [one for k, one in enumerate(found) if k != i]
    slope, offset = platt(np.concatenate([one.odds for one in others]), np.concatenate([one.true for one in others]))
    return np.asarray(expit(slope * found[i].odds + offset))


def _matched(one: LeftOut, scored: Bool[np.ndarray, " b"] | None) -> Matched:
    return match(one.seen.epoch_us, one.seen.probability, one.satellite.burns.middle_us, scored)


def judge_detectors(
    table: GpTable, burns: Burns, teachers: Teachers, settings: DetectorSettings, progress: Progress = silent
) -> list[BoardRow]:
    """Every detector on every satellite of a history whose burns are known, by kind of orbit.

    Beside boosted trees (with all sets, and with those that were there soon after): one that learns nothing, and one
    that sees only how long the gaps are, which is what can be had without looking at the orbit.
    """
    rows = []
    for mode in MODES:
        causal = mode == "causal"
        lookahead = LOOKAHEAD if causal else None
        progress(f"evidence, {mode}", 0.5 * causal)
        known = satellites(table, burns, lookahead)
        for high, (orbit, more) in enumerate(zip(ORBITS, teachers.rows(lookahead, settings), strict=True)):
            mine = [one for one in known if bool(is_high(one.table[:1])[0]) == bool(high)]
            if len(mine) < LEAST_SATELLITES:
                continue
            rivals = {f"boosted trees, {mode}": boosted(more, settings)}
            if not causal:
                rivals = {"threshold": threshold_odds, "timing only": timing_only(settings)} | rivals
            for name, odds in rivals.items():
                progress(f"{name}, {orbit}", 0.5 * causal + 0.25 * high)
                rows.append(board_row(name, orbit, left_out(mine, odds)))
    progress("detectors", 1.0)
    return rows
