"""A data set of simulated maneuvers on disk: histories in Parquet, and beside each shard of them what is true."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Int8, Shaped

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history_parquet import read_parquet
from orbwatch.catalog.written import file_hash, write_atomically
from orbwatch.errors import InputError
from orbwatch.learn.samples.sequences import MANIFEST, any_manifest
from orbwatch.learn.samples.shards import reason
from orbwatch.learn.samples.splits import SPLITS

KIND, FORMAT = "maneuvers", 1
OBJECT = np.dtype(
    [
        ("norad_id", "<i8"),
        ("base_norad_id", "<i8"),
        ("regime", "|i1"),
        ("split", "|i1"),
        ("pattern", "|i1"),
        ("sets", "<i8"),
        ("perigee_km", "<f8"),
        ("fall_m_day", "<f8"),
    ]
)
"""Of each history: its own number, that of the quiet object, indices into REGIMES, SPLITS and PATTERNS, number of sets,
the height of the quiet object's perigee, its own decay of the semi-major axis."""
EVENT = np.dtype(
    [
        ("norad_id", "<i8"),
        ("start_us", "<i8"),
        ("end_us", "<i8"),
        ("dv_rtn_m_s", "<f8", (3,)),
        ("role", "|i1"),
        ("kind", "|i1"),
        ("steady", "|u1"),
    ]
)
"""What happened: from when to when (UTC microseconds since 1970), total delta-v, indices into ROLES and GAP_KINDS;
steady: low thrust, or a change of drag, from then on."""
WINDOW = np.dtype([("norad_id", "<i8"), ("start_us", "<i8"), ("end_us", "<i8"), ("pattern", "|i1")])
"""What a window of a history shows: index into PATTERNS."""


@dataclass(frozen=True, eq=False)
class Lived:
    """Simulated histories with what is true of them."""

    table: GpTable
    """Their element sets, ordered by (norad_id, epoch_us)."""
    kind: Int8[np.ndarray, " n"]
    """Of each set, what happens until the next one: index into GAP_KINDS; the last set of an object: 0."""
    dv_rtn_m_s: Float[np.ndarray, "n 3"]
    """How much, summed; float32."""
    objects: Shaped[np.ndarray, " o"]
    """Fields of `OBJECT`."""
    events: Shaped[np.ndarray, " e"]
    """Fields of `EVENT`."""
    windows: Shaped[np.ndarray, " w"]
    """Fields of `WINDOW`."""

    def of_split(self, split: str) -> Lived:
        """The objects of one of SPLITS. Raises InputError for any other name."""
        if split not in SPLITS:
            raise InputError("no such split", value=split, legal=", ".join(SPLITS))
        return self.of(self.objects["norad_id"][self.objects["split"] == list(SPLITS).index(split)])

    def of(self, norad_ids: Int[np.ndarray, " k"]) -> Lived:
        """Some of the objects."""
        rows = np.isin(self.table.norad_id, norad_ids)
        parts = (part[np.isin(part["norad_id"], norad_ids)] for part in (self.objects, self.events, self.windows))
        return Lived(self.table[rows], self.kind[rows], self.dv_rtn_m_s[rows], *parts)


def joined_lives(parts: list[Lived]) -> Lived:
    """Several sets of histories as one, in order."""
    names = ("kind", "dv_rtn_m_s", "objects", "events", "windows")
    table = GpTable.concat([part.table for part in parts], "simulated maneuvers")
    return Lived(table, *(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def shard_files(folder: Path, number: int) -> tuple[Path, Path]:
    """Histories and truth of a shard."""
    return folder / "shards" / f"{number:03d}.parquet", folder / "shards" / f"{number:03d}.npz"


def write_truth(path: Path, lived: Lived, facts: Mapping[str, str]) -> None:
    """What is true of a shard's histories, whole or not at all; facts: hashes that tell what it is a shard of."""
    data = io.BytesIO()
    arrays = {name: getattr(lived, name) for name in ("kind", "dv_rtn_m_s", "objects", "events", "windows")}
    np.savez_compressed(data, **arrays, facts=np.array(json.dumps(dict(facts), sort_keys=True)))
    write_atomically(path, data.getvalue())


def read_facts_of(path: Path) -> dict[str, str]:
    """The hashes in a truth file. Raises InputError where it cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as data:
            return dict(json.loads(str(data["facts"])))
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise InputError(f"cannot be read: {reason(error)}", file=path) from error


def open_lives(folder: Path) -> Lived:
    """A complete data set, all of it. Raises InputError naming the file and what is wrong with it."""
    manifest = read_lives_manifest(folder)
    if not manifest.get("complete"):
        raise InputError("the data set is not complete", file=folder / MANIFEST, hint="Build it again: it goes on")
    parts = []
    for number, facts in enumerate(manifest["shards"]):
        sets, truth = shard_files(folder, number)
        if file_hash(sets) != facts["sets"]:
            raise InputError("damaged: not the bytes that were written", file=sets)
        try:
            with np.load(truth, allow_pickle=False) as data:
                arrays = [data[name] for name in ("kind", "dv_rtn_m_s", "objects", "events", "windows")]
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise InputError(f"cannot be read: {reason(error)}", file=truth) from error
        parts.append(Lived(read_parquet(sets), *arrays))
    return joined_lives(parts)


def read_lives_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a data set of maneuvers. Raises InputError where there is none, or another's."""
    manifest = any_manifest(folder, "learn.samples.maneuver_dataset.build_lives")
    if (manifest.get("kind"), manifest.get("format")) != (KIND, FORMAT):
        raise InputError("not a data set of simulated maneuvers", file=folder / MANIFEST)
    return manifest


def write_lives_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Puts the manifest in its place, whole."""
    text = json.dumps({"kind": KIND, "format": FORMAT, **manifest}, indent=1, sort_keys=True)
    write_atomically(folder / MANIFEST, text.encode())
