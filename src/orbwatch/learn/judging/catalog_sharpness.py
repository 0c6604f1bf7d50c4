"""How large the 90 % ellipsoids are, against those of the empirical covariance made to hold as many of the truths.

The empirical table (`uncertainty.covariance`) is what everybody has without a forecaster: a covariance about SGP4 from
the newest set, by regime and age. As it stands its 90 % ellipsoid holds less than it says; so its sigmas are multiplied
by what makes it hold the same share of these very truths, which flatters it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import chi2

from orbwatch.constants import DAY_US
from orbwatch.frames import rtn_matrix
from orbwatch.learn.judging.catalog_board_groups import BOARD_GROUPS, members
from orbwatch.learn.judging.catalog_packing import truth_km
from orbwatch.learn.judging.metrics import ALL, Columns, columns
from orbwatch.learn.judging.weekly import quantiles, week_weights
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.uncertainty.covariance import EmpiricalCovariance
from orbwatch.uncertainty.gaussian import GaussianForecast, Regions

LEVEL = 0.9
LEAST = 50
"""Groups with fewer truths are left out."""
_ROUNDING = 1e-9
SHARPNESS = (
    "group", "day", "truths", "inside_90", "axis_90_km", "empirical_inside_90", "empirical_factor",
    "empirical_axis_km", "volume_ratio",
)  # fmt: skip
"""inside_90: share of the truths in the forecast's 90 % ellipsoid; empirical_inside_90: in that of the empirical table
as it stands; empirical_factor: what the table's sigmas are to be multiplied by for the forecast's share; axis: median
geometric mean of the half axes, the table's with that factor; volume_ratio: of the median ellipsoids."""


def sharpness(
    windows: CatalogWindows, regions: Regions, inside: Bool[np.ndarray, "n h"], names: Mapping[int, str]
) -> Columns:
    """One row for each group and horizon, and for all objects; see `SHARPNESS`.

    windows: with truth; regions: the 90 % ellipsoids of the forecasts; inside: whether they held the truth. Every ISO
    week of asking counts the same.
    """
    away, table = _by_table(windows, names)
    distance, plain_km = table.mahalanobis(away), table.axis_m() / 1000.0
    axis_km = regions.axis_m() / 1000.0
    known = np.isfinite(distance) & np.isfinite(plain_km) & ~np.isnan(axis_km)
    nominal = float(np.sqrt(chi2.ppf(LEVEL, 3)))
    parts = {ALL: np.ones(len(windows), np.bool_)} | {g.name: members(g, windows.newest, names) for g in BOARD_GROUPS}
    rows: list[list[Any]] = []
    for name, mine in parts.items():
        for at, day in enumerate(windows.horizon_day[0].tolist() if len(windows) else []):
            here = np.flatnonzero(mine & known[:, at])
            if len(here) < LEAST:
                continue
            weight, gap = week_weights(windows.asked_us[here]), distance[here, at]
            held = float(np.average(inside[here, at], weights=weight))
            radius = _quantile(gap, weight, held - _ROUNDING)
            ours, theirs = (_quantile(each, weight, 0.5) for each in (axis_km[here, at], radius * plain_km[here, at]))
            plainly = float(np.average(gap <= nominal, weights=weight))
            size = (ours, plainly, radius / nominal, theirs, (ours / theirs) ** 3)
            rows.append([name, round(day, 6), len(here), held, *size])
    return columns(SHARPNESS, rows)


def _by_table(windows: CatalogWindows, names: Mapping[int, str]) -> tuple[Float[np.ndarray, "n h 3"], GaussianForecast]:
    """Where the truth lies from SGP4, in RTN, and what the empirical table says of that."""
    model, newest = EmpiricalCovariance.load(), windows.newest
    # The table tells Starlinks by their names, which histories leave out.
    told = [names.get(one, own) for one, own in zip(newest.norad_id.tolist(), newest.name.tolist(), strict=True)]
    newest = replace(newest, name=np.array(told, np.str_))
    at_us = windows.asked_us[:, None] + np.rint(windows.horizon_day * DAY_US).astype(np.int64)
    cov = np.stack([model.cov_rtn_km2(newest, column) for column in at_us.T], axis=1)
    rv = windows.rv_teme_km
    away = np.einsum("nhij,nhj->nhi", rtn_matrix(rv[..., :3], rv[..., 3:]), truth_km(windows) - rv[..., :3])
    return away, GaussianForecast(np.zeros_like(away), cov)


def _quantile(value: Float[np.ndarray, " n"], weight: Float[np.ndarray, " n"], level: float) -> float:
    return float(quantiles(value, weight, np.empty((0, len(value))), (level,)).estimate[0])
