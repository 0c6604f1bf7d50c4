"""What the maneuver classifier says an object has been up to lately, beside the rule of `maneuver.patterns`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.gap_labels import gaps_of, thin_windows
from orbwatch.models.maneuver_runtime import ManeuverModel

CLASSIFIER = "maneuver-classifier"
"""The packaged one."""
LONGEST_DAY, SHORTEST_DAY = 90.0, 30.0
"""Windows that it has learned to tell."""
LEVEL = 0.9
_LEAST_GAPS = 10


@dataclass(frozen=True)
class ToldPattern:
    """Of the last days of an object."""

    name: str
    probability: float
    """Calibrated on simulated lives of objects that it had not seen."""
    may_be: tuple[str, ...]
    """Patterns among which the true one is with `LEVEL`."""
    days: float
    """That the window spans."""


def told_pattern(table: GpTable, model: ManeuverModel) -> ToldPattern | None:
    """The pattern of an object's last `LONGEST_DAY` days, from its sets by time.

    None where they span less than `SHORTEST_DAY`, or are fewer than `_LEAST_GAPS` gaps. Raises InputError where the
    model was made for other evidence.
    """
    if not len(table):
        return None
    end = table.epoch_us[-1:]
    start = np.maximum(end - round(LONGEST_DAY * DAY_US), table.epoch_us[:1])
    days = float((end - start)[0] / DAY_US)
    thin, _ = thin_windows(table, table.norad_id[-1:], start, end)
    if days < SHORTEST_DAY or len(thin) <= _LEAST_GAPS:
        return None
    gaps = gaps_of(thin)
    logits = model.pattern_logits(gaps.features, gaps.object_id, np.zeros(1, np.int64))
    chance = model.calibration.patterns(logits).mean(axis=0)
    names = np.array(model.patterns)
    may_be = names[model.calibration.sets_of_patterns(chance, LEVEL)[0]]
    best = int(chance[0].argmax())
    return ToldPattern(str(names[best]), float(chance[0, best]), tuple(may_be.tolist()), days)
