"""What the `cdm` verbs do with conjunction data messages; one bad file never stops the others."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from orbwatch.catalog.cdm import Cdm, hbr, read_cdms
from orbwatch.catalog.cdm_write import write_cdm
from orbwatch.conjunction.cdm import pc_record
from orbwatch.errors import InputError
from orbwatch.report.tabular import Format, emit, emit_json
from orbwatch.settings import Settings
from orbwatch.time import format_utc


def _each(files: Sequence[Path]) -> Iterable[tuple[Path, Cdm | InputError]]:
    for file in files:
        try:
            for cdm in read_cdms(file):
                yield file, cdm
        except InputError as error:
            yield file, error


def _complain(errors: Sequence[InputError]) -> int:
    for error in errors:
        sys.stderr.write(f"error: {error}\n")
    return 1 if errors else 0


def show(files: Sequence[Path], form: Format) -> int:
    """What the messages say, a row each; returns the exit code."""
    rows: list[dict[str, Any]] = []
    errors: list[InputError] = []
    for file, cdm in _each(files):
        if isinstance(cdm, InputError):
            errors.append(cdm)
            continue
        radius = hbr(cdm)
        one, two = cdm.objects
        rows.append(
            {
                "file": str(file),
                "tca_utc": format_utc(cdm.tca_us),
                "object_1": f"{one.designator} {one.name}".strip(),
                "object_2": f"{two.designator} {two.name}".strip(),
                "miss_m": _or_nan(cdm.miss_distance_m),
                "rel_speed_m_s": _or_nan(cdm.relative_speed_m_s),
                "pc": _or_nan(cdm.collision_probability),
                "hbr_m": _or_nan(radius and radius[0]),
                "frame": one.ref_frame,
                "covariances": sum(part.cov_rtn_km2 is not None for part in cdm.objects),
            }
        )
    numbers = {"miss_m": ".1f", "rel_speed_m_s": ".1f", "pc": ".3e", "hbr_m": ".2f"}
    if rows:
        emit({name: _column([row[name] for row in rows]) for name in rows[0]}, form, numbers=numbers)
    return _complain(errors)


def show_pc(files: Sequence[Path], hbr_m: float | None, settings: Settings, form: Format) -> int:
    """Probabilities of collision of the messages, by every 2D method; returns the exit code."""
    records: list[dict[str, Any]] = []
    errors: list[InputError] = []
    for file, cdm in _each(files):
        try:
            if isinstance(cdm, InputError):
                raise cdm
            records.append(pc_record(cdm, file, hbr_m=hbr_m, defaults=settings.risk))
        except InputError as error:
            errors.append(error)
    if form == "json":
        emit_json(records)
    elif records:
        rows = [
            {key: record[key] for key in ("file", "tca_utc", "miss_m", "hbr_m")}
            | {"method": one["method"], "kind": one["kind"], "pc": one["pc"], "flags": " ".join(one["flags"])}
            for record in records
            for one in record["results"]
        ]
        numbers = {"miss_m": ".1f", "pc": ".6e", "hbr_m": ".2f"}
        emit({name: _column([row[name] for row in rows]) for name in rows[0]}, form, numbers=numbers)
    return _complain(errors)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _column(values: list[Any]) -> Any:
    if any(isinstance(value, float) for value in values):
        return np.array([_or_nan(value) for value in values], float)
    return values


def convert(file: Path, to: str) -> None:
    """The messages of a file, strictly written in another notation, on standard output."""
    for cdm in read_cdms(file):
        sys.stdout.write(write_cdm(cdm, to))
