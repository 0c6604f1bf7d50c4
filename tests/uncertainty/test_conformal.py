"""Conformal regions: coverage of unseen objects per cell and of the tube, by simulation; JSON and back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from crepes import ConformalRegressor

from orbwatch.errors import InputError
from orbwatch.uncertainty.conformal import Conformal
from orbwatch.uncertainty.gaussian import Calibration, Formal, GaussianForecast, oracle_scaled

# True over claimed sigma: two regimes, three horizons; the last horizon of regime 1 is far too optimistic.
FACTOR = np.array([[1.0, 1.5, 2.0], [0.5, 1.0, 8.0]])


def simulated(
    rng: np.random.Generator, objects: int, windows: int, first_id: int = 0, spread: float = 0.3
) -> Calibration:
    """Windows of objects whose scale is their own (log-normal) and whose errors grow together over the horizons."""
    n = objects * windows
    object_id = np.repeat(np.arange(first_id, first_id + objects), windows)
    group = (object_id % 2).astype(np.int8)
    factor = np.tril(rng.normal(size=(n, 3, 3, 3)), -1) * 0.3 + np.eye(3) * rng.uniform(0.02, 2, (n, 3, 1, 3))
    common, own = rng.normal(size=(n, 1, 3)), rng.normal(size=(n, 3, 3))
    z = np.sqrt(0.7) * common + np.sqrt(0.3) * own
    scale = np.repeat(np.exp(spread * rng.normal(size=objects)), windows)[:, None] * FACTOR[group]
    mean = rng.normal(size=(n, 3, 3))
    truth = mean + scale[..., None] * np.einsum("nhij,nhj->nhi", factor, z)
    return Calibration(GaussianForecast(mean, factor @ factor.swapaxes(-1, -2)), truth, group, object_id)


def test_cells_and_tube_cover_unseen_objects() -> None:
    rng = np.random.default_rng(1)
    # 300 objects a group: a coverage that lies within 0.9 .. 0.9 + 2/301 on average over calibration sets.
    cells, joint, formal = [], [], []
    for _ in range(6):
        calibration = simulated(rng, 600, 8)
        fresh = simulated(rng, 600, 8, first_id=10_000)
        model = Conformal().fit(calibration)
        regions = model.regions(fresh.forecast, fresh.group, 0.9)
        inside = regions.contains(fresh.truth_rtn_km)
        cells.append([inside[fresh.group == g].mean(axis=0) for g in (0, 1)])
        tube = model.tube(fresh.forecast, fresh.group, 0.9)
        joint.append([tube.joint(fresh.truth_rtn_km)[fresh.group == g].mean() for g in (0, 1)])
        formal.append(Formal().regions(fresh.forecast, fresh.group, 0.9).contains(fresh.truth_rtn_km).mean())
        # Holding each horizon alone is less than holding all of them.
        assert regions.joint(fresh.truth_rtn_km).mean() < 0.87
    # One set scatters by about 0.012 a cell (objects differ), the mean of six by 0.005.
    np.testing.assert_allclose(np.mean(cells, axis=0), 0.903, atol=0.015)
    np.testing.assert_allclose(np.mean(joint, axis=0), 0.903, atol=0.018)
    assert np.mean(formal) < 0.8


def test_conformal_undoes_a_wrong_scale_and_costs_little_over_the_oracle() -> None:
    rng = np.random.default_rng(2)
    fresh = simulated(rng, 400, 10, first_id=10_000, spread=0.1)
    model = Conformal().fit(simulated(rng, 400, 10, spread=0.1))
    regions = model.regions(fresh.forecast, fresh.group, 0.9)
    oracle = oracle_scaled(fresh.forecast, fresh.truth_rtn_km, fresh.group, 0.9)
    for g in (0, 1):
        rows = fresh.group == g
        ratio = np.median(regions.axis_m()[rows] / oracle.axis_m()[rows], axis=0)
        np.testing.assert_allclose(ratio, 1.0, atol=0.05)
        # The radii recover the factors by which sigma was wrong, times the 90 % radius 2.5003 (chi with 3 degrees).
        np.testing.assert_allclose(model.radius[4, g], 2.5003 * FACTOR[g], rtol=0.08)


def test_tube_does_not_let_the_worst_horizon_decide() -> None:
    rng = np.random.default_rng(3)
    calibration, fresh = simulated(rng, 400, 10), simulated(rng, 400, 10, first_id=10_000)
    tube = Conformal().fit(calibration).tube(fresh.forecast, fresh.group, 0.9)
    flat = Conformal(profile_share=0.0).fit(calibration).tube(fresh.forecast, fresh.group, 0.9)
    rows = fresh.group == 1
    np.testing.assert_allclose(tube.radius[rows][0] / tube.radius[rows][0, 1], FACTOR[1], rtol=0.15)
    assert (flat.radius[rows][0] == flat.radius[rows][0, 0]).all()
    assert tube.axis_m()[rows].mean() < 0.7 * flat.axis_m()[rows].mean()
    for regions in (tube, flat):
        assert regions.joint(fresh.truth_rtn_km)[rows].mean() == pytest.approx(0.9, abs=0.04)


def test_equal_to_crepes_mondrian_with_one_window_an_object() -> None:
    calibration = simulated(np.random.default_rng(4), 200, 1)
    score = calibration.forecast.mahalanobis(calibration.truth_rtn_km)
    model = Conformal(levels=(0.68, 0.9)).fit(calibration)
    for h in range(3):
        other = ConformalRegressor().fit(score[:, h], bins=calibration.group)
        for at, level in enumerate((0.68, 0.9)):
            expected = other.predict_int(np.zeros(2), bins=np.array([0, 1]), confidence=level)[:, 1]
            np.testing.assert_allclose(model.radius[at, :, h], expected, rtol=0, atol=1e-6)


def test_groups_unknown_or_too_small_get_infinite_regions() -> None:
    calibration = simulated(np.random.default_rng(5), 16, 20)  # eight objects a group: 0.9 needs nine
    model = Conformal(levels=(0.8, 0.9)).fit(calibration)
    assert np.isinf(model.radius[1]).all()
    assert np.isfinite(model.radius[0]).all()
    np.testing.assert_array_equal(model.objects, [8, 8])
    group = np.array([0, 1, 7, -3])
    regions = model.regions(calibration.forecast.take(slice(0, 4)), group, 0.8)
    np.testing.assert_array_equal(np.isinf(regions.radius).all(axis=1), [False, False, True, True])
    assert np.isinf(model.tube(calibration.forecast.take(slice(0, 4)), group, 0.9).radius).all()
    alone = Conformal().fit(simulated(np.random.default_rng(6), 1, 5))
    assert np.isinf(alone.tube_radius).sum() == 6  # of a single object the level 0.5 can be had: k = 1


def test_missing_truth_is_left_out() -> None:
    calibration = simulated(np.random.default_rng(7), 60, 4)
    truth = calibration.truth_rtn_km.copy()
    truth[::4, 2] = np.nan
    gappy = Calibration(calibration.forecast, truth, calibration.group, calibration.object_id)
    model, whole = Conformal().fit(gappy), Conformal().fit(calibration)
    np.testing.assert_array_equal(model.radius[..., :2], whole.radius[..., :2])
    rest = np.arange(len(truth)) % 4 != 0
    fewer = Calibration(
        calibration.forecast.take(rest), truth[rest], calibration.group[rest], calibration.object_id[rest]
    )
    np.testing.assert_array_equal(model.radius[..., 2], Conformal().fit(fewer).radius[..., 2])
    np.testing.assert_array_equal(model.tube_radius.shape, (7, 2))


def test_json_and_back_and_some_of_the_horizons() -> None:
    calibration = simulated(np.random.default_rng(8), 30, 4)
    model = Conformal(unit="effective").fit(calibration)
    again = Conformal.from_dict(json.loads(json.dumps(model.to_dict(), allow_nan=False)))
    forecast, group = calibration.forecast, calibration.group
    for level in (0.5, 0.9, 0.99):
        for draw in ("regions", "tube"):
            first = getattr(model, draw)(forecast, group, level)
            np.testing.assert_array_equal(getattr(again, draw)(forecast, group, level).radius, first.radius)
    some = GaussianForecast(forecast.mean_rtn_km[:, [2, 0]], forecast.cov_rtn_km2[:, [2, 0]])
    np.testing.assert_array_equal(
        model.regions(some, group, 0.9, horizons=np.array([2, 0])).radius,
        model.regions(forecast, group, 0.9).radius[:, [2, 0]],
    )
    with pytest.raises(InputError, match="other horizons"):
        model.regions(some, group, 0.9)


def test_radii_grow_with_the_level() -> None:
    model = Conformal().fit(simulated(np.random.default_rng(9), 400, 3))
    assert (np.diff(model.radius[:6], axis=0) > 0).all()
    assert (np.diff(model.tube_radius[:6], axis=0) > 0).all()


def test_errors_are_named() -> None:
    calibration = simulated(np.random.default_rng(10), 10, 2)
    with pytest.raises(InputError, match="Fit first"):
        Conformal().regions(calibration.forecast, calibration.group, 0.9)
    with pytest.raises(InputError, match=r"legal: 0\.5, 0\.9"):
        Conformal(levels=(0.5, 0.9)).fit(calibration).regions(calibration.forecast, calibration.group, 0.91)
    with pytest.raises(InputError, match="profile_share"):
        Conformal(profile_share=1.0)
    values = Conformal().fit(calibration).to_dict()
    with pytest.raises(InputError, match="cannot be read"):
        Conformal.from_dict({key: value for key, value in values.items() if key != "radius"})
    with pytest.raises(InputError, match="belong together"):
        Conformal.from_dict({**values, "groups": [0]})


def test_the_tube_of_some_horizons_does_with_sparse_truth() -> None:
    rng = np.random.default_rng(31)
    calibration, fresh = simulated(rng, 400, 6), simulated(rng, 400, 6, first_id=10_000)
    calibration.truth_rtn_km[:, 1] = np.nan
    assert np.isinf(Conformal((0.9,), unit="effective").fit(calibration).tube_radius).all()
    some = Conformal((0.9,), unit="effective", tube_horizons=(0, 2)).fit(calibration)
    some = Conformal.from_dict(json.loads(json.dumps(some.to_dict(), allow_nan=False)))
    assert some.tube_horizons == [0, 2]
    inside = some.tube(fresh.forecast, fresh.group, 0.9).contains(fresh.truth_rtn_km)[:, [0, 2]].all(axis=1)
    assert inside.mean() == pytest.approx(0.9, abs=0.03)
