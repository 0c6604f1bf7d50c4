"""The collision predictor as files that run without torch: one ONNX graph a member, scaler, calibration, card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch.export import Dim

from orbwatch.catalog.written import make_folder, write_atomically
from orbwatch.errors import InputError
from orbwatch.learn.samples.collision_asks import CHANNELS, STEPS
from orbwatch.learn.samples.gap_scaler import GapScaler
from orbwatch.models.card import CALIBRATION, MOST_MEMBERS, SCALER, Card, write_card
from orbwatch.models.checkpoint import read_checkpoint
from orbwatch.models.collision import CollisionNetwork
from orbwatch.models.collision_runtime import KIND, MEMBER
from orbwatch.models.export import CARRIED, export_module
from orbwatch.models.trajectory import parameters
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
    if not 1 <= len(checkpoints) <= MOST_MEMBERS:
        legal = f"1 .. {MOST_MEMBERS}"
        raise InputError("number of networks", field="checkpoints", value=len(checkpoints), legal=legal)
    loaded = [load_predictor(path) for path in checkpoints]
    model, _, first = loaded[0]
    for path, (_, _, carried) in zip(checkpoints, loaded, strict=True):
        for field in ("network", "features", "data_sha256"):
            if carried[field] != first[field]:
                raise InputError("unlike the others'", file=path, field=field, legal=str(first[field]))
    card = Card(
        name=name or folder.resolve().name,
        kind=KIND,
        created_utc=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        orbwatch=version("orbwatch"),
        network=first["network"],
        train=first["train"],
        parameters=parameters(model),
        members=len(loaded),
        features=[{"name": feature} for feature in first["features"]],
        query=[],
        units=first["units"],
        **({"data": {key: first[key] for key in CARRIED if key in first}} | more),
    )
    make_folder(folder)
    try:
        (folder / CALIBRATION).unlink(missing_ok=True)  # of the networks that were there before
        for member, (network, scaler, _) in enumerate(loaded):
            export_predictor(network, folder, member)
            write_atomically(folder / SCALER.format(member), (json.dumps(scaler.to_dict()) + "\n").encode())
        return write_card(card, folder)
    except OSError as error:
        raise InputError(f"cannot write the model: {error.strerror or error}", file=folder) from error
