"""Is one forecaster better than another, when windows of one object are not independent?

Objects are the unit: the bootstrap resamples objects, Wilcoxon sees one number an object, Diebold-Mariano allows for
correlation along each object's series and over the whole of it, and families of p-values are corrected by Holm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import stats

LEVEL = 0.95
"""Confidence of an interval unless it is said otherwise."""


@dataclass(frozen=True)
class Interval:
    """An estimate with the ends of its confidence interval."""

    estimate: float
    low: float
    high: float

    @property
    def below_one(self) -> bool:
        """The whole interval lies below 1: a ratio of errors that is a gain."""
        return self.high < 1.0

    @property
    def above_one(self) -> bool:
        """The whole interval lies above 1: a ratio of errors that is a loss."""
        return self.low > 1.0


def median_ratio(
    error: Float[np.ndarray, " n"],
    reference: Float[np.ndarray, " n"],
    object_id: Int[np.ndarray, " n"],
    draws: int = 1000,
    seed: int = 1,
    level: float = LEVEL,
) -> Interval:
    """Ratio of the median errors of two forecasters on the same windows, with a cluster bootstrap interval by object.

    Objects are drawn with replacement, both medians are taken over all windows of the drawn objects, so pairs stay
    pairs (Davison & Hinkley 1997, section 3.8); percentile interval. Rows where either error is not finite are left
    out. NaN throughout without rows; NaN ends with a single object.
    """
    error, reference, cluster = _clustered(error, reference, object_id)
    if not len(error):
        return Interval(np.nan, np.nan, np.nan)
    ratios = partial(_median_ratios, error, reference, cluster)
    return interval_by_cluster(
        float(np.median(error) / np.median(reference)), ratios, int(cluster.max()) + 1, draws, seed, level
    )


def mean_difference(
    error: Float[np.ndarray, " n"],
    reference: Float[np.ndarray, " n"],
    object_id: Int[np.ndarray, " n"],
    draws: int = 1000,
    seed: int = 1,
    level: float = LEVEL,
) -> Interval:
    """Mean of error - reference (their unit), with a cluster bootstrap interval by object; as `median_ratio` else."""
    error, reference, cluster = _clustered(error, reference, object_id)
    if not len(error):
        return Interval(np.nan, np.nan, np.nan)
    difference = error - reference
    sums, counts = np.bincount(cluster, difference), np.bincount(cluster)
    return interval_by_cluster(
        float(np.mean(difference)), partial(_means, sums, counts), len(counts), draws, seed, level
    )


def shares(
    hits: Bool[np.ndarray, "n h"],
    object_id: Int[np.ndarray, " n"],
    draws: int = 1000,
    seed: int = 1,
    level: float = LEVEL,
) -> Float[np.ndarray, "h 3"]:
    """Share of hits in each column, with the ends of its cluster bootstrap interval by object; as `median_ratio`."""
    if not len(hits):
        return np.full((hits.shape[1], 3), np.nan)
    cluster = np.unique(object_id, return_inverse=True)[1]
    counts = np.bincount(cluster)
    sums = np.zeros((len(counts), hits.shape[1]))
    np.add.at(sums, cluster, hits)
    ends = np.full((2, hits.shape[1]), np.nan)
    if len(counts) > 1:
        times = _drawn(len(counts), draws, seed)
        drawn = (times @ sums) / (times @ counts)[:, None]
        ends = np.quantile(drawn, (0.5 - level / 2.0, 0.5 + level / 2.0), axis=0)
    return np.column_stack([hits.mean(axis=0), *ends])


def wilcoxon(
    error: Float[np.ndarray, " n"], reference: Float[np.ndarray, " n"], object_id: Int[np.ndarray, " n"]
) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test on each object's mean of error - reference.

    1 where all differences are zero, NaN without rows. Source: Wilcoxon 1945, doi:10.2307/3001968.
    """
    error, reference, cluster = _clustered(error, reference, object_id)
    if not len(error):
        return float("nan")
    means = np.bincount(cluster, error - reference) / np.bincount(cluster)
    means = means[means != 0.0]
    if not len(means):
        return 1.0
    return float(stats.wilcoxon(means).pvalue)


def diebold_mariano(
    error: Float[np.ndarray, " n"],
    reference: Float[np.ndarray, " n"],
    object_id: Int[np.ndarray, " n"],
    time: Float[np.ndarray, " n"] | Int[np.ndarray, " n"],
    lags: int | None = None,
) -> tuple[float, float]:
    """Diebold-Mariano statistic of the loss difference error - reference, and its two-sided p-value.

    The variance is the greater of two. Newey-West's, with autocovariances of neighbouring windows within an object only
    (a panel of independent series: Timmermann & Zhu 2019, doi:10.2139/ssrn.3447076); Bartlett weights over `lags`
    neighbours, by default floor(4 (T/100)^(2/9)) of the mean series length T. And that of the objects' sums, K / (K-1)
    times the sum of their squares for K objects (Cameron & Miller 2015, doi:10.3368/jhr.50.2.317, section II), as what
    an orbit and a sensor share does not die out along a series. Student's t with one degree of freedom less than
    objects, or than windows where there is a single object. Negative: `error` is the smaller. (0, 1) where nothing
    differs, NaN with fewer than two windows. Source: Diebold & Mariano 1995, doi:10.1080/07350015.1995.10524599, eq. 7.
    """
    keep = np.isfinite(error) & np.isfinite(reference)
    order = np.lexsort((time[keep], object_id[keep]))
    difference, series = (error - reference)[keep][order], object_id[keep][order]
    n = len(difference)
    if n < 2:
        return float("nan"), float("nan")
    names, owner = np.unique(series, return_inverse=True)
    objects = len(names)
    if lags is None:
        lags = int(4.0 * (n / objects / 100.0) ** (2.0 / 9.0))
    mean = float(np.mean(difference))
    centred = difference - mean
    variance = float(centred @ centred)
    for lag in range(1, min(lags, n - 1) + 1):
        same = series[lag:] == series[:-lag]
        weight = 1.0 - lag / (lags + 1.0)
        variance += 2.0 * weight * float((centred[lag:] * centred[:-lag])[same].sum())
    if objects > 1:
        sums = np.bincount(owner, centred)
        variance = max(variance, float(sums @ sums) * objects / (objects - 1))
    if variance <= 0.0:
        return (0.0, 1.0) if mean == 0.0 else (float(np.copysign(np.inf, mean)), 0.0)
    statistic = mean * n / variance**0.5
    freedom = objects - 1 if objects > 1 else n - 1
    return float(statistic), float(2.0 * stats.t.sf(abs(statistic), freedom))


def holm(p: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    """p-values adjusted for being one family, by Holm's step-down; NaN stays NaN and does not count.

    Source: Holm 1979, https://www.jstor.org/stable/4615733.
    """
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * p[order]), 1.0)
    return adjusted


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927, "Probable inference, the law of succession")."""
    if not trials:
        return 0.0, 1.0
    z2 = 1.959964**2
    share = successes / trials
    middle = (share + z2 / (2 * trials)) / (1.0 + z2 / trials)
    half = float(np.sqrt(share * (1.0 - share) * z2 / trials + (z2 / (2 * trials)) ** 2)) / (1.0 + z2 / trials)
    return max(0.0, middle - half), min(1.0, middle + half)


def _clustered(
    error: Float[np.ndarray, " n"], reference: Float[np.ndarray, " n"], object_id: Int[np.ndarray, " n"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows where both errors are finite, and the number of each one's object among those that are left."""
    keep = np.isfinite(error) & np.isfinite(reference)
    return error[keep], reference[keep], np.unique(object_id[keep], return_inverse=True)[1]


def interval_by_cluster(
    estimate: float, statistic: Callable[[np.ndarray], np.ndarray], clusters: int, draws: int, seed: int, level: float
) -> Interval:
    """Percentile interval of a statistic of how often each cluster was drawn; NaN ends with a single cluster."""
    if clusters < 2:
        return Interval(estimate, np.nan, np.nan)
    drawn = statistic(_drawn(clusters, draws, seed))
    low, high = np.quantile(drawn, (0.5 - level / 2.0, 0.5 + level / 2.0))
    return Interval(estimate, float(low), float(high))


def _drawn(clusters: int, draws: int, seed: int) -> Int[np.ndarray, "draws clusters"]:
    """How often each cluster was drawn, with replacement, in each draw."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(clusters, np.full(clusters, 1.0 / clusters), size=draws)


def _means(
    sums: Float[np.ndarray, " clusters"],
    counts: Int[np.ndarray, " clusters"],
    times: Int[np.ndarray, "draws clusters"],
) -> Float[np.ndarray, " draws"]:
    return np.asarray((times @ sums) / (times @ counts))


def _median_ratios(
    error: Float[np.ndarray, " n"],
    reference: Float[np.ndarray, " n"],
    cluster: Int[np.ndarray, " n"],
    times: Int[np.ndarray, "draws clusters"],
) -> Float[np.ndarray, " draws"]:
    return np.asarray(_weighted_medians(error, cluster, times) / _weighted_medians(reference, cluster, times))


def _weighted_medians(
    values: Float[np.ndarray, " n"], cluster: Int[np.ndarray, " n"], times: Int[np.ndarray, "draws clusters"]
) -> Float[np.ndarray, " draws"]:
    """Median of `values` with each repeated as often as its cluster was drawn, for every draw."""
    order = np.argsort(values)
    ordered = values[order]
    out = np.empty(len(times))
    block = max(1, 4_000_000 // len(values))
    for first in range(0, len(times), block):
        reached = np.cumsum(times[first : first + block][:, cluster[order]], axis=1)
        total = reached[:, -1:]
        lower = np.argmax(reached > (total - 1) // 2, axis=1)
        upper = np.argmax(reached > total // 2, axis=1)
        out[first : first + block] = 0.5 * (ordered[lower] + ordered[upper])
    return out
