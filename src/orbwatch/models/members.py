"""The networks of a model folder, as ONNX Runtime runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from jaxtyping import Float32

from orbwatch.errors import InputError
from orbwatch.learn.samples.catalog_features import CatalogInputs
from orbwatch.learn.samples.features import Inputs
from orbwatch.learn.samples.scaler import Scaler
from orbwatch.models.card import HEAD, SCALER, TRUNK, read_json

_PASSES = 8  # dropout passes at once: bounds memory


@dataclass(frozen=True, eq=False)
class Member:
    """One network: two graphs, and the scaler of its inputs."""

    trunk: Any
    head: Any
    scaler: Scaler

    @property
    def width(self) -> int:
        """Numbers that the heads read."""
        return int(self.head.get_inputs()[0].shape[1])

    def ask(
        self,
        given: Inputs | CatalogInputs,
        mix: Float32[np.ndarray, "n H 6 12"],
        log_scale: Float32[np.ndarray, " n"],
        keep_state: Float32[np.ndarray, "k width"] | None = None,
        keep_horizon: Float32[np.ndarray, "k width"] | None = None,
    ) -> tuple[Float32[np.ndarray, "k n H 6"], Float32[np.ndarray, "k n H 3 3"]]:
        """Whitened mean and factor for each pair of masks; without masks once, with everything kept."""
        x, query = self.scaler.apply(given)
        state, horizon = self.trunk.run(None, {"x": x, "valid": given.valid, "query": query})
        fixed = {"state": state, "horizon": horizon, "mix": mix, "log_scale": log_scale}
        everything = np.ones((1, self.width), np.float32)
        keep_state = everything if keep_state is None else keep_state
        keep_horizon = everything if keep_horizon is None else keep_horizon
        found = []
        for first in range(0, len(keep_state), _PASSES):
            some = slice(first, first + _PASSES)
            masks = {"keep_state": keep_state[some, None], "keep_horizon": keep_horizon[some, None, None]}
            found.append(self.head.run(None, fixed | masks))
        return joined(found)


def joined(
    found: Sequence[Sequence[Any]],
) -> tuple[Float32[np.ndarray, "k n H 6"], Float32[np.ndarray, "k n H 3 3"]]:
    """Answers of several networks or passes, one after the other."""
    if len(found) == 1:
        return found[0][0], found[0][1]
    return np.concatenate([mean for mean, _ in found]), np.concatenate([factor for _, factor in found])


def load_member(folder: Path, member: int) -> Member:
    """A network of a model folder. Raises InputError where it cannot be read."""
    scaler = Scaler.from_dict(read_json(folder / SCALER.format(member)))
    return Member(open_session(folder / TRUNK.format(member)), open_session(folder / HEAD.format(member)), scaler)


def open_session(path: Path, threads: int = 1) -> Any:
    """A graph ready to run. Raises InputError where the file cannot be read."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises many kinds for a broken file
        raise InputError(f"not a readable network: {error}", file=path) from error
