"""Whom to believe: whoever is right gets the share, nobody where nothing is gained or known."""

from __future__ import annotations

import numpy as np

from orbwatch.learn.judging.catalog_shares import best_shares
from orbwatch.models.catalog_answers import Answers, everything
from orbwatch.models.catalog_calibration import Shares

N, H = 400, 6
RNG = np.random.default_rng(1)
TRUTH = RNG.normal(0.0, 1.0, (N, H, 3))
ASKED = np.arange(N)
EYE = np.broadcast_to(np.eye(3), (N, H, 3, 3)).copy()


def answers(mean: np.ndarray, along: np.ndarray, sigma: float = 0.5) -> Answers:
    trees, sigmas = np.zeros((N, H, 3)), np.full((N, H, 3), np.inf)
    trees[..., 1], sigmas[..., 1] = along, sigma
    return Answers(mean, EYE.copy(), trees, sigmas)


def test_who_is_right_is_believed() -> None:
    noise = RNG.normal(0.0, 1.0, TRUTH.shape)
    group = np.zeros(N, np.int64)
    trees = best_shares(answers(noise, TRUTH[..., 1]), TRUTH, group, ASKED)
    assert (trees.trees[0] == 1.0).all()
    assert (trees.networks[0] == 0.0).all()
    assert (trees.across[0] == 0.0).all()
    networks = best_shares(answers(TRUTH + 0.1 * noise, noise[..., 0]), TRUTH, group, ASKED)
    assert (networks.networks[0] >= 0.75).all()
    assert (networks.across[0] == 1.0).all()
    assert (networks.trees[1:] == 0.0).all()


def test_two_that_err_apart_share() -> None:
    one, two = (TRUTH + RNG.normal(0.0, 0.7, TRUTH.shape) for _ in range(2))
    found = best_shares(answers(one, two[..., 1]), TRUTH, np.zeros(N, np.int64), ASKED)
    assert (found.networks[0] >= 0.25).all()
    assert (found.trees[0] >= 0.25).all()


def test_too_few_truths_keep_sgp4() -> None:
    truth = TRUTH.copy()
    truth[40:] = np.nan
    found = best_shares(answers(TRUTH, TRUTH[..., 1]), truth, np.zeros(N, np.int64), ASKED)
    assert (found.networks + found.trees + found.across == 0.0).all()


def test_the_covariance_is_that_of_whoever_is_believed() -> None:
    said = answers(np.zeros((N, H, 3)), np.full((N, H), 2.0), sigma=0.5)
    shape = (N, H)
    one = np.ones((*shape, 3))
    nothing = np.zeros(shape)
    trees = Shares(np.ones(shape), nothing, nothing, np.ones(shape), one)
    np.testing.assert_allclose(said.taken(trees)[..., 1], 2.0)
    np.testing.assert_allclose(said.covariance(trees)[..., 1, 1], 0.25)
    np.testing.assert_allclose(said.covariance(everything(shape))[..., 1, 1], 1.0)
    half = Shares(np.ones(shape), nothing, np.full(shape, 0.5), np.full(shape, 0.5), one)
    # Halfway between two answers 2 km apart: each variance, and 1 km squared.
    np.testing.assert_allclose(said.covariance(half)[..., 1, 1], 0.5 * (1.0 + 1.0) + 0.5 * (0.25 + 1.0))
    none = Answers(np.ones((N, H, 3)), EYE.copy(), np.zeros((N, H, 3)), np.full((N, H, 3), np.inf))
    sgp4 = Shares(*(nothing for _ in range(4)), one)
    cov = none.covariance(sgp4)
    np.testing.assert_allclose(cov[..., 1, 1], 2.0)
    assert (np.linalg.eigvalsh(cov) > 0.0).all()


def test_standard_deviations_become_as_large_as_errors() -> None:
    truth = TRUTH * np.array([0.2, 30.0, 1.0])
    group = np.zeros(N, np.int64)
    found = best_shares(answers(np.zeros((N, H, 3)), np.zeros((N, H))), truth, group, ASKED)
    said = answers(np.zeros((N, H, 3)), np.zeros((N, H)))
    cov = said.covariance(found.at(group, np.arange(H) * 1.0))
    inside = np.abs(truth) < 1.6449 * np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    np.testing.assert_allclose(inside.mean(axis=(0, 1)), 0.9, atol=0.02)


def test_between_two_horizons_shares_go_in_proportion() -> None:
    shares = Shares(*(np.tile(np.arange(H) / 10.0, (60, 1)) for _ in range(4)), np.ones((60, H, 3)))
    between = shares.at(np.array([3, 4]), np.array([0.0, 1.5, H - 1.0]))
    np.testing.assert_allclose(between.trees, [[0.0, 0.15, 0.5]] * 2)
    assert between.stretch.shape == (2, 3, 3)


def test_what_helps_in_one_week_only_is_not_believed() -> None:
    group, quarter = np.zeros(N, np.int64), np.arange(N) // (N // 4)
    one_week = np.where((quarter == 1)[:, None], 0.2 * TRUTH[..., 1], -0.05 * TRUTH[..., 1]) + 1e-3
    found = best_shares(answers(np.zeros((N, H, 3)), one_week), TRUTH, group, ASKED)
    assert (found.trees[0] == 0.0).all()
    always = best_shares(answers(np.zeros((N, H, 3)), 0.2 * TRUTH[..., 1]), TRUTH, group, ASKED)
    assert (always.trees[0] == 1.0).all()


def test_trees_beside_the_orbit_are_believed_where_they_are_right() -> None:
    said = Answers(np.zeros((N, H, 3)), EYE.copy(), 0.9 * TRUTH, np.full((N, H, 3), 0.5))
    found = best_shares(said, TRUTH, np.zeros(N, np.int64), ASKED)
    assert (found.beside[0] == 1.0).all()
    assert (found.across[0] == 0.0).all()
    cov = said.covariance(found.at(np.zeros(N, np.int64), np.arange(H) * 1.0))
    sigma = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    inside = np.abs(0.1 * TRUTH) < 1.6449 * sigma
    np.testing.assert_allclose(inside.mean(axis=(0, 1)), 0.9, atol=0.03)
