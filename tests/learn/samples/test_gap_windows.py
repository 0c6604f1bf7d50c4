"""Windows of gaps never mix objects, see every gap, and a data set comes back as it was written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from orbwatch.errors import InputError
from orbwatch.learn.samples.gap_scaler import GapScaler
from orbwatch.learn.samples.gap_store import ARRAYS, GapStore, write_gaps
from orbwatch.learn.samples.gap_windows import GAPS, UNKNOWN, joined, place_windows, window_rows

from ..gap_world import FEATURES, KINDS, PATTERNS, gaps, write_world


def test_windows_see_every_gap_of_one_object_only() -> None:
    owner = np.repeat([7, 8, 9, 10], [45, 5, 20, 1])
    starts = place_windows(owner, 6)
    rows = window_rows(owner, starts)
    assert set(rows[rows >= 0]) == set(range(len(owner)))
    for window in rows:
        assert len(set(owner[window[window >= 0]])) == 1
    assert ((rows >= 0).sum(axis=1) == np.array([20] * 6 + [5, 20, 1])).all()
    assert rows[5, -1] == 44


def test_no_gaps_make_no_windows() -> None:
    assert len(place_windows(np.empty(0, np.int64), 3)) == 0


def test_short_objects_have_empty_places_without_labels() -> None:
    series = gaps(2, 7)
    found = series.gather(series.starts(4))
    assert found.x.shape == (2, GAPS, len(FEATURES))
    assert (found.valid.sum(axis=1) == 7).all()
    assert (found.kind[~found.valid] == UNKNOWN).all()
    assert not found.x[~found.valid].any()
    assert found.pattern.tolist() == [0, 1]


def test_joined_series_keep_their_objects_apart() -> None:
    both = joined([gaps(2, 7), gaps(2, 7)])
    assert len(np.unique(both.object_id)) == 4
    with pytest.raises(InputError):
        joined([])


def test_scaler_ignores_what_is_not_known_and_clips() -> None:
    rows = np.array([[0.0, np.nan], [2.0, 5.0], [4.0, 5.0]], np.float32)
    scaler = GapScaler.fit(("a", "b"), rows)
    assert scaler.mean.tolist() == [2.0, 5.0]
    again = GapScaler.from_dict(scaler.to_dict())
    x = again.apply(np.array([[1e6, np.nan], [2.0, 5.5]], np.float32), np.array([True, False]))
    assert x.tolist() == [[8.0, 0.0], [0.0, 0.0]]
    with pytest.raises(InputError):
        again.apply(np.zeros((1, 3), np.float32), np.ones(1, np.bool_))
    with pytest.raises(InputError):
        GapScaler.from_dict(scaler.to_dict() | {"spread": [0.0, 1.0]})


def test_store_comes_back_and_damage_is_named(tmp_path: Path) -> None:
    written = write_world(tmp_path, 10)
    opened = GapStore.open(tmp_path)
    assert opened.data_hash == written.data_hash
    assert (opened.features, opened.kinds, opened.patterns) == (FEATURES, KINDS, PATTERNS)
    np.testing.assert_array_equal(opened.series.features, written.series.features)
    (tmp_path / ARRAYS).write_bytes(b"no")
    with pytest.raises(InputError, match="not the file"):
        GapStore.open(tmp_path)
    with pytest.raises(InputError, match="no data set"):
        GapStore.open(tmp_path / "nowhere")
    with pytest.raises(InputError, match="without a name"):
        write_gaps(gaps(2), tmp_path, FEATURES, KINDS[:2], PATTERNS)
