"""Windows of the catalogue's regime against the sgp4 library, and blind to what was not yet known."""

from __future__ import annotations

import numpy as np
import pytest
from sgp4.api import WGS72, Satrec

from orbwatch.catalog.gp import COLUMNS, GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_asks import FAR, NEAR, asks, public_us
from orbwatch.learn.samples.catalog_features import FEATURES, FOLLOWED, QUERY, TOKENS, catalog_inputs
from orbwatch.learn.samples.catalog_windows import NODES_DAY, CatalogWindows, windows_of
from orbwatch.propagate.curvilinear import shift_of
from orbwatch.propagate.sgp4 import Sgp4Catalog

from ..wandering import wandering


def looked(table: GpTable, day: float, truth: bool = True) -> CatalogWindows:
    ids = np.unique(table.norad_id)
    asked = asks(table, ids, np.full(len(ids), int(table.epoch_us.min() + day * DAY_US)))
    return windows_of(table, Sgp4Catalog(table), asked, NODES_DAY[:8], truth)


def _library(table: GpTable, row: int, at_us: int) -> np.ndarray:
    satrec = Satrec()
    angle = np.pi / 180.0
    satrec.sgp4init(
        WGS72, "i", 1, table.epoch_us[row] / DAY_US + 7305.0, table.bstar_per_er[row], 0.0, 0.0,
        table.eccentricity[row], table.arg_perigee_deg[row] * angle, table.inclination_deg[row] * angle,
        table.mean_anomaly_deg[row] * angle, table.mean_motion_rev_day[row] * 2.0 * np.pi / 1440.0,
        table.raan_deg[row] * angle,
    )  # fmt: skip
    status, r, v = satrec.sgp4_tsince((at_us - table.epoch_us[row]) / 6e7)
    assert status == 0
    return np.array([*r, *v])


def test_shifts_are_those_of_the_library() -> None:
    table = wandering()
    windows = looked(table, 7.0)
    ids = np.unique(table.norad_id)
    for who, norad_id in enumerate(ids):
        rows = np.flatnonzero((table.norad_id == norad_id) & (public_us(table) <= windows.asked_us[who]))
        newest, older = rows[-1], rows[-5]
        np.testing.assert_array_equal(windows.newest.epoch_us[who], table.epoch_us[newest])
        expected = shift_of(
            _library(table, newest, table.epoch_us[older])[None],
            _library(table, older, table.epoch_us[older])[None, :3],
        )[0]
        np.testing.assert_allclose(windows.shift[who, -5], expected, atol=1e-5)
        assert windows.age_day[who, -5] == pytest.approx(4.0 / 3.0)
        np.testing.assert_allclose(windows.shift[who, -1], 0.0, atol=1e-9)
        at_us = int(windows.asked_us[who] + round(NODES_DAY[3] * DAY_US))
        later = rows[-1] + 1 + np.abs(table.epoch_us[rows[-1] + 1 : rows[0] + 30] - at_us).argmin()
        assert windows.truth_shift is not None
        expected = shift_of(_library(table, newest, at_us)[None], _library(table, later, at_us)[None, :3])[0]
        np.testing.assert_allclose(windows.truth_shift[who, 3], expected, atol=1e-5)


def test_what_was_not_public_changes_nothing() -> None:
    table = wandering()
    whole = looked(table, 7.0, truth=False)
    asked_us = int(whole.asked_us[0])
    known = table[public_us(table) <= asked_us]
    cut = looked(known, 7.0, truth=False)
    for name in ("age_day", "shift", "elements"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(cut, name))
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(whole.newest, name), getattr(cut.newest, name))


def test_features_are_finite_and_named() -> None:
    windows = looked(wandering(objects=40), 8.0)
    found = catalog_inputs(windows)
    n = len(windows)
    assert found.x.shape == (n, TOKENS, len(FEATURES))
    assert len(FEATURES) == 24
    assert found.query.shape == (n, 8, len(QUERY))
    assert found.trend.shape == (n, 8, len(FOLLOWED))
    for each in (found.x, found.query, found.trend, found.scale):
        assert np.isfinite(each).all()
    assert found.valid.all()
    spread = np.ptp(found.x.reshape(-1, len(FEATURES)), axis=0)
    names = [f.name for f, s in zip(FEATURES, spread, strict=True) if s == 0.0]
    assert set(names) <= {"count", "lag"}, "constant here by construction, and only those"
    assert (np.diff(found.scale[..., 1], axis=1) >= 0.0).all(), "errors grow with the horizon"


def test_one_set_alone_has_a_wide_scale() -> None:
    table = wandering(objects=6, sets=1)
    found = catalog_inputs(looked(table, 0.5, truth=False))
    assert found.valid.sum() == len(table)
    assert np.isfinite(found.x).all()
    assert np.isfinite(found.query).all()
    assert (found.trend == 0.0).all()
    assert found.target is None


def test_take_keeps_rows_together() -> None:
    windows = looked(wandering(), 7.0)
    some = windows.take(np.array([3, 1]))
    assert len(some) == 2
    np.testing.assert_array_equal(some.shift[0], windows.shift[3])
    np.testing.assert_array_equal(some.newest.norad_id, windows.newest.norad_id[[3, 1]])
    assert windows.shift.shape[1] == NEAR.most


def test_what_lies_further_back_changes_no_feature_of_the_network() -> None:
    table = wandering(objects=6, sets=100)
    ids = np.unique(table.norad_id)
    at_us = np.full(len(ids), int(table.epoch_us.max() + DAY_US))
    near, far = (
        windows_of(table, Sgp4Catalog(table), asks(table, ids, at_us, reach), NODES_DAY[:4], truth=False)
        for reach in (NEAR, FAR)
    )
    assert np.isfinite(far.age_day).sum() > np.isfinite(near.age_day).sum()
    one, other = catalog_inputs(near), catalog_inputs(far)
    np.testing.assert_array_equal(one.query, other.query)
    np.testing.assert_array_equal(one.x, other.x)
    both = CatalogWindows.concat([near, far])
    assert both.age_day.shape == (12, FAR.most)
    np.testing.assert_array_equal(both.near().shift[:6], near.shift)
