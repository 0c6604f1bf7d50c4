"""Intervals and p-values against direct computation, enumeration and simulated truth."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from orbwatch.learn.judging import significance


def _panel(seed: int, objects: int = 20, windows: int = 30, gain: float = 1.0, shared: float = 0.5):
    rng = np.random.default_rng(seed)
    ids = np.repeat(np.arange(objects), windows)
    scale = np.exp(shared * rng.normal(size=objects))[ids]
    reference = scale * rng.chisquare(3, size=len(ids)) ** 0.5
    error = gain * scale * rng.chisquare(3, size=len(ids)) ** 0.5
    return error, reference, ids


def test_weighted_medians_equal_repeating_the_rows() -> None:
    rng = np.random.default_rng(3)
    values, cluster = rng.normal(size=31), rng.integers(0, 5, 31)
    times = rng.multinomial(5, np.full(5, 0.2), size=40)
    times = times[(times[:, np.unique(cluster)].sum(axis=1)) > 0]
    expected = [np.median(np.repeat(values, row[cluster])) for row in times]
    np.testing.assert_allclose(significance._weighted_medians(values, cluster, times), expected)


def test_median_ratio_finds_a_gain_and_keeps_pairs() -> None:
    error, reference, ids = _panel(1, gain=0.8)
    interval = significance.median_ratio(error, reference, ids, draws=500)
    assert interval.estimate == pytest.approx(np.median(error) / np.median(reference))
    assert interval.low < interval.estimate < interval.high
    assert interval.below_one
    assert not interval.above_one
    exact = significance.median_ratio(2.0 * reference, reference, ids, draws=50)
    assert (exact.low, exact.estimate, exact.high) == pytest.approx((2.0, 2.0, 2.0))
    assert exact.above_one


def test_median_ratio_interval_covers_the_truth_as_often_as_it_says() -> None:
    held = 0
    for seed in range(150):
        interval = significance.median_ratio(*_panel(seed, objects=25, windows=8, gain=0.9), draws=200)
        held += interval.low <= 0.9 <= interval.high
    assert 0.88 <= held / 150 <= 0.99


def test_missing_pairs_are_left_out() -> None:
    error, reference, ids = _panel(2)
    holes = error.copy()
    holes[:30] = np.nan
    kept = significance.median_ratio(error[30:], reference[30:], ids[30:], draws=50)
    assert significance.median_ratio(holes, reference, ids, draws=50) == kept
    nothing = significance.median_ratio(np.full(3, np.nan), np.ones(3), np.arange(3))
    assert np.isnan(nothing.estimate)
    assert not nothing.below_one
    assert np.isnan(significance.mean_difference(np.full(3, np.nan), np.ones(3), np.arange(3)).estimate)
    assert np.isnan(significance.wilcoxon(np.full(3, np.nan), np.ones(3), np.arange(3)))


def test_one_object_gives_no_interval() -> None:
    one = np.zeros(4, np.int64)
    assert np.isnan(significance.median_ratio(np.arange(1.0, 5.0), np.ones(4), one).low)
    assert np.isnan(significance.mean_difference(np.arange(1.0, 5.0), np.ones(4), one).low)


def test_mean_difference_matches_resampling_by_hand() -> None:
    error, reference, ids = _panel(4, objects=6, windows=5)
    interval = significance.mean_difference(error, reference, ids, draws=4000)
    rng = np.random.default_rng(7)
    difference = (error - reference).reshape(6, 5)
    means = [difference[rng.integers(0, 6, 6)].mean() for _ in range(4000)]
    assert interval.estimate == pytest.approx(difference.mean())
    assert (interval.low, interval.high) == pytest.approx(np.quantile(means, (0.025, 0.975)), abs=0.05)


def test_shares_of_columns_are_mean_differences_from_nothing() -> None:
    hits = np.random.default_rng(8).uniform(size=(30, 3)) < [0.2, 0.5, 0.9]
    ids = np.repeat(np.arange(6), 5)
    for column, found in zip(hits.T, significance.shares(hits, ids, draws=200), strict=True):
        one = significance.mean_difference(column.astype(float), np.zeros(30), ids, draws=200)
        np.testing.assert_allclose(found, (one.estimate, one.low, one.high))
    assert np.isnan(significance.shares(hits[:0], ids[:0])).all()
    (held, low, high) = significance.shares(hits[:, :1], np.zeros(30, np.int64))[0]
    assert held == hits[:, 0].mean()
    assert np.isnan((low, high)).all()


def test_wilcoxon_equals_counting_all_signs() -> None:
    error, reference, ids = _panel(6, objects=9, windows=4)
    means = (error - reference).reshape(9, 4).mean(axis=1)
    ranks = np.argsort(np.argsort(np.abs(means))) + 1.0
    signs = np.array(list(itertools.product((0.0, 1.0), repeat=9)))
    sums = signs @ ranks
    seen = ranks[means > 0.0].sum()
    expected = min(1.0, 2.0 * min(np.mean(sums <= seen), np.mean(sums >= seen)))
    assert significance.wilcoxon(error, reference, ids) == pytest.approx(expected)
    assert significance.wilcoxon(reference, reference, ids) == 1.0


def test_diebold_mariano_equals_its_formula_and_finds_gains() -> None:
    error, reference, ids = _panel(5, objects=30, windows=20, gain=0.8, shared=0.1)
    time = np.tile(np.arange(20.0), 30)
    statistic, p = significance.diebold_mariano(error, reference, ids, time, lags=0)
    difference = error - reference
    sums = (difference - difference.mean()).reshape(30, 20).sum(axis=1)
    variance = max(600.0 * difference.var(), (sums**2).sum() * 30.0 / 29.0)
    assert statistic == pytest.approx(difference.sum() / variance**0.5)
    alone = significance.diebold_mariano(error[:20], reference[:20], ids[:20], time[:20], lags=0)[0]
    assert alone == pytest.approx(difference[:20].mean() / (difference[:20].std() / 20**0.5))
    assert statistic < -3.0
    assert p < 0.01
    shuffled = np.random.default_rng(1).permutation(len(ids))
    again = significance.diebold_mariano(error[shuffled], reference[shuffled], ids[shuffled], time[shuffled])
    assert again == pytest.approx(significance.diebold_mariano(error, reference, ids, time))
    assert significance.diebold_mariano(error, error, ids, time) == (0.0, 1.0)
    assert significance.diebold_mariano(error + 1.0, error, ids, time)[1] < 1e-9
    assert np.isnan(significance.diebold_mariano(error[:1], error[:1], ids[:1], time[:1])[0])


def test_diebold_mariano_keeps_its_level_on_correlated_series() -> None:
    rejected = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        noise = rng.normal(size=(24, 41))
        series = (noise[:, 1:] + 0.5 * noise[:, :-1]).ravel()
        ids, time = np.repeat(np.arange(24), 40), np.tile(np.arange(40.0), 24)
        rejected += significance.diebold_mariano(series, np.zeros_like(series), ids, time, lags=6)[1] < 0.05
    assert 0.02 <= rejected / 300 <= 0.10


def test_diebold_mariano_keeps_its_level_when_windows_of_an_object_share_their_error() -> None:
    """Correlation 0.3 between any two windows of an object, however far apart: no lag ends it."""
    rejected, ids, time = 0, np.repeat(np.arange(30), 40), np.tile(np.arange(40.0), 30)
    for seed in range(400):
        rng = np.random.default_rng(seed)
        shared = 0.3**0.5 * rng.normal(size=(30, 1)) + 0.7**0.5 * rng.normal(size=(30, 40))
        rejected += significance.diebold_mariano(shared.ravel(), np.zeros(1200), ids, time)[1] < 0.05
    assert 0.02 <= rejected / 400 <= 0.08


def test_holm_matches_the_step_down_rule() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.005, np.nan])
    np.testing.assert_allclose(significance.holm(p), [0.03, 0.06, 0.06, 0.02, np.nan])
    assert significance.holm(np.array([0.9, 0.8])).max() == 1.0
