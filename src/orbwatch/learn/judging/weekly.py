"""Quantiles in which every week counts the same, with bootstrap draws over objects.

Space weather and the making of element sets differ from week to week, so that a week with many truths would otherwise
decide alone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from orbwatch.constants import DAY_US

_MONDAY_US = int(datetime(1970, 1, 5, tzinfo=UTC).timestamp()) * 1_000_000
_AT_ONCE = 4_000_000
LEAST_SHARE = 0.25


class Quantiles(NamedTuple):
    """Quantiles at some levels, and those of every bootstrap draw."""

    estimate: Float[np.ndarray, " levels"]
    drawn: Float[np.ndarray, "draws levels"]


def week_weights(at_us: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """One over the number of rows of the same ISO week (UTC microseconds since 1970).

    Weeks with less than a quarter of the median week's rows, the first and last days of a period, are joined to the
    next week, the last one to the week before.
    """
    weeks, place, count = np.unique((at_us - _MONDAY_US) // (7 * DAY_US), return_inverse=True, return_counts=True)
    full = np.flatnonzero(count >= LEAST_SHARE * np.median(count))
    joined = full[np.minimum(np.searchsorted(full, np.arange(len(weeks))), len(full) - 1)]
    return np.asarray(1.0 / np.bincount(joined[place])[joined[place]])


def draw_objects(object_id: Int[np.ndarray, " n"], draws: int, seed: int = 1) -> Float[np.ndarray, "draws n"]:
    """How often each row is drawn when objects are, with replacement (Davison & Hinkley 1997, section 3.8)."""
    ids, cluster = np.unique(object_id, return_inverse=True)
    times = np.random.default_rng(seed).multinomial(len(ids), np.full(len(ids), 1.0 / len(ids)), size=draws)
    return np.asarray(times[:, cluster], np.float64)


def quantiles(
    value: Float[np.ndarray, " n"],
    weight: Float[np.ndarray, " n"],
    times: Float[np.ndarray, "draws n"],
    levels: tuple[float, ...],
) -> Quantiles:
    """The least values that shares `levels` of the weight do not exceed; of all rows, and of the rows of each draw."""
    order = np.argsort(value)
    ordered, heavy = value[order], weight[order]
    drawn = np.empty((len(times), len(levels)))
    block = max(1, _AT_ONCE // max(1, len(value)))
    for first in range(0, len(times), block):
        reached = np.cumsum(times[first : first + block, order] * heavy, axis=1)
        for at, level in enumerate(levels):
            drawn[first : first + block, at] = ordered[np.argmax(reached >= level * reached[:, -1:], axis=1)]
    whole = np.cumsum(heavy)
    estimate = np.array([ordered[np.argmax(whole >= level * whole[-1])] for level in levels])
    return Quantiles(estimate, drawn)
