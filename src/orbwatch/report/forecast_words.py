"""Forecasts of the catalogue as people read them: sizes with their unit, ages, one line an object and horizon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from orbwatch.constants import DAY_US
from orbwatch.models.catalog_forecast import CatalogForecasts
from orbwatch.time import format_utc, format_utc_many

ANYWHERE = "anywhere on its orbit"
AXES = ("radial", "along-track", "cross-track")
"""R, T, N in words."""


def distance_text(km: float) -> str:
    """A distance to two or three digits, in the unit that suits it: 9 m, 80 m, 1.2 km, 130 km, 12,000 km."""
    if not np.isfinite(km):
        return "unknown"
    if km < 0.995:
        return f"{_round(km * 1000.0):g} m"
    return f"{km:.1f} km" if km < 9.95 else f"{_round(km):,.0f} km"


def _round(value: float) -> float:
    """To two digits, and at least to whole ones."""
    digits = 1 - int(np.floor(np.log10(max(value, 1.0))))
    return max(1.0, float(round(value, min(digits, 0))))


def share_text(share: float) -> str:
    """A share (0..1) in percent."""
    return f"{100.0 * share:.0f} %"


def age_text(day: float) -> str:
    """How long: 40 min, 7 h, 1.5 d, 12 d."""
    if day < 1.0 / 24.0:
        return f"{day * 1440.0:.0f} min"
    return f"{day * 24.0:.0f} h" if day < 1.0 else f"{day:.1f} d" if day < 9.95 else f"{day:,.0f} d"


def forecast_words(made: CatalogForecasts, names: Mapping[int, str]) -> dict[str, Any]:
    """One row an object and horizon, in words; the distances hold together in 90 of 100 cases."""
    n, h = made.radius.shape[:2]
    at_us = made.asked_us + np.rint(made.horizon_day * DAY_US).astype(np.int64)
    half_km = half_axes_km(made, 1)
    age_day = (made.asked_us - made.newest_us) / DAY_US
    ages = ["" if us == 0 else age_text(day) for us, day in zip(made.newest_us.tolist(), age_day.tolist(), strict=True)]
    there = np.isfinite(made.rv_teme_km).all(axis=-1).ravel()
    columns: dict[str, Any] = {"norad_id": np.repeat(made.norad_id, h)}
    if any(names.get(int(one)) for one in made.norad_id):
        columns["name"] = np.repeat([names.get(int(one), "") for one in made.norad_id], h)
    columns |= {
        "t_utc": [text[:16].replace("T", " ") for text in format_utc_many(at_us)] * n,
        "ahead": [age_text(day) for day in made.horizon_day.tolist()] * n,
        "set's age": np.repeat(ages, h),
    }
    for axis in (1, 0, 2):
        sizes = half_km[..., axis].ravel().tolist()
        columns[AXES[axis]] = [
            f"± {distance_text(km)}" if ok else "-" for km, ok in zip(sizes, there.tolist(), strict=True)
        ]
    around = there & (half_km[..., 1] > half_turn_km(made)).ravel()
    columns[AXES[1]] = np.where(around, ANYWHERE, np.array(columns[AXES[1]], np.str_))
    method = np.repeat([made.model if known else "" for known in made.newest_us > 0], h)
    return columns | {"method": method, "regime": np.repeat(made.regime, h), "status": np.repeat(made.status, h)}


def title(made: CatalogForecasts) -> str:
    """What the numbers of `forecast_words` are."""
    asked = format_utc(made.asked_us, 0).replace("T", " ")
    return f"Asked {asked} UTC: errors that are not exceeded in 90 of 100 cases (together, the 90 % ellipsoid's reach)"


def sentence(made: CatalogForecasts, i: int, name: str) -> str:
    """The i-th object's forecast in one sentence."""
    who = f"{made.norad_id[i]} {name}".strip()
    good = np.flatnonzero(np.isfinite(made.rv_teme_km[i]).all(axis=1))
    if not len(good):
        return f"{who}: no forecast: {made.status[i]}"
    half_km = half_axes_km(made, 1)[i]
    turn_km = half_turn_km(made)[i]
    parts = []
    for at in dict.fromkeys(good[[0, -1]].tolist()):
        within = f"within {distance_text(float(half_km[at, 1]))} along-track"
        parts.append(
            f"after {age_text(float(made.horizon_day[at]))} {ANYWHERE if half_km[at, 1] > turn_km[at] else within}"
        )
    age = age_text((made.asked_us - int(made.newest_us[i])) / DAY_US)
    return f"{who}: {', '.join(parts)}, 90 %; newest set {age} old; {made.status[i]}"


def half_turn_km(made: CatalogForecasts) -> np.ndarray:
    """Half a circle at the height of each state: (n, h); errors beyond it say nothing any more."""
    return np.asarray(np.pi * np.linalg.norm(made.rv_teme_km[..., :3], axis=-1))


def half_axes_km(made: CatalogForecasts, level: int) -> np.ndarray:
    """How far the ellipsoid of a level (index into `LEVELS`) reaches along R, T, N: (n, h, 3); infinite: unknown."""
    sigma = np.sqrt(np.einsum("nhii->nhi", made.cov_rtn_km2))
    radius = made.radius[..., level, None]
    return np.asarray(np.where(np.isfinite(radius), np.where(np.isfinite(radius), radius, 0.0) * sigma, np.inf))


def past_words(found: Mapping[str, np.ndarray], names: Mapping[int, str]) -> dict[str, Any]:
    """`models.catalog_past.summary` in words."""
    columns: dict[str, Any] = {"norad_id": found["norad_id"]}
    if any(names.get(int(one)) for one in found["norad_id"]):
        columns["name"] = [names.get(int(one), "") for one in found["norad_id"]]
    columns["ahead"] = [age_text(day) for day in found["day"].tolist()]
    columns["cases"] = found["truths"]
    heads = {
        "median miss": "median_km",
        "SGP4's": "sgp4_median_km",
        "9 of 10 below": "p90_km",
        "SGP4's ": "sgp4_p90_km",
    }
    for head, name in heads.items():
        columns[head] = [distance_text(km) if np.isfinite(km) else "-" for km in found[name].tolist()]
    for level in (50, 90, 99):
        columns[f"in {level} %"] = [
            share_text(share) if np.isfinite(share) else "-" for share in found[f"inside_{level}"].tolist()
        ]
    return columns


def held_sentence(held: np.ndarray, truths: int, askings: int) -> str:
    """How often the past regions held, in words."""
    if not askings:
        return "No past forecasts: there was no element set young enough to ask from"
    if not truths:
        return f"Of {askings} past forecasts none can be judged: no later set tells where the object was"
    fifty, ninety, most = (share_text(float(share)) for share in held)
    return (
        f"{askings} past forecasts, each from what was public then, met {truths:,} times with a later set: the 50 % "
        f"region held in {fifty}, the 90 % region in {ninety}, the 99 % region in {most} of the cases"
    )
