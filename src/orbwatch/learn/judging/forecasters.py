"""Forecasters as the evaluation sees them: states, and Gaussians in RTN of the least-squares prediction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from orbwatch.learn.samples.features import inputs, moved
from orbwatch.learn.samples.windows import Windows
from orbwatch.models.runtime import Answers, TrajectoryForecaster
from orbwatch.uncertainty.gaussian import GaussianForecast

LEAST_SQUARES = "least_squares"
NETWORK, DROPOUT, ENSEMBLE = "network", "MC dropout", "ensemble"
SHIPPED = "shipped"
SOURCES = (LEAST_SQUARES, NETWORK, DROPOUT, ENSEMBLE, SHIPPED)
"""Where a covariance comes from: least squares' formal one, one network's, that of passes with dropout, of members;
and what users get: the model where it ships, least squares elsewhere."""
PASSES = 20
"""Passes with dropout."""
_BATCH = 4096
_ASKED = 1024


@dataclass(frozen=True, eq=False)
class Predicted:
    """A forecast of n windows at H horizons."""

    rv_km: Float[np.ndarray, "n h 6"]
    """Mean states, km and km/s, in the windows' frame."""
    gaussian: GaussianForecast
    epistemic_share: Float[np.ndarray, "n h"] | None = field(default=None, kw_only=True)
    """Share of the variance that is the disagreement of members or passes, 0 .. 1; None where there is one answer."""


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
        return moved(self.rv_km, self.rtn, position_rtn_km, velocity_rtn_km_s)


@runtime_checkable
class Forecaster(Protocol):
    """A model with its ways to be uncertain."""

    sources: tuple[str, ...]
    """Those of `SOURCES` that it has."""
    whole: str
    """The one of them that all its networks give."""

    def predict(self, windows: Windows, physics: Reference, source: str, seed: int) -> Predicted:
        """Forecasts of one of `sources`; physics is least squares on the same windows."""
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


def shipped(physics: Reference, whole: Predicted, ships: Bool[np.ndarray, " n"]) -> Predicted:
    """What users get: the model's forecast for the windows where it ships, least squares for the others."""
    pick = ships[:, None, None]
    gaussian = GaussianForecast(
        np.where(pick, whole.gaussian.mean_rtn_km, physics.gaussian.mean_rtn_km),
        np.where(pick[..., None], whole.gaussian.cov_rtn_km2, physics.gaussian.cov_rtn_km2),
    )
    return Predicted(np.where(pick, whole.rv_km, physics.rv_km), gaussian)


class Model:
    """A model as `models.runtime` runs it, without its fallback: what it would say in every regime."""

    def __init__(self, forecaster: TrajectoryForecaster) -> None:
        f = forecaster
        self._all = TrajectoryForecaster(f.folder, f.card, f.members, None, (), f.threads)
        self._first = TrajectoryForecaster(f.folder, f.card, f.members[:1], None, (), f.threads)
        self.sources: tuple[str, ...] = (NETWORK, DROPOUT, ENSEMBLE) if len(f.members) > 1 else (NETWORK, DROPOUT)
        self.whole = ENSEMBLE if len(f.members) > 1 else NETWORK

    def predict(self, windows: Windows, physics: Reference, source: str, seed: int) -> Predicted:  # noqa: ARG002
        """Forecasts of one of `sources`, a batch at a time: the answers of many members or passes are large."""
        n, horizons = windows.horizon_s.shape
        rv, mean, cov = np.empty((n, horizons, 6)), np.empty((n, horizons, 3)), np.empty((n, horizons, 3, 3))
        share = None if source == NETWORK else np.empty((n, horizons))
        for first in range(0, n, _ASKED):
            rows = slice(first, first + _ASKED)
            answers = self._asked(windows.take(rows), source, seed)
            if share is None:
                gaussian = answers.gaussian()
            else:
                mixed = answers.mixture()
                gaussian, share[rows] = mixed.forecast, mixed.epistemic_share()
            rv[rows], mean[rows], cov[rows] = answers.states_km(), gaussian.mean_rtn_km, gaussian.cov_rtn_km2
        return Predicted(rv, GaussianForecast(mean, cov), epistemic_share=share)

    def _asked(self, windows: Windows, source: str, seed: int) -> Answers:
        if source == DROPOUT:
            return self._first.samples(windows, PASSES, seed)
        return (self._all if source == ENSEMBLE else self._first).answers(windows)
