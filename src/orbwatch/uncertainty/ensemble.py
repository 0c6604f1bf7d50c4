"""Deep ensembles: networks trained from different starts, how they vote and how much they disagree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from orbwatch.errors import InputError
from orbwatch.uncertainty.gaussian import Formal
from orbwatch.uncertainty.mixture import Mixture, mixture


class DeepEnsemble(Formal):
    """Forecasts of k members as one Gaussian each (Lakshminarayanan, Pritzel & Blundell 2017).

    "soft" voting takes the mixture's moments. "hard" voting takes the mean of one member, the one nearest to all others
    (the medoid, by distances in the average covariance), and the second moment of all about it: a member that went
    astray does not move the forecast, it widens it. `fit` learns nothing and `regions` takes the Gaussian at its word;
    `Conformal` on top makes it hold.
    """

    def __init__(self, vote: str = "soft") -> None:
        if vote not in ("soft", "hard"):
            raise InputError("unknown way to vote", field="vote", value=vote, legal="soft, hard")
        self.vote = vote

    def predict(
        self, means_rtn_km: Float[np.ndarray, "k n H 3"], covs_rtn_km2: Float[np.ndarray, "k n H 3 3"]
    ) -> Mixture:
        """Return the vote of k members, km and km^2 in RTN: epistemic is how far they lie apart."""
        if self.vote == "soft":
            return mixture(means_rtn_km, covs_rtn_km2)
        inverse = np.linalg.inv(covs_rtn_km2.mean(axis=0))
        apart = np.zeros(means_rtn_km.shape[:3])
        for at, mean in enumerate(means_rtn_km):
            d = means_rtn_km - mean
            apart[at] = np.sqrt(np.maximum(np.einsum("knhi,nhij,knhj->knh", d, inverse, d), 0.0)).sum(axis=0)
        medoid = np.argmin(apart, axis=0)
        center = np.take_along_axis(means_rtn_km, medoid[None, ..., None], axis=0)[0]
        return mixture(means_rtn_km, covs_rtn_km2, center)


@dataclass(frozen=True, eq=False)
class Disagreement:
    """How much members differ: the variance between them (km^2, or of probabilities) and mutual information in nats."""

    variance: Float[np.ndarray, "*batch"]
    mutual_information: Float[np.ndarray, "*batch"]


def disagreement(
    means_rtn_km: Float[np.ndarray, "k n H 3"], covs_rtn_km2: Float[np.ndarray, "k n H 3 3"]
) -> Disagreement:
    """Return the disagreement (n, H) of members that forecast positions.

    Variance is the trace of the epistemic covariance, km^2. Mutual information between the truth and the choice of the
    member is the entropy of the mixture less the members' mean entropy (Depeweg et al. 2018, equation 2), with the
    mixture's entropy taken as that of the Gaussian of its moments: an upper bound, in nats.
    """
    both = mixture(means_rtn_km, covs_rtn_km2)
    total = np.linalg.slogdet(both.forecast.cov_rtn_km2)[1]
    single = np.linalg.slogdet(covs_rtn_km2)[1].mean(axis=0)
    return Disagreement(np.trace(both.epistemic_rtn_km2, axis1=-2, axis2=-1), 0.5 * (total - single))


@dataclass(frozen=True, eq=False)
class ClassVotes:
    """k classifiers' vote on n cases with C classes: `soft` mean probabilities, `hard` shares of first choices.

    `label` is the class with most first choices (ties by the mean probability). `entropy` is that of the mean
    probabilities in nats; it parts into the mutual information (epistemic) and the members' mean entropy (aleatoric).
    """

    soft: Float[np.ndarray, "n C"]
    hard: Float[np.ndarray, "n C"]
    label: Int[np.ndarray, " n"]
    entropy: Float[np.ndarray, " n"]
    disagreement: Disagreement


def class_votes(probability: Float[np.ndarray, "k n C"]) -> ClassVotes:
    """Return the vote of k classifiers' probabilities.

    Mutual information: H(mean p) - mean H(p) (Houlsby et al. 2011, BALD, equation 1). Variance: that of each class's
    probability between the members, summed over the classes.
    """
    soft = probability.mean(axis=0)
    classes = probability.shape[2]
    hard = np.eye(classes)[probability.argmax(axis=2)].mean(axis=0)
    # A whole vote is worth 1/k; less than that settles ties.
    label = np.argmax(hard + soft / (2 * len(probability)), axis=1)
    entropy = _entropy(soft)
    information = np.maximum(entropy - _entropy(probability).mean(axis=0), 0.0)
    return ClassVotes(soft, hard, label, entropy, Disagreement(probability.var(axis=0).sum(axis=1), information))


def _entropy(probability: Float[np.ndarray, "*batch C"]) -> Float[np.ndarray, "*batch"]:
    safe = np.where(probability > 0, probability, 1.0)
    return np.asarray(-(probability * np.log(safe)).sum(axis=-1))


def bootstrap_objects(object_id: Int[np.ndarray, " n"], seed: int | np.random.Generator) -> Int[np.ndarray, " m"]:
    """Return the rows of one bootstrap sample, ascending: as many objects as there are, drawn with replacement.

    An object drawn twice gives all its rows twice. For members trained on different data (bagging, Breiman 1996); by
    object, as rows of one object are not independent.
    """
    ids, group = np.unique(object_id, return_inverse=True)
    times = np.bincount(np.random.default_rng(seed).integers(0, len(ids), len(ids)), minlength=len(ids))
    return np.repeat(np.arange(len(object_id)), times[group])


def bootstrap_spread_km(
    means_rtn_km: Float[np.ndarray, "k n H 3"], draws: int = 200, seed: int = 0
) -> Float[np.ndarray, "n H 3"]:
    """Return the standard error of the members' mean, km in RTN, by drawing members with replacement.

    How much the ensemble's own mean would change had other members been trained: it shrinks with their number, the
    epistemic covariance does not (Efron & Tibshirani 1993, algorithm 6.1).
    """
    k = len(means_rtn_km)
    share = np.random.default_rng(seed).multinomial(k, np.full(k, 1.0 / k), draws) / k
    # The variance over draws of sum_k share_k m_k, without a copy of the forecasts per draw.
    apart = means_rtn_km - means_rtn_km.mean(axis=0)
    cov = np.cov(share, rowvar=False).reshape(k, k)
    variance = np.einsum("knhi,kl,lnhi->nhi", apart, cov, apart)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))
