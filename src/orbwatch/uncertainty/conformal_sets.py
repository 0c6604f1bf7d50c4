"""Conformal sets of classes: the true class is in the set with the probability asked for, by object and by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.errors import InputError
from orbwatch.uncertainty.conformal_quantile import check_unit, conformal_quantiles
from orbwatch.uncertainty.gaussian import check_level


def label_scores(
    probability: Float[np.ndarray, "n C"], method: str, uniform: Float[np.ndarray, " n"] | None = None
) -> Float[np.ndarray, "n C"]:
    """Return how strange each class would be as the truth, from a classifier's probabilities.

    "lac": 1 - p (Sadinle, Lei & Wasserman 2019: the smallest sets on average). "aps": the probability of the class and
    of all that are more probable, less uniform * p (Romano, Sesia & Candes 2020, equation 8: sets that adapt to
    how hard a case is); without `uniform` nothing is taken off, which is valid and a little too wide. Equally probable
    classes are ranked from the last to the first.
    """
    if method == "lac":
        return 1.0 - probability
    order = np.argsort(probability, axis=1)[:, ::-1]
    score = np.empty_like(probability)
    np.put_along_axis(score, order, np.cumsum(np.take_along_axis(probability, order, axis=1), axis=1), axis=1)
    return score if uniform is None else score - uniform[:, None] * probability


class ConformalSets:
    """Conformal prediction sets for a classifier, one threshold per group; see `conformal_quantile` for units.

    `randomized` (for "aps") draws one uniform number per case from `seed`, for coverage of exactly the level. A set can
    be empty: then the case resembles none of the classes as the calibration set knew them.
    """

    def __init__(
        self,
        method: str = "lac",
        levels: Sequence[float] = (0.8, 0.9, 0.95, 0.99),
        unit: str = "object",
        randomized: bool = False,
        seed: int = 0,
    ) -> None:
        if method not in ("lac", "aps"):
            raise InputError("unknown kind of conformal sets", field="method", value=method, legal="lac, aps")
        self.method = method
        self.levels = tuple(check_level(level) for level in levels)
        self.unit = check_unit(unit)
        self.randomized, self.seed = randomized, seed
        self.groups: Int[np.ndarray, " G"] = np.empty(0, dtype=np.int64)
        self.threshold: Float[np.ndarray, "L G"] = np.empty((len(self.levels), 0))

    def fit(
        self,
        probability: Float[np.ndarray, "n C"],
        label: Int[np.ndarray, " n"],
        group: Int[np.ndarray, " n"],
        object_id: Int[np.ndarray, " n"],
    ) -> ConformalSets:
        """Set the thresholds from probabilities and true labels (0..C-1) of calibration cases; return self."""
        if label.size and (label.min() < 0 or label.max() >= probability.shape[1]):
            raise InputError("a label is no class", field="label", legal=f"0..{probability.shape[1] - 1}")
        score = np.take_along_axis(self._scores(probability, 0), label[:, None], axis=1)[:, 0]
        levels = np.array(self.levels)
        self.groups = np.unique(group).astype(np.int64)
        self.threshold = np.full((len(levels), len(self.groups)), np.inf)
        for g, code in enumerate(self.groups):
            mine = group == code
            self.threshold[:, g] = conformal_quantiles(score[mine], object_id[mine], levels, self.unit)
        return self

    def sets(
        self, probability: Float[np.ndarray, "n C"], group: Int[np.ndarray, " n"], level: float
    ) -> Bool[np.ndarray, "n C"]:
        """Return which classes are in each case's set; all of them for groups unknown or too small.

        Raises InputError for a level that was not calibrated.
        """
        near = [at for at, known in enumerate(self.levels) if abs(known - level) < 1e-9]
        if not near:
            legal = ", ".join(f"{known:g}" for known in self.levels)
            raise InputError("sets were not calibrated for this level", field="level", value=level, legal=legal)
        threshold = np.full(len(group), np.inf)
        for g, code in enumerate(self.groups):
            threshold[group == code] = self.threshold[near[0], g]
        return np.asarray(self._scores(probability, 1) <= threshold[:, None])

    def _scores(self, probability: Float[np.ndarray, "n C"], stream: int) -> Float[np.ndarray, "n C"]:
        # Calibration and use draw from different streams: the same numbers would tie the two together.
        rng = np.random.default_rng([self.seed, stream])
        return label_scores(probability, self.method, rng.random(len(probability)) if self.randomized else None)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain JSON values (infinite thresholds as None)."""
        threshold = self.threshold.astype(object)
        threshold[~np.isfinite(self.threshold)] = None
        return {
            "method": self.method,
            "levels": list(self.levels),
            "unit": self.unit,
            "randomized": self.randomized,
            "seed": self.seed,
            "groups": self.groups.tolist(),
            "threshold": threshold.tolist(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ConformalSets:
        """Return what `to_dict` wrote. Raises InputError where something is missing or of the wrong shape."""
        try:
            made = cls(values["method"], values["levels"], values["unit"], values["randomized"], values["seed"])
            made.groups = np.array(values["groups"], dtype=np.int64)
            threshold = np.array(values["threshold"], dtype=np.float64)
            made.threshold = np.where(np.isnan(threshold), np.inf, threshold)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("conformal thresholds cannot be read", value=repr(error)) from error
        if made.threshold.shape != (len(made.levels), len(made.groups)):
            raise InputError("conformal thresholds of the wrong shape", value=made.threshold.shape)
        return made
