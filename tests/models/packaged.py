"""A small model folder, exported from a network whose heads are not zero, for tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from orbwatch.learn.samples.features import inputs
from orbwatch.learn.samples.scaler import Scaler
from orbwatch.models.card import Card, read_card, write_card
from orbwatch.models.export import export
from orbwatch.models.trajectory import TrajectoryTransformer
from orbwatch.settings_groups import NetworkSettings

from ..learn.simulated import windows

SMALL = NetworkSettings(width=16, heads=2, layers=1, feedforward=16, dropout=0.2)


def network(seed: int = 1, *, zero: bool = False, features: int = 24) -> TrajectoryTransformer:
    torch.manual_seed(seed)
    model = TrajectoryTransformer(SMALL, features)
    if not zero:
        for head in (model.state_head, model.horizon_head):
            torch.nn.init.normal_(head.weight, std=0.2)
            torch.nn.init.normal_(head.bias, std=0.2)
        torch.nn.init.uniform_(model.scale_share)
    return model.eval()


def scaler(uncertainty: bool = True) -> Scaler:
    return Scaler.fit([inputs(windows(32, seed=9), uncertainty)])


def packaged(folder: Path, members: int = 1, *, zero: bool = False) -> Card:
    scales = scaler()
    made = [(network(seed, zero=zero), scales) for seed in range(members)]
    return export(made, folder, SMALL, train={"epochs": 1}, data={"windows": 3}, note="for a test")


def variant(model: Path, folder: Path, files: dict[str, bytes] | None = None, **changes: Any) -> Path:
    """A copy of a model with other files and fields of the card: exporting takes seconds, this does not."""
    folder.mkdir()
    for file in model.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    for name, content in (files or {}).items():
        (folder / name).write_bytes(content)
    write_card(replace(read_card(folder), **changes), folder)
    return folder
