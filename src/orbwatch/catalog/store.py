"""The store of results: runs and the events they found, in SQLite by default, in any SQLAlchemy database by URL.

What a run has covered is committed together with the events of that stretch, so a process killed anywhere loses and
doubles nothing: the next run with the same key goes on from `covered_until_us`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from orbwatch import __version__
from orbwatch.catalog.store_open import explained, open_engine, writer
from orbwatch.catalog.store_schema import STATUSES
from orbwatch.catalog.store_schema import events as events_table
from orbwatch.catalog.store_schema import runs as runs_table
from orbwatch.errors import StoreError
from orbwatch.time import format_utc

_KEYS_AT_ONCE = 500  # databases limit the number of parameters of a statement


@dataclass(frozen=True)
class Run:
    """One piece of work over one window."""

    id: int
    run_key: str
    """Hash of inputs, settings and window: the same key is the same work."""
    kind: str
    status: str
    """running, done, interrupted or failed. A killed process leaves "running"."""
    started_us: int
    ended_us: int | None
    covered_until_us: int | None
    """Events before this UTC instant are all stored; None when nothing is."""
    inputs: dict[str, Any]
    settings: dict[str, Any]
    version: str
    """Of orbwatch."""


@dataclass(frozen=True)
class StoredEvent:
    """One close approach, with everything that is needed to recompute it in `payload`."""

    event_key: str
    """From `event_key`; once per run."""
    norad_id_1: int
    norad_id_2: int
    name_1: str
    name_2: str
    tca_us: int
    """Time of closest approach, UTC microseconds."""
    miss_km: float
    rel_speed_km_s: float
    co_moving: bool
    pc: float | None
    """The chosen probability of collision; None (or NaN when saved) where there is none."""
    payload: Mapping[str, Any]
    """JSON values; numpy values are converted, NaN becomes None."""
    run_id: int = 0
    """Set by the store."""


def event_key(norad_id_1: int, norad_id_2: int, tca_us: int) -> str:
    """The name of an event: both catalogue numbers, the smaller first, and the TCA to the millisecond.

    >>> event_key(48274, 25544, 1744686902123000)
    '25544-48274-20250415T031502.123'
    """
    first, second = sorted((int(norad_id_1), int(norad_id_2)))
    return f"{first}-{second}-{format_utc(tca_us, 3).replace('-', '').replace(':', '')}"


class Store:
    """An open store; use it in a `with` statement, or `close` it."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writer = writer(engine)

    @classmethod
    def open(cls, place: str | Path) -> Store:
        """Opens the store at a path or an SQLAlchemy URL; makes it, or brings its schema up to date, if need be.

        Raises:
            StoreError: not reachable, damaged, another program's, or written by a newer orbwatch; unchanged then.
        """
        try:
            url = sa.make_url(place if isinstance(place, str) and "://" in place else f"sqlite:///{place}")
        except exc.ArgumentError as error:
            raise StoreError(f"{place!r} is not a path or an SQLAlchemy URL, as in postgresql://host/name") from error
        return cls(open_engine(url))

    def close(self) -> None:
        """Gives up the connections; the store cannot be used afterwards."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection to read with; database errors come as StoreError."""
        with explained(self._engine.url, "read"), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction that writes, all or nothing; database errors come as StoreError."""
        with explained(self._engine.url, "write to"), self._writer.begin() as connection:
            yield connection

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def begin_or_resume_run(
        self, run_key: str, kind: str, *, inputs: Mapping[str, Any], settings: Mapping[str, Any]
    ) -> Run:
        """The run with this key: a new one; one that was cut off, running again (go on from `covered_until_us`); or
        one that is done, as it is. Two processes with one key may work side by side: they save the same events."""
        with explained(self._engine.url, "write to"):
            try:
                return self._begin(run_key, kind, inputs, settings)
            except exc.IntegrityError:  # another process has just begun it
                return self._begin(run_key, kind, inputs, settings)

    def save_slab(self, run_id: int, events: Sequence[StoredEvent], covered_until_us: int) -> None:
        """Saves the events of a stretch of the window, and that all is covered until then, in one transaction.

        Saving an event again replaces it; an earlier `covered_until_us` than the stored one changes nothing there.

        Raises:
            StoreError: the disk is full, the file damaged or locked, no such run; nothing of this slab is stored then.
        """
        rows = {event.event_key: _row(run_id, event) for event in events}
        keys = list(rows)
        with self.writing() as connection:
            known: set[str] = set()
            of_run = events_table.c.run_id == run_id
            for i in range(0, len(keys), _KEYS_AT_ONCE):
                some = events_table.c.event_key.in_(keys[i : i + _KEYS_AT_ONCE])
                known.update(connection.scalars(sa.select(events_table.c.event_key).where(of_run, some)))
            if known:
                changed = events_table.update().where(of_run, events_table.c.event_key == sa.bindparam("key"))
                connection.execute(changed, [rows[key] | {"key": key} for key in known])
            if len(known) < len(rows):
                connection.execute(events_table.insert(), [row for key, row in rows.items() if key not in known])
            until = runs_table.c.covered_until_us
            latest = sa.case((until > covered_until_us, until), else_=covered_until_us)
            self._update_run(connection, run_id, covered_until_us=latest)

    def finish_run(self, run_id: int) -> None:
        """Marks the run as done."""
        self._end(run_id, "done")

    def interrupt_run(self, run_id: int) -> None:
        """Marks the run as interrupted, by the user say; it can be resumed."""
        self._end(run_id, "interrupted")

    def fail_run(self, run_id: int) -> None:
        """Marks the run as failed; it can be resumed from what it has covered."""
        self._end(run_id, "failed")

    def runs(self, status: str | None = None) -> list[Run]:
        """All runs, or those with a status, newest first."""
        query = sa.select(runs_table).order_by(runs_table.c.started_us.desc(), runs_table.c.id.desc())
        if status is not None:
            query = query.where(runs_table.c.status == status)
        with self.reading() as connection:
            return [_run(row) for row in connection.execute(query)]

    def events(self, run_id: int, *, min_pc: float | None = None, limit: int | None = None) -> list[StoredEvent]:
        """Events of a run, the most probable collision first, those without a probability last, by miss distance."""
        c = events_table.c
        query = sa.select(*_EVENT_COLUMNS).where(c.run_id == run_id)
        query = query.order_by(c.pc.is_(None), c.pc.desc(), c.miss_km, c.event_key).limit(limit)
        if min_pc is not None:
            query = query.where(c.pc >= min_pc)
        with self.reading() as connection:
            return [StoredEvent(**row._mapping) for row in connection.execute(query)]

    def event_count(self, run_id: int) -> int:
        """Number of events of a run."""
        query = sa.select(sa.func.count()).select_from(events_table).where(events_table.c.run_id == run_id)
        with self.reading() as connection:
            return connection.execute(query).scalar_one()

    def event(self, event_key: str) -> StoredEvent:
        """The event of that name, from the newest run that found it.

        Raises:
            StoreError: there is none; the nearest in time of the same pair are named.
        """
        c = events_table.c
        query = sa.select(*_EVENT_COLUMNS).where(c.event_key == event_key).order_by(c.run_id.desc()).limit(1)
        pair = event_key.rsplit("-", 1)[0]
        near = sa.select(c.event_key).distinct().where(c.event_key.startswith(pair + "-", autoescape=True)).limit(5)
        with self.reading() as connection:
            row = connection.execute(query).first()
            if row is not None:
                return StoredEvent(**row._mapping)
            others = list(connection.scalars(near))
        hint = (
            f" Of this pair it holds {', '.join(others)}."
            if others
            else " `orbwatch replay` without a name lists what is stored."
        )
        raise StoreError(f"the store holds no event {event_key!r}.{hint}")

    def _begin(self, run_key: str, kind: str, inputs: Mapping[str, Any], settings: Mapping[str, Any]) -> Run:
        query = sa.select(runs_table).where(runs_table.c.run_key == run_key)
        with self._writer.begin() as connection:
            row = connection.execute(query).first()
            if row is None:
                new = {"run_key": run_key, "kind": kind, "status": "running", "started_us": _now_us(),
                       "inputs": dict(inputs), "settings": dict(settings), "version": __version__}  # fmt: skip
                connection.execute(runs_table.insert().values(new))
            elif row.status != "done":
                self._update_run(connection, row.id, status="running", ended_us=None)
            return _run(connection.execute(query).one())

    def _end(self, run_id: int, status: str) -> None:
        assert status in STATUSES
        with self.writing() as connection:
            self._update_run(connection, run_id, status=status, ended_us=_now_us())

    @staticmethod
    def _update_run(connection: sa.Connection, run_id: int, **values: Any) -> None:
        done = connection.execute(runs_table.update().where(runs_table.c.id == run_id).values(values))
        if done.rowcount != 1:
            raise StoreError(f"the store holds no run {run_id}")


_EVENT_COLUMNS = [events_table.c[f.name] for f in fields(StoredEvent)]


def _now_us() -> int:
    return time.time_ns() // 1000


def _run(row: Any) -> Run:
    return Run(**row._mapping)


def _row(run_id: int, event: StoredEvent) -> dict[str, Any]:
    """Column values; drivers know plain Python types only."""
    return {
        "run_id": run_id,
        "event_key": event.event_key,
        "norad_id_1": int(event.norad_id_1),
        "norad_id_2": int(event.norad_id_2),
        "name_1": str(event.name_1),
        "name_2": str(event.name_2),
        "tca_us": int(event.tca_us),
        "miss_km": float(event.miss_km),
        "rel_speed_km_s": float(event.rel_speed_km_s),
        "co_moving": bool(event.co_moving),
        "pc": None if event.pc is None or math.isnan(event.pc) else float(event.pc),
        "payload": event.payload,
    }
