"""Sizes of ellipsoids against those of the empirical covariance: both hold the same share of the truths."""

from __future__ import annotations

import numpy as np
import pytest
from jaxtyping import Bool, Float
from scipy.stats import chi2

from orbwatch.constants import DAY_US
from orbwatch.frames import rtn_matrix
from orbwatch.learn.judging import catalog_sharpness
from orbwatch.learn.judging.catalog_packing import truth_km
from orbwatch.learn.judging.catalog_sharpness import LEAST, SHARPNESS, sharpness
from orbwatch.learn.judging.metrics import rows_of
from orbwatch.learn.samples.catalog_asks import asks
from orbwatch.learn.samples.catalog_windows import CatalogWindows, windows_of
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.uncertainty.covariance import EmpiricalCovariance
from orbwatch.uncertainty.gaussian import GaussianForecast, Regions

from ..wandering import wandering

TABLE = wandering(objects=10, sets=80)
DAYS = np.array([1.0, 3.0])


@pytest.fixture(scope="module")
def windows() -> CatalogWindows:
    ids = np.unique(TABLE.norad_id)
    at_us = int(TABLE.epoch_us.min()) + np.arange(15, 25) * DAY_US
    asked = asks(TABLE, np.repeat(ids, len(at_us)), np.tile(at_us, len(ids)))
    return windows_of(TABLE, Sgp4Catalog(TABLE), asked, DAYS, truth=True)


def by_table(windows: CatalogWindows, rank: int) -> tuple[Regions, Bool[np.ndarray, "n h"], Float[np.ndarray, " h"]]:
    """Ellipsoids of the empirical table, at each horizon as large as the `rank` nearest truths need."""
    at_us = windows.asked_us[:, None] + (windows.horizon_day * DAY_US).astype(np.int64)
    cov = np.stack([EmpiricalCovariance.load().cov_rtn_km2(windows.newest, column) for column in at_us.T], axis=1)
    rv = windows.rv_teme_km
    away = np.einsum("nhij,nhj->nhi", rtn_matrix(rv[..., :3], rv[..., 3:]), truth_km(windows) - rv[..., :3])
    distance = GaussianForecast(np.zeros_like(away), cov).mahalanobis(away)
    radius = np.sort(distance, axis=0)[rank - 1]
    made = Regions(np.zeros_like(away), cov, np.broadcast_to(radius, distance.shape), 0.9)
    return made, distance <= radius, radius


def test_the_table_is_as_large_as_itself(windows: CatalogWindows) -> None:
    regions, inside, radius = by_table(windows, 60)
    half = Regions(regions.center_rtn_km, regions.shape_rtn_km2, regions.radius / 2.0, 0.9)
    same, small = (rows_of(sharpness(windows, each, inside, {}), group="all") for each in (regions, half))
    known = np.isfinite(truth_km(windows)).all(axis=2)
    assert [row["day"] for row in same] == DAYS.tolist()
    assert [row["truths"] for row in same] == known.sum(axis=0).tolist()
    for at, (row, other) in enumerate(zip(same, small, strict=True)):
        assert set(row) == set(SHARPNESS)
        assert row["volume_ratio"] == pytest.approx(1.0)
        assert other["volume_ratio"] == pytest.approx(1.0 / 8.0)
        assert row["empirical_factor"] == pytest.approx(radius[at] / np.sqrt(chi2.ppf(0.9, 3)))
        assert row["axis_90_km"] == pytest.approx(row["empirical_axis_km"])


def test_unbounded_ellipsoids_are_large(windows: CatalogWindows) -> None:
    regions, inside, _ = by_table(windows, 60)
    open_ = Regions(regions.center_rtn_km, regions.shape_rtn_km2, np.full(inside.shape, np.inf), 0.9)
    held = np.isfinite(truth_km(windows)).all(axis=2)
    for row in rows_of(sharpness(windows, open_, held, {}), group="all"):
        assert row["inside_90"] == 1.0
        assert row["volume_ratio"] == np.inf


def test_names_tell_the_table_who_thrusts(windows: CatalogWindows) -> None:
    regions, inside, _ = by_table(windows, 60)
    starlinks = {one: f"STARLINK-{one}" for one in np.unique(windows.newest.norad_id).tolist()}
    plain, named = (rows_of(sharpness(windows, regions, inside, each), group="all") for each in ({}, starlinks))
    assert all(
        mine["empirical_inside_90"] >= other["empirical_inside_90"] for mine, other in zip(named, plain, strict=True)
    )
    assert all(mine["empirical_factor"] < other["empirical_factor"] for mine, other in zip(named, plain, strict=True))


def test_groups_with_few_truths_are_left_out(windows: CatalogWindows, monkeypatch: pytest.MonkeyPatch) -> None:
    regions, inside, _ = by_table(windows, 60)
    assert min(sharpness(windows, regions, inside, {})["truths"]) >= LEAST
    monkeypatch.setattr(catalog_sharpness, "LEAST", 10_000)
    assert not sharpness(windows, regions, inside, {})["group"]
