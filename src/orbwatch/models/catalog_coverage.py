"""How past forecasts of a history have held: asked again day by day, each from what was public then.

(But for sets that were put aside when the history was read: later ones had a say in that.)

Truth is the later set nearest to the forecast's time, as everywhere here. A truth counts from when its set was public.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_asks import NONE, Asks, later_sets, public_us
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES
from orbwatch.models.catalog_forecast import LEVELS, CatalogForecasts, forecast_catalog
from orbwatch.models.catalog_runtime import CatalogForecast, CatalogForecaster
from orbwatch.progress import Progress, silent
from orbwatch.propagate.sgp4 import Sgp4Catalog

HORIZON_DAY = np.array([0.5, 1.0, 2.0, 3.0, 5.0, 7.0])


@dataclass(frozen=True, eq=False)
class Matured:
    """n past forecasts at h horizons that met at least one truth, and what the model's regions said of them."""

    norad_id: Int[np.ndarray, " n"]
    asked_us: Int[np.ndarray, " n"]
    """UTC microseconds since 1970."""
    group: Int[np.ndarray, " n"]
    """What the regions are calibrated by: index into the names of the model's groups."""
    regime: Int[np.ndarray, " n"]
    """Index into `CATALOG_REGIMES`."""
    kind: np.ndarray
    """What each object is, by its name, say; empty where nobody said."""
    distance: Float[np.ndarray, "n h"]
    """Mahalanobis distance of the truth from the forecast; NaN where there is none."""
    radius: Float[np.ndarray, "n h l"]
    """Those of the model's regions at `LEVELS`; infinite where it has none."""
    public_us: Int[np.ndarray, "n h"]
    """Since when the truth is public; 0 where there is none."""
    sigma_km: Float[np.ndarray, "n h 3"]
    """Standard deviations along R, T, N of the forecast."""

    def __len__(self) -> int:
        return len(self.asked_us)

    def ratio(self) -> Float[np.ndarray, "n h l"]:
        """Distances over radii (1: on the boundary); NaN without a truth or a radius."""
        known = np.isfinite(self.radius) & ~np.isnan(self.distance)[..., None]
        gap = np.full(self.radius.shape, np.nan)
        return np.asarray(np.divide(self.distance[..., None], self.radius, out=gap, where=known))


def daily_us(at_us: int, days: int) -> Int[np.ndarray, " days"]:
    """Asking times: the same hour on each of the last days, UTC microseconds since 1970."""
    return at_us - DAY_US * np.arange(days, 0, -1, dtype=np.int64)


def look_back(
    table: GpTable,
    norad_id: Int[np.ndarray, " m"],
    asked_us: Int[np.ndarray, " t"],
    model: str,
    horizon_day: Float[np.ndarray, " h"] = HORIZON_DAY,
    threads: int = 1,
    progress: Progress = silent,
) -> Matured:
    """Forecasts objects as asked at each of the times (UTC microseconds since 1970), and holds them to the truth.

    table: a history, ordered by (norad_id, epoch_us), of what is public by now: all truths are taken from it, and each
    asking sees only what was public then. model, and what is raised: as for `forecast_catalog`.
    """
    forecaster = CatalogForecaster.load(model, threads)
    parts = []
    for at, when_us in enumerate(asked_us.tolist()):
        progress("asking again", at / len(asked_us))
        made = forecast_catalog(table, norad_id, when_us, horizon_day, forecaster)
        parts.append(_matured(table, made))
    progress("asking again", 1.0)
    return _joined(parts, len(horizon_day))


class Truths(NamedTuple):
    """Where the later sets of a history nearest to the horizons of forecasts put the objects."""

    km: Float[np.ndarray, "n h 3"]
    """TEME; NaN where there is no such set, or no forecast."""
    public_us: Int[np.ndarray, "n h"]
    """Since when that is public; 0 where nothing is known."""


def truths_of(table: GpTable, made: CatalogForecasts) -> Truths:
    """What became of forecasts; table: a history, ordered by (norad_id, epoch_us)."""
    n, h = made.rv_teme_km.shape[:2]
    asked_us = np.full(n, made.asked_us)
    at_us = asked_us[:, None] + np.rint(made.horizon_day * DAY_US).astype(np.int64)
    later = later_sets(table, Asks(made.norad_id, asked_us, np.full((n, 1), NONE)), at_us)
    # Where SGP4 ends before the horizon there is no forecast to be held to a truth: `forecast` says so in its status.
    later[np.isnan(made.rv_teme_km).any(axis=2)] = NONE
    found = Truths(np.full((n, h, 3), np.nan), np.zeros((n, h), np.int64))
    who, column = np.nonzero(later != NONE)
    if len(who):
        rows, place = np.unique(later[who, column], return_inverse=True)
        part = table[rows]
        offset_s = (at_us[who, column] - made.asked_us) / 1e6
        km = Sgp4Catalog(part).at(place, made.asked_us, offset_s)[0]
        found.km[who, column] = km
        found.public_us[who, column] = np.where(np.isfinite(km).all(axis=1), public_us(part)[place], 0)
    return found


def held_to(
    truth_km: Float[np.ndarray, "n h 3"], made: CatalogForecasts
) -> tuple[Float[np.ndarray, "n h 3"], Float[np.ndarray, "n h"]]:
    """Truth less forecast along R, T, N of the forecast state, km, and its Mahalanobis distance; NaN without either."""
    gaussian, miss = CatalogForecast(made.rv_teme_km, made.cov_rtn_km2, made.group).gaussian(truth_km)
    return miss, gaussian.mahalanobis(miss)


def _matured(table: GpTable, made: CatalogForecasts) -> Matured:
    """The forecasts of one asking that have met a truth."""
    truths = truths_of(table, made)
    distance = held_to(truths.km, made)[1]
    known = ~np.isnan(distance)
    met = known.any(axis=1)
    regime = {name: code for code, name in enumerate(CATALOG_REGIMES)}
    variance = np.diagonal(made.cov_rtn_km2[met], axis1=2, axis2=3)
    return Matured(
        made.norad_id[met], np.full(int(met.sum()), made.asked_us), made.group[met],
        np.array([regime[name] for name in made.regime[met].tolist()], np.int64), np.full(int(met.sum()), ""),
        distance[met].astype(np.float32), made.radius[met].astype(np.float32),
        np.where(known, truths.public_us, 0)[met], np.sqrt(variance).astype(np.float32),
    )  # fmt: skip


def _joined(parts: Sequence[Matured], horizons: int) -> Matured:
    """All of several; with none, an empty one."""
    if parts:
        return Matured(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Matured)})
    whole, real = np.empty(0, np.int64), np.empty((0, horizons), np.float32)
    return Matured(
        whole, whole, whole, whole, np.empty(0, np.str_), real, np.empty((0, horizons, len(LEVELS)), np.float32),
        np.empty((0, horizons), np.int64), np.empty((0, horizons, 3), np.float32),
    )  # fmt: skip
