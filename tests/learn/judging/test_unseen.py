"""Which data sets a model may be judged on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orbwatch.errors import InputError
from orbwatch.learn.judging.unseen import check_unseen
from orbwatch.learn.samples.sequences import SequenceStore


def related(trained: dict[str, Any], settings: dict[str, Any] | None) -> str:
    store = SequenceStore(Path("data"), {"data_hash": "a", "settings": settings}, [], [])
    return check_unseen(trained, store, Path("model"))


def test_its_own_data_and_those_of_another_seed() -> None:
    assert "keeps test objects apart" in related({"data_sha256": "a"}, None)
    assert related({"data_sha256": "b", "dataset": {"seed": 1}}, {"seed": 2}).startswith("one of seed 2")


@pytest.mark.parametrize(
    ("trained", "settings"),
    [
        ({"data_sha256": "b", "dataset": {"seed": 1}}, {"seed": 1}),
        ({"data_sha256": "b", "dataset": {"seed": 1}}, None),
        ({"data_sha256": "b", "dataset": None}, {"seed": 1}),
        ({"data_sha256": "b", "dataset": {"seed": 1, "catalog": "a.txt"}}, {"seed": 2, "catalog": "b.txt"}),
        ({"dataset": {"seed": 1}}, {"seed": 2}),
        ({}, {"seed": 2}),
    ],
)
def test_others_are_refused(trained: dict[str, Any], settings: dict[str, Any] | None) -> None:
    with pytest.raises(InputError, match=r"data: not the data that model was trained on.*training objects"):
        related(trained, settings)
