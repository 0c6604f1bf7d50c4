"""Feeds mutated files to every reader: only our own errors may come out, no warning, nothing slower than a second.

    python tests/fuzz/fuzz_readers.py --inputs 100000 --reader omm_json [--seed 1]
"""  # fmt: skip

from __future__ import annotations

import argparse
import random
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

if __name__ == "__main__":  # as a script: the other files of this folder are found beside it
    sys.path.insert(0, str(Path(__file__).parent))
    from message_readers import READERS as MESSAGES
    from mutate import mutated
    from readers import READERS, Reader, texts
else:
    from .message_readers import READERS as MESSAGES
    from .mutate import mutated
    from .readers import READERS, Reader, texts

from orbwatch.catalog.opened import text_of
from orbwatch.errors import OrbwatchError

SLOWEST_S = 1.0

ALL = dict(READERS)
for _name, (_call, _texts) in MESSAGES.items():
    ALL[_name] = Reader(lambda made=_texts: texts(*made), lambda data, call=_call: call(text_of(data, "fuzz")))


@dataclass
class Count:
    """What became of the inputs."""

    read: int = 0
    refused: int = 0
    slowest_s: float = 0.0


def fuzz(reader: Reader, inputs: int, seed: int = 1) -> Count:
    """Runs a reader on mutated seeds. Raises AssertionError with the input for whatever is not an OrbwatchError."""
    rng = random.Random(seed)
    count = Count()
    with warnings.catch_warnings(), np.errstate(divide="raise", over="raise", invalid="raise"):
        warnings.simplefilter("error")
        seeds = reader.seeds()
        for number in range(inputs):
            data = mutated(seeds, rng)
            start = time.process_time()
            try:
                reader.call(data)
                count.read += 1
            except OrbwatchError as error:
                count.refused += bool(str(error))
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                raise AssertionError(f"input {number} of seed {seed}: {error!r}\n{data!r}") from error
            taken = time.process_time() - start
            count.slowest_s = max(count.slowest_s, taken)
            assert taken < SLOWEST_S, f"input {number} of seed {seed} took {taken:.1f} s\n{data!r}"
    assert count.read + count.refused == inputs, "an error that says nothing"
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="mutated inputs per reader")
    parser.add_argument("--reader", choices=sorted(ALL), action="append", help="default: all of them")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name in options.reader or ALL:
        start = time.perf_counter()
        count = fuzz(ALL[name], options.inputs, options.seed)
        took = time.perf_counter() - start
        summary = f"{name}: {options.inputs} inputs, {count.read} read, {count.refused} refused"
        sys.stdout.write(f"{summary}, slowest {count.slowest_s:.3f} s, {took:.0f} s in all\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
