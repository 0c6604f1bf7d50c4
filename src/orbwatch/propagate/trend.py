"""Trends of an object's timing: how far ahead or behind its newest element set it has been, carried on.

Run backwards, the newest set misses the older ones by a time that grows with age: what its mean motion and drag got
wrong. Robust polynomials through these misses over spans of days, carried on, are the correction that physics offers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from orbwatch.propagate.trend_kernel import TERMS, fit_rows


class Span(NamedTuple):
    """One polynomial: through the sets of the last `day` days, of this degree, given at least `least` sets."""

    day: float
    degree: int
    least: int


SPANS = (
    Span(1.5, 1, 3),
    Span(3.0, 1, 4),
    Span(3.0, 2, 5),
    Span(7.0, 1, 5),
    Span(7.0, 2, 6),
    Span(14.5, 1, 5),
    Span(14.5, 2, 6),
    Span(14.5, 3, 8),
)
"""Short ones follow what is new, long ones average the noise of single sets; the long straight one is the mean motion
that a station-kept object returns to."""


class Trend(NamedTuple):
    """Polynomials of time before (negative) and after the epoch in days, for each of `SPANS`."""

    coefficient: Float[np.ndarray, "n f 4"]
    """Value, slope, ... at the epoch, in the values' unit per power of a day; zeros where there were too few sets."""
    scale: Float[np.ndarray, "n f"]
    """Spread (1.4826 times the median absolute deviation) of the values about it; NaN where there were too few."""

    def at(self, day: Float[np.ndarray, "n h"]) -> Float[np.ndarray, "n h f"]:
        """The polynomials' values at times from the epoch."""
        powers = day[..., None] ** np.arange(TERMS)
        return np.asarray(np.einsum("nhp,nfp->nhf", powers, self.coefficient))


def trends(age_day: Float[np.ndarray, "n k"], value: Float[np.ndarray, "n k"]) -> Trend:
    """Robust polynomials through values at ages before the epoch (days, positive backwards; NaN: nothing there).

    Iteratively reweighted least squares with Huber's weights (Huber 1981, section 7.8), the spread from the median
    absolute deviation.
    """
    n, spans = len(age_day), len(SPANS)
    found = Trend(np.empty((n, spans, TERMS)), np.empty((n, spans)))
    columns = [np.array([getattr(s, name) for s in SPANS]) for name in ("day", "degree", "least")]
    fit_rows(
        np.ascontiguousarray(age_day), np.ascontiguousarray(value), columns[0], columns[1] + 1, columns[2], *found
    )  # fmt: skip
    return found
