from __future__ import annotations

import numpy as np
import pytest

from orbwatch.elements import Keplerian, keplerian_to_cartesian, mean_motion_rad_s, mean_to_true_rad
from orbwatch.errors import InputError
from orbwatch.propagate.interpolate import Ephemeris, Exact

START_US = 1_780_000_000_000_000


def orbit(a_km: float, ecc: float) -> Exact:
    """A Keplerian orbit as a propagator."""
    motion = mean_motion_rad_s(a_km)

    def exact(at_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        anomaly = mean_to_true_rad(motion * (at_us - START_US) / 1e6, ecc)
        ones = np.ones(len(at_us))
        return keplerian_to_cartesian(Keplerian(a_km * ones, ecc * ones, 0.9 * ones, 0.3 * ones, 2.0 * ones, anomaly))

    return exact


@pytest.mark.parametrize(("a_km", "ecc"), [(6900.0, 0.001), (24500.0, 0.72), (42164.0, 0.0002)])
def test_the_bound_holds_everywhere(a_km: float, ecc: float) -> None:
    exact = orbit(a_km, ecc)
    end_us = START_US + 40_000_000_000
    ephemeris = Ephemeris.from_propagator(exact, START_US, end_us, 1e-6, 300.0)
    assert ephemeris.bound_km <= 1e-6
    at_us = np.sort(np.random.default_rng(1).integers(START_US, end_us, 20_000))
    at_us[[0, -1]] = START_US, end_us
    r, v = ephemeris.at(at_us)
    r_exact, v_exact = exact(at_us)
    assert np.linalg.norm(r - r_exact, axis=1).max() <= ephemeris.bound_km
    assert np.abs(v - v_exact).max() < 1e-7


def test_a_bound_without_a_propagator_is_generous() -> None:
    exact = orbit(7000.0, 0.01)
    times_us = START_US + np.arange(60) * 120_000_000
    ephemeris = Ephemeris.from_states(times_us, *exact(times_us))
    middles_us = times_us[:-1] + 60_000_000
    error_km = np.linalg.norm(ephemeris.at(middles_us)[0] - exact(middles_us)[0], axis=1).max()
    assert error_km < ephemeris.bound_km < 1000 * error_km
    assert ephemeris.bound_km < 0.01
    uneven = Ephemeris.from_states(times_us[[0, 1, 3, 4, 8]], *(x[[0, 1, 3, 4, 8]] for x in exact(times_us)), exact)
    assert np.abs(uneven.at(times_us[[0, 3, 8]])[0] - exact(times_us[[0, 3, 8]])[0]).max() < 1e-9


def test_errors() -> None:
    exact = orbit(7000.0, 0.01)
    times_us = START_US + np.arange(6) * 60_000_000
    r, v = exact(times_us)
    ephemeris = Ephemeris.from_states(times_us, r, v, exact)
    with pytest.raises(InputError, match="outside the span"):
        ephemeris.at(times_us + 1)
    with pytest.raises(InputError, match="four states"):
        Ephemeris.from_states(times_us[:3], r[:3], v[:3])
    with pytest.raises(InputError, match="increasing"):
        Ephemeris.from_states(times_us[::-1].copy(), r, v)
    with pytest.raises(InputError, match="finite"):
        Ephemeris.from_states(times_us, r * np.nan, v)
    with pytest.raises(InputError, match="out of reach"):
        Ephemeris.from_propagator(exact, START_US, START_US + 10_000_000_000, 1e-14)
    with pytest.raises(InputError, match="empty span"):
        Ephemeris.from_propagator(exact, START_US, START_US)
