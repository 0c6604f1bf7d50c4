"""What turns the predictor's distributions into ones that hold: calibration.json.

Where the truth of events that nobody trained on fell within the distributions forecast of them (a number between 0 and
1) tells what a forecast probability is worth. Sorted, they map the one to the other: a quantile that is to hold 5 % of
the truths is taken where 5 % of them fell, and a probability forecast is read off the same way (Kuleshov, Fenner &
Ermon 2018; as conformal predictive distributions, Vovk et al. 2019, they hold in finite samples where events are
exchangeable). One map for each whole day of lead time (Mondrian), of the miss and of the shift each.

An event that was further apart than the list reaches has its number somewhere between P(miss < 5 km) and 1: it counts
as spread evenly over that range.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.written import write_atomically
from orbwatch.errors import InputError
from orbwatch.models.card import CALIBRATION, read_json

DAYS = 7
"""Lead times of this many days and more share the last map."""
POINTS = np.concatenate(([0.0, 0.002, 0.005], np.linspace(0.01, 0.99, 99), [0.995, 0.998, 1.0]))
"""Probabilities at which a map is kept."""
_LEAST_EVENTS = 200
"""A day with fewer takes the map of all days."""


def day_of(lead_day: Float[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Which map a lead time takes."""
    return np.asarray(np.clip(np.floor(lead_day), 0, DAYS - 1), np.int64)


@dataclass(frozen=True, eq=False)
class CollisionCalibration:
    """Maps by day of lead time: where in the forecast distribution each share of the truths lay."""

    miss: Float[np.ndarray, "D P"]
    shift: Float[np.ndarray, "D P"]

    @classmethod
    def none(cls) -> CollisionCalibration:
        """What is forecast is taken at its word."""
        same = np.tile(POINTS, (DAYS, 1))
        return cls(same, same.copy())

    @classmethod
    def fit(
        cls,
        lead_day: Float[np.ndarray, " n"],
        miss_place: Float[np.ndarray, "n 2"],
        shift_place: Float[np.ndarray, " n"],
    ) -> CollisionCalibration:
        """Maps from calibration events.

        miss_place: lowest and highest place in [0, 1] that the truth can have in the distribution of the miss: twice
        the same where the miss is known, (P(miss < 5 km), 1) where it was beyond the list. shift_place: that of the
        shift of TCA, NaN where it is not known. Raises InputError without events.
        """
        if not len(lead_day):
            raise InputError("no event to calibrate on", field="calibration")
        day = day_of(lead_day)
        spread = _spread_out(miss_place)
        owner = np.repeat(day, spread.shape[1])
        known = np.isfinite(shift_place)
        return cls(_maps(spread.reshape(-1), owner, spread.shape[1]), _maps(shift_place[known], day[known], 1))

    def miss_level(self, p: Float[np.ndarray, " n"], lead_day: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Where in the forecast distribution of the miss to look for the quantile p."""
        return _by_day(lead_day, p, lambda d, x: np.interp(x, POINTS, self.miss[d]))

    def shift_level(self, p: Float[np.ndarray, " n"], lead_day: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The same of the shift."""
        return _by_day(lead_day, p, lambda d, x: np.interp(x, POINTS, self.shift[d]))

    def miss_probability(
        self, place: Float[np.ndarray, " n"], lead_day: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """A forecast probability that the miss is below something, as what it is worth."""
        return _by_day(lead_day, place, lambda d, x: np.interp(x, self.miss[d], POINTS))

    def write(self, folder: Path) -> None:
        """Into calibration.json. Raises OSError."""
        content = {"points": POINTS.tolist(), "miss": self.miss.tolist(), "shift": self.shift.tolist()}
        write_atomically(folder / CALIBRATION, (json.dumps(content) + "\n").encode())

    @classmethod
    def read(cls, folder: Path) -> CollisionCalibration:
        """From a model's folder. Raises InputError where it is not one."""
        content = read_json(folder / CALIBRATION)
        try:
            made = cls(np.array(content["miss"], np.float64), np.array(content["shift"], np.float64))
            same = np.allclose(content["points"], POINTS)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"not a calibration: {error}", file=folder / CALIBRATION) from error
        if not same or made.miss.shape != (DAYS, len(POINTS)) or made.shift.shape != made.miss.shape:
            raise InputError("not a calibration of a collision predictor", file=folder / CALIBRATION)
        return made


_PIECES = 10


def _spread_out(place: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 10"]:
    share = (np.arange(_PIECES) + 0.5) / _PIECES
    return np.asarray(place[:, :1] + (place[:, 1:] - place[:, :1]) * share)


def _maps(place: Float[np.ndarray, " m"], day: Int[np.ndarray, " m"], pieces: int) -> Float[np.ndarray, "D P"]:
    whole = _map(place) if len(place) else POINTS
    maps = []
    for d in range(DAYS):
        mine: Bool[np.ndarray, " m"] = day == d
        maps.append(_map(place[mine]) if mine.sum() >= _LEAST_EVENTS * pieces else whole)
    return np.array(maps)


def _map(place: Float[np.ndarray, " m"]) -> Float[np.ndarray, " P"]:
    """Empirical quantiles, from 0 to 1; rising, so that they can be inverted."""
    found = np.quantile(place, POINTS, method="weibull")
    found[0], found[-1] = 0.0, 1.0
    rising = np.maximum.accumulate(found) + np.arange(len(POINTS)) * 1e-12
    return np.asarray(np.clip(rising, 0.0, 1.0))


def _by_day(
    lead_day: Float[np.ndarray, " n"],
    x: Float[np.ndarray, " n"],
    read: Callable[[int, Float[np.ndarray, " m"]], Float[np.ndarray, " m"]],
) -> Float[np.ndarray, " n"]:
    day, out = day_of(lead_day), np.empty(len(x))
    for d in range(DAYS):
        rows = day == d
        out[rows] = read(d, x[rows])
    return out
