"""Training, validation, calibration and test objects: no object in two of them, regimes shared alike."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int, Int8

from orbwatch.errors import InputError

SPLITS = {"train": 0.70, "validation": 0.06, "calibration": 0.12, "test": 0.12}
"""Names of the splits and the share of the objects in each."""


def split_objects(regime: Int8[np.ndarray, " n"], seed: int) -> dict[str, Int[np.ndarray, " k"]]:
    """Which objects (ascending indices into `regime`) belong to each of SPLITS; a function of regimes and seed alone.

    Within each regime the objects, in random order, go one by one to the split that lacks most, so the shares hold
    in every regime to within one object. With four objects or more no split is empty. Raises InputError for fewer.
    """
    if len(regime) < len(SPLITS):
        raise InputError("too few objects to split", value=len(regime), legal=f"at least {len(SPLITS)}")
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0x5B117]))
    shares = np.array(list(SPLITS.values()))
    given = np.zeros(len(SPLITS))
    code = np.empty(len(regime), np.int8)
    order = rng.permutation(len(regime))
    order = order[np.argsort(regime[order], kind="stable")]
    for count, i in enumerate(order, start=1):
        code[i] = np.argmax(count * shares - given)
        given[code[i]] += 1
    for empty in np.flatnonzero(given == 0):
        code[order[np.flatnonzero(code[order] == 0)[-1]]] = empty
    return {name: np.flatnonzero(code == i) for i, name in enumerate(SPLITS)}
