"""The smallest burn that takes the probability of an event below a threshold, and what it costs to come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from orbwatch.conjunction.what_if import Outcome, Surface, outcome, track

_REFINEMENTS = 30
_JUST_BELOW = 1e-3  # of the probability, relative: how far below a threshold a smallest burn takes it


@dataclass(frozen=True, eq=False)
class Least:
    """The smallest burn in one direction that takes the probability below a threshold, for each time of the burn."""

    threshold: float
    lead_h: Float[np.ndarray, " t"]
    dv_m_s: Float[np.ndarray, " t"]
    """NaN where none within the range does; 0 where the event is below it already."""
    found: Outcome
    """What these lead to, with the maximum probability."""


def least(made: Surface, threshold: float, sign: int) -> Least:
    """For each time of the burn the smallest |delta-v| of the sign (+1: forwards) with a probability <= threshold.

    The first crossing on the grid, refined on the exact outcome (to 0.1 % of the probability). With a probability that
    rises before it falls (the burn moves the object towards the other first) the crossing beyond the rise counts.
    """
    event, leads = made.event, made.lead_h * 3600.0
    path = track(event, leads)

    def tried(dv_m_s: Float[np.ndarray, " k"], rows: Int[np.ndarray, " k"], maximum: bool = False) -> Outcome:
        return outcome(event, sign * dv_m_s, leads[rows], execution_error=made.execution_error, threads=1,
                       maximum=maximum, path=path)  # fmt: skip

    every = np.arange(len(leads))
    side = np.flatnonzero(sign * made.dv_m_s > 0.0)
    side = side[np.argsort(np.abs(made.dv_m_s[side]), kind="stable")]
    steps = np.append(0.0, np.abs(made.dv_m_s[side]))
    pc = np.concatenate([tried(np.zeros(len(leads)), every).pc[None], made.pc[side]])
    below = pc <= threshold
    first = np.where(below.any(axis=0), below.argmax(axis=0), -1)
    dv = np.where(first == 0, 0.0, np.nan)
    rows = np.flatnonzero(first > 0)
    if len(rows):
        bracket = (steps[first[rows] - 1], steps[first[rows]])
        values = (pc[first[rows] - 1, rows], pc[first[rows], rows])
        dv[rows] = _crossing(lambda x, some: tried(x, rows[some]).pc, bracket, values, threshold)
    return Least(threshold, made.lead_h, sign * dv, tried(np.nan_to_num(dv), every, maximum=True))


def _crossing(
    pc_of: Callable[[Float[np.ndarray, " m"], Int[np.ndarray, " m"]], Float[np.ndarray, " m"]],
    bracket: tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]],
    values: tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]],
    threshold: float,
) -> Float[np.ndarray, " k"]:
    """Where the probability, above the threshold at the first end and not at the second, is just below it.

    False position on its logarithm with halved weights (the Illinois method: Dowell & Jarratt 1971, BIT 11, 168-174).
    """

    def over(pc: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        return np.asarray(np.log(np.maximum(np.nan_to_num(pc), 1e-300) / threshold) + _JUST_BELOW)

    (low, high), (up, down) = (end.copy() for end in bracket), (over(value) for value in values)
    active = np.arange(len(low))
    held = np.zeros(len(low))  # which end stayed last
    for _ in range(_REFINEMENTS):
        a, b, fa, fb = low[active], high[active], up[active], down[active]
        x = np.where(fa > fb, (a * fb - b * fa) / np.where(fa > fb, fb - fa, 1.0), b)
        f = over(pc_of(x, active))
        above = f > 0.0
        now = np.where(above, 1.0, -1.0)
        again = held[active] == now
        low[active], high[active] = np.where(above, x, a), np.where(above, b, x)
        up[active] = np.where(above, f, np.where(again, 0.5 * fa, fa))
        down[active] = np.where(above, np.where(again, 0.5 * fb, fb), f)
        held[active] = now
        done = np.abs(f) < 0.5 * _JUST_BELOW
        high[active[done]] = x[done]
        active = active[~done]
        if not len(active):
            break
    return high


@dataclass(frozen=True)
class Return:
    """What it costs to get back, m/s, the first burn included. Linear estimate: circular orbit, along-track burns."""

    orbit_m_s: float
    """To the old orbit, left ahead or behind: the same burn the other way, after the closest approach."""
    slot_m_s: float
    """And to the old place along it, in the given time after the closest approach."""
    left_km: float
    """How far ahead (+) or behind (-) the object stays without the second."""


def way_back(dv_m_s: float, lead_h: float, back_h: float) -> Return:
    """The cost of returning after the closest approach.

    A burn of dv along the track makes the object drift by -3 dv a second. Burned back at the closest approach it stays
    3 dv lead behind. To make that up within `back_h` the burn back is larger by x = lead / back, and taken back by a
    third burn of x dv at the end: |dv| (1 + (1 + x) + x) in all. (Clohessy & Wiltshire 1960, secular part.)
    """
    ratio = lead_h / back_h
    return Return(2.0 * abs(dv_m_s), 2.0 * abs(dv_m_s) * (1.0 + ratio), -3.0 * dv_m_s * 1e-3 * lead_h * 3600.0)
