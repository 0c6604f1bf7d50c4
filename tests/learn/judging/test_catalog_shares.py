"""Whom to believe: whoever is right gets the share, nobody where nothing is gained or known."""

from __future__ import annotations

import numpy as np

from orbwatch.learn.judging.catalog_shares import best_shares
from orbwatch.models.catalog_answers import Answers, everything
from orbwatch.models.catalog_calibration import Shares

N, H = 400, 6
RNG = np.random.default_rng(1)
TRUTH = RNG.normal(0.0, 1.0, (N, H, 3))
EYE = np.broadcast_to(np.eye(3), (N, H, 3, 3)).copy()


def answers(mean: np.ndarray, along: np.ndarray, sigma: float = 0.5) -> Answers:
    return Answers(mean, EYE.copy(), along, np.full((N, H), sigma))


def test_who_is_right_is_believed() -> None:
    noise = RNG.normal(0.0, 1.0, TRUTH.shape)
    group = np.zeros(N, np.int64)
    trees = best_shares(answers(noise, TRUTH[..., 1]), TRUTH, group)
    assert (trees.trees[0] == 1.0).all()
    assert (trees.networks[0] == 0.0).all()
    assert (trees.across[0] == 0.0).all()
    networks = best_shares(answers(TRUTH + 0.1 * noise, noise[..., 0]), TRUTH, group)
    assert (networks.networks[0] >= 0.75).all()
    assert (networks.across[0] == 1.0).all()
    assert (networks.trees[1:] == 0.0).all()


def test_two_that_err_apart_share() -> None:
    one, two = (TRUTH + RNG.normal(0.0, 0.7, TRUTH.shape) for _ in range(2))
    found = best_shares(answers(one, two[..., 1]), TRUTH, np.zeros(N, np.int64))
    assert (found.networks[0] >= 0.25).all()
    assert (found.trees[0] >= 0.25).all()


def test_too_few_truths_keep_sgp4() -> None:
    truth = TRUTH.copy()
    truth[40:] = np.nan
    found = best_shares(answers(TRUTH, TRUTH[..., 1]), truth, np.zeros(N, np.int64))
    assert (found.networks + found.trees + found.across == 0.0).all()


def test_the_covariance_is_that_of_whoever_is_believed() -> None:
    said = answers(np.zeros((N, H, 3)), np.full((N, H), 2.0), sigma=0.5)
    shape = (N, H)
    trees = Shares(np.ones(shape), np.zeros(shape), np.ones(shape))
    np.testing.assert_allclose(said.taken(trees)[..., 1], 2.0)
    np.testing.assert_allclose(said.covariance(trees)[..., 1, 1], 0.25)
    np.testing.assert_allclose(said.covariance(everything(shape))[..., 1, 1], 1.0)
    half = Shares(np.ones(shape), np.full(shape, 0.5), np.full(shape, 0.5))
    # Halfway between two answers 2 km apart: each variance, and 1 km squared.
    np.testing.assert_allclose(said.covariance(half)[..., 1, 1], 0.5 * (1.0 + 1.0) + 0.5 * (0.25 + 1.0))
    none = Answers(np.ones((N, H, 3)), EYE.copy(), np.zeros(shape), np.full(shape, np.inf))
    sgp4 = Shares(*(np.zeros(shape) for _ in range(3)))
    cov = none.covariance(sgp4)
    np.testing.assert_allclose(cov[..., 1, 1], 2.0)
    assert (np.linalg.eigvalsh(cov) > 0.0).all()
