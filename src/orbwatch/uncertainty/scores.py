"""Proper scores: a forecast's distribution against what came true; smaller is better, and honesty is best."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr

from orbwatch.errors import InputError
from orbwatch.uncertainty.gaussian import GaussianForecast, check_level


def crps_gaussian(
    mean: Float[np.ndarray, "*batch"], sd: Float[np.ndarray, "*batch"], truth: Float[np.ndarray, "*batch"]
) -> Float[np.ndarray, "*batch"]:
    """Return the continuous ranked probability score of normal distributions, in the unit of the mean.

    sd (z (2 Phi(z) - 1) + 2 phi(z) - 1/sqrt(pi)), z = (truth - mean)/sd (Gneiting & Raftery 2007, section 4.2).
    """
    z = (truth - mean) / sd
    density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    return np.asarray(sd * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi)))


def crps_axes_km(forecast: GaussianForecast, truth_rtn_km: Float[np.ndarray, "n H 3"]) -> Float[np.ndarray, "n H 3"]:
    """Return the CRPS of each of the axes R, T, N by itself, km."""
    sd = np.sqrt(np.diagonal(forecast.cov_rtn_km2, axis1=-2, axis2=-1))
    return crps_gaussian(forecast.mean_rtn_km, sd, truth_rtn_km)


def nll(forecast: GaussianForecast, truth_rtn_km: Float[np.ndarray, "n H 3"]) -> Float[np.ndarray, "n H"]:
    """Return the negative logarithm (nats) of the forecast's density (per km^3) at the truth."""
    log_det = np.linalg.slogdet(forecast.cov_rtn_km2)[1]
    return np.asarray(0.5 * (forecast.mahalanobis(truth_rtn_km) ** 2 + log_det + 3 * np.log(2 * np.pi)))


def energy_score(
    samples: Float[np.ndarray, "m *batch d"], truth: Float[np.ndarray, "*batch d"]
) -> Float[np.ndarray, "*batch"]:
    """Return the energy score of m samples, in their unit: mean |x_i - y| - sum_ij |x_i - x_j| / (2 m^2).

    Gneiting & Raftery 2007, equation 22; for d = 1 it is the CRPS of the samples. Raises InputError without samples.
    """
    m = len(samples)
    if m == 0:
        raise InputError("an energy score needs samples", field="samples", value=0, legal=">= 1")
    near = np.linalg.norm(samples - truth, axis=-1).mean(axis=0)
    # Each pair once: |x_i - x_j| over i < j, twice, over 2 m^2.
    spread = np.zeros_like(near)
    for i in range(1, m):
        spread += np.linalg.norm(samples[:i] - samples[i], axis=-1).sum(axis=0)
    return np.asarray(near - spread / m**2)


def energy_score_km(
    forecast: GaussianForecast, truth_rtn_km: Float[np.ndarray, "n H 3"], draws: int = 64, seed: int = 0
) -> Float[np.ndarray, "n H"]:
    """Return the energy score of Gaussian forecasts in km, by sampling; unbiased in the number of draws.

    E|x - y| from `draws` samples, E|x - x'| from as many independent differences, which are N(0, 2 C): no double sum.
    """
    rng = np.random.default_rng(seed)
    factor = np.linalg.cholesky(forecast.cov_rtn_km2)
    near, spread = np.zeros(factor.shape[:2]), np.zeros(factor.shape[:2])
    d = truth_rtn_km - forecast.mean_rtn_km
    for _ in range(draws):
        x = np.einsum("nhij,nhj->nhi", factor, rng.normal(size=d.shape))
        near += np.linalg.norm(x - d, axis=-1)
        spread += np.linalg.norm(x, axis=-1)
    # |x - x'| is sqrt(2) |x| in distribution.
    return np.asarray((near - spread / np.sqrt(2)) / draws)


def interval_score(
    lower: Float[np.ndarray, "*batch"],
    upper: Float[np.ndarray, "*batch"],
    truth: Float[np.ndarray, "*batch"],
    level: float,
) -> Float[np.ndarray, "*batch"]:
    """Return the score of central intervals that claim `level`: width plus 2/(1 - level) times the miss.

    Gneiting & Raftery 2007, equation 43; in the unit of the bounds.
    """
    penalty = 2.0 / (1.0 - check_level(level))
    below, above = np.maximum(lower - truth, 0.0), np.maximum(truth - upper, 0.0)
    return np.asarray(upper - lower + penalty * (below + above))
