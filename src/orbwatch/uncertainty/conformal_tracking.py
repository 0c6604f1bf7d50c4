"""Factors on calibrated radii that follow a drift: every group, horizon and level learns from the truths of others.

A forecast of seven days is judged a week later, so what is learned for it is always old; nothing is learned from a
truth before it was public. The radius r of a level p is multiplied by exp(theta); after each asking time the truths
that have become public since the last one move it,

    theta += rate / slope * n / (n + 20) * (share of them outside r exp(theta) - (1 - p)),

where slope = r f(r) is how fast the share inside grows with log r for a Gaussian in three dimensions, so that `rate` is
the share of a surprise that is taken over. It is the quantile tracking of Gibbs & Candes 2021, equation 2 (adaptive
conformal inference), on the radius itself as in Angelopoulos, Candes & Tibshirani 2023 (conformal PID control, equation
4), with batches, on a logarithmic scale. The truths are held against the radius as it is by now, not as it was when
asked: with a delay of days the latter overshoots.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import chdtri

RATE = 0.3
"""Share of a surprise that is taken over; in the first batches more (1, 1/2, 1/3), to find the level."""
FEW_TRUTHS = 20.0
"""A batch of so many truths moves half as far as one of very many."""
LONGEST_STEP = 0.5
"""Of a batch, in log radius: the tail's step would else leap after a single bad day."""
LEAST = 100
"""Fewer matured truths than this give a group and horizon no factor of its own."""


@dataclass(frozen=True, eq=False)
class Factors:
    """Factors as they stood at t asking times, for g groups, h horizons, l levels."""

    log_factor: Float[np.ndarray, "t g h l"]
    matured: Int[np.ndarray, "t g h"]
    """Truths that each was learned from: of the group itself; with fewer than `LEAST` it is the parent's factor."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Distances of truths over the radii that were to hold them (1: on the boundary), and since when they are known."""

    ratio: Float[np.ndarray, "n h l"]
    """NaN where there is no truth or no radius."""
    public_us: Int[np.ndarray, "n h"]
    """UTC microseconds since 1970."""
    group: Int[np.ndarray, " n"]
    level: Float[np.ndarray, " l"]


def track(scores: Scores, groups: int, at_us: Int[np.ndarray, " t"], rate: float = RATE) -> Factors:
    """Factors of each group for itself at asking times (ascending, UTC microseconds since 1970).

    Those at a time know the truths public by then. Groups that never had any keep a factor of 1.
    """
    n, h, levels = scores.ratio.shape
    step = rate_of(scores.level)
    known = np.flatnonzero(~np.isnan(scores.ratio).any(axis=2).ravel())
    known = known[np.argsort(scores.public_us.ravel()[known], kind="stable")]
    ends = np.searchsorted(scores.public_us.ravel()[known], at_us, side="right")
    cell = (scores.group[:, None] * h + np.arange(h)).ravel()
    ratio = scores.ratio.reshape(n * h, levels)
    theta = np.zeros((groups * h, levels))
    seen, batches = np.zeros(groups * h, np.int64), np.zeros(groups * h)
    log_factor = np.empty((len(at_us), groups * h, levels))
    matured = np.empty((len(at_us), groups * h), np.int64)
    begin = 0
    for t, end in enumerate(ends.tolist()):
        rows = known[begin:end]
        begin = end
        where = cell[rows]
        count = np.bincount(where, minlength=groups * h)
        some = np.flatnonzero(count)
        missed = ratio[rows] > np.exp(theta[where])
        share = np.stack([np.bincount(where, m, groups * h)[some] for m in missed.T], axis=1) / count[some, None]
        batches[some] += 1.0
        gain = np.maximum(rate, 1.0 / batches[some]) * count[some] / (count[some] + FEW_TRUTHS)
        move = gain[:, None] * step * (share - (1.0 - scores.level))
        theta[some] += np.clip(move, -LONGEST_STEP, LONGEST_STEP)
        seen += count
        log_factor[t], matured[t] = theta, seen
    return Factors(log_factor.reshape(-1, groups, h, levels), matured.reshape(-1, groups, h))


def track_nested(
    scores: Scores, parent: Int[np.ndarray, " g"], at_us: Int[np.ndarray, " t"], rate: float = RATE
) -> Factors:
    """Factors of groups that lean on their parents' (regimes, say), and those on what all have in common.

    parent: of each group. A group with n matured truths at a horizon takes n / (n + 100) of its own log factor and the
    rest of its parent's; below `LEAST` all of it. With fewer than `LEAST` altogether the factor is 1.
    """
    groups = len(parent)
    parents = int(parent.max(initial=-1)) + 1
    own = track(scores, groups, at_us, rate)
    above = track(_regrouped(scores, parent[scores.group]), parents, at_us, rate)
    whole = track(_regrouped(scores, np.zeros(len(scores.group), np.int64)), 1, at_us, rate)
    found = _leaning(whole, np.zeros_like(whole.log_factor))
    found = _leaning(above, np.repeat(found, parents, axis=1))
    return Factors(_leaning(own, found[:, parent]), own.matured)


def rate_of(level: Float[np.ndarray, " l"]) -> Float[np.ndarray, " l"]:
    """What a surprise is multiplied by to be a step in log radius: 1 / (r f(r)) of the chi distribution, 3 degrees."""
    squared = chdtri(3, 1.0 - np.asarray(level))
    density = np.sqrt(2.0 / np.pi) * squared * np.exp(-0.5 * squared)  # of the radius, chi with three degrees
    return np.asarray(1.0 / (np.sqrt(squared) * density))


def own_share(matured: Int[np.ndarray, "*batch"]) -> Float[np.ndarray, "*batch"]:
    """How much a group trusts itself rather than its parent."""
    return np.where(matured < LEAST, 0.0, matured / (matured + float(LEAST)))


def _regrouped(scores: Scores, group: Int[np.ndarray, " n"]) -> Scores:
    return Scores(scores.ratio, scores.public_us, group, scores.level)


def _leaning(own: Factors, above: Float[np.ndarray, "t g h l"]) -> Float[np.ndarray, "t g h l"]:
    share = own_share(own.matured)[..., None]
    return np.asarray(share * own.log_factor + (1.0 - share) * above)
