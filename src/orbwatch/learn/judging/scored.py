"""Calibration, sharpness and proper scores of forecasts, by regime, all horizons together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from orbwatch.learn.judging.coverage import ALONE, LEVEL, Method, Seen, geometric_mean
from orbwatch.learn.judging.forecasters import Predicted
from orbwatch.learn.judging.metrics import regimes_of
from orbwatch.uncertainty.calibration import coverage_curve, pit_axes, uniform_deviation
from orbwatch.uncertainty.conformal import LEVELS
from orbwatch.uncertainty.gaussian import GaussianForecast
from orbwatch.uncertainty.scores import crps_axes_km, energy_score_km, nll

SCORES = (
    "source", "kind", "regime", "coverage_gap_mean", "coverage_gap_max", "axis_m", "pit_deviation", "nll",
    "crps_km", "energy_km", "epistemic_share",
)  # fmt: skip
"""coverage_gap_mean, coverage_gap_max: mean and greatest |coverage - level| over `conformal.LEVELS` and horizons;
axis_m: geometric mean semi-axis of the 90 % regions; pit_deviation: Kolmogorov distance of the PIT from uniform. The
last five are of the forecast itself, so conformal has none (NaN): epistemic_share is the median share of the variance
that is the disagreement of an ensemble's members, or of passes with dropout."""
PIT = ("source", "density")
"""density: of the probability integral transform in `BINS` equal bins, all axes, horizons and regimes."""
BINS = 20
_DRAWS = 8


def score_rows(method: Method, predicted: Predicted, seen: Seen, regime_names: Sequence[str]) -> list[list[Any]]:
    """Rows of the table of scores (`SCORES`) for one method."""
    forecast, epistemic = predicted.gaussian, predicted.epistemic_share
    rows: list[list[Any]] = []
    levels = np.array(LEVELS)
    for label, mask in regimes_of(seen.regime, regime_names):
        part, truth = forecast.take(mask), seen.truth_rtn_km[mask]
        gap = np.abs(coverage_curve(method.calibrated, part, truth, seen.group[mask], levels) - levels[:, None])
        axis = geometric_mean(method.regions(part, seen.group[mask], LEVEL).axis_m())
        own = [float("nan")] * 5
        if method.kind == ALONE:
            scores = nll(part, truth), crps_axes_km(part, truth), energy_score_km(part, truth, _DRAWS)
            share = float("nan") if epistemic is None else float(np.median(epistemic[mask]))
            own = [uniform_deviation(pit_axes(part, truth)), *(float(np.mean(score)) for score in scores), share]
        rows.append([method.source, method.kind, label, float(gap.mean()), float(gap.max()), axis, *own])
    return rows


def pit_rows(source: str, forecast: GaussianForecast, seen: Seen) -> list[list[Any]]:
    """The row of `PIT` of one source."""
    counts, _ = np.histogram(pit_axes(forecast, seen.truth_rtn_km), bins=BINS, range=(0.0, 1.0))
    return [[source, (counts * BINS / max(1, counts.sum())).tolist()]]
