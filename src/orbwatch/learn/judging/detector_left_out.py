"""Each satellite judged by models that never saw it: leave one out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import expit

from orbwatch.constants import DAY_US
from orbwatch.learn.samples.gap_rows import GapRows, Satellite, join_rows
from orbwatch.learn.samples.gaps import COLUMNS
from orbwatch.learn.training.detector_boosting import fit_models, log_odds
from orbwatch.maneuver.detect import Detections, by_threshold, events
from orbwatch.settings_groups import DetectorSettings

Odds = Callable[[list[Satellite], Satellite], Float[np.ndarray, " g"]]
"""Log-odds of the gaps of the second, from models taught by the first."""

LEAST = 0.005
"""Events below this are left out."""
LEAST_SATELLITES = 2

_TIMES = [COLUMNS.index(name) for name in ("gap_day", "gap_before_day", "gap_after_day")]


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Events of a satellite from models that never saw it."""

    satellite: Satellite
    seen: Detections
    """Their probabilities as the models give them."""
    odds: Float[np.ndarray, " d"]

    @property
    def true(self) -> Bool[np.ndarray, " d"]:
        """Whether there was a burn within a day of the gap's middle."""
        return is_near(self.seen.epoch_us, self.satellite.burns.middle_us, DAY_US)


def is_near(epoch_us: Int[np.ndarray, " d"], true_us: Int[np.ndarray, " b"], within_us: int) -> Bool[np.ndarray, " d"]:
    """Which instants have one of others (ascending) within so long."""
    after = np.searchsorted(true_us, epoch_us)
    away = [np.abs(epoch_us - true_us[np.clip(after - k, 0, len(true_us) - 1)]) for k in (0, 1)]
    return np.asarray(np.minimum(*away) <= within_us)


def boosted(more: GapRows | None, settings: DetectorSettings) -> Odds:
    """Gradient boosting on real satellites, and what teaches beside them."""

    def odds(others: list[Satellite], one: Satellite) -> Float[np.ndarray, " g"]:
        models = fit_models(join_rows([each.rows() for each in others]), more, settings)
        return log_odds(models, one.gaps.features)

    return odds


def timing_only(settings: DetectorSettings) -> Odds:
    """The floor: boosting on nothing but how far sets are from each other."""

    def odds(others: list[Satellite], one: Satellite) -> Float[np.ndarray, " g"]:
        rows = join_rows([each.rows() for each in others])
        models = fit_models(replace(rows, x=rows.x[:, _TIMES]), None, settings)
        return log_odds(models, one.gaps.features[:, _TIMES])

    return odds


def threshold_odds(_: list[Satellite], one: Satellite) -> Float[np.ndarray, " g"]:
    """The detector that learns nothing."""
    chance = np.clip(by_threshold(one.table, one.gaps), 1e-12, 1.0 - 1e-12)
    return np.asarray(np.log(chance / (1.0 - chance)))


def left_out(satellites: list[Satellite], odds: Odds) -> list[LeftOut]:
    """Of satellites of one kind of orbit, at least two."""
    found = []
    for one in satellites:
        value = odds([each for each in satellites if each is not one], one)
        seen = events(one.table, one.gaps, np.asarray(expit(value)), LEAST)
        place = np.searchsorted(one.gaps.row, seen.row)
        found.append(LeftOut(one, seen, value[place]))
    return found
