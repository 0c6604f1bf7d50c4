"""What a run leaves in its folder: the report, all events as CSV, a conjunction data message for each top event."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from orbwatch.catalog.cdm_write import write_cdm
from orbwatch.conjunction.assessment import Assessment
from orbwatch.conjunction.message import event_cdm
from orbwatch.report.conjunctions import page
from orbwatch.report.events import event_columns
from orbwatch.report.html import Table, render
from orbwatch.report.tabular import emit


@dataclass(frozen=True)
class Outputs:
    """Where things are."""

    report: Path
    events: Path
    cdm_folder: Path
    messages: int


def write_outputs(result: Assessment, folder: Path, truth: Table | None = None, label: str = "") -> Outputs:
    """Writes report.html, events.csv and cdm/EVENT.cdm into the folder, each whole or not at all.

    Messages are written for the top events of the report; those of an earlier run in this folder are replaced.
    """
    cdm_folder = folder / "cdm"
    cdm_folder.mkdir(parents=True, exist_ok=True)
    for old in cdm_folder.glob("*.cdm"):
        old.unlink()
    now_us = time.time_ns() // 1000
    top = result.ranked[: result.settings.report.top_events]
    for event in top:
        _replace(cdm_folder / f"{event.event_key}.cdm", write_cdm(event_cdm(event, now_us)).encode())
    events = folder / "events.csv"
    part = events.with_suffix(".part")
    with part.open("wb") as stream:
        emit(event_columns(result.events), "csv", stream)
    part.replace(events)
    report = folder / "report.html"
    _replace(report, render(page(result, truth, label)).encode())
    return Outputs(report, events, cdm_folder, len(top))


def _replace(path: Path, data: bytes) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.replace(path)
