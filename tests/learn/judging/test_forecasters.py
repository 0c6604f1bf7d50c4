"""Forecasters as the evaluation sees them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from orbwatch.learn.judging import forecasters
from orbwatch.learn.judging.baselines import BASELINES
from orbwatch.learn.judging.evaluation import BASE
from orbwatch.learn.samples.features import inputs
from orbwatch.learn.samples.scaler import Scaler
from orbwatch.models.card import Card
from orbwatch.models.runtime import Member, TrajectoryForecaster

from ..simulated import windows


def test_reference_is_least_squares_with_its_formal_covariance() -> None:
    given = windows(40)
    physics = forecasters.reference(given)
    np.testing.assert_allclose(physics.rv_km, BASELINES[BASE](given), atol=1e-6)
    assert given.truth_rv_km is not None
    score = physics.gaussian.mahalanobis(physics.to_rtn(given.truth_rv_km))
    assert 2.0 < np.mean(score**2) < 4.0  # chi-squared with 3 degrees of freedom


def test_moving_by_the_error_gives_the_truth() -> None:
    given = windows(8)
    physics = forecasters.reference(given)
    assert given.truth_rv_km is not None
    error = np.einsum("nhij,nhj->nhi", physics.rtn, given.truth_rv_km[..., 3:] - physics.rv_km[..., 3:])
    np.testing.assert_allclose(physics.moved(physics.to_rtn(given.truth_rv_km), error), given.truth_rv_km, atol=1e-9)


def test_baselines_know_more_and_more() -> None:
    given = windows(200, sigma_km=0.02)
    assert given.truth_rv_km is not None
    median = {}
    for name, forecast in BASELINES.items():
        rv_km = forecast(given)
        assert rv_km.shape == given.truth_rv_km.shape
        median[name] = np.nanmedian(np.linalg.norm(rv_km[:, -1, :3] - given.truth_rv_km[:, -1, :3], axis=-1))
    assert median["hold"] > 50.0 * median["two_body"]
    assert median["two_body"] > 2.0 * median["least_squares"]
    assert median["j2_j4"] > 2.0 * median["least_squares"]
    assert median["ukf"] < 3.0 * median["least_squares"]


class Graph:
    """In place of an ONNX session: says what `run` is to answer."""

    def __init__(self, answer: Callable[[dict[str, np.ndarray]], list[np.ndarray]]) -> None:
        self.answer = answer

    def run(self, _: None, given: dict[str, np.ndarray]) -> list[np.ndarray]:
        return self.answer(given)

    def get_inputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(shape=["n", 4])]


def member(shift: float) -> Member:
    """A network that moves every whitened residual by `shift` times the mean of its masks."""

    def trunk(given: dict[str, np.ndarray]) -> list[np.ndarray]:
        n, horizons = given["query"].shape[:2]
        return [np.zeros((n, 4), np.float32), np.zeros((n, horizons, 4), np.float32)]

    def head(given: dict[str, np.ndarray]) -> list[np.ndarray]:
        shape = (len(given["keep_state"]), *given["horizon"].shape[:2])
        moved = shift * given["keep_state"].mean(axis=(1, 2))
        mean = np.zeros((*shape, 6), np.float32) + moved[:, None, None, None]
        return [mean.astype(np.float32), np.broadcast_to(np.eye(3, dtype=np.float32), (*shape, 3, 3)).copy()]

    return Member(Graph(trunk), Graph(head), Scaler.fit([inputs(windows(16))]))


def forecaster(*shifts: float) -> TrajectoryForecaster:
    card = Card("m", "trajectory", "", "", {"dropout": 0.5}, {}, 1, len(shifts), [], [], "", fallback=["LEO"])
    return TrajectoryForecaster(Path(), card, tuple(member(shift) for shift in shifts), None, (0,), 1)


def test_model_is_asked_as_network_with_dropout_and_as_ensemble() -> None:
    given = windows(12)
    physics = forecasters.reference(given)
    model = forecasters.Model(forecaster(1.0, 3.0))
    assert model.sources == forecasters.SOURCES[1:-1]
    assert model.whole == forecasters.ENSEMBLE
    found = {source: model.predict(given, physics, source, seed=1) for source in model.sources}
    one, both = found[forecasters.NETWORK], found[forecasters.ENSEMBLE]
    np.testing.assert_allclose(both.gaussian.mean_rtn_km, 2.0 * one.gaussian.mean_rtn_km, atol=1e-6)
    assert np.abs(one.gaussian.mean_rtn_km[given.regime == 0]).min() > 0.0  # no fallback where it is judged
    assert (both.gaussian.axis_m() > one.gaussian.axis_m()).all()
    assert (found[forecasters.DROPOUT].gaussian.axis_m() > one.gaussian.axis_m()).all()
    np.testing.assert_allclose(physics.to_rtn(one.rv_km), one.gaussian.mean_rtn_km, atol=1e-9)
    assert one.epistemic_share is None
    assert both.epistemic_share is not None
    apart = np.square(one.gaussian.mean_rtn_km).sum(axis=-1)  # the members lie at once and at three times this
    total = np.trace(both.gaussian.cov_rtn_km2, axis1=-2, axis2=-1)
    np.testing.assert_allclose(both.epistemic_share, apart / total, rtol=1e-5)


def test_single_network_is_no_ensemble() -> None:
    model = forecasters.Model(forecaster(1.0))
    assert model.whole == forecasters.NETWORK
    assert forecasters.ENSEMBLE not in model.sources
