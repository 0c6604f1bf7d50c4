"""Rows of Space-Track's class `cdm_public`: who, when, how close and how probable; no states and no covariance."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orbwatch.catalog.cdm_json import Located, read_json
from orbwatch.catalog.kvn import KvnLine
from orbwatch.catalog.ndm_values import instant_us, integer, is_absent, real
from orbwatch.catalog.opened import open_text
from orbwatch.errors import InputError


@dataclass(frozen=True)
class CdmPublic:
    """One public conjunction summary. The probability is CSpOC's own; nothing here allows to recompute it."""

    cdm_id: int
    tca_us: int
    """Time of closest approach, UTC microseconds since 1970-01-01."""
    miss_distance_m: float
    norad_id_1: int
    norad_id_2: int
    collision_probability: float | None = None
    created_us: int | None = None
    emergency_reportable: bool | None = None
    name_1: str = ""
    name_2: str = ""
    object_type_1: str = ""
    object_type_2: str = ""
    rcs_1: str = ""
    """SMALL, MEDIUM or LARGE radar cross-section."""
    rcs_2: str = ""
    exclusion_radius_1_m: float | None = None
    """Exclusion volume radius, CSpOC's hard-body radius of the object."""
    exclusion_radius_2_m: float | None = None


def is_cdm_public(text: str) -> bool:
    """Whether a text looks like an answer of `cdm_public`: its first row, or its head, names the first object."""
    return re.search(r"\bSAT_1_ID\b", text[:4000], re.IGNORECASE) is not None


def read_cdm_public(path: str | Path) -> list[CdmPublic]:
    """The rows of a `cdm_public` answer, JSON or CSV, told by its content.

    Raises InputError (file, line, field, value) for a wrong or missing value.
    """
    return parse_cdm_public(open_text(path), path)


def parse_cdm_public(text: str, file: str | Path | None = None) -> list[CdmPublic]:
    """As `read_cdm_public`, from text; `file` is only named in errors."""
    rows = _json_rows(text, file) if text.lstrip()[:1] in ("[", "{") else _csv_rows(text, file)
    return [_row(line, row, lines, file) for line, row, lines in rows]


def _json_rows(text: str, file: str | Path | None) -> Iterator[tuple[int, Mapping[str, str], Mapping[str, int]]]:
    value = read_json(text, file)
    for row in value if isinstance(value, list) else [value]:
        line = min(row.lines.values(), default=0) if isinstance(row, Located) else 0
        if not isinstance(row, Located) or any(isinstance(item, Located | list) for item in row.values()):
            what, legal = "not a row of cdm_public", "a flat object"
            raise InputError(what, file, line or None, value=repr(row)[:60], legal=legal)
        texts = {key.upper(): "" if item is None else str(item) for key, item in row.items()}
        yield line, texts, {key.upper(): each for key, each in row.lines.items()}


def _csv_rows(text: str, file: str | Path | None) -> Iterator[tuple[int, Mapping[str, str], Mapping[str, int]]]:
    reader = csv.reader(io.StringIO(text))
    try:
        header = [name.strip().upper() for name in next(reader, [])]
        for row in reader:
            if row:
                if len(row) != len(header):
                    legal = f"{len(header)} columns"
                    raise InputError(f"the row has {len(row)} columns", file, reader.line_num, legal=legal)
                yield reader.line_num, dict(zip(header, row, strict=True)), {}
    except csv.Error as error:
        raise InputError(f"malformed CSV: {error}", file=file, line=reader.line_num) from None


def _row(line: int, row: Mapping[str, str], lines: Mapping[str, int], file: str | Path | None) -> CdmPublic:
    """line: where the row stands; lines: where its values do, as far as each has one of its own."""

    def item(key: str) -> KvnLine:
        if key not in row:
            raise InputError("a column of cdm_public is missing", file=file, line=line or None, field=key)
        return KvnLine(lines.get(key, line), key, row[key].strip())

    def optional(key: str) -> KvnLine | None:
        return item(key) if key in row and not is_absent(row[key].strip()) else None

    def number(key: str) -> float | None:
        given = optional(key)
        return None if given is None else real(given, None, file)

    created, emergency = optional("CREATED"), optional("EMERGENCY_REPORTABLE")
    return CdmPublic(
        cdm_id=integer(item("CDM_ID"), file),
        tca_us=instant_us(item("TCA"), file),
        miss_distance_m=real(item("MIN_RNG"), None, file),
        norad_id_1=integer(item("SAT_1_ID"), file),
        norad_id_2=integer(item("SAT_2_ID"), file),
        collision_probability=number("PC"),
        created_us=None if created is None else instant_us(created, file),
        emergency_reportable=None if emergency is None else emergency.text.upper() == "Y",
        name_1=row.get("SAT_1_NAME", ""),
        name_2=row.get("SAT_2_NAME", ""),
        object_type_1=row.get("SAT1_OBJECT_TYPE", ""),
        object_type_2=row.get("SAT2_OBJECT_TYPE", ""),
        rcs_1=row.get("SAT1_RCS", ""),
        rcs_2=row.get("SAT2_RCS", ""),
        exclusion_radius_1_m=number("SAT_1_EXCL_VOL"),
        exclusion_radius_2_m=number("SAT_2_EXCL_VOL"),
    )
