"""A run that is killed or interrupted loses nothing, doubles nothing, and is continued by the same command."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orbwatch.catalog.omm_json import write_omm_json
from orbwatch.catalog.quality import GpRead
from orbwatch.catalog.store import Store
from orbwatch.conjunction.assessment import HOUR_US
from orbwatch.pipeline import SLAB_HOURS, assess
from orbwatch.settings import ScreenSettings, Settings, StoreSettings
from orbwatch.simulate.population import EPOCH_US, population
from orbwatch.time import format_utc

START = format_utc(EPOCH_US, 0)
HOURS = 96.0  # slabs enough for a signal to come between two of them


def settings(folder: Path) -> Settings:
    return Settings(screen=ScreenSettings(hours=HOURS), store=StoreSettings(f"sqlite:///{folder / 'orbwatch.db'}"))


@pytest.fixture(scope="module")
def read() -> GpRead:
    return GpRead(population(3, 300))


@pytest.fixture(scope="module")
def whole(read: GpRead, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    result = assess(read, START, settings(tmp_path_factory.mktemp("whole")))
    assert result.complete
    return sorted(event.event_key for event in result.events)


def test_ctrl_c_keeps_what_is_finished_and_the_same_call_continues(
    read: GpRead, whole: list[str], tmp_path: Path
) -> None:
    def stop_in_second_slab(_stage: str, fraction: float) -> None:
        if fraction > SLAB_HOURS / HOURS:
            raise KeyboardInterrupt

    part = assess(read, START, settings(tmp_path), stop_in_second_slab)
    assert part.run.status == "interrupted"
    assert not part.complete
    assert part.run.covered_until_us == EPOCH_US + SLAB_HOURS * HOUR_US
    assert {event.event_key for event in part.events} < set(whole)

    rest = assess(read, START, settings(tmp_path))
    assert rest.complete
    assert rest.run.id == part.run.id
    assert sorted(event.event_key for event in rest.events) == whole


def test_a_run_that_fails_says_so_and_can_be_continued(read: GpRead, whole: list[str], tmp_path: Path) -> None:
    def break_in_second_slab(_stage: str, fraction: float) -> None:
        if fraction > SLAB_HOURS / HOURS:
            raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError, match="on fire"):
        assess(read, START, settings(tmp_path), break_in_second_slab)
    with Store.open(tmp_path / "orbwatch.db") as store:
        assert [run.status for run in store.runs()] == ["failed"]
    assert sorted(event.event_key for event in assess(read, START, settings(tmp_path)).events) == whole


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_killed_or_interrupted_in_the_middle_loses_and_doubles_nothing(
    read: GpRead, whole: list[str], tmp_path: Path, sign: signal.Signals
) -> None:
    catalog = tmp_path / "catalogue.json"
    catalog.write_text(write_omm_json(read.table))
    environment = os.environ | {"ORBWATCH_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "orbwatch.cli", "assess", "--catalog", str(catalog), "--start", START,
               "--hours", str(HOURS), "--format", "csv", "--output", str(tmp_path / "out")]  # fmt: skip
    database = tmp_path / "orbwatch.db"
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        killed_at = _wait_for_a_slab(process, database)
    finally:
        process.send_signal(sign)
        process.wait()
    if sign == signal.SIGINT:
        assert process.returncode == 130
        assert "Interrupted: covered until" in (tmp_path / "out" / "report.html").read_text()
    with Store.open(database) as store:
        (run,) = store.runs()
        before = {event.event_key for event in store.events(run.id)}
        assert run.covered_until_us is not None
        assert run.covered_until_us >= killed_at
    assert before <= set(whole)

    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode in (0, 3), again.stderr
    with Store.open(database) as store:
        (run,) = store.runs()
        assert run.status == "done"
        assert sorted(event.event_key for event in store.events(run.id)) == whole


def _wait_for_a_slab(process: subprocess.Popen[bytes], database: Path) -> int:
    """Until the process has stored a slab; its end, UTC microseconds."""
    for _ in range(9000):
        assert process.poll() is None, "finished before it could be killed"
        if database.exists():
            with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(sqlite3.connect(database)) as peek:
                row = peek.execute("select covered_until_us from runs").fetchone()
                if row and row[0] is not None:
                    return int(row[0])
        time.sleep(0.02)
    raise AssertionError("no slab was stored within three minutes")
