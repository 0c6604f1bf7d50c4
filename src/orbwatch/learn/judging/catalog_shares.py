"""Whom to believe where, and how far: shares of the networks' and of the trees' corrections by group and horizon."""

from __future__ import annotations

import itertools
from dataclasses import fields

import numpy as np
from jaxtyping import Float, Int

from orbwatch.learn.samples.catalog_basis import ALONG
from orbwatch.models.catalog_answers import Answers
from orbwatch.models.catalog_calibration import Shares
from orbwatch.models.catalog_groups import GROUPS

STEPS = np.linspace(0.0, 1.0, 5)
"""Shares that are tried."""
PAIRS = tuple((a, b) for a, b in itertools.product(STEPS, STEPS) if a + b <= 1.0)
"""Shares of networks and trees along the orbit; the first is plain SGP4."""
LEAST_ROWS = 50
"""A group and horizon with fewer truths keeps SGP4."""
LEVELS = ((0.5, 0.7), (0.9, 0.3))
"""Quantiles of the error and their weights: what is best is least in the weighted mean of their logarithms."""
GAIN = 0.01
"""SGP4 is left only for a gain of at least this, in that mean."""
ONE_AXIS_90 = 1.6449
"""90 % of a normal variable lie within this many standard deviations of its mean."""
LEAST_STRETCH = 0.1
_BESIDE = [0, 2]
_SMOOTH = np.array([1.0, 2.0, 3.0, 2.0, 1.0])


def best_shares(answers: Answers, truth_km: Float[np.ndarray, "n h 3"], group: Int[np.ndarray, " n"]) -> Shares:
    """The shares with the least error, neighbouring horizons together.

    truth_km: true corrections to SGP4, axes as `Answers`, NaN where not known; group: index into `GROUPS`.
    """
    h = truth_km.shape[1]
    none = np.zeros((len(GROUPS), h))
    found = Shares(none, none.copy(), none.copy(), np.ones((len(GROUPS), h, 3)))
    for code in np.unique(group).tolist():
        mine = np.flatnonzero(group == code)
        truth, said = truth_km[mine], answers.mean_km[mine]
        missed = truth[..., _BESIDE] - STEPS[:, None, None, None] * said[..., _BESIDE]
        beside = np.linalg.norm(missed, axis=-1)
        best = _best(beside)
        found.across[code] = STEPS[best]
        kept = np.take_along_axis(beside, best[None, None, :], axis=0)[0]
        trees = answers.along_km[mine]
        along = np.stack([truth[..., ALONG] - a * said[..., ALONG] - b * trees for a, b in PAIRS])
        best = _best(np.sqrt(along**2 + kept**2))
        found.networks[code], found.trees[code] = np.array(PAIRS)[best].T
    _stretch(found, answers, truth_km, group)
    return found


def _stretch(
    shares: Shares, answers: Answers, truth_km: Float[np.ndarray, "n h 3"], group: Int[np.ndarray, " n"]
) -> None:
    """Sets what makes 90 % of the errors along each axis lie within a normal distribution's 90 %."""
    places = np.arange(truth_km.shape[1], dtype=np.float64)
    for code in np.unique(group).tolist():
        mine = np.flatnonzero(group == code)
        some = Answers(*(getattr(answers, each.name)[mine] for each in fields(Answers)))
        taken = shares.at(group[mine], places)
        sigma = np.sqrt(np.diagonal(some.covariance(taken), axis1=-2, axis2=-1))
        ratio = np.abs(truth_km[mine] - some.taken(taken)) / sigma
        for at in range(truth_km.shape[1]):
            here = ratio[:, max(0, at - 1) : at + 2].reshape(-1, 3)
            here = here[np.isfinite(here[:, 0])]
            if len(here) >= LEAST_ROWS:
                shares.stretch[code, at] = np.maximum(np.quantile(here, 0.9, axis=0) / ONE_AXIS_90, LEAST_STRETCH)


def _best(error: Float[np.ndarray, "c n h"]) -> Int[np.ndarray, " h"]:
    """Which choice has the least error at each horizon; 0 where too little is known, or little is gained."""
    choices, _, h = error.shape
    score = np.full((choices, h), np.nan)
    for at in range(h):
        here = error[:, :, at]
        here = here[:, np.isfinite(here[0])]
        if here.shape[1] >= LEAST_ROWS:
            score[:, at] = sum(w * np.log(np.quantile(here, q, axis=1) + 1e-9) for q, w in LEVELS)
    score = score - score[0]
    there = np.isfinite(score)
    wide = np.stack([np.convolve(np.where(t, s, 0.0), _SMOOTH, "same") for s, t in zip(score, there, strict=True)])
    weight = np.stack([np.convolve(t.astype(np.float64), _SMOOTH, "same") for t in there])
    smooth = np.where(weight > 0.0, wide / np.maximum(weight, 1.0), 0.0)
    best = smooth.argmin(axis=0)
    return np.where(there[0] & (smooth.min(axis=0) < -GAIN), best, 0)
