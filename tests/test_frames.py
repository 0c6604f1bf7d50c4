from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import erfa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from orbwatch import frames
from orbwatch.constants import ARCSEC_RAD
from orbwatch.time import Eop, parse_utc, us_to_jd

# Vallado, Seago & Seidelmann, AAS 06-134 (2006), low orbit: m, m/s; IAU 2006/2000A.
AAS_EPOCH = "2004-04-06T07:51:28.386009"
AAS_EOP = Eop(
    -0.4399619,
    -0.140682 * ARCSEC_RAD,
    0.333309 * ARCSEC_RAD,
    -0.000199 * ARCSEC_RAD,
    -0.000252 * ARCSEC_RAD,
    0.0015563,
)
AAS_ITRF = ([-1033.4793830, 7901.2952754, 6380.3565958], [-3.225636520, -2.872451450, 5.531924446])
AAS_CIRF = ([5100.0184047, 6122.7863648, 6380.3445328], [-4.745380330, 0.790341453, 5.531931288])
AAS_GCRF = ([5102.5089579, 6123.0114038, 6378.1369252], [-4.743220156, 0.790536497, 5.533755728])
AAS_EME2000 = ([5102.5090383, 6123.0119758, 6378.1363118], [-4.743219766, 0.790536344, 5.533756084])
# AIAA 2006-6753 rev. 2, appendix C.
APPENDIX_C_TEME = ([5094.1801621, 6127.6446595, 6380.3445327], [-4.746131487, 0.785818041, 5.531931288])
APPENDIX_C_EOP = Eop(-0.439961, -0.140682 * ARCSEC_RAD, 0.333309 * ARCSEC_RAD)

LEO_M, GEO_M, TEME_KM = 0.02, 0.09, 2.5e-5

vectors = arrays(np.float64, (4, 3), elements=st.integers(-(10**9), 10**9).map(lambda n: n * 1e-4))
epochs_us = st.integers(parse_utc("1973-01-03"), parse_utc("2026-01-01"))


def state(pair: Any, unit: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    return np.array(pair[0]) * unit, np.array(pair[1]) * unit


def epoch(text: str) -> tuple[float, float]:
    return us_to_jd(parse_utc(text))


def cases(reference: Path) -> dict[str, dict[str, Any]]:
    return {case["id"]: case for case in json.loads((reference / "frames_elements.json").read_text())["cases"]}


def eop_of(case: dict[str, Any]) -> Eop:
    eop = case["eop"]
    xp, yp, dx, dy = (eop.get(key, 0.0) * ARCSEC_RAD for key in ("xp_arcsec", "yp_arcsec", "dX_arcsec", "dY_arcsec"))
    return Eop(eop["dut1_s"], xp, yp, dx, dy, eop.get("lod_s", 0.0))


def close(got: Any, want: Any, *, m: float, m_s: float = 2e-5) -> None:
    """Got (km, km/s) is within so many metres and metres a second of what is wanted, as vectors."""
    assert np.linalg.norm(got[0] - want[0]) < m * 1e-3
    assert np.linalg.norm(got[1] - want[1]) < m_s * 1e-3


# ---------------------------------------------------------------------------------------- published rows, typed in


def test_itrf_to_gcrf_aas_06_134() -> None:
    jd, fr = epoch(AAS_EPOCH)
    got = frames.itrf_to_gcrf(*state(AAS_ITRF), jd, fr, eop=AAS_EOP)
    close(got, state(AAS_GCRF), m=LEO_M)
    close(frames.gcrf_to_itrf(*state(AAS_GCRF), jd, fr, eop=AAS_EOP), state(AAS_ITRF), m=LEO_M)
    close(frames.gcrf_to_eme2000(*got), state(AAS_EME2000), m=LEO_M)
    cirf = frames.gcrf_to_cirf_matrix(jd, fr, eop=AAS_EOP) @ got[0], frames.gcrf_to_cirf_matrix(jd, fr) @ got[1]
    close(cirf, state(AAS_CIRF), m=LEO_M)


def test_teme_to_itrf_appendix_c() -> None:
    jd, fr = epoch("2004-04-06T07:51:28.386")
    r, v = frames.teme_to_itrf(*state(APPENDIX_C_TEME), jd, fr, eop=APPENDIX_C_EOP)
    # The published row was computed from one float Julian date, whose last digit is 40 microseconds.
    close((r, v), state(AAS_ITRF), m=TEME_KM * 1e3)
    back = frames.itrf_to_teme(*state(AAS_ITRF), jd, fr, eop=APPENDIX_C_EOP)
    close(back, state(APPENDIX_C_TEME), m=TEME_KM * 1e3)


def test_bundled_earth_orientation_serves_as_well() -> None:
    jd, fr = epoch(AAS_EPOCH)
    # The paper's values are those of the day; a table interpolated to the epoch is 0.5 ms away in UT1.
    close(frames.itrf_to_gcrf(*state(AAS_ITRF), jd, fr), state(AAS_GCRF), m=0.5, m_s=1e-3)


def test_going_through_itrf_is_the_same() -> None:
    jd, fr = us_to_jd(parse_utc("2025-04-15") + np.arange(5) * 7_654_321_000_000)
    r, v = (np.tile(x, (5, 1)) for x in state(APPENDIX_C_TEME))
    # The TIO locator, which the TEME convention leaves out, is the only difference: 12 microarcseconds.
    close(frames.teme_to_gcrf(r, v, jd, fr), frames.itrf_to_gcrf(*frames.teme_to_itrf(r, v, jd, fr), jd, fr), m=3e-3)


def test_teme_is_not_gcrf() -> None:
    jd, fr = epoch("2025-04-15")
    r, v = state(APPENDIX_C_TEME)
    assert 20.0 < np.linalg.norm(frames.teme_to_gcrf(r, v, jd, fr)[0] - r) < 60.0


def test_one_position_at_many_epochs_and_many_at_one() -> None:
    jd, fr = us_to_jd(parse_utc("2020-01-01") + np.arange(6).reshape(2, 3) * 3_600_000_000)
    r, v = state(APPENDIX_C_TEME)
    many = frames.teme_to_itrf(r, v, jd, fr)
    assert many[0].shape == many[1].shape == (2, 3, 3)
    one = frames.teme_to_itrf(np.tile(r, (7, 1)), np.tile(v, (7, 1)), float(jd[1, 2]), float(fr[1, 2]))
    assert np.allclose(one[0], many[0][1, 2], rtol=0.0, atol=1e-9)
    assert frames.rtn_matrix(*many).shape == (2, 3, 3, 3)


def test_dense_epochs_are_interpolated_without_loss() -> None:
    jd, fr = us_to_jd(parse_utc("2025-04-15") + np.arange(300) * 4_321_000_000)
    eop = Eop(0.1, 1e-6, 1e-6)
    dense = frames.gcrf_to_cirf_matrix(jd, fr, eop=eop)
    alone = [frames.gcrf_to_cirf_matrix(float(jd[i]), float(fr[i]), eop=eop) for i in range(0, 300, 7)]
    assert np.abs(dense[::7] - alone).max() < 2e-13
    assert (
        np.abs(frames.gcrf_to_cirf_matrix(jd.reshape(3, 100), fr.reshape(3, 100), eop=eop)[1, 5] - dense[105]).max()
        == 0
    )


def test_inertial_velocity_of_a_point_at_rest_on_the_ground() -> None:
    r, v = frames.itrf_with_inertial_velocity(np.array([6378.137, 0.0, 0.0]), np.zeros(3))
    assert np.array_equal(r, [6378.137, 0.0, 0.0])
    assert v == pytest.approx([0.0, 0.46510, 0.0], abs=1e-5)


def test_inertial_velocity_gives_the_rtn_of_the_inertial_frame() -> None:
    jd, fr = epoch(AAS_EPOCH)
    r, v = state(AAS_ITRF)
    fixed = frames.rtn_matrix(*frames.itrf_with_inertial_velocity(r, v, lod_s=AAS_EOP.lod_s))
    inertial = frames.rtn_matrix(*frames.itrf_to_gcrf(r, v, jd, fr, eop=AAS_EOP))
    to_gcrf = np.array([frames.itrf_to_gcrf(axis, axis, jd, fr, eop=AAS_EOP)[0] for axis in np.eye(3)]).T
    assert np.allclose(fixed, inertial @ to_gcrf, rtol=0.0, atol=5e-7)


# ---------------------------------------------------------------------------------------------- reference cases


def test_reference_leo_iau2006(reference: Path) -> None:
    case = cases(reference)["vallado_2004_leo_iau2006_2000A"]
    jd, fr = epoch(case["utc"])
    eop = eop_of(case)
    itrf, tirf, cirf, gcrf, eme2000 = (
        state(case[key], 1e-3) for key in ("ITRF", "TIRF", "CIRF", "GCRF_iau2000A", "EME2000")
    )
    got = frames.itrf_to_gcrf(*itrf, jd, fr, eop=eop)
    close(got, gcrf, m=case["orekit_tolerance_m"])
    close(frames.gcrf_to_eme2000(*got), eme2000, m=case["orekit_tolerance_m"])
    polar = frames.tirf_to_itrf_matrix(jd, fr, eop=eop).T
    close((polar @ itrf[0], polar @ itrf[1]), tirf, m=1e-3)
    assert np.linalg.norm(frames.cirf_to_tirf_matrix(jd, fr, eop=eop) @ cirf[0] - tirf[0]) < 1e-5
    celestial = frames.gcrf_to_cirf_matrix(jd, fr, eop=eop)
    close((celestial @ got[0], celestial @ got[1]), cirf, m=case["orekit_tolerance_m"])


def test_reference_geo_iau2000a(reference: Path) -> None:
    case = cases(reference)["vallado_2004_geo_iau2000A"]
    got = frames.itrf_to_gcrf(*state(case["ITRF"], 1e-3), *epoch(case["utc"]), eop=eop_of(case))
    close(got, state(case["GCRF_iau2000A"], 1e-3), m=GEO_M)
    close(frames.gcrf_to_eme2000(*got), state(case["EME2000"], 1e-3), m=GEO_M)


def test_reference_teme_to_itrf(reference: Path) -> None:
    case = cases(reference)["aiaa2006_6753_appC_teme_to_itrf"]
    got = frames.teme_to_itrf(*state(case["TEME"]), *epoch(case["utc"]), eop=eop_of(case))
    close(got, state(case["ITRF"]), m=TEME_KM * 1e3)
    # To the case's own tolerance with the 22 microseconds that its single-float Julian date rounds away.
    jd, fr = epoch(case["utc"])
    rounded = (jd + fr) + case["eop"]["dut1_s"] / 86400.0
    eop = replace(eop_of(case), dut1_s=((rounded - jd) - fr) * 86400.0)
    got = frames.teme_to_itrf(*state(case["TEME"]), jd, fr, eop=eop)
    assert np.abs(got[0] - case["ITRF"][0]).max() < case["abs_tol_km"]
    assert np.abs(got[1] - case["ITRF"][1]).max() < case["abs_tol_km"]


def test_reference_teme_to_eme2000(reference: Path) -> None:
    case = cases(reference)["vallado_teme_to_eme2000"]
    jd, fr = epoch(case["utc"][:26])
    matrix = frames.teme_to_eme2000_fk5_matrix(jd, fr)
    r, v = state(case["TEME"], 1e-3)
    close((matrix @ r, matrix @ v), state(case["EME2000_vallado_cpp_106terms"], 1e-3), m=case["orekit_tolerance_m"])
    # The newer models with the observed pole are a metre or two away: that is what FK5 lacks.
    modern = frames.gcrf_to_eme2000(*frames.teme_to_gcrf(r, v, jd, fr))
    assert 0.5e-3 < np.linalg.norm(modern[0] - matrix @ r) < 3e-3


def test_reference_fk5(reference: Path) -> None:
    case = cases(reference)["vallado_2004_leo_iau76_fk5_cara"]
    jd, fr = epoch(case["utc"])
    tod = frames.eme2000_to_tod_fk5_matrix(jd, fr)
    # The reference takes the fundamental arguments of IERS 1996 into the 1980 series: 1 mm in this orbit.
    close((tod @ case["J2K"][0], tod @ case["J2K"][1]), state(case["TOD"]), m=2e-3, m_s=2e-6)
    mod = frames.eme2000_to_tod_fk5_matrix(jd, fr, nutation_rad=(0.0, 0.0))
    close((mod @ case["J2K"][0], mod @ case["J2K"][1]), state(case["MOD"]), m=1e-5, m_s=1e-8)
    eop = eop_of(case)
    # PEF and ECF differ by polar motion alone, as TIRF and ITRF do (and by the locator s', 0.1 mm).
    polar = frames.tirf_to_itrf_matrix(jd, fr, eop=eop)
    close((polar @ case["PEF"][0], polar @ case["PEF"][1]), state(case["ECF"]), m=2e-4, m_s=1e-6)
    # Through TEME, without and with polar motion: the equation of the equinoxes is not the same to 9 mm.
    to_teme = frames.teme_to_eme2000_fk5_matrix(jd, fr).T
    teme = to_teme @ case["J2K"][0], to_teme @ case["J2K"][1]
    close(frames.teme_to_itrf(*teme, jd, fr, eop=replace(eop, xp_rad=0.0, yp_rad=0.0)), state(case["PEF"]), m=0.01)
    close(frames.teme_to_itrf(*teme, jd, fr, eop=eop), state(case["ECF"]), m=0.01)


def test_reference_teme_with_the_four_largest_nutation_terms(reference: Path) -> None:
    """TEME as the Space Force makes it: the four largest terms of the IAU 1980 series, no offsets of the pole."""
    case = cases(reference)["vallado_2004_leo_iau76_fk5_cara"]
    jd, fr = epoch("2004-04-06T07:51:28.386")
    to_eme2000 = frames.teme_to_eme2000_fk5_matrix(jd, fr, nutation_rad=four_terms_rad(jd, fr))
    r, v = state(case["J2K"])
    got = to_eme2000.T @ r, to_eme2000.T @ v
    # The reference puts the true obliquity in the equation of the equinoxes, the IAU the mean: 7 mm along the equator.
    close(got, state(case["TEME_full_angle"]), m=0.01, m_s=1e-5)
    close(got, state(case["TEME_small_angle"]), m=0.015, m_s=1e-5)  # sines taken as angles: 5 mm more
    assert got[0][2] == pytest.approx(case["TEME_full_angle"][0][2], abs=1e-7)
    book = cases(reference)["vallado_teme_to_eme2000"]
    jd, fr = epoch(book["utc"][:26])
    matrix = frames.teme_to_eme2000_fk5_matrix(jd, fr, nutation_rad=four_terms_rad(jd, fr))
    r, v = state(book["TEME"], 1e-3)
    close((matrix @ r, matrix @ v), state(book["EME2000_vallado_book"], 1e-3), m=2e-4, m_s=2e-6)


def four_terms_rad(jd: float, fr: float) -> tuple[float, float]:
    """Nutation in longitude and obliquity by the four largest terms of IAU 1980, at a UTC date of 1999 to 2005."""
    t = ((jd - 2451545.0) + fr + 64.184 / 86400.0) / 36525.0
    node, twice_f, twice_d = erfa.faom03(t), 2.0 * erfa.faf03(t), 2.0 * erfa.fad03(t)
    args = np.array([node, 2.0 * node, twice_f - twice_d + 2.0 * node, twice_f + 2.0 * node])
    # Seidelmann (1982), IAU 1980 theory of nutation, 0.0001": longitude (sine) and obliquity (cosine).
    dpsi = np.sin(args) @ ([-171996.0 - 174.2 * t, 2062.0 + 0.2 * t, -13187.0 - 1.6 * t, -2274.0 - 0.2 * t])
    deps = np.cos(args) @ ([92025.0 + 8.9 * t, -895.0 + 0.5 * t, 5736.0 - 3.1 * t, 977.0 - 0.5 * t])
    return float(dpsi) * 1e-4 * ARCSEC_RAD, float(deps) * 1e-4 * ARCSEC_RAD


def test_reference_covariance(reference: Path) -> None:
    case = cases(reference)["ric_to_eci_covariance_3x3"]
    to_rtn = frames.rtn_matrix(np.array(case["r_km"]), np.array(case["v_kmps"]))
    got = frames.rotate_cov(to_rtn.T, np.array(case["RIC"], np.float64))
    assert np.allclose(got, case["ECI"], rtol=case["rel_tol"], atol=1e-11)


# --------------------------------------------------------------------------------------------------- properties


@settings(deadline=None)  # the first call reads the tables
@given(vectors, vectors, epochs_us)
def test_round_trips_and_lengths(r: np.ndarray, v: np.ndarray, us: int) -> None:
    v = v * 1e-4
    jd, fr = us_to_jd(us)
    for there, back in (
        (frames.teme_to_itrf, frames.itrf_to_teme),
        (frames.gcrf_to_itrf, frames.itrf_to_gcrf),
        (frames.teme_to_gcrf, frames.gcrf_to_teme),
    ):
        r2, v2 = there(r, v, jd, fr)
        assert np.allclose(np.linalg.norm(r2, axis=-1), np.linalg.norm(r, axis=-1), rtol=1e-13, atol=1e-12)
        r3, v3 = back(r2, v2, jd, fr)
        assert np.allclose(r3, r, rtol=0.0, atol=1e-9)
        assert np.allclose(v3, v, rtol=0.0, atol=1e-12)
    assert np.allclose(frames.eme2000_to_gcrf(*frames.gcrf_to_eme2000(r, v))[0], r, rtol=0.0, atol=1e-9)


@settings(deadline=None)  # the first call reads the tables
@given(epochs_us)
def test_matrices_are_rotations(us: int) -> None:
    jd, fr = us_to_jd(us)
    for matrix in (
        frames.gcrf_to_cirf_matrix(jd, fr),
        frames.cirf_to_tirf_matrix(jd, fr),
        frames.tirf_to_itrf_matrix(jd, fr),
        frames.teme_to_gcrf_matrix(jd, fr),
        frames.teme_to_eme2000_fk5_matrix(jd, fr),
        frames.teme_to_eme2000_fk5_matrix(jd, fr, nutation_rad=(1e-5, -2e-5)),
    ):
        assert np.allclose(matrix @ matrix.T, np.eye(3), rtol=0.0, atol=1e-14)
        assert np.linalg.det(matrix) == pytest.approx(1.0)


@given(vectors, vectors)
def test_rtn_is_orthonormal_and_names_its_axes(r: np.ndarray, v: np.ndarray) -> None:
    size = np.linalg.norm(np.cross(r, v), axis=-1)
    plain = size > 1e-3 * np.linalg.norm(r, axis=-1) * np.linalg.norm(v, axis=-1)
    r, v = r[plain & (size > 1e-6)], v[plain & (size > 1e-6)]
    matrix = frames.rtn_matrix(r, v)
    assert np.allclose(matrix @ matrix.swapaxes(-1, -2), np.eye(3), rtol=0.0, atol=1e-12)
    r_rtn = (matrix @ r[..., None])[..., 0]
    v_rtn = (matrix @ v[..., None])[..., 0]
    assert np.allclose(r_rtn[:, 1:], 0.0, atol=1e-9 * (1.0 + np.linalg.norm(r, axis=-1).max(initial=0.0)))
    assert np.all(v_rtn[:, 1] > 0.0)
    assert np.allclose(v_rtn[:, 2], 0.0, atol=1e-9 * (1.0 + np.linalg.norm(v, axis=-1).max(initial=0.0)))


def test_rtn_without_a_plane_is_nan() -> None:
    r = np.array([[7000.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    matrix = frames.rtn_matrix(r, np.array([[7.0, 0.0, 0.0], [0.0, 7.0, 0.0]]))
    assert np.isnan(matrix[:, 1:]).all()


@given(
    arrays(np.float64, (5, 6, 6), elements=st.floats(-10.0, 10.0)),
    arrays(np.float64, (5, 3), elements=st.floats(1.0, 9.0)),
)
def test_rotated_covariance_keeps_its_eigenvalues(factor: np.ndarray, r: np.ndarray) -> None:
    matrix = frames.rtn_matrix(r, np.cross(r, [1.0, 2.0, -3.0]) + np.array([0.5, 0.0, 0.0]))
    cov = factor @ factor.swapaxes(-1, -2)
    for c in (cov, cov[:, :3, :3]):
        turned = frames.rotate_cov(matrix, c)
        assert np.allclose(np.linalg.eigvalsh(turned), np.linalg.eigvalsh(c), rtol=1e-9, atol=1e-9)
        assert np.allclose(frames.rotate_cov(matrix.swapaxes(-1, -2), turned), c, rtol=0.0, atol=1e-9)
    assert np.allclose(frames.rotate_cov(matrix, cov)[:, :3, :3], frames.rotate_cov(matrix, cov[:, :3, :3]))


@given(vectors, vectors, st.sampled_from([0.0, 1.0, -3.5]), st.sampled_from([0.0, 1e-12, 1.0]))
def test_encounter_plane(v_rel: np.ndarray, r_rel: np.ndarray, along: float, across: float) -> None:
    r_rel = along * v_rel + across * r_rel
    plane = frames.encounter_plane(v_rel, r_rel)
    assert plane.shape == (4, 2, 3)
    assert np.allclose(plane @ plane.swapaxes(-1, -2), np.eye(2), rtol=0.0, atol=1e-12)
    size = np.linalg.norm(v_rel, axis=-1)
    assert np.all(np.abs(plane @ v_rel[..., None])[..., 0] <= 1e-12 * size[:, None] + 1e-300)
    # The miss lies along the first row, on its positive side.
    miss = (plane @ r_rel[..., None])[..., 0]
    scale = 1e-9 * (np.linalg.norm(r_rel, axis=-1) + 1e-300)
    assert np.all(np.abs(miss[:, 1]) <= scale)
    assert np.all(miss[:, 0] >= -scale)


def test_encounter_plane_without_miss_or_speed() -> None:
    plane = frames.encounter_plane(np.array([[0.0, 0.0, 7.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]), np.eye(3) * [0, 1, 0])
    assert np.allclose(plane @ plane.swapaxes(-1, -2), np.eye(2))
    assert np.allclose(plane[0] @ [0.0, 0.0, 1.0], 0.0)
    assert np.allclose(plane[1, 0], [0.0, 1.0, 0.0])
