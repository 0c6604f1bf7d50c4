"""The filter beside least squares: the same where both are right, and as honest."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.elements import Keplerian, keplerian_to_cartesian
from orbwatch.errors import InputError
from orbwatch.propagate.least_squares import NOT_AN_ORBIT, OK, TOO_FEW, fit_arcs
from orbwatch.propagate.ukf import filter_arcs
from orbwatch.propagate.zonal import propagate_zonal


def arcs(n: int, sigma_km: float, missing: float = 0.1) -> tuple[np.ndarray, ...]:
    """n noisy arcs, low, geostationary and eccentric in turn: true states at the end, times, positions, sigmas."""
    rng = np.random.default_rng(1)
    a, ecc = np.tile([7200.0, 42164.0, 26560.0], n)[:n], np.tile([0.01, 1e-3, 0.7], n)[:n]
    r, v = keplerian_to_cartesian(Keplerian(a, ecc, rng.uniform(0.02, 3.0, n), *rng.uniform(0.0, 6.28, (3, n))))
    rv = np.concatenate([r, v], axis=1)
    t_s = np.tile(np.arange(-19.0, 1.0) * 60.0, (n, 1))
    r_km = propagate_zonal(rv, t_s).rv_km[..., :3] + sigma_km * rng.standard_normal((n, 20, 3))
    r_km[rng.uniform(size=(n, 20)) < missing] = np.nan
    return rv, t_s, r_km, np.full((n, 20), sigma_km)


def nees(error: np.ndarray, cov: np.ndarray) -> np.ndarray:
    return np.einsum("ni,ni->n", error, np.linalg.solve(cov, error[..., None])[..., 0])


@pytest.mark.parametrize("sigma_km", [0.01, 0.5])
def test_without_process_noise_it_is_least_squares(sigma_km: float) -> None:
    rv, t_s, r_km, sigma = arcs(1500, sigma_km)
    followed, fitted = filter_arcs(t_s, r_km, sigma, process_km2_s3=0.0), fit_arcs(t_s, r_km, sigma)
    assert (followed.status == OK).all()
    assert np.median(nees(followed.rv_km - fitted.rv_km, fitted.cov)) < 0.05
    assert nees(followed.rv_km - rv, followed.cov).mean() == pytest.approx(6.0, abs=0.5)
    assert followed.rms.mean() == pytest.approx(1.0, abs=0.03)
    np.testing.assert_allclose(
        np.median(np.linalg.det(followed.cov) / np.linalg.det(fitted.cov)), 1.0, atol=0.25
    )  # fmt: skip


def test_process_noise_widens_and_a_guess_is_taken() -> None:
    rv, t_s, r_km, sigma = arcs(30, 0.05)
    quiet, loud = (filter_arcs(t_s, r_km, sigma, rv, threads=2, process_km2_s3=q) for q in (0.0, 1e-10))
    assert (np.trace(loud.cov, axis1=1, axis2=2) > np.trace(quiet.cov, axis1=1, axis2=2)).all()
    assert np.median(nees(quiet.rv_km - filter_arcs(t_s, r_km, sigma, process_km2_s3=0.0).rv_km, quiet.cov)) < 0.1


def test_hopeless_arcs_have_a_status() -> None:
    _, t_s, r_km, sigma = arcs(5, 0.01, missing=0.0)
    r_km[0] = np.nan
    r_km[1, 3:] = np.nan
    r_km[2] = np.linspace([7000.0, 0.0, 0.0], [7000.0, 2e4, 0.0], 20)
    r_km[3, -2:] = np.nan  # the epoch is later than the last position
    made = filter_arcs(t_s, r_km, sigma)
    np.testing.assert_array_equal(made.status, [TOO_FEW, TOO_FEW, NOT_AN_ORBIT, OK, OK])
    assert np.isnan(made.rv_km[:3]).all()
    assert np.isfinite(made.rv_km[3:]).all()
    assert len(filter_arcs(t_s[:0], r_km[:0], sigma[:0]).rv_km) == 0
    with pytest.raises(InputError, match="noise"):
        filter_arcs(t_s, r_km, sigma, process_km2_s3=-1.0)
