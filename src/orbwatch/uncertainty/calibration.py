"""Is the stated uncertainty true? Reliability, ECE and MCE, PIT, coverage with its error, sharpness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import chdtr, ndtr

from orbwatch.errors import InputError
from orbwatch.uncertainty.gaussian import Calibrated, GaussianForecast, Regions


@dataclass(frozen=True, eq=False)
class Reliability:
    """Cases binned by confidence: edges (0..1), mean confidence and share correct (NaN if empty), and how many."""

    edges: Float[np.ndarray, " _"]
    confidence: Float[np.ndarray, " b"]
    accuracy: Float[np.ndarray, " b"]
    count: Int[np.ndarray, " b"]

    def ece(self) -> float:
        """Return the expected calibration error: |confidence - accuracy| averaged over cases (Guo et al. 2017)."""
        gap = np.abs(self.confidence - self.accuracy)
        return float(np.nansum(gap * self.count) / self.count.sum())

    def mce(self) -> float:
        """Return the maximum calibration error: the largest gap of any bin (Guo et al. 2017, equation 5)."""
        return float(np.nanmax(np.abs(self.confidence - self.accuracy)))


def reliability(confidence: Float[np.ndarray, " n"], correct: Bool[np.ndarray, " n"], bins: int = 15) -> Reliability:
    """Bin cases by confidence (0..1) into bins of equal width, [low, high) but for the last, which holds 1.

    For many classes: the largest probability, and whether that class was right. For two: the probability of the second
    class, and whether it was that. Raises InputError for no cases or confidences outside 0..1.
    """
    if confidence.size == 0 or not (confidence.min() >= 0.0 and confidence.max() <= 1.0):
        raise InputError("confidences are probabilities of at least one case", field="confidence", legal="0..1")
    edges = np.linspace(0.0, 1.0, bins + 1)
    at = np.minimum(np.searchsorted(edges, confidence, side="right") - 1, bins - 1)
    count = np.bincount(at, minlength=bins)
    some = np.where(count > 0, count, 1)
    mean = np.where(count > 0, np.bincount(at, confidence, bins) / some, np.nan)
    accuracy = np.where(count > 0, np.bincount(at, correct.astype(np.float64), bins) / some, np.nan)
    return Reliability(edges, mean, accuracy, count)


def pit_axes(forecast: GaussianForecast, truth_rtn_km: Float[np.ndarray, "n H 3"]) -> Float[np.ndarray, "n H 3"]:
    """Return each axis's probability integral transform Phi((truth - mean)/sigma): uniform if the forecast is true.

    Dawid 1984; Gneiting, Balabdaoui & Raftery 2007, section 3.1.
    """
    sd = np.sqrt(np.diagonal(forecast.cov_rtn_km2, axis1=-2, axis2=-1))
    return np.asarray(ndtr((truth_rtn_km - forecast.mean_rtn_km) / sd))


def pit_distance(forecast: GaussianForecast, truth_rtn_km: Float[np.ndarray, "n H 3"]) -> Float[np.ndarray, "n H"]:
    """Return the probability of the smallest formal ellipsoid that holds the truth, uniform if the forecast is true.

    The chi-squared distribution function, 3 degrees of freedom, of the squared Mahalanobis distance. Values near 1 too
    often: the covariance is too small.
    """
    return np.asarray(chdtr(3, forecast.mahalanobis(truth_rtn_km) ** 2))


def uniform_deviation(pit: Float[np.ndarray, "*batch"]) -> float:
    """Return the largest gap between the distribution of PIT values and the uniform one (Kolmogorov 1933), 0..1.

    NaN values are left out. No p-value: windows of one object are not independent.
    """
    values = np.sort(pit[~np.isnan(pit)])
    if values.size == 0:
        return float("nan")
    steps = np.arange(values.size + 1) / values.size
    return float(max((steps[1:] - values).max(), (values - steps[:-1]).max()))


@dataclass(frozen=True, eq=False)
class Coverage:
    """Share of truths inside their regions by group and horizon, with the standard error that objects give it.

    `windows` are those with a truth. A group with fewer than two objects has no standard error (NaN).
    """

    group: Int[np.ndarray, " G"]
    share: Float[np.ndarray, "G H"]
    standard_error: Float[np.ndarray, "G H"]
    windows: Int[np.ndarray, "G H"]
    objects: Int[np.ndarray, "G H"]


def coverage(
    regions: Regions,
    truth_rtn_km: Float[np.ndarray, "n H 3"],
    group: Int[np.ndarray, " n"],
    object_id: Int[np.ndarray, " n"],
) -> Coverage:
    """Return how often the truth (RTN, km) lay inside, per group and horizon; missing truths are left out.

    The standard error is that of a ratio of totals over objects drawn at random (Cochran 1977, Sampling techniques,
    equation 6.13): sqrt(K/(K-1) sum_k (inside_k - share windows_k)^2) / windows.
    """
    return _shares(regions.contains(truth_rtn_km), ~np.isnan(truth_rtn_km).any(axis=-1), group, object_id)


def joint_coverage(
    regions: Regions,
    truth_rtn_km: Float[np.ndarray, "n H 3"],
    group: Int[np.ndarray, " n"],
    object_id: Int[np.ndarray, " n"],
) -> Coverage:
    """Return how often the truth lay inside at all horizons at once, as one column; windows with gaps are left out."""
    known = ~np.isnan(truth_rtn_km).any(axis=(1, 2))
    return _shares(regions.joint(truth_rtn_km)[:, None], known[:, None], group, object_id)


def _shares(
    inside: Bool[np.ndarray, "n H"],
    known: Bool[np.ndarray, "n H"],
    group: Int[np.ndarray, " n"],
    object_id: Int[np.ndarray, " n"],
) -> Coverage:
    groups = np.unique(group)
    shape = (len(groups), inside.shape[1])
    share, error = np.full(shape, np.nan), np.full(shape, np.nan)
    windows, objects = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for g, code in enumerate(groups):
        mine = group == code
        for h in range(shape[1]):
            rows = mine & known[:, h]
            if not rows.any():
                continue
            _, owner = np.unique(object_id[rows], return_inverse=True)
            count = np.bincount(owner)
            hits = np.bincount(owner, inside[rows, h].astype(np.float64))
            windows[g, h], objects[g, h] = rows.sum(), len(count)
            share[g, h] = hits.sum() / windows[g, h]
            if len(count) > 1:
                squares = ((hits - share[g, h] * count) ** 2).sum() * len(count) / (len(count) - 1)
                error[g, h] = np.sqrt(squares) / windows[g, h]
    return Coverage(groups.astype(np.int64), share, error, windows, objects)


def coverage_curve(
    calibrated: Calibrated,
    forecast: GaussianForecast,
    truth_rtn_km: Float[np.ndarray, "n H 3"],
    group: Int[np.ndarray, " n"],
    levels: Float[np.ndarray, " L"],
) -> Float[np.ndarray, "L H"]:
    """Return the share of truths inside the regions of each level, per horizon: ideally the level.

    Missing truths are left out. The mean of |share - level| over the levels is a regression's calibration error
    (Kuleshov, Fenner & Ermon 2018).
    """
    known = ~np.isnan(truth_rtn_km).any(axis=-1)
    inside = [calibrated.regions(forecast, group, float(level)).contains(truth_rtn_km) for level in levels]
    return np.array([(held & known).sum(axis=0) / np.maximum(known.sum(axis=0), 1) for held in inside])


def sharpness_m(regions: Regions, group: Int[np.ndarray, " n"]) -> Float[np.ndarray, "G H"]:
    """Return the median geometric-mean semi-axis of the regions, metres, per group (in rising order) and horizon."""
    axis = regions.axis_m()
    return np.array([np.median(axis[group == code], axis=0) for code in np.unique(group)])
