"""The chance of a close miss, from how predictions change."""

from __future__ import annotations

import numpy as np

from orbwatch.conjunction.expected_miss import CHANGE_M, LEAD_DAY, p_miss_below


def chance(miss_km: float, lead_day: float, below_km: float = 0.2) -> float:
    return float(p_miss_below(np.array([miss_km]), np.array([lead_day]), below_km)[0])


def test_against_trials() -> None:
    rng = np.random.default_rng(1)
    median_km = CHANGE_M[2, 5] / 1e3
    angle = rng.uniform(0.0, 2.0 * np.pi, 200_000)
    share = rng.uniform(0.05, 0.95, 200_000)
    change = (
        np.exp(np.interp(share, [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95], np.log(CHANGE_M[2, :11])))
        / 1e3
    )
    for miss in (0.0, 0.1, median_km, 0.6):
        final = np.hypot(miss + change * np.cos(angle), change * np.sin(angle))
        inner = np.mean(final < 0.2)
        assert abs(chance(miss, float(LEAD_DAY[2])) - inner) < 0.06


def test_grows_with_nearness_and_is_one_or_none_at_the_ends() -> None:
    values = [chance(miss, 2.0) for miss in (0.0, 0.1, 0.2, 0.5, 1.0, 5.0, 50.0)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.5
    assert values[-1] == 0.0
    assert chance(0.05, 0.0) == chance(0.05, 0.75) > 0.9
    assert chance(2.0, 14.0) > chance(2.0, 6.5)
    assert np.isnan([chance(-1.0, 2.0), chance(np.nan, 2.0), chance(1.0, np.nan)]).all()
