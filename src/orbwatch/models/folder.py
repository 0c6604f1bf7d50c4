"""A model folder from its networks, the same for every kind: graphs, scalers and card, written in one place."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from torch import nn

from orbwatch.catalog.written import make_folder, write_atomically
from orbwatch.errors import InputError
from orbwatch.models.card import CALIBRATION, CONFORMAL, MOST_MEMBERS, SCALER, Card, write_card
from orbwatch.models.trajectory import parameters

CARRIED = (
    "data_sha256", "dataset", "code_sha256", "windows", "samples_an_epoch", "validation_windows",
    "started_utc", "result",
)  # fmt: skip
"""What a card takes from a checkpoint about its data."""


@runtime_checkable
class Scaling(Protocol):
    """A scaler that knows itself as JSON."""

    def to_dict(self) -> dict[str, Any]: ...


M = TypeVar("M")
N = TypeVar("N", bound=nn.Module)
S = TypeVar("S", bound=Scaling)


def load_alike(
    checkpoints: Sequence[Path], load: Callable[[Path], tuple[M, S, dict[str, Any]]], alike: Sequence[str]
) -> list[tuple[M, S, dict[str, Any]]]:
    """Networks of checkpoints that may be members of one model: what they carry under `alike` is the same.

    Raises InputError for too few or too many, for one that `load` refuses, and for one unlike the others.
    """
    if not 1 <= len(checkpoints) <= MOST_MEMBERS:
        legal = f"1 .. {MOST_MEMBERS}"
        raise InputError("number of networks", field="checkpoints", value=len(checkpoints), legal=legal)
    loaded = [load(path) for path in checkpoints]
    first = loaded[0][2]
    for path, (_, _, carried) in zip(checkpoints, loaded, strict=True):
        for field in alike:
            if carried.get(field) == first.get(field):
                continue
            if field == "data_sha256":
                hint = "Its training objects may be those that the others are judged on"
                raise InputError("trained on other data than the others", file=path, field=field, hint=hint)
            raise InputError("unlike the others'", file=path, field=field, legal=str(first.get(field)))
    return loaded


def write_members(
    members: Sequence[tuple[N, Scaling]],
    export: Callable[[N, Path, int], None],
    folder: Path,
    *,
    name: str | None,
    **fields: Any,
) -> Card:
    """Writes 1 to 5 networks, each with its scaler, and their card; what calibrated networks before them is removed.

    export: writes one network as ONNX files, given the folder and its number. name: of the model; None: the folder's.
    fields: of the card. Raises InputError for another number of networks, and for a folder that cannot be written.
    """
    if not 1 <= len(members) <= MOST_MEMBERS:
        raise InputError("number of networks", field="members", value=len(members), legal=f"1 .. {MOST_MEMBERS}")
    card = Card(
        name=name or folder.resolve().name,
        created_utc=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        orbwatch=version("orbwatch"),
        parameters=parameters(members[0][0]),
        members=len(members),
        **fields,
    )
    make_folder(folder)
    try:
        for old in (CONFORMAL, CALIBRATION):
            (folder / old).unlink(missing_ok=True)
        for member, (model, scaler) in enumerate(members):
            export(model, folder, member)
            write_atomically(folder / SCALER.format(member), (json.dumps(scaler.to_dict()) + "\n").encode())
        return write_card(card, folder)
    except OSError as error:
        raise InputError(f"cannot write the model: {error.strerror or error}", file=folder) from error


def pack_checkpoints(
    checkpoints: Sequence[Path],
    folder: Path,
    *,
    kind: str,
    load: Callable[[Path], tuple[N, S, dict[str, Any]]],
    export: Callable[[N, Path, int], None],
    alike: Sequence[str],
    name: str | None,
    **more: Any,
) -> Card:
    """Writes a model folder, not calibrated yet, from checkpoints that say their own features, units and training.

    alike: what else, besides network and features, must be the same, and stands in the card's data. more: further
    fields of the card (`figures`, `note`). Raises InputError as `load_alike` and `write_members` do.
    """
    loaded = load_alike(checkpoints, load, ("network", "features", *alike))
    first = loaded[0][2]
    return write_members(
        [(network, scaler) for network, scaler, _ in loaded],
        export,
        folder,
        name=name,
        kind=kind,
        network=first["network"],
        train=first["train"],
        features=[{"name": feature} for feature in first["features"]],
        query=[],
        units=first["units"],
        **({"data": {key: first[key] for key in dict.fromkeys((*CARRIED, *alike)) if key in first}} | more),
    )
