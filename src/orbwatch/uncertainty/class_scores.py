"""How well classes are told apart: confusion, F1, average precision, temperature."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize
from scipy.special import expit, log_expit, log_softmax

_HOLD = 0.1
"""How strongly slope and offset are held to 1 and 0: as much as some tenth of a case says."""


def confusion(
    told: Int[np.ndarray, " n"],
    true: Int[np.ndarray, " n"],
    classes: int,
    weight: Float[np.ndarray, " n"] | None = None,
) -> Float[np.ndarray, "classes classes"]:
    """Cases by true class (rows) and told class (columns), counted or weighted."""
    place = true.astype(np.int64) * classes + told
    return np.bincount(place, weight, classes * classes).astype(np.float64).reshape(classes, classes)


def f1_of(table: Float[np.ndarray, "*b c c"]) -> Float[np.ndarray, "*b c"]:
    """F1 of each class, 2 hits / (true + told), from confusions; NaN of a class that is neither true nor told."""
    hits = np.diagonal(table, axis1=-2, axis2=-1)
    both = table.sum(axis=-1) + table.sum(axis=-2)
    return np.where(both > 0, 2.0 * hits / np.where(both > 0, both, 1.0), np.nan)


def macro_f1(told: Int[np.ndarray, " n"], true: Int[np.ndarray, " n"]) -> float:
    """Mean of F1 over the classes that are true of some case; NaN without cases."""
    if not len(true):
        return float("nan")
    classes = int(max(told.max(), true.max())) + 1
    table = confusion(told, true, classes)
    return float(f1_of(table)[table.sum(axis=1) > 0].mean())


def average_precision(score: Float[np.ndarray, " n"], true: Bool[np.ndarray, " n"]) -> float:
    """Precision averaged over the recall of the true cases, in order of score; NaN where none is true.

    sum_k (R_k - R_(k-1)) P_k (Manning, Raghavan & Schuetze 2008, section 8.4); equal scores are taken together.
    """
    if not true.any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(score[order]) != 0.0, True])
    hits = np.cumsum(true[order])[ends]
    return float((np.diff(hits, prepend=0) * hits / (ends + 1.0)).sum() / true.sum())


def temperature(logits: Float[np.ndarray, "n c"], true: Int[np.ndarray, " n"], *, offset: bool) -> tuple[float, float]:
    """Temperature T > 0, and what is added to the first class's logit, with the least negative log likelihood.

    softmax(logits / T) as Guo et al. 2017, section 4.2; `offset` frees a shift of class 0 beside it (else it is 0),
    since the share of nothing among the cases is another where a model is used than where it was trained (Saerens,
    Latinne & Decaestecker 2002).
    """
    if not len(true):
        return 1.0, 0.0
    first = np.eye(logits.shape[1])[0]

    def lost(x: Float[np.ndarray, " k"]) -> float:
        shift = x[1] if offset else 0.0
        log_p = log_softmax(logits * np.exp(-x[0]) + shift * first, axis=1)
        return float(-np.take_along_axis(log_p, true[:, None].astype(np.int64), axis=1).mean())

    found = minimize(lost, np.zeros(2 if offset else 1), method="Nelder-Mead").x
    return float(np.exp(found[0])), float(found[1]) if offset else 0.0


def platt(odds: Float[np.ndarray, " m"], true: Bool[np.ndarray, " m"]) -> tuple[float, float]:
    """Slope and offset that make log-odds likeliest, held a little to (1, 0): a convex problem with one answer.

    Platt 1999, "Probabilistic outputs for support vector machines".
    """
    sign = np.where(true, 1.0, -1.0)

    def cost(w: Float[np.ndarray, "2"]) -> tuple[float, Float[np.ndarray, "2"]]:
        margin = sign * (w[0] * odds + w[1])
        pull = -sign * expit(-margin)
        held = w - np.array([1.0, 0.0])
        slope = np.array([pull @ odds, pull.sum()]) + _HOLD * held
        return float(-log_expit(margin).sum() + 0.5 * _HOLD * held @ held), slope

    best = minimize(cost, np.array([1.0, 0.0]), jac=True, method="BFGS")
    return float(best.x[0]), float(best.x[1])
