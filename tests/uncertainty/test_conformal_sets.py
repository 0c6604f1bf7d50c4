"""Conformal sets of classes: coverage by simulation, and the same scores and sets as MAPIE and crepes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from crepes import ConformalClassifier
from mapie.conformity_scores import APSConformityScore, LACConformityScore

from orbwatch.errors import InputError
from orbwatch.uncertainty.conformal_sets import ConformalSets, label_scores


def cases(rng: np.random.Generator, objects: int, windows: int, classes: int = 5) -> tuple[np.ndarray, ...]:
    """Probabilities of an overconfident classifier, true labels, groups, objects (each of which leans its own way)."""
    n = objects * windows
    object_id = np.repeat(np.arange(objects), windows)
    logits = 2 * rng.normal(size=(n, classes))
    lean = 0.5 * rng.normal(size=(objects, classes))[object_id]
    label = np.argmax(logits + lean + rng.gumbel(size=(n, classes)), axis=1)
    claimed = np.exp(2 * logits)
    return claimed / claimed.sum(axis=1, keepdims=True), label, object_id % 2, object_id


@pytest.mark.parametrize(
    ("method", "randomized", "excess"), [("lac", False, 0.0), ("aps", True, 0.0), ("aps", False, 0.08)]
)
def test_sets_hold_the_truth_of_new_objects(method: str, randomized: bool, excess: float) -> None:
    rng = np.random.default_rng(1)
    model = ConformalSets(method, randomized=randomized).fit(*cases(rng, 1000, 6))
    probability, label, group, _ = cases(rng, 1000, 6)
    chosen = model.sets(probability, group, 0.9)
    held = chosen[np.arange(len(label)), label]
    for g in (0, 1):
        assert 0.9 - 0.02 <= held[group == g].mean() <= 0.9 + 0.025 + excess
    plain = np.argsort(-probability, axis=1)[:, 0] == label
    assert plain.mean() < 0.7  # the sets do work: the most probable class alone is often wrong
    assert 1.2 < chosen.sum(axis=1).mean() < 4


def test_scores_equal_mapie() -> None:
    probability, label, _, _ = cases(np.random.default_rng(2), 200, 1)
    lac, aps = LACConformityScore(), APSConformityScore()
    for other in (lac, aps):
        other.set_external_attributes(classes=np.arange(5), random_state=3)
    mine = label_scores(probability, "lac")[np.arange(200), label]
    np.testing.assert_allclose(lac.get_conformity_scores(label, probability, y_enc=label).ravel(), mine, atol=1e-6)
    uniform = np.random.RandomState(3).uniform(size=200)
    mine = label_scores(probability, "aps", uniform)[np.arange(200), label]
    np.testing.assert_allclose(aps.get_conformity_scores(label, probability, y_enc=label).ravel(), mine, atol=1e-6)


def test_lac_sets_equal_crepes_mondrian() -> None:
    rng = np.random.default_rng(4)
    probability, label, group, object_id = cases(rng, 300, 1)
    fresh, _, fresh_group, _ = cases(rng, 100, 1)
    model = ConformalSets("lac", levels=(0.83, 0.9)).fit(probability, label, group, object_id)
    other = ConformalClassifier().fit(label_scores(probability, "lac")[np.arange(300), label], bins=group)
    for level in (0.83, 0.9):
        expected = other.predict_set(
            label_scores(fresh, "lac"), bins=fresh_group, confidence=level, smoothing=False
        ).astype(bool)
        np.testing.assert_array_equal(model.sets(fresh, fresh_group, level), expected)


def test_too_few_or_unknown_groups_hold_every_class() -> None:
    probability, label, group, object_id = cases(np.random.default_rng(5), 16, 3)
    model = ConformalSets(levels=(0.8, 0.9)).fit(probability, label, group, object_id)
    assert model.sets(probability, group, 0.9).all()  # eight objects a group: 0.9 needs nine
    assert not model.sets(probability, group, 0.8).all()
    assert model.sets(probability, group + 5, 0.8).all()


def test_json_and_back() -> None:
    probability, label, group, object_id = cases(np.random.default_rng(6), 30, 3)
    for randomized in (False, True):
        model = ConformalSets("aps", randomized=randomized).fit(probability, label, group, object_id)
        again = ConformalSets.from_dict(json.loads(json.dumps(model.to_dict(), allow_nan=False)))
        for level in model.levels:
            np.testing.assert_array_equal(again.sets(probability, group, level), model.sets(probability, group, level))


def test_errors_are_named() -> None:
    probability, label, group, object_id = cases(np.random.default_rng(7), 10, 1)
    with pytest.raises(InputError, match="lac, aps"):
        ConformalSets("raps")
    with pytest.raises(InputError, match=r"legal: 0\.\.4"):
        ConformalSets().fit(probability, label + 1 + (label == 0) * 4, group, object_id)
    with pytest.raises(InputError, match="level"):
        ConformalSets().fit(probability, label, group, object_id).sets(probability, group, 0.5)
    values = ConformalSets().fit(probability, label, group, object_id).to_dict()
    with pytest.raises(InputError, match="cannot be read"):
        ConformalSets.from_dict({"method": "lac"})
    with pytest.raises(InputError, match="wrong shape"):
        ConformalSets.from_dict({**values, "groups": [0, 1, 2]})
