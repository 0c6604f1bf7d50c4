"""What the `cdm` verbs do with conjunction data messages; one bad file never stops the others."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from orbwatch.catalog.cdm import Cdm, hbr, parse_cdms, read_cdms
from orbwatch.catalog.cdm_public import CdmPublic, is_cdm_public, parse_cdm_public
from orbwatch.catalog.cdm_write import write_cdm
from orbwatch.catalog.opened import open_text
from orbwatch.conjunction.cdm import pc_record, probabilities
from orbwatch.conjunction.cdm_contradictions import contradictions
from orbwatch.conjunction.cdm_curves import curves_of
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
    for file in files:
        try:
            text = open_text(file)
            if is_cdm_public(text):
                rows += [_public_row(one, file) for one in parse_cdm_public(text, file)]
            else:
                rows += [_row(cdm, file) for cdm in parse_cdms(text, file)]
        except InputError as error:
            errors.append(replace(error, file=error.file or file))
    numbers = {"miss_m": ".1f", "rel_speed_m_s": ".1f", "pc": ".3e", "hbr_m": ".2f"}
    if rows:
        emit({name: _column([row[name] for row in rows]) for name in rows[0]}, form, numbers=numbers)
    elif form == "json":
        emit_json(rows)
    return _complain(errors)


def _row(cdm: Cdm, file: Path) -> dict[str, Any]:
    radius = hbr(cdm)
    one, two = cdm.objects
    return {
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


def _public_row(one: CdmPublic, file: Path) -> dict[str, Any]:
    return {
        "file": str(file),
        "tca_utc": format_utc(one.tca_us),
        "object_1": f"{one.norad_id_1} {one.name_1}".strip(),
        "object_2": f"{one.norad_id_2} {one.name_2}".strip(),
        "miss_m": one.miss_distance_m,
        "rel_speed_m_s": float("nan"),
        "pc": _or_nan(one.collision_probability),
        "hbr_m": _or_nan(one.exclusion_radius_1_m) + _or_nan(one.exclusion_radius_2_m),
        "frame": "",
        "covariances": 0,
    }


def show_pc(files: Sequence[Path], hbr_m: float | None, settings: Settings, form: Format) -> int:
    """Probabilities of collision of the messages, by every 2D method; returns the exit code.

    Where a message contradicts itself, a note on standard error says so.
    """
    records: list[dict[str, Any]] = []
    notes: list[str] = []
    errors: list[InputError] = []
    for file, cdm in _each(files):
        try:
            if isinstance(cdm, InputError):
                raise cdm
            found = probabilities(cdm, hbr_m=hbr_m, defaults=settings.risk)
            records.append(pc_record(cdm, file, found=found))
            notes += [f"note: {file}: {said}" for said in contradictions(cdm, found)]
        except InputError as error:
            errors.append(replace(error, file=error.file or file))
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
    for line in notes:
        sys.stderr.write(f"{line}\n")
    return _complain(errors)


def show_curves(
    files: Sequence[Path],
    between_m: tuple[float, float] | None,
    over_time: bool,
    hbr_m: float | None,
    settings: Settings,
    form: Format,
) -> int:
    """Rows of a curve of each message; returns the exit code.

    Pc(t) in seconds from the closest approach (over_time), or the 2D probability over combined radii between two.
    """
    columns: dict[str, list[Any]] = {}
    errors: list[InputError] = []
    for file, cdm in _each(files):
        try:
            if isinstance(cdm, InputError):
                raise cdm
            found = curves_of(cdm, settings=settings.risk, hbr_m=hbr_m, between_m=between_m, over_time=over_time)
        except InputError as error:
            errors.append(replace(error, file=error.file or file))
            continue
        history = found.in_time
        if over_time and not len(history.t_s):
            what = "no Pc(t): it needs covariances of position and velocity of both objects, on bound orbits"
            errors.append(InputError(what, file=file))
        curve = (
            {"t_s": history.t_s, "rate_per_s": history.rate_per_s, "pc": history.pc}
            if over_time
            else {"hbr_m": found.hbr_m, "pc": found.pc_of_hbr, "pc_square": found.square_of_hbr}
        )
        columns.setdefault("file", []).extend([str(file)] * len(next(iter(curve.values()))))
        for name, values in curve.items():
            columns.setdefault(name, []).extend(values.tolist())
    numbers = {"t_s": ".4f", "rate_per_s": ".4e", "pc": ".6e", "hbr_m": ".3f", "pc_square": ".6e"}
    if columns.get("file"):
        emit({name: _column(values) for name, values in columns.items()}, form, numbers=numbers)
    elif form == "json":
        emit_json([])
    return _complain(errors)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _column(values: list[Any]) -> Any:
    if any(isinstance(value, float) for value in values):
        return np.array([_or_nan(value) for value in values], float)
    return values


def convert(file: Path, to: str) -> None:
    """The messages of a file, strictly written in another notation, on standard output; several in JSON as a list.

    Raises InputError when they cannot be written: several in XML, which has one to a file.
    """
    texts = [write_cdm(cdm, to) for cdm in read_cdms(file)]
    if to == "xml" and len(texts) > 1:
        raise InputError(f"the file holds {len(texts)} messages, an XML file one", file=file, hint="Write KVN or JSON")
    if to == "json" and len(texts) > 1:
        sys.stdout.write("[\n" + ",\n".join(text.rstrip("\n") for text in texts) + "\n]\n")
    else:
        sys.stdout.write("\n".join(texts))
    sys.stdout.flush()
