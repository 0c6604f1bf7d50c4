"""The catalogue's forecaster against sets that it cannot know: an operator's, or a whole catalogue of days later.

Supplemental sets are fitted to what an operator says of its own satellites, planned maneuvers included: a better truth
than the public sets that a forecast starts from. A catalogue of some days later tells of every object, debris too,
where it turned out to be, also from one single set without a past.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.kinds import kinds_of
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.learn.judging.catalog_scores import CatalogScores, score_table, scored
from orbwatch.learn.judging.metrics import Columns
from orbwatch.learn.samples.catalog_asks import (
    FAR,
    NEAR,
    NONE,
    TRUTH_WITHIN_DAY,
    Asks,
    Reach,
    asks,
    is_far,
    later_sets,
)
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES, catalog_regime
from orbwatch.learn.samples.catalog_windows import NODES_DAY, CatalogWindows, windows_of
from orbwatch.models.catalog_forecast import OLDEST_DAY
from orbwatch.models.catalog_groups import BEHAVIOUR, behaviour_of
from orbwatch.models.catalog_runtime import CatalogForecaster
from orbwatch.progress import Progress, silent
from orbwatch.propagate.sgp4 import Sgp4Catalog

DAYS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0)
"""Horizons of the table where all objects are asked about again and again."""
WHOLE_DAYS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)
"""Horizons of the table where they are asked about once: each stands for those up to half a day from it."""
NEAREST_DAY = 0.125
"""Asked once, an object is judged at the one horizon that is this near to the epoch of its later set."""
OBJECTS_AT_ONCE = 1000
LEAST = 30
"""Rows with fewer truths are left out."""


@dataclass(frozen=True, eq=False)
class Asked:
    """When objects are asked about."""

    at_us: int | None
    """Once, then; None: again and again over the span of the truth."""
    step_day: float = 2.0
    seed: int = 1

    def times_us(self, table: GpTable, truth: GpTable) -> Int[np.ndarray, " m"]:
        """Instants of asking, the same for all objects: at random in steps, from a week before the truth to its end.

        Raises InputError where the truth does not reach beyond them.
        """
        if not len(table) or not len(truth):
            raise InputError("no element sets to ask about", file=table.source if not len(table) else truth.source)
        end_us = int(truth.epoch_us.max())
        if self.at_us is not None:
            times = np.array([self.at_us])
        else:
            step_us = int(self.step_day * DAY_US)
            begin_us = max(int(table.epoch_us.min()), int(truth.epoch_us.min()) - int(NODES_DAY[-1] * DAY_US))
            times = np.arange(begin_us, end_us, step_us)
            times += np.random.default_rng([self.seed, 0xA5F]).integers(0, step_us, len(times))
        times = times[times < end_us]
        if not len(times):
            raise InputError("the truth has no set after the asking", file=truth.source, field="--at")
        return times


def other_windows(table: GpTable, truth: GpTable, asked: Asked) -> tuple[CatalogWindows, Float[np.ndarray, "n h 3"]]:
    """Askings of the objects that both tables have, and where the truth's own sets put them (TEME km, NaN: not known).

    Both tables are ordered by (norad_id, epoch_us). Forecasts see sets of `table` alone. A truth is the set nearest to
    the horizon, with an epoch after the asking and within `TRUTH_WITHIN_DAY` (asked once: `NEAREST_DAY`).
    """
    within_us = int((TRUTH_WITHIN_DAY if asked.at_us is None else NEAREST_DAY) * DAY_US)
    ids = np.intersect1d(table.norad_id, truth.norad_id)
    times_us = asked.times_us(table, truth)
    parts = []
    far = is_far(table, ids)
    for chosen, reach in ((ids[~far], NEAR), (ids[far], FAR)):
        for first in range(0, len(chosen), OBJECTS_AT_ONCE):
            block = chosen[first : first + OBJECTS_AT_ONCE]
            own, later = table[np.isin(table.norad_id, block)], truth[np.isin(truth.norad_id, block)]
            catalog, found = _asked(own, block, times_us, reach)
            if len(found):
                parts.append(_seen(own, catalog, found, later, within_us))
    if not parts:
        raise InputError("no object with sets before the asking and a truth after it", file=truth.source)
    return CatalogWindows.concat([each for each, _ in parts]), np.concatenate([each for _, each in parts])


def _asked(
    own: GpTable, ids: Int[np.ndarray, " n"], times_us: Int[np.ndarray, " m"], reach: Reach
) -> tuple[Sgp4Catalog, Asks]:
    """Every object asked about at every instant, where a set that can be propagated and is not too old was known."""
    found = asks(own, np.repeat(ids, len(times_us)), np.tile(times_us, len(ids)), reach)
    catalog = Sgp4Catalog(own)
    usable = (found.newest != NONE) & (catalog.init_status[found.newest] == 0)
    usable &= found.asked_us - own.epoch_us[found.newest] <= OLDEST_DAY * DAY_US
    return catalog, found.take(usable)


def _seen(
    own: GpTable, catalog: Sgp4Catalog, asked: Asks, later: GpTable, within_us: int
) -> tuple[CatalogWindows, Float[np.ndarray, "n h 3"]]:
    windows = windows_of(own, catalog, asked, NODES_DAY, truth=False)
    at_us = windows.asked_us[:, None] + np.rint(windows.horizon_day * DAY_US).astype(np.int64)
    rows = later_sets(later, asked, at_us, within_us)
    truth_km = np.full((*at_us.shape, 3), np.nan)
    who, column = np.nonzero(rows != NONE)
    if len(who):
        start_us = int(at_us.min())
        r, _, _ = Sgp4Catalog(later).at(rows[who, column], start_us, (at_us[who, column] - start_us) / 1e6)
        truth_km[who, column] = r
    seen = np.asarray(np.isfinite(truth_km[..., 0]).any(axis=1))
    return windows.take(seen), truth_km[seen]


def judge_other(
    model: CatalogForecaster,
    windows: CatalogWindows,
    truth_km: Float[np.ndarray, "n h 3"],
    names: Mapping[int, str],
    progress: Progress = silent,
    least: int = LEAST,
) -> Columns:
    """One row for each regime, kind, behaviour and horizon with `least` truths or more.

    Columns: regime, kind, behaviour ("all": together), day, then `catalog_scores.MEASURED`; clusters are objects. The
    horizons are `DAYS`, or `WHOLE_DAYS` where all were asked about at one instant.
    Raises InputError for a model that is not calibrated.
    """
    progress("forecasting", 0.0)
    scores = scored(model, windows, truth_km)
    progress("measuring", 1.0)
    return score_table(scores, _parts(scores, windows, names), ("regime", "kind", "behaviour", "day"), least)


def _parts(
    scores: CatalogScores, windows: CatalogWindows, names: Mapping[int, str]
) -> dict[tuple[str, str, str, float], np.ndarray]:
    regime, kind = catalog_regime(windows.newest), kinds_of(np.asarray(windows.newest.norad_id), names)
    how = behaviour_of(scores.group)
    column = np.arange(scores.error_km.shape[1])
    made: dict[tuple[str, str, str, float], np.ndarray] = {}
    once = len(np.unique(windows.asked_us)) == 1
    if once:
        at_day = {day: np.floor(NODES_DAY + 0.5) == day for day in WHOLE_DAYS}
    else:
        at_day = {day: column == np.abs(NODES_DAY - day).argmin() for day in DAYS}

    def add(labels: tuple[str, str, str], mine: np.ndarray) -> None:
        if mine.any():
            for day, nodes in at_day.items():
                made[*labels, day] = mine[:, None] & nodes

    add(("all", "all", "all"), np.ones(len(regime), np.bool_))
    for code, name in enumerate(CATALOG_REGIMES):
        add((name, "all", "all"), regime == code)
        for label in np.unique(kind).tolist():
            mine = (regime == code) & (kind == label)
            add((name, label, "all"), mine)
            for at, behaviour in enumerate(BEHAVIOUR):
                add((name, label, behaviour), mine & (how == at))
    return made
