"""The catalogue's forecaster against SGP4: errors, their ratio, and whether the ellipsoids hold.

Objects are those kept for testing, times are later than training; truth is the later set nearest in time, so what both
sets share does not show. Intervals come from a bootstrap over objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from orbwatch.catalog.history import History
from orbwatch.catalog.kinds import KINDS, kinds_of
from orbwatch.errors import InputError
from orbwatch.learn.judging.catalog_packing import truth_km
from orbwatch.learn.judging.catalog_sets import later_windows
from orbwatch.learn.judging.metrics import Columns, columns
from orbwatch.learn.judging.significance import median_ratio
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES, catalog_regime
from orbwatch.learn.samples.catalog_windows import NODES_DAY, CatalogWindows
from orbwatch.models.catalog_runtime import CatalogForecaster
from orbwatch.progress import Progress
from orbwatch.settings_groups import AskSettings
from orbwatch.uncertainty.gaussian import Regions

DAYS = (0.5, 1.0, 2.0, 3.0, 5.0, 7.0)
LEVELS = (0.5, 0.9, 0.99)
LEAST = 50
"""Rows with fewer truths are left out."""
DRAWS = 400
NAMES = (
    "regime", "kind", "day", "truths", "objects", "sgp4_median_km", "median_km", "ratio", "ratio_low", "ratio_high",
    "sgp4_p90_km", "p90_km", "ratio_p90", "inside_50", "inside_90", "inside_99", "axis_90_km",
)  # fmt: skip


def unseen_windows(history: History, settings: AskSettings, progress: Progress) -> CatalogWindows:
    """Askings about test objects after the end of training, with truth, at the horizons of `DAYS`."""
    windows = later_windows(history, settings, ("test",), progress, hidden=False)
    assert windows.truth_shift is not None
    at = [int(np.abs(NODES_DAY - day).argmin()) for day in DAYS]
    return replace(
        windows,
        horizon_day=windows.horizon_day[:, at],
        rv_teme_km=windows.rv_teme_km[:, at],
        truth_shift=windows.truth_shift[:, at],
    )


def judge_catalog(
    model: CatalogForecaster, windows: CatalogWindows, names: Mapping[int, str], progress: Progress
) -> Columns:
    """One row for each regime, kind and horizon in `DAYS`, from `unseen_windows`; units in the names; see `NAMES`.

    names: of the objects, where known: they tell Starlinks, debris and rocket bodies from other payloads. ratio: of
    median errors, with its 95 % interval; axis_90_km: geometric mean of the 90 % ellipsoid's half axes. Raises
    InputError for a model that is not calibrated.
    """
    if model.calibration is None:
        raise InputError("the model has not been calibrated", file=model.folder)
    progress("forecasting", 0.0)
    forecast = model.predict(windows)
    gaussian, away = forecast.gaussian(truth_km(windows))
    error = np.linalg.norm(away, axis=-1)
    plain = np.linalg.norm(truth_km(windows) - windows.rv_teme_km[..., :3], axis=-1)
    at = model.calibration.columns(np.asarray(windows.horizon_day[0] if len(windows) else np.empty(0)))
    regions = [model.calibration.conformal.regions(gaussian, forecast.group, level, at) for level in LEVELS]
    progress("measuring", 0.5)
    regime, kind = catalog_regime(windows.newest), kinds(windows, names)
    rows = []
    for code, name in enumerate(CATALOG_REGIMES):
        for label in KINDS:
            mine = (regime == code) & (kind == label)
            rows += [[name, label, *row] for row in _rows(windows, mine, error, plain, away, regions)]
    progress("measuring", 1.0)
    return columns(NAMES, rows)


def kinds(windows: CatalogWindows, names: Mapping[int, str]) -> np.ndarray:
    """What the object of each window is, by its name: one of `KINDS`."""
    return kinds_of(windows.newest.norad_id, names)


def _rows(
    windows: CatalogWindows,
    mine: Bool[np.ndarray, " n"],
    error: Float[np.ndarray, "n h"],
    plain: Float[np.ndarray, "n h"],
    away: Float[np.ndarray, "n h 3"],
    regions: list[Regions],
) -> list[list[Any]]:
    found: list[list[Any]] = []
    horizon = windows.horizon_day[0] if len(windows) else np.empty(0)
    inside = [each.contains(away) for each in regions]
    axis_km = regions[1].axis_m() / 1000.0
    for day in DAYS:
        at = int(np.abs(horizon - day).argmin())
        here = mine & np.isfinite(error[:, at]) & np.isfinite(plain[:, at])
        if here.sum() < LEAST:
            continue
        ours, sgp4, owner = error[here, at], plain[here, at], np.asarray(windows.newest.norad_id[here])
        ratio = median_ratio(ours, sgp4, owner, draws=DRAWS)
        far, sgp4_far = np.quantile(ours, 0.9), np.quantile(sgp4, 0.9)
        shares = [float(each[here, at].mean()) for each in inside]
        found.append([
            day, int(here.sum()), len(np.unique(owner)), float(np.median(sgp4)), float(np.median(ours)),
            ratio.estimate, ratio.low, ratio.high, float(sgp4_far), float(far), float(far / sgp4_far), *shares,
            float(np.median(axis_km[here, at])),
        ])  # fmt: skip
    return found
