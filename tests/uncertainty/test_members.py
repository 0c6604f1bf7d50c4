"""MC dropout and deep ensembles: moments of mixtures, votes, disagreement, bootstrap."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.errors import InputError
from orbwatch.uncertainty.ensemble import (
    DeepEnsemble,
    bootstrap_objects,
    bootstrap_spread_km,
    class_votes,
    disagreement,
)
from orbwatch.uncertainty.gaussian import Calibration
from orbwatch.uncertainty.mc_dropout import MCDropout


def members(seed: int, k: int = 4, n: int = 6, horizons: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    factor = np.tril(rng.normal(size=(k, n, horizons, 3, 3))) + 2 * np.eye(3)
    return rng.normal(size=(k, n, horizons, 3)), factor @ factor.swapaxes(-1, -2)


def test_the_mixture_has_the_moments_of_draws_from_its_members() -> None:
    means, covs = members(1, n=2)
    got = MCDropout().predict(means, covs)
    rng = np.random.default_rng(2)
    draws = 200_000
    for n, h in np.ndindex(2, 2):
        z = rng.normal(size=(draws, 3))
        who = rng.integers(0, 4, draws)
        x = means[who, n, h] + np.einsum("dij,dj->di", np.linalg.cholesky(covs[:, n, h])[who], z)
        np.testing.assert_allclose(got.forecast.mean_rtn_km[n, h], x.mean(axis=0), atol=0.04)
        np.testing.assert_allclose(got.forecast.cov_rtn_km2[n, h], np.cov(x.T), atol=0.25)
    np.testing.assert_allclose(got.forecast.cov_rtn_km2, got.aleatoric_rtn_km2 + got.epistemic_rtn_km2)
    assert ((got.epistemic_share() > 0) & (got.epistemic_share() < 1)).all()


def test_like_members_have_no_epistemic_part_and_far_ones_little_else() -> None:
    means, covs = members(3)
    alike = DeepEnsemble().predict(means[:1].repeat(3, axis=0), covs[:1].repeat(3, axis=0))
    np.testing.assert_allclose(alike.epistemic_share(), 0, atol=1e-15)
    np.testing.assert_allclose(alike.forecast.cov_rtn_km2, covs[0])
    assert (DeepEnsemble().predict(1e3 * means, covs).epistemic_share() > 0.99).all()


def test_a_hard_vote_is_not_moved_by_a_member_that_went_astray() -> None:
    rng = np.random.default_rng(4)
    means = 0.01 * rng.normal(size=(5, 8, 3, 3))
    means[2] += 100.0
    covs = np.broadcast_to(np.eye(3), (5, 8, 3, 3, 3))
    soft, hard = DeepEnsemble("soft").predict(means, covs), DeepEnsemble("hard").predict(means, covs)
    assert np.abs(hard.forecast.mean_rtn_km).max() < 0.1
    assert np.abs(soft.forecast.mean_rtn_km).min() > 19
    assert (hard.epistemic_share() > 0.99).all()
    same = (hard.forecast.mean_rtn_km[None] == means).all(axis=-1)
    assert same.any(axis=0).all()
    assert not same[2].any()
    with pytest.raises(InputError, match="soft, hard"):
        DeepEnsemble("loud")


def test_fit_and_regions_are_those_of_the_one_interface() -> None:
    means, covs = members(5)
    group = np.zeros(6, dtype=np.int64)
    for method in (MCDropout(), DeepEnsemble()):
        forecast = method.predict(means, covs).forecast
        calibration = Calibration(forecast, forecast.mean_rtn_km, group, group)
        regions = method.fit(calibration).regions(forecast, group, 0.9)
        np.testing.assert_allclose(regions.radius, 2.5003, atol=1e-4)


def test_disagreement_of_positions() -> None:
    means, covs = members(6)
    alike = disagreement(means[:1].repeat(3, axis=0), covs[:1].repeat(3, axis=0))
    np.testing.assert_allclose(alike.variance, 0, atol=1e-12)
    np.testing.assert_allclose(alike.mutual_information, 0, atol=1e-12)
    near, far = disagreement(means, covs), disagreement(10 * means, covs)
    np.testing.assert_allclose(far.variance, 100 * near.variance)
    np.testing.assert_allclose(near.variance, means.var(axis=0).sum(axis=-1))
    assert (far.mutual_information > near.mutual_information).all()
    assert (near.mutual_information > 0).all()


def test_class_votes() -> None:
    probability = np.array(
        [
            [[0.6, 0.4, 0.0], [0.5, 0.3, 0.2], [1.0, 0.0, 0.0]],
            [[0.6, 0.4, 0.0], [0.3, 0.5, 0.2], [0.0, 1.0, 0.0]],
            [[0.0, 1.0, 0.0], [0.5, 0.3, 0.2], [0.0, 0.0, 1.0]],
        ]
    )
    votes = class_votes(probability)
    np.testing.assert_allclose(votes.soft[0], [0.4, 0.6, 0.0])
    np.testing.assert_allclose(votes.hard[0], [2 / 3, 1 / 3, 0.0])
    np.testing.assert_array_equal(votes.label[:2], [0, 0])  # hard: two of three, though the mean prefers the second
    assert votes.soft[0].argmax() == 1
    # Certain of three different things: all of log 3 is disagreement.
    assert votes.entropy[2] == pytest.approx(np.log(3))
    assert votes.disagreement.mutual_information[2] == pytest.approx(np.log(3))
    assert votes.disagreement.variance[2] == pytest.approx(3 * 2 / 9)
    agreed = class_votes(probability[:1].repeat(4, axis=0))
    np.testing.assert_allclose(agreed.disagreement.mutual_information, 0, atol=1e-15)
    expected = -(0.6 * np.log(0.6) + 0.4 * np.log(0.4))
    assert agreed.entropy[0] == pytest.approx(expected)


def test_bootstrap_draws_whole_objects() -> None:
    object_id = np.array([5, 9, 5, 7, 9, 9])
    seen = set()
    for seed in range(20):
        rows = bootstrap_objects(object_id, seed)
        np.testing.assert_array_equal(rows, bootstrap_objects(object_id, seed))
        drawn = object_id[rows]
        per_object = {5: 2, 7: 1, 9: 3}
        assert sum((drawn == code).sum() / count for code, count in per_object.items()) == pytest.approx(3)
        for code in np.unique(drawn):
            mine = rows[drawn == code]
            np.testing.assert_array_equal(
                np.bincount(mine, minlength=6)[object_id == code], len(mine) // per_object[code]
            )
        seen.add(tuple(np.sort(drawn)))
    assert len(seen) > 5


def test_bootstrap_spread_is_the_standard_error_of_the_mean() -> None:
    means, _ = members(8, k=5)
    got = bootstrap_spread_km(means, draws=20_000)
    np.testing.assert_allclose(got, means.std(axis=0) / np.sqrt(5), rtol=0.03)


def test_wrong_shapes_are_named() -> None:
    means, covs = members(9)
    with pytest.raises(InputError, match="covariance per mean"):
        DeepEnsemble().predict(means[:0], covs[:0])
