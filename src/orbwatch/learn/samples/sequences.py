"""A data set of series on disk: `manifest.json`, and shards of plain arrays that are mapped, not read.

Each object's series is stored once; windows are cut from it when they are asked for, so 1.391 million of them take
0.28 GB. The least-squares fit of every window lies beside the series.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Int8, Shaped, UInt8

from orbwatch.catalog.written import write_atomically
from orbwatch.errors import InputError
from orbwatch.learn.samples.cut import burn_bits, epochs_us
from orbwatch.learn.samples.gather_kernel import gather_at
from orbwatch.learn.samples.shards import BUILD_AGAIN, COLUMNS, LOWER, Extent, open_shard, reason
from orbwatch.learn.samples.splits import SPLITS
from orbwatch.learn.samples.windows import (
    BURN_IN_FORECAST,
    HISTORY,
    HORIZONS,
    Windows,
    history_s,
    horizons_s,
    make_windows,
)
from orbwatch.propagate.least_squares import OK, ArcFit
from orbwatch.settings_groups import DatasetSettings
from orbwatch.simulate.burns import Burn
from orbwatch.simulate.trajectories import Truth

FORMAT = 1
FRAME = "TEME of the start of each object's series, held fixed"
MANIFEST = "manifest.json"

_FULL = np.empty(36, np.intp)  # where each entry of a 6 x 6 matrix stands in its lower triangle
_FULL.reshape(6, 6)[LOWER] = np.arange(21)
_FULL.reshape(6, 6).T[LOWER] = np.arange(21)


def shard_folder(folder: Path, number: int) -> Path:
    """Where a shard of a data set lies."""
    return folder / "shards" / f"{number:03d}"


def any_manifest(folder: Path, maker: str) -> dict[str, Any]:
    """The manifest in a folder, of whatever kind; `maker` is the command that makes one. Raises InputError if none."""
    path = folder / MANIFEST
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise InputError("no data set here", file=path, hint=f"`{maker}` makes one") from None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {reason(error)}", file=path) from error


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a data set. Raises InputError where there is none, or one that this version cannot read."""
    path = folder / MANIFEST
    manifest = any_manifest(folder, "orbwatch dataset build --output FOLDER")
    if manifest.get("format") != FORMAT:
        found = manifest.get("format")
        raise InputError("a data set of another format", file=path, field="format", value=found, legal=f"{FORMAT}")
    return manifest


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Puts the manifest in its place, whole."""
    text = json.dumps({"format": FORMAT, "frame": FRAME, **manifest}, indent=1, sort_keys=True)
    write_atomically(folder / MANIFEST, text.encode())


def data_hash(shards: list[dict[str, Any]], columns: Iterable[str] = COLUMNS) -> str:
    """SHA-256 over the hashes of all array files, in order."""
    names = list(columns)
    sums = [shard["arrays"][name]["sha256"] for shard in shards for name in names]
    return hashlib.sha256("".join(sums).encode()).hexdigest()


@dataclass(eq=False)
class SequenceStore:
    """An open data set. A window's id is its object's place x windows per object + its first row.

    Processes and threads may share one; sent to another process, it is opened there anew.
    """

    folder: Path
    manifest: dict[str, Any]
    extents: list[Extent]
    _shards: list[dict[str, np.ndarray]] = field(repr=False)

    @classmethod
    def open(cls, folder: Path) -> SequenceStore:
        """Opens a complete data set: sizes and shapes of all files are checked, contents are not (`dataset check`
        does). Raises InputError naming the file and what is wrong with it."""
        manifest = read_manifest(folder)
        path = folder / MANIFEST
        try:
            if not manifest["complete"]:
                raise InputError("the data set is not complete", file=path, hint=BUILD_AGAIN)
            rows, windows = int(manifest["rows"]), int(manifest["windows_per_object"])
            extents = [Extent(int(shard["objects"]), rows, windows) for shard in manifest["shards"]]
            arrays = [shard["arrays"] for shard in manifest["shards"]]
            splits = {name: np.array(manifest["splits"][name], np.int64) for name in SPLITS}
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"a damaged manifest: {reason(error)}", file=path) from error
        shards = [
            open_shard(shard_folder(folder, i), extent, said)
            for i, (extent, said) in enumerate(zip(extents, arrays, strict=True))
        ]
        store = cls(folder, manifest, extents, shards)
        members = np.concatenate(list(splits.values()))
        if len(members) and not (members.min() >= 0 and members.max() < store.objects):
            raise InputError("a damaged manifest: splits of objects that are not there", file=path)
        return store

    def __reduce__(self) -> tuple[Any, ...]:
        return SequenceStore.open, (self.folder,)

    @property
    def objects(self) -> int:
        """Number of objects."""
        return sum(extent.objects for extent in self.extents)

    @property
    def rows(self) -> int:
        """Rows of each series."""
        return int(self.manifest["rows"])

    @property
    def windows_per_object(self) -> int:
        """Windows of each series."""
        return int(self.manifest["windows_per_object"])

    @property
    def windows(self) -> int:
        """Number of windows."""
        return self.objects * self.windows_per_object

    @property
    def step_s(self) -> float:
        """Seconds from row to row."""
        return float(self.manifest["step_s"])

    @property
    def settings(self) -> DatasetSettings:
        """What it was built from (defaults where the manifest says nothing). Raises InputError for damaged ones."""
        known = {each.name for each in fields(DatasetSettings)}
        said = self.manifest.get("settings", {})
        try:
            given = {name: value for name, value in said.items() if name in known and value is not None}
            if "catalog" in given:
                given["catalog"] = Path(given["catalog"])
            return DatasetSettings(**given)
        except (TypeError, AttributeError) as error:
            raise InputError(f"a damaged manifest: {error}", file=self.folder / MANIFEST, field="settings") from error

    @property
    def data_hash(self) -> str:
        """SHA-256 over all arrays, as built."""
        return str(self.manifest["data_hash"])

    @property
    def code_hash(self) -> str:
        """SHA-256 over the code that built them."""
        return str(self.manifest["code_hash"])

    @cached_property
    def splits(self) -> dict[str, Int[np.ndarray, " k"]]:
        """Places (ascending) of the objects in each split."""
        return {name: np.array(self.manifest["splits"][name], np.int64) for name in SPLITS}

    @cached_property
    def object_table(self) -> Shaped[np.ndarray, " objects"]:
        """What is kept of each object: fields of `shards.OBJECT`."""
        return np.concatenate([shard["objects"] for shard in self._shards])

    @cached_property
    def regime(self) -> Int8[np.ndarray, " objects"]:
        """Regime code of each object."""
        return np.ascontiguousarray(self.object_table["regime"])

    @cached_property
    def burn_bits(self) -> UInt8[np.ndarray, " windows"]:
        """`Windows.burn` of every window."""
        return np.concatenate([burn_bits(shard["burn"]).ravel() for shard in self._shards])

    @cached_property
    def fit_status(self) -> UInt8[np.ndarray, " windows"]:
        """Status of the fit of every window."""
        return np.concatenate([shard["fit_status"].ravel() for shard in self._shards])

    @property
    def usable(self) -> Bool[np.ndarray, " windows"]:
        """Windows with a fit, and without thrust in the forecast, which nothing could foretell."""
        return np.asarray((self.fit_status == OK) & ((self.burn_bits & BURN_IN_FORECAST) == 0))

    def ids(self, split: str | None = None, usable: bool = False) -> Int[np.ndarray, " k"]:
        """Window ids of a split (None: all), by object and time; `usable`: only such windows.

        Raises InputError for a split that is not one of SPLITS.
        """
        if split is not None and split not in SPLITS:
            raise InputError("no such split", value=split, legal=", ".join(SPLITS))
        places = np.arange(self.objects) if split is None else self.splits[split]
        found = (places[:, None] * self.windows_per_object + np.arange(self.windows_per_object)).ravel()
        return found[self.usable[found]] if usable else found

    def object_of(self, ids: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
        """Place of the object of each window."""
        return ids // self.windows_per_object

    def gather(self, ids: Int[np.ndarray, " n"], truth: bool = True) -> Windows:
        """These windows, in this order, any number of times; without their truth if that is not wanted.

        Raises InputError for ids that are not there.
        """
        ids = np.asarray(ids, np.int64)
        if len(ids) and not (ids.min() >= 0 and ids.max() < self.windows):
            raise InputError("no such window", field="ids", legal=f"0 to {self.windows - 1}")
        n = len(ids)
        place, first = np.divmod(ids, self.windows_per_object)
        out = {
            name: np.empty((n, steps, *COLUMNS[name].tail), COLUMNS[name].dtype)
            for name, steps in (("noise_km", HISTORY), ("fit_rv", 1), ("fit_cov", 1), ("fit_rms", 1), ("fit_count", 1))
        }
        history, future = np.empty((n, HISTORY, 6)), np.empty((n, HORIZONS if truth else 0, 6))
        shard = np.searchsorted(self._ends, place, side="right")
        order = np.argsort(shard, kind="stable")
        bounds = np.searchsorted(shard[order], np.arange(len(self._shards) + 1))
        for i in np.unique(shard).tolist():
            at = order[bounds[i] : bounds[i + 1]]
            local = place[at] - (self._ends[i] - self.extents[i].objects)
            row, window = local * self.rows + first[at], local * self.windows_per_object + first[at]
            flat = self._flat[i]
            gather_at(flat["truth_rv_km"], row, HISTORY, at, history)
            if truth:
                gather_at(flat["truth_rv_km"], row + HISTORY, HORIZONS, at, future)
            for name, values in out.items():
                begin = row if COLUMNS[name].per == "row" else window
                gather_at(flat[name], begin, values.shape[1], at, values.reshape(n, values.shape[1], -1))
        table = self.object_table[place]
        fit = ArcFit(
            rv_km=out["fit_rv"].reshape(n, 6),
            cov=out["fit_cov"].reshape(n, 21)[:, _FULL].reshape(n, 6, 6).astype(np.float64),
            rms=out["fit_rms"].reshape(n).astype(np.float64),
            count=out["fit_count"].reshape(n).astype(np.int64),
            status=self.fit_status[ids],
        )
        return make_windows(
            np.ascontiguousarray(table["object_id"]),
            epochs_us(table["start_us"], first, self.step_s),
            history_s(n, self.step_s),
            history[:, :, :3] + out["noise_km"],
            np.repeat(table["sigma_km"][:, None], HISTORY, axis=1),
            fit,
            ballistic_m2_kg=np.ascontiguousarray(table["ballistic_public_m2_kg"]),
            regime=np.ascontiguousarray(table["regime"]),
            horizon_s=horizons_s(n, self.step_s),
            burn=self.burn_bits[ids],
            truth_history_rv_km=history if truth else None,
            truth_rv_km=future if truth else None,
        )

    def truth(self, places: Int[np.ndarray, " n"]) -> Truth:
        """The whole series of these objects. Raises InputError for objects that are not there."""
        table = self.object_table[self._checked(places)]
        wanted = set(table["object_id"].tolist())
        burns = np.concatenate([shard["burns"] for shard in self._shards])
        return Truth(
            object_id=np.ascontiguousarray(table["object_id"]),
            regime=np.ascontiguousarray(table["regime"]),
            start_us=np.ascontiguousarray(table["start_us"]),
            rv_km=self._series(places, "truth_rv_km"),
            ballistic_m2_kg=np.ascontiguousarray(table["ballistic_m2_kg"]),
            ballistic_public_m2_kg=np.ascontiguousarray(table["ballistic_public_m2_kg"]),
            burn=self._series(places, "burn"),
            burns=[
                Burn(int(number), start, length, (radial, along, cross))
                for number, start, length, radial, along, cross in burns.tolist()
                if number in wanted
            ],
        )

    def noise(self, places: Int[np.ndarray, " n"]) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n m 3"]]:
        """What was seen of these objects: stated sigma, km, and what the positions are off, km (NaN: not seen)."""
        sigma_km = np.ascontiguousarray(self.object_table["sigma_km"][self._checked(places)])
        return sigma_km, self._series(places, "noise_km")

    def column(self, shard: int, name: str) -> np.ndarray:
        """One array of one shard as it is stored: COLUMNS says what it is."""
        return self._shards[shard][name]

    @cached_property
    def _ends(self) -> Int[np.ndarray, " shards"]:
        """Place after each shard's last object."""
        return np.cumsum([extent.objects for extent in self.extents])

    @cached_property
    def _flat(self) -> list[dict[str, np.ndarray]]:
        """The arrays of rows and windows of each shard with all objects' rows one below the other."""
        names = [name for name, column in COLUMNS.items() if column.per in ("row", "window")]
        return [
            {name: shard[name].reshape(-1, int(np.prod(COLUMNS[name].tail, dtype=int))) for name in names}
            for shard in self._shards
        ]

    def _checked(self, places: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
        if len(places) and not (places.min() >= 0 and places.max() < self.objects):
            raise InputError("no such object", field="places", legal=f"0 to {self.objects - 1}")
        return places

    def _series(self, places: Int[np.ndarray, " n"], name: str) -> np.ndarray:
        shard = np.searchsorted(self._ends, self._checked(places), side="right")
        column = COLUMNS[name]
        out = np.empty((len(places), self.rows, *column.tail), column.dtype)
        for i in np.unique(shard).tolist():
            mine = shard == i
            out[mine] = self._shards[i][name][places[mine] - (self._ends[i] - self.extents[i].objects)]
        return out
