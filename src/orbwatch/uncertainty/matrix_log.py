"""Covariances as logarithms: six numbers that may be interpolated in any way, and stay a covariance.

Log-Euclidean interpolation of symmetric positive definite matrices (Arsigny, Fillard, Pennec & Ayache 2006, "Log-
Euclidean metrics for fast and simple calculus on diffusion tensors").
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_ROW, _COLUMN = np.triu_indices(3)
_LEAST = 1e-14
"""Smallest eigenvalue over the largest: rounding may take it below 0."""


def log_of(cov: Float[np.ndarray, "*batch 3 3"]) -> Float[np.ndarray, "*batch 6"]:
    """Upper triangle of the logarithm of positive definite matrices."""
    values, vectors = np.linalg.eigh(cov)
    values = np.log(np.maximum(values, _LEAST * values[..., -1:]))
    return np.asarray(((vectors * values[..., None, :]) @ vectors.swapaxes(-1, -2))[..., _ROW, _COLUMN])


def exp_of(log: Float[np.ndarray, "*batch 6"]) -> Float[np.ndarray, "*batch 3 3"]:
    """The inverse of `log_of`."""
    full = np.empty((*log.shape[:-1], 3, 3))
    full[..., _ROW, _COLUMN] = full[..., _COLUMN, _ROW] = log
    values, vectors = np.linalg.eigh(full)
    made = (vectors * np.exp(values)[..., None, :]) @ vectors.swapaxes(-1, -2)
    return np.asarray(0.5 * (made + made.swapaxes(-1, -2)))
