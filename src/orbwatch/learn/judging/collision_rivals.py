"""What else could be said of a predicted approach: rivals of the collision predictor, taught by the same events.

- latest: the latest prediction stands.
- line: each channel's trends, weighted by least squares at each lead time (a straight line in time is among them), with
  Gaussian errors that grow linearly with the lead time: a linear model of how errors grow.
- boosting: gradient boosting (scikit-learn) on the same numbers as the network, of height and side each, by least
  absolute error; and of the miss distance directly.
- isotonic: of the probability only: the latest miss distance, calibrated by isotonic regression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from orbwatch.learn.samples.collision_store import Lesson
from orbwatch.uncertainty.encounter_mixture import EncounterMixture

_CLIP_KM = 1.5
_RIDGE = 1e-3


@dataclass(frozen=True, eq=False)
class Told:
    """What a rival says of n askings: NaN where it says nothing."""

    miss_km: Float[np.ndarray, " n"]
    along_km: Float[np.ndarray, " n"]
    near: Float[np.ndarray, " n"]
    """P(final miss < the threshold)."""


def latest_stands(asks: Lesson, near_km: float) -> Told:
    """No change."""
    miss = np.hypot(*asks.asks.now_km.T.astype(np.float64))
    return Told(miss, np.zeros(len(miss)), (miss < near_km).astype(np.float64))


def line(taught: Lesson, asks: Lesson, near_km: float) -> Told:
    """Weighted trends, Gaussian errors. Both of one lead time."""
    mean, sigma = np.empty((len(asks.miss_km), 3)), np.empty(3)
    for c in range(3):
        known = np.isfinite(taught.change_km[:, c])
        x = np.clip(taught.asks.trend_km[known, :, c], -_CLIP_KM, _CLIP_KM).astype(np.float64)
        y = np.clip(taught.change_km[known, c], -_CLIP_KM, _CLIP_KM)
        weights = np.linalg.solve(x.T @ x + _RIDGE * len(x) * np.eye(x.shape[1]), x.T @ y)
        mean[:, c] = np.clip(asks.asks.trend_km[:, :, c], -_CLIP_KM, _CLIP_KM) @ weights
        sigma[c] = 1.4826 * np.median(np.abs(y - x @ weights))
    lead = len_lead(asks) / np.median(len_lead(taught))
    scale = np.maximum(lead, 0.1)[:, None] * np.maximum(sigma, 1e-4)
    now = np.column_stack((asks.asks.now_km, np.zeros(len(mean))))
    sure = np.ones((len(mean), 1))
    told = EncounterMixture(sure, (now + mean)[:, None], scale[:, None], sure)
    near = told.miss_below(np.full(len(mean), near_km))
    return Told(np.hypot(*(now + mean)[:, :2].T), mean[:, 2], near)


def len_lead(lesson: Lesson) -> Float[np.ndarray, " n"]:
    """Lead times, days, of the newest predictions."""
    from orbwatch.learn.samples.collision_asks import FEATURES

    return np.asarray(lesson.asks.features[:, FEATURES.index("lead")], np.float64)


def boosting(taught: Lesson, asks: Lesson, near_km: float, *, direct: bool) -> Told:
    """Gradient boosting on the network's own numbers; `direct`: of the miss distance instead of height and side."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    x, ask_x = _inputs(taught), _inputs(asks)
    varied = x.std(axis=0) > 0.0
    x, ask_x = x[:, varied], ask_x[:, varied]
    sizes = {"max_iter": 200, "learning_rate": 0.08, "max_leaf_nodes": 31, "min_samples_leaf": 60, "random_state": 0}

    def fitted(y: Float[np.ndarray, " n"]) -> Float[np.ndarray, " m"]:
        known = np.isfinite(y)
        model = HistGradientBoostingRegressor(loss="absolute_error", **sizes)
        model.fit(x[known], np.clip(y[known], -_CLIP_KM, _CLIP_KM))
        return np.asarray(model.predict(ask_x))

    now = asks.asks.now_km.astype(np.float64)
    if direct:
        before = np.hypot(*taught.asks.now_km.T.astype(np.float64))
        change = np.where(np.isfinite(taught.miss_km), taught.miss_km - before, np.nan)
        miss = np.hypot(*now.T) + fitted(change)
    else:
        miss = np.hypot(now[:, 0] + fitted(taught.change_km[:, 0]), now[:, 1] + fitted(taught.change_km[:, 1]))
    told = ~np.isnan(taught.miss_km)
    classes = HistGradientBoostingClassifier(**(sizes | {"max_iter": 60}))
    classes.fit(x[told], taught.miss_km[told] < near_km)
    return Told(miss, fitted(taught.change_km[:, 2]), np.asarray(classes.predict_proba(ask_x)[:, 1]))


def isotonic(taught: Lesson, asks: Lesson, near_km: float) -> Told:
    """How often the final miss was near, by the latest one."""
    from sklearn.isotonic import IsotonicRegression

    told = ~np.isnan(taught.miss_km)
    before = np.hypot(*taught.asks.now_km.T.astype(np.float64))
    model = IsotonicRegression(increasing=False, out_of_bounds="clip")
    model.fit(before[told], (taught.miss_km[told] < near_km).astype(np.float64))
    now = np.hypot(*asks.asks.now_km.T.astype(np.float64))
    nothing = np.full(len(now), np.nan)
    return Told(nothing, nothing, np.asarray(model.predict(now)))


def _inputs(lesson: Lesson) -> Float[np.ndarray, "n f"]:
    trend = lesson.asks.trend_km.reshape(len(lesson.miss_km), -1)
    return np.concatenate((lesson.asks.features, trend), axis=1).astype(np.float64)
