"""Coordinates that bend with the orbit: inverse of each other, and what they mean."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from orbwatch.constants import WGS72_MU_KM3_S2
from orbwatch.elements import Keplerian, keplerian_to_cartesian, mean_to_true_rad
from orbwatch.propagate.curvilinear import shift_of, shifted


def _state(a_km: float, ecc: float, mean_rad: float) -> np.ndarray:
    true = mean_to_true_rad(np.array([mean_rad]), np.array([ecc]))
    elements = Keplerian(*(np.array([v]) for v in (a_km, ecc, 1.1, 0.4, 2.2)), true)
    return np.concatenate(keplerian_to_cartesian(elements, mu_km3_s2=WGS72_MU_KM3_S2), axis=1)


@given(
    st.floats(6700.0, 43000.0),
    st.floats(0.0, 0.8),
    st.floats(-3.0, 3.0),
    st.floats(-300.0, 300.0),
    st.floats(-30.0, 30.0),
    st.floats(-30.0, 30.0),
)
def test_what_was_shifted_is_found_again(
    a_km: float, ecc: float, mean: float, late_s: float, out_km: float, aside_km: float
) -> None:
    rv = _state(a_km, ecc if a_km * (1.0 - ecc) > 6500.0 else 0.0, mean)
    shift = np.array([[late_s, out_km, aside_km]])
    np.testing.assert_allclose(shift_of(rv, shifted(rv, shift)[:, :3]), shift, rtol=1e-9, atol=1e-8)


def test_a_time_alone_is_keplers_motion() -> None:
    mean, late_s = 0.3, 420.0
    rate = np.sqrt(WGS72_MU_KM3_S2 / 9000.0**3)
    later = shifted(_state(9000.0, 0.2, mean), np.array([[late_s, 0.0, 0.0]]))
    np.testing.assert_allclose(later, _state(9000.0, 0.2, mean + rate * late_s), rtol=1e-9, atol=1e-8)


def test_distances_across_are_outwards_and_along_the_momentum() -> None:
    rv = np.array([[7000.0, 0.0, 0.0, 0.0, 7.5, 0.0]])
    np.testing.assert_allclose(shift_of(rv, np.array([[7001.0, 0.0, 0.0]])), [[0.0, 1.0, 0.0]], atol=1e-9)
    np.testing.assert_allclose(shift_of(rv, np.array([[7000.0, 0.0, 2.0]])), [[0.0, 0.0, 2.0]], atol=1e-9)
    assert shift_of(rv, np.array([[7000.0, 7.5, 0.0]]))[0, 0] > 0.9


def test_more_than_a_revolution_of_shift_goes_round() -> None:
    rv = _state(7000.0, 0.01, 1.0)
    period_s = 2.0 * np.pi * np.sqrt(7000.0**3 / WGS72_MU_KM3_S2)
    round_again = shifted(rv, np.array([[100.0 + 3.0 * period_s, 0.0, 0.0]]))
    np.testing.assert_allclose(round_again, shifted(rv, np.array([[100.0, 0.0, 0.0]])), rtol=1e-9, atol=1e-6)


def test_no_answer_for_what_is_no_orbit_or_no_number() -> None:
    escape = np.array([[7000.0, 0.0, 0.0, 0.0, 12.0, 0.0]])
    ellipse = np.array([[7000.0, 0.0, 0.0, 0.0, 7.5, 0.0]])
    point = np.array([[7000.0, 1.0, 0.0]])
    assert np.isnan(shift_of(escape, point)).all()
    assert np.isnan(shifted(escape, np.zeros((1, 3)))).all()
    assert np.isnan(shift_of(ellipse, np.full((1, 3), np.nan))).all()
    assert np.isnan(shift_of(np.full((1, 6), np.nan), point)).all()
    assert np.isnan(shifted(ellipse, np.full((1, 3), np.nan))).all()


def test_any_leading_axes() -> None:
    rv = np.tile(_state(7000.0, 0.001, 0.2), (2, 3, 1)).reshape(2, 3, 6)
    moves = np.linspace(-50.0, 50.0, 18).reshape(2, 3, 3)
    np.testing.assert_allclose(shift_of(rv, shifted(rv, moves)[..., :3]), moves, atol=1e-8)
