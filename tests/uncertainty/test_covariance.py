from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.uncertainty.covariance import REGIMES, CovarianceModel, EmpiricalCovariance, regime_of

EPOCH_US = 1_780_000_000_000_000

# rev/day, eccentricity, inclination, name -> regime
CASES = [
    (15.70, 0.0005, 51.6, "ISS (ZARYA)", "leo-below-400"),
    (15.20, 0.0010, 97.5, "FLOCK", "leo-400-600"),
    (14.40, 0.0060, 98.9, "FENGYUN 1C DEB", "leo-600-900"),
    (13.15, 0.0002, 87.9, "ONEWEB-0012", "leo-900-2000"),
    (15.06, 0.0001, 53.05, "STARLINK-1007", "leo-maneuvering"),
    (15.06, 0.0001, 53.05, "", "leo-maneuvering"),
    (15.06, 0.0001, 64.0, "", "leo-400-600"),
    (15.50, 0.0003, 53.05, "STARLINK-30001", "leo-raising"),
    (2.0057, 0.0050, 55.0, "NAVSTAR 80", "meo"),
    (1.0027, 0.0002, 0.05, "INTELSAT 901", "geo"),
    (2.2600, 0.7300, 27.0, "ARIANE 5 R/B", "eccentric"),
    (0.0, 0.0, 0.0, "BROKEN", "leo-900-2000"),
]


def table(n: int | None = None) -> GpTable:
    cases = CASES[:n]
    return GpTable.from_columns(
        {
            "norad_id": np.arange(len(cases)),
            "epoch_us": np.full(len(cases), EPOCH_US),
            "mean_motion_rev_day": [case[0] for case in cases],
            "eccentricity": [case[1] for case in cases],
            "inclination_deg": [case[2] for case in cases],
            "raan_deg": np.zeros(len(cases)),
            "arg_perigee_deg": np.zeros(len(cases)),
            "mean_anomaly_deg": np.zeros(len(cases)),
            "name": [case[3] for case in cases],
        }
    )


def at(days: float, n: int = len(CASES)) -> np.ndarray:
    return np.full(n, EPOCH_US + round(days * DAY_US))


def test_regimes() -> None:
    found = regime_of(table())
    assert found[:-1].tolist() == [case[4] for case in CASES[:-1]]
    assert set(found.tolist()) <= set(REGIMES)


def small() -> EmpiricalCovariance:
    variance = np.ones((len(REGIMES), 3, 3)) * np.array([1.0, 4.0, 16.0])[:, None]
    correlation = np.full((len(REGIMES), 3), -0.5)
    return EmpiricalCovariance("small", np.array([0.1, 1.0, 2.0]), variance, correlation)


def test_caution_without_measured_coverage_is_the_floor_alone() -> None:
    part = {"variance_rtn_km2": [[1.0, 4.0, 1.0]], "correlation_rt": [0.0]}
    document = {"label": "new", "age_day": [1.0], "regimes": dict.fromkeys(REGIMES, part)}
    assert EmpiricalCovariance.from_document(document).caution == small().caution
    assert "ellipsoids" not in small().caution


def test_interpolates_in_log_age_and_flags_what_lies_beyond() -> None:
    model = small()
    sky = table(1)
    sigma2 = [
        model.cov_rtn_km2(sky, at(days, 1))[0, 0, 0] for days in (0.0, 0.05, 0.1, 10.0**-0.5, 1.0, -1.0, 2.0, 4.0)
    ]
    assert sigma2 == pytest.approx([1.0, 1.0, 1.0, 2.0, 4.0, 4.0, 16.0, 64.0])
    assert model.looked(sky, at(2.0, 1)).extrapolated.tolist() == [False]
    looked = model.looked(sky, at(-2.5, 1))
    assert looked.extrapolated.tolist() == [True]
    assert looked.age_day.tolist() == [2.5]
    assert model.cov_rtn_km2(sky, at(3.0, 1))[0, 0, 1] == pytest.approx(
        -0.5 * model.cov_rtn_km2(sky, at(3.0, 1))[0, 0, 0]
    )


def test_packaged_table_is_sane() -> None:
    model: CovarianceModel = EmpiricalCovariance.load()
    assert re.fullmatch(r"empirical set-to-set 2026 \(regime x age\), table [0-9a-f]{8}", model.label)
    assert "a floor on the real error" in model.caution
    assert "90 % ellipsoids held 78 % (median of regimes and ages; 38 % at worst)" in model.caution
    day, week = model.cov_rtn_km2(table(), at(1.0)), model.cov_rtn_km2(table(), at(7.0))
    sigma_km = np.sqrt(np.diagonal(day, axis1=1, axis2=2))
    quiet = [i for i, case in enumerate(CASES) if case[4] in ("leo-400-600", "leo-600-900", "leo-900-2000", "meo")]
    assert sigma_km[quiet].min() > 0.005
    assert sigma_km[quiet].max() < 5.0
    assert (np.diagonal(week, axis1=1, axis2=2) >= np.diagonal(day, axis1=1, axis2=2)).all()
    transverse, radial = sigma_km[:4, 1], sigma_km[:4, 0]
    assert (transverse > radial).all()


@given(st.floats(-60.0, 60.0))
def test_positive_definite_symmetric_and_even_in_age(days: float) -> None:
    model = EmpiricalCovariance.load()
    cov = model.cov_rtn_km2(table(), at(days))
    assert np.array_equal(cov, cov.transpose(0, 2, 1))
    assert (np.linalg.eigvalsh(cov)[:, 0] > 0.0).all()
    assert np.array_equal(cov, model.cov_rtn_km2(table(), at(-days)))
