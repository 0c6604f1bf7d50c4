"""Curved encounters: elements and their derivatives, 2D-Nc, 3D-Nc, Coppola, and the test of the 2-D assumptions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orbwatch.conjunction.mean_orbit import axes_without_retrograde, elements_of, mean_orbits, state_and_jacobian
from orbwatch.conjunction.probability import foster_1992
from orbwatch.conjunction.probability_nc import coppola_2012, hall_2021_nc3d, rate_history
from orbwatch.conjunction.probability_nc2d import hall_2021_nc2d
from orbwatch.conjunction.time_steps import published_steps
from orbwatch.conjunction.validity import hall_2023_validity
from orbwatch.frames import rtn_matrix

R1, V1 = np.array([[7000.0, 0.0, 0.0]]), np.array([[0.0, 6.5, 3.9]])
LIGHT, HEAVY = ("000020580_conj_000022015", "000043613_conj_000052010"), "000048901_conj_000048903_20211219_182317"
DIGITS = ("inaccurate", "offset", "extended")


def straight(speed_km_s: float = 10.0, miss_km: float = 0.2) -> list[np.ndarray]:
    """A fast crossing with small round errors, for which straight paths do."""
    speed = float(np.linalg.norm(V1))
    side = np.cross(R1, V1) / np.linalg.norm(np.cross(R1, V1))
    half = np.arcsin(0.5 * speed_km_s / speed)
    turned = V1 * np.cos(2.0 * half) + side * speed * np.sin(2.0 * half)
    up = miss_km * R1 / np.linalg.norm(R1)
    cov = np.diag([0.01, 0.01, 0.01, 1e-10, 1e-10, 1e-10])[None]
    return [R1, V1, cov, R1 + up, turned, cov, np.array([0.01])]


def published(reference: Path, name: str) -> list[Any]:
    """States, covariances and radius of one of CARA's real events, and its published values."""
    cases = json.loads((reference / "pc_cara_real_cdms.json").read_text())["cases"]
    case = next(case for case in cases if case["id"].startswith(name))
    row = []
    for who in ("primary", "secondary"):
        r, v = (np.array(case[who][key])[None] / 1e3 for key in ("r_m", "v_mps"))
        turn = np.kron(np.eye(2), rtn_matrix(r, v)[0])
        row += [r, v, (turn.T @ (np.array(case[who]["cov_rtn"]) / 1e6) @ turn)[None]]
    return [*row, np.array([case["hbr_m"] / 1e3]), case["expected"]]


def test_derivatives_by_elements() -> None:
    r, v = np.repeat(R1, 6, axis=0), np.repeat(V1, 6, axis=0)
    elements, t_s = elements_of(r, 1.03 * v), np.full(6, -1234.0)
    _, jacobian = state_and_jacobian(elements, t_s)
    step = np.diag([1e-9, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6])
    ahead, back = state_and_jacobian(elements + step, t_s)[0], state_and_jacobian(elements - step, t_s)[0]
    measured = (ahead - back) / (2.0 * np.diag(step)[:, None])
    assert np.allclose(measured, jacobian[0].T, rtol=1e-6, atol=1e-6 * np.abs(jacobian[0]).max(axis=0)[:, None])


def test_orbits_that_are_none() -> None:
    cov = np.eye(6)[None]
    assert np.isnan(mean_orbits(R1, 2.0 * V1, cov).elements).all()  # hyperbolic
    backwards = axes_without_retrograde((np.array([[7000.0, 0.0, 0.0]]), np.array([[0.0, -7.5, 0.0]])))
    assert not np.array_equal(backwards[0], np.eye(3))
    assert np.allclose(backwards[0] @ backwards[0].T, np.eye(3))


def test_fast_crossing_is_foster() -> None:
    row = straight()
    cov = 2.0 * row[2][:, :2, :2]
    flat = foster_1992(np.array([[0.2, 0.0]]), cov, row[6])[0]
    validity = hall_2023_validity(*row)
    short = hall_2021_nc2d(*row, validity)
    even = hall_2021_nc3d(*row, steps="converged")
    assert not any(validity.violated(0).values())
    assert not any(short.violated(0).values())
    assert short.pc[0] == pytest.approx(flat, rel=1e-4)
    assert even.pc[0] == pytest.approx(flat, rel=1e-4)
    assert coppola_2012(*row).pc[0] == pytest.approx(flat, rel=1e-4)
    assert hall_2021_nc3d(*row).pc[0] / flat - 1.0 == pytest.approx(8.5e-4, abs=3e-4)  # the published steps
    assert even.start_s[0] < even.peak_s[0] < even.end_s[0]
    history = rate_history(*row)[0]
    assert history.pc[-1] == pytest.approx(flat, rel=1e-4)
    assert (np.diff(history.pc) >= 0.0).all()


def test_sphere_larger_than_the_errors() -> None:
    row = straight(miss_km=0.15)
    row[2] = row[5] = row[2] * 1e-2  # ten metres
    row[6] = np.array([0.165])
    flat = foster_1992(np.array([[0.15, 0.0]]), 2.0 * row[2][:, :2, :2], row[6])[0]
    assert 0.5 < flat < 0.99
    tiny = [*row[:2], row[2] * 1e-4, *row[3:5], row[5] * 1e-4, row[6]]
    assert hall_2021_nc3d(*tiny).status == ["unresolved"]
    assert hall_2021_nc3d(*row, steps="converged").pc[0] == pytest.approx(flat, rel=1e-3)


def test_bad_rows_do_not_stop_others() -> None:
    row = [np.concatenate([part, part]) for part in straight()]
    row[3][0] = np.nan
    validity = hall_2023_validity(*row)
    found = hall_2021_nc3d(*row)
    assert found.status == ["no_orbit", "ok"]
    assert np.isnan(found.pc[0])
    assert all(list(validity.violated(0).values())[1:])
    assert hall_2021_nc2d(*row, validity).status == ["no_orbit", "ok"]


def test_no_relative_motion_is_flagged() -> None:
    row = straight()
    row[4] = row[1]
    validity = hall_2023_validity(*row)
    assert validity.violated(0) | {"non_positive_definite": True} == dict.fromkeys(validity.violated(0), True)
    assert hall_2021_nc2d(*row, validity).status == ["no_bottom"]


def test_shared_error_cancels() -> None:
    row = straight()
    along = np.concatenate([0.099 * V1 / np.linalg.norm(V1), np.zeros((1, 3))], axis=1)
    apart = hall_2021_nc3d(*row, steps="converged").pc[0]
    together = hall_2021_nc3d(*row, (along, along), steps="converged").pc[0]
    cov = 2.0 * row[2][0, :3, :3] - 2.0 * np.outer(along[0, :3], along[0, :3])
    side = (row[1] + row[4])[0] / np.linalg.norm(row[1] + row[4])
    flat = foster_1992(np.array([[0.2, 0.0]]), np.diag([0.02, side @ cov @ side])[None], row[6])[0]
    assert together != pytest.approx(apart, rel=0.1)
    assert together == pytest.approx(flat, rel=1e-3)


def test_published_steps_of_a_bell() -> None:
    t_s, rate = published_steps(lambda t: np.exp(-0.5 * (t - 30.0) ** 2), (-8.0, 8.0), (-100.0, 100.0))
    assert t_s[0] < 24.0
    assert t_s[-1] > 36.0
    assert np.trapezoid(rate, t_s) == pytest.approx(np.sqrt(2.0 * np.pi), rel=2e-3)


@pytest.mark.parametrize("name", LIGHT)
def test_nasas_values(reference: Path, name: str) -> None:
    *row, expected = published(reference, name)
    validity = hall_2023_validity(*row)
    short = hall_2021_nc2d(*row, validity)
    assert short.pc[0] == pytest.approx(expected["Nc2D"], rel=1e-4)
    assert hall_2021_nc3d(*row, whole=short.lengthy).pc[0] == pytest.approx(expected["Nc3D"], rel=1e-4)
    assert coppola_2012(*row).pc[0] == pytest.approx(expected["Pc3D_coppola"], rel=1.5e-3)
    assert "".join(str(int(validity.violated(0)[key])) for key in DIGITS) == f"{expected['violations_Pc2D']:03d}"


def test_slow_encounter_of_nasas(reference: Path) -> None:
    *row, expected = published(reference, HEAVY)
    validity = hall_2023_validity(*row)
    short = hall_2021_nc2d(*row, validity)
    assert "".join(str(int(validity.violated(0)[key])) for key in DIGITS) == "111"
    assert "".join(str(int(short.violated(0)[key])) for key in DIGITS) == "011"
    assert short.pc[0] == pytest.approx(expected["Nc2D"], rel=1e-3)
    assert hall_2021_nc3d(*row, whole=short.lengthy).pc[0] == pytest.approx(expected["Nc3D"], rel=1e-3)
