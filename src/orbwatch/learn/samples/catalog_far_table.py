"""What trees are asked with besides, in medium and geostationary orbits: orbits compared, and the object's own past.

Vectors of old sets are told as what they would make of the horizon's position: how far outwards, along and normal the
object would be if the newest set's eccentricity vector or plane were the older one's. That is the same at every
longitude and phase, so that trees need not learn to turn vectors.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32

from orbwatch.constants import DAY_S, TWO_PI, WGS72_MU_KM3_S2
from orbwatch.learn.samples.catalog_apart import ECC, FAR_OUT, NORMAL, PHASE, PLACE, RATE, half_turn
from orbwatch.learn.samples.catalog_own_kernel import OWN, hold_rows
from orbwatch.learn.samples.catalog_table import (
    AGES,
    COLUMNS,
    FAR,
    HORIZON_COLUMNS,
    WINDOW_COLUMNS,
    Weights,
    names_at,
    timing_table,
)
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.propagate.trend import SPANS, trends

SINCE = (0.33, 0.67, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 14.0, 28.0)
LINES = tuple(at for at, span in enumerate(SPANS) if span.degree == 1 or (span.day > 14.0 and span.degree == 2))
"""Trends of the vectors: longer polynomials of higher degree run away."""
_DRIFT_DEG_DAY, _PLACE_DEG = 0.01, 0.05
_OWN_NAMES = ("own_s", "own_drift_s", "own_mean_s", "own_spread_s", "own_left_s", "own_count", "own_sure_s")


def _of_lines(what: str) -> tuple[str, ...]:
    return tuple(f"{what}_{SPANS[at].day:g}d_{SPANS[at].degree}_km" for at in LINES)


FAR_WINDOW = (
    *names_at("phase_s", AGES + FAR), *names_at("rate_s_day", SINCE), *names_at("ecc_km", SINCE),
    *names_at("plane_km", SINCE),
)  # fmt: skip
FAR_HORIZON = (
    *names_at("ecc_out_km", SINCE), *names_at("ecc_along_km", SINCE), *names_at("plane_normal_km", SINCE),
    *(f"phase_{s.day:g}d_{s.degree}_km" for s in SPANS), *_of_lines("ecc_out"), *_of_lines("ecc_along"),
    *_of_lines("plane_normal"), *_OWN_NAMES,
)  # fmt: skip
FAR_COLUMNS = WINDOW_COLUMNS + FAR_WINDOW + HORIZON_COLUMNS + FAR_HORIZON


def columns_of(regime: int) -> tuple[str, ...]:
    """What a regime's trees are asked with (index into `CATALOG_REGIMES`)."""
    return FAR_COLUMNS if regime in FAR_OUT else COLUMNS


def regime_table(
    windows: CatalogWindows, regime: int
) -> tuple[Float32[np.ndarray, "n w"], Float32[np.ndarray, "n h c"]]:
    """Columns of windows of one regime: those that all horizons share, and those that differ; NaN: nothing known."""
    shared, own = timing_table(windows)
    if regime not in FAR_OUT:
        return shared, own
    more, besides = _far_table(windows)
    return np.concatenate([shared, more], axis=1), np.concatenate([own, besides], axis=2)


def beside_unit_km(windows: CatalogWindows) -> Float[np.ndarray, "n h"]:
    """Targets outwards and normal are asinh of the distance over this."""
    return np.asarray(0.1 * (1.0 + windows.ahead_day))


def _far_table(windows: CatalogWindows) -> tuple[Float32[np.ndarray, "n w"], Float32[np.ndarray, "n h c"]]:
    assert windows.apart is not None
    apart = windows.apart.astype(np.float64)
    there = np.isfinite(windows.shift[..., 0]) & np.isfinite(apart[..., PHASE])
    # The newest set itself tells nothing of the past.
    age = np.where(there, windows.age_day, np.nan)
    past = age.copy()
    past[:, -1] = np.nan
    near = Weights(past)
    rate_rad_s = windows.newest.mean_motion_rev_day * TWO_PI / DAY_S
    a_km = np.cbrt(WGS72_MU_KM3_S2 / rate_rad_s**2)
    distance = np.linalg.norm(windows.rv_teme_km[..., :3], axis=-1)
    outwards, along, _ = _axes(windows.rv_teme_km)
    ecc = np.stack([near(apart[..., at], SINCE) for at in range(ECC.start, ECC.stop)], axis=-1)
    plane = np.stack([near(apart[..., at], SINCE) for at in range(NORMAL.start, NORMAL.stop)], axis=-1)
    per_window = [
        near(apart[..., PHASE], AGES + FAR), near(apart[..., RATE], SINCE),
        np.linalg.norm(ecc, axis=-1) * a_km[:, None], np.linalg.norm(plane, axis=-1) * a_km[:, None],
    ]  # fmt: skip

    def seen(vector: np.ndarray, axis: np.ndarray, size: np.ndarray, kind: str) -> np.ndarray:
        return np.asarray(-size[..., None] * np.einsum(kind, vector, axis))

    every_a = np.broadcast_to(a_km[:, None], distance.shape)
    ahead = windows.ahead_day
    ecc_line, plane_line = (
        np.stack([trends(age, apart[..., at].copy()).at(ahead)[..., LINES] for at in range(s.start, s.stop)], axis=-1)
        for s in (ECC, NORMAL)
    )
    speed = np.linalg.norm(windows.rv_teme_km[..., 3:], axis=-1)
    held = _own(windows, apart, age) * speed[..., None]
    held[..., _OWN_NAMES.index("own_count")] /= speed
    per_horizon = [
        seen(ecc, outwards, every_a, "nad,nhd->nha"), seen(ecc, along, 2.0 * every_a, "nad,nhd->nha"),
        seen(plane, outwards, distance, "nad,nhd->nha"),
        trends(age, apart[..., PHASE].copy()).at(ahead) * speed[..., None],
        seen(ecc_line, outwards, every_a, "nhad,nhd->nha"), seen(ecc_line, along, 2.0 * every_a, "nhad,nhd->nha"),
        seen(plane_line, outwards, distance, "nhad,nhd->nha"), held,
    ]  # fmt: skip
    return (
        np.concatenate(per_window, axis=1, dtype=np.float32),
        np.concatenate(per_horizon, axis=2, dtype=np.float32),
    )


def _axes(rv_km: Float[np.ndarray, "n h 6"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors outwards, along and normal."""
    r, v = rv_km[..., :3], rv_km[..., 3:]
    normal = np.cross(r, v)
    outwards, normal = (each / np.linalg.norm(each, axis=-1)[..., None] for each in (r, normal))
    return outwards, np.cross(normal, outwards), normal


def _own(
    windows: CatalogWindows, apart: Float[np.ndarray, "n k 9"], age_day: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, "n h c"]:
    """What the object's older sets missed after as long a time, carried over to the newest one, s; `_OWN_NAMES`.

    Whoever burns every few days does so whatever the newest set says of the drift. Its older sets' forecasts, held to
    the sets that followed, are regressed on the drift and the place that each began with, and the regression is asked
    about the newest one. The last column believes it by its size against what it leaves.
    """
    newest = windows.newest
    drift = 360.0 * (windows.elements[..., 0] - newest.mean_motion_rev_day[:, None]) / _DRIFT_DEG_DAY
    place = np.degrees(half_turn(apart[..., PLACE] - apart[:, -1:, PLACE])) / _PLACE_DEG
    near = np.abs(newest.mean_motion_rev_day - 1.0) < 0.1
    place = np.where(near[:, None] & np.isfinite(place), place, 0.0)
    out = np.empty((*windows.horizon_day.shape, OWN))
    drift = np.where(np.isfinite(drift), drift, 0.0)
    phase, rate, ahead = (
        np.ascontiguousarray(each) for each in (apart[..., PHASE], apart[..., RATE], windows.ahead_day)
    )
    hold_rows(np.ascontiguousarray(age_day), phase, rate, np.ascontiguousarray(drift), place, ahead, out)
    said, left = out[..., 0], out[..., 4]
    sure = said * said**2 / (said**2 + left**2 + 1e-12)
    return np.concatenate([out, sure[..., None]], axis=2)
