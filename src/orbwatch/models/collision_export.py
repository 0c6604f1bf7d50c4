"""The collision predictor as files that run without torch: one ONNX graph a member, scaler, calibration, card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.export import Dim

from orbwatch.errors import InputError
from orbwatch.learn.samples.collision_asks import CHANNELS, STEPS
from orbwatch.learn.samples.gap_scaler import GapScaler
from orbwatch.models.card import Card
from orbwatch.models.checkpoint import read_checkpoint
from orbwatch.models.collision import CollisionNetwork
from orbwatch.models.collision_runtime import KIND, MEMBER
from orbwatch.models.export import export_module
from orbwatch.models.folder import pack_checkpoints
from orbwatch.settings_groups import PredictorSettings


def load_predictor(path: Path) -> tuple[CollisionNetwork, GapScaler, dict[str, Any]]:
    """The network of a checkpoint with its averaged weights; its scaler; and what else it carries."""
    content = read_checkpoint(path)
    carried: dict[str, Any] = content["orbwatch"]
    if "least_lead_day" not in carried.get("network", {}):
        raise InputError("not a checkpoint of a collision predictor", file=path)
    network = CollisionNetwork(PredictorSettings(**carried["network"]), len(carried["features"]))
    weights = content["state_dict"]
    prefix = "average." if any(name.startswith("average.") for name in weights) else "network."
    network.load_state_dict({n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)})
    return network.eval(), GapScaler.from_dict(carried["scaler"]), carried


def export_predictor(model: CollisionNetwork, folder: Path, member: int = 0) -> None:
    """Writes member-N.onnx into the folder. Raises OSError."""
    n = Dim("n")
    older, channels = STEPS - 1, len(CHANNELS)
    given = {
        "x": torch.zeros(3, model.features),
        "trend": torch.zeros(3, older, channels),
        "spread": torch.ones(3, channels),
    }
    names = ("log_weight", "mean", "log_sigma", "along_log_weight")
    export_module(model.eval(), given, ({0: n}, {0: n}, {0: n}), names, folder / MEMBER.format(member))


def export_predictors(checkpoints: Sequence[Path], folder: Path, *, name: str | None = None, **more: Any) -> Card:
    """Writes a model folder from checkpoints of 1 to 5 training runs, not calibrated yet; returns its card.

    more: further fields of the card (`figures`, `note`). Raises InputError for checkpoints that cannot be read or do
    not belong together, and for a folder that cannot be written.
    """
    return pack_checkpoints(
        checkpoints,
        folder,
        kind=KIND,
        load=load_predictor,
        export=export_predictor,
        alike=("data_sha256",),
        name=name,
        **more,
    )
