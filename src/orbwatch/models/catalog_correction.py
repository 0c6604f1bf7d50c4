"""The catalogue's forecaster over a whole window: fitted corrections and covariances, to be read at any time of it.

Asked at some tens of times in the window, spread over all phases of the revolution, the forecaster's answers become
numbers `AlongOrbit`: the move from SGP4's state, and the logarithm of the covariance matrix, which makes every
covariance in between positive definite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import chdtri

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.models.catalog_forecast import LEVELS, CatalogForecasts, forecast_catalog
from orbwatch.models.catalog_runtime import CatalogForecaster
from orbwatch.progress import Progress, silent
from orbwatch.propagate.along_orbit import LEAST_DAY, AlongOrbit, sample_days
from orbwatch.propagate.curvilinear import shift_of
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.time import format_utc
from orbwatch.uncertainty.matrix_log import log_of

BLOCK = 2048
"""Objects at a time: bounds the memory."""


@dataclass(frozen=True, eq=False)
class CatalogCorrection:
    """What the forecaster says of n sets over a window; sets without a forecast have no row in the numbers."""

    shift: AlongOrbit
    """s along the orbit, km outwards in the plane, km along r x v: from SGP4's state, as `curvilinear.shifted`."""
    spread: AlongOrbit
    """Logarithm of the position covariance in RTN of the moved state (km^2), six numbers (`matrix_log`)."""
    has: Bool[np.ndarray, " n"]
    """Which sets have a forecast; their rows in the numbers follow in order."""
    status: np.ndarray
    """"ok", or what speaks against each forecast, or why there is none."""
    label: str
    """Model, its date and what its regions were calibrated on."""
    until_us: int
    """End of the span that was forecast."""


def correct_catalog(
    history: GpTable, table: GpTable, asked_us: int, span_day: float, model: str, threads: int = 1,
    progress: Progress = silent,
) -> CatalogCorrection:  # fmt: skip
    """Forecasts of the sets in `table` over `span_day` days from the asking (UTC microseconds since 1970).

    history: ordered by (norad_id, epoch_us). A set in `table` is forecast where it is its object's newest that was
    public when asked. The covariance is scaled so that its Gaussian ellipsoid of 90 % is the calibrated one: by
    k90^2 / chi2(0.9; 3). Errors of the fit are added to it. Raises InputError as `forecast_catalog` does.
    """
    forecaster = CatalogForecaster.load(model, threads)
    span_day = min(max(span_day, LEAST_DAY), _horizon_day(forecaster))
    day = sample_days(span_day)
    parts = []
    for first in range(0, len(table), BLOCK):
        progress("forecasting", first / len(table))
        block = table[first : first + BLOCK]
        made = forecast_catalog(history, block.norad_id, asked_us, day, model, threads)
        parts.append(_fitted(block, made, span_day))
    progress("forecasting", 1.0)
    shift, spread, has, status = zip(*parts, strict=True)
    return CatalogCorrection(
        AlongOrbit.concat(shift),
        AlongOrbit.concat(spread),
        np.concatenate(has),
        np.concatenate(status),
        _label(forecaster),
        asked_us + round(span_day * DAY_US),
    )


def _fitted(
    table: GpTable, made: CatalogForecasts, span_day: float
) -> tuple[AlongOrbit, AlongOrbit, Bool[np.ndarray, " n"], np.ndarray]:
    """Numbers of the objects that have a usable forecast, which those are, and all statuses."""
    day, asked_us = made.horizon_day, made.asked_us
    states = Sgp4Catalog.from_gp(table).states(asked_us + np.rint(day * DAY_US).astype(np.int64))
    rv = np.concatenate([states.r_teme_km, states.v_teme_km_s], axis=2)
    shift = shift_of(rv, made.rv_teme_km[..., :3])
    radius = made.radius[..., LEVELS.index(0.9)]
    with np.errstate(invalid="ignore"):
        cov = made.cov_rtn_km2 * (radius**2 / chdtri(3, 0.1))[..., None, None]
        checks = {
            "not its newest public set": made.newest_us == table.epoch_us,
            "more than half a revolution off": np.isfinite(shift).all(axis=(1, 2)),
            "no calibrated region": np.isfinite(radius).all(axis=1),
            "no covariance": np.isfinite(cov).all(axis=(1, 2, 3)),
        }
    status = made.status.astype("<U60")
    has = np.isfinite(made.rv_teme_km).all(axis=(1, 2))  # where it is not, the status says why
    for why, good in checks.items():
        status[has & ~good] = why
        has &= good
    moves = AlongOrbit.fit(asked_us, span_day, day, rv[has], shift[has])
    cov = cov[has] + _left(moves, day, rv[has], shift[has])[:, None]
    return moves, AlongOrbit.fit(asked_us, span_day, day, rv[has], log_of(cov)), has, status


def _left(
    moves: AlongOrbit, day: Float[np.ndarray, " m"], rv: Float[np.ndarray, "n m 6"], shift: Float[np.ndarray, "n m 3"]
) -> Float[np.ndarray, "n 3 3"]:
    """Mean square of what the fit leaves of the moves, km^2, outwards, along, normal: nearly the axes of RTN."""
    n, m = shift.shape[:2]
    at_us = moves.start_us + np.rint(np.tile(day, n) * DAY_US).astype(np.int64)
    found = moves.at(np.repeat(np.arange(n), m), at_us, rv.reshape(-1, 6)).reshape(shift.shape)
    left = (shift - found)[..., [1, 0, 2]]
    left[..., 1] *= np.linalg.norm(rv[..., 3:], axis=-1)
    out = np.zeros((n, 3, 3))
    out[:, [0, 1, 2], [0, 1, 2]] = np.mean(left**2, axis=1)
    return out


def _horizon_day(forecaster: CatalogForecaster) -> float:
    # Without a calibration `forecast_catalog` refuses, and says so.
    return float(forecaster.calibration.horizon_day[-1]) if forecaster.calibration is not None else LEAST_DAY


def _label(forecaster: CatalogForecaster) -> str:
    card = forecaster.card
    label = f"forecaster `{card.name}` of {card.created_utc[:10]}"
    known = card.coverage.get("calibrated_on", {})
    if {"askings", "from_us", "to_us"} <= known.keys():
        first, last = (format_utc(int(known[name]), 0)[:10] for name in ("from_us", "to_us"))
        label += f", calibrated on {known['askings']:,} forecasts of {first} to {last}"
    return label
