"""How a process that trains behaves: threads, and what it says."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch

LOGGERS = ("lightning.pytorch", "lightning.fabric")


@contextmanager
def computing_with(threads: int) -> Iterator[None]:
    """torch computes with this many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps Lightning's notices and hints to itself."""
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    try:
        with warnings.catch_warnings():
            _hush()
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def settle(threads: int) -> None:
    """Both, for good: for a process that exists for the training only."""
    torch.set_num_threads(threads)
    _hush()


def _hush() -> None:
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    for module in (r"lightning\..*", r"torch\.distributed\..*"):
        warnings.filterwarnings("ignore", module=module)
