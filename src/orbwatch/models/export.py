"""From torch to files that run without it: two ONNX graphs a member, scaler, card.

The trunk is run once a window; the head, which alone has dropout, as often as Monte Carlo dropout wants, all passes at
once. Batch, horizons and passes are free dimensions of the graphs.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim

from orbwatch.catalog.written import write_atomically
from orbwatch.errors import InputError
from orbwatch.learn.samples import catalog_features
from orbwatch.learn.samples.features import QUERY, feature_table
from orbwatch.learn.samples.scaler import Scaler
from orbwatch.learn.samples.windows import HISTORY
from orbwatch.models.card import HEAD, MOST_MEMBERS, TRUNK, Card
from orbwatch.models.checkpoint import load_network
from orbwatch.models.folder import CARRIED, load_alike, write_members
from orbwatch.models.trajectory import TrajectoryTransformer
from orbwatch.settings import as_json
from orbwatch.settings_groups import NetworkSettings

UNITS = "kilometres, seconds, radians; the graphs' own numbers are whitened"


class Trunk(nn.Module):
    """`TrajectoryTransformer.trunk` as a module, to export."""

    def __init__(self, model: TrajectoryTransformer) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, valid: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 20, features), (n, 20), (n, H, query) -> (n, width), (n, H, width)."""
        return self.model.trunk(x, valid, query)


class Head(nn.Module):
    """`TrajectoryTransformer.head` with an axis of passes, to export."""

    def __init__(self, model: TrajectoryTransformer) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, state: Tensor, horizon: Tensor, mix: Tensor, log_scale: Tensor, keep_state: Tensor, keep_horizon: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Masks (p, 1, width) and (p, 1, 1, width) -> mean (p, n, H, 6), factor (p, n, H, 3, 3)."""
        parts = self.model.head(state, horizon, mix, log_scale, keep_state, keep_horizon)
        return parts.mean, parts.factor


def export_member(model: TrajectoryTransformer, folder: Path, member: int = 0) -> None:
    """Writes member-N.trunk.onnx and member-N.head.onnx into the folder. Raises OSError."""
    model = model.eval()
    n, h, p, width = Dim("n"), Dim("h"), Dim("p"), model.width
    features, query = model.embed.in_features - 1, model.horizon_query.in_features
    export_module(
        Trunk(model),
        {
            "x": torch.zeros(3, HISTORY, features),
            "valid": torch.ones(3, HISTORY) > 0,
            "query": torch.zeros(3, 5, query),
        },
        ({0: n}, {0: n}, {0: n, 1: h}),
        ("state", "horizon"),
        folder / TRUNK.format(member),
    )
    export_module(
        Head(model),
        {
            "state": torch.zeros(3, width),
            "horizon": torch.zeros(3, 5, width),
            "mix": torch.zeros(3, 5, 6, 12),
            "log_scale": torch.zeros(3),
            "keep_state": torch.ones(2, 1, width),
            "keep_horizon": torch.ones(2, 1, 1, width),
        },
        ({0: n}, {0: n, 1: h}, {0: n, 1: h}, {0: n}, {0: p}, {0: p}),
        ("mean", "factor"),
        folder / HEAD.format(member),
    )


def export(
    members: Sequence[tuple[TrajectoryTransformer, Scaler]],
    folder: Path,
    network: NetworkSettings,
    *,
    name: str | None = None,
    **more: Any,
) -> Card:
    """Writes a model folder from 1 to 5 networks with the same settings, each with its scaler; returns its card.

    The model's name is the folder's if none is given. more: further fields of the card (`train`, `data`, `figures`,
    `coverage`, `fallback`, `note`). Raises InputError for another number of members, and for a folder that cannot be
    written.
    """
    if not members:
        raise InputError("number of networks", field="members", value=0, legal=f"1 .. {MOST_MEMBERS}")
    kind, features, query = _inputs_of(members[0][1])
    return write_members(
        members,
        export_member,
        folder,
        name=name,
        kind=kind,
        network=as_json(network),
        features=[feature._asdict() for feature in features],
        query=[feature._asdict() for feature in query],
        units=UNITS,
        **({"train": {}} | more),
    )


def export_module(
    module: nn.Module,
    given: dict[str, Tensor],
    free: tuple[dict[int, Any], ...],
    names: tuple[str, ...],
    path: Path,
) -> None:
    """Writes a module as an ONNX file: its inputs by name with their free dimensions, and the names of its outputs."""
    with _quiet():
        program = torch.onnx.export(
            module.eval(),
            tuple(given.values()),
            input_names=list(given),
            output_names=list(names),
            dynamic_shapes=free,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    write_atomically(path, _plain(program.model_proto).SerializeToString())


def _inputs_of(scaler: Scaler) -> tuple[str, Sequence[Any], Sequence[Any]]:
    """The kind of model that a scaler is of, and its tables of features and queries."""
    if scaler.query == tuple(feature.name for feature in catalog_features.QUERY):
        return "catalog", catalog_features.FEATURES, catalog_features.QUERY
    return "trajectory", feature_table(len(scaler.features) == len(feature_table())), QUERY


def export_checkpoints(
    checkpoints: Sequence[Path],
    folder: Path,
    *,
    name: str | None = None,
    **more: Any,
) -> Card:
    """The same from checkpoints of training runs; the card says how the first was trained, and on what.

    Members may differ in all settings of their training: seed, windows, bootstrap. Raises InputError for a checkpoint
    that cannot be read, and for networks of other settings or trained on other data.
    """
    loaded = load_alike(checkpoints, load_network, ("network", "data_sha256"))
    first = loaded[0][2]
    data = {key: first[key] for key in CARRIED if key in first}
    if len(loaded) > 1:
        data["windows_of_members"] = [carried["windows"] for _, _, carried in loaded]
    data |= more.pop("data", {})
    return export(
        [(model, scaler) for model, scaler, _ in loaded],
        folder,
        NetworkSettings(**first["network"]),
        name=name,
        **({"train": first["train"], "data": data} | more),
    )


def _plain(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without the notes of where in torch each node came from: half the file, and paths of this machine."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.initializer, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    del model.metadata_props[:], model.graph.metadata_props[:]
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the exporter's notes on libraries that it does not need to itself."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
