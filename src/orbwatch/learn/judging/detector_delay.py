"""How soon an alert comes: with how many sets after a gap a causal detector is already sure of what it will say of it.

A causal detector may wait for `LOOKAHEAD` sets after the one that ends a gap. As they come it can judge the gap each
time, with the sets that are there: this is `gap_table` with a shorter lookahead, without other models.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float, Int

from orbwatch.learn.judging.detector_left_out import LEAST, LeftOut
from orbwatch.learn.samples.gap_rows import Satellite
from orbwatch.maneuver.detect import events

_HOUR_US = 3_600_000_000
NEVER = -1


@dataclass(frozen=True, eq=False)
class Delays:
    """Of burns that were found."""

    sets: Int[np.ndarray, " h"]
    """Fewest sets after the one that ends the gap with which it is told; `NEVER` where not even with all."""
    after_gap_h: Float[np.ndarray, " h"]
    """From the epoch of the set that ends the gap to that of the set with which it is told; NaN where never."""
    after_burn_h: Float[np.ndarray, " h"]
    """The same from the middle of the burn."""

    @classmethod
    def join(cls, parts: list[Delays]) -> Delays:
        """Of several satellites."""
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))

    def share_by(self) -> dict[int, float]:
        """Share of the burns that are told with at most so many sets after the gap."""
        told = self.sets[self.sets != NEVER]
        return {k: float(np.sum(told <= k) / max(len(self.sets), 1)) for k in range(int(told.max(initial=0)) + 1)}


def sets_needed(probability: Float[np.ndarray, "k d"], threshold: float) -> Int[np.ndarray, " d"]:
    """The first row in which each column reaches the threshold; `NEVER` where none does."""
    over = probability >= threshold
    return np.where(over.any(axis=0), np.argmax(over, axis=0), NEVER)


def delays(found: LeftOut, probability: Float[np.ndarray, "k g"], threshold: float) -> Delays:
    """Of the events over the threshold with a burn within a day.

    probability: of all gaps of the satellite, with 0 .. k - 1 sets after the one that ends them. A gap near the end of
    a history, after which fewer sets come, is told with the last one at the latest.
    """
    hit = np.flatnonzero((found.seen.probability >= threshold) & found.true)
    row = found.seen.row[hit]
    sets = sets_needed(probability[:, np.searchsorted(found.satellite.gaps.row, row)], threshold)
    epoch_us = found.satellite.table.epoch_us
    told_us = epoch_us[np.minimum(row + 1 + np.maximum(sets, 0), len(epoch_us) - 1)]
    burn_us = nearest(found.seen.epoch_us[hit], found.satellite.burns.middle_us)
    ever = sets != NEVER
    return Delays(
        sets,
        np.where(ever, (told_us - epoch_us[row + 1]) / _HOUR_US, np.nan),
        np.where(ever, (told_us - burn_us) / _HOUR_US, np.nan),
    )


def at_first_sight(satellite: Satellite, probability: Float[np.ndarray, "k g"]) -> LeftOut:
    """Events of a detector that raises an alert as soon as any number of sets suffices: what haste costs.

    A gap counts with the largest of its probabilities, so that false alarms that further sets would have taken back
    stay false alarms.
    """
    highest = probability.max(axis=0)
    seen = events(satellite.table, satellite.gaps, highest, LEAST)
    chance = np.clip(seen.probability, 1e-12, 1.0 - 1e-12)
    return LeftOut(satellite, seen, np.log(chance / (1.0 - chance)))


def nearest(epoch_us: Int[np.ndarray, " d"], true_us: Int[np.ndarray, " b"]) -> Int[np.ndarray, " d"]:
    """Of instants (ascending) the one nearest to each of others."""
    return np.asarray(true_us[nearest_place(epoch_us, true_us)])


def nearest_place(epoch_us: Int[np.ndarray, " d"], true_us: Int[np.ndarray, " b"]) -> Int[np.ndarray, " d"]:
    """Its place."""
    after = np.clip(np.searchsorted(true_us, epoch_us), 0, len(true_us) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(np.abs(true_us[before] - epoch_us) <= np.abs(true_us[after] - epoch_us), before, after)
