"""The forecaster's covariance where there is a forecast, the empirical one elsewhere, and each says which."""

from __future__ import annotations

import numpy as np

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.propagate.along_orbit import AlongOrbit, sample_days
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.simulate.population import population
from orbwatch.uncertainty.covariance import CovarianceModel, EmpiricalCovariance
from orbwatch.uncertainty.forecast_covariance import ForecastCovariance
from orbwatch.uncertainty.matrix_log import log_of

TABLE: GpTable = population(1, 200)[::40]
OTHER = EmpiricalCovariance.load()
START_US = int(TABLE.epoch_us.max()) + DAY_US // 2
COV = np.diag([0.01, 4.0, 0.02]) + 0.05 * (np.eye(3)[[1, 0, 2]] - np.diag([0.0, 0.0, 1.0]))
STATUS = np.array(["ok", "restless: maneuvers or bad sets", "ok", "newest set older than 30 days", "ok"])


def model() -> ForecastCovariance:
    day = sample_days(1.0)
    rows = np.flatnonzero(STATUS[3] != STATUS)
    found = Sgp4Catalog.from_gp(TABLE[rows]).states(START_US + np.rint(day * DAY_US).astype(np.int64))
    rv = np.concatenate([found.r_teme_km, found.v_teme_km_s], axis=2)
    grown = log_of(COV) + np.log(1.0 + day)[None, :, None] * np.array([1.0, 0.0, 0.0, 1.0, 0.0, 1.0])
    spread = AlongOrbit.fit(START_US, 1.0, day, rv, np.broadcast_to(grown, (len(rows), *grown.shape[1:])))
    row = np.full(len(TABLE), -1)
    row[rows] = np.arange(len(rows))
    return ForecastCovariance("forecaster x", TABLE.norad_id, row, spread, STATUS, START_US + DAY_US, OTHER)


def test_each_object_has_its_own_source() -> None:
    made: CovarianceModel = model()
    assert isinstance(made, CovarianceModel)
    at_us = np.full(len(TABLE), START_US + DAY_US // 4)
    at_us[4] = START_US + 2 * DAY_US
    cov, other = made.cov_rtn_km2(TABLE, at_us), OTHER.cov_rtn_km2(TABLE, at_us)
    for i in (0, 1, 2):
        np.testing.assert_allclose(cov[i], 1.25 * COV, rtol=0.02, atol=1e-4)
    np.testing.assert_array_equal(cov[3:], other[3:])
    sources = made.sources(TABLE, at_us)
    assert sources[0].startswith("forecaster x, from a set ")
    assert sources[0].endswith(" d old")
    assert sources[1].endswith("d old; restless: maneuvers or bad sets")
    assert sources[3] == f"{OTHER.label} (no forecast: newest set older than 30 days)"
    assert sources[4] == f"{OTHER.label} (beyond the forecasts)"
    flags = made.flags(TABLE, at_us)
    assert flags["no_forecast"].tolist() == [False, False, False, True, True]
    assert flags["forecast_doubtful"].tolist() == [False, True, False, False, False]
    assert "forecaster x" in made.label
    assert OTHER.caution in made.caution


def test_rows_in_any_order_and_strangers() -> None:
    made = model()
    stranger = GpTable.from_rows([{**TABLE.row(0), "norad_id": 999_999_999}])
    table = GpTable.concat([TABLE[np.array([2, 0])], stranger])
    at_us = np.full(3, START_US + 1000)
    cov = made.cov_rtn_km2(table, at_us)
    np.testing.assert_allclose(cov[:2], made.cov_rtn_km2(TABLE, np.full(5, START_US + 1000))[[2, 0]], rtol=1e-9)
    assert made.sources(table, at_us)[2].endswith("(no forecast: not in the history)")
    assert made.flags(table, at_us)["covariance_extrapolated"].tolist() == [False, False, False]
