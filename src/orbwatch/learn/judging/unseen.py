"""Whether the test objects of a data set can be those that a model was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orbwatch.errors import InputError
from orbwatch.learn.samples.sequences import SequenceStore


def check_unseen(trained: Mapping[str, Any], store: SequenceStore, model: Path) -> str:
    """How a data set is related to the one that a model was trained on, in words.

    trained: what the model's card, or its checkpoint, carries of its data. It is the same data set, whose split by
    objects keeps them apart, or one made with another seed, all of whose objects are new. Raises InputError for any
    other: its test objects may be this model's training objects.
    """
    known = trained.get("data_sha256")
    if known == store.data_hash:
        return "the one that it was trained on, which keeps test objects apart"
    mine, other = (settings or {} for settings in (trained.get("dataset"), store.manifest.get("settings")))
    seeds = mine.get("seed"), other.get("seed")
    from_files = mine.get("catalog") is not None and other.get("catalog") is not None
    if known is not None and None not in seeds and seeds[0] != seeds[1] and not from_files:
        return f"one of seed {seeds[1]}; it was trained on one of seed {seeds[0]}"
    raise InputError(
        f"not the data that {model} was trained on: its test objects may be this model's training objects",
        file=store.folder,
        field="data_sha256",
        value=store.data_hash,
        legal=str(known or "a model that says what it was trained on"),
        hint="Take that data set, or make one with another dataset.seed (and no catalog)",
    )
