"""Tracks to forecasts: where the objects will be, axes of the covariance, and what is said where nothing is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from orbwatch.errors import InputError
from orbwatch.frames import rtn_matrix
from orbwatch.learn.samples.tracks import windows_of_tracks
from orbwatch.learn.samples.windows import REGIMES
from orbwatch.models.runtime import TrajectoryForecaster
from orbwatch.models.track_forecast import forecast_tracks

from ..learn.simulated import windows
from .tracked import calibrated, to_gcrf, tracks_of


@pytest.fixture(scope="module")
def ready(untrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that says what least squares says, calibrated on 40 objects of each regime."""
    return calibrated(untrained, tmp_path_factory.mktemp("ready") / "model", windows(160, seed=5))


def test_forecasts_are_near_the_truth_in_gcrf(ready: Path) -> None:
    seen = windows(8, missing=0.0)
    made = forecast_tracks(tracks_of(seen), str(ready), (1, 10, 30))
    assert seen.truth_rv_km is not None
    truth_km = to_gcrf(seen, seen.truth_rv_km[:, [0, 9, 29], :3])
    assert np.linalg.norm(made.r_gcrf_km - truth_km, axis=-1).max() < 3.0
    speed = np.linalg.norm(made.v_gcrf_km_s, axis=-1)
    assert np.abs(speed / np.linalg.norm(seen.truth_rv_km[:, [0, 9, 29], 3:], axis=-1) - 1.0).max() < 0.01
    assert made.regime.tolist() == list(REGIMES) * 2
    assert made.method.tolist() == [made.model] * 8
    assert not made.caution.any()
    assert "90% of positions fall inside if no thrust follows" in made.title()


def test_columns_have_one_row_an_object_and_time(ready: Path) -> None:
    made = forecast_tracks(tracks_of(windows(4, missing=0.0)), str(ready), (5, 30))
    columns = made.columns()
    assert {len(values) for values in columns.values()} == {8}
    assert columns["horizon_min"].tolist() == [5.0, 30.0] * 4
    assert columns["object_id"].tolist()[:3] == ["object 000", "object 000", "object 001"]
    assert columns["time_utc"][0] == "2024-03-01T00:05:00.000000"
    cov_m2 = made.cov_rtn_m2.reshape(-1, 3, 3)
    np.testing.assert_allclose(columns["sigma_t_m"] ** 2, cov_m2[:, 1, 1])
    np.testing.assert_allclose(columns["cov_rn_m2"], cov_m2[:, 2, 0], rtol=1e-6, atol=1e-9)


def test_covariances_are_in_the_axes_of_the_rows_own_state(model: Path, ready: Path, tmp_path: Path) -> None:
    """The network moves the states: their RTN axes are no longer those of least squares."""
    moved = calibrated(model, tmp_path / "model", windows(40, seed=5))
    tracks = tracks_of(windows(4, missing=0.0))
    made = forecast_tracks(tracks, str(moved), (30,))
    assert np.abs(made.r_gcrf_km - forecast_tracks(tracks, str(ready), (30,)).r_gcrf_km).max() > 1e-3
    own = rtn_matrix(made.r_gcrf_km, made.v_gcrf_km_s)
    cov_gcrf = np.swapaxes(own, -1, -2) @ made.cov_rtn_m2 @ own
    given = windows_of_tracks(tracks, 60.0 * np.arange(1.0, 31.0))
    answers = TrajectoryForecaster.load(moved).answers(given.windows)
    axes = answers.rtn[:, 29] @ np.swapaxes(given.to_gcrf, 1, 2)
    expected = np.swapaxes(axes, 1, 2) @ (1e6 * answers.gaussian().cov_rtn_km2[:, 29]) @ axes
    scale = np.trace(expected, axis1=1, axis2=2)[:, None, None]
    np.testing.assert_allclose(cov_gcrf[:, 0] / scale, expected / scale, atol=1e-9)


def test_rows_without_a_calibrated_region_say_so(ready: Path, untrained: Path, tmp_path: Path) -> None:
    tracks = tracks_of(windows(4, missing=0.0, sigma_km=0.6))
    few = forecast_tracks(tracks, str(ready), (5, 30), 0.99)  # 40 objects cannot vouch for 99 %
    assert np.isinf(few.radius).all()
    assert np.isinf(few.axis_m).all()
    noise = "unlike the training: sensor noise"
    assert few.caution.tolist() == [[f"{noise}; no calibrated region for {name}"] * 2 for name in REGIMES]
    seen = windows(160, seed=5)
    low = calibrated(untrained, tmp_path / "low", seen.take(seen.regime == 0))
    partly = forecast_tracks(tracks_of(windows(4, missing=0.0)), str(low), (5,))
    assert np.isfinite(partly.radius[:, 0]).tolist() == [True, False, False, False]
    assert partly.caution[:, 0].tolist() == ["", *(f"no calibrated region for {name}" for name in REGIMES[1:])]


def test_physics_takes_over_where_the_card_says_so(untrained: Path, tmp_path: Path) -> None:
    folder = calibrated(untrained, tmp_path / "m", windows(40, seed=5), fallback=["GEO"])
    made = forecast_tracks(tracks_of(windows(4, missing=0.0)), str(folder), (5,), 0.5)
    assert made.method.tolist() == [made.model, made.model, "least squares", made.model]


def test_models_of_another_step_or_level_are_refused(ready: Path, untrained: Path, tmp_path: Path) -> None:
    tracks = tracks_of(windows(1, missing=0.0))
    with pytest.raises(InputError, match=r"not calibrated for this level.*0\.95"):
        forecast_tracks(tracks, str(ready), (5,), 0.85)
    with pytest.raises(InputError, match="has not been calibrated"):
        forecast_tracks(tracks, str(untrained), (5,))
    slow = calibrated(untrained, tmp_path / "m", windows(40, seed=5), data={"dataset": {"step": 30.0}})
    with pytest.raises(InputError, match=r"another time between positions \[field step = 30.0\]; legal: 60 s"):
        forecast_tracks(tracks, str(slow), (5,))


def test_no_object_makes_an_empty_table(ready: Path) -> None:
    tracks = tracks_of(windows(1, missing=0.0))
    for name in ("object_id", "time_us", "r_gcrf_km", "sigma_km", "ballistic_m2_kg"):
        object.__setattr__(tracks, name, getattr(tracks, name)[:3])
    made = forecast_tracks(tracks, str(ready), (5,))
    assert list(made.refused) == ["object 000"]
    assert {len(values) for values in made.columns().values()} == {0}
