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
"""Shares of networks and trees; the first is plain SGP4."""
LEAST_ROWS = 50
"""A group and horizon with fewer truths keeps SGP4."""
PARTS = 4
"""The time of asking is cut into so many parts, each of which counts the same."""
LEAST_PART_ROWS = 20
"""A part with fewer truths of a group and horizon does not count."""
LEAST_IN_PARTS = 200
"""Groups with fewer truths at their best known horizon are not cut."""
DOUBT = 1.0
"""A gain is believed less this many standard errors of the parts' mean: what helps in one week only, as when the air's
density falls where it rose before, is no gain."""
LEVELS = ((0.5, 0.7), (0.9, 0.3))
"""Quantiles of the error and their weights: what is best is least in the weighted mean of their logarithms."""
GAIN = 0.01
"""SGP4 is left only for a gain of at least this, in that mean, after doubt."""
ONE_AXIS_90 = 1.6449
"""90 % of a normal variable lie within this many standard deviations of its mean."""
LEAST_STRETCH = 0.1
_BESIDE = [0, 2]
_SMOOTH = np.array([1.0, 2.0, 3.0, 2.0, 1.0])


def best_shares(
    answers: Answers,
    truth_km: Float[np.ndarray, "n h 3"],
    group: Int[np.ndarray, " n"],
    asked_us: Int[np.ndarray, " n"],
) -> Shares:
    """The shares with the least error, neighbouring horizons together.

    truth_km: true corrections to SGP4, axes as `Answers`, NaN where not known; group: index into `GROUPS`; asked_us:
    when each was asked, UTC microseconds since 1970.
    """
    part = _parts(asked_us)
    h = truth_km.shape[1]
    none = np.zeros((len(GROUPS), h))
    found = Shares(none, none.copy(), none.copy(), none.copy(), np.ones((len(GROUPS), h, 3)))
    for code in np.unique(group).tolist():
        mine = np.flatnonzero(group == code)
        truth, said, trees = truth_km[mine], answers.mean_km[mine], answers.trees_km[mine]
        missed = (truth[..., _BESIDE] - a * said[..., _BESIDE] - b * trees[..., _BESIDE] for a, b in PAIRS)
        beside = np.stack([np.linalg.norm(each, axis=-1) for each in missed])
        best = _best(beside, part[mine])
        found.across[code], found.beside[code] = np.array(PAIRS)[best].T
        kept = np.take_along_axis(beside, best[None, None, :], axis=0)[0]
        along = np.stack([truth[..., ALONG] - a * said[..., ALONG] - b * trees[..., ALONG] for a, b in PAIRS])
        best = _best(np.sqrt(along**2 + kept**2), part[mine])
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


def _parts(asked_us: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Which of `PARTS` equal parts of the time each was asked in."""
    if not len(asked_us):
        return np.empty(0, np.int64)
    edges = np.linspace(float(asked_us.min()), float(asked_us.max()), PARTS + 1)[1:-1]
    return np.asarray(np.searchsorted(edges, asked_us.astype(np.float64), "right"))


def _best(error: Float[np.ndarray, "c n h"], part: Int[np.ndarray, " n"]) -> Int[np.ndarray, " h"]:
    """Which choice has the least error at each horizon; 0 where too little is known, or no gain is sure."""
    choices, _, h = error.shape
    score = np.full((PARTS, choices, h), np.nan)
    known = np.isfinite(error[0]).sum(axis=0)
    enough = known >= LEAST_ROWS
    if known.max() < LEAST_IN_PARTS:
        part = np.zeros_like(part)
    for number in range(PARTS):
        own = error[:, part == number]
        for at in np.flatnonzero(enough).tolist():
            here = own[:, np.isfinite(own[0, :, at]), at]
            if here.shape[1] >= LEAST_PART_ROWS:
                score[number, :, at] = sum(w * np.log(np.quantile(here, q, axis=1) + 1e-9) for q, w in LEVELS)
    score -= score[:, :1]
    there = np.isfinite(score).astype(np.float64)
    sums, weight = (_smoothed(each) for each in (np.where(there > 0.0, score, 0.0), there))
    counts = (weight > 0.0).astype(np.float64)
    smooth = sums / np.maximum(weight, 1.0)
    parts = np.maximum(counts.sum(axis=0), 1.0)
    mean = (counts * smooth).sum(axis=0) / parts
    error_of_mean = np.sqrt((counts * (smooth - mean) ** 2).sum(axis=0)) / parts
    sure = mean + DOUBT * error_of_mean
    best = sure.argmin(axis=0)
    return np.where(enough & (sure.min(axis=0) < -GAIN), best, 0)


def _smoothed(value: Float[np.ndarray, "p c h"]) -> Float[np.ndarray, "p c h"]:
    """Sums over neighbouring horizons, the nearest weighing most."""
    return np.asarray(np.apply_along_axis(lambda each: np.convolve(each, _SMOOTH, "same"), 2, value))
