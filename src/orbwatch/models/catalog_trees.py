"""Boosted trees that time an object along its orbit: one set of them for each regime, run by ONNX Runtime."""

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
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES, catalog_regime
from orbwatch.learn.samples.catalog_table import COLUMNS, rows_of, timing_table, timing_unit_s
from orbwatch.learn.samples.catalog_windows import CatalogWindows

FACTS = "trees.json"
LOG_NORMAL = 0.6352
"""A normal variable's mean logarithm of its size is this much below that of its standard deviation."""


class Timing(NamedTuple):
    """How far ahead of SGP4 objects will be along their orbits, s, and the standard deviation of that."""

    late_s: Float[np.ndarray, "n h"]
    sigma_s: Float[np.ndarray, "n h"]


def _opened(path: Path, options: Any) -> Any:
    try:
        return onnxruntime.InferenceSession(gzip.decompress(path.read_bytes()), options)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError("trees that cannot be read", file=path, hint="Pack the model again") from error


def tree_file(regime: int) -> str:
    """Name of the graph of a regime (index into `CATALOG_REGIMES`)."""
    return f"trees_{regime}.onnx.gz"


@dataclass(frozen=True, eq=False)
class CatalogTrees:
    """The graphs by regime; None where there are too few objects to learn from.

    A graph's outputs are several estimates of asinh(time shift / unit), which are averaged, and last the mean logarithm
    of their error over the unit.
    """

    graphs: tuple[Any, ...]

    @classmethod
    def load(cls, folder: Path, files: list[str], threads: int = 1) -> CatalogTrees:
        """Those among a model's files. Raises InputError for graphs made for other features."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        graphs = []
        for regime in range(len(CATALOG_REGIMES)):
            path = folder / tree_file(regime)
            graph = None if path.name not in files else _opened(path, options)
            if graph is not None and graph.get_inputs()[0].shape[1] != len(COLUMNS):
                raise InputError("trees of other features", file=path, hint="Train them again")
            graphs.append(graph)
        return cls(tuple(graphs))

    def predict(self, windows: CatalogWindows) -> Timing:
        """At the windows' horizons; no shift, with an infinite deviation, in regimes without trees."""
        shape = windows.horizon_day.shape
        late, sigma = np.zeros(shape), np.full(shape, np.inf)
        regime = catalog_regime(windows.newest)
        for code in np.unique(regime).tolist():
            graph = self.graphs[code]
            if graph is None:
                continue
            mine = np.flatnonzero(regime == code)
            part = windows.take(mine)
            (values,) = graph.run(None, {graph.get_inputs()[0].name: rows_of(*timing_table(part))})
            values = values.astype(np.float64).reshape(len(mine), shape[1], -1)
            unit = timing_unit_s(part)
            late[mine] = np.sinh(values[..., :-1].mean(axis=2)) * unit
            sigma[mine] = np.exp(values[..., -1] + LOG_NORMAL) * unit
        return Timing(late, sigma)
