"""What the network sees of an object's element sets: 24 numbers a set, 13 a horizon, and the trends it may follow.

The forecast corrects SGP4 from the newest set. Everything along the orbit is told in units of a scale that physics
expects the correction to have, so that a station-kept satellite and a frozen debris orbit look alike to the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from orbwatch.constants import DAY_S, TWO_PI, WGS72_MU_KM3_S2, WGS72_RADIUS_KM
from orbwatch.learn.samples.catalog_asks import PAST
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.propagate.trend import SPANS, trends

TOKENS = 20
RECENT_TOKENS = 8
"""The newest sets, all of which become tokens; the others are thinned out evenly."""
FOLLOWED = (0, 1, 2, 4, 5, 6)
"""Trends (indices into SPANS) that the network can add to the forecast with weights of its own."""
USUAL_GAP_DAY = 0.3
"""Stands for the gap before the oldest set."""
ALONG = 1
"""Place of the time along the orbit among the whitened components."""
NOISE_S = 0.004
"""Timing error of a good set, s, per day ahead and one more."""
NOISE_KM = 0.03
"""Error of a good set across its orbit, km."""
DRAG_SHARE = 0.1
"""Share of the whole effect of drag that a forecast may well be wrong by."""
MOST_TREND = 3.0
"""Trends enter as at most about this many scales: a wild polynomial is no better than a large one."""


class CatalogFeature(NamedTuple):
    """One input of the network."""

    name: str
    unit: str
    group: str
    note: str


FEATURES = (
    CatalogFeature("age", "log(1 + 3 day)", "timing", "from the set's epoch to the newest set's"),
    CatalogFeature("gap", "log day", "timing", "to the set before it among those shown"),
    CatalogFeature("shift_long", "asinh(3 / scale at 7 d)", "timing", "time shift against the newest set run back"),
    CatalogFeature("shift_short", "asinh(3 / scale at 1 d)", "timing", "the same on the scale of a day's forecast"),
    CatalogFeature("shift", "asinh(s / 0.02)", "timing", "the same in seconds"),
    CatalogFeature("step", "asinh(s / 0.02)", "timing", "change of the time shift to the next set"),
    CatalogFeature("out", "asinh(km / 0.05)", "across", "distance outwards in the plane"),
    CatalogFeature("normal", "asinh(km / 0.05)", "across", "distance along r x v"),
    CatalogFeature("d_mean_motion", "asinh(1e5 rev/day)", "elements", "against the newest set"),
    CatalogFeature("d_eccentricity", "asinh(1e5)", "elements", "against the newest set"),
    CatalogFeature("d_inclination", "asinh(1e3 deg)", "elements", "against the newest set"),
    CatalogFeature("d_bstar", "asinh of the ratio", "elements", "against the newest set, over its own size"),
    CatalogFeature("d_decay", "asinh of the ratio", "elements", "mean motion's rate, likewise"),
    CatalogFeature("bstar", "asinh(1e5 / Earth radius)", "drag", "of the newest set"),
    CatalogFeature("decay", "asinh(1e6 rev/day^2)", "drag", "mean motion's rate / 2, of the newest set"),
    CatalogFeature("perigee_altitude", "log km", "orbit", ""),
    CatalogFeature("eccentricity", "log(1e-5 + e)", "orbit", ""),
    CatalogFeature("cos_inclination", "1", "orbit", ""),
    CatalogFeature("cos_arg_perigee", "1", "orbit", "near-frozen orbits show here"),
    CatalogFeature("sin_arg_perigee", "1", "orbit", ""),
    CatalogFeature("spread_week", "log s", "uncertainty", "of time shifts about the 7-day quadratic"),
    CatalogFeature("spread_fortnight", "log s", "uncertainty", "about the 14.5-day quadratic"),
    CatalogFeature("count", "log", "uncertainty", "known sets of the last 14.5 days"),
    CatalogFeature("lag", "log(1 + day)", "uncertainty", "from the newest set's epoch to the asking"),
)
QUERY = (
    CatalogFeature("ahead_log", "log day", "horizon", "from the newest set's epoch to the forecast"),
    CatalogFeature("ahead", "day", "horizon", ""),
    CatalogFeature("scale", "log s", "horizon", "expected size of the time shift"),
    CatalogFeature("span", "log day", "horizon", "age of the oldest known set"),
    CatalogFeature("lag", "day", "horizon", "from the newest set's epoch to the asking"),
    CatalogFeature("drag", "asinh(1 / scale)", "horizon", "whole effect of drag on the time"),
    *(
        CatalogFeature(
            f"trend_{s.day:g}d_{s.degree}", "asinh(1 / scale)", "trend", f"degree {s.degree}, {s.day:g} days"
        )
        for s in SPANS
    ),
)


@dataclass(frozen=True, eq=False)
class CatalogInputs:
    """Inputs of n windows with h horizons. Whitened: (out km, time s, normal km) over `scale`, in that order (RTN)."""

    x: Float32[np.ndarray, "n 20 24"]
    valid: Bool[np.ndarray, "n 20"]
    query: Float32[np.ndarray, "n h 13"]
    trend: Float32[np.ndarray, "n h 6"]
    """The trends that can be followed, whitened."""
    scale: Float32[np.ndarray, "n h 3"]
    """km, s, km."""
    target: Float32[np.ndarray, "n h 3"] | None
    """Whitened truth; NaN where not known."""

    @property
    def usable(self) -> Bool[np.ndarray, " n"]:
        """All of them: an asking has a set that can be propagated."""
        return np.ones(len(self.x), np.bool_)


def catalog_inputs(windows: CatalogWindows) -> CatalogInputs:
    """Features of windows, unscaled."""
    age, shift = windows.age_day, windows.shift
    there = np.isfinite(shift[..., 0])
    ahead = windows.ahead_day
    newest = windows.newest
    followed = trends(np.where(there, age, np.nan), shift[..., 0])
    drag_s = drag_shift_s(windows)
    time_s = time_scale_s(windows, there, drag_s)
    trend = followed.at(ahead) / time_s[..., None]
    span = np.maximum(np.where(there, age, 0.0).max(axis=1), 0.5)
    spread = np.log(np.where(np.isfinite(followed.scale), followed.scale, 0.05) + 1e-3)
    count = np.isfinite(age).sum(axis=1)
    pick = _TOKENS[count]
    valid = np.take_along_axis(there, pick, axis=1) & (np.arange(TOKENS) >= TOKENS - count[:, None])
    token_age, late, out, normal, *elements = (
        np.take_along_axis(column, pick, axis=1)
        for column in (age, *np.moveaxis(shift, 2, 0), *np.moveaxis(windows.elements, 2, 0))
    )
    motion, ecc, incl, bstar, decay = elements
    before = np.concatenate([np.full((len(age), 1), np.nan), token_age[:, :-1]], axis=1)
    gap = np.where(np.isfinite(before), before - token_age, USUAL_GAP_DAY)
    after = np.concatenate([late[:, 1:], late[:, -1:]], axis=1)
    step = np.where(np.isfinite(after), after - late, 0.0)
    own_bstar, own_decay = newest.bstar_per_er, newest.mean_motion_dot_rev_day2
    perigee_km = _semi_major_km(newest.mean_motion_rev_day) * (1.0 - newest.eccentricity) - WGS72_RADIUS_KM
    arg_rad = np.radians(newest.arg_perigee_deg)
    week, fortnight = SPANS.index((7.0, 2, 6)), SPANS.index((14.5, 2, 6))
    per_set = (
        np.log1p(3.0 * token_age), np.log(gap + 0.05),
        np.arcsinh(3.0 * late / _near(time_s, windows, 7.0)), np.arcsinh(3.0 * late / _near(time_s, windows, 1.0)),
        np.arcsinh(late / 0.02), np.arcsinh(step / 0.02), np.arcsinh(out / 0.05), np.arcsinh(normal / 0.05),
        np.arcsinh(1e5 * (motion - newest.mean_motion_rev_day[:, None])),
        np.arcsinh(1e5 * (ecc - newest.eccentricity[:, None])),
        np.arcsinh(1e3 * (incl - newest.inclination_deg[:, None])),
        np.arcsinh((bstar - own_bstar[:, None]) / (np.abs(own_bstar) + 1e-5)[:, None]),
        np.arcsinh((decay - own_decay[:, None]) / (np.abs(own_decay) + 1e-7)[:, None]),
    )  # fmt: skip
    per_window = (
        np.arcsinh(1e5 * own_bstar), np.arcsinh(1e6 * own_decay), np.log(np.maximum(perigee_km, 100.0)),
        np.log(1e-5 + newest.eccentricity), np.cos(np.radians(newest.inclination_deg)), np.cos(arg_rad),
        np.sin(arg_rad), spread[:, week], spread[:, fortnight], np.log(1.0 + count), np.log1p(windows.lag_day),
    )  # fmt: skip
    x = np.stack([*per_set, *(np.broadcast_to(v[:, None], valid.shape) for v in per_window)], axis=2)
    per_horizon = (
        np.log(ahead), ahead, np.log(time_s), np.log(span)[:, None], windows.lag_day[:, None],
        np.arcsinh(drag_s / time_s),
    )  # fmt: skip
    query = [np.broadcast_to(v, ahead.shape)[..., None] for v in per_horizon] + [np.arcsinh(trend)]
    squares = (
        np.where(there[..., None], shift[..., 1:] ** 2, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)[:, None]
    )
    across = np.sqrt(squares + NOISE_KM**2)
    scale = np.stack([np.broadcast_to(across[:, [0]], ahead.shape), time_s,
                      np.broadcast_to(across[:, [1]], ahead.shape)], axis=2)  # fmt: skip
    truth = windows.truth_shift
    return CatalogInputs(
        x=np.where(valid[..., None], x, 0.0).astype(np.float32),
        valid=valid,
        query=np.concatenate(query, axis=2).astype(np.float32),
        trend=(MOST_TREND * np.tanh(trend[..., FOLLOWED] / MOST_TREND)).astype(np.float32),
        scale=scale.astype(np.float32),
        target=None if truth is None else (truth[..., [1, 0, 2]] / scale).astype(np.float32),
    )


def mix_of(trend: Float32[np.ndarray, "n h 6"]) -> Float32[np.ndarray, "n h 6 12"]:
    """What the six numbers of the network's state head do at each horizon: they are weights of the trends."""
    mix = np.zeros((*trend.shape[:2], 6, 12), np.float32)
    mix[:, :, ALONG, : len(FOLLOWED)] = trend
    return mix


def drag_shift_s(windows: CatalogWindows) -> Float[np.ndarray, "n h"]:
    """How far drag as the newest set has it moves the object along its orbit by each horizon, s (at least 0)."""
    rate = 2.0 * np.abs(windows.newest.mean_motion_dot_rev_day2) / windows.newest.mean_motion_rev_day
    return np.asarray(rate[:, None] * windows.ahead_day**2 / 2.0 * DAY_S)


def time_scale_s(
    windows: CatalogWindows, there: Bool[np.ndarray, "n k"], drag_s: Float[np.ndarray, "n h"]
) -> Float[np.ndarray, "n h"]:
    """Expected size of the time shift at each horizon, s.

    The most by which the newest set misses the older ones of like age, grown in proportion where the past is shorter
    than the horizon; at least a good set's noise and a share of the drag.
    """
    missed = np.where(there, np.abs(windows.shift[..., 0]), 0.0)
    age = np.where(np.isfinite(windows.age_day), windows.age_day, np.inf)
    ahead = windows.ahead_day
    # Columns run from the oldest set to the newest: the running maximum from the end is over all ages up to each.
    most = np.maximum.accumulate(missed[:, ::-1], axis=1)
    within = (age[:, ::-1, None] <= ahead[:, None, :] + 0.3).sum(axis=1)
    past = np.take_along_axis(most, np.maximum(within - 1, 0), axis=1)
    span = np.maximum(np.where(there, age, 0.0).max(axis=1), 0.5)
    expected = np.maximum(past, NOISE_S * (1.0 + ahead) + DRAG_SHARE * drag_s)
    return np.asarray(expected * np.maximum(1.0, ahead / span[:, None]))


def _near(time_s: Float[np.ndarray, "n h"], windows: CatalogWindows, day: float) -> Float[np.ndarray, "n 1"]:
    """The scale at the horizon nearest to some days."""
    return time_s[:, [int(np.abs(windows.horizon_day[0] - day).argmin())]]


def _semi_major_km(mean_motion_rev_day: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    return np.asarray(np.cbrt(WGS72_MU_KM3_S2 / (mean_motion_rev_day * TWO_PI / DAY_S) ** 2))


def _token_columns(columns: int) -> Int[np.ndarray, "c 20"]:
    """For each count of known sets, which columns (of those, the newest last) become tokens."""
    table = np.empty((columns + 1, TOKENS), np.int64)
    for count in range(columns + 1):
        if count <= TOKENS:
            table[count] = np.arange(columns - TOKENS, columns)
            continue
        older = count - RECENT_TOKENS
        thinned = np.linspace(0, older - 1, TOKENS - RECENT_TOKENS).round().astype(np.int64)
        table[count] = columns - count + np.concatenate([thinned, np.arange(older, count)])
    return table


_TOKENS = _token_columns(PAST)
