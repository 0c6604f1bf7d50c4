"""Evidence of maneuvers in the gaps between consecutive element sets of an object, without resampling to a grid.

A public set is fitted over a span of days, so a burn shows in the sets after it only bit by bit: as a step of the mean
elements, as a change of their slope, as forecasts from the sets before the burn that miss the later ones more and more,
and as two trajectories, from sets before and after, that cross where the burn was. Each is measured over several spans
of days, and divided by the object's own usual size of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.learn.samples.gap_kernel import (
    LEAST_SIDE,
    find_levels,
    find_neighbours,
    find_pairs,
    find_scales,
    find_steps,
    without_drag_term,
)
from orbwatch.learn.samples.gap_series import ALONG, BSTAR, ECC_X, ECC_Y, PLANE_X, PLANE_Y, RATE, GapSeries, gap_series
from orbwatch.propagate.curvilinear import shift_of
from orbwatch.propagate.sgp4 import Sgp4Catalog

LOOKAHEAD = 4
"""Causal evidence of a gap may use this many sets after the one that ends it: the alert is that much later."""

_ALL = 1 << 40
_WIDTH = 50  # gaps on each side that tell an object's usual size
_SPANS_DAY = (2.0, 4.0, 8.0)
_CROSSINGS_DAY = ((0.0, 2.0), (0.0, 4.0), (0.0, 7.0), (2.0, 4.0))
_REACH = 3  # days, and at least gaps, of the neighbours that are told beside a gap

_SIZED = (
    *(f"miss_{axis}" for axis in ("t", "r", "n")), "miss_t_1d", "miss_t_3d",
    "along_0d", *(f"along_{d:.0f}d" for d in _SPANS_DAY), *(f"along_less_drag_{d:.0f}d" for d in _SPANS_DAY),
    "ecc_2d", "ecc_4d", "plane_2d", "plane_4d", "bstar_2d", "rate_2d",
    "along_bend_4d", "along_bend_8d", "ecc_bend_8d", "plane_bend_4d", "plane_bend_8d",
    *(f"miss_level_{d:.0f}d" for d in _SPANS_DAY),
    *(f"cross_{what}_{b:.0f}_{a:.0f}" for b, a in _CROSSINGS_DAY for what in ("at", "speed", "n")),
)  # fmt: skip
"""Evidence that is divided by its usual size: km for misses, m/s for steps, m and m/s for crossings."""

_LOGGED = ("miss_t", "miss_r", "miss_n", "along_2d", "along_4d", "along_8d", "ecc_2d", "plane_2d", "along_bend_8d",
           "cross_speed_0_4", "cross_speed_0_7")  # fmt: skip
_NOISES = ("miss_t", "along_2d", "ecc_2d", "plane_2d")
_BESIDE = ("miss_t", "along_2d", "along_less_drag_4d", "cross_speed_0_4", "ecc_2d", "plane_2d", "miss_level_4d")
_PEAKS = ("along_less_drag_2d", "along_less_drag_4d", "along_less_drag_8d", "cross_speed_0_4", "cross_speed_0_7")

COLUMNS = (
    *_SIZED,
    *(f"log_{name}" for name in _LOGGED),
    *(f"noise_{name}" for name in _NOISES),
    "along_4d_over_scatter", "along_8d_over_scatter",
    *(f"cross_when_{b:.0f}_{a:.0f}" for b, a in _CROSSINGS_DAY),
    *(f"cross_off_{b:.0f}_{a:.0f}" for b, a in _CROSSINGS_DAY),
    "gap_day", "gap_before_day", "gap_after_day",
    *(f"{name}_{k:+d}" for name in (*_BESIDE, "gap_day") for k in (*range(-_REACH, 0), *range(1, _REACH + 1))),
    *(f"peak_{name}" for name in _PEAKS),
)  # fmt: skip
"""Features of a gap: evidence over its usual size as asinh; absolute sizes and usual sizes as natural logarithms; times
from the middle of the gap to where the trajectories cross (`cross_when`, days) and that over half the gap
(`cross_off`); lengths of gaps, days; the same of gaps 1, 2 and 3 days before and after; how much larger than there
(`peak`)."""

NETWORK_COLUMNS = (
    "miss_t", "miss_r", "miss_n", "miss_t_1d", "miss_t_3d", "along_0d", "along_2d", "along_8d", "along_less_drag_4d",
    "ecc_2d", "ecc_4d", "plane_2d", "plane_4d", "bstar_2d", "along_bend_8d", "plane_bend_8d", "miss_level_4d",
    "cross_speed_0_4", "cross_when_0_4", "cross_n_0_4", "log_along_4d", "log_ecc_2d", "log_plane_2d", "gap_day",
)  # fmt: skip
"""What the network is told of each of its gaps; it sees the neighbours itself."""


@dataclass(frozen=True, eq=False)
class GapTable:
    """Gaps between consecutive sets of one object, in the order of the history."""

    row: Int[np.ndarray, " g"]
    """Row of the set before; the set after is the next row."""
    features: Float32[np.ndarray, "g columns"]
    """`COLUMNS`; 0 where there is no such evidence."""


def gap_table(table: GpTable, lookahead: int | None = None) -> GapTable:
    """The gaps of a history, ordered by (norad_id, epoch_us).

    With `lookahead`, only what was known that many sets after the one that ends the gap: evidence from at most so many
    later sets, usual sizes from earlier gaps alone. Without, from all sets.
    """
    series = gap_series(table)
    rows = series.rows
    if not len(rows):
        return GapTable(rows, np.zeros((0, len(COLUMNS)), np.float32))
    ahead = _ALL if lookahead is None else lookahead
    owner = series.first[rows]
    start = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
    stop = np.append(start[1:], len(rows))
    raw, extra = _evidence(table, series, rows, start, stop, ahead)
    usual = np.empty_like(raw)
    find_scales(start, stop, raw, _WIDTH, lookahead is not None, usual)
    with np.errstate(divide="ignore", invalid="ignore"):
        sized = np.nan_to_num(np.arcsinh(raw / (usual + 1e-12)), nan=0.0)
    at = {name: i for i, name in enumerate(_SIZED)}
    gap_day = np.diff(series.t_day)[rows]
    middle = series.t_day[rows] + 0.5 * gap_day
    place = np.empty((len(rows), 2 * _REACH), np.int64)
    find_neighbours(start, stop, middle, _REACH, ahead, place)
    there = place >= 0
    shown = np.where(there[..., None], np.column_stack([sized[:, [at[n] for n in _BESIDE]], gap_day])[place], 0.0)
    if lookahead is not None:  # at the time only the misses of the sets so far were as they are now
        shown[:, _REACH:, 1 : len(_BESIDE)] = 0.0
    peaks = [at[name] for name in _PEAKS]
    size = np.abs(sized[:, peaks])
    behind = slice(0, _REACH) if lookahead is not None else slice(0, 2 * _REACH)
    highest = np.where(there[:, behind, None], size[place[:, behind]], 0.0).max(axis=1)
    before, after = place[:, _REACH - 1], place[:, _REACH]
    features = np.column_stack(
        [
            sized,
            *(np.log(np.abs(np.nan_to_num(raw[:, at[name]])) + 1e-5) for name in _LOGGED),
            *(np.log(np.nan_to_num(usual[:, at[name]], nan=1.0) + 1e-6) for name in _NOISES),
            extra,
            gap_day,
            np.where(before >= 0, gap_day[before], 0.0),
            np.where(after >= 0, gap_day[after], 0.0),
            *(shown[:, :, i] for i in range(len(_BESIDE) + 1)),
            size - highest,
        ]
    )
    return GapTable(rows, features.astype(np.float32))


def _evidence(
    table: GpTable,
    series: GapSeries,
    rows: Int[np.ndarray, " g"],
    start: Int[np.ndarray, " k"],
    stop: Int[np.ndarray, " k"],
    ahead: int,
) -> tuple[Float[np.ndarray, "g sized"], Float[np.ndarray, "g extra"]]:
    """`_SIZED`, and the columns that need no usual size."""
    many = len(rows)
    trailing = ahead != _ALL
    sets = (series.t_day, series.first, series.last, ahead)
    speed = series.speed_m_s[rows]
    catalog = Sgp4Catalog(table)
    known = _states(catalog, np.arange(len(table)), table.epoch_us)[:, :3]
    raw: dict[str, np.ndarray] = {}
    miss = _shift(catalog, rows, table.epoch_us[rows + 1], known[rows + 1])
    raw["miss_t"], raw["miss_r"], raw["miss_n"] = miss[:, 0] * speed / 1e3, miss[:, 1], miss[:, 2]
    pair = np.empty((many, 2), np.int64)
    for day in (1.0, 3.0):
        find_pairs(rows, *sets, day, day, pair)
        before, after = pair.T
        raw[f"miss_t_{day:.0f}d"] = _shift(catalog, before, table.epoch_us[after], known[after])[:, 0] * speed / 1e3
    y = series.value
    step, spread, kink = (np.empty((many, y.shape[1])) for _ in range(3))
    extra: dict[str, np.ndarray] = {}
    for day in (0.0, *_SPANS_DAY):
        find_steps(rows, *sets, day, 1 if day == 0.0 else LEAST_SIDE, y, step, spread, kink)
        name = f"{day:.0f}d"
        raw[f"along_{name}"] = step[:, ALONG].copy()
        if day == 0.0:
            continue
        both = step[:, [ALONG, BSTAR]]
        usual = np.empty_like(both)
        find_scales(start, stop, both, _WIDTH, trailing, usual)
        raw[f"along_less_drag_{name}"] = np.empty(many)
        without_drag_term(start, stop, both, usual, _WIDTH, trailing, raw[f"along_less_drag_{name}"])
        if day <= 4.0:
            raw[f"ecc_{name}"] = np.hypot(step[:, ECC_X], step[:, ECC_Y])
            raw[f"plane_{name}"] = np.hypot(step[:, PLANE_X], step[:, PLANE_Y])
        if day == 2.0:
            raw["bstar_2d"], raw["rate_2d"] = step[:, BSTAR].copy(), step[:, RATE].copy()
            continue
        raw[f"along_bend_{name}"] = kink[:, ALONG].copy()
        raw[f"plane_bend_{name}"] = np.hypot(kink[:, PLANE_X], kink[:, PLANE_Y])
        raw[f"ecc_bend_{name}"] = np.hypot(kink[:, ECC_X], kink[:, ECC_Y])
        extra[f"scatter_{name}"] = np.arcsinh(step[:, ALONG] / (spread[:, ALONG] + 1e-12))
    gap_day = np.diff(series.t_day)[rows]
    pace = np.zeros(len(table))
    pace[rows] = np.nan_to_num(raw["miss_t"]) / np.maximum(gap_day, 0.1)
    typical = np.empty((many, 1))
    find_scales(start, stop, pace[rows][:, None], _WIDTH, trailing, typical)
    pace[rows] = np.clip(pace[rows], -30.0 * typical[:, 0], 30.0 * typical[:, 0])
    for day in _SPANS_DAY:
        raw[f"miss_level_{day:.0f}d"] = np.empty(many)
        find_levels(rows, *sets, day, pace, raw[f"miss_level_{day:.0f}d"])
    middle_us = table.epoch_us[rows] + (table.epoch_us[rows + 1] - table.epoch_us[rows]) // 2
    when = []
    ours, now = rows, _states(catalog, rows, middle_us)
    for back, on in _CROSSINGS_DAY:
        find_pairs(rows, *sets, back, on, pair)
        before, after = pair.T
        if back > 0.0:
            ours, now = before, _states(catalog, before, middle_us)
        apart = shift_of(now, _states(catalog, after, middle_us)[:, :3])
        name = f"{back:.0f}_{on:.0f}"
        raw[f"cross_at_{name}"] = apart[:, 0] * speed
        raw[f"cross_speed_{name}"] = y[after, ALONG] - y[ours, ALONG]
        raw[f"cross_n_{name}"] = apart[:, 2] * 1e3
        drift = -3.0 * raw[f"cross_speed_{name}"]  # of the later trajectory ahead of the earlier one, m/s
        drift = np.where(np.abs(drift) < 1e-7, 1e-7, drift)
        when.append(np.clip(np.nan_to_num(-raw[f"cross_at_{name}"] / drift / 86400.0, nan=15.0), -15.0, 15.0))
    off = [np.minimum(np.abs(each) / (0.5 * gap_day + 0.02), 20.0) for each in when]
    return np.column_stack([raw[name] for name in _SIZED]), np.column_stack([*extra.values(), *when, *off])


def _states(catalog: Sgp4Catalog, row: Int[np.ndarray, " m"], at_us: Int[np.ndarray, " m"]) -> Float[np.ndarray, "m 6"]:
    start_us = int(at_us.min())
    r, v, _ = catalog.at(row, start_us, (at_us - start_us) / 1e6)
    return np.concatenate([r, v], axis=1)


def _shift(
    catalog: Sgp4Catalog, row: Int[np.ndarray, " m"], at_us: Int[np.ndarray, " m"], r_teme_km: Float[np.ndarray, "m 3"]
) -> Float[np.ndarray, "m 3"]:
    """Of points from where sets have the object at instants: `propagate.curvilinear.shift_of`."""
    return shift_of(_states(catalog, row, at_us), r_teme_km)
