"""Boosted trees that time an object along its orbit, and place it beside it: by regime, run by ONNX Runtime."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from jaxtyping import Float

from orbwatch.errors import InputError
from orbwatch.learn.samples.catalog_apart import FAR_OUT
from orbwatch.learn.samples.catalog_basis import ALONG
from orbwatch.learn.samples.catalog_far_table import beside_unit_km, columns_of, regime_table
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES, catalog_regime
from orbwatch.learn.samples.catalog_table import rows_of, timing_unit_s
from orbwatch.learn.samples.catalog_windows import CatalogWindows

FACTS = "trees.json"
LOG_NORMAL = 0.6352
"""A normal variable's mean logarithm of its size is this much below that of its standard deviation."""


AXES = {ALONG: "", 0: "_out", 2: "_normal"}
"""Components that there are trees for, and what their files are called by: time along the orbit, distances beside."""


class Told(NamedTuple):
    """Corrections to SGP4 in km outwards, along and normal to the orbit, and their standard deviations."""

    mean_km: Float[np.ndarray, "n h 3"]
    sigma_km: Float[np.ndarray, "n h 3"]


def _opened(path: Path, options: Any) -> Any:
    try:
        return onnxruntime.InferenceSession(gzip.decompress(path.read_bytes()), options)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError("trees that cannot be read", file=path, hint="Pack the model again") from error


def axes_of(regime: int) -> tuple[int, ...]:
    """Components that a regime has trees for: beside the orbit only where `catalog_apart` looks."""
    return tuple(AXES) if regime in FAR_OUT else (ALONG,)


def tree_file(regime: int, axis: int = ALONG) -> str:
    """Name of the graph of a regime (index into `CATALOG_REGIMES`) and a component."""
    return f"trees_{regime}{AXES[axis]}.onnx.gz"


def tree_unit(windows: CatalogWindows, axis: int) -> Float[np.ndarray, "n h"]:
    """Trees are taught asinh of the truth over this: s along the orbit, km beside it."""
    return timing_unit_s(windows) if axis == ALONG else beside_unit_km(windows)


@dataclass(frozen=True, eq=False)
class CatalogTrees:
    """The graphs by regime and component; none where there are too few objects to learn from.

    A graph's outputs are several estimates of asinh(truth / unit), which are averaged, and last the mean logarithm of
    their error over the unit.
    """

    graphs: tuple[dict[int, Any], ...]

    @classmethod
    def load(cls, folder: Path, files: list[str], threads: int = 1) -> CatalogTrees:
        """Those among a model's files. Raises InputError for graphs made for other features."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        graphs: list[dict[int, Any]] = []
        for regime in range(len(CATALOG_REGIMES)):
            graphs.append({})
            for axis in axes_of(regime):
                path = folder / tree_file(regime, axis)
                if path.name not in files:
                    continue
                graph = _opened(path, options)
                if graph.get_inputs()[0].shape[1] != len(columns_of(regime)):
                    raise InputError("trees of other features", file=path, hint="Train them again")
                graphs[-1][axis] = graph
        return cls(tuple(graphs))

    def predict(self, windows: CatalogWindows) -> Told:
        """At the windows' horizons; no correction, with an infinite deviation, where there are no trees."""
        shape = (*windows.horizon_day.shape, 3)
        mean, sigma = np.zeros(shape), np.full(shape, np.inf)
        regime = catalog_regime(windows.newest)
        for code in np.unique(regime).tolist():
            if not self.graphs[code]:
                continue
            mine = np.flatnonzero(regime == code)
            part = windows.take(mine)
            rows = rows_of(*regime_table(part, code))
            for axis, graph in self.graphs[code].items():
                (values,) = graph.run(None, {graph.get_inputs()[0].name: rows})
                values = values.astype(np.float64).reshape(len(mine), shape[1], -1)
                to_km = tree_unit(part, axis)
                if axis == ALONG:
                    to_km = to_km * np.linalg.norm(part.rv_teme_km[..., 3:], axis=-1)
                mean[mine, :, axis] = np.sinh(values[..., :-1].mean(axis=2)) * to_km
                sigma[mine, :, axis] = np.exp(values[..., -1] + LOG_NORMAL) * to_km
        return Told(mean, sigma)
