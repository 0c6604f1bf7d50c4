"""What an evaluation measures, on which windows, and with how much effort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from orbwatch.learn.judging import comparison
from orbwatch.learn.judging.baselines import BASELINES
from orbwatch.learn.judging.metrics import Columns

SIGMA_M = 50.0
"""Noise of the sets that have one noise."""
BURN_M_S = (0.1, 10.0)
"""Sizes of the burns in the histories of the set with burns."""
SETS = {
    "stored": "quiet, the data set's own noise",
    "sigma50": "quiet, noise 50 m",
    "burn": "one burn of 0.1-10 m/s in the history, noise 50 m",
    "flown": "as flown: noise and burns as they come",
}
"""Conformal is fitted on windows like those of "flown": there its coverage is to be 88 to 92 % where it says 90."""
FULL_FIELD = "least_squares_8x8"
BASE = FULL_FIELD if FULL_FIELD in BASELINES else "least_squares"
"""The baseline that corrections are relative to, and that users get where the model does not ship."""
PAIRS = (
    *((name, "least_squares") for name in (*BASELINES, "baseline", "scaled", "shipped") if name != "least_squares"),
    ("scaled", "ukf"),
    ("scaled", "baseline"),
    *((name, BASE) for name in ("scaled", "shipped") if BASE != "least_squares"),
)
"""Which forecasters are tested against which."""
MODELS = ("baseline", "scaled")


@dataclass(frozen=True)
class Plan:
    """How much is computed; the defaults take minutes."""

    draws: int = 5
    """Looks, each with noise of its own, at the truth of validation, calibration and test objects, where the model's
    worth is decided on, regions are fitted, and coverage is measured."""
    looks: int = 4
    """Windows around each burn."""
    seed: int = 1
    unit: str = "effective"
    """What conformal takes as exchangeable: see `uncertainty.conformal_quantile`. A packaged model has its own."""
    bootstrap: int = comparison.DRAWS
    threads: int = 2


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All that was measured, as tables (column name -> cells)."""

    facts: dict[str, str]
    """Where it came from."""
    sets: Columns
    errors: Columns
    """Of every forecaster: see `metrics.error_table`, with the set in front."""
    comparisons: Columns
    """See `comparison.compare`, with the set in front."""
    fallback: Columns
    """See `comparison.fallback`: decided on the validation objects, or read from the card of a packaged model."""
    coverage: Columns
    reliability: Columns
    worst: Columns
    scores: Columns
    pit: Columns
    conformal: dict[str, Any]
    """Fitted conformal regions of every source (`Conformal.to_dict`)."""
    attributions: dict[str, Any] = field(default_factory=dict)
    losses: dict[str, list[list[float]]] = field(default_factory=dict)
    """Curves of training and validation: name -> [epochs, losses]."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values; numbers that are not finite become None."""
        return {name: plain(value) for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Evaluation:
        """The inverse, but that None stays."""
        return cls(**{each.name: values[each.name] for each in fields(cls) if each.name in values})


def plain(value: Any) -> Any:
    """As plain JSON values; numbers that are not finite become None."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    return None if isinstance(value, float) and not np.isfinite(value) else value
