"""The simplest forecasts: positions held, slopes of polynomials, Kepler's motion on every conic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbwatch.elements import Keplerian, keplerian_to_cartesian, mean_to_true_rad
from orbwatch.errors import InputError
from orbwatch.propagate.last_state import hold, last_state, two_body
from orbwatch.propagate.zonal_kernel import MU_KM3_S2


def test_vallados_example() -> None:
    # Vallado 2013, example 2-4: 40 minutes, to the digits given.
    rv = np.array([[1131.340, -2282.343, 6672.423, -5.64305, 4.30333, 2.42879]])
    after = two_body(rv, np.array([[2400.0]]))[0, 0]
    np.testing.assert_allclose(after[:3], [-4219.7527, 4363.0292, -3958.7666], atol=5e-3)
    np.testing.assert_allclose(after[3:], [3.689866, -1.916735, -6.112511], atol=5e-6)


def test_ellipses_agree_with_their_elements() -> None:
    rng = np.random.default_rng(1)
    n = 200
    a, ecc = rng.uniform(6700.0, 50000.0, n), rng.uniform(0.0, 0.95, n)
    angles = rng.uniform(0.05, 3.0, (3, n))
    mean = rng.uniform(0.0, 6.28, n)
    rate = np.sqrt(MU_KM3_S2 / a**3)
    offsets_s = rng.uniform(-3e5, 3e5, (n, 4))

    def state(mean_anomaly_rad: np.ndarray) -> np.ndarray:
        elements = Keplerian(a, ecc, *angles, mean_to_true_rad(mean_anomaly_rad, ecc))
        return np.concatenate(keplerian_to_cartesian(elements, mu_km3_s2=MU_KM3_S2), axis=1)

    got = two_body(state(mean), offsets_s)
    for j in range(4):
        np.testing.assert_allclose(got[:, j, :3], state(mean + rate * offsets_s[:, j])[:, :3], atol=1e-5)


@given(
    st.floats(0.3, 3.0),
    st.floats(-1.5, 1.5),
    st.floats(-2e4, 2e4).filter(lambda t: abs(t) > 1e-3),
    st.floats(6400.0, 5e4),
)
def test_any_conic_keeps_energy_momentum_and_goes_back(
    speed: float, climb: float, seconds: float, radius: float
) -> None:
    circular = np.sqrt(MU_KM3_S2 / radius)
    rv = np.array([[radius, 0.0, 0.0, speed * circular * np.sin(climb), speed * circular * np.cos(climb), 0.1]])
    there = two_body(rv, np.array([[seconds]]))[:, 0]
    back = two_body(there, np.array([[-seconds]]))[:, 0]
    np.testing.assert_allclose(
        np.cross(there[:, :3], there[:, 3:]), np.cross(rv[:, :3], rv[:, 3:]), rtol=1e-8, atol=1e-4
    )
    energy = [0.5 * (x[:, 3:] ** 2).sum() - MU_KM3_S2 / np.linalg.norm(x[:, :3]) for x in (rv, there)]
    assert energy[0] == pytest.approx(energy[1], abs=1e-7 * MU_KM3_S2 / min(np.linalg.norm(there[:, :3]), radius))
    np.testing.assert_allclose(back, rv, rtol=1e-6, atol=1e-4 * max(1.0, speed * circular))


def test_parabola_and_missing_states() -> None:
    radius = 7000.0
    rv = np.array([[radius, 0.0, 0.0, 0.0, np.sqrt(2.0 * MU_KM3_S2 / radius), 0.0], [np.nan] * 6])
    got = two_body(rv, np.array([[1000.0, -1000.0, 0.0], [1.0, 2.0, 3.0]]))
    # Barker's equation: perigee distance q, D = tan(true anomaly / 2).
    d = np.sinh(np.arcsinh(1.5 * np.sqrt(MU_KM3_S2 / (2.0 * radius**3)) * 1000.0) / 3.0) * 2.0
    np.testing.assert_allclose(np.linalg.norm(got[0, 0, :3]), radius * (1.0 + d * d), rtol=1e-9)
    np.testing.assert_allclose(got[0, 1, :2], got[0, 0, :2] * [1.0, -1.0], rtol=1e-9)
    np.testing.assert_allclose(got[0, 2], rv[0], atol=1e-12)
    assert np.isnan(got[1]).all()
    with pytest.raises(InputError, match="one row"):
        two_body(rv, np.zeros((1, 1)))


def test_the_last_position_is_the_last_that_is_there() -> None:
    r_km = np.arange(24.0).reshape(2, 4, 3)
    r_km[0, 3, 1] = np.nan
    np.testing.assert_array_equal(hold(r_km), [[6.0, 7.0, 8.0], [21.0, 22.0, 23.0]])
    assert np.isnan(hold(np.full((1, 4, 3), np.nan))).all()


def test_a_state_from_positions_alone() -> None:
    rv = np.array([[7000.0, 0.0, 0.0, 0.1, 5.0, 5.6], [42164.0, 0.0, 0.0, 0.0, 3.07, 0.0]])
    t_s = np.tile(np.arange(-19.0, 1.0) * 60.0, (2, 1))
    r_km = two_body(rv, t_s)[..., :3]
    got = last_state(t_s, r_km)
    np.testing.assert_array_equal(got[:, :3], r_km[:, -1])
    np.testing.assert_allclose(got[:, 3:], rv[:, 3:], atol=2e-3)
    r_km[0, -3:] = np.nan  # two-body motion bridges the gap
    late = last_state(t_s, r_km)
    np.testing.assert_allclose(late[0], rv[0], atol=0.3)
    np.testing.assert_array_equal(late[1], got[1])
    r_km[0, :-6], r_km[0, -3:] = np.nan, np.nan  # three are left: a straight line
    assert np.isfinite(last_state(t_s, r_km)).all()
    r_km[0, -4] = np.nan
    assert np.isnan(last_state(t_s, r_km)[0]).all()
    with pytest.raises(InputError, match="unequal"):
        last_state(t_s[:, 1:], r_km)
