"""Trends of mean elements: where an object's eccentricity vector and plane really go, against where SGP4 turns them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from orbwatch.catalog.trend import J2_WGS72
from orbwatch.constants import DAY_S, TWO_PI, WGS72_MU_KM3_S2, WGS72_RADIUS_KM
from orbwatch.learn.judging.catalog_run_back import carried, past_us, robust_fit
from orbwatch.learn.samples.catalog_features import element_changes, latitude_phase
from orbwatch.learn.samples.catalog_windows import CatalogWindows
from orbwatch.propagate.trend import SPANS, Span, trends

ROUND = 0.05
"""Up to this eccentricity its first order is enough; rounder orbits alone are corrected."""
NEAR_EARTH_REV_DAY = 6.4
LEAST_SETS = 6
PLANE, PHASE = SPANS.index(Span(14.5, 1, 5)), SPANS.index(Span(1.5, 1, 3))
_LEAST_COS = 0.5


class _Perigee(NamedTuple):
    """Eccentricity vector (e cos w, e sin w) less the one that SGP4 turns, at the known sets and at the horizons."""

    past: Float[np.ndarray, "n k 2"]
    ahead: Float[np.ndarray, "n h 2"]
    a_km: Float[np.ndarray, " n"]


def perigee_km(windows: CatalogWindows) -> Float[np.ndarray, "n h 3"]:
    """Correction, km along (outwards, along, normal), by the history of the eccentricity vector alone.

    SGP4 turns the vector at J2's rate about a centre that J3 alone sets; the other odd zonals move that centre, so that
    a frozen orbit's vector stays where SGP4 turns it away (Coffey, Deprit & Deprit 1994, doi:10.1007/BF00689486). The
    centre c is fitted to the sets of 14.5 days: the older vectors less the newest one turned back are (1 - R) c, R the
    turn since. A difference (dx, dy) moves the object, to first order in e, by -a (dx cos u + dy sin u) outwards and by
    2 a (dx sin u - dy cos u) along, at argument of latitude u. Zero above eccentricity 0.05, in deep space, and with
    fewer than six sets.
    """
    near = windows.near()
    return _moved(_perigee(near), latitude_phase(near))


def mean_elements_km(windows: CatalogWindows) -> Float[np.ndarray, "n h 3"]:
    """Correction, km along (outwards, along, normal), by robust trends of all mean elements.

    The eccentricity vector as in `perigee_km`; the phase along the orbit by a line through 1.5 days, freed of what the
    vector does at the sets' epochs; inclination and node, not in deep space, by lines through 14.5 days, the node from
    what was seen across the orbit.
    """
    near = windows.near()
    there = np.isfinite(near.shift[..., 0])
    rv = carried(near.newest, past_us(near), there)
    past, ahead = _phase(rv), latitude_phase(near)
    perigee = _perigee(near)
    out = _moved(perigee, ahead)
    speed = np.linalg.norm(near.rv_teme_km[..., 3:], axis=-1)
    late_s = near.shift[..., 0] - _along(perigee.past, past, perigee.a_km) / np.linalg.norm(rv[..., 3:], axis=-1)
    age = np.where(there, near.age_day, np.nan)
    out[..., 1] += trends(age, late_s).at(near.ahead_day)[..., PHASE] * np.where(np.isfinite(speed), speed, 0.0)
    low = near.newest.mean_motion_rev_day > NEAR_EARTH_REV_DAY
    out[..., 2] = np.where(low[:, None], _across(near, age, past, ahead), 0.0)
    return out


def _perigee(windows: CatalogWindows) -> _Perigee:
    newest = windows.newest
    a_km = np.cbrt(WGS72_MU_KM3_S2 / (newest.mean_motion_rev_day * TWO_PI / DAY_S) ** 2)
    incl = np.radians(newest.inclination_deg)
    latus = a_km * (1.0 - newest.eccentricity**2) / WGS72_RADIUS_KM
    turn = 1.5 * J2_WGS72 / latus**2 * newest.mean_motion_rev_day * TWO_PI * (2.0 - 2.5 * np.sin(incl) ** 2)
    own, angle = np.radians(newest.arg_perigee_deg), np.radians(windows.elements[..., 6])
    vector = np.stack([np.cos(angle), np.sin(angle)], axis=2) * windows.elements[..., 1:2]
    back = own[:, None] - turn[:, None] * windows.age_day
    past = vector - np.stack([np.cos(back), np.sin(back)], axis=2) * newest.eccentricity[:, None, None]
    use = (newest.eccentricity < ROUND) & (newest.mean_motion_rev_day > NEAR_EARTH_REV_DAY)
    past = np.where(use[:, None, None], past, np.nan)
    n, k = windows.age_day.shape
    design = _swept(-turn[:, None] * windows.age_day).reshape(n, 2 * k, 2)
    centre = robust_fit(design, past.reshape(n, 2 * k), 2 * LEAST_SETS)
    ahead = np.einsum("nhep,np->nhe", _swept(turn[:, None] * windows.ahead_day), centre)
    return _Perigee(np.where(np.isfinite(past), past, 0.0), ahead, a_km)


def _swept(angle_rad: Float[np.ndarray, "n m"]) -> Float[np.ndarray, "n m 2 2"]:
    """1 - R: what turning about a centre by angles adds to a vector, for each unit of the centre."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    return np.stack([np.stack([1.0 - cos, sin], axis=2), np.stack([-sin, 1.0 - cos], axis=2)], axis=2)


def _moved(perigee: _Perigee, phase: Float[np.ndarray, "n h 2"]) -> Float[np.ndarray, "n h 3"]:
    out = -perigee.a_km[:, None] * (perigee.ahead * phase).sum(axis=2)
    return np.stack([out, _along(perigee.ahead, phase, perigee.a_km), np.zeros_like(out)], axis=2)


def _along(
    vector: Float[np.ndarray, "n m 2"], phase: Float[np.ndarray, "n m 2"], a_km: Float[np.ndarray, " n"]
) -> Float[np.ndarray, "n m"]:
    return np.asarray(2.0 * a_km[:, None] * (vector[..., 0] * phase[..., 1] - vector[..., 1] * phase[..., 0]))


def _phase(rv_teme_km: Float[np.ndarray, "n k 6"]) -> Float[np.ndarray, "n k 2"]:
    """Cosine and sine of the argument of latitude at the known sets' epochs; NaN where there is no set."""
    r, v = rv_teme_km[..., :3], rv_teme_km[..., 3:]
    normal = np.cross(r, v)
    node = np.stack([-normal[..., 1], normal[..., 0]], axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cos = (r[..., :2] * node).sum(axis=-1) / np.linalg.norm(node, axis=-1) / np.linalg.norm(r, axis=-1)
    return np.stack([cos, np.sign(r[..., 2]) * np.sqrt(np.clip(1.0 - cos**2, 0.0, 1.0))], axis=2)


def _across(
    windows: CatalogWindows,
    age_day: Float[np.ndarray, "n k"],
    past: Float[np.ndarray, "n k 2"],
    ahead: Float[np.ndarray, "n h 2"],
) -> Float[np.ndarray, "n h"]:
    """Distance along the normal by lines through inclination and node; the node from what was seen across the orbit."""
    tilt_km = element_changes(windows)[3]
    seen = np.abs(past[..., 0]) > _LEAST_COS
    with np.errstate(invalid="ignore", divide="ignore"):
        node_km = np.where(seen, (tilt_km * past[..., 1] - windows.shift[..., 2]) / past[..., 0], np.nan)
    tilt, node = (trends(age_day, each.copy()).at(windows.ahead_day)[..., PLANE] for each in (tilt_km, node_km))
    return np.asarray(tilt * ahead[..., 1] - node * ahead[..., 0])
