"""Reading the checkpoints of training runs (`learn.training.checkpoints` writes them)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from orbwatch.errors import InputError
from orbwatch.learn.samples.scaler import Scaler
from orbwatch.models.trajectory import TrajectoryTransformer
from orbwatch.settings_groups import NetworkSettings


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's content, on the CPU. Raises InputError when it is missing, broken or not ours."""
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise InputError("no such checkpoint", file=path) from error
    except Exception as error:  # torch raises many kinds for a broken file
        raise InputError(f"not a readable checkpoint: {error}", file=path) from error
    if "orbwatch" not in content or "state_dict" not in content:
        raise InputError("not a checkpoint of orbwatch", file=path)
    return content


def load_network(path: Path) -> tuple[TrajectoryTransformer, Scaler, dict[str, Any]]:
    """The network of a checkpoint with its averaged weights, ready to predict; the scaler; and what else it carries."""
    content = read_checkpoint(path)
    carried: dict[str, Any] = content["orbwatch"]
    settings = NetworkSettings(**carried["network"])
    network = TrajectoryTransformer(settings, features=len(carried["features"]), query=len(carried["query"]))
    weights = content["state_dict"]
    prefix = "average." if any(name.startswith("average.") for name in weights) else "network."
    network.load_state_dict({n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)})
    return network.eval(), Scaler.from_dict(carried["scaler"]), carried
