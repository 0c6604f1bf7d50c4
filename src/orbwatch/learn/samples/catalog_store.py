"""A data set of askings on disk: inputs and truth in half precision, in shards that are mapped, not read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, Int8, Shaped

from orbwatch.catalog.written import write_atomically
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.learn.samples.catalog_features import FEATURES, FOLLOWED, QUERY, TOKENS, CatalogInputs
from orbwatch.learn.samples.catalog_windows import NODES_DAY
from orbwatch.learn.samples.sequences import MANIFEST, any_manifest, shard_folder
from orbwatch.learn.samples.shards import Column, Extent, open_shard, reason
from orbwatch.learn.samples.splits import SPLITS
from orbwatch.settings_groups import AskSettings

KIND, FORMAT = "catalog", 1
BUILD = "`orbwatch dataset catalog` with the same settings makes damaged and missing shards again"
ASK = np.dtype(
    [
        ("norad_id", "<i8"),
        ("asked_us", "<i8"),
        ("epoch_us", "<i8"),
        ("regime", "<i1"),
        ("split", "<i1"),
        ("speed_km_s", "<f4"),
    ]
)
"""What is kept of each asking; `speed_km_s` is the mean orbital speed."""
MOST_HALF = 6e4
"""Whitened truths beyond this are kept as this: half precision ends there."""


def _column(dtype: str, tail: tuple[int, ...], unit: str, note: str) -> Column:
    return Column(np.dtype(dtype), "ask", tail, unit, note)


_H = len(NODES_DAY)
COLUMNS = {
    "asks": Column(ASK, "ask", (), "1, us, us, 1, 1, km/s", "object, time, newest epoch, regime, split, speed"),
    "x": _column("<f2", (TOKENS, len(FEATURES)), "see the table of features", "known sets"),
    "valid": _column("|u1", (TOKENS,), "1", "1 where there is a set"),
    "query": _column("<f2", (_H, len(QUERY)), "see the table of queries", "horizons"),
    "trend": _column("<f2", (_H, len(FOLLOWED)), "1", "whitened trends"),
    "scale": _column("<f4", (_H, 3), "km, s, km", "what whitens: outwards, time, normal"),
    "phase": _column("<f2", (_H, 2), "1", "cosine and sine of the argument of latitude"),
    "target": _column("<f2", (_H, 3), "1", "whitened truth, NaN where not known"),
}
"""The files of a shard."""


@dataclass(eq=False)
class CatalogStore:
    """An open data set of askings; ids count through its shards."""

    folder: Path
    manifest: dict[str, Any]
    _shards: list[dict[str, np.ndarray]] = field(repr=False)

    @classmethod
    def open(cls, folder: Path) -> CatalogStore:
        """Opens a complete data set. Raises InputError naming the file and what is wrong with it."""
        manifest = read_catalog_manifest(folder)
        path = folder / MANIFEST
        try:
            if not manifest["complete"]:
                raise InputError("the data set is not complete", file=path, hint=BUILD)
            shards = [
                open_shard(shard_folder(folder, i), Extent(0, 0, 0, int(each["asks"])), each["arrays"], COLUMNS)
                for i, each in enumerate(manifest["shards"])
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"a damaged manifest: {reason(error)}", file=path) from error
        return cls(folder, manifest, shards)

    def __reduce__(self) -> tuple[Any, ...]:
        return CatalogStore.open, (self.folder,)

    def __len__(self) -> int:
        return len(self.asks)

    @property
    def settings(self) -> AskSettings:
        """What it was built from. Raises InputError where the manifest is damaged."""
        try:
            return AskSettings(**self.manifest["settings"])
        except (KeyError, TypeError) as error:
            path = self.folder / MANIFEST
            raise InputError(f"a damaged manifest: {reason(error)}", file=path, field="settings") from error

    @property
    def data_hash(self) -> str:
        """SHA-256 over all arrays, as built."""
        return str(self.manifest["data_hash"])

    @cached_property
    def asks(self) -> Shaped[np.ndarray, " n"]:
        """What is kept of each asking: fields of `ASK`."""
        return np.concatenate([np.empty(0, ASK), *(shard["asks"] for shard in self._shards)])

    @cached_property
    def regime(self) -> Int8[np.ndarray, " n"]:
        """Index into `CATALOG_REGIMES` of each asking."""
        return np.ascontiguousarray(self.asks["regime"])

    def ids(self, split: str) -> Int[np.ndarray, " k"]:
        """Askings of a split, by object and time. Raises InputError for a split that is not one of SPLITS."""
        if split not in SPLITS:
            raise InputError("no such split", value=split, legal=", ".join(SPLITS))
        return np.flatnonzero(self.asks["split"] == list(SPLITS).index(split))

    def gather(self, ids: Int[np.ndarray, " n"]) -> CatalogInputs:
        """The inputs and the truth of these askings, in this order."""
        shard = np.searchsorted(self._ends, ids, side="right")
        out = {
            name: np.empty((len(ids), *column.tail), np.float32 if column.dtype.kind == "f" else column.dtype)
            for name, column in COLUMNS.items()
            if name != "asks"
        }
        for i in np.unique(shard).tolist():
            at = np.flatnonzero(shard == i)
            rows = ids[at] - (self._ends[i] - len(self._shards[i]["asks"]))
            for name, values in out.items():
                values[at] = self._shards[i][name][rows]
        asks = self.asks[ids]
        lag_day = (asks["asked_us"] - asks["epoch_us"]) / DAY_US
        return CatalogInputs(
            x=out["x"],
            valid=out["valid"] > 0,
            query=out["query"],
            trend=out["trend"],
            scale=out["scale"],
            phase=out["phase"],
            ahead_day=(lag_day[:, None] + NODES_DAY).astype(np.float32),
            speed_km_s=np.ascontiguousarray(asks["speed_km_s"]),
            target=out["target"],
        )

    @cached_property
    def _ends(self) -> Int[np.ndarray, " shards"]:
        return np.cumsum([len(shard["asks"]) for shard in self._shards])


def is_catalog(folder: Path) -> bool:
    """Whether a folder says that it is a data set of askings, and not of tracks."""
    try:
        return any_manifest(folder, "orbwatch dataset catalog").get("kind") == KIND
    except InputError:  # whoever opens it says what is wrong
        return False


def read_catalog_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a data set of askings. Raises InputError where there is none, or another's."""
    path = folder / MANIFEST
    manifest = any_manifest(folder, "orbwatch dataset catalog --history FILE --output FOLDER")
    if (manifest.get("kind"), manifest.get("format")) != (KIND, FORMAT):
        hint = "`orbwatch dataset catalog` makes them"
        raise InputError("not a data set of askings of a catalogue", file=path, hint=hint)
    return manifest


def write_catalog_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Puts the manifest in its place, whole."""
    text = json.dumps({"kind": KIND, "format": FORMAT, **manifest}, indent=1, sort_keys=True)
    write_atomically(folder / MANIFEST, text.encode())
