"""Ephemerides that are read many times cheaply: a polynomial of degree 7 per interval, with a stated error bound.

Each interval's polynomial has the positions and velocities of the four nearest nodes (`catalog.interpolation.hermite`),
worked out once. What it leaves is f^(8)/8! times the squared distances to the nodes: largest near the middle of an
interval, so measuring the middles against the propagator bounds the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.interpolation import hermite
from orbwatch.errors import InputError
from orbwatch.time import format_utc

Exact = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""States at UTC microseconds (k,): r (k, 3) km, v (k, 3) km/s."""

_DEGREE = 7
_SAFETY = 1.5  # the product of squared distances peaks at up to 1.14 times its middle's value, in the end intervals
_ROUNDING = 16.0 * float(np.finfo(np.float64).eps)  # of the largest coordinate: nodes, powers and sums round, too
_MOST_NODES = 1_000_000


@dataclass(frozen=True, eq=False)
class Ephemeris:
    """States of one object over a span, in the axes of the states it was made from (inertial ones, to be smooth)."""

    times_us: Int[np.ndarray, " m"]
    """Nodes, UTC microseconds since 1970-01-01."""
    coefficients: Float[np.ndarray, "intervals 8 3"]
    """Of each interval's polynomial in powers of its own time from -1 to 1, km."""
    bound_km: float
    """No position is further than this from the exact one, as far as the middles of all intervals tell."""

    @classmethod
    def from_states(
        cls,
        times_us: Int[np.ndarray, " m"],
        r_km: Float[np.ndarray, "m 3"],
        v_km_s: Float[np.ndarray, "m 3"],
        exact: Exact | None = None,
    ) -> Ephemeris:
        """An ephemeris through at least four states at strictly increasing times.

        The bound is measured against `exact` at the middle of every interval. Without it, it is the difference from the
        polynomials of degree 5 through three nodes, which are worse: a generous bound. Raises InputError for too few
        states, times out of order, or states that are not finite.
        """
        if len(times_us) < 4 or (np.diff(times_us) <= 0).any():
            raise InputError("an ephemeris needs four states or more at increasing times", field="times_us")
        if not (np.isfinite(r_km).all() and np.isfinite(v_km_s).all()):
            raise InputError("states must be finite numbers", field="r_km, v_km_s")
        # A polynomial of degree 7 is known from eight points of it.
        points = np.cos(np.pi * (np.arange(_DEGREE + 1) + 0.5) / (_DEGREE + 1))
        width_us = np.diff(times_us)
        half, middle = width_us[:, None] / 2.0, times_us[:-1] + width_us // 2
        at_us = (middle[:, None] + np.round(half * points)).astype(np.int64)
        r, _ = hermite(times_us, r_km, v_km_s, at_us.ravel(), _DEGREE)
        tau = (at_us - times_us[:-1, None]) / half - 1.0  # as rounded to microseconds
        powers = np.vander(tau.ravel(), _DEGREE + 1, increasing=True).reshape(*tau.shape, _DEGREE + 1)
        coefficients = np.linalg.solve(powers, r.reshape(*tau.shape, 3))
        made = cls(times_us, coefficients, 0.0)
        other = exact(middle)[0] if exact is not None else hermite(times_us, r_km, v_km_s, middle, 5)[0]
        left_km = np.linalg.norm(made.at(middle)[0] - other, axis=1)
        return cls(times_us, coefficients, _SAFETY * float(left_km.max()) + _ROUNDING * float(np.abs(r_km).max()))

    @classmethod
    def from_propagator(
        cls, exact: Exact, start_us: int, end_us: int, tolerance_km: float = 1e-6, step_s: float = 240.0
    ) -> Ephemeris:
        """An ephemeris of [start, end] whose bound is within `tolerance_km`: the step is halved until it is.

        Raises InputError for an empty span and where the tolerance is out of reach.
        """
        if end_us <= start_us or step_s <= 0.0 or tolerance_km <= 0.0:
            raise InputError("an empty span, step or tolerance", field="end_us", value=end_us)
        count = max(4, int(np.ceil((end_us - start_us) / (step_s * 1e6))) + 1)
        best = np.inf
        while count <= _MOST_NODES:
            times_us = start_us + np.round(np.linspace(0.0, float(end_us - start_us), count)).astype(np.int64)
            made = cls.from_states(times_us, *exact(times_us), exact)
            if made.bound_km <= tolerance_km:
                return made
            if made.bound_km > 0.5 * best:  # the error falls 256-fold with each halving until rounding stops it
                break
            best, count = made.bound_km, 2 * count - 1
        raise InputError(
            "the tolerance is out of reach", field="tolerance_km", value=tolerance_km, legal=f">= {made.bound_km:.1e}"
        )

    def at(self, at_us: Int[np.ndarray, " k"]) -> tuple[Float[np.ndarray, "k 3"], Float[np.ndarray, "k 3"]]:
        """Positions (k, 3) km and velocities (k, 3) km/s at UTC microseconds; raises InputError outside the span."""
        if len(at_us) and (at_us.min() < self.times_us[0] or at_us.max() > self.times_us[-1]):
            bad = int(at_us.min() if at_us.min() < self.times_us[0] else at_us.max())
            legal = f"{format_utc(int(self.times_us[0]))} to {format_utc(int(self.times_us[-1]))}"
            raise InputError("outside the span of the ephemeris", value=format_utc(bad), legal=legal)
        interval = np.clip(np.searchsorted(self.times_us, at_us, side="right") - 1, 0, len(self.coefficients) - 1)
        half_us = (self.times_us[interval + 1] - self.times_us[interval]) / 2.0
        tau = ((at_us - self.times_us[interval]) / half_us - 1.0)[:, None]
        powers = self.coefficients[interval]
        r, slope = powers[:, _DEGREE], np.zeros((len(at_us), 3))
        for k in range(_DEGREE - 1, -1, -1):
            slope = slope * tau + r
            r = r * tau + powers[:, k]
        return r, slope / (half_us[:, None] * 1e-6)
