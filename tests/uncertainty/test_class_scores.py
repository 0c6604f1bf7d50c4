"""Scores of classes against cases worked by hand, and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from orbwatch.uncertainty.class_scores import average_precision, confusion, f1_of, macro_f1, temperature


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
