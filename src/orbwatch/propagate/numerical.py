"""Numerical propagation: Taylor integration of a chosen force model, many objects, with dense output and transitions.

The integrator is heyoka's adaptive Taylor method (Biscani & Izzo 2021, MNRAS 504, 2614): every requested time is read
from the step's own polynomial, so output is as exact as the steps and costs next to nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import heyoka as hy
import numpy as np
from jaxtyping import Float, UInt8

from orbwatch.errors import InputError
from orbwatch.propagate.forces import SEGMENT_S, ForceModel, environment, equations

_TOLERANCE = 1e-14  # of each Taylor step, relative
_MOST_STEPS = 200_000  # in one segment
_LOCK = threading.Lock()  # one compiled integrator per model holds one state


@dataclass(frozen=True)
class Spacecraft:
    """What the forces on a surface need."""

    ballistic_m2_kg: float = 0.01
    """Drag coefficient x area / mass."""
    radiation_m2_kg: float = 0.01
    """Radiation pressure coefficient x area / mass."""


@dataclass(frozen=True)
class Thrust:
    """Thrust that stays the same, along the axes of the moving object, over one stretch of time."""

    start_s: float
    """Seconds from the start of the propagation."""
    duration_s: float
    acceleration_rtn_km_s2: tuple[float, float, float]
    """Radial, along-track, cross-track, km/s2."""


@dataclass(frozen=True, eq=False)
class Trajectory:
    """States of n objects at m offsets; NaN from where an object fails."""

    r_gcrf_km: Float[np.ndarray, "n m 3"]
    v_gcrf_km_s: Float[np.ndarray, "n m 3"]
    stm: Float[np.ndarray, "n m 6 6"] | None
    """State transition from the start: d(r, v at the offset) / d(r, v at the start), km and km/s."""
    status: UInt8[np.ndarray, " n"]
    """0 complete, 1 below 80 km, 2 the integration failed."""


def propagate(
    r_gcrf_km: Float[np.ndarray, "n 3"],
    v_gcrf_km_s: Float[np.ndarray, "n 3"],
    start_us: int,
    offsets_s: Float[np.ndarray, " m"],
    force: ForceModel | None = None,
    spacecraft: Spacecraft | Sequence[Spacecraft] | None = None,
    stm: bool = False,
    thrusts: Sequence[Sequence[Thrust]] | None = None,
) -> Trajectory:
    """States at `offsets_s` (SI seconds from the start, any order and sign) of objects that all start at `start_us`.

    start_us: UTC microseconds since 1970. force: None is the full default model. spacecraft: one for all, or one each;
    None: 0.01 m2/kg for drag and radiation. stm: also integrate the state transition matrices, at about ten times the
    work (a field of low degree is enough for most uses of them). thrusts: those of each object; the integration is
    cut where one begins or ends, and they add up where they overlap. Raises InputError for unequal counts, states or
    offsets that are not finite, and times before the tables of the environment.
    """
    force = force or ForceModel()
    if thrusts is None:
        thrusts = [()] * len(r_gcrf_km)
    elif not force.thrust:
        force = replace(force, thrust=True)
    if len(thrusts) != len(r_gcrf_km):
        raise InputError("thrusts of every object", field="thrusts", value=len(thrusts), legal=str(len(r_gcrf_km)))
    crafts = [spacecraft or Spacecraft()] * len(r_gcrf_km) if not isinstance(spacecraft, Sequence) else spacecraft
    if len(crafts) != len(r_gcrf_km):
        raise InputError("one spacecraft per object", field="spacecraft", value=len(crafts), legal=str(len(r_gcrf_km)))
    start = np.concatenate([r_gcrf_km, v_gcrf_km_s], axis=1)
    if not (np.isfinite(start).all() and np.isfinite(offsets_s).all()):
        raise InputError("states and offsets must be finite numbers", field="r_gcrf_km, v_gcrf_km_s, offsets_s")
    width = 42 if stm else 6
    out = np.full((len(start), len(offsets_s), width), np.nan)
    status = np.zeros(len(start), np.uint8)
    with _LOCK:
        for i, craft in enumerate(crafts):
            initial = np.concatenate([start[i], np.eye(6).ravel()]) if stm else start[i]
            for forward in (True, False):
                rows = np.flatnonzero(offsets_s >= 0.0 if forward else offsets_s < 0.0)
                order = rows[np.argsort(offsets_s[rows] if forward else -offsets_s[rows], kind="stable")]
                out[i, order], failed = _one_way(force, craft, thrusts[i], initial, start_us, offsets_s[order], forward)
                status[i] = status[i] or failed
    transitions = out[..., 6:].reshape(len(start), len(offsets_s), 6, 6) if stm else None
    return Trajectory(out[..., :3].copy(), out[..., 3:6].copy(), transitions, status)


def _one_way(
    force: ForceModel,
    craft: Spacecraft,
    thrusts: Sequence[Thrust],
    state: Float[np.ndarray, " w"],
    start_us: int,
    offsets_s: Float[np.ndarray, " m"],
    forward: bool,
) -> tuple[Float[np.ndarray, "m w"], int]:
    """States at offsets ordered away from the start, a leg at a time, and the status."""
    out = np.full((len(offsets_s), len(state)), np.nan)
    if not len(offsets_s):
        return out, 0
    integrator = _integrator(force, len(state) > 6)
    sign = 1.0 if forward else -1.0
    edges_s = _edges(thrusts, offsets_s[-1], sign)
    leg = np.searchsorted(edges_s, sign * offsets_s, side="right") - 1
    for number in range(int(leg[-1]) + 1):
        entry_s, exit_s = sign * edges_s[number : number + 2]
        middle_s = (entry_s + exit_s) / 2.0
        begin_s = np.floor(middle_s / SEGMENT_S) * SEGMENT_S
        _set_up(integrator, force, craft, start_us + round(begin_s * 1e6))
        if force.thrust:
            integrator.pars[equations(force).slots["thrust"]] = _thrust_at(thrusts, middle_s)
        integrator.time = entry_s - begin_s
        integrator.state[:] = state
        _light(integrator, force)
        rows = np.flatnonzero(leg == number)
        grid = np.concatenate([[entry_s], offsets_s[rows], [exit_s] if number != leg[-1] else []]) - begin_s
        keep = np.append(True, np.diff(grid) != 0.0)  # the integrator wants strictly monotonic times
        result = integrator.propagate_grid(grid[keep], max_steps=_MOST_STEPS)
        states = np.asarray(result[-1])
        finite = np.isfinite(states).all(axis=1)
        reached = len(states) if finite.all() else int(np.argmin(finite))
        made = np.full((int(keep.sum()), len(state)), np.nan)
        made[:reached] = states[:reached]
        out[rows] = made[np.cumsum(keep) - 1][1 : 1 + len(rows)]
        if reached < len(made):
            return out, 1 if result[0] == _DOWN else 2
        state = made[-1]
    return out, 0


def _edges(thrusts: Sequence[Thrust], last_s: float, sign: float) -> Float[np.ndarray, " k"]:
    """Where legs begin and end, in seconds away from the start: 0, segments and thrusts, past the last offset."""
    segments = np.arange(np.floor(sign * last_s / SEGMENT_S) + 2.0) * SEGMENT_S
    switched = [[thrust.start_s, thrust.start_s + thrust.duration_s] for thrust in thrusts]
    away = sign * np.array(switched).ravel()
    return np.unique(np.concatenate([segments, away[(away > 0.0) & (away < segments[-1])]]))


def _thrust_at(thrusts: Sequence[Thrust], time_s: float) -> Float[np.ndarray, "3"]:
    on = [t.acceleration_rtn_km_s2 for t in thrusts if t.start_s <= time_s < t.start_s + t.duration_s]
    total: Float[np.ndarray, "3"] = np.array([(0.0, 0.0, 0.0), *on]).sum(axis=0)
    return total


_DOWN = hy.taylor_outcome(-1)  # stopped by the first terminal event: 80 km


@lru_cache(maxsize=16)
def _integrator(force: ForceModel, stm: bool) -> Any:
    """The compiled integrator of a model; heavy to make, so kept."""
    made = equations(force)
    system = hy.var_ode_sys(made.system, hy.var_args.vars, order=1) if stm else made.system
    events = [hy.t_event(made.altitude, direction=hy.event_direction.negative)]
    if made.sunlight is not None:
        lit = made.slots["lit"].start

        def switch(integrator: Any, sign: int) -> bool:
            integrator.pars[lit] = 1.0 if sign > 0 else 0.0
            return True

        events.append(hy.t_event(made.sunlight, callback=switch))
    return hy.taylor_adaptive(system, state=np.full(6, 1.0), tol=_TOLERANCE, compact_mode=True, t_events=events)


def _set_up(integrator: Any, force: ForceModel, craft: Spacecraft, begin_us: int) -> None:
    """The environment of one segment, and the spacecraft; nothing is left of the object before."""
    integrator.reset_cooldowns()
    integrator.pars[:] = _environment(force, begin_us)
    slots = equations(force).slots
    if "ballistic" in slots:
        integrator.pars[slots["ballistic"]] = craft.ballistic_m2_kg
    if "radiation" in slots:
        integrator.pars[slots["radiation"]] = craft.radiation_m2_kg


@lru_cache(maxsize=256)
def _environment(force: ForceModel, begin_us: int) -> Float[np.ndarray, " parameters"]:
    return environment(force, begin_us)


def _light(integrator: Any, force: ForceModel) -> None:
    """Whether the segment begins in sunlight; crossings on the way are the event's."""
    made = equations(force)
    if made.sunlight is not None:
        used = integrator.pars[: made.slots["sun_z"].stop]
        height = _sunlight(force)(integrator.state[:3], pars=used, time=integrator.time)
        integrator.pars[made.slots["lit"]] = 1.0 if height[0] > 0.0 else 0.0


@lru_cache(maxsize=32)
def _sunlight(force: ForceModel) -> Any:
    made = equations(force)
    return hy.cfunc([made.sunlight], vars=hy.make_vars("x", "y", "z"))
