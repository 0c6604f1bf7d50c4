"""Forecasts of catalogued objects with covariance and calibrated ellipsoids: from a history to rows, without torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import check_ordered
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.learn.samples.catalog_asks import FAR, NEAR, NONE, Asks, asks, is_far
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES, catalog_regime
from orbwatch.learn.samples.catalog_windows import CatalogWindows, windows_of
from orbwatch.models.catalog_doubt import believed, widened
from orbwatch.models.catalog_groups import BEHAVIOUR, FEW_SETS, OLD_DAY, behaviour_of
from orbwatch.models.catalog_runtime import CatalogForecast, CatalogForecaster
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.time import format_utc_many
from orbwatch.uncertainty.gaussian import GaussianForecast

LEVELS = (0.5, 0.9, 0.99)
JOINT_LEVEL = 0.9
"""Level of the tube."""
OLDEST_DAY = 30.0
"""Newest sets older than this when asked give no forecast."""
CONTRADICTED = "newest sets contradict each other: wide region"
BLOCK = 4096
"""Objects forecast at a time: bounds the memory."""


@dataclass(frozen=True, eq=False)
class CatalogForecasts:
    """Forecasts of n objects at h horizons; rows of objects without one are NaN, and their status says why."""

    norad_id: Int[np.ndarray, " n"]
    asked_us: int
    horizon_day: Float[np.ndarray, " h"]
    newest_us: Int[np.ndarray, " n"]
    """Epoch of the newest set that was public; 0 where there is none."""
    rv_teme_km: Float[np.ndarray, "n h 6"]
    cov_rtn_km2: Float[np.ndarray, "n h 3 3"]
    """Along R, T, N of the state."""
    radius: Float[np.ndarray, "n h 3"]
    """Mahalanobis radii of the 50, 90 and 99 % ellipsoids; infinite where nothing was calibrated."""
    joint_radius: Float[np.ndarray, "n h"]
    """Those of the 90 % tube: ellipsoids that hold the object at all calibrated horizons at once."""
    group: Int[np.ndarray, " n"]
    """What the regions are calibrated by; -1 without a forecast."""
    regime: np.ndarray
    """Names of `CATALOG_REGIMES`."""
    status: np.ndarray
    """"ok", or what speaks against the forecast, or why there is none."""
    model: str
    sgp4_teme_km: Float[np.ndarray, "n h 3"] | None = None
    """Where SGP4 from the newest set alone has it; None: not kept."""

    def columns(self) -> dict[str, Any]:
        """One row an object and horizon; units in the names."""
        n, h = len(self.norad_id), len(self.horizon_day)
        at_us = np.tile(self.asked_us + np.rint(self.horizon_day * DAY_US).astype(np.int64), n)
        newest = np.array(format_utc_many(self.newest_us)) if n else np.empty(0, np.str_)
        newest = np.where(self.newest_us == 0, "", newest)

        def each(values: np.ndarray) -> np.ndarray:
            return np.repeat(values, h)

        states = {
            f"{name}_teme_{unit}": self.rv_teme_km[..., at].ravel()
            for at, (name, unit) in enumerate(
                [*((axis, "km") for axis in "xyz"), *((f"v{axis}", "km_s") for axis in "xyz")]
            )
        }
        spread = {
            f"cov_{name}_km2": self.cov_rtn_km2[..., i, j].ravel()
            for name, i, j in (("rr", 0, 0), ("rt", 0, 1), ("rn", 0, 2), ("tt", 1, 1), ("tn", 1, 2), ("nn", 2, 2))
        }
        return {
            "norad_id": each(self.norad_id),
            "asked_utc": format_utc_many(np.full(n * h, self.asked_us)),
            "t_utc": format_utc_many(at_us),
            "newest_epoch_utc": each(newest),
            **states,
            **spread,
            **{f"k{level:.0%}".rstrip("%"): self.radius[..., at].ravel() for at, level in enumerate(LEVELS)},
            "k90_joint": self.joint_radius.ravel(),
            "method": each(np.full(n, self.model)),
            "regime": each(self.regime),
            "status": each(self.status),
        }


def forecast_catalog(
    table: GpTable,
    norad_id: Int[np.ndarray, " n"],
    asked_us: int,
    horizon_day: Float[np.ndarray, " h"],
    model: str | CatalogForecaster,
    threads: int = 1,
) -> CatalogForecasts:
    """Forecasts of objects from what was public when asked (UTC microseconds since 1970).

    table: a history, ordered by (norad_id, epoch_us); later sets in it have no effect. horizon_day: days from the
    asking. model: a packaged name or a folder, or a loaded one. Raises InputError for a model that is not there or not
    calibrated, for horizons beyond what it was calibrated for, and for a table out of order.
    """
    check_ordered(table)
    forecaster = CatalogForecaster.load(model, threads) if isinstance(model, str) else model
    calibration = forecaster.calibration
    if calibration is None:
        raise InputError("the model has not been calibrated", file=forecaster.folder)
    columns = calibration.columns(horizon_day)
    n, h = len(norad_id), len(horizon_day)
    asked = asks(table, norad_id, np.full(n, asked_us))
    newest_us = np.where(asked.newest == NONE, 0, table.epoch_us[asked.newest] if len(table) else 0)
    status = np.full(n, "no set was public", "<U60")
    known = asked.newest != NONE
    status[known & (asked_us - newest_us > OLDEST_DAY * DAY_US)] = f"newest set older than {OLDEST_DAY:g} days"
    use = np.flatnonzero(known & (asked_us - newest_us <= OLDEST_DAY * DAY_US))
    made = CatalogForecasts(
        norad_id, asked_us, horizon_day, newest_us, np.full((n, h, 6), np.nan), np.full((n, h, 3, 3), np.nan),
        np.full((n, h, len(LEVELS)), np.inf), np.full((n, h), np.inf), np.full(n, -1), np.full(n, "", "<U16"), status,
        forecaster.card.name, np.full((n, h, 3), np.nan),
    )  # fmt: skip
    at_us = asked_us + np.rint(horizon_day * DAY_US).astype(np.int64)
    for rows, past in _asked_in_blocks(table, asked, use):
        doubt = believed(table, past)
        some = doubt.asked.newest != NONE
        status[rows[~some]] = "sets that only contradict each other"
        windows, moving = _windows_known(table, doubt.asked.take(some), horizon_day)
        status[rows[some][~moving]] = "elements that cannot be propagated"
        rows, rival = rows[some][moving], doubt.rival[some][moving]
        contradicted = doubt.contradicted[some][moving]
        if not len(rows):
            continue
        newest_us[rows] = windows.newest.epoch_us
        forecast = forecaster.predict(windows)
        cov = widened(forecast.cov_rtn_km2, forecast.rv_teme_km, table, rival, np.tile(at_us, (len(rows), 1)))
        made.rv_teme_km[rows], made.cov_rtn_km2[rows] = forecast.rv_teme_km, cov
        assert made.sgp4_teme_km is not None
        made.sgp4_teme_km[rows] = windows.rv_teme_km[..., :3]
        made.regime[rows] = np.array(CATALOG_REGIMES)[catalog_regime(windows.newest)]
        gaussian = GaussianForecast(forecast.rv_teme_km[..., :3], cov)
        for at, level in enumerate(LEVELS):
            regions = calibration.conformal.regions(gaussian, forecast.group, level, columns)
            made.radius[rows, :, at] = regions.radius
        made.joint_radius[rows] = calibration.conformal.tube(gaussian, forecast.group, JOINT_LEVEL, columns).radius
        made.group[rows] = forecast.group
        status[rows] = np.where(contradicted, CONTRADICTED, _status(windows, forecast))
    return made


def _asked_in_blocks(
    table: GpTable, asked: Asks, use: Int[np.ndarray, " k"]
) -> Iterator[tuple[Int[np.ndarray, " m"], Asks]]:
    """Some askings at a time, those of high orbits with what is known of them from further back."""
    far = is_far(table, asked.norad_id[use])
    for chosen, reach in ((use[~far], NEAR), (use[far], FAR)):
        for first in range(0, len(chosen), BLOCK):
            rows = chosen[first : first + BLOCK]
            some = asked.take(rows)
            yield rows, some if reach is NEAR else asks(table, some.norad_id, some.asked_us, reach)


def _windows_known(
    table: GpTable, asked: Asks, horizon_day: Float[np.ndarray, " h"]
) -> tuple[CatalogWindows, Bool[np.ndarray, " n"]]:
    """Windows of those askings whose newest set can be propagated, and which those are; all must have a newest set."""
    rows, place = np.unique(asked.past[asked.past != NONE], return_inverse=True)
    past = np.full(asked.past.shape, NONE, np.int64)
    past[asked.past != NONE] = place
    part = table[rows]
    catalog = Sgp4Catalog(part)
    moving = catalog.init_status[past[:, -1]] == 0
    small = Asks(asked.norad_id[moving], asked.asked_us[moving], past[moving])
    return windows_of(part, catalog, small, horizon_day, truth=False), moving


def _status(windows: CatalogWindows, forecast: CatalogForecast) -> np.ndarray:
    """What speaks against each forecast."""
    behind = np.isfinite(forecast.rv_teme_km).all(axis=(1, 2))
    count = np.isfinite(windows.age_day).sum(axis=1)
    restless = behaviour_of(forecast.group) == BEHAVIOUR.index("restless")
    return np.select(
        [~behind, windows.lag_day > OLD_DAY, count == 1, count < FEW_SETS, restless],
        [
            "re-enters, or SGP4 ends",
            "old set: wide region",
            "one set and no past: wide region",
            "hardly any past: wide region",
            "restless: maneuvers or bad sets",
        ],
        "ok",
    )
