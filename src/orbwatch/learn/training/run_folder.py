"""The folder of a training run, and what its files say about where it came from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orbwatch
from orbwatch.catalog.written import make_folder, write_atomically
from orbwatch.errors import InputError
from orbwatch.learn.samples.catalog_store import CatalogStore
from orbwatch.learn.samples.collision_store import CollisionStore
from orbwatch.learn.samples.gap_store import GapStore
from orbwatch.learn.samples.sequences import SequenceStore
from orbwatch.settings import as_json
from orbwatch.settings_groups import ClassifierSettings, NetworkSettings, PredictorSettings, TrainSettings

CONFIG, SCALER, LAST, BEST = "config.json", "scaler.json", "last.ckpt", "best.ckpt"
PLACES = ("data", "code_sha256", "orbwatch")
"""Entries of the configuration that may differ when a run goes on."""


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run."""

    path: Path

    @property
    def last(self) -> Path:
        """The checkpoint to go on from."""
        return self.path / LAST

    @property
    def best(self) -> Path:
        """The checkpoint of the lowest validation loss."""
        return self.path / BEST

    def open(self, config: dict[str, Any], *, resume: bool) -> bool:
        """Makes the folder for a run with this configuration, and says whether there is a checkpoint to go on from.

        A run that goes on with other code keeps the hashes of the code before, in `config` and in the folder. Raises
        InputError when the folder cannot be written, holds another run, or holds this run without `resume`.
        """
        make_folder(self.path)
        going_on = self.last.exists()
        if going_on and not resume:
            hint = "Resume it, or choose another folder"
            raise InputError("the output folder holds a training run already", file=self.path, hint=hint)
        if going_on:
            before = self.read_json(CONFIG)
            self._compare(before, config)
            config["code_sha256"] = _appended(before.get("code_sha256", []), config["code_sha256"])
        self.write_json(CONFIG, config)
        return going_on

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Writes a JSON file of the folder, whole or not at all."""
        write_atomically(self.path / name, (json.dumps(content, indent=2) + "\n").encode())

    def read_json(self, name: str) -> dict[str, Any]:
        """Reads one. Raises InputError when it is missing or broken."""
        path = self.path / name
        try:
            content: dict[str, Any] = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise InputError(f"not a readable file of a training run: {error}", file=path) from error
        return content

    def _compare(self, before: dict[str, Any], config: dict[str, Any]) -> None:
        for group in config:
            if group in PLACES or before.get(group) == config[group]:
                continue
            was, now = before.get(group), config[group]
            if isinstance(was, dict) and isinstance(now, dict):
                name = next(key for key in now if now[key] != was.get(key))
                was, now, group = was.get(name), now[name], f"{group}.{name}"
            hint = "Choose another folder for another run"
            raise InputError(
                "not the run that this folder holds", file=self.path, field=group, value=now, legal=str(was), hint=hint
            )


def _appended(before: str | list[str], now: list[str]) -> list[str]:
    """Hashes of code in the order of their use; a single one stood by itself once."""
    known = [before] if isinstance(before, str) else before
    return known if known[-1:] == now[-1:] else known + now


def configuration(
    store: SequenceStore | CatalogStore | GapStore | CollisionStore,
    network: NetworkSettings | ClassifierSettings | PredictorSettings,
    settings: TrainSettings,
) -> dict[str, Any]:
    """What a run is: all that its numbers depend on, and which data and code it used (code_sha256: a list, as code may
    change before a run goes on)."""
    return {
        "network": as_json(network, hashed_only=True),
        "train": as_json(settings, hashed_only=True),
        "data": str(store.folder),
        "data_sha256": store.data_hash,
        "dataset": store.manifest.get("settings"),
        "code_sha256": [code_hash()],
        "orbwatch": version("orbwatch"),
    }


@cache
def code_hash() -> str:
    """SHA-256 of orbwatch's own source files."""
    root = Path(orbwatch.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
