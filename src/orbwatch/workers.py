"""Processes that work for another one, and end with it."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import TypeVar

from orbwatch.errors import OrbwatchError

Job = TypeVar("Job")
Result = TypeVar("Result")


def begin_worker() -> None:
    """A worker ends with its builder, however that ends, and leaves Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_builder, daemon=True).start()


def in_order(work: Callable[[Job], Result], jobs: Iterable[Job], workers: int) -> Iterator[Result]:
    """The results of jobs, in their order; by several processes when there are more workers than one.

    Only some jobs more than workers are under way, so that no more is held in memory. Raises OrbwatchError where a
    process was killed.
    """
    if workers < 2:
        yield from map(work, jobs)
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=begin_worker)
    waiting: deque[Future[Result]] = deque()
    try:
        for job in jobs:
            waiting.append(pool.submit(work, job))
            if len(waiting) > workers + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise OrbwatchError("a process was killed, perhaps for want of memory; fewer --threads need less") from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _end_with_builder() -> None:
    builder = parent_process()
    if builder is not None:
        builder.join()
        os._exit(1)
