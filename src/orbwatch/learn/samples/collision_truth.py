"""What became of predicted events: where the screening after the fact put them, or that it did not list them.

The screening lists what comes within 5 km. An event that was predicted but is not listed after the fact, although its
day was screened, was either further apart, or one of its objects had dropped out of the screening. The two look alike.
Among events that a prediction less than a day old had well inside 5 km, where no error of a day reaches, a share of
about 0.9 % is not listed either: that is the share that drops out (`dropped_share`). The likelihood of not being listed
is therefore dropped + (1 - dropped) P(miss > 5 km); for judging, an event whose last prediction was below 4 km is
taken for dropped (its end is not known), any other for further apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Int8

from orbwatch.learn.samples.collision_asks import CLOCK_S, Asks, relative_speed
from orbwatch.learn.samples.collision_plane import encounter_plane
from orbwatch.learn.samples.collision_predictions import Predictions

LISTED_KM = 5.0
"""The screening lists what comes nearer than this."""
DROPPED_KM = 4.0
"""A last prediction below this, and nothing after the fact: an object has dropped out."""
UNKNOWN, LISTED, BEYOND, DROPPED = 0, 1, 2, 3
"""What is known of an event: nothing (its day was not screened); its miss; that it was further; an object is gone."""
_DAY_US = 86_400_000_000


@dataclass(frozen=True, eq=False)
class Ends:
    """What became of the e events of a table."""

    state: Int8[np.ndarray, " e"]
    """UNKNOWN, LISTED, BEYOND or DROPPED."""
    row: Int[np.ndarray, " e"]
    """The prediction after the fact, made last, of those that are listed; else the last one of all."""

    def miss_km(self, table: Predictions) -> Float[np.ndarray, " e"]:
        """Final miss distance; infinite where it was beyond the list, NaN where it is not known."""
        size = np.linalg.norm(table.r_km[self.row], axis=1)
        other = np.where(self.state == BEYOND, np.inf, np.nan)
        return np.where(self.state == LISTED, size, other)


def find_ends(table: Predictions) -> Ends:
    """The end of every event. Runs of one day or less (`horizon_days` 1) are what is made after the fact."""
    events = int(table.event[-1]) + 1
    last = np.searchsorted(table.event, np.arange(events), side="right") - 1
    lead = table.lead_day
    listed = lead[last] <= 0.0
    runs = np.unique(table.generated_us[(table.horizon_day == 1) | (lead <= 0.0)])
    tca = table.tca_us[last]
    following = np.searchsorted(runs, tca)
    after = runs[np.minimum(following, len(runs) - 1)] if len(runs) else np.full(events, np.iinfo(np.int64).max)
    screened = (len(runs) > 0) & (following < len(runs)) & (after - tca <= _DAY_US)
    inside = np.linalg.norm(table.r_km[last], axis=1) < DROPPED_KM
    state = np.where(listed, LISTED, np.where(~screened, UNKNOWN, np.where(inside, DROPPED, BEYOND)))
    return Ends(state.astype(np.int8), last)


def dropped_share(table: Predictions, ends: Ends) -> float:
    """Share of events that are not listed for another reason than distance: those with a last prediction of less than
    1.2 days' lead below 4 km, of all events with such a prediction."""
    ahead = np.flatnonzero((table.lead_day > 0.0) & (table.lead_day < 1.2))
    near = ahead[np.linalg.norm(table.r_km[ahead], axis=1) < DROPPED_KM]
    state = ends.state[np.unique(table.event[near])]
    known = state != UNKNOWN
    return float((state[known] == DROPPED).mean()) if known.any() else 0.0


def targets(
    table: Predictions, ends: Ends, asks: Asks
) -> tuple[Float[np.ndarray, "n 3"], Bool[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """What is to be forecast.

    Returns:
        final minus newest prediction by channel (km, turned axes; NaN where not listed, the
        last one also where another clock told it), whether the event is of those
        that are not listed although screened, the final miss (km; inf beyond the list, NaN where not known).
    """
    event = table.event[asks.row]
    final = ends.row[event]
    plane = encounter_plane(table.norad, table.r_km, table.v_km_s, table.alt_km)
    height = plane.height_km[final] * asks.turn[:, 0] - plane.height_km[asks.row] * asks.turn[:, 0]
    side = (plane.side_km[final] - plane.side_km[asks.row]) * asks.turn[:, 1]
    shift = (table.tca_us[final] - table.tca_us[asks.row]) * 1e-6
    along = np.where(np.abs(shift) > CLOCK_S, np.nan, shift * relative_speed(table, asks.row))
    change = np.column_stack((height, side, along))
    state = ends.state[event]
    change[state != LISTED] = np.nan
    return change, (state == BEYOND) | (state == DROPPED), ends.miss_km(table)[event]
