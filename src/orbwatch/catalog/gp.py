"""`GpTable`: general-perturbations element sets, as a struct of arrays.

The elements are SGP4 mean elements in TEME, kept in the units of the OMM standard (CCSDS 502.0-B-3) so that reading and
writing are identities. Whoever computes with them converts once (`orbwatch.propagate.sgp4`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

NO_TIME = np.iinfo(np.int64).min  # in `seen_us`: when the set became public is not known

Index = Bool[np.ndarray, " n"] | Int[np.ndarray, " k"] | slice


@dataclass(frozen=True, eq=False)
class GpTable:
    """Element sets, one per row; one object may have many rows (a history) or one (a catalogue).

    Every attribute but `source` is an array of shape (n,).
    """

    norad_id: Int[np.ndarray, " n"]
    """Catalogue number, up to nine digits."""
    epoch_us: Int[np.ndarray, " n"]
    """Epoch, UTC microseconds since 1970-01-01 (86,400 s days)."""
    mean_motion_rev_day: Float[np.ndarray, " n"]
    """Kozai mean motion."""
    eccentricity: Float[np.ndarray, " n"]
    inclination_deg: Float[np.ndarray, " n"]
    raan_deg: Float[np.ndarray, " n"]
    arg_perigee_deg: Float[np.ndarray, " n"]
    mean_anomaly_deg: Float[np.ndarray, " n"]
    bstar_per_er: Float[np.ndarray, " n"]
    """B*, 1 / Earth radii."""
    mean_motion_dot_rev_day2: Float[np.ndarray, " n"]
    """First derivative of the mean motion / 2, as in the OMM and the TLE. SGP4 does not use it."""
    mean_motion_ddot_rev_day3: Float[np.ndarray, " n"]
    """Second derivative of the mean motion / 6. SGP4 does not use it."""
    element_set_no: Int[np.ndarray, " n"]
    rev_at_epoch: Int[np.ndarray, " n"]
    ephemeris_type: Int[np.ndarray, " n"]
    classification: np.ndarray
    """One letter: U, C or S."""
    name: np.ndarray
    """OBJECT_NAME, empty when unknown."""
    object_id: np.ndarray
    """International designator as in the OMM, 1998-067A; empty when unknown."""
    seen_us: Int[np.ndarray, " n"]
    """When the set had become public, UTC microseconds since 1970-01-01; `NO_TIME` when unknown."""
    source: str = ""
    """Where the sets come from: a file name or a service."""

    def __len__(self) -> int:
        return len(self.norad_id)

    def __getitem__(self, index: Index) -> GpTable:
        """The rows of a boolean mask, an index array or a slice, as a table."""
        return replace(self, **{name: getattr(self, name)[index] for name in COLUMNS})

    @classmethod
    def from_columns(cls, columns: Mapping[str, Any], source: str = "") -> GpTable:
        """A table from columns by attribute name; missing optional columns take their defaults."""
        n = len(columns["norad_id"])
        return cls(
            **{
                name: np.ascontiguousarray(columns[name], dtype=dtype)
                if name in columns
                else np.full(n, _DEFAULT[name], dtype=dtype)
                for name, dtype in COLUMNS.items()
            },
            source=source,
        )

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]], source: str = "") -> GpTable:
        """A table from one mapping per element set."""
        names = ["norad_id", *(name for name in COLUMNS if name != "norad_id" and any(name in row for row in rows))]
        return cls.from_columns({name: [row.get(name, _DEFAULT.get(name)) for row in rows] for name in names}, source)

    @classmethod
    def concat(cls, tables: Iterable[GpTable], source: str | None = None) -> GpTable:
        """All rows of several tables, in order."""
        parts = list(tables)
        joined = ", ".join(dict.fromkeys(part.source for part in parts)) if source is None else source
        if not parts:
            return cls.from_columns({name: [] for name in COLUMNS}, joined)
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}, source=joined)

    def row(self, i: int) -> dict[str, Any]:
        """Row i as plain Python values by attribute name."""
        return {name: getattr(self, name)[i].item() for name in COLUMNS}

    def newest(self) -> GpTable:
        """The newest set of each object, ordered by `norad_id`."""
        order = np.lexsort((self.epoch_us, self.norad_id))
        ids = self.norad_id[order]
        last = np.append(ids[1:] != ids[:-1], True) if len(ids) else np.zeros(0, bool)
        return self[order[last]]

    def content_hash(self) -> str:
        """SHA-256 of what the sets say (all columns but name and source), independent of file format."""
        digest = hashlib.sha256()
        for name in COLUMNS:
            if name not in ("name", "seen_us"):
                digest.update(name.encode())
                values = getattr(self, name)
                digest.update("\0".join(values.tolist()).encode() if values.dtype.kind == "U" else values.tobytes())
        return digest.hexdigest()


_DTYPE = {"classification": "U1", "name": "U", "object_id": "U"}
_INT = ("norad_id", "epoch_us", "element_set_no", "rev_at_epoch", "ephemeris_type", "seen_us")

COLUMNS: dict[str, Any] = {
    f.name: np.dtype(np.int64) if f.name in _INT else np.dtype(_DTYPE.get(f.name, np.float64))
    for f in fields(GpTable)
    if f.name != "source"
}

_DEFAULT: dict[str, Any] = {
    "bstar_per_er": 0.0,
    "mean_motion_dot_rev_day2": 0.0,
    "mean_motion_ddot_rev_day3": 0.0,
    "element_set_no": 999,
    "rev_at_epoch": 0,
    "ephemeris_type": 0,
    "classification": "U",
    "name": "",
    "object_id": "",
    "seen_us": NO_TIME,
}
