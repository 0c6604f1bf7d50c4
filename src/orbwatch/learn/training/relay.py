"""Progress of a training that runs in other processes, brought to this one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch.multiprocessing

from orbwatch.progress import Progress


class Sender:
    """A progress function that can be sent to another process."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue

    def __call__(self, words: str, fraction: float) -> None:
        self._queue.put((words, fraction))


@contextmanager
def relayed(progress: Progress | None) -> Iterator[Progress | None]:
    """What to give to the other processes so that `progress` is called here, from a thread."""
    if progress is None:
        yield None
        return
    queue = torch.multiprocessing.get_context("spawn").SimpleQueue()

    def listen() -> None:
        while (said := queue.get()) is not None:
            progress(*said)

    listener = threading.Thread(target=listen, name="progress", daemon=True)
    listener.start()
    try:
        yield Sender(queue)
    finally:
        queue.put(None)
        listener.join()
        queue.close()
