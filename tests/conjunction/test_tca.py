"""Closest approach: published shifts and durations, historical pairs, refinement against the sgp4 library."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sgp4.api import WGS72, Satrec

from orbwatch.catalog.gp import GpTable
from orbwatch.conjunction.tca import coppola_2012, linear_tca, pair_states, refine_tca
from orbwatch.errors import InputError
from orbwatch.propagate.sgp4 import Sgp4Catalog

# Iridium 33 and Cosmos 2251, the last element sets before their collision of 2009-02-10 16:55:59.806 UTC.
IRIDIUM = (
    "1 24946U 97051C   09040.78448243 +.00000153 +00000-0 +47668-4 0  9994",
    "2 24946 086.3994 121.7028 0002288 085.1644 274.9812 14.34219863597336",
)
COSMOS = (
    "1 22675U 93036A   09040.49834364 -.00000001  00000-0  95251-5 0  9996",
    "2 22675 074.0355 019.4646 0016027 098.7014 261.5952 14.31135643817415",
)


def us(text: str) -> int:
    return int(np.datetime64(text[:26], "us").astype(np.int64))


def catalog(*lines: tuple[str, str] | list[str]) -> Sgp4Catalog:
    rows = []
    for line_1, line_2 in lines:
        s = Satrec.twoline2rv(line_1, line_2, WGS72)
        rows.append(
            {
                "norad_id": s.satnum,
                "epoch_us": round((s.jdsatepoch - 2440587.5) * 86_400_000_000) + round(s.jdsatepochF * 86_400_000_000),
                "mean_motion_rev_day": s.no_kozai * 1440.0 / (2.0 * np.pi),
                "eccentricity": s.ecco,
                "inclination_deg": np.rad2deg(s.inclo),
                "raan_deg": np.rad2deg(s.nodeo),
                "arg_perigee_deg": np.rad2deg(s.argpo),
                "mean_anomaly_deg": np.rad2deg(s.mo),
                "bstar_per_er": s.bstar,
            }
        )
    return Sgp4Catalog.from_gp(GpTable.from_rows(rows))


FIRST, SECOND = np.array([0]), np.array([1])


@pytest.mark.parametrize("guess_s", [0.0, -1.5, 1.9])
def test_iridium_and_cosmos_meet_where_they_collided(guess_s: float) -> None:
    start_us = us("2009-02-10T16:55:59.806")
    found = refine_tca(catalog(IRIDIUM, COSMOS), FIRST, SECOND, start_us, np.array([guess_s]))
    assert found.converged.all()
    assert found.tca_s[0] == pytest.approx(-0.0102, abs=0.0005)
    miss = np.linalg.norm(found.states[2] - found.states[0])
    assert miss == pytest.approx(0.698, abs=0.001)
    assert np.linalg.norm(found.states[3] - found.states[1]) == pytest.approx(11.647, abs=0.001)


def test_a_minimum_out_of_reach_is_not_given() -> None:
    start_us = us("2009-02-10T16:55:59.806")
    found = refine_tca(catalog(IRIDIUM, COSMOS), FIRST, SECOND, start_us, np.array([10.0]), reach_s=2.0)
    assert not found.converged[0]


def test_a_maximum_is_not_given_as_a_minimum_and_bisection_finds_one_that_newton_leaves() -> None:
    pair = catalog(IRIDIUM, COSMOS)
    start_us = us("2009-02-10T16:55:59.806")
    seconds = np.arange(0.0, 6000.0, 1.0)
    states, _ = pair_states(pair, np.zeros(6000, np.int64), np.ones(6000, np.int64), start_us, seconds)
    far = seconds[np.argmax(np.linalg.norm(states[2] - states[0], axis=1))]
    assert not refine_tca(pair, FIRST, SECOND, start_us, np.array([far]), reach_s=5.0).converged[0]
    # Newton goes astray from far off; within the reach the range rate turns once
    found = refine_tca(pair, FIRST, SECOND, start_us, np.array([-740.0]), reach_s=745.0)
    assert found.converged[0]
    assert found.tca_s[0] == pytest.approx(-0.0102, abs=0.0005)


def test_identical_orbits_have_no_minimum_and_failed_objects_none() -> None:
    same = catalog(IRIDIUM, IRIDIUM)
    start_us = us("2009-02-10T16:55:59.806")
    refine_tca(same, FIRST, SECOND, start_us, np.array([0.0]))  # any answer, no fault
    decayed = (
        "1 24946U 97051C   09040.78448243 +.00000153 +00000-0 +90000-0 0  9994",
        IRIDIUM[1].replace("14.34", "16.40"),
    )
    found = refine_tca(catalog(decayed, COSMOS), FIRST, SECOND, start_us + 10 * 86_400_000_000, np.array([0.0]))
    assert not found.converged[0]


def test_linear_shift_of_straight_lines() -> None:
    r1, v1 = np.zeros((4, 3)), np.zeros((4, 3))
    r2 = np.array([[-10.0, 3.0, 0.0], [10.0, 0.0, 1.0], [0.0, 0.0, 2.0], [1.0, 1.0, 1.0]])
    v2 = np.array([[5.0, 0.0, 0.0], [5.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(linear_tca(r1, v1, r2, v2), [2.0, -2.0, 0.0, 0.0])
    assert linear_tca(r1[0], v1[0], r2[0], v2[0]) == pytest.approx(2.0)


# Hall, Hejduk & Johnson (2018), AAS 18-244, figure 1: state and covariance in metres.
HALL_R = np.array(
    [-983984.8654647591 + 984209.364744248, 393643.4850314705 - 393192.626408639, 6991219.47301802 - 6991224.004693392]
)
HALL_V = np.array(
    [
        1509.248147563707 - 4883.45411212384,
        7373.003029689082 - 5689.294308456769,
        -149.2499807334025 - 366.5363038076542,
    ]
)
HALL_COV = np.array(
    [
        [
            49760.52019427295 + 42450.99621043838,
            57870.5603467525 + 206596.3368930267,
            3370.244323972227 - 5010.043216505899,
        ],
        [0.0, 67308.71246008216 + 1005872.352933331, 3926.688367496737 - 24348.84753961109],
        [0.0, 0.0, 246.1405204706109 + 613.1211497491],
    ]
)
HALL_COV = np.triu(HALL_COV) + np.triu(HALL_COV, 1).T


def test_duration_of_a_published_encounter() -> None:
    bounds = coppola_2012(HALL_R / 1e3, HALL_V / 1e3, HALL_COV / 1e6, 0.020)
    assert bounds == pytest.approx((-0.3420684860400457, 0.3904469210852202), rel=5e-8)


def test_duration_without_relative_motion_or_miss() -> None:
    assert coppola_2012(np.ones(3), np.zeros(3), np.eye(3), 0.01) == (-np.inf, np.inf)
    early, late = coppola_2012(np.zeros(3), np.array([0.0, 7.0, 0.0]), np.eye(3), 0.01)
    assert -early == pytest.approx(late, rel=1e-2)
    with pytest.raises(InputError, match="gamma"):
        coppola_2012(np.ones(3), np.ones(3), np.eye(3), 0.01, gamma=0.0)


# ------------------------------------------------------------------------------------ with the reference cases


def cases(reference: Path, kind: str) -> list[dict[str, object]]:
    read: list[dict[str, object]] = json.loads((reference / "tca_cases.json").read_text())[kind]
    assert read
    return read


def test_reference_linear_shifts(reference: Path) -> None:
    for case in cases(reference, "linear_tca"):
        x1, x2 = np.array(case["X1"]), np.array(case["X2"])
        assert float(linear_tca(x1[:3], x1[3:], x2[:3], x2[3:])) == pytest.approx(case["expected_dtca_s"], abs=0.001)


def test_reference_durations(reference: Path) -> None:
    for case in cases(reference, "conj_duration"):
        r, v = np.subtract(case["r2"], case["r1"]), np.subtract(case["v2"], case["v1"])
        cov = np.add(case["cov1"], case["cov2"])
        bounds = coppola_2012(r, v, cov, case["hbr_m"], case["gamma"])
        assert bounds == pytest.approx((case["expected_tau0_s"], case["expected_tau1_s"]), rel=case["rel_tol"])


def test_reference_historical_pairs(reference: Path) -> None:
    for case in cases(reference, "tle_pairs"):
        pair = catalog(case["tle1"], case["tle2"])
        for computed in case["computed_here_sgp4_wgs72"]:
            start_us = us(computed["ref_utc"])
            found = refine_tca(pair, FIRST, SECOND, start_us, np.zeros(1))
            assert found.tca_s[0] == pytest.approx(computed["tca_minus_ref_s"], abs=1e-4)
            assert abs(found.tca_s[0]) < 0.25
            miss = np.linalg.norm(found.states[2] - found.states[0])
            assert miss == pytest.approx(computed["miss_km"], abs=1e-3)
