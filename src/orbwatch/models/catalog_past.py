"""What would have been forecast of an object in the past, and where its later sets then put it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import clean_history
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.frames import rtn_matrix
from orbwatch.learn.samples.catalog_asks import NONE, Asks, asks, later_sets, public_us
from orbwatch.learn.samples.catalog_windows import NODES_DAY, CatalogWindows
from orbwatch.models.catalog_forecast import LEVELS, OLDEST_DAY, asked_in_blocks, windows_known
from orbwatch.models.catalog_runtime import CatalogForecaster
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.uncertainty.gaussian import mahalanobis

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
    """Of SGP4 from the newest set."""
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

    sets: as they were published, not cleaned (`catalog.history.read_sets`): each asking puts aside what looked wrong
    then, not what looks wrong with hindsight. Truth: the later set nearest in time, within 0.3 days, that was public by
    `until_us`. Askings without a newest set younger than 30 days are left out. Raises InputError for a model that has
    not been calibrated, and for horizons beyond what it was calibrated for.
    """
    if forecaster.calibration is None:
        raise InputError("the model has not been calibrated", file=forecaster.folder)
    columns = forecaster.calibration.columns(horizon_day)
    sets = sets[np.isin(sets.norad_id, norad_id)]
    known_us = public_us(sets)
    back = np.arange(int(past_day / step_day), 0, -1)
    parts = []
    for at_us in (until_us - np.rint(back * step_day * DAY_US).astype(np.int64)).tolist():
        known = clean_history(sets[known_us <= at_us]).table
        asked = asks(known, norad_id, np.full(len(norad_id), at_us))
        asked = asked.take(asked.newest != NONE)
        asked = asked.take(at_us - known.epoch_us[asked.newest] <= OLDEST_DAY * DAY_US)
        for _, past in asked_in_blocks(known, asked, np.arange(len(asked))):
            parts.append(windows_known(known, past, horizon_day)[0])
    windows = CatalogWindows.concat(parts) if parts else None
    if windows is None or not len(windows):
        none = np.empty((0, len(horizon_day), 3))
        return PastForecasts(np.empty(0, np.int64), np.empty(0, np.int64), horizon_day, none, none, none > 0.0)
    truth_km = _truth_km(clean_history(sets[known_us <= until_us]).table, windows)
    forecast = forecaster.predict(windows)
    gaussian, miss = forecast.gaussian(truth_km)
    axes = rtn_matrix(forecast.rv_teme_km[..., :3], forecast.rv_teme_km[..., 3:])
    plain = np.einsum("nhij,nhj->nhi", axes, truth_km - windows.rv_teme_km[..., :3])
    away = mahalanobis(miss, forecast.cov_rtn_km2, np.isnan(miss).any(axis=-1))
    regions = [forecaster.calibration.conformal.regions(gaussian, forecast.group, one, columns) for one in LEVELS]
    inside = np.stack([away <= each.radius for each in regions], axis=-1)
    return PastForecasts(windows.newest.norad_id, windows.asked_us, horizon_day, miss, plain, inside)


def _truth_km(table: GpTable, windows: CatalogWindows) -> Float[np.ndarray, "n h 3"]:
    """Where the later sets of a history nearest to the horizons put the objects, TEME; NaN where there is none."""
    at_us = windows.asked_us[:, None] + np.rint(windows.horizon_day * DAY_US).astype(np.int64)
    asked = Asks(windows.newest.norad_id, windows.asked_us, np.full((len(windows), 1), NONE))
    row = later_sets(table, asked, at_us)
    found = np.full((*at_us.shape, 3), np.nan)
    told = row != NONE
    if told.any():
        start_us = int(at_us.min())
        found[told] = Sgp4Catalog(table).at(row[told], start_us, (at_us[told] - start_us) / 1e6)[0]
    return found


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
