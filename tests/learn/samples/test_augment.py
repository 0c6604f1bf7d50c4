"""Augmented tracks are possible orbits, seen by the same sensor, fitted again."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from orbwatch.constants import EARTH_RATE_RAD_S
from orbwatch.errors import InputError
from orbwatch.frames import rtn_matrix
from orbwatch.learn.samples.augment import (
    AUGMENTATIONS,
    KEPT,
    augment,
    dropout,
    mixup,
    noise,
    rotation,
    shift,
    velocity,
)
from orbwatch.learn.samples.features import FEATURES, inputs
from orbwatch.learn.samples.windows import Windows
from orbwatch.propagate.field import fit_arcs_in_field, propagate_field
from orbwatch.propagate.least_squares import fit_arcs
from orbwatch.simulate.sensors import OPTICAL, RADAR

from ..simulated import windows

J2 = 1.0826261738522e-3
MU, RADIUS = 398600.4415, 6378.1363
N = 400


@pytest.fixture(scope="module")
def tracks() -> Windows:
    return windows(N, seed=5)


def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def truth(w: Windows) -> tuple[np.ndarray, np.ndarray]:
    assert w.truth_history_rv_km is not None
    assert w.truth_rv_km is not None
    return w.truth_history_rv_km, w.truth_rv_km


def noise_rtn(w: Windows) -> np.ndarray:
    past, _ = truth(w)
    apart = w.r_obs_km - past[..., :3]
    return np.einsum("nkij,nkj->nki", rtn_matrix(past[..., :3], past[..., 3:]), apart) / w.sigma_km[..., None]


def energy(rv: np.ndarray) -> np.ndarray:
    """Specific energy in the field of J2, J3, J4 left out: their share is 1e-6 of it and less."""
    r = np.linalg.norm(rv[..., :3], axis=-1)
    s2 = (rv[..., 2] / r) ** 2
    potential = -MU / r * (1.0 - J2 * (RADIUS / r) ** 2 * (1.5 * s2 - 0.5))
    return 0.5 * (rv[..., 3:] ** 2).sum(axis=-1) + potential


def missing(w: Windows) -> np.ndarray:
    return ~np.isfinite(w.r_obs_km)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_what_comes_out_is_an_orbit_and_its_least_squares_fit(tracks: Windows, name: str) -> None:
    made = AUGMENTATIONS[name](tracks, rng(), 1)
    past, future = truth(made)
    assert (made.fit.status == 0).all()
    # the truth is one orbit still, as far as the linear shift goes, from the first step to the last horizon
    offsets = np.concatenate([made.t_s, made.horizon_s], axis=1) - made.t_s[:, :1]
    begin = made.gmst_rad + EARTH_RATE_RAD_S * made.t_s[:, 0]
    again = propagate_field(past[:, 0], begin, offsets)
    whole = np.concatenate([past, future], axis=1)
    assert np.abs(again - whole)[..., :3].max() < 1e-2
    spread = np.ptp(energy(whole), axis=1) / np.abs(energy(whole)).mean(axis=1)
    assert spread.max() < 1e-4
    # the residuals are those of noise of the stated sigma
    freedom = 3 * made.fit.count - 6
    assert np.average(made.fit.rms**2, weights=freedom) == pytest.approx(1.0, abs=0.03)
    # the fit is that of its own positions, and its errors are those of its covariance
    fresh = fit_arcs_in_field(made.t_s, made.r_obs_km, made.sigma_km, made.gmst_rad)
    sigma = np.sqrt(np.einsum("nii->ni", fresh.cov))
    assert (np.abs(fresh.rv_km - made.fit.rv_km) / sigma).max() < 5e-3
    target = inputs(made).target
    assert target is not None
    assert np.mean(target[:, :, :3] ** 2) == pytest.approx(0.95, abs=0.12)


@pytest.mark.parametrize("name", ["noise", "velocity", "shift", "rotation", "mixup"])
def test_missing_positions_stay_missing(tracks: Windows, name: str) -> None:
    np.testing.assert_array_equal(missing(AUGMENTATIONS[name](tracks, rng(), 1)), missing(tracks))


def test_new_noise_is_that_of_the_regimes_sensor(tracks: Windows) -> None:
    made = noise(tracks, rng())
    drawn = noise_rtn(made)
    for code, sensor in enumerate((RADAR, OPTICAL, OPTICAL, RADAR)):
        spread = np.sqrt(np.nanmean(drawn[made.regime == code] ** 2, axis=(0, 1)))
        expected = np.sqrt(np.array(sensor.axis_factor_rtn) ** 2 + sensor.bias_sigma**2)
        np.testing.assert_allclose(spread, expected, rtol=0.06)
    np.testing.assert_array_equal(truth(made)[1], truth(tracks)[1])
    assert np.nanmax(np.abs(np.nanmean(drawn * noise_rtn(tracks), axis=(0, 1)))) < 0.05  # nothing of the old noise


def test_rotation_is_an_isometry_that_the_features_do_not_see(tracks: Windows) -> None:
    made = rotation(tracks, rng())
    np.testing.assert_allclose(noise_rtn(made), noise_rtn(tracks), atol=1e-7)
    np.testing.assert_allclose(np.linalg.norm(made.sun_teme, axis=1), 1.0, atol=1e-14)
    np.testing.assert_allclose(truth(made)[1][..., 2], truth(tracks)[1][..., 2], atol=1e-9)
    before, after = inputs(tracks), inputs(made)
    turned = {"f", "g", "h", "k", "sin_longitude", "cos_longitude"}
    same = [column for column, feature in enumerate(FEATURES) if feature.name not in turned]
    np.testing.assert_allclose(after.x[..., same], before.x[..., same], atol=2e-3)
    moved = [column for column, feature in enumerate(FEATURES) if feature.name == "sin_longitude"]
    assert np.abs(after.x[..., moved] - before.x[..., moved]).mean() > 0.3
    np.testing.assert_allclose(after.query, before.query, atol=1e-4)
    np.testing.assert_allclose(after.mix[..., :6], before.mix[..., :6], atol=2e-2)
    np.testing.assert_allclose(after.mix[..., 6:], before.mix[..., 6:], rtol=1e-3, atol=1e-3)
    assert before.target is not None
    assert after.target is not None
    np.testing.assert_allclose(after.target, before.target, atol=5e-3)


def test_velocity_makes_a_neighbour_and_keeps_the_noise(tracks: Windows) -> None:
    made = velocity(tracks, rng())
    (past, future), (old, old_future) = truth(made), truth(tracks)
    kick = 1e3 * (past - old)[:, 0, 3:]
    assert np.sqrt(np.mean(kick**2)) == pytest.approx(1.0, rel=0.1)
    assert not np.abs((past - old)[:, 0, :3]).any()
    apart = np.linalg.norm((future - old_future)[:, -1, :3], axis=1)
    assert np.median(apart) > 1.0
    assert apart.max() < 60.0
    np.testing.assert_allclose(made.r_obs_km - past[..., :3], tracks.r_obs_km - old[..., :3], atol=1e-8)


def test_velocity_carries_forces_that_the_field_leaves_out(tracks: Windows) -> None:
    """A steady extra force in the truth is in the neighbour's truth unchanged."""
    past, future = truth(tracks)
    times = np.concatenate([tracks.t_s, tracks.horizon_s], axis=1)
    extra = np.zeros((N, times.shape[1], 6))
    extra[..., 0], extra[..., 3] = 0.5e-8 * (times - times[:, :1]) ** 2, 1e-8 * (times - times[:, :1])
    pushed = replace(tracks, truth_history_rv_km=past + extra[:, :20], truth_rv_km=future + extra[:, 20:])
    plain, forced = truth(velocity(tracks, rng()))[1], truth(velocity(pushed, rng()))[1]
    assert np.abs(forced - plain - extra[:, 20:])[..., :3].max() < 1e-4


def test_shift_moves_along_the_orbit_and_keeps_the_noise_in_rtn(tracks: Windows) -> None:
    made = shift(tracks, rng())
    later_s = (made.epoch_us - tracks.epoch_us) * 1e-6
    assert np.abs(later_s).max() <= 30.0
    assert later_s.std() == pytest.approx(30.0 / np.sqrt(3.0), rel=0.1)
    begin = tracks.gmst_rad + EARTH_RATE_RAD_S * tracks.t_s[:, 0]
    expected = propagate_field(truth(tracks)[0][:, 0], begin, later_s[:, None])[:, 0]
    np.testing.assert_allclose(truth(made)[0][:, 0], expected, atol=1e-9)
    np.testing.assert_allclose(noise_rtn(made), noise_rtn(tracks), atol=1e-7)
    turned = np.angle(np.exp(1j * (made.gmst_rad - tracks.gmst_rad)))
    np.testing.assert_allclose(turned, 7.292115e-5 * later_s, atol=1e-12)
    np.testing.assert_array_equal(made.t_s, tracks.t_s)


def test_dropout_hides_and_leaves_enough(tracks: Windows) -> None:
    made = dropout(tracks, rng())
    assert (missing(tracks) <= missing(made)).all()
    hidden = (missing(made) & ~missing(tracks))[..., 0].sum(axis=1)
    assert (hidden >= 1).all()
    assert made.fit.count.min() >= KEPT
    assert made.fit.count.min() < KEPT + 3
    few = tracks.take(np.arange(5))
    few.r_obs_km[:, 6:] = np.nan
    np.testing.assert_array_equal(missing(dropout(few, rng())), missing(few))


def test_mixup_keeps_the_orbit_and_the_variance(tracks: Windows) -> None:
    made = mixup(tracks, rng())
    np.testing.assert_array_equal(truth(made)[0], truth(tracks)[0])
    mine, mixed = noise_rtn(tracks), noise_rtn(made)
    assert np.nanvar(mixed) == pytest.approx(1.0, abs=0.03)
    correlation = np.nanmean(mine * mixed)
    assert correlation == pytest.approx(2.0 / np.pi, abs=0.06)  # the mean of cos(a)


def test_mixup_of_the_only_one_of_its_kind_changes_nothing(tracks: Windows) -> None:
    alone = tracks.take(np.arange(4))  # one of each regime
    np.testing.assert_allclose(mixup(alone, rng()).r_obs_km, alone.r_obs_km, atol=1e-9)
    nobody = mixup(alone, rng(), 1, alone.take(np.arange(0, 1)))
    np.testing.assert_allclose(nobody.r_obs_km, alone.r_obs_km, atol=1e-9)


@pytest.mark.parametrize("name", ["velocity", "shift"])
def test_windows_with_thrust_stay_as_they_are(tracks: Windows, name: str) -> None:
    burning = replace(tracks, burn=(np.arange(N) % 3).astype(np.uint8))
    made = AUGMENTATIONS[name](burning, rng(), 1)
    changed = np.abs(truth(made)[0] - truth(burning)[0]).max(axis=(1, 2)) > 1e-6
    np.testing.assert_array_equal(changed, burning.burn == 0)


def flat(table: Any) -> dict[str, np.ndarray]:
    out: dict[str, np.ndarray] = {}
    for field in fields(table):
        value = getattr(table, field.name)
        if isinstance(value, np.ndarray):
            out[field.name] = value
        elif value is not None:
            out |= {f"fit.{name}": part for name, part in flat(value).items()}
    return out


def test_a_share_is_augmented_in_place_and_again_the_same(tracks: Windows) -> None:
    before = {name: value.copy() for name, value in flat(tracks).items()}
    made, again = (augment(tracks, 0.5, list(AUGMENTATIONS), rng()) for _ in range(2))
    changed = (np.nan_to_num(made.r_obs_km) != np.nan_to_num(tracks.r_obs_km)).any(axis=(1, 2))
    assert changed.mean() == pytest.approx(0.5, abs=0.08)
    np.testing.assert_array_equal(made.object_id, tracks.object_id)
    for name, value in flat(made).items():
        np.testing.assert_array_equal(value, flat(again)[name])
        np.testing.assert_array_equal(value[~changed], flat(tracks)[name][~changed])
        np.testing.assert_array_equal(flat(tracks)[name], before[name])  # the windows given are left alone
    assert inputs(made).usable.all()


def test_nothing_to_augment(tracks: Windows) -> None:
    for share, names in ((0.0, list(AUGMENTATIONS)), (1.0, [])):
        np.testing.assert_array_equal(augment(tracks, share, names, rng()).r_obs_km, tracks.r_obs_km)


def test_failed_fits_are_left_alone(tracks: Windows) -> None:
    some = tracks.take(np.arange(12))
    some.r_obs_km[0, 3:] = np.nan
    failed = replace(some, fit=fit_arcs(some.t_s, some.r_obs_km, some.sigma_km))
    made = augment(failed, 1.0, list(AUGMENTATIONS), rng())
    assert made.fit.status[0] == 1
    np.testing.assert_array_equal(made.r_obs_km[0], failed.r_obs_km[0])
    for name in AUGMENTATIONS:
        assert AUGMENTATIONS[name](failed, rng(), 1).fit.status[0] != 0


def test_bad_requests(tracks: Windows) -> None:
    with pytest.raises(InputError, match="no such augmentation"):
        augment(tracks, 0.5, ["noise", "blur"], rng())
    with pytest.raises(InputError, match="share"):
        augment(tracks, 1.5, ["noise"], rng())
    for name in ("noise", "velocity", "shift", "mixup"):
        with pytest.raises(InputError, match="true states"):
            AUGMENTATIONS[name](replace(tracks, truth_history_rv_km=None), rng(), 1)
    for name in ("velocity", "shift"):
        with pytest.raises(InputError, match="true states"):
            AUGMENTATIONS[name](replace(tracks, truth_rv_km=None), rng(), 1)
    track = replace(tracks, truth_history_rv_km=None, truth_rv_km=None)
    assert (rotation(track, rng()).fit.status == 0).all()
    assert (dropout(track, rng()).fit.status == 0).all()
