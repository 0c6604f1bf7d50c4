"""Ephemerides of forecasts: through the forecasts, fit to be interpolated, with covariances that are covariances."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orbwatch.catalog.oem import read_oem, write_oem
from orbwatch.constants import DAY_US, WGS72_MU_KM3_S2
from orbwatch.frames import gcrf_to_teme, rtn_matrix
from orbwatch.models.catalog_ephemeris import THREE_AXES_90, ephemeris, step_minutes, with_velocity
from orbwatch.models.catalog_forecast import forecast_catalog
from orbwatch.models.catalog_inertial import inertial_columns, states_in
from orbwatch.propagate.curvilinear import shifted
from orbwatch.time import us_to_jd

from .catalog_packaged import MODEL, history, nodes, path

TABLE, ASKED_US = history()


@pytest.mark.parametrize("i", [0, 1, 3])
def test_it_follows_the_forecasts_and_can_be_interpolated(i: int) -> None:
    made = path(i)
    oem = ephemeris(TABLE, made, 3.0, frame="teme")
    assert oem is not None
    part = oem.segments[0]
    inside = (made.horizon_day > 0.2) & (made.horizon_day < 2.9)
    at_us = ASKED_US + np.rint(made.horizon_day[inside] * DAY_US).astype(np.int64)
    r, v = part.states_at(at_us)
    off = np.linalg.norm(r - made.rv_teme_km[0, inside, :3], axis=1)
    sigma = np.sqrt(np.trace(made.cov_rtn_km2[0, inside], axis1=1, axis2=2))
    assert np.quantile(off / sigma, 0.9) < 0.3
    # These sets wander a lot: the correction itself moves by some m/s.
    np.testing.assert_allclose(v, made.rv_teme_km[0, inside, 3:], atol=0.1)
    half = replace(part, times_us=part.times_us[::2], r_km=part.r_km[::2], v_km_s=part.v_km_s[::2])
    between, _ = half.states_at(part.times_us[5:-5])
    np.testing.assert_allclose(between, part.r_km[5:-5], atol=0.02)


def test_the_90_percent_ellipsoid_is_the_calibrated_one() -> None:
    made = replace(path(1), radius=np.broadcast_to([1.3, 3.1, 9.0], path(1).radius.shape))
    oem = ephemeris(TABLE, made, 3.0)
    assert oem is not None
    cov = oem.segments[0].covariances
    assert {one.ref_frame for one in cov} == {"RTN"}
    checked = 0
    for one in cov:
        assert np.linalg.eigvalsh(one.cov_km2)[0] > -1e-12
        day = (one.epoch_us - ASKED_US) / DAY_US
        near = int(np.abs(made.horizon_day - day).argmin())
        if abs(made.horizon_day[near] - day) < 1e-6:
            expected = made.cov_rtn_km2[0, near] * (3.1 / THREE_AXES_90) ** 2
            np.testing.assert_allclose(np.diag(one.cov_km2)[:3], np.diag(expected), rtol=0.05)
            checked += 1
    assert checked == 0 or checked > 5
    text = " ".join(oem.segments[0].comments)
    assert "50 % ellipsoid is 1.05 sigma" in text
    assert "not measured" in text


def test_without_calibration_there_is_no_covariance_and_without_states_no_message() -> None:
    made = path(0)
    open_ = ephemeris(TABLE, replace(made, radius=np.full_like(made.radius, np.inf)), 1.0)
    assert open_ is not None
    assert not open_.segments[0].covariances
    assert "No covariance" in open_.segments[0].comments[-1]
    assert ephemeris(TABLE, replace(made, rv_teme_km=np.full_like(made.rv_teme_km, np.nan)), 1.0) is None
    rv = made.rv_teme_km.copy()
    rv[0, 40:] = np.nan
    short = ephemeris(TABLE, replace(made, rv_teme_km=rv), 3.0)
    assert short is not None
    assert (short.segments[0].times_us[-1] - ASKED_US) / DAY_US <= made.horizon_day[39]


def test_a_time_shift_moves_the_velocity_by_the_acceleration() -> None:
    """Along-track errors of an eccentric orbit, against states moved along it."""
    rv = nodes().rv_teme_km[:3, 4]
    shift_s = 0.5
    moved = shifted(rv, np.tile([shift_s, 0.0, 0.0], (3, 1)))
    axes = rtn_matrix(rv[:, :3], rv[:, 3:])
    d = np.einsum("nij,nj->ni", axes, moved[:, :3] - rv[:, :3])
    dv = np.einsum("nij,nj->ni", axes, moved[:, 3:] - rv[:, 3:])
    found = with_velocity(rv, d[:, :, None] * d[:, None, :])
    np.testing.assert_allclose(found[:, 3, 1], dv[:, 0] * d[:, 1], rtol=2e-3)
    np.testing.assert_allclose(np.sqrt(found[:, 3, 3]), np.abs(dv[:, 0]), rtol=2e-3)


def test_a_distance_outwards_costs_speed_at_the_same_energy() -> None:
    r_km = 7000.0
    speed = float(np.sqrt(WGS72_MU_KM3_S2 / r_km))
    rv = np.array([[r_km, 0.0, 0.0, 0.0, speed, 0.0]])
    cov = np.zeros((1, 3, 3))
    cov[0, 0, 0], cov[0, 2, 2] = 0.01, 0.04
    found = with_velocity(rv, cov)[0]
    rate = speed / r_km
    np.testing.assert_allclose(found[0, 4], -rate * 0.01, rtol=1e-9)
    np.testing.assert_allclose(np.diag(found)[3:], rate**2 * np.array([0.01, 0.01, 0.04]), rtol=1e-9)


def test_steps_are_short_where_the_orbit_is_fast() -> None:
    newest = TABLE[:1]
    round_ = replace(newest, mean_motion_rev_day=np.array([2.0]), eccentricity=np.array([0.0]))
    assert step_minutes(round_) == 30
    assert step_minutes(replace(round_, eccentricity=np.array([0.72]))) == 3


@pytest.mark.skipif(importlib.util.find_spec("brahe") is None, reason="brahe, a peer, is not installed")
@pytest.mark.parametrize("format_", ["kvn", "xml"])
def test_brahe_reads_it(format_: str, tmp_path: Path) -> None:
    from brahe.ccsds import OEM

    oem = ephemeris(TABLE, path(2), 1.0, name="THING Ä 2")
    assert oem is not None
    ours = oem.segments[0]
    file = tmp_path / "forecast.oem"
    file.write_text(write_oem(oem, format_))
    theirs = OEM.from_file(str(file)).segments[0]
    assert theirs.object_name == "THING 2"
    assert theirs.ref_frame == "EME2000"
    assert theirs.num_states == len(ours)
    assert theirs.num_covariances == len(ours.covariances)
    np.testing.assert_allclose(np.array(theirs.states[3].position) / 1000.0, ours.r_km[3], rtol=1e-12)
    back = read_oem(file).segments[0]
    np.testing.assert_array_equal(back.covariances[1].cov_km2, ours.covariances[1].cov_km2)


def test_inertial_columns_turn_states_and_covariances() -> None:
    made = forecast_catalog(TABLE, np.unique(TABLE.norad_id)[:2], ASKED_US, np.array([0.5, 2.0]), MODEL)
    columns = inertial_columns(made, "gcrf")
    r = np.stack([columns[f"{axis}_gcrf_km"] for axis in "xyz"], axis=1)
    v = np.stack([columns[f"v{axis}_gcrf_km_s"] for axis in "xyz"], axis=1)
    at_us = np.tile(ASKED_US + (np.array([0.5, 2.0]) * DAY_US).astype(np.int64), 2)
    back, _ = gcrf_to_teme(r, v, *us_to_jd(at_us))
    np.testing.assert_allclose(back, made.rv_teme_km[..., :3].reshape(-1, 3), atol=1e-6)
    trace = sum(columns[f"cov_{axis}{axis}_gcrf_km2"] for axis in "xyz")
    np.testing.assert_allclose(trace, np.trace(made.cov_rtn_km2, axis1=2, axis2=3).ravel(), rtol=1e-9)
    # The variance along the velocity is that along the track.
    cov = np.zeros((4, 3, 3))
    for name, (i, j) in {"xx": (0, 0), "xy": (0, 1), "xz": (0, 2), "yy": (1, 1), "yz": (1, 2), "zz": (2, 2)}.items():
        cov[:, i, j] = cov[:, j, i] = columns[f"cov_{name}_gcrf_km2"]
    along = rtn_matrix(r, v)[:, 1]
    found = np.einsum("ni,nij,nj->n", along, cov, along)
    np.testing.assert_allclose(found, made.cov_rtn_km2[..., 1, 1].ravel(), rtol=1e-6)
    assert "x_teme_km" not in inertial_columns(made, "teme")
    assert states_in("teme", made.rv_teme_km, np.zeros((2, 2), np.int64)) is made.rv_teme_km
