"""What detectors say of satellites with known burns, in one shape, and how it is scored."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from orbwatch.catalog.burns import Burns
from orbwatch.constants import DAY_US
from orbwatch.learn.judging.detector_delay import nearest_place
from orbwatch.learn.judging.detector_left_out import LeftOut, is_near
from orbwatch.learn.judging.detector_matching import MARGIN_US, RATES_YEAR, Matched, match
from orbwatch.learn.judging.maneuver_estimates import axis_of
from orbwatch.learn.judging.significance import wilson_interval
from orbwatch.learn.samples.gap_rows import Satellite
from orbwatch.maneuver.estimate import estimate
from orbwatch.maneuver.kinds import NO_KIND, kind_of
from orbwatch.pipeline_maneuvers import LEAST_PROBABILITY

AXES = ("in_track", "cross_track", "radial")


@dataclass(frozen=True, eq=False)
class Told:
    """Events of one satellite, by any detector."""

    satellite: Satellite
    start_us: np.ndarray
    end_us: np.ndarray
    """Epochs of the sets around the gap."""
    epoch_us: np.ndarray
    """When the detector has it: the gap's middle."""
    sure: np.ndarray
    """0 to 1."""
    axis: np.ndarray
    """One of `AXES`, or another kind."""

    def in_span(self, true_us: np.ndarray) -> Told:
        """From five days before the first burn to five after the last."""
        keep = (self.epoch_us > true_us[0] - MARGIN_US) & (self.epoch_us < true_us[-1] + MARGIN_US)
        return replace(
            self, **{name: getattr(self, name)[keep] for name in ("start_us", "end_us", "epoch_us", "sure", "axis")}
        )

    def at_end(self) -> Told:
        """The same, each event when the set comes that ends its gap."""
        return replace(self, epoch_us=self.end_us)


@dataclass(frozen=True)
class Figures:
    """Of one detector on satellites of one kind of orbit."""

    recall: tuple[tuple[float, float, float], ...]
    """At each of `RATES_YEAR`, with its 95 % interval."""
    reached: float
    """False alarms a year of all that is told: higher rates tell no more."""
    precision: float
    """At one a year, as in the next two."""
    recall_all: float
    """Burns below the noise too."""
    axis: float
    """Share of the found burns whose axis is right."""
    axes: int
    """How many burns that is of."""
    along: float
    """Share of those that are in-track: what always saying so would get right."""
    f1: float


def told_of(found: LeftOut) -> Told:
    """Of our detectors; axes are estimated for the events that the command lists."""
    table, row = found.satellite.table, found.seen.row
    axis = np.full(len(row), NO_KIND, "U16")
    listed = np.flatnonzero(found.seen.probability >= LEAST_PROBABILITY)
    axis[listed] = axis_of(estimate(table, row[listed], found.seen.epoch_us[listed]).kind)
    return Told(
        found.satellite, table.epoch_us[row], table.epoch_us[row + 1], found.seen.epoch_us, found.seen.probability, axis
    )


def true_axis(burns: Burns) -> np.ndarray:
    """Of each burn, from the operator's numbers or words; `NO_KIND` where it says neither."""
    kind = axis_of(kind_of(burns.dv_rtn_m_s))
    return np.where((kind == NO_KIND) & (burns.axis != ""), burns.axis, kind)


def figures(told: list[Told], burns: list[Burns], scored: list[np.ndarray]) -> Figures:
    """By `detector_matching`: within a day, false beyond two; scored: which burns are above the noise."""
    pairs = list(zip(told, burns, scored, strict=True))
    every = Matched.join([match(one.epoch_us, one.sure, true.middle_us) for one, true, _ in pairs])
    seen = Matched.join([match(one.epoch_us, one.sure, true.middle_us, above) for one, true, above in pairs])
    points = [seen.at_rate(rate) for rate in RATES_YEAR]
    single = every.at_rate(1.0)
    parts = [_axes(one, true, above, single.threshold) for one, true, above in pairs]
    said, axes = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Figures(
        tuple((point.recall, *wilson_interval(point.found, point.burns)) for point in points),
        float(np.sum(~every.hit)) / every.years,
        single.precision,
        single.recall,
        float((said == axes).mean()) if len(axes) else float("nan"),
        len(axes),
        float((axes == AXES[0]).mean()) if len(axes) else float("nan"),
        every.best_f1(),
    )


def _axes(told: Told, burns: Burns, scored: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Of each found burn whose axis is known, the axis that is told and the true one."""
    hit = (told.sure >= threshold) & is_near(told.epoch_us, burns.middle_us, DAY_US)
    place = nearest_place(told.epoch_us[hit], burns.middle_us)
    true = true_axis(burns)[place]
    counts = scored[place] & np.isin(true, AXES)
    return told.axis[hit][counts], true[counts]
