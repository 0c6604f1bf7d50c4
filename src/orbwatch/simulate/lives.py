"""Drawing lives: one object, one pattern, everything that it does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from orbwatch.constants import DAY_US
from orbwatch.simulate.behaviour import (
    ECCENTRIC,
    FALLING,
    GEO,
    LOW,
    MEDIUM,
    PATTERNS,
    Event,
    Facts,
    Life,
    log_uniform,
)
from orbwatch.simulate.lags import draw_habit, draw_late
from orbwatch.simulate.put_burns import Arcs, Placed, Pushes
from orbwatch.simulate.rhythms import Push, burn, held_fall, keep, steady_thrust, tilted

_EDGE_DAY = 3.0
"""Nothing happens so near the start and the end of a history."""
_LEAST_M_S = 3e-3


def draw_life(pattern: str, facts: Facts, rng: Generator) -> Life:
    """What an object does in one of `PATTERNS`; everything from `rng`."""
    life = _placed(Life(pattern, []), facts, rng, pattern)
    begin, end = _EDGE_DAY, facts.days - _EDGE_DAY
    if pattern in PATTERNS[:2]:
        return _attitude(life, facts, rng)
    if pattern == "station_keeping":
        return keep(rng, facts, life, 0.0, facts.days)
    if pattern == "minor_maneuver":
        return _minor(life, facts, rng, begin, end)
    if pattern == "major_maneuver":
        return _major(life, facts, rng, begin, end)
    return _deorbit(life, facts, rng, begin, end)


def _placed(life: Life, facts: Facts, rng: Generator, pattern: str) -> Life:
    """The life's ground: how fast the object drifts or decays by itself, above or below the line of `FALLING`.

    Objects that maneuver without rhythm keep, half of them, their own decay.
    """
    line, drifts = FALLING[facts.regime], pattern == "drift_decay"
    if facts.regime == GEO:
        rate = rng.choice((-1.0, 1.0)) * log_uniform(rng, 0.4, 5.0) if drifts else rng.normal(0.0, 0.02)
        # 1 m/s along the orbit is 3 n / v: the mean motion of the slot, or so much off it
        off_rev_day = (rate - facts.longitude_rate_deg_day) / 360.0
        dv = -off_rev_day * facts.speed_m_s / (3.0 * facts.n_rev_day)
        pushes: list[Push] = [(-0.02, (0.0, float(dv), 0.0), False)]
        return replace(life, pushes=pushes, ahead_deg=float(rng.uniform(0.0, 360.0)), falls=drifts)
    if pattern not in PATTERNS[:3] and rng.random() < 0.5:
        return replace(life, falls=abs(facts.fall_m_day) > line)
    if not drifts:
        if abs(facts.fall_m_day) < 0.6 * line:
            return life
        return replace(life, arcs=held_fall(facts, log_uniform(rng, 0.02, 0.6) * line))
    if facts.fall_m_day > 1.5 * line:
        return replace(life, falls=True)  # by itself
    most = {LOW: 1500.0, MEDIUM: 120.0, ECCENTRIC: 3000.0}[facts.regime]
    return replace(life, arcs=held_fall(facts, log_uniform(rng, 1.5 * line, most)), falls=True)


def _attitude(life: Life, facts: Facts, rng: Generator) -> Life:
    """With, at times, another attitude from some day on, where there is air enough to feel it."""
    if facts.perigee_km > 650.0 or rng.random() > 0.35:
        return life
    day = float(rng.uniform(_EDGE_DAY, facts.days - _EDGE_DAY))
    factor = log_uniform(rng, 1.25, 2.5) ** float(rng.choice((-1.0, 1.0)))
    event = Event("attitude", day, day, (0.0, 0.0, 0.0), steady=True)
    return replace(life, events=[*life.events, event], arcs=[*life.arcs, (day, 4000.0, factor, 0.0)])


def _minor(life: Life, facts: Facts, rng: Generator, begin: float, end: float) -> Life:
    """One to three small burns without rhythm, some of them out of the way of something and back."""
    for day in _few(rng, begin, end):
        size = log_uniform(rng, _LEAST_M_S, 0.93)
        axis = int(rng.choice(3, p=(0.12, 0.68, 0.2)))
        dv = tilted(rng, axis, float(rng.choice((-1.0, 1.0))) * size)
        life = _burned(life, rng, facts, "minor", day, dv)
        back = day + rng.uniform(0.5, 3.0)
        if axis == 1 and rng.random() < 0.35 and back < end:
            share = -float(rng.uniform(0.9, 1.05))
            life = _burned(life, rng, facts, "minor", float(back), (dv[0] * share, dv[1] * share, dv[2] * share))
    return _attitude(life, facts, rng) if rng.random() < 0.3 else life


def _major(life: Life, facts: Facts, rng: Generator, begin: float, end: float) -> Life:
    """A change of orbit: burns of a metre a second and more, a move and its stop, or weeks of low thrust."""
    way = rng.choice(3, p=(0.5, 0.25, 0.25))
    if way == 2:
        days = min(rng.uniform(12.0, 60.0), 0.8 * (end - begin))
        first = float(rng.uniform(begin, end - days))
        along = (1.0 if rng.random() < 0.75 else -1.0) * log_uniform(rng, 0.1, 2.7)  # m/s a day: to 5 km in low orbits
        if along < 0.0:
            along = -min(-along, _deepest_m_s(facts) / days)
        event, pushes = steady_thrust(facts, "major", first, first + float(days), (0.0, along, 0.0))
        return life.with_events([event], pushes)
    if way == 1:
        size = float(rng.choice((-1.0, 1.0))) * log_uniform(rng, 1.1, 8.0)
        first = float(rng.uniform(begin, max(end - 8.0, begin + 1.0)))
        last = min(first + float(rng.uniform(5.0, 30.0)), end)
        life = _burned(life, rng, facts, "major", first, tilted(rng, 1, size))
        return _burned(life, rng, facts, "major", last, tilted(rng, 1, -size * float(rng.uniform(0.92, 1.06))))
    for day in _few(rng, begin, end):
        axis = int(rng.choice(3, p=(0.08, 0.7, 0.22)))
        size = float(rng.choice((-1.0, 1.0))) * log_uniform(rng, 1.0, 30.0)
        if axis == 1 and size < 0.0:
            size = -min(-size, max(_deepest_m_s(facts) / 3.0, 1.0))
        life = _burned(life, rng, facts, "major", day, tilted(rng, axis, size))
    return life


def _deorbit(life: Life, facts: Facts, rng: Generator, begin: float, end: float) -> Life:
    """Disposal, at times after station keeping: down in low and eccentric orbits, out of the way in others."""
    first = float(rng.uniform(begin + 0.15 * (end - begin), begin + 0.8 * (end - begin)))
    if rng.random() < 0.5 and first > 20.0:
        life = keep(rng, facts, life, 0.0, first - 2.0)
    down = facts.regime in (LOW, ECCENTRIC) or (facts.regime == MEDIUM and rng.random() < 0.5)
    sign = -1.0 if down else 1.0
    most = _deepest_m_s(facts) if down else 1e9
    if rng.random() < 0.4:
        last = float(min(end, first + rng.uniform(10.0, 80.0)))
        km_day = log_uniform(rng, 0.3, 5.0) if facts.regime == LOW else log_uniform(rng, 2.0, 20.0)
        along = min(km_day * facts.speed_m_s / (2.0 * facts.a_km), most / (last - first))
        event, pushes = steady_thrust(facts, "deorbit", first, last, (0.0, sign * along, 0.0))
        return life.with_events([event], pushes)
    count = int(rng.integers(1, 7))
    total = log_uniform(rng, 5.0, 25.0) if facts.regime == GEO else log_uniform(rng, 5.0, 150.0)
    total = min(total, most)
    shares = rng.dirichlet(np.full(count, 4.0)) * total
    day = first
    for share in shares.tolist():
        at = facts.at_anomaly(day, np.pi) if facts.regime == ECCENTRIC else day
        life = _burned(life, rng, facts, "deorbit", at, tilted(rng, 1, sign * share, 0.03))
        day += log_uniform(rng, 0.5, 7.0)
        if day > end:
            break
    return life


def _deepest_m_s(facts: Facts) -> float:
    """The most that may be taken off the speed before the perigee comes near 220 km."""
    room_km = max(facts.perigee_km - 220.0, 5.0)
    share = 0.25 if facts.regime != ECCENTRIC else 0.1
    return share * facts.speed_m_s * room_km / facts.a_km


def _burned(life: Life, rng: Generator, facts: Facts, role: str, day: float, dv: tuple[float, float, float]) -> Life:
    event, pushes = burn(rng, facts, role, day, dv)
    return life.with_events([event], pushes)


def move(life: Life, norad_id: int, facts: Facts, rng: Generator) -> tuple[Pushes, Arcs, Placed]:
    """A life as what `put_burns` takes; `rng` draws how late the element sets learn of each burn."""
    low = facts.regime == LOW
    n = len(life.pushes)
    when = np.array([day for day, _, _ in life.pushes], np.float64)
    steady = np.array([long for _, _, long in life.pushes], bool)
    late = draw_late(draw_habit(low, rng), low, n, rng)
    late[steady] = 0.0, rng.uniform(1.5, 3.0), 0.0, 0.0
    late[when < 0.0] = 0.0
    dv = np.array([dv for _, dv, _ in life.pushes], np.float64).reshape(n, 3)
    epoch_us = facts.start_us + (when * DAY_US).astype(np.int64)
    pushes = Pushes(np.full(n, norad_id), epoch_us, dv, *np.ascontiguousarray(late.T))
    arc = np.array(life.arcs, np.float64).reshape(-1, 4)
    edges = [facts.start_us + (arc[:, i] * DAY_US).astype(np.int64) for i in (0, 1)]
    arcs = Arcs(np.full(len(arc), norad_id), edges[0], edges[1], arc[:, 2].copy(), arc[:, 3].copy())
    return pushes, arcs, Placed(np.array([norad_id]), np.array([life.ahead_deg]))


def _few(rng: Generator, begin: float, end: float) -> list[float]:
    """One to three days, without rhythm."""
    count = 1 + min(int(rng.poisson((end - begin) / 70.0)), 2)
    return sorted(float(day) for day in rng.uniform(begin, end, count))
