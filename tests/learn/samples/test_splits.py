"""Splits share no object, hold their shares in every regime, and depend on nothing but regimes and seed."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.errors import InputError
from orbwatch.learn.samples.splits import SPLITS, split_objects


def regimes(n: int) -> np.ndarray:
    return np.array([0, 0, 1, 2, 3], np.int8)[np.arange(n) % 5]


@pytest.mark.parametrize("n", [4, 5, 8, 12, 96, 1000])
def test_every_object_once_and_no_split_empty(n: int) -> None:
    found = split_objects(regimes(n), 1)
    assert list(found) == list(SPLITS)
    assert sorted(np.concatenate(list(found.values())).tolist()) == list(range(n))
    assert all(len(places) for places in found.values())
    assert all((np.diff(places) > 0).all() for places in found.values())


def test_shares_hold_in_every_regime() -> None:
    code = regimes(1000)
    for name, places in split_objects(code, 7).items():
        for regime in range(4):
            share = np.count_nonzero(code[places] == regime) / np.count_nonzero(code == regime)
            assert share == pytest.approx(SPLITS[name], abs=0.01)


def test_the_seed_decides() -> None:
    first, again, other = (split_objects(regimes(100), seed)["test"].tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_too_few_objects() -> None:
    with pytest.raises(InputError, match="too few objects"):
        split_objects(regimes(3), 1)
