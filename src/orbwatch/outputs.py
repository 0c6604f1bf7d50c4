"""What a run leaves in its folder: the report, all events as CSV, a conjunction data message for each top event."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orbwatch.catalog.cdm_write import write_cdm
from orbwatch.catalog.written import make_folder, write_atomically
from orbwatch.conjunction.assessment import Assessment
from orbwatch.conjunction.message import event_cdm
from orbwatch.report.conjunctions import page
from orbwatch.report.events import event_columns
from orbwatch.report.html import Table, render
from orbwatch.report.tabular import emit

_OUR_MESSAGE = re.compile(r"\d+-\d+-\d{8}T\d{6}\.\d{3}\.cdm")  # EVENT.cdm; others may keep theirs in the folder


@dataclass(frozen=True)
class Outputs:
    """Where things are."""

    report: Path
    events: Path
    cdm_folder: Path
    messages: Sequence[str]
    """The messages themselves (KVN), of the most probable event first."""


def make_folders(folder: Path) -> Path:
    """Makes the folder of the outputs, before the work that it is for, and that of its messages, which is returned.

    Raises InputError where they cannot be made or written.
    """
    make_folder(folder)
    make_folder(folder / "cdm")
    return folder / "cdm"


def write_outputs(result: Assessment, folder: Path, truth: Table | None = None, label: str = "") -> Outputs:
    """Writes report.html, events.csv and cdm/EVENT.cdm into the folder, each whole or not at all.

    Messages are written for the top events of the report; those of an earlier run in this folder are replaced.
    """
    cdm_folder = make_folders(folder)
    for old in cdm_folder.glob("*.cdm"):
        if _OUR_MESSAGE.fullmatch(old.name):
            old.unlink(missing_ok=True)
    now_us = time.time_ns() // 1000
    messages = []
    for event in result.ranked[: result.settings.report.top_events]:
        messages.append(write_cdm(event_cdm(event, now_us)))
        write_atomically(cdm_folder / f"{event.event_key}.cdm", messages[-1].encode())
    rows = io.BytesIO()
    emit(event_columns(result.events), "csv", rows)
    write_atomically(folder / "events.csv", rows.getvalue())
    write_atomically(folder / "report.html", render(page(result, truth, label)).encode())
    return Outputs(folder / "report.html", folder / "events.csv", cdm_folder, messages)
