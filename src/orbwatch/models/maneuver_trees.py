"""The detector of maneuvers that ships: boosted trees on the evidence of a gap, run by ONNX Runtime."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from jaxtyping import Bool, Float
from scipy.special import expit

from orbwatch.catalog.gp import GpTable
from orbwatch.errors import InputError
from orbwatch.learn.samples.catalog_regimes import is_high
from orbwatch.learn.samples.gaps import COLUMNS, GapTable
from orbwatch.models.registry import find_model

DETECTOR = "maneuver-detector"
"""The packaged one."""
FACTS = "detector.json"
ORBITS, MODES = ("near", "far"), ("batch", "causal")
"""Low orbits, and all from MEO up; with the sets of all times, and with those that were there soon after."""

_TOLD = ("miss_t", "miss_n", "miss_t_1d", "along_2d", "along_4d", "along_less_drag_4d", "ecc_2d", "ecc_4d", "plane_2d",
         "plane_4d", "along_bend_8d", "plane_bend_8d", "miss_level_4d", "cross_speed_0_4")  # fmt: skip
_QUIET = 1.15
"""Gaps all of whose evidence (`_TOLD`) is below this (1.4 times its usual size) are not asked about: of events with a
probability above 0.05 one in a hundred is so quiet, of all gaps one in three."""


def graph_file(orbit: str, mode: str) -> str:
    """Name of the graph for an orbit and a mode."""
    return f"{orbit}_{mode}.onnx.gz"


def is_told(gaps: GapTable) -> Bool[np.ndarray, " g"]:
    """Which gaps have any evidence worth asking about."""
    places = [COLUMNS.index(name) for name in _TOLD]
    return np.asarray((np.abs(gaps.features[:, places]) >= _QUIET).any(axis=1))


@dataclass(frozen=True, eq=False)
class ManeuverTrees:
    """Graphs by orbit, for one mode. A graph gives log-odds of several models, which are averaged; the calibration
    (slope, offset) makes them the log-odds of a maneuver within a day of the gap."""

    graphs: tuple[Any, ...]
    calibration: tuple[tuple[float, float], ...]

    @classmethod
    def load(cls, name: str | Path = DETECTOR, causal: bool = False, threads: int = 1) -> ManeuverTrees:
        """A packaged detector, or one in a folder. Raises InputError where it is not there, or made for others."""
        folder = find_model(name)
        path = folder / FACTS
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError("not a detector of maneuvers", file=path, hint="`orbwatch train detector`") from error
        if facts["columns"] != list(COLUMNS):
            raise InputError("a detector made for other evidence", file=path, hint="Train it again")
        mode = MODES[int(causal)]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        graphs = tuple(_opened(folder / graph_file(orbit, mode), options) for orbit in ORBITS)
        return cls(graphs, tuple(tuple(facts["calibration"][f"{orbit}_{mode}"]) for orbit in ORBITS))

    def __call__(self, table: GpTable, gaps: GapTable) -> Float[np.ndarray, " g"]:
        """The probability of a maneuver in each gap of a history."""
        found = np.zeros(len(gaps.row))
        told = is_told(gaps)
        far = is_high(table)[gaps.row]
        for orbit, (graph, (slope, offset)) in enumerate(zip(self.graphs, self.calibration, strict=True)):
            mine = np.flatnonzero(told & (far == bool(orbit)))
            if len(mine):
                (odds,) = graph.run(None, {graph.get_inputs()[0].name: gaps.features[mine]})
                found[mine] = expit(slope * odds.astype(np.float64).mean(axis=1) + offset)
        return found


def load_score(name: str | Path, causal: bool) -> ManeuverTrees:
    """What `maneuver.detect.detect` needs."""
    return ManeuverTrees.load(name, causal)


def _opened(path: Path, options: Any) -> Any:
    try:
        return onnxruntime.InferenceSession(gzip.decompress(path.read_bytes()), options)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError("trees that cannot be read", file=path, hint="Train the detector again") from error
