"""Packaged models against torch, against least squares, and without torch at all."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from orbwatch.errors import InputError
from orbwatch.learn.samples.features import inputs, restore
from orbwatch.learn.samples.windows import REGIMES
from orbwatch.models.card import read_card, write_card
from orbwatch.models.radii import Radii
from orbwatch.models.runtime import BATCH, TrajectoryForecaster
from orbwatch.uncertainty.conformal import Conformal
from orbwatch.uncertainty.gaussian import Calibration, GaussianForecast

from ..learn.simulated import windows
from .packaged import network, scaler, variant


@pytest.mark.parametrize(("n", "horizons"), [(1, 1), (8, 30), (5, 7)])
def test_equals_torch(model: Path, n: int, horizons: int) -> None:
    seen = windows(n).horizons(np.arange(horizons))
    found = TrajectoryForecaster.load(model).answers(seen)
    given = inputs(seen)
    x, query = scaler().apply(given)
    for k in range(2):
        with torch.no_grad():
            mean, factor = network(k)(
                *(torch.from_numpy(v) for v in (x, given.valid, query, given.mix, given.log_scale))
            )
        position, velocity, cov = restore(given, mean.numpy(), factor.numpy())
        # Whitened numbers are of size one: 1e-5 of a formal sigma.
        sigma = np.sqrt(np.trace(cov, axis1=2, axis2=3))[..., None]
        assert np.abs((found.mean_rtn_km[k] - position) / sigma).max() <= 1e-5
        np.testing.assert_allclose(found.cov_rtn_km2[k] / sigma[..., None] ** 2, cov / sigma[..., None] ** 2, atol=1e-5)
        np.testing.assert_allclose(found.velocity_rtn_km_s[k], velocity, rtol=1e-4, atol=1e-9)


def test_untrained_is_least_squares(untrained: Path) -> None:
    seen = windows(12)
    found = TrajectoryForecaster.load(untrained).answers(seen)
    given = inputs(seen)
    assert np.array_equal(found.mean_rtn_km[0], np.zeros((12, 30, 3)))
    assert np.array_equal(found.states_km(), given.rv_km)
    factor = given.factor_km.astype(float)
    np.testing.assert_allclose(found.cov_rtn_km2[0], factor @ factor.swapaxes(2, 3), rtol=1e-6, atol=1e-12)


def test_load_and_forecast_without_torch(model: Path) -> None:
    code = (
        "import sys; from orbwatch.models.runtime import TrajectoryForecaster as T;"
        f" from orbwatch.models.registry import show; show({str(model)!r}); T.load({str(model)!r});"
        " print(sorted(m for m in ('torch', 'lightning', 'onnx', 'onnxscript') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_threads_and_batches_do_not_change_the_answer(untrained: Path, model: Path) -> None:
    seen = windows(40)
    one = TrajectoryForecaster.load(model, threads=1).predict(seen)
    two = TrajectoryForecaster.load(model, threads=2).predict(seen)
    np.testing.assert_allclose(one.mean_rtn_km, two.mean_rtn_km, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(one.cov_rtn_km2, two.cov_rtn_km2, rtol=1e-4, atol=1e-9)
    many = seen.take(np.arange(BATCH + 3) % 40).horizons(np.array([4, 29]))
    found = TrajectoryForecaster.load(untrained).answers(many)
    assert np.array_equal(found.rv_km[BATCH:], found.rv_km[BATCH - 480 : BATCH - 477])


def test_windows_without_a_fit_are_nan_and_none_is_none(model: Path) -> None:
    seen = windows(6)
    seen.r_obs_km[2, 2:] = np.nan
    broken = replace(seen.fit, status=np.where(np.arange(6) == 2, 1, 0).astype(np.uint8))
    found = TrajectoryForecaster.load(model).predict(replace(seen, fit=broken))
    assert np.isnan(found.mean_rtn_km).any(axis=(1, 2)).tolist() == [False, False, True, False, False, False]
    assert np.isnan(found.cov_rtn_km2[2]).all()
    assert TrajectoryForecaster.load(model).predict(seen.take(slice(0, 0))).mean_rtn_km.shape == (0, 30, 3)


def test_fallback_regimes_are_least_squares(tmp_path: Path, model: Path, untrained: Path) -> None:
    variant(model, tmp_path / "m", fallback=["MEO", "GEO"])
    seen = windows(8)
    found = TrajectoryForecaster.load(tmp_path / "m").predict(seen)
    physics = TrajectoryForecaster.load(untrained).predict(seen)
    falls = np.isin(seen.regime, (REGIMES.index("MEO"), REGIMES.index("GEO")))
    assert 0 < falls.sum() < 8
    np.testing.assert_allclose(found.cov_rtn_km2[falls], physics.cov_rtn_km2[falls], rtol=1e-5, atol=1e-12)
    assert (found.mean_rtn_km[falls] == 0).all()
    assert (found.mean_rtn_km[~falls] != 0).all()


def test_two_members_make_a_mixture(model: Path) -> None:
    forecaster, seen = TrajectoryForecaster.load(model), windows(4)
    found, one = forecaster.answers(seen), forecaster.predict(seen)
    np.testing.assert_allclose(one.mean_rtn_km, found.mean_rtn_km.mean(0))
    apart = found.mean_rtn_km[0] - found.mean_rtn_km[1]
    expected = found.cov_rtn_km2.mean(0) + 0.25 * apart[..., None] * apart[..., None, :]
    np.testing.assert_allclose(one.cov_rtn_km2, expected, rtol=1e-9, atol=1e-15)


def test_dropout_samples_are_drawn_by_seed_and_scatter_about_the_mean(model: Path) -> None:
    forecaster, seen = TrajectoryForecaster.load(model), windows(4).horizons(np.array([0, 29]))
    found = forecaster.samples(seen, passes=400, seed=3, member=1)
    assert np.array_equal(found.mean_rtn_km[:11], forecaster.samples(seen, 400, 3, 1).mean_rtn_km[:11])
    alone = forecaster.samples(seen.take(slice(1, 2)), 400, 3, 1)
    np.testing.assert_allclose(alone.mean_rtn_km[:, 0], found.mean_rtn_km[:, 1], rtol=1e-3, atol=1e-6)
    spread = found.mean_rtn_km.std(axis=0)
    assert (spread > 0).all()
    middle = forecaster.answers(seen).mean_rtn_km[1]
    assert (np.abs(found.mean_rtn_km.mean(axis=0) - middle) < 5 * spread / 20).all()
    with pytest.raises(InputError, match="member"):
        forecaster.samples(seen, member=2)


def test_regions_come_from_the_conformal_radii_beside_it(tmp_path: Path, model: Path) -> None:
    seen = windows(80)
    plain = TrajectoryForecaster.load(model)
    forecast = plain.predict(seen)
    with pytest.raises(InputError, match="not been calibrated"):
        plain.regions(seen, forecast, 0.5)
    given = inputs(seen)
    assert seen.truth_rv_km is not None
    truth = np.einsum("nhij,nhj->nhi", given.rtn, (seen.truth_rv_km - given.rv_km)[..., :3])
    radii = Conformal().fit(Calibration(forecast, truth, seen.regime.astype(np.int64), seen.object_id))
    calibrated = variant(model, tmp_path / "m")
    Radii(seen.horizon_s[0], radii).write(calibrated)
    write_card(read_card(calibrated), calibrated)
    loaded = TrajectoryForecaster.load(calibrated)
    held = loaded.regions(seen, forecast, 0.5).contains(truth).mean()
    assert 0.45 < held < 0.65
    assert loaded.tube(seen, forecast, 0.5).joint(truth).mean() > 0.4
    last, whole = seen.horizons(np.array([29, 9])), loaded.regions(seen, forecast, 0.5)
    part = loaded.regions(last, plain.predict(last), 0.5)
    np.testing.assert_array_equal(part.radius, whole.radius[:, [29, 9]])
    none = seen.take(slice(0, 0))
    assert loaded.regions(none, plain.predict(none), 0.5).radius.shape == (0, 30)
    with pytest.raises(InputError, match=r"other forecast times.*30 to 1770.*legal: 30 times from 60 to 1800 s"):
        loaded.regions(replace(seen, horizon_s=seen.horizon_s - 30.0), forecast, 0.5)


@pytest.mark.parametrize("text", ["{}", '{"horizon_s": [60.0], "conformal": {}}'])
def test_radii_that_cannot_be_read_are_named(tmp_path: Path, model: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"conformal\.json: conformal radii cannot be read"):
        TrajectoryForecaster.load(variant(model, tmp_path / "m", {"conformal.json": text.encode()}))


def test_radii_of_other_horizons_than_said_are_refused(tmp_path: Path) -> None:
    seen = GaussianForecast(np.zeros((4, 2, 3)), np.broadcast_to(np.eye(3), (4, 2, 3, 3)))
    fitted = Conformal().fit(Calibration(seen, np.zeros((4, 2, 3)), np.zeros(4, np.int64), np.arange(4)))
    Radii(np.array([60.0]), fitted).write(tmp_path)
    with pytest.raises(InputError, match="other horizons than it says"):
        Radii.read(tmp_path)


def test_broken_folders_are_named(tmp_path: Path, model: Path) -> None:
    variant(model, tmp_path / "m")
    trunk = tmp_path / "m" / "member-0.trunk.onnx"
    whole = trunk.read_bytes()
    trunk.write_bytes(whole[:-1])
    with pytest.raises(InputError, match=r"trunk\.onnx.*card was written for"):
        TrajectoryForecaster.load(tmp_path / "m")
    trunk.unlink()
    with pytest.raises(InputError, match=r"trunk\.onnx.*missing"):
        TrajectoryForecaster.load(tmp_path / "m")
    with pytest.raises(InputError, match="no such model"):
        TrajectoryForecaster.load(tmp_path)
