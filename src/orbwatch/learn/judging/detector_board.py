"""The leaderboard of detectors of maneuvers, each satellite judged by models that never saw it.

Truth is what operators' files say, in UTC. A burn counts as above the noise when one axis of its change of velocity
exceeds what would be seen in that object with 90 % (`maneuver.scatter`), or when the file has no numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from orbwatch.learn.judging.detector_left_out import LeftOut
from orbwatch.learn.judging.detector_matching import RATES_YEAR, Matched, match
from orbwatch.learn.samples.gap_rows import Satellite
from orbwatch.maneuver.scatter import minimum_detectable_m_s
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
    ece: float
    """Of the events' probabilities, made with the other satellites."""


def above_noise(one: Satellite) -> Bool[np.ndarray, " b"]:
    """Which of a satellite's burns should be seen."""
    least = minimum_detectable_m_s(one.table)[1][0]
    size = np.abs(one.burns.dv_rtn_m_s)
    return np.asarray((size >= least).any(axis=1) | np.isnan(size).any(axis=1))


def board_row(detector: str, orbit: str, found: list[LeftOut], causal: bool = False) -> BoardRow:
    """Figures of one detector."""
    every = Matched.join([_matched(one, None) for one in found])
    seen = Matched.join([_matched(one, above_noise(one.satellite)) for one in found])
    points = [seen.at_rate(rate) for rate in RATES_YEAR]
    single = points[RATES_YEAR.index(1.0)]
    low, high = single.recall_interval
    chance = np.concatenate([fair_probability(found, i) for i in range(len(found))])
    true = np.concatenate([one.true for one in found])
    told = chance >= LEAST
    ece = reliability(chance[told], true[told], _BINS).ece()
    return BoardRow(
        detector, orbit, len(found), every.years, seen.burns, every.burns, tuple(point.recall for point in points),
        low, high, every.at_rate(1.0).precision, every.at_rate(1.0).recall, every.best_f1(), ece,
    )  # fmt: skip


def fair_probability(found: list[LeftOut], i: int) -> Float[np.ndarray, " d"]:
    """Of the events of a satellite, calibrated on those of the others."""
    others = [one for k, one in enumerate(found) if k != i]
    slope, offset = platt(np.concatenate([one.odds for one in others]), np.concatenate([one.true for one in others]))
    return np.asarray(1.0 / (1.0 + np.exp(-(slope * found[i].odds + offset))))


def _matched(one: LeftOut, scored: Bool[np.ndarray, " b"] | None) -> Matched:
    return match(one.seen.epoch_us, one.seen.probability, one.satellite.burns.middle_us, scored)
