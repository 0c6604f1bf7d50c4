"""The catalogue's forecaster against precise orbits: metres, not the difference of two element sets.

First the checks that make such a comparison worth anything: SGP4 from each set at its own epoch must be as near to the
orbit as sets are good (half a kilometre to a kilometre and a half); a wrong frame or time scale shows there at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from orbwatch.catalog.gp import NO_TIME, GpTable
from orbwatch.catalog.precise import PreciseOrbit
from orbwatch.constants import DAY_US
from orbwatch.frames import rtn_matrix
from orbwatch.learn.judging.catalog_scores import CatalogScores, score_table, scored
from orbwatch.learn.judging.metrics import Columns, columns
from orbwatch.learn.samples.catalog_asks import FAR, NEAR, NONE, asks, is_far
from orbwatch.learn.samples.catalog_dataset import OLDEST_DAY
from orbwatch.learn.samples.catalog_windows import NODES_DAY, CatalogWindows, windows_of
from orbwatch.models.catalog_runtime import CatalogForecaster
from orbwatch.progress import Progress, silent
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.time import format_utc

DAYS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0)
"""Horizons of the table."""
ASK_EVERY_DAY = 0.125
NEAR_DAY = 2.0
"""A set this near to an orbit's span, or in it, tells whose orbit it is."""
SAME_KM = 50.0
"""The object of an orbit is within this distance of it, and the next one ten times as far."""
_PROBES = 5


@dataclass(frozen=True, eq=False)
class Known:
    """A precise orbit and the sets of its object from before and during it."""

    orbit: PreciseOrbit
    norad_id: int
    table: GpTable
    """Ordered by epoch."""


def known_orbits(orbits: Sequence[PreciseOrbit], table: GpTable) -> tuple[list[Known], list[PreciseOrbit]]:
    """Whose orbit each is, by where the sets of a history say that objects are; and the orbits of nobody in it.

    table: ordered by (norad_id, epoch_us). No list of names is needed: an object must be within `SAME_KM` of the orbit,
    and no other within ten times its distance.
    """
    found: list[Known] = []
    strange: list[PreciseOrbit] = []
    for orbit in orbits:
        first_us, last_us = int(orbit.times_us[0]), int(orbit.times_us[-1])
        near = (table.epoch_us >= first_us - NEAR_DAY * DAY_US) & (table.epoch_us <= last_us)
        owner = _owner(orbit, table[near].newest()) if near.any() else None
        if owner is None:
            strange.append(orbit)
            continue
        wanted = (table.norad_id == owner) & (table.epoch_us <= last_us)
        wanted &= table.epoch_us >= first_us - (NODES_DAY[-1] + FAR.day + OLDEST_DAY) * DAY_US
        found.append(Known(orbit, owner, table[wanted]))
    return found, strange


def _owner(orbit: PreciseOrbit, sets: GpTable) -> int | None:
    probe_us = np.linspace(0.0, 1.0, _PROBES)[:, None] * 0.02 * DAY_US
    at_us = np.clip(sets.epoch_us + np.rint(probe_us).astype(np.int64), orbit.times_us[0], orbit.times_us[-1])
    row = np.broadcast_to(np.arange(len(sets)), at_us.shape)
    r = _positions(Sgp4Catalog(sets), row.ravel(), at_us.ravel()).reshape(*at_us.shape, 3)
    away = np.median(np.linalg.norm(r - orbit.at(at_us), axis=-1), axis=0)
    away = np.where(np.isfinite(away), away, np.inf)
    order = np.argsort(away)
    second = away[order[1]] if len(order) > 1 else np.inf
    if away[order[0]] > SAME_KM or second < 10.0 * away[order[0]]:
        return None
    return int(sets.norad_id[order[0]])


def _positions(catalog: Sgp4Catalog, row: np.ndarray, at_us: np.ndarray) -> Float[np.ndarray, "m 3"]:
    start_us = int(at_us.min())
    return catalog.at(row, start_us, (at_us - start_us) / 1e6)[0]


CHECKS = (
    "orbit", "norad_id", "from_utc", "to_utc", "sets", "epoch_median_m", "epoch_p90_m", "radial_m", "along_m",
    "normal_m", "interpolation_m",
)  # fmt: skip
"""sets: with epochs in the span of the orbit; epoch_median_m, epoch_p90_m: how far SGP4 at these epochs is from it;
radial_m, along_m, normal_m: medians of the signed difference (SGP4 less orbit) on its axes; interpolation_m: bound of
the error of reading the orbit between its nodes."""


def check_rows(known: Sequence[Known]) -> Columns:
    """One row an orbit: see `CHECKS`. What has no set in its span has empty errors."""
    rows = []
    for each in known:
        orbit, span = each.orbit, each.table.epoch_us >= each.orbit.times_us[0]
        sets = each.table[span]
        head = [orbit.label, each.norad_id, *(format_utc(int(t), 0) for t in orbit.times_us[[0, -1]]), len(sets)]
        numbers = [float("nan")] * 5
        if len(sets):
            start_us = int(sets.epoch_us[0])
            r, v, _ = Sgp4Catalog(sets).at(np.arange(len(sets)), start_us, (sets.epoch_us - start_us) / 1e6)
            away = 1000.0 * np.einsum("nij,nj->ni", rtn_matrix(r, v), r - orbit.at(sets.epoch_us))
            away = away[np.isfinite(away).all(axis=1)]
            if len(away):
                size = np.linalg.norm(away, axis=1)
                numbers = [float(np.median(size)), float(np.quantile(size, 0.9)), *np.median(away, axis=0).tolist()]
        rows.append([*head, *numbers, orbit.interpolation_m()])
    return columns(CHECKS, rows)


def precise_windows(each: Known, delay_us: int = 0) -> tuple[CatalogWindows, Float[np.ndarray, "n h 3"]]:
    """Askings of one object every `ASK_EVERY_DAY` from a week before its orbit to its end, and where it was (TEME km).

    delay_us: how long after its epoch a set becomes public where the history does not say (old ones never do).
    """
    table = each.table
    unknown = table.seen_us == NO_TIME
    table = replace(table, seen_us=np.where(unknown, table.epoch_us + delay_us, table.seen_us))
    step_us = int(ASK_EVERY_DAY * DAY_US)
    begin_us = int(each.orbit.times_us[0]) - int(NODES_DAY[-1] * DAY_US) + step_us
    asked_us = np.arange(begin_us, int(each.orbit.times_us[-1]), step_us)
    owner = np.full(len(asked_us), each.norad_id)
    asked = asks(table, owner, asked_us, FAR if is_far(table, owner[:1])[0] else NEAR)
    catalog = Sgp4Catalog(table)
    fresh = (asked.newest != NONE) & (asked_us - table.epoch_us[asked.newest] <= OLDEST_DAY * DAY_US)
    fresh &= catalog.init_status[asked.newest] == 0
    windows = windows_of(table, catalog, asked.take(fresh), NODES_DAY, truth=False)
    at_us = windows.asked_us[:, None] + np.rint(windows.horizon_day * DAY_US).astype(np.int64)
    truth_km = each.orbit.at(at_us)
    seen = np.isfinite(truth_km).all(axis=2).any(axis=1)
    return windows.take(seen), truth_km[seen]


def judge_precise(
    model: CatalogForecaster, known: Sequence[Known], delay_us: int = 0, progress: Progress = silent
) -> Columns:
    """One row for each orbit and horizon in `DAYS`, and for all orbits together where there are several.

    Columns: orbit, norad_id (0 for all), day, then `catalog_scores.MEASURED`; clusters are the newest sets that the
    forecasts start from. Raises InputError for a model that is not calibrated.
    """
    made = []
    for at, each in enumerate(known):
        progress("asking", at / len(known))
        made.append(precise_windows(each, delay_us))
    progress("forecasting", 0.5)
    windows = CatalogWindows.concat([each for each, _ in made])
    orbit = np.repeat(np.arange(len(made)), [len(each) for each, _ in made])
    # What one set says is asked about many times: sets are what is independent, more or less.
    _, newest = np.unique(np.stack([orbit, windows.newest.epoch_us]), axis=1, return_inverse=True)
    scores = scored(model, windows, np.concatenate([truth for _, truth in made]), newest.reshape(-1))
    progress("measuring", 1.0)
    return score_table(scores, _parts(scores, known, orbit), ("orbit", "norad_id", "day"), 1)


def _parts(
    scores: CatalogScores, known: Sequence[Known], orbit: np.ndarray
) -> dict[tuple[str, int, float], np.ndarray]:
    groups = [(each.orbit.label, each.norad_id, orbit == at) for at, each in enumerate(known)]
    if len(known) > 1:
        groups.append(("all", 0, np.ones(len(orbit), np.bool_)))
    return {
        (label, norad_id, day): mine[:, None]
        & (np.arange(scores.error_km.shape[1]) == np.abs(NODES_DAY - day).argmin())
        for label, norad_id, mine in groups
        for day in DAYS
    }
