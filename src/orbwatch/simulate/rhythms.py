"""Station keeping: what holds an object in its place, burn by burn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from orbwatch.simulate.behaviour import ECCENTRIC, GEO, LOW, Event, Facts, Life, log_uniform

Push = tuple[float, tuple[float, float, float], bool]

_TRIAXIAL_REV_DAY2 = 1.68e-3 / 360.0
_STABLE_DEG = 75.1
_EVER_DAY = 4000.0
_MISSED = 0.04
"""Share of the burns of a rhythm that are left out."""


def times(rng: Generator, begin: float, end: float, every_day: float) -> list[float]:
    """Days of a rhythm between two days, some jitter, some left out."""
    at = begin + rng.uniform(0.0, every_day) + every_day * np.arange(int((end - begin) / every_day) + 2)
    at = at + rng.normal(0.0, rng.uniform(0.02, 0.15), len(at)) * every_day
    at = at[(at > begin) & (at < end)]
    return [float(each) for each in at[rng.random(len(at)) >= _MISSED]]


def tilted(rng: Generator, axis: int, size_m_s: float, tilt: float = 0.06) -> tuple[float, float, float]:
    """A push mostly along one axis of R, T, N."""
    dv = rng.normal(0.0, tilt * abs(size_m_s), 3)
    dv[axis] = size_m_s
    return float(dv[0]), float(dv[1]), float(dv[2])


def burn(
    rng: Generator, facts: Facts, role: str, day: float, dv: tuple[float, float, float]
) -> tuple[Event, list[Push]]:
    """One burn, at times in two halves half a revolution apart."""
    if rng.random() < 0.75:
        return Event(role, day, day, dv), [(day, dv, False)]
    half = (dv[0] / 2.0, dv[1] / 2.0, dv[2] / 2.0)
    later = day + 0.5 / facts.n_rev_day
    return Event(role, day, later, dv), [(day, half, False), (later, half, False)]


def steady_thrust(
    facts: Facts, role: str, begin: float, end: float, dv_day_m_s: tuple[float, float, float]
) -> tuple[Event, list[Push]]:
    """Thrust that lasts: pairs of pushes half a revolution apart, so that the eccentricity stays."""
    half = 0.5 / facts.n_rev_day
    every = max(2.0 * half, 0.2)
    count = max(int((end - begin) / every), 1)
    share = (end - begin) / count / 2.0
    dv = (dv_day_m_s[0] * share, dv_day_m_s[1] * share, dv_day_m_s[2] * share)
    pushes = [(begin + (i + 0.25) * (end - begin) / count + add, dv, True) for i in range(count) for add in (0.0, half)]
    whole = end - begin
    total = (dv_day_m_s[0] * whole, dv_day_m_s[1] * whole, dv_day_m_s[2] * whole)
    return Event(role, begin, end, total, steady=True), pushes


def keep(rng: Generator, facts: Facts, life: Life, begin: float, end: float) -> Life:
    """The life with station keeping between two days."""
    if rng.random() < (0.25 if facts.regime == GEO else 0.12):
        return _electric(rng, facts, life, begin, end)
    if facts.regime == GEO:
        return _keep_geo(rng, facts, life, begin, end)
    longest = min(60.0, max(0.45 * (end - begin), 4.0))
    every = log_uniform(rng, 3.0 if facts.regime == LOW else 7.0, longest)
    low, high = {LOW: (1e-3, 1.0), ECCENTRIC: (0.02, 2.0)}.get(facts.regime, (5e-3, 1.0))
    size = log_uniform(rng, low, high)
    way = rng.choice(3, p=(0.6, 0.25, 0.15) if facts.regime == LOW else (0.0, 0.7, 0.3))
    if way == 0 and not _can_fall(facts, size / every):
        way = 1
    events: list[Event] = []
    pushes: list[Push] = []
    sign = 1.0 if rng.random() < 0.5 else -1.0
    for day in times(rng, begin, end, every):
        amount = size * float(np.exp(rng.normal(0.0, 0.25)))
        at = facts.at_anomaly(day, np.pi * rng.integers(2)) if facts.regime == ECCENTRIC else day
        dv = tilted(rng, 2 if way == 2 else 1, amount if way == 0 else sign * amount)
        event, more = burn(rng, facts, "keep", at, dv)
        events.append(event)
        pushes += more
        sign = -sign
    life = life.with_events(events, pushes)
    if way == 0:  # the air takes what the burns give, before, between and after
        life = replace(life, arcs=held_fall(facts, 2.0e3 * facts.a_km * size / facts.speed_m_s / every))
    if facts.regime == LOW and rng.random() < 0.25:
        life = _tilt(rng, facts, life, begin, end, (0.1, 3.0), (20.0, 60.0))
    return replace(life, kept_every_day=every)


def held_fall(facts: Facts, fall_m_day: float) -> list[tuple[float, float, float, float]]:
    """Arcs over a whole history that make an object fall by so many metres of semi-major axis a day."""
    natural = facts.fall_m_day
    if facts.perigee_km < 1500.0 and natural > 0.2 * fall_m_day:
        return [(-_EVER_DAY, _EVER_DAY, fall_m_day / natural, 0.0)]
    return [(-_EVER_DAY, _EVER_DAY, 1.0, facts.growth(fall_m_day - natural))]


def _can_fall(facts: Facts, dv_day_m_s: float) -> bool:
    """Whether the air could take so much away: below 850 km nearly all, above little."""
    fall_m_day = 2.0e3 * facts.a_km * dv_day_m_s / facts.speed_m_s
    return facts.perigee_km < 850.0 or fall_m_day < 15.0


def _electric(rng: Generator, facts: Facts, life: Life, begin: float, end: float) -> Life:
    """Small burns of a weak engine, one or two a day."""
    every = log_uniform(rng, 0.45, 2.0)
    geo = facts.regime == GEO
    north = log_uniform(rng, 0.05, 0.2) * every if geo else 0.0
    along = log_uniform(rng, 2e-3, 1e-2) * every if geo else log_uniform(rng, 1e-3, 3e-2) * every
    pushes: list[Push] = []
    sign = 1.0
    for day in times(rng, begin, end, every):
        if geo:
            at = _at_longitude(facts, day, 0.5)
            pushes.append((at, (0.0, sign * along, north * float(np.exp(rng.normal(0.0, 0.1)))), True))
        else:
            pushes.append((day, tilted(rng, 1, along * float(np.exp(rng.normal(0.0, 0.15)))), True))
        sign = -sign
    life = life.with_events([Event("keep", day, day, dv) for day, dv, _ in pushes], pushes)
    if not geo:
        life = replace(life, arcs=held_fall(facts, 2.0e3 * facts.a_km * along / facts.speed_m_s / every))
    return replace(life, kept_every_day=every)


def _keep_geo(rng: Generator, facts: Facts, life: Life, begin: float, end: float) -> Life:
    """East-west every one to eight weeks, with luck north-south as well."""
    longest = min(56.0, max(0.45 * (end - begin), 7.0))
    every, size = log_uniform(rng, 7.0, longest), log_uniform(rng, 0.05, 1.0)
    pull = 3.0 * facts.n_rev_day * size / facts.speed_m_s / every
    events: list[Event] = []
    pushes: list[Push] = []
    one_way = pull < _TRIAXIAL_REV_DAY2
    sign = 1.0 if rng.random() < 0.5 else -1.0
    if one_way:  # a place where the Earth's ellipticity takes what the burns give
        # A push along the motion lowers the mean motion, so the ellipticity has to raise it: west of the stable point.
        off = 0.5 * float(np.degrees(np.arcsin(pull / _TRIAXIAL_REV_DAY2)))
        off = off if rng.random() < 0.5 else 90.0 - off
        life = replace(life, ahead_deg=_STABLE_DEG - sign * off - facts.longitude_deg)
    for day in times(rng, begin, end, every):
        dv = tilted(rng, 1, sign * size * float(np.exp(rng.normal(0.0, 0.2))))
        event, more = burn(rng, facts, "keep", day, dv)
        events.append(event)
        pushes += more
        sign = sign if one_way else -sign
    life = life.with_events(events, pushes)
    if rng.random() < 0.6:
        life = _tilt(rng, facts, life, begin, end, (0.5, 10.0), (7.0, longest))
    return replace(life, kept_every_day=every)


def _tilt(
    rng: Generator, facts: Facts, life: Life, begin: float, end: float, size: tuple[float, float],
    every: tuple[float, float],
) -> Life:  # fmt: skip
    """Burns across the orbit, all at one place on it."""
    amount = log_uniform(rng, *size)
    place = rng.random()
    events: list[Event] = []
    pushes: list[Push] = []
    for day in times(rng, begin, end, log_uniform(rng, *every)):
        dv = tilted(rng, 2, amount * float(np.exp(rng.normal(0.0, 0.15))), 0.02)
        event, more = burn(rng, facts, "keep", _at_longitude(facts, day, place), dv)
        events.append(event)
        pushes += [(each[0], each[1], False) for each in more]
    return life.with_events(events, pushes)


def _at_longitude(facts: Facts, day: float, place: float) -> float:
    """The day nearest to `day` when the object stands at one place of its orbit (share of a turn after perigee)."""
    return facts.at_anomaly(day, 2.0 * np.pi * place)
