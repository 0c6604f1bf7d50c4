"""One shard of a data set: a folder of plain .npy files, written piece by piece, there whole or not at all.

A shard is written into a temporary folder beside its place, flushed to the disk, and renamed. Its `shard.json`, with
the hash of every file, is the last thing written.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy

from orbwatch.errors import InputError

OBJECT = np.dtype(
    [
        ("object_id", "<i8"),
        ("regime", "<i1"),
        ("start_us", "<i8"),
        ("sigma_km", "<f8"),
        ("ballistic_m2_kg", "<f8"),
        ("ballistic_public_m2_kg", "<f8"),
    ]
)
"""What is kept of each object."""


class Column(NamedTuple):
    """One array of a shard."""

    dtype: np.dtype[Any]
    per: str
    """What the first axes count: "object", "row" (objects, rows), "window" (objects, windows), "burn" or "ask"."""
    tail: tuple[int, ...]
    """Further axes."""
    unit: str
    note: str


def _column(dtype: str, per: str, tail: tuple[int, ...], unit: str, note: str) -> Column:
    return Column(np.dtype(dtype), per, tail, unit, note)


COLUMNS = {
    "objects": Column(
        OBJECT, "object", (), "1, 1, us, km, m2/kg, m2/kg", "number, regime, start, noise, drag: true, told"
    ),
    "burns": _column("<f8", "burn", (6,), "1, s, s, m/s", "object, start after the series' start, length, dv R T N"),
    "truth_rv_km": _column("<f8", "row", (6,), "km, km/s", "true state, TEME of the series' start, held fixed"),
    "noise_km": _column("<f4", "row", (3,), "km", "what a sensor's position is off, NaN where none is seen"),
    "burn": _column("|u1", "row", (), "1", "1 where there was thrust since the row before"),
    "fit_rv": _column("<f8", "window", (6,), "km, km/s", "least-squares state at the last position"),
    "fit_cov": _column("<f4", "window", (21,), "km, km/s squared", "its covariance, lower triangle by rows"),
    "fit_rms": _column("<f4", "window", (), "1", "root of the reduced chi-square"),
    "fit_count": _column("|u1", "window", (), "1", "positions in the fit"),
    "fit_status": _column("|u1", "window", (), "1", "0 good; see least_squares"),
}
"""The files of a shard."""


def units(columns: Mapping[str, Column] = COLUMNS) -> dict[str, dict[str, str]]:
    """What the manifest says of every file: its unit, what it counts by, a note."""
    return {name: {"unit": c.unit, "per": c.per, "note": c.note} for name, c in columns.items()}


LOWER = np.tril_indices(6)
"""Where the 21 numbers of `fit_cov` stand in the matrix."""


@dataclass(frozen=True)
class Extent:
    """Size of a shard."""

    objects: int
    rows: int
    windows: int
    """Windows of each object."""
    asks: int = 0
    """Askings of all objects together, in the catalogue's regime."""

    def shape(self, column: Column, burns: int = 0) -> tuple[int, ...]:
        """Shape of a column in a shard of this size."""
        head = {
            "object": (self.objects,),
            "burn": (burns,),
            "row": (self.objects, self.rows),
            "window": (self.objects, self.windows),
            "ask": (self.asks,),
        }
        return head[column.per] + column.tail


class ShardWriter:
    """Writes the pieces of a shard, objects in order; `close` puts the shard in its place.

    Leaving the `with` block without `close` leaves nothing behind.
    """

    def __init__(
        self, place: Path, extent: Extent, facts: Mapping[str, Any], columns: Mapping[str, Column] = COLUMNS
    ) -> None:
        self._place, self._facts, self._columns = place, dict(facts), columns
        place.parent.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix=f"{TEMPORARY}{place.name}-", dir=place.parent))
        self._files = {}
        for name, column in columns.items():
            if column.per != "burn":
                self._files[name] = _Npy(self._folder / f"{name}.npy", column.dtype, extent.shape(column))
        self._burns: list[np.ndarray] = []

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.file.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def append(self, columns: Mapping[str, np.ndarray]) -> None:
        """The next objects: every column, shaped as it says with as many objects as come."""
        for name, file in self._files.items():
            file.append(columns[name])
        if "burns" in self._columns:
            self._burns.append(np.asarray(columns["burns"], np.float64).reshape(-1, 6))

    def close(self) -> None:
        """Completes the shard: all on the disk, then in its place, with all that it holds."""
        if "burns" in self._columns:
            burns = np.concatenate([np.empty((0, 6)), *self._burns])
            self._files["burns"] = _Npy(self._folder / "burns.npy", burns.dtype, burns.shape)
            self._files["burns"].append(burns)
        arrays = {name: self._files[name].close() for name in self._columns}
        text = json.dumps(self._facts | {"arrays": arrays}, indent=1, sort_keys=True)
        with (self._folder / "shard.json").open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        _sync(self._folder)
        self._folder.replace(self._place)
        _sync(self._place.parent)


TEMPORARY = ".tmp-"
"""How the names of unfinished shards begin."""


class _Npy:
    """An .npy file of known shape, written from the front, hashed on the way."""

    def __init__(self, path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        self.dtype, self.shape = dtype, shape
        self.file = path.open("w+b")
        header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(self.file, header)
        self.file.seek(0)
        self._hash = hashlib.sha256(self.file.read())

    def append(self, values: np.ndarray) -> None:
        block = np.ascontiguousarray(values, self.dtype)
        data = block.reshape(-1).view(np.uint8).data
        self.file.write(data)
        self._hash.update(data)

    def close(self) -> dict[str, Any]:
        self.file.flush()
        os.fsync(self.file.fileno())
        size = self.file.tell()
        self.file.close()
        return {"sha256": self._hash.hexdigest(), "bytes": size, "shape": list(self.shape)}


def read_facts(folder: Path) -> dict[str, Any]:
    """What `shard.json` says. Raises InputError, naming the file, where it is missing or no such thing."""
    path = folder / "shard.json"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        facts["arrays"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"a shard without its description: {reason(error)}", file=path, hint=BUILD_AGAIN) from error
    return dict(facts)


BUILD_AGAIN = "`orbwatch dataset build` with the same settings makes damaged and missing shards again"


def open_shard(
    folder: Path, extent: Extent, arrays: Mapping[str, Any], columns: Mapping[str, Column] = COLUMNS
) -> dict[str, np.ndarray]:
    """The columns of a shard, mapped from their files, read-only.

    arrays: bytes and shape of each file, as `shard.json` has them. Sizes and headers are compared, not contents (see
    `dataset_check`). Raises InputError naming the file and what is wrong with it.
    """
    found = {}
    for name, column in columns.items():
        path = folder / f"{name}.npy"
        try:
            said = arrays[name]
            size = path.stat().st_size
            if size != said["bytes"]:
                raise InputError("a file of another size", file=path, value=size, legal=f"{said['bytes']} bytes")
            mapped = np.load(path, mmap_mode=None if column.per in ("burn", "object") else "r", allow_pickle=False)
            shape = extent.shape(column, burns=len(mapped))
            if mapped.dtype != column.dtype or mapped.shape != shape or list(shape) != said["shape"]:
                seen = f"{mapped.dtype} {mapped.shape}"
                raise InputError("an array of another shape", file=path, value=seen, legal=f"{column.dtype} {shape}")
        except InputError as error:
            error.hint = BUILD_AGAIN
            raise
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"cannot be read: {reason(error)}", file=path, hint=BUILD_AGAIN) from error
        found[name] = np.asarray(mapped)
    return found


def reason(error: Exception) -> str:
    """Why, in a word."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else f"{type(error).__name__} {error}"


def _sync(folder: Path) -> None:
    """Makes the names in a folder last, where the system can."""
    if os.name == "posix":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
