"""Background work comes in order, fails in its turn, and ends."""

from __future__ import annotations

import threading
import time

import pytest

from orbwatch.learn.training.prefetch import DEPTH, Clock, ahead


def test_in_order_and_at_most_so_far_ahead() -> None:
    made: list[int] = []

    def make(item: int) -> int:
        made.append(item)
        return item * item

    iterator = ahead(make, range(10), Clock())
    assert next(iterator) == 0
    time.sleep(0.05)
    assert len(made) == DEPTH + 1
    assert list(iterator) == [i * i for i in range(1, 10)]


def test_time_is_counted() -> None:
    clock = Clock()
    for _ in ahead(lambda _: time.sleep(0.01), range(3), clock):
        pass
    assert clock.made_s >= 0.03
    assert 0.02 <= clock.waited_s <= clock.made_s + 0.05


def test_what_fails_fails_in_its_turn() -> None:
    def make(item: int) -> int:
        if item == 2:
            raise ValueError("two")
        return item

    iterator = ahead(make, range(5), Clock())
    assert [next(iterator), next(iterator)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(iterator)


def test_leaving_early_ends_the_thread() -> None:
    iterator = ahead(lambda item: item, range(100), Clock())
    next(iterator)
    iterator.close()  # type: ignore[attr-defined]
    assert not any(thread.name.startswith("batches") for thread in threading.enumerate())
