"""Fits of short arcs: exact without noise, honest with it, and the same however they are started."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.elements import Keplerian, keplerian_to_cartesian
from orbwatch.errors import InputError
from orbwatch.propagate.least_squares import NOT_AN_ORBIT, OK, TOO_FEW, fit_arcs
from orbwatch.propagate.zonal import propagate_zonal

SIZES = {
    "LEO": (6800.0, 7900.0, 0.02),
    "MEO": (2e4, 3e4, 0.02),
    "GEO": (42163.0, 42165.0, 1e-3),
    "HEO": (26560.0, 26561.0, 0.74),
}


def arcs(n: int, sigma_km: float, missing: float = 0.1, seed: int = 1) -> tuple[np.ndarray, ...]:
    """n noisy arcs of all regimes in turn: true states at the end, times, positions, sigmas."""
    rng = np.random.default_rng(seed)
    low, high, ecc = (np.array([size[k] for size in SIZES.values()])[np.arange(n) % 4] for k in range(3))
    angles = rng.uniform(0.0, 2.0 * np.pi, (3, n))
    r, v = keplerian_to_cartesian(
        Keplerian(rng.uniform(low, high), rng.uniform(0.8, 1.0, n) * ecc, rng.uniform(0.02, 3.0, n), *angles)
    )
    rv = np.concatenate([r, v], axis=1)
    t_s = np.tile(np.arange(-19.0, 1.0) * 60.0, (n, 1))
    r_km = propagate_zonal(rv, t_s).rv_km[..., :3] + sigma_km * rng.standard_normal((n, 20, 3))
    r_km[rng.uniform(size=(n, 20)) < missing] = np.nan
    return rv, t_s, r_km, np.full((n, 20), max(sigma_km, 1e-6))


def whitened(error: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """Errors (n, 6) in units of their covariances' factors."""
    return np.linalg.solve(np.linalg.cholesky(cov), error[..., None])[..., 0]


def test_without_noise_the_orbit_comes_back() -> None:
    rv, t_s, r_km, sigma_km = arcs(40, 0.0)
    fit = fit_arcs(t_s, r_km, sigma_km)
    assert (fit.status == OK).all()
    assert np.abs(fit.rv_km - rv)[:, :3].max() < 1e-6  # a gap is stepped over in other steps: 0.1 mm
    assert np.abs(fit.rv_km - rv)[:, 3:].max() < 1e-9
    assert fit.rms.max() < 0.5


@pytest.mark.parametrize("sigma_km", [0.005, 0.05, 1.0])
def test_errors_are_what_the_covariance_says(sigma_km: float) -> None:
    n = 4000
    rv, t_s, r_km, sigma_km_all = arcs(n, sigma_km)
    fit = fit_arcs(t_s, r_km, sigma_km_all)
    assert (fit.status == OK).all()
    z = whitened(fit.rv_km - rv, fit.cov)
    for regime in range(4):
        mine = z[regime::4]
        nees = (mine**2).sum(axis=1).mean()
        assert nees == pytest.approx(6.0, abs=4.5 * np.sqrt(12.0 / (n / 4)))
        np.testing.assert_allclose(mine.T @ mine / len(mine), np.eye(6), atol=4.5 * np.sqrt(2.0 / (n / 4)))
    assert fit.rms.mean() == pytest.approx(1.0, abs=0.02)


def test_the_start_does_not_matter() -> None:
    rv, t_s, r_km, sigma_km = arcs(400, 0.05)
    cold, warm = fit_arcs(t_s, r_km, sigma_km), fit_arcs(t_s, r_km, sigma_km, rv)
    far = fit_arcs(t_s, r_km, sigma_km, rv * (1.0 + 0.01 * np.random.default_rng(2).standard_normal(rv.shape)))
    some = rv.copy()
    some[::3] = np.nan
    mixed = fit_arcs(t_s, r_km, sigma_km, some, threads=2)
    for other in (warm, far, mixed):
        assert (other.status == OK).all()
        assert np.abs(whitened(other.rv_km - cold.rv_km, cold.cov)).max() < 1e-3
        np.testing.assert_allclose(other.rms, cold.rms, atol=1e-4)


def test_an_arc_is_the_same_alone_and_in_any_order() -> None:
    _, t_s, r_km, sigma_km = arcs(30, 0.05)
    r_km[4, :, 0] = np.nan
    together = fit_arcs(t_s, r_km, sigma_km)
    shuffled = np.random.default_rng(3).permutation(20)
    again = fit_arcs(t_s[:, shuffled], r_km[:, shuffled], sigma_km[:, shuffled])
    np.testing.assert_array_equal(again.rv_km, together.rv_km)
    for i in (3, 17, 29):
        alone = fit_arcs(t_s[i : i + 1], r_km[i : i + 1], sigma_km[i : i + 1])
        np.testing.assert_array_equal(alone.rv_km[0], together.rv_km[i])
        np.testing.assert_array_equal(alone.cov[0], together.cov[i])


def test_missing_positions_and_sigmas_weigh_nothing() -> None:
    _, t_s, r_km, sigma_km = arcs(8, 0.05, missing=0.0)
    hidden = r_km.copy()
    hidden[:, 5:9] = np.nan
    hidden[:, -1] = np.nan  # the epoch itself
    fit = fit_arcs(t_s, hidden, sigma_km)
    keep = np.r_[0:5, 9:19]
    short = fit_arcs(t_s[:, keep], r_km[:, keep], sigma_km[:, keep])
    assert (fit.count == 15).all()
    np.testing.assert_allclose(fit.rv_km, short.rv_km, rtol=1e-9)
    sigma_km[:, keep] *= 2.0
    heavy = fit_arcs(t_s, hidden, sigma_km)
    np.testing.assert_allclose(heavy.cov, 4.0 * fit.cov, rtol=1e-6)
    np.testing.assert_allclose(heavy.rms, fit.rms / 2.0, rtol=1e-6)


def test_few_positions() -> None:
    rv, t_s, r_km, sigma_km = arcs(40, 0.01, missing=0.0)
    for count in (3, 4, 5, 6):
        sparse = r_km.copy()
        sparse[:, np.setdiff1d(np.arange(20), np.linspace(0, 19, count).astype(int))] = np.nan
        fit = fit_arcs(t_s, sparse, sigma_km)
        assert (fit.count == count).all()
        if count < 4:
            assert (fit.status == TOO_FEW).all()
            assert np.isnan(fit.rv_km).all()
        else:
            assert (fit.status == OK).all()
            assert (whitened(fit.rv_km - rv, fit.cov) ** 2).sum(axis=1).max() < 40.0


def test_hopeless_arcs_have_a_status() -> None:
    _, t_s, r_km, sigma_km = arcs(6, 0.01, missing=0.0)
    r_km[0] = np.nan
    r_km[1] = 7000.0  # does not move
    r_km[2] = np.random.default_rng(4).normal(0.0, 3e4, (20, 3))
    r_km[3] = np.linspace([7000.0, 0.0, 0.0], [7000.0, 2e4, 0.0], 20)  # 17 km/s: leaves for good
    sigma_km[4] = np.nan
    fit = fit_arcs(t_s, r_km, sigma_km)
    assert fit.status[0] == fit.status[4] == TOO_FEW
    assert fit.rms[1] > 1e3 or fit.status[1] != OK
    assert fit.rms[2] > 1e3 or fit.status[2] != OK
    assert fit.status[3] == NOT_AN_ORBIT
    assert fit.status[5] == OK
    assert np.isnan(fit.rv_km[fit.status != OK]).all()
    assert np.isfinite(fit.rv_km[5]).all()
    assert len(fit_arcs(t_s[:0], r_km[:0], sigma_km[:0]).rv_km) == 0


def test_unequal_lengths_are_refused() -> None:
    _, t_s, r_km, sigma_km = arcs(4, 0.01)
    with pytest.raises(InputError, match="unequal"):
        fit_arcs(t_s[:, 1:], r_km, sigma_km)
    with pytest.raises(InputError, match="one guess"):
        fit_arcs(t_s, r_km, sigma_km, np.zeros((3, 6)))
