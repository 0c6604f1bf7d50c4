"""Mean and spread of features and queries over training windows; stored with the model, applied to everything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float32

from orbwatch.errors import InputError
from orbwatch.learn.samples import catalog_features
from orbwatch.learn.samples.catalog_features import CatalogInputs
from orbwatch.learn.samples.features import QUERY, Inputs, feature_table

CLIP = 8.0
"""Scaled values stay within +- this."""
TABLES = (
    *((tuple(f.name for f in feature_table(both)), tuple(f.name for f in QUERY)) for both in (True, False)),
    (tuple(f.name for f in catalog_features.FEATURES), tuple(f.name for f in catalog_features.QUERY)),
)
"""Names of features and queries that networks are given: of tracks, with and without uncertainty; of the catalogue."""
_LEAST_SPREAD = 1e-6  # a feature that hardly varies in training is centred only


@dataclass(frozen=True, eq=False)
class Scaler:
    """x -> (x - mean) / spread of F features, and the same of q queries."""

    features: tuple[str, ...]
    """Names of the features, in order."""
    query: tuple[str, ...]
    """Names of the queries, in order."""
    mean: Float[np.ndarray, " F"]
    spread: Float[np.ndarray, " F"]
    query_mean: Float[np.ndarray, " q"]
    query_spread: Float[np.ndarray, " q"]

    @classmethod
    def fit(cls, batches: Iterable[Inputs] | Iterable[CatalogInputs]) -> Scaler:
        """Mean and standard deviation over the valid rows and the horizons of usable windows, a batch at a time.

        Give it training windows only. Batches are merged exactly (Chan, Golub & LeVeque 1983), in double precision.
        Raises InputError where there is nothing to learn from, or batches have different features.
        """
        rows, queries = _Moments(), _Moments()
        for batch in batches:
            rows.add(batch.x[batch.valid & batch.usable[:, None]])
            queries.add(batch.query[batch.usable].reshape(-1, batch.query.shape[-1]))
        if not (rows.count and queries.count):
            raise InputError("no usable window to scale by", hint="fits that failed and missing truth do not count")
        widths = len(rows.mean), len(queries.mean)
        features, query = next(table for table in TABLES if (len(table[0]), len(table[1])) == widths)
        return cls(features, query, rows.mean, rows.spread(), queries.mean, queries.spread())

    def apply(
        self, inputs: Inputs | CatalogInputs
    ) -> tuple[Float32[np.ndarray, "n k F"], Float32[np.ndarray, "n H q"]]:
        """(x, query) scaled and clipped to +-8; zeros in rows that are not valid. Raises InputError for other features.

        A window that is not usable for want of truth is scaled like any other; one without a fit has no valid row.
        """
        if inputs.x.shape[-1] != len(self.mean):
            wanted = f"{len(self.mean)}, as the model was trained with"
            raise InputError("other features", field="features", value=inputs.x.shape[-1], legal=wanted)
        x = _scaled(inputs.x, self.mean, self.spread)
        x *= inputs.valid[..., None]
        return x, _scaled(inputs.query, self.query_mean, self.query_spread)

    def to_dict(self) -> dict[str, Any]:
        """As plain lists, for JSON; floats keep every digit."""
        return {
            "features": list(self.features),
            "mean": self.mean.tolist(),
            "spread": self.spread.tolist(),
            "query": list(self.query),
            "query_mean": self.query_mean.tolist(),
            "query_spread": self.query_spread.tolist(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Scaler:
        """The inverse of `to_dict`. Raises InputError where names or counts are not those of this version."""
        try:
            made = cls(
                tuple(values["features"]),
                tuple(values["query"]),
                *(np.array(values[name], np.float64) for name in ("mean", "spread", "query_mean", "query_spread")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"not a scaler: {error}", field="scaler") from error
        shapes = (made.mean.shape, made.spread.shape, made.query_mean.shape, made.query_spread.shape)
        wanted = ((len(made.features),),) * 2 + ((len(made.query),),) * 2
        if (made.features, made.query) not in TABLES or shapes != wanted:
            raise InputError("a scaler of other features", field="scaler", hint="the model is of another version")
        if not all(np.isfinite(part).all() for part in (made.mean, made.spread, made.query_mean, made.query_spread)):
            raise InputError("a scaler must be finite numbers", field="scaler")
        return made


class _Moments:
    """Count, mean and sum of squared deviations, merged batch by batch."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: Float[np.ndarray, " c"] = np.zeros(0)
        self._squares: Float[np.ndarray, " c"] = np.zeros(0)

    def add(self, rows: Float[np.ndarray, "m c"]) -> None:
        if not len(rows):
            return
        mean = rows.mean(axis=0, dtype=np.float64)
        squares = ((rows - mean) ** 2).sum(axis=0)
        if not self.count:
            self.count, self.mean, self._squares = len(rows), mean, squares
            return
        if len(mean) != len(self.mean):
            raise InputError("other features", field="features", value=len(mean), legal=f"{len(self.mean)}, as before")
        both = self.count + len(rows)
        apart = mean - self.mean
        self._squares = self._squares + squares + apart**2 * (self.count * len(rows) / both)
        self.mean = self.mean + apart * (len(rows) / both)
        self.count = both

    def spread(self) -> Float[np.ndarray, " c"]:
        deviation = np.sqrt(self._squares / self.count)
        return np.where(deviation > _LEAST_SPREAD, deviation, 1.0)


def _scaled(
    values: Float32[np.ndarray, "... c"], mean: Float[np.ndarray, " c"], spread: Float[np.ndarray, " c"]
) -> Float32[np.ndarray, "... c"]:
    out = values - mean.astype(np.float32)
    out *= (1.0 / spread).astype(np.float32)
    np.clip(out, -CLIP, CLIP, out=out)
    return out
