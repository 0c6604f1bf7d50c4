"""Forecasters as the evaluation sees them."""

from __future__ import annotations

import numpy as np

from orbwatch.learn import forecasters
from orbwatch.learn.baselines import BASELINES, least_squares

from .simulated import windows


def test_reference_is_least_squares_with_its_formal_covariance() -> None:
    given = windows(40)
    physics = forecasters.reference(given)
    np.testing.assert_allclose(physics.rv_km, least_squares(given), atol=1e-6)
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
