"""Which windows stand in which batch, and what is drawn for it: a pure function of (seed, epoch, step).

Nothing random is carried from one batch to the next, so a run that is continued in mid-epoch sees the very batches that
it would have seen, and any number of processes share one batch out among them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from jaxtyping import Int


class Draw(IntEnum):
    """Purposes of random streams; each has its own, whatever the others draw."""

    ORDER = 0
    AUGMENTATION = 1
    NETWORK = 2
    CHOICE = 3
    SCALER = 4
    HORIZONS = 5
    WEIGHTS = 6


def stream(seed: int, purpose: Draw, *where: int) -> np.random.Generator:
    """Random numbers for one purpose at one place (e.g. epoch, step, process)."""
    return np.random.default_rng([seed, int(purpose), *where])


def torch_seed(seed: int, purpose: Draw, *where: int) -> int:
    """Seed of torch's random numbers for one purpose at one place, 64 bits."""
    return int(np.random.SeedSequence([seed, int(purpose), *where]).generate_state(1, np.uint64)[0])


@dataclass
class Order:
    """Shuffled batches of window ids.

    Every epoch is a new permutation of all ids; what does not fill a batch is left out of that epoch. Fewer ids than a
    batch make one batch.
    """

    ids: Int[np.ndarray, " n"]
    batch: int
    seed: int
    _shuffled: tuple[int, Int[np.ndarray, " n"]] | None = field(default=None, repr=False)

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return max(1, len(self.ids) // self.batch)

    def at(self, epoch: int, step: int, rank: int = 0, processes: int = 1) -> Int[np.ndarray, " b"]:
        """Window ids of batch `step` (from 0) in `epoch` (from 0); of `processes`, each takes its own part."""
        if self._shuffled is None or self._shuffled[0] != epoch:
            self._shuffled = (epoch, stream(self.seed, Draw.ORDER, epoch).permutation(self.ids))
        whole = self._shuffled[1][step * self.batch : (step + 1) * self.batch]
        return whole[rank::processes]
