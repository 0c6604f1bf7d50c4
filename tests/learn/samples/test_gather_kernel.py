"""Blocks of rows are copied whole, in any order, for every type and width; that is near the speed of memory."""

from __future__ import annotations

import time

import numpy as np
import pytest

from orbwatch.learn.samples.gather_kernel import gather_at, gather_rows


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize(("columns", "steps"), [(1, 1), (6, 30), (24, 20)])
def test_blocks(dtype: type, columns: int, steps: int) -> None:
    rng = np.random.default_rng(columns)
    series = (rng.normal(size=(200, columns)) * 50).astype(np.int8).astype(dtype)
    series.flags.writeable = False
    first = rng.integers(0, 200 - steps + 1, 33)
    out = np.empty((33, steps, columns), dtype)
    gather_rows(series, first, steps, out)
    expected = series[first[:, None] + np.arange(steps)]
    np.testing.assert_array_equal(out, expected)
    at = rng.permutation(50)[:33]
    spread = np.zeros((50, steps, columns), dtype)
    gather_at(series, first, steps, at, spread)
    np.testing.assert_array_equal(spread[at], expected)
    assert not spread[np.setdiff1d(np.arange(50), at)].any()


def test_no_blocks() -> None:
    gather_rows(np.zeros((4, 3)), np.empty(0, np.int64), 2, np.empty((0, 2, 3)))


def test_speed_against_a_plain_copy() -> None:
    """20 x 24 and 30 x 6 float32 in random order, batches of 512: at least 0.3 x a copy of the same bytes."""
    rng = np.random.default_rng(1)
    past, future = (rng.normal(size=(400_000, columns)).astype(np.float32) for columns in (24, 6))
    batches = rng.integers(0, 400_000 - 50, (50, 512))
    x, y = np.empty((512, 20, 24), np.float32), np.empty((512, 30, 6), np.float32)
    whole = np.ones((50 * 512, 660), np.float32)
    copied = np.zeros_like(whole)

    def gather() -> None:
        for first in batches:
            gather_rows(past, first, 20, x)
            gather_rows(future, first + 20, 30, y)

    def copy() -> None:
        np.copyto(copied, whole)

    gather()
    ratios = []
    for _ in range(5):  # a busy machine is no failure: the best of five
        began = time.perf_counter()
        copy()
        between = time.perf_counter()
        gather()
        ratios.append((between - began) / (time.perf_counter() - between))
    assert max(ratios) > 0.3
