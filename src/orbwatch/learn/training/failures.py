"""What ends a training run, said so that one knows what to change."""

from __future__ import annotations

from collections.abc import Sequence

from orbwatch.errors import OrbwatchError

SHOWN = 5
"""Windows named in a message."""


class TrainingError(OrbwatchError):
    """A training run that could not go on."""


class Interrupted(BaseException):
    """Ctrl-C, noticed between two steps, after a checkpoint was written. Not an Exception: nothing is to swallow it."""


def not_finite(epoch: int, step: int, bad: Sequence[int], objects: Sequence[int], total: int) -> TrainingError:
    """The loss of some windows is not a number: either they are at fault, or the weights are (then it is all)."""
    where = f"the loss is not a number in epoch {epoch + 1}, batch {step + 1}"
    if len(bad) == total:
        return TrainingError(f"{where}, for all {total} windows: the weights have diverged. Lower train.learning_rate")
    named = ", ".join(f"{w} (object {o})" for w, o in list(zip(bad, objects, strict=True))[:SHOWN])
    more = f" and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
    return TrainingError(
        f"{where}, for {len(bad)} of {total} windows: {named}{more}. Check the data with `orbwatch dataset check`, "
        "or lower train.learning_rate"
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this is the memory's end, of the GPU or of the machine."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)
    )


def out_of_memory(batch: int, device: str) -> TrainingError:
    """The batch does not fit."""
    place = "GPU" if device == "cuda" else "machine"
    return TrainingError(
        f"out of memory on the {place} with batches of {batch}. Lower train.batch, train.horizons or network.width; "
        "the last checkpoint is kept"
    )
