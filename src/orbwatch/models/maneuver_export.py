"""The maneuver classifier as files that run without torch: two ONNX graphs a member, scaler, calibration, card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim

from orbwatch.errors import InputError
from orbwatch.learn.samples.gap_scaler import GapScaler
from orbwatch.learn.samples.gap_windows import GAPS
from orbwatch.models.card import HEAD, TRUNK, Card
from orbwatch.models.checkpoint import read_checkpoint
from orbwatch.models.export import export_module
from orbwatch.models.folder import pack_checkpoints
from orbwatch.models.maneuver import ManeuverClassifier
from orbwatch.models.maneuver_runtime import KIND
from orbwatch.settings_groups import ClassifierSettings


class _Trunk(nn.Module):
    """`ManeuverClassifier.trunk` as a module, to export."""

    def __init__(self, model: ManeuverClassifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 20, features), (n, 20) -> (n, 20, width), (n, 1, width)."""
        gap, window = self.model.trunk(x, valid)
        return gap, window.unsqueeze(1)


class _Head(nn.Module):
    """`ManeuverClassifier.head` with an axis of passes, to export."""

    def __init__(self, model: ManeuverClassifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, gap: Tensor, window: Tensor, keep_gap: Tensor, keep_window: Tensor) -> tuple[Tensor, Tensor]:
        """Masks (p, 1, 1, width) -> kinds (p, n, 20, kinds), patterns (p, n, 1, patterns)."""
        return self.model.head(gap, window, keep_gap, keep_window)


def load_classifier(path: Path) -> tuple[ManeuverClassifier, GapScaler, dict[str, Any]]:
    """The network of a checkpoint with its averaged weights, ready to tell; the scaler; and what else it carries."""
    content = read_checkpoint(path)
    carried: dict[str, Any] = content["orbwatch"]
    if "kinds" not in carried:
        raise InputError("not a checkpoint of a maneuver classifier", file=path)
    sizes = ClassifierSettings(**carried["network"])
    network = ManeuverClassifier(sizes, *(len(carried[name]) for name in ("features", "kinds", "patterns")))
    weights = content["state_dict"]
    prefix = "average." if any(name.startswith("average.") for name in weights) else "network."
    network.load_state_dict({n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)})
    return network.eval(), GapScaler.from_dict(carried["scaler"]), carried


def export_classifier(model: ManeuverClassifier, folder: Path, member: int = 0) -> None:
    """Writes member-N.trunk.onnx and member-N.head.onnx into the folder. Raises OSError."""
    model = model.eval()
    n, p, width = Dim("n"), Dim("p"), model.width
    features = model.convolve_1.in_channels - 1
    export_module(
        _Trunk(model),
        {"x": torch.zeros(3, GAPS, features), "valid": torch.ones(3, GAPS) > 0},
        ({0: n}, {0: n}),
        ("gap", "window"),
        folder / TRUNK.format(member),
    )
    keep = torch.ones(2, 1, 1, width)
    export_module(
        _Head(model),
        {
            "gap": torch.zeros(3, GAPS, width),
            "window": torch.zeros(3, 1, width),
            "keep_gap": keep,
            "keep_window": keep.clone(),
        },
        ({0: n}, {0: n}, {0: p}, {0: p}),
        ("kind", "pattern"),
        folder / HEAD.format(member),
    )


def export_classifiers(checkpoints: Sequence[Path], folder: Path, *, name: str | None = None, **more: Any) -> Card:
    """Writes a model folder from checkpoints of 1 to 5 training runs, not calibrated yet; returns its card.

    more: further fields of the card (`figures`, `note`). Raises InputError for checkpoints that cannot be read or do
    not belong together, and for a folder that cannot be written.
    """
    return pack_checkpoints(
        checkpoints,
        folder,
        kind=KIND,
        load=load_classifier,
        export=export_classifier,
        alike=("kinds", "patterns"),
        name=name,
        **more,
    )
