"""Element sets that fall off their object's own trend: fits gone wrong, sets of another object under its number."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_S, DAY_US, TWO_PI, WGS72_MU_KM3_S2, WGS72_RADIUS_KM

J2_WGS72 = 0.001082616

FLOOR = {
    "mean motion": 2e-4,  # relative; 0.9 km in the semi-major axis of a low orbit
    "eccentricity": 1e-3,
    "inclination": 0.05,  # deg
    "node": 0.2,  # deg, times sin(inclination)
    "mean longitude": 2.0,  # deg
}
"""Steps smaller than these are never called outliers."""
SCALE = 10.0
"""An outlier's steps are this many times the median step of the sets around it."""
AGREEMENT = 0.25
"""The neighbours of an outlier agree to within this fraction of its own disagreement with them."""
LONGEST_GAP_DAY = 10.0
AROUND = 10
"""Sets on each side that give the median step."""


def off_trend(table: GpTable) -> dict[str, Int[np.ndarray, " k"]]:
    """Rows that disagree with the sets before and after them while those two agree: by element, their row numbers.

    The table is ordered by object and epoch. Each set is predicted from the one before it (secular J2 rates of node and
    perigee, mean motion and its derivative); a set whose two steps are large and cancel is isolated. A maneuver makes
    one step that stays, drag makes steps of one sign: neither is isolated. The first and last set of an object, and
    sets next to gaps over `LONGEST_GAP_DAY`, are not judged.
    """
    if len(table) < 3:
        return {}
    same = table.norad_id[1:] == table.norad_id[:-1]
    gap_day = (table.epoch_us[1:] - table.epoch_us[:-1]) / DAY_US
    usable = same & (gap_day < LONGEST_GAP_DAY)
    inner = np.flatnonzero(usable[1:] & usable[:-1])  # row inner + 1 has a neighbour on both sides
    found: dict[str, Int[np.ndarray, " k"]] = {}
    for name, step in _steps(table, gap_day).items():
        before, after = step[inner], step[inner + 1]
        least = np.minimum(np.abs(before), np.abs(after))
        # Wrapped, as half a turn away is +180 deg of one step and may be +180 of the other; relative steps are small.
        isolated = (least > FLOOR[name]) & (np.abs(_wrapped(before + after)) < AGREEMENT * least)
        candidates = inner[isolated]
        if len(candidates):
            quiet = least[isolated] > SCALE * _median_step(step, usable, candidates)
            if quiet.any():
                found[name] = candidates[quiet] + 1
    return found


def perigee_radius_km(table: GpTable) -> Float[np.ndarray, " n"]:
    """Mean perigee radius, km, from the Kozai mean motion (good to a few km)."""
    return _semi_major_axis_km(table) * (1.0 - table.eccentricity)


def _semi_major_axis_km(table: GpTable) -> Float[np.ndarray, " n"]:
    slowest = 1e-6  # rev/day: slower ones are as far as these, which keeps the squares finite
    rate = np.maximum(table.mean_motion_rev_day, slowest) * (TWO_PI / DAY_S)
    return np.asarray(np.cbrt(WGS72_MU_KM3_S2 / rate**2))


def _steps(table: GpTable, gap_day: Float[np.ndarray, " m"]) -> dict[str, Float[np.ndarray, " m"]]:
    """Each set (from the second on) minus its prediction from the one before."""
    n = table.mean_motion_rev_day
    incl = np.radians(table.inclination_deg)
    semi_latus_km = _semi_major_axis_km(table) * (1.0 - table.eccentricity**2)
    j2 = 1.5 * J2_WGS72 * (WGS72_RADIUS_KM / semi_latus_km) ** 2 * n * 360.0  # deg/day
    node_rate = -j2 * np.cos(incl)
    perigee_rate = j2 * (2.0 - 2.5 * np.sin(incl) ** 2)
    mean_rate = 360.0 * (n[1:] + n[:-1]) / 2.0
    node = _wrapped(np.diff(table.raan_deg) - node_rate[:-1] * gap_day)
    along = _wrapped(
        np.diff(table.arg_perigee_deg) + np.diff(table.mean_anomaly_deg) - (mean_rate + perigee_rate[:-1]) * gap_day
    )
    middle = (incl[1:] + incl[:-1]) / 2.0
    return {
        "mean motion": np.diff(n) / np.maximum(n[:-1], 1e-6),
        "eccentricity": np.diff(table.eccentricity),
        "inclination": np.diff(table.inclination_deg),
        "node": node * np.sin(middle),
        "mean longitude": _wrapped(along + node * np.cos(middle)),
    }


def _wrapped(degrees: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    return np.asarray(np.mod(degrees + 180.0, 360.0) - 180.0)


def _median_step(
    step: Float[np.ndarray, " m"], usable: Bool[np.ndarray, " m"], at: Int[np.ndarray, " k"]
) -> Float[np.ndarray, " k"]:
    """Median size of the usable steps around each pair (at, at + 1), without the pair itself; 0 when there are none.

    A window may reach into the next object: steps across objects are not usable, its own steps are of like size.
    """
    offsets = np.concatenate([np.arange(-AROUND, 0), np.arange(2, AROUND + 2)])
    index = at[:, None] + offsets[None, :]
    inside = (index >= 0) & (index < len(step))
    index = np.clip(index, 0, len(step) - 1)
    sizes = np.where(inside & usable[index], np.abs(step[index]), np.nan)
    counts = np.sum(np.isfinite(sizes), axis=1)
    ordered = np.sort(sizes, axis=1)  # not-a-number sorts last
    return np.where(counts > 0, ordered[np.arange(len(at)), np.maximum(counts - 1, 0) // 2], 0.0)
