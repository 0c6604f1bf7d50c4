"""For which share of the catalogue a forecast promises a kilometre along the track, and SGP4 could."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.learn.judging.catalog_board_groups import BOARD_GROUPS, members
from orbwatch.learn.judging.catalog_packing import true_km
from orbwatch.learn.judging.metrics import ALL, Columns, columns
from orbwatch.learn.samples.catalog_basis import ALONG
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.models.catalog_groups import OLD_DAY

LIMIT_KM = 1.0
WIDTH_DAYS = (1.0, 3.0, 7.0)
LEAST = 50
"""Groups with fewer truths are promised nothing."""
WIDTHS = ("group", "day", "objects", "share", "held", "sgp4_share")
"""objects: those with a set younger than three days; share: of them whose 90 % region reaches less than a kilometre
along the track, each the mean over its askings; held: share of those promises that the truth kept within the
kilometre's half-width; sgp4_share: likewise by SGP4, with the 90 % of its own errors along the track in each
calibration group for a width."""


class Said(NamedTuple):
    """What was promised."""

    cov_rtn_km2: Float[np.ndarray, "n h 3 3"]
    radius: Float[np.ndarray, "n h"]
    """Of the 90 % ellipsoid."""
    group: Int[np.ndarray, " n"]
    """What the regions are calibrated by."""


def kilometre_shares(windows: CatalogWindows, said: Said, names: Mapping[int, str]) -> Columns:
    """One row for each group and day of `WIDTH_DAYS`, and for all objects; see `WIDTHS`."""
    horizon_day = np.asarray(windows.horizon_day[0])
    late_km = np.abs(true_km(windows)[..., ALONG])
    young = windows.lag_day <= OLD_DAY
    parts = {ALL: young} | {g.name: young & members(g, windows.newest, names) for g in BOARD_GROUPS}
    rows: list[list[Any]] = []
    for day in WIDTH_DAYS:
        at = int(np.abs(horizon_day - day).argmin())
        width = said.radius[:, at] * np.sqrt(said.cov_rtn_km2[:, at, 1, 1])
        narrow = width < LIMIT_KM
        plain = _sgp4_widths(late_km[:, at], said.group, young) < LIMIT_KM
        for name, mine in parts.items():
            if mine.any():
                ids = windows.newest.norad_id[mine]
                kept = mine & narrow & np.isfinite(late_km[:, at])
                held = float((late_km[kept, at] <= width[kept]).mean()) if kept.any() else float("nan")
                shares = (_by_object(narrow[mine], ids), held, _by_object(plain[mine], ids))
                rows.append([name, day, len(np.unique(ids)), *shares])
    return columns(WIDTHS, rows)


def _sgp4_widths(
    late_km: Float[np.ndarray, " n"], group: Int[np.ndarray, " n"], young: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    out = np.full(len(group), np.inf)
    for code in np.unique(group).tolist():
        known = (group == code) & young & np.isfinite(late_km)
        if known.sum() >= LEAST:
            out[group == code] = np.quantile(late_km[known], 0.9)
    return out


def _by_object(yes: Bool[np.ndarray, " n"], norad_id: Int[np.ndarray, " n"]) -> float:
    """Mean over the objects of each one's share."""
    _, place, count = np.unique(norad_id, return_inverse=True, return_counts=True)
    return float((np.bincount(place, yes.astype(np.float64)) / count).mean())
