"""How often regions hold the truth, and how large they are: each method at its word, and with conformal on top.

Methods are compared on the same windows. The yardstick of size is a least squares scaled by an oracle: its formal
ellipsoids enlarged, per regime and horizon, until they hold exactly the level on the very windows of the test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from orbwatch.learn.judging.metrics import Columns, columns, regimes_of
from orbwatch.learn.judging.significance import shares
from orbwatch.uncertainty.conformal import LEVELS, Conformal
from orbwatch.uncertainty.gaussian import Calibrated, Calibration, Formal, GaussianForecast, Regions, oracle_scaled

LEVEL = 0.9
"""Level of the regions in the tables."""
ALONE, CONFORMAL, BY_OBJECT = "alone", "conformal", "conformal by object"
"""Kinds of regions: the forecast's covariance at its word, with conformal, and with conformal that takes objects as
exchangeable."""
_DRAWS = 200


@dataclass(frozen=True, eq=False)
class Seen:
    """What a set of windows has beside forecasts."""

    truth_rtn_km: Float[np.ndarray, "n h 3"]
    """In RTN of the physics prediction, like the forecasts."""
    regime: Int[np.ndarray, " n"]
    group: Int[np.ndarray, " n"]
    """What regions are calibrated by: see `windows.GROUPS`."""
    object_id: Int[np.ndarray, " n"]
    horizon_s: Float[np.ndarray, " h"]


@dataclass(frozen=True, eq=False)
class Method:
    """One way to draw regions around the forecasts of one source."""

    source: str
    kind: str
    """`ALONE`, `CONFORMAL` or `BY_OBJECT`."""
    conformal: Conformal | None = None

    @property
    def calibrated(self) -> Calibrated:
        """What draws the regions."""
        return self.conformal or Formal()

    def regions(self, forecast: GaussianForecast, group: Int[np.ndarray, " n"], level: float) -> Regions:
        """Regions that claim `level` at each horizon."""
        return self.calibrated.regions(forecast, group, level)

    def tube(self, forecast: GaussianForecast, group: Int[np.ndarray, " n"], level: float) -> Regions:
        """Regions that claim `level` at all horizons at once; for a covariance at its word, those of each horizon."""
        return self.conformal.tube(forecast, group, level) if self.conformal else self.regions(forecast, group, level)


def conformal(source: str, forecast: GaussianForecast, seen: Seen, unit: str, kind: str = CONFORMAL) -> Method:
    """The source with conformal fitted on these (calibration) windows; see `Conformal` for `unit`."""
    calibration = Calibration(forecast, seen.truth_rtn_km, seen.group, seen.object_id)
    return Method(source, kind, Conformal(unit=unit).fit(calibration))


@dataclass(frozen=True, eq=False)
class Yardstick:
    """Semi-axes of the oracle's regions on a set of windows."""

    axis_m: Float[np.ndarray, "n h"]


def yardstick(least_squares: GaussianForecast, seen: Seen, level: float = LEVEL) -> Yardstick:
    """Of least squares' formal forecasts, scaled per regime and horizon by the truth."""
    return Yardstick(oracle_scaled(least_squares, seen.truth_rtn_km, seen.regime, level).axis_m())


def coverage_rows(
    method: Method,
    forecast: GaussianForecast,
    seen: Seen,
    oracle: Yardstick,
    regime_names: Sequence[str],
    level: float = LEVEL,
) -> list[list[Any]]:
    """Rows of the coverage table (`COVERAGE`) for one method: each regime by each horizon, then by all at once (0)."""
    regions = method.regions(forecast, seen.group, level)
    tube = method.tube(forecast, seen.group, level)
    inside, together = regions.contains(seen.truth_rtn_km), tube.joint(seen.truth_rtn_km)
    axis, tube_axis = regions.axis_m(), tube.axis_m()
    rows: list[list[Any]] = []
    for label, mask in regimes_of(seen.regime, regime_names):
        ids = seen.object_id[mask]
        head, count = [method.source, method.kind, label], [len(ids), len(np.unique(ids))]
        found = shares(np.column_stack([inside[mask], together[mask]]), ids, _DRAWS).tolist()
        for h, seconds in enumerate(seen.horizon_s):
            sizes = geometric_mean(axis[mask, h]), geometric_mean(oracle.axis_m[mask, h])
            rows.append([*head, float(seconds) / 60.0, *count, *found[h], *_ratio(*sizes)])
        rows.append([*head, 0.0, *count, *found[-1], geometric_mean(tube_axis[mask]), float("nan")])
    return rows


COVERAGE = (
    "source", "kind", "regime", "horizon_min", "windows", "objects", "coverage", "low", "high", "axis_m", "axis_ratio"
)  # fmt: skip
"""horizon_min 0 stands for all horizons at once; low and high end a 95 % cluster bootstrap interval of the coverage;
axis_m is the geometric mean of all semi-axes, axis_ratio that over the oracle's; NaN for all horizons at once, as the
oracle has no tube."""

RELIABILITY = ("source", "kind", "regime", "level", "coverage")


def reliability_rows(
    method: Method,
    forecast: GaussianForecast,
    seen: Seen,
    regime_names: Sequence[str],
    levels: Sequence[float] = LEVELS,
) -> list[list[Any]]:
    """Rows of the reliability table (`RELIABILITY`): claimed level against coverage, all horizons together."""
    rows: list[list[Any]] = []
    for level in levels:
        inside = method.regions(forecast, seen.group, level).contains(seen.truth_rtn_km)
        for label, mask in regimes_of(seen.regime, regime_names):
            rows.append([method.source, method.kind, label, float(level), float(inside[mask].mean())])
    return rows


def worst_cells(table: Columns, low: float = 0.88, high: float = 0.92) -> Columns:
    """For each source and kind: its least and greatest coverage of a regime at a horizon, the cells inside [low, high],
    how many there are, and its least and greatest coverage of a regime at all horizons at once."""
    found: dict[tuple[str, str], Mapping[str, list[float]]] = {}
    for source, kind, regime, minutes, share in zip(
        *(table[name] for name in ("source", "kind", "regime", "horizon_min", "coverage")), strict=True
    ):
        if regime != "all":
            cells = found.setdefault((source, kind), {"single": [], "joint": []})
            cells["single" if minutes > 0.0 else "joint"].append(share)
    rows = [
        [*key, min(cells["single"]), max(cells["single"]), sum(low <= share <= high for share in cells["single"]),
         len(cells["single"]), min(cells["joint"]), max(cells["joint"])]
        for key, cells in found.items()
    ]  # fmt: skip
    return columns(("source", "kind", "least", "greatest", "within", "cells", "joint_least", "joint_greatest"), rows)


def geometric_mean(sizes: Float[np.ndarray, "..."]) -> float:
    """Of positive sizes; infinite if any is, NaN where some are missing."""
    with np.errstate(divide="ignore"):
        return float(np.exp(np.mean(np.log(sizes)))) if sizes.size else float("nan")


def _ratio(size: float, oracle: float) -> tuple[float, float]:
    return size, size / oracle if oracle > 0.0 else float("nan")
