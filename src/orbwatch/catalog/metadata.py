"""Hard-body radius, mass and type of objects: from a user's table, else documented defaults by type, always labelled.

The hard-body radius is that of the smallest sphere around an object's centre of mass that holds all of it. Public data
carry none, so most values are defaults (`RiskSettings.hbr_*_m`), and they are chosen to err on the large side:

| type        | default | why                                                                                   |
|-------------|---------|---------------------------------------------------------------------------------------|
| payload     | 5 m     | a bus with its panels; CARA's protected payloads have a median of 4.2 m               |
| rocket body | 5 m     | half an upper stage's diagonal: Kosmos-3M 3.2 m (6.0 x 2.4), Zenit-2 5.8 m (11 x 3.9) |
| debris      | 1.1 m   | CARA's value for debris without an estimate; its radar estimates' median is 0.07 m    |
| unknown     | 5 m     | unnamed objects are mostly freshly launched payloads                                  |

Source of CARA's figures: NASA CARA Analysis Tools, HBR and mass estimates of 2026-06-01.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.opened import open_text
from orbwatch.errors import InputError
from orbwatch.settings import RiskSettings

PAYLOAD, ROCKET_BODY, DEBRIS, UNKNOWN = "payload", "rocket body", "debris", "unknown"
TYPES = (PAYLOAD, ROCKET_BODY, DEBRIS, UNKNOWN)

# Naming conventions of the public catalogue. Kick motors (AKM, PKM) are stages; coolant drops and needles are debris.
_DEBRIS = re.compile(r"\b(DEB|COOLANT|NEEDLES)\b")
_ROCKET_BODY = re.compile(r"\b(R/B|AKM\b|PKM\b)")
_UNKNOWN = re.compile(r"(|UNKNOWN.*|OBJECT [A-Z]{1,3}|TBA\b.*)")
_SATCAT_TYPE = {"PAY": PAYLOAD, "R/B": ROCKET_BODY, "RB": ROCKET_BODY, "DEB": DEBRIS, "UNK": UNKNOWN,
                "PAYLOAD": PAYLOAD, "ROCKET BODY": ROCKET_BODY, "DEBRIS": DEBRIS, "UNKNOWN": UNKNOWN}  # fmt: skip


@dataclass(frozen=True, eq=False)
class SizeTable:
    """Radii and masses that a user gives, in the columns of NASA CARA's table; ordered by `norad_id`."""

    norad_id: Int[np.ndarray, " n"]
    hbr_m: Float[np.ndarray, " n"]
    """NaN where the table leaves it blank (CARA may not pass on what it has from ESA's DISCOS)."""
    hbr_source: np.ndarray
    mass_kg: Float[np.ndarray, " n"]
    """NaN where the table leaves it blank."""
    mass_source: np.ndarray
    file: str
    """Name of the file, for labels."""


@dataclass(frozen=True, eq=False)
class HardBodies:
    """Sizes of n objects, each value with where it comes from."""

    hbr_m: Float[np.ndarray, " n"]
    source: np.ndarray
    """Of the radius: "CARA Override, sizes.csv", or "default for debris"."""
    object_type: np.ndarray
    """One of `TYPES`."""
    mass_kg: Float[np.ndarray, " n"]
    """NaN when not known."""
    mass_source: np.ndarray
    """Empty when not known."""

    def combined(
        self, first: Int[np.ndarray, " k"], second: Int[np.ndarray, " k"]
    ) -> tuple[Float[np.ndarray, " k"], list[str]]:
        """Combined hard-body radius of pairs, m (the sum: they touch when their spheres do), and its label."""
        labels = [f"{a} + {b}" for a, b in zip(self.source[first], self.source[second], strict=True)]
        return self.hbr_m[first] + self.hbr_m[second], labels


def hard_body(
    norad_ids: Int[np.ndarray, " n"],
    names: np.ndarray,
    table: SizeTable | None = None,
    *,
    types: Mapping[int, str] | None = None,
    defaults: RiskSettings | None = None,
) -> HardBodies:
    """Hard-body radii and masses of objects.

    Args:
        norad_ids: catalogue numbers, (n,).
        names: OBJECT_NAME, (n,); tells the type by the catalogue's conventions, empty when unknown.
        table: a user's table (`read_sizes`); what it leaves blank falls back on the defaults.
        types: types by catalogue number (`read_satcat`), preferred to the name.
        defaults: radii by type; `RiskSettings()` when not given.
    """
    defaults = RiskSettings() if defaults is None else defaults
    default_m = dict(
        zip(
            TYPES,
            (defaults.hbr_payload_m, defaults.hbr_rocket_body_m, defaults.hbr_debris_m, defaults.hbr_unknown_m),
            strict=True,
        )
    )
    kinds = [
        (types or {}).get(number) or object_type(name)
        for number, name in zip(norad_ids.tolist(), names.tolist(), strict=True)
    ]
    hbr_m = np.array([default_m[kind] for kind in kinds], dtype=np.float64)
    source = np.array([f"default for {kind}" for kind in kinds], dtype=object)
    mass_kg = np.full(len(kinds), np.nan)
    mass_source = np.full(len(kinds), "", dtype=object)
    if table is not None and len(table.norad_id):
        at = np.searchsorted(table.norad_id, norad_ids).clip(max=len(table.norad_id) - 1)
        found = table.norad_id[at] == norad_ids
        sized, weighed = found & ~np.isnan(table.hbr_m[at]), found & ~np.isnan(table.mass_kg[at])
        hbr_m[sized], mass_kg[weighed] = table.hbr_m[at[sized]], table.mass_kg[at[weighed]]
        source[sized] = [f"{label}, {table.file}" for label in table.hbr_source[at[sized]]]
        mass_source[weighed] = [f"{label}, {table.file}" for label in table.mass_source[at[weighed]]]
    return HardBodies(hbr_m, source.astype(str), np.array(kinds, dtype=str), mass_kg, mass_source.astype(str))


def object_type(name: str) -> str:
    """The type that a catalogue name tells: "FENGYUN 1C DEB", "SL-8 R/B", "OBJECT A" or a payload's own name."""
    upper = name.strip().upper()
    if _DEBRIS.search(upper):
        return DEBRIS
    if _ROCKET_BODY.search(upper):
        return ROCKET_BODY
    return UNKNOWN if _UNKNOWN.fullmatch(upper) else PAYLOAD


def read_sizes(path: str | Path) -> SizeTable:
    """A table of radii and masses in CARA's format: CSV with ObjectID and HBR, maybe HBRSource, Mass and MassSource.

    Radii in metres, masses in kilograms, blank for unknown; plain, xz, gz or zip.

    Raises:
        InputError: a missing column, a bad number or an object given twice, with its line.
    """
    rows: dict[int, tuple[float, str, float, str]] = {}
    for line, row in _rows(path, ("OBJECTID", "HBR")):
        number = _norad_id(row["OBJECTID"], path, line, "ObjectID")
        if number in rows:
            raise InputError("the object is given twice", file=path, line=line, field="ObjectID", value=number)
        rows[number] = (
            _positive(row["HBR"], path, line, "HBR"),
            row.get("HBRSOURCE") or "given",
            _positive(row.get("MASS", ""), path, line, "Mass"),
            row.get("MASSSOURCE") or "given",
        )
    numbers = sorted(rows)
    hbr_m, hbr_source, mass_kg, mass_source = (
        zip(*(rows[number] for number in numbers), strict=True) if rows else ((),) * 4
    )
    return SizeTable(
        np.array(numbers, dtype=np.int64),
        np.array(hbr_m, dtype=np.float64),
        np.array(hbr_source, dtype=str),
        np.array(mass_kg, dtype=np.float64),
        np.array(mass_source, dtype=str),
        Path(path).name,
    )


@dataclass(frozen=True)
class Satcat:
    """What a satellite catalogue says of objects, by catalogue number."""

    names: Mapping[int, str]
    types: Mapping[int, str]
    """One of `TYPES`."""

    def named(self, table: GpTable) -> GpTable:
        """The table with names where it has none; TLE files carry none."""
        known = [
            name or self.names.get(number, "")
            for number, name in zip(table.norad_id.tolist(), table.name.tolist(), strict=True)
        ]
        return replace(table, name=np.array(known, dtype=str))


def read_satcat(path: str | Path) -> Satcat:
    """A SATCAT in CSV, as CelesTrak has it: columns NORAD_CAT_ID, OBJECT_NAME, OBJECT_TYPE (PAY, R/B, DEB, UNK).

    Raises:
        InputError: a missing column or a bad catalogue number, with its line.
    """
    names: dict[int, str] = {}
    types: dict[int, str] = {}
    for line, row in _rows(path, ("NORAD_CAT_ID", "OBJECT_NAME", "OBJECT_TYPE")):
        number = _norad_id(row["NORAD_CAT_ID"], path, line, "NORAD_CAT_ID")
        names[number] = row["OBJECT_NAME"].strip()
        types[number] = _SATCAT_TYPE.get(row["OBJECT_TYPE"].upper(), UNKNOWN)
    return Satcat(names, types)


def _rows(path: str | Path, required: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and values by upper-case column name, of each row that is not blank."""
    reader = csv.reader(io.StringIO(open_text(path), newline=""))
    try:
        columns = [column.strip().upper() for column in next(reader, [])]
        for column in required:
            if column not in columns:
                raise InputError("a column is missing", file=path, line=1, field=column, hint=f"Found: {columns}")
        for row in reader:
            if any(row):
                if len(row) != len(columns):
                    legal = f"{len(columns)} values"
                    raise InputError(
                        "wrong number of values", file=path, line=reader.line_num, value=len(row), legal=legal
                    )
                yield reader.line_num, {key: value.strip() for key, value in zip(columns, row, strict=True)}
    except csv.Error as error:
        raise InputError(f"not a CSV table: {error}", file=path, line=reader.line_num) from error


def _norad_id(text: str, path: str | Path, line: int, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InputError(
            "not a catalogue number", file=path, line=line, field=field, value=text, legal="1 to 999999999"
        )
    return int(text)


def _positive(text: str, path: str | Path, line: int, field: str) -> float:
    """A finite number above zero, or NaN for a blank."""
    if not text:
        return np.nan
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not 0.0 < value < np.inf:
        raise InputError(
            "not a size", file=path, line=line, field=field, value=text, legal="a number above 0, or blank"
        )
    return value
