"""Mean and spread of the features of gaps over training gaps; stored with the classifier, applied to everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32

from orbwatch.errors import InputError
from orbwatch.learn.samples.scaler import CLIP

_LEAST_SPREAD = 1e-6  # a feature that hardly varies in training is centred only


@dataclass(frozen=True, eq=False)
class GapScaler:
    """x -> (x - mean) / spread of F features; what is not known becomes 0."""

    features: tuple[str, ...]
    """Names of the features, in order."""
    mean: Float[np.ndarray, " F"]
    spread: Float[np.ndarray, " F"]

    @classmethod
    def fit(cls, features: tuple[str, ...], rows: Float32[np.ndarray, "m F"]) -> GapScaler:
        """Mean and standard deviation of the known values of training gaps. Raises InputError without gaps."""
        if not len(rows):
            raise InputError("no gap to scale by", field="scaler")
        known = np.isfinite(rows)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, rows, 0.0).sum(axis=0, dtype=np.float64) / count
        spread = np.sqrt((np.where(known, rows - mean, 0.0) ** 2).sum(axis=0, dtype=np.float64) / count)
        return cls(features, mean, np.where(spread > _LEAST_SPREAD, spread, 1.0))

    def apply(self, x: Float32[np.ndarray, "*n F"], valid: Bool[np.ndarray, "*n"]) -> Float32[np.ndarray, "*n F"]:
        """x scaled and clipped to +-8; zeros where not valid or not known. Raises InputError for other features."""
        if x.shape[-1] != len(self.mean):
            wanted = f"{len(self.mean)}, as the model was trained with"
            raise InputError("other features", field="features", value=x.shape[-1], legal=wanted)
        out = (x - self.mean.astype(np.float32)) * (1.0 / self.spread).astype(np.float32)
        known = np.isfinite(out) & valid[..., None]
        return np.where(known, np.clip(out, -CLIP, CLIP), np.float32(0.0))

    def to_dict(self) -> dict[str, Any]:
        """As plain lists, for JSON; floats keep every digit."""
        return {"features": list(self.features), "mean": self.mean.tolist(), "spread": self.spread.tolist()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> GapScaler:
        """The inverse of `to_dict`. Raises InputError where the numbers are missing, not finite, or too few."""
        try:
            mean, spread = (np.array(values[name], np.float64) for name in ("mean", "spread"))
            made = cls(tuple(values["features"]), mean, spread)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"not a scaler: {error}", field="scaler") from error
        if not made.mean.shape == made.spread.shape == (len(made.features),):
            raise InputError("a scaler of other features", field="scaler")
        if not (np.isfinite(made.mean).all() and (made.spread > 0.0).all()):
            raise InputError("a scaler must be finite numbers", field="scaler")
        return made
