"""An object's past as one row of numbers a horizon: what boosted trees are asked with.

Trees need no scaling, so everything keeps its unit. Where the network sees single sets, they see the past at fixed
ages: weighted means of what the sets near that age say.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32

from orbwatch.constants import DAY_S
from orbwatch.frames import gmst_1982_rad
from orbwatch.learn.samples.catalog_features import element_changes, latitude_phase
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES, catalog_regime, perigee_altitude_km
from orbwatch.learn.samples.catalog_scale import drag_shift_s, quiet_scale_s, time_scale_s
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.propagate.trend import SPANS, trends
from orbwatch.time import us_to_jd

AGES = (0.33, 0.67, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 14.0)
COARSE = (0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 14.0)
SPARSE = (1.0, 3.0, 7.0, 14.0)
FAR = (17.0, 21.0, 24.5, 28.0, 31.5, 35.0, 40.0, 44.0)
SLOT_DAY = (7.0, 14.5, 30.0, 45.0)
SIDEREAL_REV_DAY = 1.00273790935
"""Mean motion of an orbit that keeps its place above the Earth."""


def names_at(what: str, ages: tuple[float, ...]) -> tuple[str, ...]:
    """Names of columns of something at ages, days."""
    return tuple(f"{what}_{age:g}d" for age in ages)


WINDOW_COLUMNS = (
    *names_at("shift_s", AGES + FAR), *names_at("out_km", COARSE), *names_at("normal_km", COARSE),
    *names_at("d_mean_motion_rev_day", COARSE + FAR), *names_at("d_ecc_cos_km", SPARSE),
    *names_at("d_ecc_sin_km", SPARSE), *names_at("d_inclination_km", SPARSE), *names_at("d_node_km", SPARSE),
    *names_at("d_bstar", SPARSE), *names_at("decay_rev_day2", SPARSE),
    *(f"spread_{s.day:g}d_{s.degree}_s" for s in SPANS),
    "bstar", "decay_now_rev_day2", "mean_motion_rev_day", "eccentricity_log", "inclination_deg", "cos_arg_perigee",
    "sin_arg_perigee", "perigee_km", "count", "count_3d", "youngest_gap_day", "oldest_day",
    *names_at("slot_deg", AGES + FAR), *names_at("slot_mean_deg", SLOT_DAY), *names_at("slot_span_deg", SLOT_DAY),
    *names_at("drift_mean_rev_day", SLOT_DAY), *names_at("drift_spread_rev_day", SLOT_DAY), "drift_rev_day",
    "cos_longitude", "sin_longitude", "cos_2_longitude", "sin_2_longitude",
)  # fmt: skip
"""What is the same for all horizons."""
HORIZON_COLUMNS = (
    "ahead_day", "lag_day", *(f"trend_{s.day:g}d_{s.degree}_s" for s in SPANS), "cos_latitude", "sin_latitude",
    "drag_s", "expected_s",
)  # fmt: skip
"""What differs between them."""
COLUMNS = WINDOW_COLUMNS + HORIZON_COLUMNS


def timing_table(windows: CatalogWindows) -> tuple[Float32[np.ndarray, "n w"], Float32[np.ndarray, "n h c"]]:
    """Columns `WINDOW_COLUMNS` and `HORIZON_COLUMNS` of each window; NaN where nothing is known."""
    age, newest = np.where(np.isfinite(windows.shift[..., 0]), windows.age_day, np.nan), windows.newest
    # The newest set itself tells nothing of the past.
    age[:, -1] = np.nan
    late, out, normal = np.moveaxis(windows.shift, 2, 0)
    d_motion, d_cos, d_sin, d_incl, d_node, d_bstar = element_changes(windows)
    near = Weights(age)
    found = trends(np.where(np.isfinite(late), windows.age_day, np.nan), late)
    arg_rad = np.radians(newest.arg_perigee_deg)
    there = np.isfinite(age)
    none = np.full(len(age), np.nan)
    youngest = np.where(there, age, np.inf).min(axis=1, initial=np.inf)
    own = (
        newest.bstar_per_er, newest.mean_motion_dot_rev_day2, newest.mean_motion_rev_day,
        np.log(newest.eccentricity + 1e-5), newest.inclination_deg, np.cos(arg_rad), np.sin(arg_rad),
        perigee_altitude_km(newest), there.sum(axis=1), (age < 3.0).sum(axis=1),
        np.where(np.isfinite(youngest), youngest, none), np.where(there, age, 0.0).max(axis=1, initial=0.0),
    )  # fmt: skip
    per_window = [
        near(late, AGES + FAR), near(out, COARSE), near(normal, COARSE), near(d_motion, COARSE + FAR),
        *(near(each, SPARSE) for each in (d_cos, d_sin, d_incl, d_node, d_bstar)),
        near(windows.elements[..., 4], SPARSE), found.scale, np.stack(own, axis=1), _slot(windows, age, near),
    ]  # fmt: skip
    ahead = windows.ahead_day
    per_horizon = (
        ahead, np.broadcast_to(windows.lag_day[:, None], ahead.shape), *np.moveaxis(found.at(ahead), 2, 0),
        *np.moveaxis(latitude_phase(windows), 2, 0), drag_shift_s(windows, ahead), time_scale_s(windows.near(), ahead),
    )  # fmt: skip
    return np.concatenate(per_window, axis=1, dtype=np.float32), np.stack(per_horizon, axis=2).astype(np.float32)


def rows_of(
    windows: Float32[np.ndarray, "n w"], horizons: Float32[np.ndarray, "n h c"]
) -> Float32[np.ndarray, "n*h columns"]:
    """One row for each window and horizon, horizons of a window together; columns as `COLUMNS`."""
    n, h, _ = horizons.shape
    wide = np.broadcast_to(windows[:, None], (n, h, windows.shape[1]))
    return np.concatenate([wide, horizons], axis=2).reshape(n * h, -1)


def timing_unit_s(windows: CatalogWindows) -> Float[np.ndarray, "n h"]:
    """Targets of the trees are asinh of the time shift over this: what noise and drag alone make likely, s."""
    return quiet_scale_s(windows, windows.ahead_day)


class Weights:
    """Means of values near ages, weighted by a bell around each age; NaN where no set is near."""

    def __init__(self, age_day: Float[np.ndarray, "n k"]) -> None:
        self.age_day = age_day
        self._kept: dict[float, Float[np.ndarray, "n k"]] = {}

    def __call__(self, value: Float[np.ndarray, "n k"], ages: tuple[float, ...]) -> Float[np.ndarray, "n a"]:
        there = np.isfinite(value)
        filled = np.where(there, value, 0.0)
        columns = []
        for at in ages:
            weight = self._weight(at) * there
            total = weight.sum(axis=1)
            mean = (weight * filled).sum(axis=1) / np.where(total > 1e-3, total, 1.0)
            columns.append(np.where(total > 1e-3, mean, np.nan))
        return np.stack(columns, axis=1)

    def _weight(self, at: float) -> Float[np.ndarray, "n k"]:
        if at not in self._kept:
            width = (0.12 if at < 2.0 else 0.25) + 0.05 * at
            off = (np.where(np.isfinite(self.age_day), self.age_day, np.inf) - at) / width
            self._kept[at] = np.where(np.abs(off) < 2.0, np.exp(-0.5 * off**2), 0.0)
        return self._kept[at]


def _slot(windows: CatalogWindows, age: Float[np.ndarray, "n k"], near: Weights) -> Float[np.ndarray, "n s"]:
    """Where a geostationary object has been along the equator, from where it is now, and how it drifted; else NaN."""
    newest = windows.newest
    geo = catalog_regime(newest) == CATALOG_REGIMES.index("GEO")
    drift = newest.mean_motion_rev_day - SIDEREAL_REV_DAY
    late = windows.shift[..., 0]
    place_deg = np.where(
        np.isfinite(age), late * (360.0 * SIDEREAL_REV_DAY / DAY_S) - 360.0 * drift[:, None] * age, np.nan
    )
    motion = np.where(np.isfinite(age), windows.elements[..., 0] - SIDEREAL_REV_DAY, np.nan)
    mean, span, drift_mean, drift_spread = [], [], [], []
    for day in SLOT_DAY:
        within = age < day
        count = np.maximum(within.sum(axis=1), 1)
        some = np.where(within.any(axis=1), 1.0, np.nan)
        held = np.where(within, place_deg, 0.0)
        mean.append(held.sum(axis=1) / count * some)
        span.append((held.max(axis=1, initial=0.0) - held.min(axis=1, initial=0.0)) * some)
        moved = np.where(within, motion, 0.0)
        average = moved.sum(axis=1) / count
        drift_mean.append(average * some)
        drift_spread.append(np.sqrt(np.where(within, (motion - average[:, None]) ** 2, 0.0).sum(axis=1) / count) * some)
    longitude = np.radians(newest.raan_deg + newest.arg_perigee_deg + newest.mean_anomaly_deg) - gmst_1982_rad(
        *us_to_jd(newest.epoch_us)
    )
    columns = (
        near(place_deg, AGES + FAR), *(np.stack(each, axis=1) for each in (mean, span, drift_mean, drift_spread)),
        np.stack([drift, *(f(k * longitude) for k in (1, 2) for f in (np.cos, np.sin))], axis=1),
    )  # fmt: skip
    return np.where(geo[:, None], np.concatenate(columns, axis=1), np.nan)
