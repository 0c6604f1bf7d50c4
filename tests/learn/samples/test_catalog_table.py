"""The trees' view of the past: names fit columns, means are means, the slot is where the object was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_asks import FAR, asks
from orbwatch.learn.samples.catalog_table import (
    COLUMNS,
    HORIZON_COLUMNS,
    SIDEREAL_REV_DAY,
    WINDOW_COLUMNS,
    rows_of,
    timing_table,
    timing_unit_s,
)
from orbwatch.learn.samples.catalog_windows import NODES_DAY, CatalogWindows, windows_of
from orbwatch.learn.samples.crowds import CROWD, LOW_CROWD, crowd_weight, crowded_shells
from orbwatch.propagate.sgp4 import Sgp4Catalog

from ..wandering import wandering

TABLE = wandering(objects=8, sets=60)


def looked() -> CatalogWindows:
    ids = np.unique(TABLE.norad_id)
    asked = asks(TABLE, ids, np.full(len(ids), int(TABLE.epoch_us.max() + DAY_US)), FAR)
    return windows_of(TABLE, Sgp4Catalog(TABLE), asked, NODES_DAY[:4], truth=False)


def test_columns_have_names_and_horizons_of_a_window_stay_together() -> None:
    windows = looked()
    per_window, per_horizon = timing_table(windows)
    assert per_window.shape[1] == len(WINDOW_COLUMNS)
    assert per_horizon.shape[2] == len(HORIZON_COLUMNS)
    assert len(set(COLUMNS)) == len(COLUMNS)
    rows = rows_of(per_window, per_horizon)
    np.testing.assert_array_equal(rows[5, : len(WINDOW_COLUMNS)], per_window[1])
    np.testing.assert_allclose(rows[5, COLUMNS.index("ahead_day")], windows.ahead_day[1, 1], rtol=1e-6)
    assert (timing_unit_s(windows) > 0.0).all()


def test_the_past_at_an_age_is_what_the_sets_near_it_say() -> None:
    windows = looked()
    per_window, _ = timing_table(windows)
    shift = windows.shift[0, :, 0]
    for age in (1.0, 7.0):
        near = np.abs(windows.age_day[0] - age) < 0.4 + 0.1 * age
        value = per_window[0, WINDOW_COLUMNS.index(f"shift_s_{age:g}d")]
        assert shift[near].min() - 1e-6 <= value <= shift[near].max() + 1e-6
    assert np.isnan(per_window[0, WINDOW_COLUMNS.index("shift_s_44d")])


def test_a_kept_slot_is_seen_and_others_have_none() -> None:
    windows = looked()
    n, k = windows.age_day.shape
    drift = 0.001
    newest = replace(windows.newest, mean_motion_rev_day=np.full(n, SIDEREAL_REV_DAY + drift),
                     eccentricity=np.full(n, 1e-4))  # fmt: skip
    # Kept at one place: run back, the newest set's drift leaves all older sets ahead by as much as it drifts.
    late_s = drift / SIDEREAL_REV_DAY * 86400.0 * windows.age_day
    shift = np.stack([late_s, np.zeros((n, k)), np.zeros((n, k))], axis=2)
    elements = windows.elements.copy()
    elements[..., 0] = np.where(np.isfinite(windows.age_day), SIDEREAL_REV_DAY, np.nan)
    kept = timing_table(replace(windows, newest=newest, shift=shift, elements=elements))[0]
    place = kept[:, [WINDOW_COLUMNS.index(f"slot_deg_{age}d") for age in (1, 7, 14)]]
    np.testing.assert_allclose(place, 0.0, atol=1e-4)
    np.testing.assert_allclose(kept[:, WINDOW_COLUMNS.index("drift_rev_day")], drift, rtol=1e-4)
    low = np.flatnonzero(windows.newest.mean_motion_rev_day > 2.0)
    assert np.isnan(timing_table(windows)[0][low][:, WINDOW_COLUMNS.index("slot_deg_1d")]).all()


def test_one_set_alone_is_a_row_of_unknowns() -> None:
    windows = looked()
    alone = replace(windows, age_day=np.where(np.arange(FAR.most) == FAR.most - 1, windows.age_day, np.nan),
                    shift=np.where((np.arange(FAR.most) == FAR.most - 1)[:, None], windows.shift, np.nan))  # fmt: skip
    per_window, per_horizon = timing_table(alone)
    assert np.isnan(per_window[:, WINDOW_COLUMNS.index("shift_s_1d")]).all()
    assert (per_window[:, WINDOW_COLUMNS.index("count")] == 0).all()
    assert np.isfinite(per_horizon).all()


def test_constellations_are_seen_by_their_orbits() -> None:
    for high, enough in ((True, CROWD), (False, LOW_CROWD)):
        motion = np.full(enough, 13.0 if high else 15.2)
        many = replace(TABLE[np.zeros(enough, np.int64)], norad_id=np.arange(enough), mean_motion_rev_day=motion)
        assert len(crowded_shells(many)) == 1
        assert len(crowded_shells(many[: enough - 1])) == 0
        np.testing.assert_allclose(crowd_weight(many), 1.0 / np.sqrt(enough))
