"""Zonal arcs against heyoka's Taylor integration of the same field, and their own symmetries."""

from __future__ import annotations

import heyoka as hy
import numpy as np
import pytest

from orbwatch.elements import Keplerian, keplerian_to_cartesian
from orbwatch.errors import InputError
from orbwatch.propagate import zonal_kernel
from orbwatch.propagate.zonal import propagate_zonal

REGIMES = {
    "LEO": (6800.0, 7900.0, 0.02),
    "MEO": (2e4, 3e4, 0.02),
    "GEO": (42163.0, 42165.0, 1e-3),
    "HEO": (26560.0, 26561.0, 0.74),
}


def states(regime: str, n: int, seed: int = 1) -> np.ndarray:
    """Orbits of a regime in all directions: (n, 6)."""
    rng = np.random.default_rng(seed)
    low, high, ecc = REGIMES[regime]
    eccentricity = rng.uniform(0.8, 1.0, n) * ecc
    angles = rng.uniform(0.0, 2.0 * np.pi, (3, n))
    r, v = keplerian_to_cartesian(
        Keplerian(rng.uniform(low, high, n), eccentricity, rng.uniform(0.02, 3.0, n), *angles)
    )
    return np.concatenate([r, v], axis=1)


def reference(rv: np.ndarray, offsets_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """heyoka's states (n, m, 6) and transitions (n, m, 6, 6) in EGM2008's zonal field to degree 4; offsets increase."""
    x, y, z, vx, vy, vz = hy.make_vars("x", "y", "z", "vx", "vy", "vz")
    pull = hy.model.egm2008_acc([1e3 * x, 1e3 * y, 1e3 * z], 4, 0)
    system = [(x, vx), (y, vy), (z, vz), *zip((vx, vy, vz), [1e-3 * a for a in pull], strict=True)]
    full = hy.var_ode_sys(system, hy.var_args.vars, order=1)
    integrator = hy.taylor_adaptive(full, state=np.ones(6), tol=1e-15, compact_mode=True)
    out = np.empty((len(rv), len(offsets_s), 42))
    for i, start in enumerate(rv):
        integrator.time = 0.0
        integrator.state[:] = np.concatenate([start, np.eye(6).ravel()])
        out[i] = integrator.propagate_grid(np.concatenate([[0.0], offsets_s]))[-1][1:]
    return out[..., :6], out[..., 6:].reshape(*out.shape[:2], 6, 6)


def test_the_constants_are_egm2008s() -> None:
    coefficients = hy.model.get_egm2008_CS()
    for degree, row, mine in ((2, 0, zonal_kernel.J2), (3, 3, zonal_kernel.J3), (4, 7, zonal_kernel.J4)):
        assert mine == pytest.approx(-np.sqrt(2 * degree + 1) * coefficients[row, 0], rel=1e-12)
    assert hy.model.get_egm2008_mu() * 1e-9 == zonal_kernel.MU_KM3_S2
    assert hy.model.get_egm2008_a() * 1e-3 == zonal_kernel.RADIUS_KM


def test_fifty_minutes_agree_with_heyoka() -> None:
    offsets_s = np.arange(1.0, 51.0) * 60.0
    rv = np.concatenate([states(regime, 20) for regime in REGIMES])
    wanted, transitions = reference(rv, offsets_s)
    got = propagate_zonal(rv, np.tile(offsets_s, (len(rv), 1)), stm=True)
    assert got.stm is not None
    error_m = 1e3 * np.linalg.norm(got.rv_km[..., :3] - wanted[..., :3], axis=-1)
    assert error_m.max() < 0.25
    assert error_m[20:60].max() < 1e-3  # MEO and GEO
    assert np.abs(got.rv_km[..., 3:] - wanted[..., 3:]).max() < 2e-7
    # Each block of the transitions has its own unit: compare with the largest of its kind.
    assert (np.abs(got.stm - transitions) / np.abs(transitions).max(axis=(0, 1))).max() < 2e-4


def test_back_again_any_order_and_missing_times() -> None:
    rv = states("LEO", 13)
    there = propagate_zonal(rv, np.full((13, 1), 1800.0)).rv_km[:, 0]
    back = propagate_zonal(there, np.full((13, 1), -1800.0)).rv_km[:, 0]
    assert np.abs(back[:, :3] - rv[:, :3]).max() < 1e-4
    mixed = np.tile([600.0, np.nan, -300.0, 0.0, 60.0, -1200.0], (13, 1))
    ordered = np.sort(mixed, axis=1)
    got, want = propagate_zonal(rv, mixed, stm=True, threads=2), propagate_zonal(rv, ordered, stm=True)
    assert got.stm is not None
    assert want.stm is not None
    for row, other in ((0, 4), (2, 1), (3, 2), (4, 3), (5, 0)):
        np.testing.assert_array_equal(got.rv_km[:, row], want.rv_km[:, other])
        np.testing.assert_array_equal(got.stm[:, row], want.stm[:, other])
    assert np.isnan(got.rv_km[:, 1]).all()
    np.testing.assert_array_equal(got.rv_km[:, 3], rv)


def test_an_object_is_the_same_alone_and_among_others() -> None:
    rv = np.concatenate([states(regime, 5) for regime in REGIMES])
    rv[3] = np.nan
    rv[4] = [0.0, 0.0, 7000.0, 0.0, 0.0, -9.0]  # falls through the Earth
    offsets_s = np.tile(np.linspace(-1500.0, 3000.0, 7), (len(rv), 1))
    all_together = propagate_zonal(rv, offsets_s).rv_km
    for i in (0, 2, 5, 19):
        np.testing.assert_array_equal(propagate_zonal(rv[i : i + 1], offsets_s[i : i + 1]).rv_km[0], all_together[i])
    assert np.isnan(all_together[3]).all()


def test_a_start_that_is_nan_takes_one_step() -> None:
    """And not the most that are allowed, which its neighbours in the tile would have to wait for."""
    tile = np.zeros(zonal_kernel.TILE)
    rv = np.concatenate([states("LEO", zonal_kernel.LANES - 1), np.full((1, 6), np.nan)])
    zonal_kernel.load_tile(tile, rv, 0)
    left = tile[zonal_kernel.LEFT : zonal_kernel.LEFT + zonal_kernel.LANES]
    left[:] = 60.0
    zonal_kernel.advance_tile(tile)
    assert not left.any()
    moved = tile[: 6 * zonal_kernel.LANES].reshape(6, -1)
    assert np.isfinite(moved[:, :-1]).all()
    assert np.isnan(moved[:, -1]).all()


def test_bad_input_is_named() -> None:
    rv = states("LEO", 2)
    with pytest.raises(InputError, match="one row of offsets"):
        propagate_zonal(rv, np.zeros((3, 1)))
    with pytest.raises(InputError, match="finite"):
        propagate_zonal(rv, np.full((2, 1), np.inf))
