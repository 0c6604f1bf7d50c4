"""Maneuvers in the store: once each, the last search stands, nothing outside of it is touched."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orbwatch.catalog.store import Store
from orbwatch.catalog.store_maneuvers import (
    Search,
    StoredManeuver,
    save_searches,
    searched,
    stored_maneuvers,
    stored_words,
)
from orbwatch.errors import StoreError

from .test_store import begin, event


def burn(start: int, **changes: Any) -> StoredManeuver:
    made = StoredManeuver(7, start, start + 10, start + 5, 0.9, "radial", 0.1, 0.2, 0.2, 0.01, "normal", "m")
    return replace(made, **changes)


def search(key: str, start: int, end: int, **changes: Any) -> Search:
    return replace(Search(7, key * 64, start, end, f"words {key}"), **changes)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "orbwatch.db") as opened:
        yield opened


def test_they_come_back_as_they_went(store: Store) -> None:
    unknown = burn(200, dv_r_m_s=np.nan, dv_t_m_s=np.nan, dv_n_m_s=np.nan, dv_sigma_m_s=np.nan)
    save_searches(store, [search("a", 0, 1000)], [burn(100), unknown])
    found = stored_maneuvers(store)
    assert found[0] == burn(100)
    assert found[0].dv_m_s == pytest.approx(0.3)
    assert found[1].dv_t_m_s is None
    assert np.isnan(found[1].dv_m_s)
    assert stored_maneuvers(store, [8]) == []
    assert [one.start_us for one in stored_maneuvers(store, [7], since_us=150)] == [200]
    assert stored_maneuvers(store, min_probability=0.95) == []
    assert stored_words(store) == {7: "words a"}


def test_a_search_again_doubles_nothing_and_keeps_what_it_did_not_look_at(store: Store) -> None:
    save_searches(store, [search("a", 0, 500)], [burn(100), burn(490)])
    save_searches(store, [search("b", 300, 900)], [burn(490, probability=0.5), burn(700)])
    assert [(one.start_us, one.probability) for one in stored_maneuvers(store)] == [(100, 0.9), (490, 0.5), (700, 0.9)]
    # In a stretch searched again what is not found again is gone; what straddles its end stays.
    save_searches(store, [search("c", 495, 900)], [])
    assert [one.start_us for one in stored_maneuvers(store)] == [100, 490]
    # What overlaps an event that is found anew is the same event.
    save_searches(store, [search("d", 495, 900)], [burn(496)])
    assert [one.start_us for one in stored_maneuvers(store)] == [100, 496]


def test_what_was_searched_is_known_until_another_search_replaces_it(store: Store) -> None:
    first, other = search("a", 0, 500), search("x", 0, 500, norad_id=8)
    assert searched(store, [first, other]) == set()
    save_searches(store, [first, other], [])
    assert searched(store, [first, other]) == {7, 8}
    save_searches(store, [search("b", 0, 600)], [])
    assert searched(store, [first, other]) == {8}
    assert stored_words(store)[7] == "words b"


def test_many_objects_go_beyond_one_statement(store: Store) -> None:
    searches = [search("a", 0, 500, norad_id=n) for n in range(1, 1300)]
    save_searches(store, searches, [burn(100, norad_id=n) for n in range(1, 1300)])
    save_searches(store, searches, [burn(100, norad_id=n) for n in range(1, 1300)])
    assert len(stored_maneuvers(store)) == 1299
    assert searched(store, searches) == set(range(1, 1300))


def test_half_a_save_is_none(store: Store) -> None:
    save_searches(store, [search("a", 0, 500)], [burn(100)])
    with pytest.raises(StoreError):
        save_searches(store, [search("b", 0, 500)], [burn(300), burn(300)])
    assert [one.start_us for one in stored_maneuvers(store)] == [100]
    assert searched(store, [search("a", 0, 500)]) == {7}


def test_a_store_of_the_first_schema_keeps_all_it_has(tmp_path: Path) -> None:
    path = tmp_path / "orbwatch.db"
    with Store.open(path) as store:
        run = begin(store)
        store.save_slab(run.id, [event()], 10)
    with closing(sqlite3.connect(path)) as old:
        old.executescript(
            "DROP TABLE maneuvers; DROP TABLE maneuver_searches; UPDATE alembic_version SET version_num = '0001';"
        )
    with Store.open(path) as store:
        assert store.events(run.id) == [replace(event(), run_id=run.id)]
        assert stored_maneuvers(store) == []
        save_searches(store, [search("a", 0, 500)], [burn(100)])
        assert len(stored_maneuvers(store)) == 1
