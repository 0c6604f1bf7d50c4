"""False alarms on objects that cannot maneuver: debris and rocket bodies, told by their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.kinds import kinds_of
from orbwatch.learn.judging.detector_matching import YEAR_US
from orbwatch.learn.judging.significance import LEVEL, Interval, interval_by_cluster

LEAST_SETS = 30
_DRAWS, _SEED = 2000, 1


@dataclass(frozen=True)
class QuietCount:
    """Events told of objects to which nothing can happen."""

    objects: int
    years: float
    """From the first set of each object to its last, summed."""
    alarms: int
    alarmed: int
    """Objects with any."""
    rate: Interval
    """False alarms per object-year; objects drawn with replacement, as alarms crowd on few."""


def passive_ids(table: GpTable, names: Mapping[int, str], least_sets: int = LEAST_SETS) -> Int[np.ndarray, " k"]:
    """The debris and rocket bodies of a history, ordered by object, that have so many sets."""
    ids, sets = np.unique(table.norad_id, return_counts=True)
    return np.asarray(ids[(kinds_of(ids, names) == "passive") & (sets >= least_sets)])


def count_alarms(table: GpTable, row: Int[np.ndarray, " d"], ids: Int[np.ndarray, " k"]) -> QuietCount:
    """False alarms among events of a history (their rows), on some of its objects (ascending).

    table: ordered by object and epoch.
    """
    first = np.searchsorted(table.norad_id, ids)
    last = np.searchsorted(table.norad_id, ids, side="right") - 1
    years = (table.epoch_us[last] - table.epoch_us[first]) / YEAR_US
    owner = table.norad_id[row]
    mine = np.searchsorted(ids, owner[np.isin(owner, ids)])
    alarms = np.bincount(mine, minlength=len(ids))
    total = float(years.sum())
    rate = interval_by_cluster(
        float(alarms.sum()) / total if total else float("nan"),
        lambda times: (times @ alarms) / (times @ years),
        len(ids),
        _DRAWS,
        _SEED,
        LEVEL,
    )
    return QuietCount(len(ids), total, int(alarms.sum()), int((alarms > 0).sum()), rate)
