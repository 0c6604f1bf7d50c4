"""What `cdm assess` does: reads messages, assesses each, puts events together; one bad message stops no other."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from orbwatch.catalog.cdm import Cdm, each_cdm
from orbwatch.catalog.cdm_public import CdmPublic, is_cdm_public, parse_cdm_public
from orbwatch.catalog.cdm_write import write_cdm
from orbwatch.catalog.opened import open_text
from orbwatch.catalog.written import make_folder, write_atomically
from orbwatch.conjunction.cdm_assess import assess_message, assess_public
from orbwatch.conjunction.cdm_event import Assessed, Told, entries
from orbwatch.conjunction.cdm_out import reassessed
from orbwatch.errors import InputError
from orbwatch.progress import Progress, silent
from orbwatch.report.html import render
from orbwatch.report.message_page import page
from orbwatch.report.message_words import show
from orbwatch.report.tabular import emit_json
from orbwatch.settings import Settings
from orbwatch.time import parse_utc

_NUMERIC = (ArithmeticError, ValueError)
"""What numbers that no orbit has may raise in the middle (numpy's LinAlgError is a ValueError)."""


@dataclass(frozen=True)
class Wanted:
    """What is to come out."""

    form: Literal["table", "json"] = "table"
    detail: bool = False
    report: Path | None = None
    """File of the page."""
    cdm_out: Path | None = None
    """Folder of messages."""


@dataclass(frozen=True)
class How:
    """What messages are assessed with."""

    hbr_m: float | None = None
    """Combined hard-body radius, instead of the messages'."""
    trials: int = 100_000
    """Of the Monte Carlo; 0: none."""
    curved: bool = True
    """Whether curved paths are looked at."""


def assess(
    places: Sequence[Path],
    how: How,
    at: str | None,
    settings: Settings,
    wanted: Wanted,
    progress: Progress = silent,
) -> int:
    """Assesses the messages of files and folders and shows them; returns the exit code: 1 where one was refused.

    at: UTC instant from which times are counted; now by default. Raises InputError where an output cannot be written.
    """
    now_us = time.time_ns() // 1000 if at is None else parse_utc(at)
    if wanted.cdm_out is not None:
        make_folder(wanted.cdm_out)
    found: list[Assessed] = []
    errors: list[InputError] = []
    files = _files(places)
    if not files:
        errors.append(InputError("no files there", file=", ".join(str(place) for place in places)))
    for i, file in enumerate(files):
        progress("assessing messages", i / len(files))
        for one in _assessed(file, how, settings):
            (found if isinstance(one, Assessed) else errors).append(one)  # type: ignore[arg-type]
    progress("assessing messages", 1.0)
    # Messages may be looked at as if in the past (--at), but none is of the future of the clock.
    told = entries(found, settings.risk, now_us, max(now_us, time.time_ns() // 1000))
    if wanted.form == "json":
        emit_json([entry for _, entry in told])
    else:
        show([entry for _, entry in told], wanted.detail)
    if wanted.report is not None and told:
        text = render(page(told, settings.risk, how.hbr_m, progress))
        write_atomically(wanted.report, text.encode())
        sys.stderr.write(f"report: {wanted.report}\n")
    if wanted.cdm_out is not None:
        errors += _write(told, wanted.cdm_out)
    for error in errors:
        sys.stderr.write(f"error: {error}\n")
    if errors:
        sys.stderr.write(f"{len(found)} messages assessed, {len(errors)} refused\n")
    return 1 if errors else 0


def _files(places: Sequence[Path]) -> list[Path]:
    """Files given, and those in the folders given and below, but hidden ones; each once."""
    found: dict[Path, None] = {}
    for place in places:
        inside = sorted(each for each in place.rglob("*") if each.is_file()) if place.is_dir() else [place]
        for file in inside:
            if file is place or not any(part.startswith(".") for part in file.relative_to(place).parts):
                found[file] = None
    return list(found)


def _assessed(file: Path, how: How, settings: Settings) -> Iterator[Assessed | InputError]:
    """Of each message of a file, in order, what was found or what is wrong."""
    try:
        text = open_text(file)
        if is_cdm_public(text):
            yield from (_public(row, file) for row in parse_cdm_public(text, file))
            return
    except InputError as error:
        yield error
        return
    number = 0
    for number, cdm in enumerate(each_cdm(text, file), 1):
        if isinstance(cdm, InputError):
            yield cdm
            continue
        try:
            yield _message(cdm, file, how, settings)
        except InputError as error:
            yield replace(error, file=file)
        except _NUMERIC as error:
            yield InputError(f"message {number} cannot be assessed: its numbers lead nowhere ({error})", file=file)
    if not number:
        yield InputError("no message", file=file)


def _message(cdm: Cdm, file: Path, how: How, settings: Settings) -> Assessed:
    found = assess_message(cdm, settings=settings.risk, hbr_m=how.hbr_m, samples=how.trials, curved=how.curved)
    one, two = cdm.objects
    numbers = _plain(one.designator), _plain(two.designator)
    return Assessed(str(file), numbers, (one.name, two.name), cdm.tca_us, cdm.creation_us, found, cdm)


def _public(row: CdmPublic, file: Path) -> Assessed:
    numbers = str(row.norad_id_1), str(row.norad_id_2)
    return Assessed(str(file), numbers, (row.name_1, row.name_2), row.tca_us, row.created_us, assess_public(row))


def _plain(designator: str) -> str:
    """A catalogue number without leading zeros."""
    return designator.lstrip("0") or designator or "unknown"


def _write(told: Sequence[Told], folder: Path) -> list[InputError]:
    """Writes the messages as NAME.assessed.cdm, each whole or not at all; returns what could not be written."""
    errors: list[InputError] = []
    taken: set[str] = set()
    written = 0
    for one, entry in told:
        if one.cdm is None:
            what = "not written: a row of cdm_public gives no states and no covariance"
            errors.append(InputError(what, file=one.file))
            continue
        stem = Path(one.file).name.split(".")[0]
        name, number = stem, 2
        while name in taken:
            name, number = f"{stem}_{number}", number + 1
        taken.add(name)
        try:
            text = write_cdm(reassessed(one.cdm, entry, time.time_ns() // 1000))
        except InputError as error:
            errors.append(replace(error, what=f"not written: {error.what}", file=one.file))
            continue
        write_atomically(folder / f"{name}.assessed.cdm", text.encode())
        written += 1
    sys.stderr.write(f"messages: {written} in {folder}\n")
    return errors
