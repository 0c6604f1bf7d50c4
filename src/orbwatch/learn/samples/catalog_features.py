"""What the network sees of an object's element sets: 24 numbers a set, 17 a horizon, and the trends it may follow.

The forecast corrects SGP4 from the newest set. Everything along the orbit is told in units of a scale that physics
expects the correction to have, so that a station-kept satellite and a frozen debris orbit look alike to the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from orbwatch.catalog.trend import J2_WGS72
from orbwatch.constants import DAY_S, TWO_PI, WGS72_MU_KM3_S2, WGS72_RADIUS_KM
from orbwatch.learn.samples.catalog_asks import NEAR
from orbwatch.learn.samples.catalog_scale import drag_shift_s, span_day, time_scale_s
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.propagate.trend import SPANS, Span, trends

TOKENS = 20
RECENT_TOKENS = 8
"""The newest sets, all of which become tokens; the others are thinned out evenly."""
FOLLOWED = (0, 2, 4, 5, 6, 7)
"""Trends (indices into SPANS) that the network can add to the forecast with weights of its own."""
NOISE_KM = 0.03
"""Error of a good set across its orbit, km."""
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
    CatalogFeature("shift_long", "asinh(3 / scale at 7 d)", "timing", "time shift against the newest set run back"),
    CatalogFeature("shift_short", "asinh(3 / scale at 1 d)", "timing", "the same on the scale of a day's forecast"),
    CatalogFeature("shift", "asinh(s / 0.02)", "timing", "the same in seconds"),
    CatalogFeature("step", "asinh(s / 0.02)", "timing", "change of the time shift to the next set"),
    CatalogFeature("out", "asinh(km / 0.05)", "across", "distance outwards in the plane"),
    CatalogFeature("normal", "asinh(km / 0.05)", "across", "distance along r x v"),
    CatalogFeature("d_mean_motion", "asinh(1e5 rev/day)", "elements", "against the newest set"),
    CatalogFeature("d_ecc_cos", "asinh(km / 0.1)", "elements", "a e cos(w), carried to the newest epoch"),
    CatalogFeature("d_ecc_sin", "asinh(km / 0.1)", "elements", "a e sin(w), likewise"),
    CatalogFeature("d_inclination", "asinh(km / 0.1)", "elements", "a i, likewise"),
    CatalogFeature("d_node", "asinh(km / 0.1)", "elements", "a node sin(i), likewise"),
    CatalogFeature("d_bstar", "asinh of the ratio", "elements", "against the newest set, over its own size"),
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
    CatalogFeature("cos_latitude", "1", "horizon", "cosine of the argument of latitude"),
    CatalogFeature("sin_latitude", "1", "horizon", "its sine"),
    CatalogFeature("scale_out", "log km", "horizon", "expected distance outwards"),
    CatalogFeature("scale_normal", "log km", "horizon", "expected distance along r x v"),
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
    query: Float32[np.ndarray, "n h q"]
    trend: Float32[np.ndarray, "n h 6"]
    """The trends that can be followed, whitened."""
    scale: Float32[np.ndarray, "n h 3"]
    """km, s, km."""
    phase: Float32[np.ndarray, "n h 2"]
    """Cosine and sine of the argument of latitude at the horizon."""
    ahead_day: Float32[np.ndarray, "n h"]
    """From the newest set's epoch."""
    speed_km_s: Float32[np.ndarray, " n"]
    """Of a circular orbit of the same mean motion."""
    target: Float32[np.ndarray, "n h 3"] | None
    """Whitened truth; NaN where not known."""

    @property
    def usable(self) -> Bool[np.ndarray, " n"]:
        """All of them: an asking has a set that can be propagated."""
        return np.ones(len(self.x), np.bool_)


def catalog_inputs(windows: CatalogWindows) -> CatalogInputs:
    """Features of windows, unscaled."""
    windows = windows.near()
    age, shift, ahead, newest = windows.age_day, windows.shift, windows.ahead_day, windows.newest
    there = np.isfinite(shift[..., 0])
    followed = trends(np.where(there, age, np.nan), shift[..., 0])
    drag_s, time_s = drag_shift_s(windows, ahead), time_scale_s(windows, ahead)
    day_s, week_s = time_scale_s(windows, windows.lag_day[:, None] + np.array([1.0, 7.0])).T
    trend = followed.at(ahead) / time_s[..., None]
    spread = np.log(np.where(np.isfinite(followed.scale), followed.scale, 0.05) + 1e-3)
    count = np.isfinite(age).sum(axis=1)
    pick = _TOKENS[count]
    valid = np.take_along_axis(there, pick, axis=1) & (np.arange(TOKENS) >= TOKENS - count[:, None])
    token_age, late, out, normal, *moved = (
        np.take_along_axis(column, pick, axis=1)
        for column in (age, *np.moveaxis(shift, 2, 0), *element_changes(windows))
    )
    after = np.concatenate([late[:, 1:], late[:, -1:]], axis=1)
    step = np.where(np.isfinite(after), after - late, 0.0)
    own_bstar, own_decay = newest.bstar_per_er, newest.mean_motion_dot_rev_day2
    a_km = _semi_major_km(newest.mean_motion_rev_day)
    perigee_km = a_km * (1.0 - newest.eccentricity) - WGS72_RADIUS_KM
    arg_rad = np.radians(newest.arg_perigee_deg)
    week, fortnight = SPANS.index(Span(7.0, 2, 6)), SPANS.index(Span(14.5, 2, 6))
    per_set = (
        np.log1p(3.0 * token_age), np.arcsinh(3.0 * late / week_s[:, None]), np.arcsinh(3.0 * late / day_s[:, None]),
        np.arcsinh(late / 0.02), np.arcsinh(step / 0.02), np.arcsinh(out / 0.05), np.arcsinh(normal / 0.05),
        np.arcsinh(1e5 * moved[0]), *(np.arcsinh(each / 0.1) for each in moved[1:5]),
        np.arcsinh(moved[5] / (np.abs(own_bstar) + 1e-5)[:, None]),
    )  # fmt: skip
    per_window = (
        np.arcsinh(1e5 * own_bstar), np.arcsinh(1e6 * own_decay), np.log(np.maximum(perigee_km, 100.0)),
        np.log(1e-5 + newest.eccentricity), np.cos(np.radians(newest.inclination_deg)), np.cos(arg_rad),
        np.sin(arg_rad), spread[:, week], spread[:, fortnight], np.log(1.0 + count), np.log1p(windows.lag_day),
    )  # fmt: skip
    x = np.stack([*per_set, *(np.broadcast_to(v[:, None], valid.shape) for v in per_window)], axis=2)
    phase = latitude_phase(windows)
    squares = np.where(there[..., None], shift[..., 1:] ** 2, 0.0).sum(axis=1)
    across = np.sqrt(squares / np.maximum(there.sum(axis=1), 1)[:, None] + NOISE_KM**2)
    per_horizon = (
        np.log(ahead), ahead, np.log(time_s), np.log(span_day(windows))[:, None], windows.lag_day[:, None],
        np.arcsinh(drag_s / time_s), phase[..., 0], phase[..., 1], np.log(across[:, [0]]), np.log(across[:, [1]]),
    )  # fmt: skip
    query = [np.broadcast_to(v, ahead.shape)[..., None] for v in per_horizon] + [np.arcsinh(trend)]
    scale = np.stack([np.broadcast_to(across[:, [0]], ahead.shape), time_s,
                      np.broadcast_to(across[:, [1]], ahead.shape)], axis=2)  # fmt: skip
    truth = windows.truth_shift
    return CatalogInputs(
        x=np.where(valid[..., None], x, 0.0).astype(np.float32),
        valid=valid,
        query=np.concatenate(query, axis=2).astype(np.float32),
        trend=(MOST_TREND * np.tanh(trend[..., FOLLOWED] / MOST_TREND)).astype(np.float32),
        scale=scale.astype(np.float32),
        phase=phase.astype(np.float32),
        ahead_day=ahead.astype(np.float32),
        speed_km_s=np.sqrt(WGS72_MU_KM3_S2 / a_km).astype(np.float32),
        target=None if truth is None else (truth[..., [1, 0, 2]] / scale).astype(np.float32),
    )


def element_changes(windows: CatalogWindows) -> tuple[Float[np.ndarray, "n k"], ...]:
    """Elements of the known sets less those of the newest, carried to its epoch by the secular effect of J2.

    Mean motion rev/day; a e cos(w), a e sin(w), a i, a node sin(i) in km; B* 1 / Earth radii. NaN where there is no
    set. Rates: Vallado 2013, equations 9-37 and 9-39, for the newest set's orbit.
    """
    motion, ecc, incl_deg, bstar, _, node_deg, arg_deg = np.moveaxis(windows.elements, 2, 0)
    newest = windows.newest
    a_km = _semi_major_km(newest.mean_motion_rev_day)[:, None]
    own_incl = np.radians(newest.inclination_deg)[:, None]
    latus = a_km[:, 0] * (1.0 - newest.eccentricity**2) / WGS72_RADIUS_KM
    j2_rad_day = (1.5 * J2_WGS72 / latus**2 * newest.mean_motion_rev_day * TWO_PI)[:, None]
    node = np.radians(node_deg) - j2_rad_day * np.cos(own_incl) * windows.age_day
    arg = np.radians(arg_deg) + j2_rad_day * (2.0 - 2.5 * np.sin(own_incl) ** 2) * windows.age_day
    own_ecc, own_arg = newest.eccentricity[:, None], np.radians(newest.arg_perigee_deg)[:, None]
    d_node = np.mod(node - np.radians(newest.raan_deg)[:, None] + np.pi, TWO_PI) - np.pi
    return (
        motion - newest.mean_motion_rev_day[:, None],
        a_km * (ecc * np.cos(arg) - own_ecc * np.cos(own_arg)),
        a_km * (ecc * np.sin(arg) - own_ecc * np.sin(own_arg)),
        a_km * (np.radians(incl_deg) - own_incl),
        a_km * d_node * np.sin(own_incl),
        bstar - newest.bstar_per_er[:, None],
    )


def latitude_phase(windows: CatalogWindows) -> Float[np.ndarray, "n h 2"]:
    """Cosine and sine of the argument of latitude where the newest set puts the object; (1, 0) where it ends."""
    r, v = windows.rv_teme_km[..., :3], windows.rv_teme_km[..., 3:]
    normal = np.cross(r, v)
    node = np.stack([-normal[..., 1], normal[..., 0]], axis=-1)
    size = np.linalg.norm(node, axis=-1)
    sure = np.isfinite(size) & (size > 0.0)
    unit = np.where(sure[..., None], node, 1.0) / np.where(sure, size, 1.0)[..., None]
    distance = np.linalg.norm(r, axis=-1)
    cos = (r[..., 0] * unit[..., 0] + r[..., 1] * unit[..., 1]) / distance
    sin = np.sign(r[..., 2]) * np.sqrt(np.clip(1.0 - cos**2, 0.0, 1.0))
    phase = np.stack([cos, sin], axis=-1)
    return np.where(np.isfinite(phase) & sure[..., None], phase, np.array([1.0, 0.0]))


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


_TOKENS = _token_columns(NEAR.most)
