"""How far two element sets of one object are apart at one instant: no forecast can be seen to be better than that.

Sets are made of overlapping observations, so neighbours share errors: this is a lower bound of what a set is off by.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.kinds import kinds_of
from orbwatch.constants import DAY_US
from orbwatch.learn.judging.metrics import Columns, columns
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES, catalog_regime
from orbwatch.propagate.sgp4 import Sgp4Catalog

NEIGHBOURS_DAY = 0.5
"""Sets further apart than this tell more of the forecast between them than of themselves."""
LEAST_APART_US = 20 * 60_000_000
"""Sets nearer than this are versions of one."""
MOST_PAIRS = 200_000
LEAST = 30
"""Rows with fewer pairs are left out."""
NOISE = ("regime", "kind", "pairs", "objects", "noise_median_km", "noise_p90_km", "noise_epoch_median_km")
"""noise_median_km, noise_p90_km: distance of two neighbours half-way between their epochs; noise_epoch_median_km: at
the newer one's epoch."""


def neighbours(table: GpTable) -> Int[np.ndarray, " p"]:
    """Rows of sets whose next set is of the same object and no more than half a day younger.

    table: ordered by (norad_id, epoch_us).
    """
    apart_us = np.diff(table.epoch_us)
    same = np.diff(table.norad_id) == 0
    return np.flatnonzero(same & (apart_us >= LEAST_APART_US) & (apart_us <= NEIGHBOURS_DAY * DAY_US))


def apart_km(
    first: Sgp4Catalog,
    row: Int[np.ndarray, " p"],
    second: Sgp4Catalog,
    other: Int[np.ndarray, " p"],
    at_us: Int[np.ndarray, " p"],
) -> Float[np.ndarray, " p"]:
    """Distances of pairs of sets at instants, km; NaN where one of them has no position then."""
    if not len(row):
        return np.empty(0)
    start_us = int(at_us.min())
    offset_s = (at_us - start_us) / 1e6
    return np.asarray(
        np.linalg.norm(first.at(row, start_us, offset_s)[0] - second.at(other, start_us, offset_s)[0], axis=1)
    )


def noise_floor_km(table: GpTable, names: Mapping[int, str] | None = None, seed: int = 1) -> Columns:
    """The distance of neighbouring sets by regime and kind: one row each, and one "all" a regime; see `NOISE`.

    table: ordered by (norad_id, epoch_us). Of very many pairs a part, drawn at random, is looked at. The rows join the
    tables of `catalog_judge` and `catalog_other_truth` by regime and kind.
    """
    row = neighbours(table)
    if len(row) > MOST_PAIRS:
        row = np.sort(np.random.default_rng([seed, 0xA60]).choice(row, MOST_PAIRS, replace=False))
    used, place = np.unique(np.concatenate([row, row + 1]), return_inverse=True)
    part = table[used]
    older, newer = place[: len(row)], place[len(row) :]
    catalog = Sgp4Catalog(part)
    middle_us = part.epoch_us[older] + (part.epoch_us[newer] - part.epoch_us[older]) // 2
    half_way = apart_km(catalog, older, catalog, newer, middle_us)
    at_epoch = apart_km(catalog, older, catalog, newer, part.epoch_us[newer])
    return _rows(part[newer], half_way, at_epoch, names or {})


def noise_between_km(table: GpTable, other: GpTable, names: Mapping[int, str] | None = None) -> Columns:
    """As `noise_floor_km`, between the sets of two tables: each set of `other` and the one of `table` nearest in time.

    noise_epoch_median_km is at the epoch of the set of `other`. Both are ordered by (norad_id, epoch_us).
    """
    first = np.searchsorted(table.norad_id, other.norad_id, "left")
    last = np.searchsorted(table.norad_id, other.norad_id, "right")
    mine = np.full(len(other), -1, np.int64)
    within_us = int(NEIGHBOURS_DAY * DAY_US)
    for at in np.flatnonzero(last > first).tolist():
        epochs = table.epoch_us[first[at] : last[at]]
        after = int(np.searchsorted(epochs, other.epoch_us[at]))
        near = [k for k in (after - 1, after) if 0 <= k < len(epochs)]
        best = min(near, key=lambda k: abs(int(epochs[k] - other.epoch_us[at])))
        # The same set in both tables is no second opinion.
        if 0 < abs(int(epochs[best] - other.epoch_us[at])) <= within_us:
            mine[at] = first[at] + best
    theirs = np.flatnonzero(mine >= 0)
    own = mine[theirs]
    catalog, told = Sgp4Catalog(table), Sgp4Catalog(other)
    middle_us = table.epoch_us[own] + (other.epoch_us[theirs] - table.epoch_us[own]) // 2
    half_way = apart_km(catalog, own, told, theirs, middle_us)
    at_epoch = apart_km(catalog, own, told, theirs, other.epoch_us[theirs])
    return _rows(other[theirs], half_way, at_epoch, names or {})


def _rows(
    sets: GpTable, half_way: Float[np.ndarray, " p"], at_epoch: Float[np.ndarray, " p"], names: Mapping[int, str]
) -> Columns:
    regime, kind = catalog_regime(sets), kinds_of(sets.norad_id, names)
    known = np.isfinite(half_way) & np.isfinite(at_epoch)
    rows = []
    for code, name in enumerate(CATALOG_REGIMES):
        for label in ["all", *np.unique(kind[regime == code]).tolist()]:
            here = known & (regime == code) & ((kind == label) | (label == "all"))
            if here.sum() < LEAST:
                continue
            median, far = np.quantile(half_way[here], (0.5, 0.9))
            objects = len(np.unique(sets.norad_id[here]))
            rows.append([name, label, int(here.sum()), objects, median, far, float(np.median(at_epoch[here]))])
    return columns(NOISE, rows)


def with_noise(table: Columns, noise: Columns) -> Columns:
    """A table with the columns regime and kind, and the noise floor of each in a last column, km; NaN where unknown."""
    floor = dict(zip(zip(noise["regime"], noise["kind"], strict=True), noise["noise_median_km"], strict=True))
    pairs = zip(table["regime"], table["kind"], strict=True)
    return {**table, "noise_km": [floor.get(pair, float("nan")) for pair in pairs]}
