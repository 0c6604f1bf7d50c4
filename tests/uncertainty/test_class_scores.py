"""Scores of classes against cases worked by hand, and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from orbwatch.uncertainty.class_scores import average_precision, confusion, f1_of, macro_f1, platt, temperature


def test_confusion_and_f1() -> None:
    true, told = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 0])
    table = confusion(told, true, 4)
    assert table[:3, :3].tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    np.testing.assert_allclose(f1_of(table)[:3], [4 / 6, 4 / 5, 0.0])
    assert np.isnan(f1_of(table)[3])
    assert macro_f1(told, true) == pytest.approx(f1_score(true, told, average="macro"))


def test_average_precision_with_ties() -> None:
    rng = np.random.default_rng(1)
    score, true = np.round(rng.random(500), 2), rng.random(500) < 0.1
    assert average_precision(score, true) == pytest.approx(average_precision_score(true, score))
    assert np.isnan(average_precision(score, np.zeros(500, np.bool_)))


def test_temperature_without_cases_changes_nothing() -> None:
    assert temperature(np.zeros((0, 3)), np.zeros(0, np.int64), offset=True) == (1.0, 0.0)


def test_platt_finds_slope_and_offset() -> None:
    rng = np.random.default_rng(1)
    odds = rng.normal(0.0, 2.0, 4000)
    slope, offset = platt(odds, rng.random(4000) < 1.0 / (1.0 + np.exp(-(1.5 * odds - 0.7))))
    assert slope == pytest.approx(1.5, abs=0.12)
    assert offset == pytest.approx(-0.7, abs=0.12)


def test_platt_of_cases_that_are_all_true_stays_sensible() -> None:
    slope, offset = platt(np.full(5, 3.0), np.ones(5, bool))
    assert slope * 3.0 + offset > 3.0  # surer than the model, and finite
    assert platt(np.array([-4.0, -3.0, 3.0, 9.0]), np.array([False, False, True, True]))[0] > 1.0
