"""Forecasters as the evaluation sees them: states, and Gaussians in RTN of the least-squares prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from orbwatch.learn.features import inputs
from orbwatch.learn.windows import Windows
from orbwatch.uncertainty.gaussian import GaussianForecast

LEAST_SQUARES = "least_squares"
NETWORK, DROPOUT, ENSEMBLE = "network", "MC dropout", "ensemble"
SOURCES = (LEAST_SQUARES, NETWORK, DROPOUT, ENSEMBLE)
"""Where a covariance comes from: least squares' formal one, one network's, that of passes with dropout, of members."""
_BATCH = 4096


@dataclass(frozen=True, eq=False)
class Predicted:
    """A forecast of n windows at H horizons."""

    rv_km: Float[np.ndarray, "n h 6"]
    """Mean states, km and km/s, in the windows' frame."""
    gaussian: GaussianForecast


@dataclass(frozen=True, eq=False)
class Reference(Predicted):
    """Least squares: the prediction that all corrections are relative to, with its axes."""

    rtn: Float[np.ndarray, "n h 3 3"]

    def to_rtn(self, rv_km: Float[np.ndarray, "n h 6"]) -> Float[np.ndarray, "n h 3"]:
        """Where these states are from the prediction, in RTN, km."""
        return np.asarray(np.einsum("nhij,nhj->nhi", self.rtn, rv_km[..., :3] - self.rv_km[..., :3]))

    def moved(
        self, position_rtn_km: Float[np.ndarray, "n h 3"], velocity_rtn_km_s: Float[np.ndarray, "n h 3"]
    ) -> Float[np.ndarray, "n h 6"]:
        """States (km, km/s, the windows' frame) that lie this far from the prediction."""
        parts = [np.einsum("nhji,nhj->nhi", self.rtn, part) for part in (position_rtn_km, velocity_rtn_km_s)]
        return np.asarray(self.rv_km + np.concatenate(parts, axis=-1))


@runtime_checkable
class Forecaster(Protocol):
    """A model with its ways to be uncertain."""

    @property
    def shipped(self) -> str:
        """The one of `SOURCES` that users get."""
        ...

    def predict(self, windows: Windows, physics: Reference, source: str, seed: int) -> Predicted:
        """Forecasts of one of `SOURCES` but the first."""
        ...


def reference(windows: Windows, threads: int = 1) -> Reference:
    """Least squares with its formal covariance at every horizon, for windows whose fit is good."""
    states, axes, covs = [], [], []
    for first in range(0, len(windows), _BATCH):
        given = inputs(windows.take(slice(first, first + _BATCH)), threads=threads)
        factor = given.factor_km.astype(np.float64)
        states.append(given.rv_km)
        axes.append(given.rtn)
        covs.append(factor @ factor.swapaxes(-1, -2))
    rv_km, cov = np.concatenate(states), np.concatenate(covs)
    return Reference(rv_km, GaussianForecast(np.zeros(cov.shape[:3]), cov), np.concatenate(axes))
