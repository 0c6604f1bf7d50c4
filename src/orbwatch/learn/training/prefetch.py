"""Work done ahead of need in a background thread; compiled kernels leave the interpreter free meanwhile."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

Made = TypeVar("Made")

DEPTH = 2
"""Batches made ahead: one being made while one waits."""


@dataclass
class Clock:
    """Where the time went, seconds."""

    made_s: float = 0.0
    """Spent making, in the background."""
    waited_s: float = 0.0
    """Spent waiting for what was not ready."""


def ahead(make: Callable[[int], Made], items: Iterable[int], clock: Clock, depth: int = DEPTH) -> Iterator[Made]:
    """`make(item)` for every item, in order, made up to `depth` ahead of the caller.

    What `make` raises is raised here, in its turn. Leaving the iterator early ends the thread.
    """

    def timed(item: int) -> Made:
        start = time.perf_counter()
        made = make(item)
        clock.made_s += time.perf_counter() - start
        return made

    pool = ThreadPoolExecutor(1, thread_name_prefix="batches")
    waiting: deque[Future[Made]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(timed, item))
            if len(waiting) > depth:
                yield _next(waiting, clock)
        while waiting:
            yield _next(waiting, clock)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _next(waiting: deque[Future[Made]], clock: Clock) -> Made:
    start = time.perf_counter()
    made = waiting.popleft().result()
    clock.waited_s += time.perf_counter() - start
    return made
