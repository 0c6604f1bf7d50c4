"""Robust polynomials: exact on clean values, unmoved by outliers, silent with too few sets."""

from __future__ import annotations

import numpy as np

from orbwatch.propagate.trend import SPANS, trends


def _values(age_day: np.ndarray) -> np.ndarray:
    return 0.02 - 0.5 * age_day + 0.03 * age_day**2


def test_clean_values_are_carried_on_exactly() -> None:
    age = np.linspace(0.0, 14.0, 43)[None]
    found = trends(age, _values(age))
    ahead = np.array([[0.5, 7.0]])
    at = found.at(ahead)[0]
    for place, span in enumerate(SPANS):
        if span.degree >= 2:
            np.testing.assert_allclose(at[:, place], _values(-ahead)[0], rtol=1e-5)
            assert found.scale[0, place] < 1e-6


def test_outliers_hardly_move_them() -> None:
    rng = np.random.default_rng(3)
    age = np.linspace(0.0, 14.0, 43)[None]
    noisy = _values(age) + rng.normal(0.0, 0.01, age.shape)
    spoiled = noisy.copy()
    spoiled[0, [5, 20, 33]] += 50.0
    week = SPANS.index((7.0, 2, 6))
    clean, bad = (trends(age, v).at(np.array([[3.0]]))[0, 0, week] for v in (noisy, spoiled))
    assert abs(clean - bad) < 0.3
    assert 0.005 < trends(age, noisy).scale[0, week] < 0.02


def test_too_few_sets_give_nothing() -> None:
    age = np.array([[np.nan, np.nan, 1.0, 0.0]])
    found = trends(age, np.array([[np.nan, np.nan, 0.4, 0.0]]))
    assert np.isnan(found.scale).all()
    np.testing.assert_array_equal(found.coefficient, 0.0)


def test_only_the_spans_own_sets_count() -> None:
    age = np.linspace(0.0, 14.0, 43)[None]
    kink = np.where(age < 3.1, 0.1 * age, 50.0)
    short = SPANS.index((3.0, 1, 4))
    np.testing.assert_allclose(trends(age, kink).at(np.array([[1.0]]))[0, 0, short], -0.1, atol=1e-6)
