"""What was known when somebody asked: nothing later than that, thinned out evenly, whatever the table holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from orbwatch.catalog.gp import NO_TIME, GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_asks import FAR, NEAR, NONE, Reach, asks, is_far, later_sets, public_us

START_US = 1_780_000_000_000_000


def history(*objects: tuple[int, np.ndarray, np.ndarray]) -> GpTable:
    """Sets of (norad_id, epochs in days, publication in days) with the same elements throughout."""
    ids = np.concatenate([np.full(len(epoch), norad_id) for norad_id, epoch, _ in objects])
    epoch, public = (np.concatenate([o[i] for o in objects]) for i in (1, 2))
    n = len(ids)
    return GpTable.from_columns({
        "norad_id": ids, "epoch_us": START_US + (epoch * DAY_US).astype(np.int64),
        "seen_us": START_US + (public * DAY_US).astype(np.int64),
        "mean_motion_rev_day": np.full(n, 15.0), "eccentricity": np.full(n, 1e-3), "inclination_deg": np.full(n, 53.0),
        "raan_deg": np.zeros(n), "arg_perigee_deg": np.zeros(n), "mean_anomaly_deg": np.zeros(n),
    })  # fmt: skip


@given(st.integers(1, 200), st.floats(0.0, 60.0), st.integers(0, 2**31), st.sampled_from([NEAR, FAR]))
def test_only_what_was_public_newest_last(count: int, asked_day: float, seed: int, reach: Reach) -> None:
    rng = np.random.default_rng(seed)
    epoch = np.sort(rng.uniform(0.0, 50.0, count))
    table = history((7, epoch - 3.0, epoch), (9, epoch, epoch + rng.exponential(0.5, count)), (12, epoch, epoch))
    asked_us = START_US + int(asked_day * DAY_US)
    found = asks(table, np.array([9]), np.array([asked_us]), reach)
    rows = np.flatnonzero((table.norad_id == 9) & (table.epoch_us <= asked_us) & (public_us(table) <= asked_us))
    kept = found.past[0][found.past[0] != NONE]
    if not len(rows):
        assert not len(kept)
        return
    rows = rows[table.epoch_us[rows] >= table.epoch_us[rows[-1]] - int(reach.day * DAY_US)]
    assert found.newest[0] == rows[-1]
    assert len(kept) == min(len(rows), reach.most)
    assert (np.diff(kept) > 0).all()
    assert np.isin(kept, rows).all()
    np.testing.assert_array_equal(kept[-reach.recent :], rows[-reach.recent :])
    if len(rows) > reach.most:
        places = np.searchsorted(rows, kept[: -reach.recent])
        most = np.ceil((len(rows) - reach.recent) / (reach.most - reach.recent))
        assert np.diff(places).max() <= most


def test_later_sets_are_the_nearest_after_the_asking() -> None:
    epoch = np.array([0.0, 0.9, 1.6, 2.0, 4.0])
    table = history((5, epoch, epoch + 0.1), (6, epoch, epoch))
    asked = asks(table, np.array([5]), np.array([START_US + DAY_US]))
    at_us = START_US + (np.array([[1.05, 1.5, 1.85, 3.0, 4.29, 4.31]]) * DAY_US).astype(np.int64)
    np.testing.assert_array_equal(later_sets(table, asked, at_us), [[NONE, 2, 3, NONE, 4, NONE]])


def test_unknown_publication_is_the_epoch_and_never_before_it() -> None:
    table = history((5, np.array([1.0, 2.0]), np.array([0.5, 2.5])))
    object.__setattr__(table, "seen_us", np.array([table.seen_us[0], NO_TIME]))
    np.testing.assert_array_equal(public_us(table), table.epoch_us)


def test_an_object_that_is_not_there() -> None:
    table = history((5, np.array([1.0]), np.array([1.0])))
    assert (asks(table, np.array([4, 6]), np.full(2, START_US + 9 * DAY_US)).past == NONE).all()


def test_high_orbits_are_looked_at_from_further_back() -> None:
    table = history((4, np.arange(3.0), np.arange(3.0)), (6, np.arange(3.0), np.arange(3.0)))
    motion = np.where(table.norad_id == 6, 1.0027, 15.0)
    high = replace(table, mean_motion_rev_day=motion)
    np.testing.assert_array_equal(is_far(high, np.array([4, 5, 6, 9])), [False, False, True, False])
    assert not is_far(high[:0], np.array([4])).any()
