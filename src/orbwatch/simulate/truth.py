"""Planted approaches: added objects that meet known ones at known times, with the truth measured independently.

The second object of each approach is solved for (`through_state`) so that its SGP4 state at the time of closest
approach is the wanted one. The truth kept beside it (time, miss, relative speed, of every minimum of the pair in the
window) is then measured on the `sgp4` library alone, by minimising the distance itself: neither the screening's own
propagator nor SGP4's velocities (which are not the exact derivative of its positions) decide the time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.random import Generator
from scipy.optimize import brentq
from sgp4.api import Satrec

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_S, DAY_US, WGS72_MU_KM3_S2
from orbwatch.errors import InputError
from orbwatch.simulate.mean_elements import library_satrec, through_state
from orbwatch.simulate.population import SOURCE, simulated_object_id

FIRST_PLANTED_ID = 900_500_001


@dataclass(frozen=True)
class PlantedApproach:
    """One minimum of the distance of a planted pair, as the `sgp4` library has it."""

    norad_id_1: int
    """The smaller of the two catalogue numbers."""
    norad_id_2: int
    kind: str
    """head-on, crossing, perigee, co-moving, deep-space, edge; with " outside" where it must not be reported."""
    tca_us: int
    """UTC microseconds since 1970-01-01."""
    miss_km: float
    rel_speed_km_s: float
    expected_found: bool
    """Below the threshold and inside the half-open window."""


@dataclass(frozen=True)
class Planted:
    """A catalogue with planted approaches, ordered by time."""

    table: GpTable
    approaches: tuple[PlantedApproach, ...]


@dataclass(frozen=True)
class _Plan:
    kind: str
    prefixes: tuple[str, ...]
    """Names of the first objects to choose from start so."""
    closing: Callable[[Float[np.ndarray, "3"], Float[np.ndarray, "3"], Generator], Float[np.ndarray, "3"]]
    """Velocity of the second object from r, v of the first (km, km/s TEME)."""
    share: tuple[float, float]
    """Range of the miss, in thresholds."""
    at: tuple[float, float] = (0.01, 0.99)
    """Range of the time, as a share of the window."""
    seconds_past: float = 0.0
    """Added to the time."""


def planted(catalog: GpTable, start_us: int, hours: float = 24.0, threshold_km: float = 5.0, seed: int = 1) -> Planted:
    """`catalog` plus second objects, one per plan, so that each meets an object of the catalogue.

    start_us: UTC microseconds since 1970; the window is [start, start + hours). Of the 36 pairs 29 come within the
    threshold (head-on, crossing at 15 to 150 deg, fast perigee passes, co-moving below 10 m/s, deep-space, and the
    very edges of the window) and 7 do not, by 0.1 to 10 % of the threshold or by one second beyond the window. Slow
    pairs meet again on later revolutions; each minimum up to 1.2 thresholds is listed. Same arguments, same result.
    Raises InputError when the catalogue has too few objects of a regime or the window is empty.
    """
    if hours <= 0.0 or threshold_km <= 0.0:
        raise InputError("an empty window or threshold", field="hours, threshold_km", value=(hours, threshold_km))
    rng = np.random.default_rng([seed, 7])
    end_us = start_us + round(hours * 3.6e9)
    chosen: set[int] = set()
    rows = []
    pairs: list[tuple[int, int, str]] = []
    for number, plan in enumerate(_PLANS):
        first = _choose(catalog, plan, chosen, rng)
        chosen.add(first)
        at_us = start_us + round((end_us - start_us) * rng.uniform(*plan.at) + plan.seconds_past * 1e6)
        state = _state(library_satrec(catalog.row(first)), _minutes(catalog, first, at_us))
        velocity = plan.closing(state[:3], state[3:], rng)
        miss_km = threshold_km * rng.uniform(*plan.share)
        wanted = np.concatenate([state[:3] + miss_km * _across(velocity - state[3:], rng), velocity])
        epoch_us = start_us - round(rng.uniform(1.0, 18.0) * 3.6e9)
        prefix = catalog.name[first][4:7] if plan.kind != "perigee" else "HEO"
        bstar = float(catalog.bstar_per_er[first]) if plan.kind != "perigee" else 5e-4
        rows.append(
            {
                "norad_id": FIRST_PLANTED_ID + number,
                **through_state(wanted, at_us, epoch_us, bstar),
                "element_set_no": 1,
                "rev_at_epoch": int(rng.integers(100, 90_000)),
                "name": f"SIM-{prefix}-P{number + 1:04d} DEB",
                "object_id": simulated_object_id(len(catalog) + number),
            }
        )
        pairs.append((first, len(catalog) + number, plan.kind))
    table = GpTable.concat([catalog, GpTable.from_rows(rows, SOURCE)], catalog.source or SOURCE)
    found = [
        approach
        for first, second, kind in pairs
        for approach in _measure(table, first, second, kind, start_us, end_us, threshold_km)
    ]
    return Planted(table, tuple(sorted(found, key=lambda approach: approach.tca_us)))


def confirm(table: GpTable, norad_id_1: int, norad_id_2: int, tca_us: int) -> tuple[int, float]:
    """Time (UTC microseconds) and distance (km) of the minimum nearest to `tca_us`, by the `sgp4` library alone.

    It is looked for within two minutes. Raises InputError when an object is not in the table or no minimum is there.
    """
    index = []
    for norad_id in (norad_id_1, norad_id_2):
        rows = np.flatnonzero(table.norad_id == norad_id)
        if len(rows) != 1:
            raise InputError("the table needs exactly one set of the object", field="norad_id", value=norad_id)
        index.append(int(rows[0]))
    pair = _Pair(table, index[0], index[1], tca_us)
    offsets_s = np.arange(-120.0, 121.0)
    bottoms = pair.bottoms(offsets_s)
    if not len(bottoms):
        raise InputError("no closest approach within two minutes", field="tca_us", value=tca_us)
    tca_s = pair.refine(float(offsets_s[bottoms[np.argmin(np.abs(offsets_s[bottoms]))]]), 1.0)
    return tca_us + round(tca_s * 1e6), pair.distance_km(tca_s)


class _Pair:
    """Two objects of the `sgp4` library about a reference instant."""

    def __init__(self, table: GpTable, first: int, second: int, origin_us: int) -> None:
        self._satrecs = [library_satrec(table.row(i)) for i in (first, second)]
        self._minutes = [_minutes(table, i, origin_us) for i in (first, second)]
        day, us = divmod(origin_us, DAY_US)
        self._jd, self._fr = day + 2440587.5, us / DAY_US

    def relative(self, offset_s: float) -> Float[np.ndarray, "6"]:
        """Second minus first, km and km/s TEME."""
        one, two = (
            _state(satrec, minutes + offset_s / 60.0)
            for satrec, minutes in zip(self._satrecs, self._minutes, strict=True)
        )
        return np.asarray(two - one)

    def distance_km(self, offset_s: float) -> float:
        return math.sqrt(float(np.sum(self.relative(offset_s)[:3] ** 2)))

    def bottoms(self, offsets_s: Float[np.ndarray, " m"], below_km: float = math.inf) -> np.ndarray:
        """Indices of samples that are no higher than their neighbours and below a distance."""
        jd = np.full(len(offsets_s), self._jd)
        states = [satrec.sgp4_array(jd, self._fr + offsets_s / DAY_S) for satrec in self._satrecs]
        distance = np.sqrt(np.sum((states[1][1] - states[0][1]) ** 2, axis=1))
        low = (distance[1:-1] <= distance[:-2]) & (distance[1:-1] < distance[2:]) & (distance[1:-1] < below_km)
        return np.flatnonzero(low) + 1

    def refine(self, near_s: float, step_s: float) -> float:
        """The minimum within `step_s` of a sampled bottom: the root of the central difference of the distance squared.

        The half-width of the difference grows as the relative speed falls, so that rounding (1e-9 km) stays below
        0.1 ms even for co-moving objects while the difference's own error stays below 1 microsecond.
        """
        speed = math.sqrt(float(np.sum(self.relative(near_s)[3:] ** 2)))
        half_s = min(max(0.1 / max(speed, 1e-6), 0.02), 1.0)

        def slope(offset_s: float) -> float:
            ahead, behind = self.relative(offset_s + half_s)[:3], self.relative(offset_s - half_s)[:3]
            return float((ahead - behind) @ (ahead + behind))

        return float(brentq(slope, near_s - step_s, near_s + step_s, xtol=1e-9, rtol=1e-14))


def _measure(
    table: GpTable, first: int, second: int, kind: str, start_us: int, end_us: int, threshold_km: float
) -> list[PlantedApproach]:
    """Every minimum of the pair up to 1.2 thresholds, from ten seconds before the window to ten after."""
    step_s = 10.0
    pair = _Pair(table, first, second, start_us)
    offsets_s = np.arange(-2.0 * step_s, (end_us - start_us) / 1e6 + 2.5 * step_s, step_s)
    found = []
    for bottom in pair.bottoms(offsets_s, threshold_km + 16.0 * step_s):
        tca_s = pair.refine(float(offsets_s[bottom]), step_s)
        miss_km = pair.distance_km(tca_s)
        tca_us = start_us + round(tca_s * 1e6)
        if miss_km > 1.2 * threshold_km:
            continue
        inside = miss_km < threshold_km and start_us <= tca_us < end_us
        one, two = sorted((int(table.norad_id[first]), int(table.norad_id[second])))
        speed = math.sqrt(float(np.sum(pair.relative(tca_s)[3:] ** 2)))
        label = kind if inside else f"{kind} outside"
        found.append(PlantedApproach(one, two, label, tca_us, miss_km, speed, inside))
    return found


def _choose(catalog: GpTable, plan: _Plan, chosen: set[int], rng: Generator) -> int:
    """A first object of the plan's regime, not in use yet, near-circular, not about to decay, not quite equatorial.

    (Near zero inclination SGP4's deep-space periodics jump with the node, and no exact inverse need exist.)
    """
    names = catalog.name.astype(str)
    fits = np.zeros(len(catalog), bool)
    for prefix in plan.prefixes:
        fits |= np.char.startswith(names, prefix)
    fits &= (catalog.eccentricity < 0.02) & (catalog.mean_motion_rev_day < 15.4) & (catalog.inclination_deg > 0.5)
    fits[list(chosen)] = False
    candidates = np.flatnonzero(fits)
    if not len(candidates):
        raise InputError(f"no object left to plant a {plan.kind} approach on", field="catalog", value=len(catalog))
    return int(rng.choice(candidates))


def _minutes(table: GpTable, i: int, at_us: int) -> float:
    return (at_us - int(table.epoch_us[i])) / 6e7


def _state(satrec: Satrec, minutes: float) -> Float[np.ndarray, "6"]:
    error, r, v = satrec.sgp4_tsince(minutes)
    if error:
        raise InputError(f"the sgp4 library fails on an object (error {error})", value=minutes)
    return np.array([*r, *v])


def _unit(x: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    return x / math.sqrt(float(x @ x))


def _across(v_rel: Float[np.ndarray, "3"], rng: Generator) -> Float[np.ndarray, "3"]:
    """A random direction perpendicular to the relative velocity, so that the distance is least at that instant."""
    along = _unit(v_rel)
    return _unit(np.cross(along, rng.standard_normal(3)))


def _turned(low_deg: float, high_deg: float) -> Callable[..., Float[np.ndarray, "3"]]:
    """The first object's velocity turned about the vertical, one to two per cent faster or slower.

    The change of speed gives the orbits different periods: otherwise they would meet again every half revolution.
    """

    def closing(r: Float[np.ndarray, "3"], v: Float[np.ndarray, "3"], rng: Generator) -> Float[np.ndarray, "3"]:
        angle = math.radians(rng.uniform(low_deg, high_deg)) * rng.choice([-1.0, 1.0])
        up = _unit(r)
        flat = v - (v @ up) * up
        turned = math.cos(angle) * flat + math.sin(angle) * np.cross(up, flat)
        return np.asarray((turned + (v @ up) * up) * (1.0 + rng.uniform(0.008, 0.016)))

    return closing


def _near_perigee(r: Float[np.ndarray, "3"], v: Float[np.ndarray, "3"], rng: Generator) -> Float[np.ndarray, "3"]:
    """The velocity of a transfer or Molniya orbit close to its perigee, crossing at 20 to 140 deg."""
    radius = math.sqrt(float(r @ r))
    semi_major = rng.uniform(24_000.0, 26_600.0)
    speed = math.sqrt(WGS72_MU_KM3_S2 * (2.0 / radius - 1.0 / semi_major))
    up = _unit(r)
    north = _unit(v - (v @ up) * up)
    angle = math.radians(rng.uniform(20.0, 140.0))
    climb = math.radians(rng.uniform(-3.0, 3.0))
    flat = math.cos(angle) * north + math.sin(angle) * np.cross(up, north)
    return np.asarray(speed * (math.cos(climb) * flat + math.sin(climb) * up))


def _drifting(low_m_s: float, high_m_s: float) -> Callable[..., Float[np.ndarray, "3"]]:
    """The first object's velocity plus some m/s, most of it along the track so that the pair drifts apart again."""

    def closing(_r: Float[np.ndarray, "3"], v: Float[np.ndarray, "3"], rng: Generator) -> Float[np.ndarray, "3"]:
        change = _unit(rng.choice([-1.0, 1.0]) * _unit(v) + 0.4 * _unit(rng.standard_normal(3)))
        return np.asarray(v + rng.uniform(low_m_s, high_m_s) / 1e3 * change)

    return closing


_LEO, _GEO, _MEO = ("SIM-LEO",), ("SIM-GEO",), ("SIM-MEO",)
_HEAD_ON = _Plan("head-on", _LEO, _turned(160.0, 180.0), (0.02, 0.9))
_OUTSIDE = (1.001, 1.1)

_PLANS = (
    *[_HEAD_ON] * 5,
    *[
        _Plan("crossing", _LEO, _turned(low, low + 20.0), (0.02, 0.95))
        for low in (15.0, 35.0, 60.0, 85.0, 110.0, 130.0)
    ],
    *[_Plan("perigee", _LEO, _near_perigee, (0.05, 0.9))] * 5,
    *[_Plan("co-moving", _LEO, _drifting(2.0, 9.5), (0.05, 0.9), (0.1, 0.9))] * 4,
    *[_Plan("deep-space", _GEO, _drifting(3.0, 9.0), (0.05, 0.9), (0.2, 0.8))] * 2,
    *[_Plan("deep-space", _GEO, _turned(2.0, 15.0), (0.05, 0.9))] * 3,
    *[_Plan("deep-space", _MEO, _turned(40.0, 120.0), (0.05, 0.9))] * 2,
    _Plan("edge", _LEO, _turned(90.0, 170.0), (0.1, 0.9), (0.0, 0.0), 0.5),
    _Plan("edge", _LEO, _turned(90.0, 170.0), (0.1, 0.9), (1.0, 1.0), -0.5),
    _Plan("edge", _LEO, _turned(90.0, 170.0), (0.1, 0.9), (1.0, 1.0), 1.0),
    _Plan("head-on", _LEO, _turned(165.0, 180.0), _OUTSIDE),
    *[_Plan("crossing", _LEO, _turned(40.0, 140.0), _OUTSIDE)] * 2,
    _Plan("perigee", _LEO, _near_perigee, _OUTSIDE),
    _Plan("co-moving", _LEO, _drifting(4.0, 9.0), _OUTSIDE, (0.1, 0.9)),
    _Plan("deep-space", _GEO, _turned(3.0, 15.0), _OUTSIDE),
)
