"""Features say what they claim, whitening is exact, and nothing that fails leaves a number that is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from orbwatch.constants import EARTH_RATE_RAD_S, WGS84_MU_KM3_S2, WGS84_RADIUS_KM
from orbwatch.elements import cartesian_to_modified_equinoctial
from orbwatch.errors import InputError
from orbwatch.frames import rtn_matrix
from orbwatch.learn.samples.features import CERTAIN, FEATURES, QUERY, Inputs, feature_table, inputs, restore
from orbwatch.learn.samples.features_kernel import log_density, sunlit
from orbwatch.learn.samples.whitening_kernel import PLAIN_KM, PLAIN_KM_S, factor_of
from orbwatch.learn.samples.windows import Windows
from orbwatch.propagate.field import fit_arcs_in_field, propagate_field
from orbwatch.propagate.least_squares import ArcFit, fit_arcs
from orbwatch.propagate.zonal import propagate_zonal

from ..simulated import windows

N = 203  # not a multiple of the tiles
NAMES = [feature.name for feature in FEATURES]


@pytest.fixture(scope="module")
def tracks() -> Windows:
    return windows(N, seed=2)


@pytest.fixture(scope="module")
def made(tracks: Windows) -> Inputs:
    return inputs(tracks)


def column(made: Inputs, name: str) -> np.ndarray:
    return made.x[..., NAMES.index(name)].astype(np.float64)


def past_fit(tracks: Windows) -> np.ndarray:
    """The orbit that features are read from; residuals are measured from it with the field's shift."""
    return propagate_zonal(tracks.fit.rv_km, tracks.t_s).rv_km


def finite(made: Inputs) -> None:
    for name, value in vars(made).items():
        assert value is None or np.isfinite(value).all(), name


def test_there_are_24_features_in_eight_groups_and_20_without_uncertainty() -> None:
    assert len(FEATURES) == len(set(NAMES)) == 24
    assert len(QUERY) == 8
    counts = {group: sum(f.group == group for f in FEATURES) for group in {f.group for f in FEATURES}}
    assert counts == {
        "residual": 3, "quality": 1, "uncertainty": 4, "orbit": 7, "air": 2, "sun": 4, "time": 1, "sidereal": 2
    }  # fmt: skip
    assert len(feature_table(False)) == len(CERTAIN) == 20


def test_no_feature_is_constant_or_wrapped() -> None:
    parts = [windows(80, seed=seed, sigma_km=sigma) for seed, sigma in ((1, 0.01), (2, 0.05), (3, 0.5))]
    made = inputs(Windows.concat(parts))
    assert (made.x[made.valid].std(axis=0) > 0.01).all()
    assert (made.query.reshape(-1, 8).std(axis=0) > 0.01).all()
    assert np.abs(made.x).max() < 100.0
    # one step of a minute never jumps, as an angle would; but a longitude turns quickly beside a pole
    smooth = [NAMES.index(f.name) for f in FEATURES if f.group in ("orbit", "sidereal")]
    assert np.median(np.abs(np.diff(made.x[..., smooth], axis=1)).max(axis=1), axis=0).max() < 0.1
    orbit = [NAMES.index(f.name) for f in FEATURES if f.group == "orbit"]
    assert np.abs(np.diff(made.x[..., orbit], axis=1)).max() < 0.3


def test_residuals_are_the_noise_left_after_the_fit(tracks: Windows, made: Inputs) -> None:
    rv = past_fit(tracks)
    where = propagate_field(tracks.fit.rv_km, tracks.gmst_rad, tracks.t_s)[..., :3]
    apart = np.einsum("nkij,nkj->nki", rtn_matrix(rv[..., :3], rv[..., 3:]), tracks.r_obs_km - where)
    scale = np.maximum(1.0, tracks.fit.rms)[:, None]
    seen = np.isfinite(apart).all(axis=2)
    np.testing.assert_array_equal(made.valid, seen)
    for axis, name in enumerate(("residual_r", "residual_t", "residual_n")):
        expected = np.where(seen, apart[..., axis] / tracks.sigma_km / scale, 0.0)
        np.testing.assert_allclose(column(made, name), expected, atol=1e-5)
    size = np.log1p(np.linalg.norm(apart, axis=2) / tracks.sigma_km)
    np.testing.assert_allclose(column(made, "mahalanobis")[seen], size[seen], rtol=1e-5)
    assert not column(made, "mahalanobis")[~seen].any()
    np.testing.assert_allclose(made.log_scale, np.log(scale[:, 0]), atol=1e-6)


def test_the_uncertainty_group_is_what_the_fit_says(tracks: Windows, made: Inputs) -> None:
    variance = np.einsum("nii->ni", tracks.fit.cov)
    position, speed = np.sqrt(variance[:, :3].mean(axis=1)), np.sqrt(variance[:, 3:].mean(axis=1))
    for name, expected in (
        ("sensor_sigma", np.log10(1e3 * tracks.sigma_km[:, 0])),
        ("fit_position_sigma", np.log10(1e3 * position)),
        ("fit_velocity_sigma", np.log10(1e3 * speed)),
        ("fit_rms", np.log(tracks.fit.rms)),
    ):
        np.testing.assert_allclose(column(made, name), np.tile(expected[:, None], 20), atol=1e-5)


def test_orbit_features_are_modified_equinoctial_elements(tracks: Windows, made: Inputs) -> None:
    rv = past_fit(tracks)
    mee = cartesian_to_modified_equinoctial(rv[..., :3], rv[..., 3:], mu_km3_s2=WGS84_MU_KM3_S2)
    for name, expected in (
        ("semi_latus_rectum", np.log(np.asarray(mee.p_km) / WGS84_RADIUS_KM)),
        ("f", mee.f), ("g", mee.g), ("h", mee.h), ("k", mee.k),
        ("sin_longitude", np.sin(mee.true_longitude_rad)), ("cos_longitude", np.cos(mee.true_longitude_rad)),
    ):  # fmt: skip
        np.testing.assert_allclose(column(made, name), expected, atol=2e-6)


def test_sun_time_and_earth_features(tracks: Windows, made: Inputs) -> None:
    rv = past_fit(tracks)
    sun = np.einsum("nkij,nj->nki", rtn_matrix(rv[..., :3], rv[..., 3:]), tracks.sun_teme)
    for axis, name in enumerate(("sun_r", "sun_t", "sun_n")):
        np.testing.assert_allclose(column(made, name), sun[..., axis], atol=1e-6)
    np.testing.assert_allclose(column(made, "dt"), tracks.t_s / 600.0, atol=1e-6)
    longitude = np.arctan2(rv[..., 1], rv[..., 0]) - tracks.gmst_rad[:, None] - EARTH_RATE_RAD_S * tracks.t_s
    np.testing.assert_allclose(column(made, "sin_sidereal"), np.sin(longitude), atol=1e-6)
    np.testing.assert_allclose(column(made, "cos_sidereal"), np.cos(longitude), atol=1e-6)
    dark = column(made, "sunlit") == 0.0
    assert 0.02 < dark.mean() < 0.4
    assert (sun[..., 0][dark] < 0.0).all()


def test_density_is_the_published_table_and_never_vanishes() -> None:
    for height, density in ((100.0, 5.297e-7), (200.0, 2.789e-10), (500.0, 6.967e-13), (1000.0, 3.019e-15)):
        assert log_density(height) == pytest.approx(np.log10(density), abs=1e-9)  # Vallado (2013), table 8-4
    # between the rows: the table's own exponential of its scale height, 53.298 km from 350 km, to a few per cent
    assert log_density(370.0) == pytest.approx(np.log10(9.518e-12 * np.exp(-20.0 / 53.298)), abs=0.03)
    heights = np.linspace(0.0, 60_000.0, 60_001)
    values = np.array([log_density(h) for h in heights])
    assert np.isfinite(values).all()
    assert (np.diff(values) <= 0.0).all()
    assert np.abs(np.diff(values)).max() < 0.08
    assert -20.0 < log_density(35786.0) < -18.0


def test_drag_is_that_of_the_public_ballistic_coefficient(tracks: Windows, made: Inputs) -> None:
    rv = past_fit(tracks)
    spin = np.stack([-rv[..., 1], rv[..., 0], 0.0 * rv[..., 0]], axis=-1) * EARTH_RATE_RAD_S
    speed2 = (1e6 * (rv[..., 3:] - spin) ** 2).sum(axis=-1)
    expected = np.log10(0.5 * tracks.ballistic_m2_kg[:, None] * speed2) + column(made, "density")
    np.testing.assert_allclose(column(made, "drag"), expected, atol=1e-5)


def test_shadow() -> None:
    assert sunlit(100.0, 0.0) == 1.0
    assert sunlit(-7000.0, 6300.0) == 0.0
    assert sunlit(-7000.0, 6500.0) == 1.0
    assert sunlit(-7000.0, WGS84_RADIUS_KM) == pytest.approx(0.5, abs=0.01)
    width = sum(0.0 < sunlit(-42000.0, x) < 1.0 for x in np.arange(6000.0, 6800.0, 1.0))
    assert width == pytest.approx(42000.0 * 2 * 695_700.0 / 149_597_870.7, abs=2)


def test_queries(tracks: Windows, made: Inputs) -> None:
    rv = propagate_zonal(tracks.fit.rv_km, tracks.horizon_s).rv_km
    np.testing.assert_allclose(made.query[..., 0], tracks.horizon_s / 1800.0, rtol=1e-6)
    sigma = np.sqrt((made.factor_km.astype(np.float64) ** 2).sum(axis=-1))
    np.testing.assert_allclose(made.query[..., 1:4], np.log10(1e3 * sigma), atol=1e-5)
    np.testing.assert_allclose(made.query[..., 4], rv[..., 2] / np.linalg.norm(rv[..., :3], axis=-1), atol=1e-6)
    longitude = np.arctan2(rv[..., 1], rv[..., 0]) - tracks.gmst_rad[:, None] - EARTH_RATE_RAD_S * tracks.horizon_s
    np.testing.assert_allclose(made.query[..., 5], np.sin(longitude), atol=1e-6)
    np.testing.assert_allclose(made.query[..., 6], np.cos(longitude), atol=1e-6)


def test_whitening_is_that_of_the_propagated_covariance(tracks: Windows, made: Inputs) -> None:
    zonal = propagate_zonal(tracks.fit.rv_km, tracks.horizon_s, stm=True)
    assert zonal.stm is not None
    in_field = propagate_field(tracks.fit.rv_km, tracks.gmst_rad, tracks.horizon_s)
    np.testing.assert_allclose(made.rv_km, in_field, rtol=0, atol=1e-7)
    axes = rtn_matrix(zonal.rv_km[..., :3], zonal.rv_km[..., 3:])
    np.testing.assert_allclose(made.rtn, axes, atol=1e-12)
    cov = zonal.stm @ tracks.fit.cov[:, None] @ zonal.stm.swapaxes(-1, -2)
    for part, factor in ((slice(0, 3), made.factor_km), (slice(3, 6), made.factor_km_s)):
        formal = axes @ cov[..., part, part] @ axes.swapaxes(-1, -2)
        root = factor.astype(np.float64)
        assert not np.triu(root, 1).any()
        assert (np.einsum("nhii->nhi", root) > 0.0).all()
        sigma = np.sqrt(np.einsum("nhii->nhi", formal))
        unit = (root @ root.swapaxes(-1, -2) - formal) / sigma[..., None] / sigma[..., None, :]
        assert np.abs(unit).max() < 1e-5


def test_mixing_rows_are_orthonormal_and_move_the_prediction(tracks: Windows, made: Inputs) -> None:
    for part in (slice(0, 3), slice(3, 6)):
        rows = made.mix[:, :, part, :6].astype(np.float64)
        np.testing.assert_allclose(rows @ rows.swapaxes(-1, -2), np.tile(np.eye(3), (N, 30, 1, 1)), atol=1e-6)
    # a correction L0 z0 of the fit moves the whitened residual by mix @ z0
    z0 = 0.01 * np.random.default_rng(4).standard_normal((N, 6))
    axes = rtn_matrix(tracks.fit.rv_km[:, :3], tracks.fit.rv_km[:, 3:])
    both = np.zeros((N, 6, 6))
    both[:, :3, :3] = both[:, 3:, 3:] = axes
    root = both.swapaxes(1, 2) @ np.linalg.cholesky(both @ tracks.fit.cov @ both.swapaxes(1, 2))
    moved = propagate_field(tracks.fit.rv_km + np.einsum("nij,nj->ni", root, z0), tracks.gmst_rad, tracks.horizon_s)
    expected = np.einsum("nhij,nj->nhi", made.mix[..., :6], z0)
    target = inputs(replace(tracks, truth_rv_km=moved)).target
    assert target is not None
    np.testing.assert_allclose(target * np.exp(made.log_scale)[:, None, None], expected, atol=3e-4)


def test_a_plain_residual_comes_back_as_kilometres(made: Inputs) -> None:
    plain = np.random.default_rng(5).standard_normal((N, 30, 6))
    mean = np.einsum("nhij,nhj->nhi", made.mix[..., 6:], plain)
    position, speed, _ = restore(made, mean, np.zeros((N, 30, 3, 3)))
    np.testing.assert_allclose(position, PLAIN_KM * plain[..., :3], atol=1e-5)
    np.testing.assert_allclose(speed, PLAIN_KM_S * plain[..., 3:], atol=1e-8)
    assert not made.mix[:, :, :3, 9:].any()
    assert not made.mix[:, :, 3:, 6:9].any()


def test_the_target_is_of_size_one_and_restored_is_the_truth(tracks: Windows, made: Inputs) -> None:
    assert made.target is not None
    assert tracks.truth_rv_km is not None
    scaled = made.target * np.exp(made.log_scale)[:, None, None]
    assert np.mean(scaled**2) == pytest.approx(1.0, abs=0.15)
    apart = tracks.truth_rv_km - made.rv_km
    position, speed, cov = restore(made, made.target, np.tile(np.eye(3, dtype=np.float32), (N, 30, 1, 1)))
    np.testing.assert_allclose(position, np.einsum("nhij,nhj->nhi", made.rtn, apart[..., :3]), atol=1e-6)
    np.testing.assert_allclose(speed, np.einsum("nhij,nhj->nhi", made.rtn, apart[..., 3:]), atol=1e-9)
    root = np.exp(made.log_scale)[:, None, None, None] * made.factor_km.astype(np.float64)
    np.testing.assert_allclose(cov, root @ root.swapaxes(-1, -2), rtol=1e-5, atol=1e-12)


def test_restored_covariance_of_any_factor(made: Inputs) -> None:
    rng = np.random.default_rng(6)
    factor = np.tril(rng.standard_normal((N, 30, 3, 3)))
    _, _, cov = restore(made, np.zeros((N, 30, 6)), factor)
    root = np.exp(made.log_scale)[:, None, None, None] * made.factor_km.astype(np.float64) @ factor
    np.testing.assert_allclose(cov, root @ root.swapaxes(-1, -2), rtol=1e-4, atol=1e-9)


def test_some_horizons_in_any_order_and_threads_change_nothing(tracks: Windows, made: Inputs) -> None:
    few = inputs(tracks, horizons=np.array([4, 11, 29]), threads=2)
    for name in ("query", "mix", "rv_km", "rtn", "factor_km", "factor_km_s", "target"):
        np.testing.assert_allclose(getattr(few, name), getattr(made, name)[:, [4, 11, 29]], atol=1e-6, err_msg=name)
    np.testing.assert_array_equal(few.x, made.x)
    mixed = inputs(tracks, horizons=np.array([29, 4]))
    np.testing.assert_allclose(mixed.rv_km, made.rv_km[:, [29, 4]], atol=1e-4)
    np.testing.assert_array_equal(inputs(tracks, uncertainty=False).x, made.x[..., CERTAIN])
    one = inputs(tracks.take(np.arange(7, 8)))
    np.testing.assert_array_equal(one.x[0], made.x[7])
    assert len(inputs(tracks.take(np.arange(0)))) == 0


def test_without_truth_there_is_no_target(tracks: Windows) -> None:
    made = inputs(replace(tracks, truth_rv_km=None, truth_history_rv_km=None))
    assert made.target is None
    assert made.usable.all()


def test_a_failed_fit_leaves_fillers_and_does_not_touch_its_neighbours(tracks: Windows, made: Inputs) -> None:
    seen = tracks.r_obs_km.copy()
    seen[5, 3:] = np.nan
    fit = fit_arcs_in_field(tracks.t_s, seen, tracks.sigma_km, tracks.gmst_rad)
    assert fit.status[5] != 0
    some = inputs(replace(tracks, r_obs_km=seen, fit=fit))
    finite(some)
    assert not some.valid[5].any()
    assert not some.x[5].any()
    for matrix in (some.rtn, some.factor_km, some.factor_km_s):
        np.testing.assert_array_equal(matrix[5], np.tile(np.eye(3), (30, 1, 1)))
    np.testing.assert_array_equal(np.flatnonzero(~some.usable), [5])
    keep = np.arange(N) != 5
    np.testing.assert_array_equal(some.x[keep], made.x[keep])
    np.testing.assert_array_equal(some.mix[keep], made.mix[keep])


def test_missing_truth_is_flagged(tracks: Windows) -> None:
    assert tracks.truth_rv_km is not None
    truth = tracks.truth_rv_km.copy()
    truth[3, 29] = np.nan
    made = inputs(replace(tracks, truth_rv_km=truth))
    finite(made)
    np.testing.assert_array_equal(np.flatnonzero(~made.usable), [3])
    assert made.target is not None
    assert not made.target[3].any()
    assert made.valid[3].any()
    assert inputs(replace(tracks, truth_rv_km=truth), horizons=np.arange(29)).usable.all()


@pytest.mark.parametrize("what", ["negative variance", "not a number", "infinite", "no scale", "no ballistic"])
def test_no_input_leaves_a_number_that_is_none(tracks: Windows, what: str) -> None:
    fit, ballistic = tracks.fit, tracks.ballistic_m2_kg.copy()
    rv, cov, rms = fit.rv_km.copy(), fit.cov.copy(), fit.rms.copy()
    if what == "negative variance":
        cov[0] = -cov[0]
    elif what == "not a number":
        rv[0, 2] = np.nan
    elif what == "infinite":
        cov[0, 1, 0] = np.inf
    elif what == "no scale":
        rms[0] = np.nan
    else:
        ballistic[:3] = (0.0, np.nan, -1.0)
    made = inputs(replace(tracks, fit=ArcFit(rv, cov, rms, fit.count, fit.status), ballistic_m2_kg=ballistic))
    finite(made)
    assert made.usable[0] == (what == "no ballistic")
    assert made.usable[1:].all()


@pytest.mark.parametrize("ratio", [1e-7, 1e-9, 1e-12, 0.0])
def test_covariances_without_digits_left_have_a_finite_factor(tracks: Windows, ratio: float) -> None:
    """As rank one as can be: all six components along one direction, and `ratio` of it across."""
    size = np.array([1.0, 2.0, 0.5, 1e-3, 2e-3, 1e-3])
    cov = np.outer(size, size) + ratio * np.diag(size**2)
    cov = cov.astype(np.float32).astype(np.float64)  # as it is stored
    root = np.zeros((6, 6))
    assert factor_of(cov, root)
    assert np.abs((root @ root.T - cov) / np.outer(size, size)).max() < 1.1e-6
    fit = replace(tracks.fit, cov=np.tile(cov, (N, 1, 1)))
    made = inputs(replace(tracks, fit=fit))
    finite(made)
    rows = made.mix[:, :, :3, :6].astype(np.float64)
    assert np.abs(rows @ rows.swapaxes(-1, -2) - np.eye(3)).max() < 1e-5


def test_single_precision_covariance_is_enough(tracks: Windows, made: Inputs) -> None:
    stored = inputs(replace(tracks, fit=replace(tracks.fit, cov=tracks.fit.cov.astype(np.float32).astype(np.float64))))
    assert made.target is not None
    np.testing.assert_allclose(stored.target, made.target, atol=1e-3)


def test_noise_of_very_unequal_size(tracks: Windows) -> None:
    """A radar's metre beside a telescope's thousand kilometres."""
    sigma = tracks.sigma_km.copy()
    sigma[:, ::2] *= 1e4
    fit = fit_arcs(tracks.t_s, tracks.r_obs_km, sigma)
    made = inputs(replace(tracks, sigma_km=sigma, fit=fit))
    finite(made)
    assert made.usable.mean() > 0.9


def test_times_that_are_missing_and_stated_noise_that_is_not_legal(tracks: Windows) -> None:
    times, sigma = tracks.t_s.copy(), tracks.sigma_km.copy()
    times[:, 2] = np.nan
    sigma[:, 4] = 0.0
    sigma[:, 6] = np.nan
    made = inputs(replace(tracks, t_s=times, sigma_km=sigma))
    finite(made)
    assert not made.valid[:, [2, 4, 6]].any()
    assert not made.x[:, 2].any()
    assert made.usable.all()


def test_bad_horizons(tracks: Windows) -> None:
    for horizons in ([30], [-1], [0, 99]):
        with pytest.raises(InputError, match="no such horizon"):
            inputs(tracks, horizons=np.array(horizons))
    with pytest.raises(InputError, match="finite"):
        inputs(replace(tracks, horizon_s=np.full((N, 2), np.nan), truth_rv_km=None))
