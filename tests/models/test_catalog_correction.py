"""The forecaster over a window, read at any time of it, against its own answers asked one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.models.catalog_correction import CatalogCorrection, correct_catalog
from orbwatch.models.catalog_forecast import forecast_catalog
from orbwatch.propagate.corrected import CorrectedCatalog
from orbwatch.uncertainty.covariance import EmpiricalCovariance
from orbwatch.uncertainty.forecast_covariance import ForecastCovariance

from ..learn.wandering import wandering

HISTORY = wandering(objects=30, sets=30)
ASKED_US = int(HISTORY.epoch_us.max()) + DAY_US // 2
NEWEST = HISTORY.newest()
DAY = np.array([0.11, 0.34, 0.62, 0.88])


@pytest.fixture(scope="module")
def made() -> CatalogCorrection:
    return correct_catalog(HISTORY, NEWEST, ASKED_US, 1.0, "catalog")


def test_states_between_the_samples_are_the_forecasters(made: CatalogCorrection) -> None:
    asked = forecast_catalog(HISTORY, NEWEST.norad_id, ASKED_US, DAY, "catalog")
    row = np.where(made.has, np.cumsum(made.has) - 1, -1)
    corrected = CorrectedCatalog(NEWEST, made.shift, row)
    at_us = ASKED_US + np.rint(DAY * DAY_US).astype(np.int64)
    here, plain = (catalog.states(at_us).r_teme_km for catalog in (corrected, corrected.plain()))
    truth = asked.rv_teme_km[..., :3]
    use = made.has
    assert use.sum() > 20
    left, before = (np.linalg.norm(r - truth, axis=2)[use] for r in (here, plain))
    sigma = np.sqrt(np.trace(asked.cov_rtn_km2[use], axis1=2, axis2=3))
    assert np.median(before) > 0.01
    assert np.median(left) < 0.3 * np.median(before)
    assert np.median(left / sigma) < 0.2


def test_the_covariance_has_the_calibrated_ellipsoid_of_90_percent(made: CatalogCorrection) -> None:
    asked = forecast_catalog(HISTORY, NEWEST.norad_id, ASKED_US, DAY, "catalog")
    row = np.where(made.has, np.cumsum(made.has) - 1, -1)
    model = ForecastCovariance(
        made.label, NEWEST.norad_id, row, made.spread, made.status, made.until_us, EmpiricalCovariance.load()
    )
    scaled = asked.cov_rtn_km2 * (asked.radius[..., 1] ** 2 / chi2.ppf(0.9, 3))[..., None, None]
    for k, day in enumerate(DAY):
        cov = model.cov_rtn_km2(NEWEST, np.full(len(NEWEST), ASKED_US + round(day * DAY_US)))
        assert (np.linalg.eigvalsh(cov)[:, 0] > 0.0).all()
        ratio = np.linalg.det(cov[made.has]) / np.linalg.det(scaled[made.has, k])
        assert 0.7 < np.median(ratio) ** (1.0 / 6.0) < 1.4


def test_it_says_who_has_no_forecast_and_why(made: CatalogCorrection) -> None:
    assert made.label.startswith("forecaster `catalog` of 20")
    assert "calibrated on" in made.label
    assert made.until_us == ASKED_US + DAY_US
    table = NEWEST[np.arange(3)]
    older = replace(table, epoch_us=table.epoch_us - np.array([0, 1000, 0]))
    strange = replace(older, norad_id=older.norad_id + np.array([0, 0, 1]))
    some = correct_catalog(HISTORY, strange, ASKED_US, 1.0, "catalog")
    assert some.has.tolist() == [bool(made.has[0]), False, False]
    assert some.status[1] == "not its newest public set"
    assert some.status[2] == "no set was public"
    assert some.shift.weight.shape[0] == some.has.sum()


def test_forecasts_end_where_the_calibration_does(made: CatalogCorrection) -> None:
    few = NEWEST[np.arange(2)]
    long = correct_catalog(HISTORY, few, ASKED_US, 30.0, "catalog")
    assert long.until_us == ASKED_US + round(7.5 * DAY_US)
    # A short window is sampled over a day all the same: waves need it.
    short = correct_catalog(HISTORY, few, ASKED_US, 0.05, "catalog")
    assert short.until_us == made.until_us


def test_a_model_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError):
        correct_catalog(HISTORY, NEWEST, ASKED_US, 1.0, "no-such-model")
