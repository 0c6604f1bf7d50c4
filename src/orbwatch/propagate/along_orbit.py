"""Numbers of objects over a window that change smoothly with time, and once a revolution: fitted to samples.

How far a forecast is from SGP4 swings with the revolution: a slightly wrong eccentricity or plane is a wave with the
argument of latitude u. Samples hours apart do not show the wave, and a curve through them would draw another one. So
a number is a broken line in time, plus a broken line times cos u, plus one times sin u, fitted by least squares to
samples that fall on all phases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.propagate.along_orbit_kernel import read_rows

STEP_DAY = 0.25
"""Between the knots of the smooth part."""
TURN_DAY = 1.5
"""Between the knots of the parts that swing, at most."""
PER_STEP = 5
"""Samples in each step."""
LEAST_DAY = 1.0
"""Shortest span that is sampled: waves need a few revolutions."""
_GOLDEN = 0.5 * (np.sqrt(5.0) - 1.0)
_RIDGE = 1e-3  # keeps apart what short spans cannot tell apart: a wave of a slow orbit, and a trend


def sample_days(span_day: float) -> Float[np.ndarray, " m"]:
    """Times to sample at, days after the start, ascending above 0 and below the span: spread over all phases."""
    count = PER_STEP * _steps(span_day)
    place = np.arange(count)
    return np.asarray((place + np.mod((place + 1) * _GOLDEN, 1.0)) / count * span_day)


def _steps(span_day: float) -> int:
    return max(1, int(np.ceil(span_day / STEP_DAY - 1e-9)))


@dataclass(frozen=True, eq=False)
class AlongOrbit:
    """c numbers of n objects over a span; beyond its ends they are held, but for the wave."""

    start_us: int
    """UTC microseconds since 1970."""
    step_day: float
    """Between the knots of the smooth part, the first at the start."""
    smooth: int
    """Their number."""
    turn_day: float
    """Between the knots of the parts that swing."""
    weight: Float[np.ndarray, "n knots c"]
    """Values at the knots: smooth, of cos u, of sin u."""

    @classmethod
    def fit(
        cls,
        start_us: int,
        span_day: float,
        day: Float[np.ndarray, " m"],
        rv_km: Float[np.ndarray, "n m 6"],
        values: Float[np.ndarray, "n m c"],
    ) -> AlongOrbit:
        """The numbers nearest to `values`, sampled `day` days after the start, where objects are in `rv_km` (inertial).

        All must be finite. Raises InputError where the samples are too few.
        """
        smooth = _steps(span_day) + 1
        turns = max(1, int(np.ceil(span_day / TURN_DAY - 1e-9))) + 1
        knots = smooth + 2 * turns
        if len(day) < knots:
            raise InputError("too few samples", field="day", value=len(day), legal=f"{knots} or more")
        made = cls(start_us, span_day / (smooth - 1), smooth, span_day / (turns - 1), np.empty((len(rv_km), knots, 0)))
        basis = made._basis(day, rv_km)
        gram = basis.swapaxes(1, 2) @ basis
        gram[:, np.arange(knots), np.arange(knots)] += _RIDGE * len(day) / knots
        weight = np.linalg.solve(gram, basis.swapaxes(1, 2) @ values)
        return replace(made, weight=weight)

    def _basis(self, day: Float[np.ndarray, " m"], rv_km: Float[np.ndarray, "n m 6"]) -> Float[np.ndarray, "n m k"]:
        """What each knot adds at the samples: the numbers of an object whose weights are the unit matrix."""
        n, m = rv_km.shape[:2]
        knots = self.weight.shape[1]
        unit = replace(self, weight=np.eye(knots)[None])
        at_us = self.start_us + np.rint(np.tile(day, n) * DAY_US).astype(np.int64)
        return unit.at(np.zeros(n * m, np.int64), at_us, rv_km.reshape(-1, 6)).reshape(n, m, knots)

    def at(
        self, index: Int[np.ndarray, " k"], at_us: Int[np.ndarray, " k"], rv_km: Float[np.ndarray, "k 6"]
    ) -> Float[np.ndarray, "k c"]:
        """Numbers of object index[j] at an instant (UTC microseconds since 1970) at which it is in rv_km[j]."""
        out = np.empty((len(index), self.weight.shape[2]))
        rv, day = np.ascontiguousarray(rv_km), (at_us - self.start_us) / DAY_US
        read_rows(rv, day, index, self.step_day, self.smooth, self.turn_day, self.weight, out)
        return out

    @classmethod
    def concat(cls, parts: Sequence[AlongOrbit]) -> AlongOrbit:
        """All objects of several, with the same span, in order."""
        weight = np.concatenate([part.weight for part in parts])
        return replace(parts[0], weight=weight)

    def take(self, index: Int[np.ndarray, " k"]) -> AlongOrbit:
        """Some of the objects."""
        return replace(self, weight=self.weight[index])
