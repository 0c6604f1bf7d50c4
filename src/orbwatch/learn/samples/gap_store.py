"""A data set of gaps on disk: one file of arrays, and a manifest that says what they are."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from orbwatch.catalog.written import file_hash, make_folder, write_atomically
from orbwatch.errors import InputError
from orbwatch.learn.samples.gap_windows import LabelledGaps
from orbwatch.learn.samples.sequences import MANIFEST

KIND, FORMAT, ARRAYS = "gaps", 1, "gaps.npz"


@dataclass(frozen=True, eq=False)
class GapStore:
    """An open data set of gaps."""

    folder: Path
    manifest: dict[str, Any]
    series: LabelledGaps

    @classmethod
    def open(cls, folder: Path) -> GapStore:
        """Opens a data set. Raises InputError naming the file and what is wrong with it."""
        path = folder / MANIFEST
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            if (manifest["kind"], manifest["format"]) != (KIND, FORMAT):
                raise InputError("not a data set of gaps", file=path, value=manifest.get("kind"), legal=KIND)
            if file_hash(folder / ARRAYS) != manifest["data_hash"]:
                raise InputError("not the file that the manifest was written for", file=folder / ARRAYS)
            with np.load(folder / ARRAYS) as arrays:
                series = LabelledGaps(**{field.name: arrays[field.name] for field in fields(LabelledGaps)})
        except FileNotFoundError as error:
            hint = "`orbwatch dataset maneuvers` makes one"
            raise InputError("no data set of gaps here", file=folder, hint=hint) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"a damaged data set: {error}", file=path) from error
        return cls(folder, manifest, series)

    def __reduce__(self) -> tuple[Any, ...]:
        return GapStore.open, (self.folder,)

    @property
    def data_hash(self) -> str:
        """SHA-256 of the arrays."""
        return str(self.manifest["data_hash"])

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(self.manifest["features"])

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the kinds of a gap, the first being none."""
        return tuple(self.manifest["kinds"])

    @property
    def patterns(self) -> tuple[str, ...]:
        """Names of the patterns of a window."""
        return tuple(self.manifest["patterns"])


def write_gaps(
    series: LabelledGaps,
    folder: Path,
    features: tuple[str, ...],
    kinds: tuple[str, ...],
    patterns: tuple[str, ...],
    **more: Any,
) -> GapStore:
    """Writes a data set: the arrays first, the manifest when they are whole. more: further entries of the manifest.

    Raises InputError where names do not fit the arrays, or the folder cannot be written.
    """
    if series.features.shape[1] != len(features):
        raise InputError("other features", field="features", value=len(features), legal=str(series.features.shape[1]))
    for name, labels, names in (("kind", series.kind, kinds), ("pattern", series.pattern, patterns)):
        if labels.max(initial=-1) >= len(names):
            raise InputError("a label without a name", field=name, value=int(labels.max()), legal=f"< {len(names)}")
    make_folder(folder)
    buffer = BytesIO()
    np.savez_compressed(buffer, **{field.name: getattr(series, field.name) for field in fields(series)})
    write_atomically(folder / ARRAYS, buffer.getvalue())
    manifest = more | {
        "kind": KIND,
        "format": FORMAT,
        "features": list(features),
        "kinds": list(kinds),
        "patterns": list(patterns),
        "gaps": len(series),
        "objects": len(np.unique(series.norad_id)),
        "data_hash": file_hash(folder / ARRAYS),
    }
    write_atomically(folder / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())
    return GapStore(folder, manifest, series)
