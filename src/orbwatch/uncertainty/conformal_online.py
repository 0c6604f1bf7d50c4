"""Adaptive conformal inference: regions that follow a drift, one stream of forecasts and truths at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from orbwatch.errors import InputError
from orbwatch.uncertainty.gaussian import GaussianForecast, Regions, check_level


class AdaptiveConformal:
    """Conformal radii for H horizons that learn from each truth as it comes in (Gibbs & Candes 2021, equation 2).

    The miss rate asked of the recent scores moves: a_(t+1) = a_t + rate (1 - level - miss_t). Whatever the scores
    do, the share of misses over T steps ends within (max(level, 1 - level) + rate) / (rate T) of 1 - level
    (their proposition 4.1). Early on, or after a shock, the radius may be infinite (a_t <= 0) or zero (a_t >= 1).
    `memory` is how many of the latest scores are kept.
    """

    def __init__(self, level: float, horizons: int, rate: float = 0.02, memory: int = 500) -> None:
        self.level = check_level(level)
        if not 0.0 < rate < 1.0:
            raise InputError("the learning rate is out of range", field="rate", value=rate, legal="0 < rate < 1")
        if memory < 1 or horizons < 1:
            raise InputError("needs at least one", field="memory, horizons", value=(memory, horizons), legal=">= 1")
        self.rate, self.memory = rate, memory
        self.miss_rate: Float[np.ndarray, " H"] = np.full(horizons, 1.0 - level)
        self.scores: Float[np.ndarray, "t H"] = np.empty((0, horizons))

    def radius(self) -> Float[np.ndarray, " H"]:
        """Return the present radius for each horizon (dimensionless Mahalanobis distance)."""
        radius = np.zeros(len(self.miss_rate))
        for h, miss_rate in enumerate(self.miss_rate):
            known = np.sort(self.scores[:, h][~np.isnan(self.scores[:, h])])
            rank = int(np.ceil(round((1.0 - miss_rate) * (known.size + 1), 9)))
            if rank > known.size:
                radius[h] = np.inf
            elif rank > 0:
                radius[h] = known[rank - 1]
        return radius

    def update(self, score: Float[np.ndarray, " H"]) -> Bool[np.ndarray, " H"]:
        """Learn one new score per horizon and say which were missed by the radius as it stood before.

        NaN (no truth yet) leaves its horizon as it is, and counts as no miss.
        """
        known = ~np.isnan(score)
        # A radius of zero stands for the empty set, which misses also a score of zero.
        missed = known & ((score > self.radius()) | (self.miss_rate >= 1.0))
        self.miss_rate = np.where(known, self.miss_rate + self.rate * (1.0 - self.level - missed), self.miss_rate)
        self.scores = np.concatenate([self.scores, score[None]])[-self.memory :]
        return np.asarray(missed)

    def regions(self, forecast: GaussianForecast) -> Regions:
        """Return the regions for forecasts (n, H) made now. Raises InputError where H is another."""
        if forecast.horizons != len(self.miss_rate):
            raise InputError(
                "the forecast has other horizons",
                field="horizons",
                value=forecast.horizons,
                legal=str(len(self.miss_rate)),
            )
        radius = np.broadcast_to(self.radius(), (len(forecast), forecast.horizons))
        return Regions(forecast.mean_rtn_km, forecast.cov_rtn_km2, radius, self.level)

    def to_dict(self) -> dict[str, Any]:
        """Return the whole state as plain JSON values (missing scores as None, infinite ones as "inf")."""
        scores = self.scores.astype(object)
        scores[np.isnan(self.scores)] = None
        scores[np.isinf(self.scores)] = "inf"
        return {
            "level": self.level,
            "rate": self.rate,
            "memory": self.memory,
            "miss_rate": self.miss_rate.tolist(),
            "scores": scores.tolist(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> AdaptiveConformal:
        """Return what `to_dict` wrote. Raises InputError where something is missing or is no number."""
        try:
            made = cls(values["level"], len(values["miss_rate"]), values["rate"], values["memory"])
            made.miss_rate = np.array(values["miss_rate"], dtype=np.float64)
            made.scores = np.array(values["scores"], dtype=np.float64).reshape(-1, len(made.miss_rate))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("the state of adaptive regions cannot be read", value=repr(error)) from error
        return made
