"""Forecasts of catalogued objects against positions that come from elsewhere: errors, and whether the regions hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.errors import InputError
from orbwatch.learn.judging.metrics import Columns, columns
from orbwatch.learn.judging.significance import median_ratio
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.models.catalog_runtime import CatalogForecaster

LEVELS = (0.5, 0.9, 0.99)
DRAWS = 400
MEASURED = (
    "truths", "clusters", "sgp4_median_m", "median_m", "ratio", "ratio_low", "ratio_high", "sgp4_p90_m", "p90_m",
    "ratio_p90", "inside_50", "inside_90", "inside_99", "axis_90_m", "no_region",
)  # fmt: skip
"""truths: windows with a truth and both forecasts; clusters: how many of them are independent of each other (objects,
or newest sets); ratio: of median errors, with its 95 % interval by clusters (empty for a single one); inside: shares
of the truths within the 50, 90 and 99 % ellipsoids; axis_90_m: median geometric mean of the 90 % ellipsoid's half
axes; no_region: share without a finite 90 % ellipsoid, which `inside` leaves out."""


@dataclass(frozen=True, eq=False)
class CatalogScores:
    """What became of n askings at h horizons; NaN where there is no truth, or no forecast."""

    error_km: Float[np.ndarray, "n h"]
    sgp4_km: Float[np.ndarray, "n h"]
    """Of SGP4 from the newest public set."""
    inside: Bool[np.ndarray, "n h 3"]
    """Within the ellipsoids of `LEVELS`."""
    axis_90_km: Float[np.ndarray, "n h"]
    """Geometric mean of the half axes of the 90 % ellipsoid; infinite where there is none."""
    cluster: Int[np.ndarray, " n"]
    """Askings of one cluster are not independent of each other."""
    group: Int[np.ndarray, " n"]
    """Index into `catalog_groups.GROUPS` of each asking."""


def scored(
    model: CatalogForecaster,
    windows: CatalogWindows,
    truth_km: Float[np.ndarray, "n h 3"],
    cluster: Int[np.ndarray, " n"] | None = None,
) -> CatalogScores:
    """Forecasts of windows against positions, TEME km (NaN where not known).

    cluster: numbers of whatever makes askings depend on each other; by default the object. Raises InputError for a
    model that is not calibrated.
    """
    if model.calibration is None:
        raise InputError("the model has not been calibrated", file=model.folder)
    forecast = model.predict(windows)
    gaussian, away = forecast.gaussian(truth_km)
    columns_of = model.calibration.columns(windows.horizon_day[0] if len(windows) else np.empty(0))
    regions = [model.calibration.conformal.regions(gaussian, forecast.group, q, columns_of) for q in LEVELS]
    return CatalogScores(
        np.linalg.norm(away, axis=-1),
        np.linalg.norm(truth_km - windows.rv_teme_km[..., :3], axis=-1),
        np.stack([each.contains(away) for each in regions], axis=-1),
        regions[LEVELS.index(0.9)].axis_m() / 1000.0,
        np.asarray(windows.newest.norad_id) if cluster is None else cluster,
        forecast.group,
    )


def measured(scores: CatalogScores, rows: Bool[np.ndarray, "n h"], least: int = 1) -> list[Any] | None:
    """The values of `MEASURED` over some of the askings and horizons; None with fewer than `least` truths."""
    use = rows & np.isfinite(scores.error_km) & np.isfinite(scores.sgp4_km)
    if use.sum() < max(1, least):
        return None
    owner = np.broadcast_to(scores.cluster[:, None], use.shape)[use]
    ours, plain, axis = 1000.0 * scores.error_km[use], 1000.0 * scores.sgp4_km[use], 1000.0 * scores.axis_90_km[use]
    clusters = len(np.unique(owner))
    ratio = median_ratio(ours, plain, owner, draws=DRAWS)
    far, plain_far = float(np.quantile(ours, 0.9)), float(np.quantile(plain, 0.9))
    bounded = np.isfinite(axis)
    inside = scores.inside[use][bounded]
    shares = inside.mean(axis=0).tolist() if len(inside) else [float("nan")] * len(LEVELS)
    size = float(np.median(axis[bounded])) if bounded.any() else float("inf")
    return [
        int(use.sum()), clusters, float(np.median(plain)), float(np.median(ours)),
        ratio.estimate, ratio.low, ratio.high,
        plain_far, far, far / plain_far, *shares, size, float(1.0 - bounded.mean()),
    ]  # fmt: skip


def score_table(
    scores: CatalogScores, parts: Mapping[tuple[Any, ...], Bool[np.ndarray, "n h"]], names: tuple[str, ...], least: int
) -> Columns:
    """One row for each part with `least` truths or more: its labels under `names`, then `MEASURED`."""
    found = []
    for labels, rows in parts.items():
        values = measured(scores, rows, least)
        if values is not None:
            found.append([*labels, *values])
    return columns((*names, *MEASURED), found)
