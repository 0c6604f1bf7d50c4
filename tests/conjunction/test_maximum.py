from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orbwatch.conjunction.encounter import Encounter, encounter
from orbwatch.conjunction.maximum import (
    alfano_2005_maximum,
    dilution_curve,
    dilution_flag,
    frisbee_2015,
    hbr_curve,
    one_covariance_maximum,
)
from orbwatch.conjunction.probability import alfriend_1999, foster_1992, mahalanobis_squared

MISS = np.array([[0.5, 0.0]])
COV = np.array([[[0.04, 0.01], [0.01, 0.02]]])
HBR = np.array([0.01])


def test_maximum_is_the_top_of_the_curve() -> None:
    found = alfano_2005_maximum(MISS, COV, HBR)
    scale = np.linspace(0.9, 1.1, 2001) * found.scale[0]
    curve = dilution_curve(MISS, COV, HBR, scale)[0]
    assert found.pc[0] == pytest.approx(curve.max(), rel=1e-9)
    assert scale[curve.argmax()] == pytest.approx(found.scale[0], rel=1e-3)
    assert found.pc[0] == pytest.approx(alfriend_1999(MISS, COV, HBR, "maximum")[0], rel=1e-2)
    assert found.nominal_pc[0] == foster_1992(MISS, COV, HBR)[0]


def test_dilution_starts_where_the_covariance_passes_the_maximum() -> None:
    scale = alfano_2005_maximum(MISS, COV, HBR).scale[0]
    for factor, diluted in ((0.5, False), (2.0, True)):
        found = alfano_2005_maximum(MISS, COV * (scale * factor) ** 2, HBR)
        assert found.diluted[0] == diluted
        assert found.scale[0] == pytest.approx(1.0 / factor, rel=1e-4)


def test_a_hit_tends_to_certainty_with_a_vanishing_covariance() -> None:
    found = alfano_2005_maximum(MISS[[0] * 3], COV[[0] * 3], np.array([0.6, 0.5, 0.0]))
    assert found.pc == pytest.approx([1.0, 0.5, 0.0])
    assert found.scale[:2].tolist() == [0.0, 0.0]
    assert found.diluted.tolist() == [True, True, False]


def test_rows_without_a_probability() -> None:
    cov = np.stack([-COV[0], np.full((2, 2), np.nan)])
    two, radius = MISS[[0, 0]], HBR[[0, 0]]
    assert np.isnan(alfano_2005_maximum(two, cov, radius).pc).all()
    assert not alfano_2005_maximum(two, cov, radius).diluted.any()
    assert np.isnan(one_covariance_maximum(two, cov, cov, radius).pc).all()
    assert np.isnan(frisbee_2015(two, cov, radius)).all()
    assert len(alfano_2005_maximum(MISS[:0], COV[:0], HBR[:0]).pc) == 0


def test_scaling_one_covariance() -> None:
    fixed, scaled = COV * 1e-4, COV * 4.0
    found = one_covariance_maximum(MISS, fixed, scaled, HBR)
    grid = np.geomspace(1e-2, 10.0, 4001)
    curve = [foster_1992(MISS, fixed + scaled * s * s, HBR)[0] for s in grid]
    assert found.pc[0] == pytest.approx(max(curve), rel=1e-6)
    assert found.diluted[0]
    assert dilution_flag(MISS, fixed, scaled, HBR).tolist() == [1]
    assert dilution_flag(MISS, scaled, fixed, HBR).tolist() == [10]
    assert dilution_flag(MISS, COV * 1e-2, COV * 1e-2, HBR).tolist() == [0]
    assert dilution_flag(MISS * 0.1, COV, COV, HBR).tolist() == [11]


def test_scaling_away_a_covariance_leaves_the_other() -> None:
    found = one_covariance_maximum(MISS * 0.01, COV * 1e-3, COV, HBR)
    assert found.scale[0] == 0.0
    assert found.pc[0] == pytest.approx(foster_1992(MISS * 0.01, COV * 1e-3, HBR)[0])


def test_frisbee_example() -> None:
    # Frisbee (2015), AAS 15-717: miss (1000, 200) m, known covariance diag(850^2, 50^2) m^2; Pc 4.3e-5 with a
    # radius of 5 m, 1.71e-4 with 10 m (NASA CARA, FrisbeeMaxPc_UnitTest.m, tests 12 and 13, absolute 5e-7).
    miss = np.array([[1.0, 0.2]] * 2)
    known = np.array([np.diag([0.85**2, 0.05**2])] * 2)
    assert frisbee_2015(miss, known, np.array([0.005, 0.010])) == pytest.approx([4.3e-5, 1.71e-4], abs=5e-7)


def test_frisbee_adds_nothing_within_one_sigma() -> None:
    assert frisbee_2015(MISS * 0.1, COV, HBR)[0] == foster_1992(MISS * 0.1, COV, HBR)[0]


@settings(max_examples=60, deadline=None)
@given(angle=st.floats(0.0, math.pi), sigma=st.floats(1e-3, 10.0), ratio=st.floats(0.05, 1.0))
def test_frisbee_bounds_any_second_covariance(angle: float, sigma: float, ratio: float) -> None:
    c, s = math.cos(angle), math.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    second = turn @ np.diag([sigma**2, (ratio * sigma) ** 2]) @ turn.T
    assert foster_1992(MISS, COV + second, HBR)[0] <= frisbee_2015(MISS, COV, HBR)[0] * (1 + 1e-3)


def test_curves() -> None:
    radii = np.array([0.0, 0.001, 0.01, 0.1])
    by_radius = hbr_curve(MISS, COV, radii)
    assert by_radius.shape == (1, 4)
    assert by_radius[0, 2] == foster_1992(MISS, COV, HBR)[0]
    assert np.all(np.diff(by_radius) > 0.0)
    assert dilution_curve(MISS, COV, HBR, np.array([1.0]))[0, 0] == by_radius[0, 2]
    assert np.all(hbr_curve(MISS, COV, radii, "square") >= by_radius)


# ------------------------------------------------------------------------------------------- reference cases


def rows(case: dict[str, Any]) -> Encounter:
    """The case once for each of its radii."""
    n = len(case["hbr_m"])
    given = {name: np.repeat(np.array(case["inputs"][name], float)[None] / 1e3, n, axis=0) for name in case["inputs"]}
    cov1, cov2 = given["cov1"] / 1e3, given["cov2"] / 1e3
    hbr = np.array(case["hbr_m"], float) / 1e3
    return encounter(given["r1"], given["v1"], cov1, given["r2"], given["v2"], cov2, hbr, cov_frame="inertial")


def test_reference_of_maxima(reference: Path) -> None:
    for case in json.loads((reference / "maxpc_dilution_frisbee.json").read_text())["cases"]:
        found = rows(case)
        if "hbr_type" not in case:
            largest = alfano_2005_maximum(found.miss_km, found.cov_km2, found.hbr_km)
            assert largest.pc[0] == pytest.approx(case["expected_DilutionMaxPc"], rel=case["rel_tol"]), case["id"]
            assert 11 * int(largest.diluted[0]) == case["expected_diluted_flag"]
            assert (
                dilution_flag(found.miss_km, found.cov1_km2, found.cov2_km2, found.hbr_km)[0]
                == (case["expected_diluted_flag"])
            )
            own = case["check_own"]
            assert largest.pc[0] == pytest.approx(own["max_over_common_sigma_scale"], rel=2e-5), case["id"]
            assert largest.nominal_pc[0] == pytest.approx(own["nominal_Pc"], rel=1e-9), case["id"]
            continue
        shape = {"squareEquArea": "square_equal_area", "circle": "circle"}[case["hbr_type"]]
        for name, cov in (
            ("expected_only_primary_cov", found.cov1_km2),
            ("expected_only_secondary_cov", found.cov2_km2),
        ):
            if name in case:
                pc = frisbee_2015(found.miss_km, cov, found.hbr_km, shape)
                tolerance = {"abs": case["abs_tol"]} if "abs_tol" in case else {"rel": case["rel_tol"]}
                assert pc == pytest.approx(case[name], **tolerance), (case["id"], name)
        for radius, (second, first) in enumerate(case.get("check_own_frisbee", [])):
            for cov, want in ((found.cov1_km2, first), (found.cov2_km2, second)):
                pc = frisbee_2015(found.miss_km, cov, found.hbr_km, shape)[radius]
                assert pc == pytest.approx(want, rel=1e-7), case["id"]


def test_reference_of_esa_conjunctions(reference: Path) -> None:
    table = json.loads((reference / "pc_armellin_esa.json").read_text())
    columns = dict(zip(table["columns"], np.array(table["rows"], float).T, strict=True))

    def cov(who: str) -> np.ndarray:
        c = {ij: columns[f"{who}_c_{ij}"] / 1e6 for ij in ("rr", "tt", "nn", "rt", "rn", "tn")}
        return np.stack([c["rr"], c["rt"], c["rn"], c["rt"], c["tt"], c["tn"], c["rn"], c["tn"], c["nn"]], 1).reshape(
            -1, 3, 3
        )

    def vector(who: str, names: str) -> np.ndarray:
        return np.stack([columns[f"{who}_{name}"] for name in names.split()], axis=1) / 1e3

    found = encounter(
        vector("p", "x y z"), vector("p", "vx vy vz"), cov("p"),
        vector("s", "x y z"), vector("s", "vx vy vz"), cov("s"),
        columns["hbr_m"] / 1e3,
    )  # fmt: skip
    plane = found.miss_km, found.cov_km2, found.hbr_km
    squared = mahalanobis_squared(found.miss_km, found.cov_km2)
    assert squared == pytest.approx(columns["mahalanobis_sq_computed_here"], rel=1e-7)
    assert foster_1992(*plane) == pytest.approx(columns["Pc2D_converged_computed_here"], rel=1e-7)
    assert foster_1992(*plane) == pytest.approx(columns["Pc_alfano_published"], rel=4e-3)
    assert alfriend_1999(*plane) == pytest.approx(columns["Pc_alfriend_approx_published"], rel=1e-6)
    assert alfriend_1999(*plane, "maximum") == pytest.approx(columns["Pc_alfriend_max_published"], rel=1e-6)
