"""The field to degree 8 as a shift of zonal orbits, against an integrator with the same field."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.elements import Keplerian, keplerian_to_cartesian
from orbwatch.errors import InputError
from orbwatch.frames import gcrf_to_teme
from orbwatch.learn.samples.windows import gmst_rad
from orbwatch.propagate.egm2008 import beyond_zonal
from orbwatch.propagate.field import field_shift, fit_arcs_in_field, propagate_field
from orbwatch.propagate.forces import ForceModel
from orbwatch.propagate.least_squares import fit_arcs
from orbwatch.propagate.numerical import propagate
from orbwatch.propagate.zonal import propagate_zonal
from orbwatch.time import parse_utc, us_to_jd

START_US = parse_utc("2024-03-01T06:00:00")
T_S = 60.0 * np.arange(-20.0, 31.0)
FIELD = ForceModel(degree=8, sun=False, moon=False, drag=False, radiation=False, tides=False, relativity=False)


def orbits(n: int = 12) -> np.ndarray:
    """LEO, MEO and HEO in turn, in TEME of the start."""
    rng = np.random.default_rng(3)
    kind = np.arange(n) % 3
    a = np.choose(kind, [rng.uniform(6750.0, 7800.0, n), np.full(n, 26560.0), np.full(n, 24400.0)])
    e = np.choose(kind, [rng.uniform(0.0, 0.02, n), np.full(n, 0.01), np.full(n, 0.72)])
    angles = rng.uniform(0.0, 2.0 * np.pi, (3, n))
    return np.concatenate(keplerian_to_cartesian(Keplerian(a, e, rng.uniform(0.1, 1.7, n), *angles)), axis=1)


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    jd, fr = us_to_jd(START_US)
    to_teme = np.stack([gcrf_to_teme(axis, np.zeros(3), jd, fr)[0] for axis in np.eye(3)], axis=1)
    rv = orbits()
    made = propagate(rv[:, :3] @ to_teme, rv[:, 3:] @ to_teme, START_US, T_S, FIELD)
    return np.concatenate([made.r_gcrf_km @ to_teme.T, made.v_gcrf_km_s @ to_teme.T], axis=2)


def sidereal(n: int) -> np.ndarray:
    return gmst_rad(np.full(n, START_US))


def test_orbits_agree_with_an_integrator_of_the_same_field(truth: np.ndarray) -> None:
    rv = orbits()
    times = np.tile(T_S, (len(rv), 1))
    apart = 1e3 * np.linalg.norm((propagate_field(rv, sidereal(len(rv)), times) - truth)[..., :3], axis=2)
    zonal = 1e3 * np.linalg.norm((propagate_zonal(rv, times).rv_km - truth)[..., :3], axis=2)
    assert apart.max() < 3.0
    assert apart[1::3].max() < 0.02  # MEO
    assert np.median(zonal[::3, -1]) > 30.0  # LEO: what the zonal field alone is off
    speed = 1e6 * np.linalg.norm((propagate_field(rv, sidereal(len(rv)), times) - truth)[..., 3:], axis=2)
    assert speed.max() < 6.0  # mm/s


def test_least_squares_finds_the_state_that_the_field_moves(truth: np.ndarray) -> None:
    rv = orbits()
    times, seen = np.tile(T_S[:21], (len(rv), 1)), truth[:, :21, :3]
    sigma = np.full(times.shape, 0.01)
    with_field = fit_arcs_in_field(times, seen, sigma, sidereal(len(rv)))
    assert (with_field.status == 0).all()
    assert 1e3 * np.abs(with_field.rv_km - rv)[:, :3].max() < 1.0
    assert with_field.rms.max() < 0.1
    plain = fit_arcs(times, seen, sigma)
    assert np.median(1e3 * np.linalg.norm((plain.rv_km - rv)[::3, :3], axis=1)) > 3.0


def test_times_between_nodes_any_order_and_what_is_missing() -> None:
    rv = orbits(3)
    times = np.array([[90.0, -35.0, np.nan, 0.0, 60.0]] * 3)
    shift = field_shift(rv, sidereal(3), times)
    assert not shift[:, 3].any()
    assert np.isnan(shift[:, 2]).all()
    apart = field_shift(rv, sidereal(3), np.array([[90.0, 60.0]] * 3))
    np.testing.assert_allclose(shift[:, [0, 4]], apart, atol=1e-12)
    near = propagate_field(rv, sidereal(3), np.array([[89.0, 91.0]] * 3))
    middle = propagate_field(rv, sidereal(3), np.array([[90.0]] * 3))[:, 0]
    np.testing.assert_allclose((near[:, 1, :3] - near[:, 0, :3]) / 2.0, middle[:, 3:], atol=1e-6)
    lost = field_shift(np.full((1, 6), np.nan), sidereal(1), np.array([[60.0]]))
    assert np.isnan(lost).all()
    assert field_shift(np.zeros((0, 6)), np.zeros(0), np.zeros((0, 4))).shape == (0, 4, 6)


def test_threads_do_not_change_it() -> None:
    rv = np.tile(orbits(12), (20, 1))
    times = np.tile(T_S, (len(rv), 1))
    np.testing.assert_array_equal(
        field_shift(rv, sidereal(len(rv)), times), field_shift(rv, sidereal(len(rv)), times, threads=2)
    )


def test_coefficients_are_the_published_ones() -> None:
    c, s = beyond_zonal()
    assert not c[2:5, 0].any()
    assert c[2, 2] == pytest.approx(1.5746e-6, rel=1e-4)  # EGM2008, unnormalised
    assert s[2, 2] == pytest.approx(-9.0387e-7, rel=1e-4)


def test_rows_must_match() -> None:
    with pytest.raises(InputError, match="one row of each"):
        field_shift(orbits(3), sidereal(2), np.zeros((3, 1)))
    with pytest.raises(InputError, match="finite"):
        field_shift(orbits(1), sidereal(1), np.array([[np.inf]]))
