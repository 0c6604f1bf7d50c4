"""The card beside a model's weights: what it was trained on, how well it does, and the hashes of its files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from orbwatch.catalog.written import file_hash, write_atomically
from orbwatch.errors import InputError

CARD, CONFORMAL, CALIBRATION = "card.json", "conformal.json", "calibration.json"
TRUNK, HEAD, SCALER = "member-{}.trunk.onnx", "member-{}.head.onnx", "member-{}.scaler.json"
MOST_MEMBERS = 5
VERSION = 1


@dataclass(frozen=True)
class Card:
    """What a user needs to know before trusting a model; everything is plain JSON."""

    name: str
    kind: str
    """What it forecasts: "trajectory" (from tracks) or "catalog" (from element sets)."""
    created_utc: str
    orbwatch: str
    """Version that wrote it."""
    network: dict[str, Any]
    """Settings of the network (`NetworkSettings`)."""
    train: dict[str, Any]
    """Settings of the training (`TrainSettings`)."""
    parameters: int
    """Trainable numbers of one member."""
    members: int
    """Networks in the ensemble."""
    features: list[dict[str, Any]]
    query: list[dict[str, Any]]
    """Tables of the inputs, in order: name, unit, group, note."""
    units: str
    data: dict[str, Any] = field(default_factory=dict)
    """What it was trained on: settings of the data set, hashes of data and code, distinct windows and samples an epoch
    (of the first network, and `windows_of_members` of all)."""
    figures: dict[str, Any] = field(default_factory=dict)
    """Measured errors on objects that it never saw."""
    coverage: dict[str, Any] = field(default_factory=dict)
    """What its regions were calibrated on (data, windows, objects, unit), why it ships where it does, and the measured
    coverage."""
    fallback: list[str] = field(default_factory=list)
    """Groups of windows in which physics is used instead, because the gain was not significant; of a catalogue model
    none, as its calibration says how much of each correction is taken, group by group."""
    note: str = ""
    files: dict[str, str] = field(default_factory=dict)
    """SHA-256 of every file beside the card."""
    version: int = VERSION
    """Of this format."""


def write_card(card: Card, folder: Path) -> Card:
    """Writes card.json with the hashes of all other files of the folder, and returns it so. Raises OSError."""
    others = sorted(path for path in folder.iterdir() if path.is_file() and path.name != CARD)
    card = replace(card, files={path.name: file_hash(path) for path in others})
    write_atomically(folder / CARD, (json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n").encode())
    return card


def read_card(folder: Path) -> Card:
    """Reads a model folder's card. Raises InputError where there is none, or one of another shape or version."""
    values = read_json(folder / CARD)
    if values.get("version") != VERSION:
        legal = f"version {VERSION}"
        raise InputError("a card of another version", file=folder / CARD, value=values.get("version"), legal=legal)
    names = {f.name for f in fields(Card)}
    if values.keys() != names:
        wrong = ", ".join(sorted(values.keys() ^ names))
        raise InputError("a card with fields missing or unknown", file=folder / CARD, field=wrong)
    return Card(**values)


def check_files(card: Card, folder: Path) -> None:
    """Raises InputError naming the first file that is missing, or not the one that the card was written for."""
    for name, expected in card.files.items():
        path = folder / name
        if not path.is_file():
            raise InputError("a file of the model is missing", file=path)
        if file_hash(path) != expected:
            raise InputError("not the file that the model's card was written for", file=path, legal=expected)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file. Raises InputError where that cannot be read."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        hint = "A model is a folder that `orbwatch train trajectory` made"
        raise InputError("no such file of a model", file=path, hint=hint) from error
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", file=path) from error
    if not isinstance(values, dict):
        raise InputError("not a JSON object", file=path)
    return values
