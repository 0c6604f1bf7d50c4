"""High orbits compared: what differs is told without regard to where the object is; an object's own past repeats."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_apart import APART, FAR_OUT, PHASE, PLACE, RATE, is_far_out
from orbwatch.learn.samples.catalog_asks import FAR, asks
from orbwatch.learn.samples.catalog_far_table import (
    FAR_COLUMNS,
    FAR_HORIZON,
    FAR_WINDOW,
    beside_unit_km,
    columns_of,
    regime_table,
)
from orbwatch.learn.samples.catalog_own_kernel import hold_rows
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES, catalog_regime
from orbwatch.learn.samples.catalog_table import HORIZON_COLUMNS, SIDEREAL_REV_DAY, WINDOW_COLUMNS
from orbwatch.learn.samples.catalog_windows import CatalogWindows, windows_of
from orbwatch.propagate.sgp4 import Sgp4Catalog

from ..wandering import wandering

DAYS = np.array([0.5, 1.0, 1.4, 3.0])
GEO = CATALOG_REGIMES.index("GEO")


def geostationary(inclination_deg: float = 0.05, eccentricity: float = 3e-4, sets: int = 60) -> GpTable:
    """One quiet object, its sets eight hours apart and all of one orbit."""
    one = wandering(objects=2, sets=sets)
    one = one[one.norad_id == one.norad_id[0]]
    full = np.ones(len(one))
    days = (one.epoch_us - one.epoch_us[0]) / DAY_US
    return replace(
        one, mean_motion_rev_day=full * SIDEREAL_REV_DAY, eccentricity=full * eccentricity, raan_deg=full * 80.0,
        inclination_deg=full * inclination_deg, arg_perigee_deg=full * 30.0, bstar_per_er=0.0 * full,
        mean_motion_dot_rev_day2=0.0 * full, mean_anomaly_deg=np.mod(10.0 + 360.0 * SIDEREAL_REV_DAY * days, 360.0),
    )  # fmt: skip


def looked(table: GpTable) -> CatalogWindows:
    ids = np.unique(table.norad_id)
    asked = asks(table, ids, np.full(len(ids), int(table.epoch_us.max() + DAY_US // 2)), FAR)
    return windows_of(table, Sgp4Catalog(table), asked, DAYS, truth=False)


def column(windows: CatalogWindows, name: str) -> np.ndarray:
    return regime_table(windows, GEO)[1][0, :, (HORIZON_COLUMNS + FAR_HORIZON).index(name)]


def test_low_orbits_are_not_looked_at_so() -> None:
    table = wandering(objects=8, sets=20)
    windows = looked(table)
    far = is_far_out(catalog_regime(windows.newest))
    assert not far.all()
    assert windows.apart is None or np.isnan(windows.apart[~far]).all()
    both = CatalogWindows.concat([windows.take(~far), looked(geostationary())])
    assert both.apart is not None
    assert both.apart.shape[2] == len(APART)
    assert np.isfinite(both.apart[-1, -1]).all()


def test_columns_have_names() -> None:
    windows = looked(geostationary())
    shared, own = regime_table(windows, GEO)
    assert shared.shape[1] == len(WINDOW_COLUMNS + FAR_WINDOW)
    assert own.shape[2] == len(HORIZON_COLUMNS + FAR_HORIZON)
    assert columns_of(GEO) == FAR_COLUMNS
    assert len(set(FAR_COLUMNS)) == len(FAR_COLUMNS)
    assert all(len(columns_of(code)) < len(FAR_COLUMNS) for code in range(6) if code not in FAR_OUT)
    assert (beside_unit_km(windows) > 0.0).all()


def test_another_plane_and_shape_show_where_the_object_will_be() -> None:
    """Older sets 0.02 deg more inclined, rounder or longer: told as the distance that it makes at each horizon."""
    table = geostationary()
    old = np.arange(len(table)) < len(table) - 1
    other = replace(
        table, inclination_deg=table.inclination_deg + 0.02 * old, eccentricity=table.eccentricity + 1e-4 * old
    )
    windows = looked(other)
    assert windows.apart is not None
    at_us = windows.asked_us[0] + (DAYS * DAY_US).astype(np.int64)
    newest = Sgp4Catalog(table[-1:]).states(at_us)
    turned = replace(table[-1:], inclination_deg=other.inclination_deg[:1], eccentricity=other.eccentricity[:1])
    like_older = Sgp4Catalog(turned).states(at_us)
    r, v = newest.r_teme_km[0], newest.v_teme_km_s[0]
    normal = np.cross(r, v)
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    apart = like_older.r_teme_km[0] - r
    outwards = (apart * r).sum(axis=1) / np.linalg.norm(r, axis=1)
    assert np.abs(outwards).max() > 2.0
    np.testing.assert_allclose(column(windows, "ecc_out_3d_1_km"), outwards, atol=0.3)
    np.testing.assert_allclose(column(windows, "ecc_out_km_0.33d"), outwards, atol=0.3)
    np.testing.assert_allclose(column(windows, "plane_normal_km_0.33d"), (apart * normal).sum(axis=1), atol=1.0)
    along = (apart * np.cross(normal, r)).sum(axis=1) / np.linalg.norm(r, axis=1)
    np.testing.assert_allclose(column(windows, "ecc_along_km_0.33d"), along, atol=0.6)
    # Freed of what goes round with the orbit, nothing is left of the timing.
    assert abs(windows.apart[0, -2, PHASE] * 3.07) < 0.4 * np.abs(along).max()


def test_what_an_object_did_before_it_is_expected_to_do_again() -> None:
    """Every set ahead of its orbit by a rate that the following sets do not show: so will the newest be."""
    rng = np.random.default_rng(5)
    age = np.arange(60)[::-1][None] / 3.0
    drift = rng.normal(0.0, 1.0, age.shape)
    drift[:, -1] = 0.0
    # The object never leaves; a set with rate r says that it will, and is wrong by -r times the days ahead.
    rate, ahead, out = drift - 2.0, np.array([[1.0, 3.0]]), np.empty((1, 2, 6))
    hold_rows(age, np.zeros_like(age), rate, drift, np.zeros_like(age), ahead, out)
    np.testing.assert_allclose(out[0, :, 0], [2.0, 6.0], rtol=0.05)
    assert (out[0, :, 4] < 0.3 * out[0, :, 3]).all()
    assert out[0, 0, 5] > out[0, 1, 5] > 40
    few = np.full((1, 2, 6), 0.0)
    hold_rows(np.where(age < 2.0, age, np.nan), np.zeros_like(age), rate, drift, np.zeros_like(age), ahead, few)
    assert np.isnan(few[..., :5]).all()


def test_numbers_are_small_between_sets_of_one_orbit() -> None:
    windows = looked(geostationary())
    assert windows.apart is not None
    recent = windows.apart[0, -20:]
    assert np.isfinite(recent).all()
    assert np.abs(recent[:, PHASE]).max() < 20.0
    assert np.abs(recent[:, RATE]).max() < 1.0
    assert np.ptp(recent[:, PLACE]) < 1e-3 * 5
