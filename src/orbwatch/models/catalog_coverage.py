"""How past forecasts of a history have held: asked again day by day, each from what was public then.

Truth is the later set nearest to the forecast's time, as everywhere here. A truth counts from when its set was public.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.learn.samples.catalog_asks import NONE, asks, later_sets, public_us
from orbwatch.learn.samples.catalog_regimes import catalog_regime
from orbwatch.learn.samples.catalog_windows import CatalogWindows, windows_of
from orbwatch.models.catalog_forecast import LEVELS, OLDEST_DAY
from orbwatch.models.catalog_runtime import CatalogForecaster
from orbwatch.progress import Progress, silent
from orbwatch.propagate.curvilinear import shifted
from orbwatch.propagate.sgp4 import Sgp4Catalog

HORIZON_DAY = np.array([0.5, 1.0, 2.0, 3.0, 5.0, 7.0])
OBJECTS_AT_ONCE = 300
"""Objects asked about at a time: bounds the memory."""

Classify = Callable[[CatalogWindows], np.ndarray]
"""What each asked object is, in words: its kind by its name, say."""


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
    """What each object is; empty where nobody said."""
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
    forecaster: CatalogForecaster,
    horizon_day: Float[np.ndarray, " h"] = HORIZON_DAY,
    classify: Classify | None = None,
    progress: Progress = silent,
) -> Matured:
    """Asks about objects at each of the times (UTC microseconds since 1970), and holds the answers to the truth.

    table: a history, ordered by (norad_id, epoch_us), of what is public by now: all truths are taken from it, and each
    asking sees only what was public then. Raises InputError for a model that has not been calibrated.
    """
    if forecaster.calibration is None:
        raise InputError("the model has not been calibrated", file=forecaster.folder)
    norad_id = np.unique(norad_id)
    parts = [_of([], len(horizon_day))]
    for first in range(0, len(norad_id), OBJECTS_AT_ONCE):
        progress("asking again", first / len(norad_id))
        block = norad_id[first : first + OBJECTS_AT_ONCE]
        low, high = np.searchsorted(table.norad_id, [block[0], block[-1] + 1])
        parts.append(_block(table[int(low) : int(high)], block, asked_us, forecaster, horizon_day, classify))
    progress("asking again", 1.0)
    return _of(parts, len(horizon_day))


def _block(
    table: GpTable,
    norad_id: Int[np.ndarray, " m"],
    asked_us: Int[np.ndarray, " t"],
    forecaster: CatalogForecaster,
    horizon_day: Float[np.ndarray, " h"],
    classify: Classify | None,
) -> Matured:
    assert forecaster.calibration is not None
    if not len(table):
        return _of([], len(horizon_day))
    asked = asks(table, np.repeat(norad_id, len(asked_us)), np.tile(asked_us, len(norad_id)))
    asked = asked.take(asked.newest != NONE)
    asked = asked.take(asked.asked_us - table.epoch_us[asked.newest] <= OLDEST_DAY * DAY_US)
    at_us = asked.asked_us[:, None] + np.rint(horizon_day * DAY_US).astype(np.int64)
    catalog = Sgp4Catalog(table)
    later = later_sets(table, asked, at_us)
    keep = (later != NONE).any(axis=1) & (catalog.init_status[asked.newest] == 0)
    asked, later = asked.take(keep), later[keep]
    if not len(asked):
        return _of([], len(horizon_day))
    windows = windows_of(table, catalog, asked, horizon_day, truth=True)
    assert windows.truth_shift is not None
    forecast = forecaster.predict(windows)
    truth_km = np.asarray(shifted(windows.rv_teme_km, windows.truth_shift)[..., :3])
    # Where SGP4 ends before the horizon there is no forecast to be held to a truth: `forecast` says so in its status.
    gaussian, away = forecast.gaussian(truth_km)
    distance = gaussian.mahalanobis(away)
    conformal, columns = forecaster.calibration.conformal, forecaster.calibration.columns(horizon_day)
    radius = np.stack([conformal.regions(gaussian, forecast.group, level, columns).radius for level in LEVELS], axis=-1)
    public = np.where((later != NONE) & ~np.isnan(distance), public_us(table)[np.maximum(later, 0)], 0)
    made = Matured(
        asked.norad_id, asked.asked_us, forecast.group, catalog_regime(windows.newest).astype(np.int64),
        np.full(len(asked), "") if classify is None else classify(windows), distance.astype(np.float32),
        radius.astype(np.float32), public,
        np.sqrt(np.diagonal(forecast.cov_rtn_km2, axis1=2, axis2=3)).astype(np.float32),
    )  # fmt: skip
    return _of([made], len(horizon_day), ~np.isnan(distance).all(axis=1))


def _of(parts: list[Matured], horizons: int, rows: np.ndarray | slice = slice(None)) -> Matured:
    """Some rows of several; with none, an empty one."""
    if parts:
        joined = {f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Matured)}
        return Matured(**{name: values[rows] for name, values in joined.items()})
    whole, real = np.empty(0, np.int64), np.empty((0, horizons), np.float32)
    return Matured(
        whole, whole, whole, whole, np.empty(0, np.str_), real, np.empty((0, horizons, len(LEVELS)), np.float32),
        np.empty((0, horizons), np.int64), np.empty((0, horizons, 3), np.float32),
    )  # fmt: skip
