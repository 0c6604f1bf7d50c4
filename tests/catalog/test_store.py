"""The store keeps what was committed, once, whatever happens: kill -9, a full disk, a damaged file, two processes."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from orbwatch.catalog.store import Run, Store, StoredEvent, event_key
from orbwatch.catalog.store_open import MIGRATIONS, explained, to_json
from orbwatch.catalog.store_schema import REVISIONS, metadata
from orbwatch.errors import StoreError

KEY = "a" * 64


def event(i: int = 0, **changes: Any) -> StoredEvent:
    tca_us = 1_744_686_902_123_000 + i * 1_000_000
    made = StoredEvent(
        event_key(25544, 48274 + i, tca_us),
        25544,
        48274 + i,
        "ISS (ZARYA)",
        "CSS (TIANHE)",
        tca_us,
        1.25,
        12.5,
        False,
        10.0 ** -(3 + i),
        {"omm_1": {"NORAD_CAT_ID": 25544}, "flags": ["dilution"]},
    )
    return replace(made, **changes)


def begin(store: Store, key: str = KEY) -> Run:
    return store.begin_or_resume_run(key, "assess", inputs={"catalog": "x"}, settings={"screen": {"hours": 24.0}})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a folder" / "orbwatch.db"


def test_event_key() -> None:
    assert event_key(48274, 25544, 1_744_686_902_123_000) == "25544-48274-20250415T031502.123"
    assert event_key(999999999, 1, 0) == "1-999999999-19700101T000000.000"


def test_events_come_back_as_they_went(path: Path) -> None:
    with Store.open(path) as store:
        run = begin(store)
        assert (run.status, run.covered_until_us, run.ended_us) == ("running", None, None)
        assert run.settings == {"screen": {"hours": 24.0}}
        store.save_slab(run.id, [event(i) for i in range(1200)], 10)
        found = store.events(run.id)
        assert found == [replace(event(i), run_id=run.id) for i in range(1200)]
        assert store.events(run.id, min_pc=1e-4, limit=5) == found[:2]
        assert store.event_count(run.id) == 1200
        assert store.event(event(3).event_key) == found[3]
    with Store.open(str(path)) as store:
        assert store.event_count(run.id) == 1200
        assert store.runs()[0].covered_until_us == 10


def test_saving_again_replaces(path: Path) -> None:
    with Store.open(path) as store:
        run = begin(store)
        store.save_slab(run.id, [event(0), event(1)], 20)
        store.save_slab(run.id, [event(1, miss_km=0.5), event(2), event(2)], 10)
        assert [e.miss_km for e in store.events(run.id)] == [1.25, 0.5, 1.25]
        assert store.runs()[0].covered_until_us == 20
        store.save_slab(run.id, [], 30)
        assert store.runs()[0].covered_until_us == 30


def test_numpy_and_missing_values(path: Path) -> None:
    payload = {"cov": np.array([[1.0, np.nan], [np.inf, 2.0]]), "n": np.int64(3), "hbr_m": (np.nan, 5.0), "file": path}
    odd = event(pc=np.nan, payload=payload, name_1=np.str_("A"), miss_km=np.float64(2.0))
    with Store.open(path) as store:
        run = begin(store)
        store.save_slab(run.id, [odd, event(5, pc=None, miss_km=1.0), event(6, pc=0.0)], 1)
        found = store.events(run.id)
    assert [e.pc for e in found] == [0.0, None, None]
    expected = {"cov": [[1.0, None], [None, 2.0]], "n": 3, "hbr_m": [None, 5.0], "file": str(path)}
    assert found[2].payload == expected
    with pytest.raises(TypeError, match="cannot store a set"):
        to_json({"a": {1}})


def test_run_is_resumed_until_it_is_done(path: Path) -> None:
    with Store.open(path) as store:
        run = begin(store)
        store.save_slab(run.id, [event()], 10)
        for end in (store.interrupt_run, store.fail_run):
            end(run.id)
            assert store.runs()[0].ended_us is not None
            again = begin(store)
            assert (again.id, again.status, again.covered_until_us, again.ended_us) == (run.id, "running", 10, None)
        store.finish_run(run.id)
        assert begin(store).status == "done"
        other = begin(store, "b" * 64)
        assert other.id != run.id
        assert [r.id for r in store.runs()] == [other.id, run.id]
        assert [r.id for r in store.runs("done")] == [run.id]
        store.save_slab(other.id, [event(miss_km=9.0)], 5)
        assert store.event(event().event_key).run_id == other.id


def test_unknown_names(path: Path) -> None:
    with Store.open(path) as store:
        run = begin(store)
        store.save_slab(run.id, [event()], 10)
        with pytest.raises(
            StoreError, match=r"no event '25544-48274-2'. Of this pair it holds 25544-48274-20250415T0315"
        ):
            store.event("25544-48274-2")
        with pytest.raises(StoreError, match=r"no event '1-2-3'\. `orbwatch replay` without"):
            store.event("1-2-3")
        with pytest.raises(StoreError, match="no run 99"):
            store.finish_run(99)
        with pytest.raises(StoreError):
            store.save_slab(99, [event(1)], 20)
        assert store.event_count(99) == 0


def test_two_processes_with_one_key(path: Path) -> None:
    with Store.open(path) as one, Store.open(path) as two:
        run = begin(one)
        assert begin(two).id == run.id
        one.save_slab(run.id, [event(0)], 10)
        two.save_slab(run.id, [event(0), event(1)], 20)
        one.finish_run(run.id)
        assert two.event_count(run.id) == 2
        assert two.runs()[0].status == "done"


def test_run_begun_by_another_process_meanwhile(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(path) as store:
        run = begin(store)
        really, calls = Store._begin, []

        def beaten_once(*args: Any) -> Run:
            calls.append(args)
            if len(calls) == 1:
                raise sa.exc.IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed"))
            return really(*args)

        monkeypatch.setattr(Store, "_begin", beaten_once)
        assert begin(store).id == run.id


CHILD = """
import sys
from orbwatch.catalog.store import Store, StoredEvent, event_key
with Store.open(sys.argv[1]) as store:
    run = store.begin_or_resume_run("a" * 64, "assess", inputs={}, settings={})
    for slab in range((run.covered_until_us or 0) + 1, 9):
        numbers = range(slab * 1000, slab * 1000 + 400)
        print(slab, flush=True)
        store.save_slab(run.id, [StoredEvent(event_key(i, i + 1, i), i, i + 1, "", "", i, 1.0, 1.0, False, None,
                                 {"omm": "x" * 2000}) for i in numbers], slab)
    store.finish_run(run.id)
"""


def run_child(path: Path, code: str = CHILD) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_kill_9_loses_and_doubles_nothing(path: Path) -> None:
    rng = random.Random(1)
    for kill_at in (2, 5, 7):
        with run_child(path) as child:
            assert child.stdout is not None
            for line in child.stdout:
                if int(line) >= kill_at:
                    break
            try:
                child.wait(rng.uniform(0.0, 0.05))
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
        with Store.open(path) as store:
            run = store.runs()[0]
            covered = run.covered_until_us or 0
            assert kill_at - 1 <= covered
            assert store.event_count(run.id) == 400 * covered
    with run_child(path) as child:
        assert child.wait() == 0
    with Store.open(path) as store:
        (run,) = store.runs()
        assert (run.status, run.covered_until_us) == ("done", 8)
        assert store.event_count(run.id) == 8 * 400


def test_full_disk_keeps_what_was_saved(path: Path) -> None:
    code = """
        import resource, signal, sys
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
    """
    with run_child(path, textwrap.dedent(code) + CHILD) as child:
        _, stderr = child.communicate(timeout=30)
    assert child.returncode == 1
    assert "StoreError: cannot write to the store" in stderr
    assert "what was saved before stays" in stderr
    with Store.open(path) as store:
        (run,) = store.runs()
        covered = run.covered_until_us or 0
        assert 1 <= covered < 8
        assert store.event_count(run.id) == 400 * covered
    with run_child(path) as child:
        assert child.wait() == 0
    with Store.open(path) as store:
        assert store.event_count(run.id) == 8 * 400


def test_damaged_or_foreign_file_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not SQLite at all " * 100)
    with pytest.raises(StoreError, match=r"cannot open the store .*orbwatch\.db: it is not a database.*Move it away"):
        Store.open(path)
    assert path.read_bytes() == b"not SQLite at all " * 100
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program's database; it was not changed"):
        Store.open(path)
    assert path.read_bytes() == before


def test_damaged_pages_are_named(path: Path) -> None:
    with Store.open(path) as store:
        run = begin(store)
        store.save_slab(run.id, [event(i) for i in range(500)], 1)
    data = bytearray(path.read_bytes())
    data[8192:] = b"\xff" * (len(data) - 8192)
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"the store .*orbwatch\.db: it is damaged"), Store.open(path) as store:
        store.events(1)
    assert path.read_bytes() == data


def test_newer_store_is_refused(path: Path) -> None:
    Store.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"newer orbwatch .its schema is 9999.*Upgrade orbwatch"):
        Store.open(path)
    assert path.read_bytes() == before


def test_places_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot open the store"):
        Store.open(tmp_path / "file" / "orbwatch.db")
    with pytest.raises(StoreError, match=r"cannot open the store .*it cannot be opened"):
        Store.open(tmp_path)
    with pytest.raises(StoreError, match="not a path or an SQLAlchemy URL"):
        Store.open("://")
    with pytest.raises(StoreError, match=r"nonsense://u:\*\*\*@h/d"):
        Store.open("nonsense://u:secret@h/d")


def test_interrupted_creation_is_finished(path: Path) -> None:
    """A process killed between making the file and filling it leaves an empty one."""
    path.parent.mkdir()
    path.touch()
    with Store.open(path) as store:
        assert store.runs() == []


def test_lock_and_rights_are_explained() -> None:
    for text, meaning in (("database is locked", "another process"), ("attempt to write a readonly", "may not be")):
        with pytest.raises(StoreError, match=meaning), explained(sa.make_url("sqlite:///x.db"), "write to"):
            raise sqlite3.OperationalError(text)
    with pytest.raises(StoreError, match=r"x\.db: odd$"), explained(sa.make_url("sqlite:///x.db"), "read"):
        raise sqlite3.OperationalError("odd")


def test_store_in_memory() -> None:
    with Store.open("sqlite://") as store:
        begin(store)
        assert len(store.runs()) == 1


def test_migrations_build_the_schema(path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    assert [revision.revision for revision in script.walk_revisions()] == list(reversed(REVISIONS))
    Store.open(path).close()
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
    engine.dispose()


def test_schema_is_portable() -> None:
    dialect = postgresql.dialect()
    statements = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    statements += [
        str(CreateIndex(i).compile(dialect=dialect)) for table in metadata.sorted_tables for i in table.indexes
    ]
    assert "id BIGSERIAL NOT NULL" in statements[0]
    events = next(one for one in statements if "CREATE TABLE events" in one)
    assert "run_id BIGINT NOT NULL" in events
    assert "DOUBLE PRECISION" in events
