"""Trials: their interval holds the analytic value, plainly and with importance; what cannot be drawn is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from orbwatch.catalog.cdm import read_cdm
from orbwatch.conjunction.cdm import probabilities
from orbwatch.conjunction.cdm_row import curved_row
from orbwatch.conjunction.monte_carlo import monte_carlo
from orbwatch.conjunction.probability_nc import hall_2021_nc3d
from orbwatch.conjunction.validity import hall_2023_validity


def straight(miss_km: float = 0.2) -> list[np.ndarray]:
    """A crossing at right angles with round errors of 0.1 km, a body of 10 m."""
    r, v = np.array([[7000.0, 0.0, 0.0]]), np.array([[0.0, 6.5, 3.9]])
    cov = np.diag([0.01, 0.01, 0.01, 1e-10, 1e-10, 1e-10])[None]
    return [r, v, cov, r + np.array([miss_km, 0.0, 0.0]), np.array([[0.0, -3.9, 6.5]]), cov, np.array([0.01])]


@pytest.mark.parametrize(("miss_km", "word"), [(0.05, "ok"), (0.9, "importance")])
def test_interval_holds_the_value(miss_km: float, word: str) -> None:
    row = straight(miss_km=miss_km)
    bottoms, pc = hall_2023_validity(*row).bottoms, hall_2021_nc3d(*row, steps="converged").pc
    found = monte_carlo(*row, bottoms, pc, samples=40_000, threads=1)
    assert found.status == [word]
    assert found.low[0] <= pc[0] <= found.high[0]
    assert found.high[0] - found.low[0] < 0.5 * pc[0]
    again = monte_carlo(*row, bottoms, pc, samples=40_000, threads=2)
    assert again.pc[0] == found.pc[0]


def test_long_and_short_agree() -> None:
    row = straight()
    bottoms = hall_2023_validity(*row).bottoms
    unknown = np.array([np.nan])
    short = monte_carlo(*row, bottoms, unknown, samples=4_000, within_s=(-5.0, 5.0))
    march = monte_carlo(*row, (None,), unknown, samples=4_000, within_s=(-5.0, 5.0))
    assert short.hits[0] == march.hits[0] > 0


def test_long_and_rare() -> None:
    row = straight(miss_km=0.9)
    pc = hall_2021_nc3d(*row, steps="converged").pc
    found = monte_carlo(*row, (None,), pc, samples=4_000, within_s=(-5.0, 5.0))
    assert pc[0] < 1e-5
    assert found.status == ["importance"]
    assert found.hits[0] > 400
    assert found.low[0] <= pc[0] <= found.high[0]
    assert found.high[0] - found.low[0] < 0.3 * pc[0]
    one = monte_carlo(*row, (None,), pc, samples=4_000, within_s=(-5.0, 5.0), threads=1)
    assert one.pc[0] == found.pc[0]


def test_nasas_two_satellites_that_fly_together(data: Path) -> None:
    """CARA's Monte Carlo of this long encounter, 2D-Pc 6e-168: 1.144e-5 to 1.189e-5."""
    cdm = read_cdm(next((data / "cdm/cara").glob("000048901_conj_000048903_20211219_235030*")))
    row, _ = curved_row(cdm, probabilities(cdm))
    assert row is not None
    bottoms = hall_2023_validity(*row).bottoms
    with np.errstate(all="ignore"):
        found = monte_carlo(*row, bottoms, np.array([1.15e-5]), samples=20_000)
    assert found.low[0] < 1.189e-5
    assert found.high[0] > 1.144e-5
    assert found.high[0] - found.low[0] < 0.06 * found.pc[0]


def test_no_hits_leave_an_upper_limit() -> None:
    row = straight(miss_km=5.0)
    found = monte_carlo(*row, (None,), np.array([np.nan]), samples=1_000, within_s=(-5.0, 5.0))
    assert found.status == ["few_hits"]
    assert (found.pc[0], found.low[0]) == (0.0, 0.0)
    assert found.high[0] == pytest.approx(1.0 - 0.025 ** (1.0 / 1000), rel=1e-6)


def test_what_cannot_be_drawn() -> None:
    row = straight()
    row[2] = row[2] - 0.02 * np.diag([1.0, 0, 0, 0, 0, 0])[None]
    assert monte_carlo(*row, (None,), np.array([np.nan]), samples=10).status == ["not_a_covariance"]
    row[0] = row[0] * np.nan
    assert monte_carlo(*row, (None,), np.array([np.nan]), samples=10).status == ["no_orbit"]
