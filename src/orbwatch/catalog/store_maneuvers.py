"""Maneuvers in the store: each event once, and which histories have been searched, so that a search can go on.

What is searched later stands: it replaces what earlier searches found in the same stretch of an object's history, and
leaves what lies outside of it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import starmap
from typing import Any

import sqlalchemy as sa

from orbwatch.catalog.store import Store
from orbwatch.catalog.store_schema import maneuver_searches, maneuvers

_AT_ONCE = 500  # databases limit the number of parameters of a statement


@dataclass(frozen=True)
class StoredManeuver:
    """One maneuver, between two element sets."""

    norad_id: int
    start_us: int
    """Epoch of the last set before it, UTC microseconds since 1970."""
    end_us: int
    """Epoch of the first set after it."""
    epoch_us: int
    """When it most likely was."""
    probability: float
    kind: str
    dv_r_m_s: float | None
    """Delta-v along R, T, N of the orbit; None (or NaN when saved) where it could not be measured."""
    dv_t_m_s: float | None
    dv_n_m_s: float | None
    dv_sigma_m_s: float | None
    """Standard deviation of its size."""
    pattern: str
    """What the object does, at that time."""
    method: str
    """Detector, and whether it knew later sets."""

    @property
    def dv_m_s(self) -> float:
        """Its size; NaN where it could not be measured."""
        parts = (self.dv_r_m_s, self.dv_t_m_s, self.dv_n_m_s)
        return math.hypot(*(math.nan if part is None else part for part in parts))


_FIELDS = tuple(field.name for field in fields(StoredManeuver))
_MAY_LACK = ("dv_r_m_s", "dv_t_m_s", "dv_n_m_s", "dv_sigma_m_s")


@dataclass(frozen=True)
class Search:
    """One object's history, searched for maneuvers."""

    norad_id: int
    search_key: str
    """Hash of the sets and of the method: the same key is the same search."""
    from_us: int
    """Epoch of the first set."""
    until_us: int
    """Epoch of the last set."""
    words: str
    """What the object does, in a sentence."""


def save_searches(store: Store, searches: Sequence[Search], found: Iterable[StoredManeuver]) -> None:
    """Saves searches with what they found (of these objects only) in one transaction.

    Earlier events that lie in a search's stretch, or overlap what it found, are replaced; others stay. Raises
    StoreError where the disk is full, the file damaged or locked; nothing of it is stored then.
    """
    spans = {one.norad_id: one for one in searches}
    new: dict[int, list[StoredManeuver]] = {number: [] for number in spans}
    for one in found:
        new[one.norad_id].append(one)
    with store.writing() as connection:
        for table, gone in (
            (maneuvers, _replaced(connection, spans, new)), (maneuver_searches, _repeated(connection, spans))
        ):  # fmt: skip
            for some in _batches(gone):
                connection.execute(table.delete().where(table.c.id.in_(some)))
        rows = [_row(one) for events in new.values() for one in events]
        if rows:
            connection.execute(maneuvers.insert(), rows)
        now_us = time.time_ns() // 1000
        done = [{f.name: getattr(one, f.name) for f in fields(Search)} | {"searched_us": now_us} for one in searches]
        if done:
            connection.execute(maneuver_searches.insert(), done)


def searched(store: Store, searches: Sequence[Search]) -> set[int]:
    """Catalogue numbers of those that have been done already, with the same sets and method."""
    keys = {one.norad_id: one.search_key for one in searches}
    c = maneuver_searches.c
    with store.reading() as connection:
        rows = _rows(connection, sa.select(c.norad_id, c.search_key), c.norad_id, keys)
        return {row.norad_id for row in rows if row.search_key == keys[row.norad_id]}


def stored_maneuvers(
    store: Store, norad_ids: Collection[int] | None = None, since_us: int | None = None, min_probability: float = 0.0
) -> list[StoredManeuver]:
    """Stored maneuvers from a UTC instant on, by object and time; of some objects, or of all."""
    c = maneuvers.c
    query = sa.select(*(c[name] for name in _FIELDS)).where(c.probability >= min_probability)
    if since_us is not None:
        query = query.where(c.epoch_us >= since_us)
    with store.reading() as connection:
        found = list(starmap(StoredManeuver, _rows(connection, query, c.norad_id, norad_ids)))
    return sorted(found, key=lambda one: (one.norad_id, one.epoch_us))


def stored_words(store: Store, norad_ids: Collection[int] | None = None) -> dict[int, str]:
    """What each object does, in a sentence, from the search that reached furthest."""
    c = maneuver_searches.c
    with store.reading() as connection:
        rows = list(_rows(connection, sa.select(c.norad_id, c.until_us, c.id, c.words), c.norad_id, norad_ids))
    return {row.norad_id: row.words for row in sorted(rows, key=lambda row: (row.until_us, row.id))}


def _rows(
    connection: sa.Connection, query: sa.Select[Any], column: sa.Column[Any], norad_ids: Collection[int] | None
) -> Iterator[sa.Row[Any]]:
    """Rows of a query about some objects, or about all."""
    if norad_ids is None:
        yield from connection.execute(query)
        return
    for some in _batches(norad_ids):
        yield from connection.execute(query.where(column.in_(some)))


def _batches(numbers: Collection[int]) -> Iterator[list[int]]:
    rest = list(numbers)
    for first in range(0, len(rest), _AT_ONCE):
        yield rest[first : first + _AT_ONCE]


def _replaced(connection: sa.Connection, spans: dict[int, Search], new: dict[int, list[StoredManeuver]]) -> list[int]:
    """Numbers of the rows whose place is taken."""
    c = maneuvers.c
    gone = []
    for row in _rows(connection, sa.select(c.id, c.norad_id, c.start_us, c.end_us), c.norad_id, spans):
        span = spans[row.norad_id]
        inside = span.from_us <= row.start_us and row.end_us <= span.until_us
        if inside or any(one.start_us < row.end_us and row.start_us < one.end_us for one in new[row.norad_id]):
            gone.append(row.id)
    return gone


def _repeated(connection: sa.Connection, spans: dict[int, Search]) -> list[int]:
    """Numbers of the earlier searches of no more than the new ones have searched."""
    c = maneuver_searches.c
    rows = _rows(connection, sa.select(c.id, c.norad_id, c.search_key, c.from_us, c.until_us), c.norad_id, spans)
    return [
        row.id
        for row in rows
        if row.search_key == spans[row.norad_id].search_key
        or (spans[row.norad_id].from_us <= row.from_us and row.until_us <= spans[row.norad_id].until_us)
    ]


def _row(one: StoredManeuver) -> dict[str, object]:
    """Column values: a number that is not there is NULL."""
    values = dict(vars(one))
    for name in _MAY_LACK:
        if values[name] is not None and not math.isfinite(values[name]):
            values[name] = None
    return values
