from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orbwatch.conjunction.encounter import CLIP, Encounter, encounter, remediate
from orbwatch.conjunction.probability import foster_1992
from orbwatch.conjunction.tca import coppola_2012
from orbwatch.frames import encounter_plane, itrf_with_inertial_velocity, rotate_cov, rtn_matrix

# NASA CARA, FrisbeeMaxPc_UnitTest.m and Pc2D_Foster_UnitTest.m: "Omitron test case 1", km and km/s, inertial.
OMITRON = {
    "r1": [378.39559, 4305.721887, 5752.767554],
    "v1": [2.360800244, 5.580331936, -4.322349039],
    "cov1": [
        [44.5757544811362, 81.6751751052616, -67.8687662707124],
        [81.6751751052616, 158.453402956163, -128.616921644857],
        [-67.8687662707124, -128.616921644858, 105.490542562701],
    ],
    "r2": [374.5180598, 4307.560983, 5751.130418],
    "v2": [-5.388125081, -3.946827739, 3.322820358],
    "cov2": [
        [2.31067077720423, 1.69905293875632, -1.4170164577661],
        [1.69905293875632, 1.24957388457206, -1.04174164279599],
        [-1.4170164577661, -1.04174164279599, 0.869260558223714],
    ],
}


def one(case: dict[str, Any], hbr_km: float, *, km: float = 1.0, **options: Any) -> Encounter:
    """One encounter of a case in metres (km = 1000) or kilometres."""
    states = {name: np.array(case[name], float)[None] / km for name in ("r1", "v1", "r2", "v2")}
    covs = [None if case.get(name) is None else np.array(case[name], float)[None] / km**2 for name in ("cov1", "cov2")]
    options = {"cov_frame": "inertial", **options}
    hbr = np.array([hbr_km])
    return encounter(states["r1"], states["v1"], covs[0], states["r2"], states["v2"], covs[1], hbr, **options)


def circle(found: Encounter) -> float:
    return float(foster_1992(found.miss_km, found.cov_km2, found.hbr_km)[0])


def test_omitron_case_1() -> None:
    found = one(OMITRON, 0.02)
    # The converged circle is PcCircle_UnitTest.m's 2.706023476569787e-05, the square 3.44534649703584e-05.
    assert circle(found) == pytest.approx(2.706023476569787e-05, rel=1e-8)
    square = foster_1992(found.miss_km, found.cov_km2, found.hbr_km, "square")[0]
    assert square == pytest.approx(3.44534649703584e-05, rel=1e-7)
    equal = foster_1992(found.miss_km, found.cov_km2, found.hbr_km, "square_equal_area")[0]
    assert equal == pytest.approx(2.70601573490111e-05, rel=1e-7)
    assert found.rel_speed_km_s[0] == pytest.approx(14.4659, abs=1e-4)
    assert len(found) == 1


def test_plane_is_normal_to_the_relative_velocity() -> None:
    found = one(OMITRON, 0.02)
    assert np.abs(found.axes[0] @ found.v_rel_km_s[0]).max() < 1e-13
    assert found.axes[0] @ found.r_rel_km[0] == pytest.approx(found.miss_km[0], abs=1e-12)
    assert found.axes[0] @ found.axes[0].T == pytest.approx(np.eye(2), abs=1e-14)


def test_states_move_straight_to_the_closest_approach() -> None:
    at = {**OMITRON, "r2": (np.array(OMITRON["r2"]) - 3.0 * np.array(OMITRON["v2"])).tolist()}
    at["r1"] = (np.array(OMITRON["r1"]) - 3.0 * np.array(OMITRON["v1"])).tolist()
    early, there = one(at, 0.02), one(OMITRON, 0.02)
    assert early.tca_shift_s[0] == pytest.approx(there.tca_shift_s[0] + 3.0, abs=1e-9)
    assert circle(early) == pytest.approx(circle(there), rel=1e-8)


def test_covariance_in_rtn_is_the_same_as_in_the_inertial_frame() -> None:
    turned = dict(OMITRON)
    for n in ("1", "2"):
        matrix = rtn_matrix(np.array(OMITRON["r" + n]), np.array(OMITRON["v" + n]))
        turned["cov" + n] = rotate_cov(matrix, np.array(OMITRON["cov" + n])).tolist()
    assert one(turned, 0.02, cov_frame="rtn").cov_km2 == pytest.approx(one(OMITRON, 0.02).cov_km2, rel=1e-9)
    six = np.zeros((6, 6))
    six[:3, :3], six[3:, 3:] = turned["cov1"], np.nan  # the velocity's part is not used
    assert one({**turned, "cov1": six}, 0.02, cov_frame="rtn").cov_km2 == pytest.approx(
        one(OMITRON, 0.02).cov_km2, rel=1e-9
    )


def test_swapping_the_objects_changes_nothing() -> None:
    swapped = {a + b: OMITRON[a + c] for a in ("r", "v", "cov") for b, c in (("1", "2"), ("2", "1"))}
    assert circle(one(swapped, 0.02)) == pytest.approx(circle(one(OMITRON, 0.02)), rel=1e-12)


def test_missing_covariances() -> None:
    nan = np.full((3, 3), np.nan)
    for missing in (None, np.zeros((3, 3)), nan):
        found = one({**OMITRON, "cov1": missing}, 0.02)
        assert not found.has_cov1[0]
        assert found.has_cov2[0]
        assert np.isfinite(found.cov_km2).all()
        assert np.all(found.cov1_km2 == 0.0)
    none = one({**OMITRON, "cov1": None, "cov2": nan}, 0.02)
    assert np.isnan(none.cov_km2).all()
    assert np.isnan([none.duration_s, none.offset_s]).all()
    assert none.positive_definite[0]
    assert not none.remediated[0]


def test_states_that_are_not_numbers() -> None:
    found = one({**OMITRON, "r1": [np.nan] * 3}, 0.02)
    assert np.isnan(found.miss_km[0, 0])
    assert not found.has_cov1[0]


def test_no_relative_motion() -> None:
    still = {**OMITRON, "v2": OMITRON["v1"]}
    found = one(still, 0.02)
    assert found.rel_speed_km_s[0] == 0.0
    assert found.tca_shift_s[0] == 0.0
    assert np.isnan(found.duration_s[0])


def test_remediation_clips_eigenvalues() -> None:
    cov = np.array([[[4.0, 0.0], [0.0, -1.0]], [[4.0, 1.0], [1.0, 2.0]]])
    out, positive, changed = remediate(cov, np.array([100.0, 1.0]))
    assert np.linalg.eigvalsh(out[0]) == pytest.approx([(100.0 * CLIP) ** 2, 4.0])
    assert np.array_equal(out[1], cov[1])
    assert positive.tolist() == [False, True]
    assert changed.tolist() == [True, False]


def test_covariance_that_is_not_positive_definite() -> None:
    bad = np.diag([1.0, -1e-4, 1.0]).tolist()
    found = one({**OMITRON, "cov1": bad}, 0.02)
    assert not found.positive_definite[0]
    only_bad = one({**OMITRON, "cov1": np.diag([-1.0, -1.0, -1.0]).tolist(), "cov2": None}, 0.02)
    assert only_bad.remediated[0]
    assert np.linalg.eigvalsh(only_bad.cov_km2[0]).min() == pytest.approx((0.02 * CLIP) ** 2)


def test_accrual_is_coppolas_bound_for_a_small_radius() -> None:
    found = one(OMITRON, 1e-7)
    cov = np.array(OMITRON["cov1"]) + np.array(OMITRON["cov2"])
    first, last = coppola_2012(found.r_rel_km[0], found.v_rel_km_s[0], cov, 1e-7)
    assert found.offset_s[0] == pytest.approx((first + last) / 2, rel=1e-4)
    assert found.duration_s[0] == pytest.approx(last - first, rel=1e-4)


def test_periods() -> None:
    radius = 42164.0
    speed = math.sqrt(398600.4418 / radius)
    case = {"r1": [radius, 0, 0], "v1": [0, speed, 0], "r2": [radius, 0, 0.1], "v2": [0, 0, 20.0]}
    assert one(case, 0.01).period_s[0] == pytest.approx(86164.0, rel=1e-4)


# ------------------------------------------------------------------------------------------- reference cases


def test_alfano_2009_cases(reference: Path) -> None:
    # Alfano's own linear values, of his quadrature: to 2e-4 (case 12 has no encounter plane).
    for case in json.loads((reference / "pc_alfano2009_12_cases.json").read_text())["cases"]:
        at = {
            name + n: case["state_at_tca"][who][key]
            for n, who in (("1", "primary"), ("2", "secondary"))
            for name, key in (("r", "r_m"), ("v", "v_mps"), ("cov", "cov_eci"))
        }
        found = one(at, case["hbr_m"] / 1e3, km=1e3)
        expected = case["expected"]["CARA_Pc2D"]
        if expected is None:
            assert found.rel_speed_km_s[0] == 0.0
        else:
            assert circle(found) == pytest.approx(expected, rel=1e-7), case["id"]
            assert circle(found) == pytest.approx(case["expected"]["A09_Pc_linear"], rel=2e-4), case["id"]


def test_cara_unit_tests(reference: Path) -> None:
    # Name of the value, shape, relative error of the value itself (CARA's Foster functions stop at 1e-8 absolute).
    kinds = (
        ("PcCircle", "circle", 1e-7),
        ("PcElrod", "circle", 1e-5),
        ("Pc2D_Foster", "circle", 1e-5),
        ("Pc2D_Foster_circle", "circle", 1e-5),
        ("Pc2D_Foster_square", "square", 1e-7),
        ("Pc2D_Foster_squareEquArea", "square_equal_area", 1e-7),
    )
    checks = (("square_halfwidth_R", "square"), ("square_equal_area", "square_equal_area"))
    for case in json.loads((reference / "pc_cara_unit_tests.json").read_text())["cases"]:
        km = {"km": 1.0, "m": 1e3}[case["units"]]
        found = one(case["inputs"], case["inputs"]["hbr"] / km, km=km)
        expected, check = case["expected"], case["check"]
        # These functions take the states to be at the closest approach, so all of the distance is in the plane.
        miss = (
            np.linalg.norm(np.array(case["inputs"]["r2"]) - np.array(case["inputs"]["r1"]))
            / km
            * np.array([[1.0, 0.0]])
        )
        for name, kind, error in kinds:
            if name in expected:
                pc = foster_1992(miss, found.cov_km2, found.hbr_km, kind)[0]
                # CARA's rule of 64 points is itself up to 2.8e-4 off with the near-degenerate covariance.
                tolerance = 3e-4 if case["id"].startswith("pccircle_multi") else error
                assert pc == pytest.approx(expected[name], rel=tolerance), (case["id"], name)
        for name, kind in checks:
            if name in check:
                pc = foster_1992(miss, found.cov_km2, found.hbr_km, kind)[0]
                assert pc == pytest.approx(check[name], rel=1e-9), (case["id"], name)
        converged = check.get("circle_high_resolution", check["circle"])
        pc = foster_1992(miss, found.cov_km2, found.hbr_km)[0]
        assert pc == pytest.approx(converged, rel=1e-7), case["id"]


def test_cara_real_messages(reference: Path) -> None:
    cases = json.loads((reference / "pc_cara_real_cdms.json").read_text())["cases"]
    assert len(cases) == 40
    for case in cases:
        at = {
            name + n: case[who][key]
            for n, who in (("1", "primary"), ("2", "secondary"))
            for name, key in (("r", "r_m"), ("v", "v_mps"), ("cov", "cov_rtn"))
        }
        found = one(at, case["hbr_m"] / 1e3, km=1e3, cov_frame="rtn")
        expected = case["expected"]
        assert circle(found) == pytest.approx(expected["Pc2D"], rel=1e-7), case["id"]
        assert found.tca_shift_s[0] == pytest.approx(case["check"]["linear_dtca_s"], abs=1e-8)
        assert found.rel_speed_km_s[0] == pytest.approx(expected["relative_speed_mps"] / 1e3, rel=1e-10)
        # CARA's miss distance is that of the states as given; so is its probability without adjustment.
        apart_km = np.linalg.norm(np.subtract(at["r2"], at["r1"])) / 1e3
        assert apart_km == pytest.approx(expected["miss_distance_m"] / 1e3, rel=1e-10)
        unshifted = foster_1992(np.array([[apart_km, 0.0]]), plane_as_given(at), found.hbr_km)[0]
        assert unshifted == pytest.approx(expected["Pc2D_no_tca_adjust"], rel=1e-7), case["id"]


def plane_as_given(at: dict[str, Any]) -> np.ndarray:
    """Combined covariance, km^2, in the plane of the states as given, the first axis towards the second object."""
    (r1, v1, cov1), (r2, v2, cov2) = ([np.array(at[name + n], float) for name in ("r", "v", "cov")] for n in "12")
    both = sum(rotate_cov(rtn_matrix(r, v).T, cov[:3, :3]) for r, v, cov in ((r1, v1, cov1), (r2, v2, cov2)))
    axes = encounter_plane(v2 - v1, r2 - r1)
    return np.asarray(axes @ both @ axes.T)[None] / 1e6


def test_itrf_message(reference: Path) -> None:
    case = json.loads((reference / "pc_itrf_cdm_ion_starlink.json").read_text())
    at: dict[str, Any] = {}
    for n, who in (("1", "primary"), ("2", "secondary")):
        r, v = (np.array(case[who][key]) / 1e3 for key in ("r_itrf", "v_itrf"))
        at["r" + n], at["v" + n] = itrf_with_inertial_velocity(r, v)
        at["cov" + n] = np.array(case[who]["cov_rtn"]) / 1e6
    found = one(at, case["hbr_m"] / 1e3, cov_frame="rtn")
    assert circle(found) == pytest.approx(case["check"]["circle"], rel=1e-7)
    for method in ("orekit_Laas2015", "orekit_Patera2005"):
        assert circle(found) == pytest.approx(case["expected"][method], rel=1e-7)
    square = foster_1992(found.miss_km, found.cov_km2, found.hbr_km, "square")[0]
    assert square == pytest.approx(case["check"]["square_halfwidth_R"], rel=1e-9)
    assert square == pytest.approx(case["expected"]["cdm_COLLISION_PROBABILITY"], rel=1e-4)
