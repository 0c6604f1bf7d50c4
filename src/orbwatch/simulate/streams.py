"""Random streams of one object: the same whoever draws them, in whatever order."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator, SeedSequence

ORBIT, BURNS, SENSOR = range(3)
"""What a stream is for; later numbers are free for others, e.g. further noise on the same truth."""


def stream(seed: int, object_id: int, purpose: int) -> Generator:
    """The random stream of one object for one purpose, independent of all others."""
    return np.random.default_rng(SeedSequence([seed, object_id], spawn_key=(purpose,)))
