"""Asking again: only what was public, and truths counted from when they were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.models.catalog_coverage import HORIZON_DAY, Matured, daily_us, look_back
from orbwatch.models.catalog_forecast import forecast_catalog
from orbwatch.models.catalog_runtime import CatalogForecaster

from ..learn.wandering import LAG_US, wandering

TABLE = wandering(objects=12, sets=90)
IDS = np.unique(TABLE.norad_id)
NOW_US = int(TABLE.epoch_us.max())


@pytest.fixture(scope="module")
def forecaster() -> CatalogForecaster:
    return CatalogForecaster.load("catalog")


def back(forecaster: CatalogForecaster, table: GpTable = TABLE, days: int = 12) -> Matured:
    return look_back(table, IDS, daily_us(NOW_US, days), forecaster)


def test_every_asking_is_that_of_a_forecast(forecaster: CatalogForecaster) -> None:
    found = back(forecaster)
    assert len(found) == 12 * len(IDS)
    assert set(((NOW_US - found.asked_us) // DAY_US).tolist()) == set(range(1, 13))
    at_us = int(NOW_US - 5 * DAY_US)
    made = forecast_catalog(TABLE, IDS, at_us, HORIZON_DAY, "catalog")
    mine = found.asked_us == at_us
    np.testing.assert_array_equal(found.norad_id[mine], IDS)
    np.testing.assert_array_equal(found.group[mine], made.group)
    np.testing.assert_allclose(found.radius[mine], made.radius, rtol=1e-6)
    sigma = np.sqrt(np.diagonal(made.cov_rtn_km2, axis1=2, axis2=3))
    np.testing.assert_allclose(found.sigma_km[mine], sigma, rtol=1e-5)


def test_a_truth_is_public_after_the_forecasts_time(forecaster: CatalogForecaster) -> None:
    found = back(forecaster)
    known = ~np.isnan(found.distance)
    at_us = found.asked_us[:, None] + (HORIZON_DAY * DAY_US).astype(np.int64)
    delay = (found.public_us - at_us)[known]
    assert delay.min() >= LAG_US - 0.3 * DAY_US
    assert delay.max() <= LAG_US + 0.3 * DAY_US
    assert (found.public_us[~known] == 0).all()
    # The last day's forecast of seven days has met nothing yet.
    assert np.isnan(found.distance[found.asked_us == NOW_US - DAY_US, -1]).all()
    assert np.isnan(found.ratio()[~known]).all()


def test_what_came_later_changes_no_earlier_truth(forecaster: CatalogForecaster) -> None:
    until_us = NOW_US - 4 * DAY_US
    whole, cut = back(forecaster), back(forecaster, TABLE[TABLE.seen_us <= until_us])
    both = np.isin(whole.asked_us * 1000 + whole.norad_id % 1000, cut.asked_us * 1000 + cut.norad_id % 1000)
    early = (cut.public_us > 0) & (whole.public_us[both] == cut.public_us)
    assert early.sum() > 100
    np.testing.assert_array_equal(whole.distance[both][early], cut.distance[early])


def test_objects_in_words_old_sets_and_none(forecaster: CatalogForecaster) -> None:
    def kind(windows: CatalogWindows) -> np.ndarray:
        return np.where(windows.newest.norad_id == IDS[0], "first", "other")

    found = look_back(TABLE, IDS, daily_us(NOW_US, 3), forecaster, classify=kind)
    assert (found.kind[found.norad_id == IDS[0]] == "first").all()
    late = look_back(TABLE, IDS, np.array([NOW_US + 40 * DAY_US]), forecaster)
    assert len(late) == 0
    assert late.ratio().shape == (0, len(HORIZON_DAY), 3)
    assert len(look_back(TABLE[:0], IDS, daily_us(NOW_US, 3), forecaster)) == 0
    broken = replace(TABLE, eccentricity=np.where(TABLE.norad_id == IDS[2], 0.9999, TABLE.eccentricity))
    assert IDS[2] not in back(forecaster, broken, 3).norad_id


def test_a_model_without_regions(forecaster: CatalogForecaster) -> None:
    bare = CatalogForecaster(forecaster.folder, forecaster.card, forecaster.members, None)
    with pytest.raises(InputError, match="not been calibrated"):
        back(bare)
