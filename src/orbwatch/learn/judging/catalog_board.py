"""The leaderboard of the catalogue's forecasters: physics, networks, trees and what is shipped, against SGP4.

Objects are those kept for testing, times later than training, truth the later set nearest in time, as in
`catalog_judge`; here every ISO week of asking counts the same (`weekly`), and intervals come from drawing objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.learn.judging.catalog_baselines import physics
from orbwatch.learn.judging.catalog_board_groups import BOARD_GROUPS, BoardGroup, members, noise_km
from orbwatch.learn.judging.catalog_packing import truth_km
from orbwatch.learn.judging.catalog_sharpness import sharpness
from orbwatch.learn.judging.catalog_widths import Said, kilometre_shares
from orbwatch.learn.judging.metrics import Columns, columns
from orbwatch.learn.judging.significance import holm
from orbwatch.learn.judging.weekly import Quantiles, draw_objects, quantiles, week_weights
from orbwatch.learn.samples.catalog_basis import ALONG
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.models.catalog_runtime import CatalogForecaster
from orbwatch.progress import Progress
from orbwatch.propagate.curvilinear import shifted
from orbwatch.time import format_utc

SGP4, NETWORKS, TREES, SHIPPED = "SGP4", "networks", "trees", "shipped"
LEARNED = (NETWORKS, TREES, SHIPPED)
LEVELS = (0.5, 0.9, 0.99)
LEAST = 50
"""Cells with fewer truths are left out."""
DRAWS = 400
_INTERVAL = (0.025, 0.975)
_FLAT = 1e-9
BOARD = (
    "group", "day", "method", "truths", "objects", "weeks", "noise_km", "sgp4_median_km", "median_km", "ratio",
    "ratio_low", "ratio_high", "sgp4_p90_km", "p90_km", "ratio_p90", "ratio_p90_low", "ratio_p90_high", "inside_50",
    "inside_90", "inside_99", "best_physics", "over_physics", "over_physics_low", "over_physics_high", "p_holm",
    "target", "target_p90",
)  # fmt: skip
"""ratio, ratio_p90: to SGP4's; best_physics: the method without learning, SGP4 among them, that has the least median on
these very truths (which flatters it); over_physics: ratio of medians to that one; p_holm: that this is 1, by the
bootstrap's spread of its logarithm, over all groups and days together; inside: of the shipped method alone."""


@dataclass(frozen=True, eq=False)
class Board:
    """Who is how good where."""

    rows: Columns
    """See `BOARD`."""
    widths: Columns
    """See `catalog_widths.WIDTHS`."""
    sharpness: Columns
    """See `catalog_sharpness.SHARPNESS`."""
    facts: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class _Case:
    """All that is known of the windows."""

    windows: CatalogWindows
    error_km: Mapping[str, Float[np.ndarray, "n h"]]
    inside: list[Bool[np.ndarray, "n h"]]


def board_of(
    model: CatalogForecaster, windows: CatalogWindows, table: GpTable, names: Mapping[int, str], progress: Progress
) -> Board:
    """As `board`, with the noise of a history's sets (ordered by norad_id, epoch_us) at the times of the truths."""
    ids = np.unique(windows.newest.norad_id)
    last_us = int(windows.asked_us.max() + np.max(windows.horizon_day) * DAY_US) if len(windows) else 0
    first_us = int(windows.asked_us.min()) if len(windows) else 0
    return board(model, windows, names, noise_km(table, ids, first_us, last_us, names), progress)


def board(
    model: CatalogForecaster,
    windows: CatalogWindows,
    names: Mapping[int, str],
    noise: Mapping[str, float],
    progress: Progress,
) -> Board:
    """All methods in every group of `BOARD_GROUPS` at the windows' horizons.

    windows: with truth; noise: km, of the groups. Raises InputError for a model that is not calibrated.
    """
    if model.calibration is None:
        raise InputError("the model has not been calibrated", file=model.folder)
    progress("asking the models", 0.0)
    answers = model.answers(windows)
    horizon_day, forecast = np.asarray(windows.horizon_day[0]), model.believed(windows, answers)
    progress("physics", 0.5)
    truth = truth_km(windows)
    moved = physics(windows) | {NETWORKS: answers.mean_km, TREES: answers.trees_km}
    if model.trees is None:
        del moved[TREES]
    gaussian, away = forecast.gaussian(truth)
    error = {SGP4: np.linalg.norm(truth - windows.rv_teme_km[..., :3], axis=-1)}
    error |= {name: _error(windows, each, truth) for name, each in moved.items()}
    error[SHIPPED] = np.linalg.norm(away, axis=-1)
    columns_of = model.calibration.columns(horizon_day)
    regions = [model.calibration.conformal.regions(gaussian, forecast.group, q, columns_of) for q in LEVELS]
    case = _Case(windows, error, [each.contains(away) for each in regions])
    rows: list[dict[str, Any]] = []
    for at, one in enumerate(BOARD_GROUPS):
        progress("measuring", at / len(BOARD_GROUPS))
        mine = members(one, windows.newest, names)
        for column in range(len(horizon_day)):
            rows += _cell(case, one, mine, column, noise.get(one.name, float("nan")))
    _correct(rows)
    nine = LEVELS.index(0.9)
    widths = kilometre_shares(windows, Said(forecast.cov_rtn_km2, regions[nine].radius, forecast.group), names)
    sharp = sharpness(windows, regions[nine], case.inside[nine], names)
    progress("measuring", 1.0)
    made = columns(BOARD, [[row[name] for name in BOARD] for row in rows])
    return Board(made, widths, sharp, _facts(model, windows))


def _error(
    windows: CatalogWindows, move_km: Float[np.ndarray, "n h 3"], truth: Float[np.ndarray, "n h 3"]
) -> Float[np.ndarray, "n h"]:
    """Distance of the truth from SGP4's states moved so."""
    speed = np.linalg.norm(windows.rv_teme_km[..., 3:], axis=-1)
    shift = np.stack([move_km[..., ALONG] / speed, move_km[..., 0], move_km[..., 2]], axis=-1)
    return np.asarray(np.linalg.norm(truth - shifted(windows.rv_teme_km, shift)[..., :3], axis=-1))


def _cell(
    case: _Case, group: BoardGroup, mine: Bool[np.ndarray, " n"], column: int, noise: float
) -> list[dict[str, Any]]:
    """One row for each method in a group at a horizon; none with few truths."""
    known = mine & np.isfinite(case.error_km[SGP4][:, column]) & np.isfinite(case.error_km[SHIPPED][:, column])
    if known.sum() < LEAST:
        return []
    owner, asked_us = case.windows.newest.norad_id[known], case.windows.asked_us[known]
    weight, times = week_weights(asked_us), draw_objects(owner, DRAWS)
    # A forecast that went off its orbit is as wrong as can be.
    found = {
        name: quantiles(np.nan_to_num(error[known, column], nan=np.inf), weight, times, (0.5, 0.9))
        for name, error in case.error_km.items()
    }
    plain = found[SGP4]
    best = min((name for name in found if name not in LEARNED), key=lambda name: found[name].estimate[0])
    day = float(case.windows.horizon_day[0, column])
    rows = []
    for name, each in found.items():
        median, far = _ratio(each, plain, 0), _ratio(each, plain, 1)
        over, p = _ratio(each, found[best], 0), _p_value(each, found[best])
        inside = [float(np.average(hold[known, column], weights=weight)) for hold in case.inside]
        values = (
            group.name, round(day, 6), name, int(known.sum()), len(np.unique(owner)), round(float(weight.sum())), noise,
            plain.estimate[0], each.estimate[0], *median, plain.estimate[1], each.estimate[1], *far,
            *(inside if name == SHIPPED else [float("nan")] * len(LEVELS)), best, *over, p,
            group.median.get(day, float("nan")), group.p90.get(day, float("nan")),
        )  # fmt: skip
        rows.append(
            {key: value.item() if hasattr(value, "item") else value for key, value in zip(BOARD, values, strict=True)}
        )
    return rows


def _ratio(mine: Quantiles, other: Quantiles, at: int) -> tuple[float, float, float]:
    """Ratio of quantiles with its 95 % interval; paired, as both are of the same draws."""
    low, high = np.quantile(mine.drawn[:, at] / other.drawn[:, at], _INTERVAL)
    return float(mine.estimate[at] / other.estimate[at]), float(low), float(high)


def _p_value(mine: Quantiles, other: Quantiles) -> float:
    """That two medians are the same: the logarithm of their ratio over its spread among the draws, two-sided."""
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = float(np.std(np.log(mine.drawn[:, 0] / other.drawn[:, 0])))
    ratio = float(np.log(mine.estimate[0] / other.estimate[0]))
    if not np.isfinite(ratio) or not np.isfinite(spread):
        return float("nan")
    return 1.0 if spread < _FLAT else float(2.0 * stats.norm.sf(abs(ratio) / spread))


def _correct(rows: list[dict[str, Any]]) -> None:
    """Holm's correction, for every learned method over all its cells; the others are not tested."""
    for row in rows:
        if row["method"] not in LEARNED:
            row["p_holm"] = float("nan")
    for name in LEARNED:
        mine = [row for row in rows if row["method"] == name]
        for row, p in zip(mine, holm(np.array([row["p_holm"] for row in mine], np.float64)).tolist(), strict=True):
            row["p_holm"] = p


def _facts(model: CatalogForecaster, windows: CatalogWindows) -> dict[str, str]:
    ids = np.unique(windows.newest.norad_id)
    return {
        "model": f"{model.card.name}, {len(model.members)} network(s){'' if model.trees is None else ' and trees'}",
        "askings": f"{len(windows):,} of {len(ids):,} objects that were kept for testing",
        "asked": f"{format_utc(int(windows.asked_us.min()), 0)} to {format_utc(int(windows.asked_us.max()), 0)} UTC",
        "truth": "the later element set nearest in time, within 0.3 days",
        "weights": "every ISO week of asking counts the same",
        "intervals": f"95 %, {DRAWS} draws of objects",
    }
