"""What would have been forecast of an object in the past, and where its later sets then put it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import clean_history
from orbwatch.constants import DAY_US
from orbwatch.frames import rtn_matrix
from orbwatch.learn.samples.catalog_asks import public_us
from orbwatch.learn.samples.catalog_windows import NODES_DAY
from orbwatch.models.catalog_coverage import held_to, truths_of
from orbwatch.models.catalog_forecast import LEVELS, CatalogForecasts, forecast_catalog
from orbwatch.models.catalog_runtime import CatalogForecaster

PAST_DAY = 30.0
STEP_DAY = 0.5


@dataclass(frozen=True, eq=False)
class PastForecasts:
    """n forecasts at h horizons, and how far off they were; NaN where no later set tells.

    All misses are the truth less the forecast, along R, T and N of the forecast state.
    """

    norad_id: Int[np.ndarray, " n"]
    asked_us: Int[np.ndarray, " n"]
    horizon_day: Float[np.ndarray, " h"]
    miss_rtn_km: Float[np.ndarray, "n h 3"]
    sgp4_miss_rtn_km: Float[np.ndarray, "n h 3"]
    """Of SGP4 from the newest set, or the one believed in its place."""
    inside: Bool[np.ndarray, "n h 3"]
    """Whether the truth lay in the 50, 90 and 99 % ellipsoid; False where there is no truth."""

    @property
    def told(self) -> Bool[np.ndarray, "n h"]:
        """Where a later set tells the truth and there was a forecast."""
        return np.asarray(np.isfinite(self.miss_rtn_km).all(axis=-1))

    def take(self, index: np.ndarray | slice) -> PastForecasts:
        """Some of the forecasts."""
        return PastForecasts(
            self.norad_id[index], self.asked_us[index], self.horizon_day, self.miss_rtn_km[index],
            self.sgp4_miss_rtn_km[index], self.inside[index],
        )  # fmt: skip

    def held(self) -> Float[np.ndarray, "3"]:
        """Shares of all truths that lay in the 50, 90 and 99 % ellipsoids; NaN without any truth."""
        told = self.told
        return np.asarray(self.inside[told].mean(axis=0)) if told.any() else np.full(len(LEVELS), np.nan)


def past_forecasts(
    sets: GpTable,
    norad_id: Int[np.ndarray, " o"],
    until_us: int,
    forecaster: CatalogForecaster,
    horizon_day: Float[np.ndarray, " h"] = NODES_DAY,
    past_day: float = PAST_DAY,
    step_day: float = STEP_DAY,
) -> PastForecasts:
    """Asks about the objects every `step_day` of the `past_day` days before `until_us` (UTC microseconds since 1970).

    sets: as they were published, not cleaned (`catalog.history.read_sets`): each asking is a `forecast_catalog` that
    puts aside and doubts what looked wrong then, not what looks wrong with hindsight. Truth: the later set nearest in
    time, within 0.3 days, that was public by `until_us`. Askings without a forecast are left out. Raises InputError as
    `forecast_catalog` does.
    """
    sets = sets[np.isin(sets.norad_id, norad_id)]
    known_us = public_us(sets)
    later = clean_history(sets[known_us <= until_us]).table
    parts = []
    for back in range(int(past_day / step_day), 0, -1):
        at_us = until_us - round(back * step_day * DAY_US)
        known = clean_history(sets[known_us <= at_us]).table
        parts.append(_held(later, forecast_catalog(known, norad_id, at_us, horizon_day, forecaster)))
    return _joined(parts, horizon_day)


def _held(later: GpTable, made: CatalogForecasts) -> PastForecasts:
    """The forecasts of one asking, held to the truth."""
    assert made.sgp4_teme_km is not None
    truth_km = truths_of(later, made).km
    miss, distance = held_to(truth_km, made)
    axes = rtn_matrix(made.rv_teme_km[..., :3], made.rv_teme_km[..., 3:])
    plain = np.einsum("nhij,nhj->nhi", axes, truth_km - made.sgp4_teme_km)
    inside = distance[..., None] <= made.radius
    asked_us = np.full(len(made.norad_id), made.asked_us)
    found = PastForecasts(made.norad_id, asked_us, made.horizon_day, miss, plain, inside)
    return found.take(made.group >= 0)


def _joined(parts: Sequence[PastForecasts], horizon_day: Float[np.ndarray, " h"]) -> PastForecasts:
    none = np.empty((0, len(horizon_day), 3))
    parts = [PastForecasts(np.empty(0, np.int64), np.empty(0, np.int64), horizon_day, none, none, none > 0.0), *parts]

    def every(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    return PastForecasts(
        every("norad_id"),
        every("asked_us"),
        horizon_day,
        every("miss_rtn_km"),
        every("sgp4_miss_rtn_km"),
        every("inside"),
    )


def summary(past: PastForecasts, days: Float[np.ndarray, " d"]) -> dict[str, np.ndarray]:
    """By object and day (the horizon nearest to each), in columns: how many truths, how far off, how often inside."""
    rows = []
    for norad_id in np.unique(past.norad_id):
        mine = past.take(past.norad_id == norad_id)
        for day in days:
            at = int(np.abs(mine.horizon_day - day).argmin())
            here = mine.told[:, at]
            ours, plain = (
                np.linalg.norm(miss[here, at], axis=-1) for miss in (mine.miss_rtn_km, mine.sgp4_miss_rtn_km)
            )
            sizes = [np.quantile(each, q) if len(each) else np.nan for q in (0.5, 0.9) for each in (ours, plain)]
            shares = mine.inside[here, at].mean(axis=0) if here.any() else np.full(len(LEVELS), np.nan)
            rows.append([norad_id, mine.horizon_day[at], here.sum(), *sizes, *shares])
    table = np.array(rows, np.float64).reshape(-1, len(SUMMARY))
    made = {name: table[:, at] for at, name in enumerate(SUMMARY)}
    return made | {name: made[name].astype(np.int64) for name in ("norad_id", "truths")}


SUMMARY = (
    "norad_id", "day", "truths", "median_km", "sgp4_median_km", "p90_km", "sgp4_p90_km", "inside_50", "inside_90",
    "inside_99",
)  # fmt: skip
