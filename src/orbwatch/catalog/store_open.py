"""Opening the store: the engine, the schema brought up to date, and database errors as plain sentences."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy import exc

from orbwatch.catalog.store_schema import REVISIONS
from orbwatch.errors import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_S = 30.0  # how long to wait for another process that is writing

# What SQLite says -> what it means and what to do. The first that matches.
_MEANINGS = (
    ("not a database", "it is not a database, or is damaged", "Move it away to start a new store"),
    ("malformed", "it is damaged", "Restore a copy, or move it away to start a new store"),
    (
        "is full",
        "the disk is full; what was saved before stays",
        "Free some space and run again: it goes on from there",
    ),
    ("disk i/o error", "the disk is full or failing; what was saved before stays", "Make room and run again"),
    ("locked", f"another process has been writing for over {BUSY_S:.0f} s", "Wait for it, or end it"),
    ("readonly", "it may not be written", "Check the rights of the file and its folder"),
    ("unable to open", "it cannot be opened", "Check that its folder exists and may be written"),
)


def open_engine(url: sa.URL) -> sa.Engine:
    """An engine on a database whose schema is up to date. Nothing is written to a file that is not an orbwatch store.

    Raises:
        StoreError: not reachable, damaged, another program's, or written by a newer orbwatch.
    """
    with explained(url, "open"):
        if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(url, json_serializer=to_json)
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _on_connect)
            sa.event.listen(engine, "begin", _on_begin)
        try:
            if _revision(engine, url) != REVISIONS[-1]:
                if engine.dialect.name == "sqlite":
                    with closing(engine.raw_connection()) as connection:  # kept in the file; not in a transaction
                        connection.cursor().execute("PRAGMA journal_mode=WAL")
                _upgrade(engine)
        except BaseException:
            engine.dispose()
            raise
    return engine


def writer(engine: sa.Engine) -> sa.Engine:
    """The engine for transactions that write: on SQLite they take the lock at once, so they wait instead of failing."""
    return engine.execution_options(orbwatch_writes=True)


@contextmanager
def explained(url: sa.URL, doing: str) -> Iterator[None]:
    """Turns database and file errors into a StoreError that names the store and says what to do."""
    try:
        yield
    except (exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
        text = " ".join(str(getattr(error, "orig", None) or error).split())
        for words, meaning, advice in _MEANINGS:
            if words in text.lower():
                raise StoreError(f"cannot {doing} the store {_place(url)}: {meaning} ({text}). {advice}.") from error
        raise StoreError(f"cannot {doing} the store {_place(url)}: {text}") from error


def to_json(value: Any) -> str:
    """JSON text. Numpy values become plain ones, and NaN and infinity null: JSON has no such numbers."""
    try:
        return json.dumps(value, default=_plain, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), default=_plain, allow_nan=False)


def _plain(value: object) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return _finite(value.tolist())
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"cannot store a {type(value).__name__} as JSON")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _on_connect(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where SQLAlchemy says, not where sqlite3 guesses
    for pragma in ("synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_S * 1000:.0f}"):
        connection.execute(f"PRAGMA {pragma}").close()


def _on_begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("orbwatch_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _revision(engine: sa.Engine, url: sa.URL) -> str | None:
    """The schema revision in the database; None in an empty one."""
    with engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        if not tables:
            return None
        if "alembic_version" not in tables or "runs" not in tables:
            raise StoreError(f"{_place(url)} is another program's database; it was not changed. Give another path.")
        found = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    if found not in REVISIONS:
        raise StoreError(
            f"the store {_place(url)} was written by a newer orbwatch (its schema is {found}, this one knows "
            f"{REVISIONS[-1]}); it was not changed. Upgrade orbwatch, or give another path."
        )
    return str(found)


def _upgrade(engine: sa.Engine) -> None:
    """All missing revisions in one transaction; of two processes that get here at once, the second finds it done."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with writer(engine).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _place(url: sa.URL) -> str:
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
