"""Detections against true burns: recall at a rate of false alarms, the best F1, and whether probabilities hold.

In order of probability each detection takes the nearest burn that is still free within `within_day`; one farther than
`alarm_day` from every burn is a false alarm; others are of a burn that another detection has taken, and count neither
way. The exposure is the time from five days before the first burn to five after the last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.constants import DAY_US
from orbwatch.learn.judging.significance import wilson_interval

MARGIN_US = 5 * DAY_US
RATES_YEAR = (0.3, 1.0, 3.0)
YEAR_US = 365.25 * DAY_US


@dataclass(frozen=True, eq=False)
class Matched:
    """Detections of some satellites that are a burn or a false alarm, likeliest first."""

    probability: Float[np.ndarray, " e"]
    hit: Bool[np.ndarray, " e"]
    counted: Bool[np.ndarray, " e"]
    """False for hits on burns that are not to be scored (below the noise)."""
    burns: int
    """Burns to be scored."""
    years: float

    @classmethod
    def join(cls, parts: list[Matched]) -> Matched:
        """Of several satellites."""
        chance, hit, counted = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("probability", "hit", "counted")
        )
        order = np.argsort(-chance, kind="stable")
        burns, years = sum(part.burns for part in parts), sum(part.years for part in parts)
        return cls(chance[order], hit[order], counted[order], burns, years)

    def at_rate(self, per_year: float) -> Point:
        """With as many detections as give at most this rate of false alarms."""
        hits, alarms = self._counts()
        allowed = np.flatnonzero(alarms <= per_year * self.years)
        last = allowed[-1] if len(allowed) else -1
        found = int(hits[last]) if len(allowed) else 0
        wrong = int(alarms[last]) if len(allowed) else 0
        threshold = float(self.probability[last]) if len(allowed) else 1.0
        return Point(per_year, found, wrong, self.burns, threshold)

    def best_f1(self) -> float:
        """Over all thresholds."""
        hits, alarms = self._counts()
        return float(np.max(2.0 * hits / np.maximum(hits + alarms + self.burns, 1), initial=0.0))

    def _counts(self) -> tuple[Int[np.ndarray, " e"], Int[np.ndarray, " e"]]:
        return np.cumsum(self.hit & self.counted), np.cumsum(~self.hit)


@dataclass(frozen=True)
class Point:
    """One threshold."""

    per_year: float
    found: int
    false_alarms: int
    burns: int
    threshold: float

    @property
    def recall(self) -> float:
        return self.found / self.burns if self.burns else float("nan")

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.false_alarms) if self.found + self.false_alarms else float("nan")

    @property
    def recall_interval(self) -> tuple[float, float]:
        """95 %, Wilson's."""
        return wilson_interval(self.found, self.burns)


def match(
    epoch_us: Int[np.ndarray, " d"],
    probability: Float[np.ndarray, " d"],
    true_us: Int[np.ndarray, " b"],
    scored: Bool[np.ndarray, " b"] | None = None,
    within_day: float = 1.0,
    alarm_day: float = 2.0,
) -> Matched:
    """Of one satellite; true_us: its burns, in order; scored: which of them count (default: all)."""
    counts = np.ones(len(true_us), bool) if scored is None else scored
    span = (epoch_us > true_us[0] - MARGIN_US) & (epoch_us < true_us[-1] + MARGIN_US)
    years = (true_us[-1] - true_us[0] + 2 * MARGIN_US) / YEAR_US
    epoch, chance = epoch_us[span], probability[span]
    free = np.ones(len(true_us), bool)
    told: list[tuple[float, bool, bool]] = []
    for k in np.argsort(-chance, kind="stable").tolist():
        away = np.abs(true_us - epoch[k]) / DAY_US
        nearest = int(np.where(free, away, np.inf).argmin())
        if free[nearest] and away[nearest] <= within_day:
            free[nearest] = False
            told.append((float(chance[k]), True, bool(counts[nearest])))
        elif away.min() > alarm_day:
            told.append((float(chance[k]), False, True))
    columns = list(zip(*told, strict=True)) or [(), (), ()]
    p, hit, counted = (np.array(c, t) for c, t in zip(columns, (float, bool, bool), strict=True))
    return Matched(p, hit, counted, int(counts.sum()), float(years))
