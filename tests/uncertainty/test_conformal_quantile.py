"""Conformal quantiles: exact ranks, and coverage of new objects by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from crepes import ConformalRegressor

from orbwatch.errors import InputError
from orbwatch.uncertainty.conformal_quantile import conformal_quantiles


def test_ranks_are_exact_and_infinite_beyond_the_last_score() -> None:
    score = np.arange(1.0, 10.0)  # n = 9: k = ceil(10 level)
    levels = np.array([0.1, 0.11, 0.5, 0.8, 0.81, 0.9, 0.91])
    quantiles = conformal_quantiles(score, np.arange(9), levels, "window")
    np.testing.assert_array_equal(quantiles, [1, 2, 5, 8, 9, 9, np.inf])
    # One window an object: objects and windows are the same thing.
    np.testing.assert_array_equal(conformal_quantiles(score, np.arange(9), levels, "object"), quantiles)
    np.testing.assert_array_equal(conformal_quantiles(score, np.arange(9), levels, "effective"), quantiles)


def test_objects_weigh_alike_however_many_windows_they_have() -> None:
    # Three objects; 1/4 of the mass each and 1/4 at infinity. The first has 4 windows of 1/16 each.
    score = np.array([1.0, 2.0, 3.0, 4.0, 2.5, 9.0])
    object_id = np.array([7, 7, 7, 7, 1, 5])
    levels = np.array([1, 2, 6, 7, 8, 9, 12, 13]) / 16
    np.testing.assert_array_equal(
        conformal_quantiles(score, object_id, levels, "object"), [1, 2, 2.5, 3, 4, 9, 9, np.inf]
    )


def test_a_single_object_is_one_unit_however_many_windows() -> None:
    for unit in ("object", "effective"):
        quantiles = conformal_quantiles(
            np.arange(1.0, 9.0), np.zeros(8, dtype=np.int64), np.array([0.25, 0.5, 0.6]), unit
        )
        np.testing.assert_array_equal(quantiles, [4, 8, np.inf])  # half of the mass stands at infinity


def test_missing_scores_are_left_out_and_infinite_ones_count() -> None:
    score = np.array([1.0, np.nan, 2.0, np.inf])
    quantiles = conformal_quantiles(score, np.arange(4), np.array([0.25, 0.5, 0.75]), "window")
    np.testing.assert_array_equal(quantiles, [1, 2, np.inf])
    assert np.isinf(conformal_quantiles(np.full(3, np.nan), np.arange(3), np.array([0.1]), "object")).all()
    with pytest.raises(InputError, match="window, object, effective"):
        conformal_quantiles(score, np.arange(4), np.array([0.5]), "track")


@pytest.mark.parametrize("n", [10, 57, 1000])
def test_equal_to_crepes(n: int) -> None:
    residual = np.random.default_rng(n).normal(size=n)
    other = ConformalRegressor().fit(residual)
    for level in (0.5, 0.68, 0.83, 0.9):
        expected = other.predict_int(np.zeros(1), confidence=level)[0, 1]
        mine = conformal_quantiles(np.abs(residual), np.arange(n), np.array([level]), "window")
        np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-6)


def coverage(unit: str, level: float, objects: int, spread: float, repeats: int, seed: int) -> float:
    """Share of new windows of new objects at or below the quantile; objects differ in scale by exp(spread N(0, 1)).

    Objects have 1 to 12 windows, and those with a large scale have more of them.
    """
    rng = np.random.default_rng(seed)
    hits = 0.0
    for _ in range(repeats):
        scale = np.exp(spread * rng.normal(size=objects))
        count = np.clip(np.round(4 * scale), 1, 12).astype(np.int64)
        object_id = np.repeat(np.arange(objects), count)
        score = scale[object_id] * np.abs(rng.normal(size=len(object_id)))
        quantile = conformal_quantiles(score, object_id, np.array([level]), unit)[0]
        new = np.exp(spread * rng.normal(size=20))
        hits += float(np.mean(new * np.abs(rng.normal(size=20)) <= quantile))
    return hits / repeats


def test_exchangeable_scores_are_covered_exactly() -> None:
    rng = np.random.default_rng(1)
    repeats, hits = 4000, 0.0
    for _ in range(repeats):
        quantile = conformal_quantiles(rng.random(12), np.arange(12), np.array([0.8]), "window")[0]
        hits += min(quantile, 1.0)  # the coverage of a uniform score
    # k = ceil(13 * 0.8) = 11 of 12: coverage is Beta(11, 2), mean 11/13, standard deviation 0.0964.
    assert hits / repeats == pytest.approx(11 / 13, abs=4 * 0.0964 / np.sqrt(repeats))


def test_new_objects_are_covered_by_objects_and_not_by_windows() -> None:
    # 1500 repeats of 20 windows of different objects: the standard error is about 0.004.
    by_object = coverage("object", 0.8, 20, 0.8, 1500, 2)
    assert 0.8 - 0.012 <= by_object <= 0.8 + 2 / 21
    # The same objects, windows taken as independent, large objects counted by their many windows: wrong.
    assert abs(coverage("window", 0.8, 20, 0.8, 1500, 2) - 0.8) > 0.03
    # Identical windows within an object, all alike: coverage falls short where windows pretend to be many.
    rng = np.random.default_rng(3)
    short, full = [], []
    for _ in range(1500):
        score = np.repeat(rng.random(12), 50)
        owner = np.repeat(np.arange(12), 50)
        short.append(min(1.0, conformal_quantiles(score, owner, np.array([0.9]), "window")[0]))
        full.append(min(1.0, conformal_quantiles(score, owner, np.array([0.9]), "object")[0]))
    assert np.mean(short) < 0.86
    assert np.mean(full) >= 0.9  # k = ceil(13 * 0.9) = 12 of 12: 12/13


def test_effective_size_is_nominal_between_the_extremes() -> None:
    for spread in (0.0, 0.3, 0.8):
        got = coverage("effective", 0.8, 20, spread, 1200, 4)
        assert got == pytest.approx(0.8, abs=0.025), spread
    # Where objects are all alike, few of them are no reason for wide regions; by object they are wider.
    rng = np.random.default_rng(5)
    owner = np.repeat(np.arange(20), 100)
    effective, by_object = np.array(
        [
            [conformal_quantiles(score, owner, np.array([0.9]), unit)[0] for unit in ("effective", "object")]
            for score in rng.random((200, 2000))
        ]
    ).T
    assert effective.mean() == pytest.approx(0.9, abs=0.005)
    assert by_object.mean() == pytest.approx(0.9 * 21 / 20, abs=0.005)


def test_effective_size_pays_for_correlated_windows() -> None:
    # Every window repeats its object's own score with probability 1/2: 20 objects of 20 windows are then worth about
    # 400 / (1 + 19/4) = 70 windows. Taken for 280, they cover 0.897 of new windows. The standard error is 0.0006.
    rng = np.random.default_rng(6)
    owner = np.repeat(np.arange(20), 20)
    quantiles = []
    for _ in range(4000):
        score = np.where(rng.random(400) < 0.5, rng.random(20)[owner], rng.random(400))
        quantiles.append(conformal_quantiles(score, owner, np.array([0.9]), "effective")[0])
    assert 0.9 <= np.mean(quantiles) <= 0.91
