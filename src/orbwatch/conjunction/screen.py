"""Screening: every approach of every pair closer than a threshold, in a window of time.

Why nothing is missed. States are taken at nodes a step apart; s is half a step. Suppose two objects are closer than the
threshold D at a time within s of a node. Then, at that node:

1. *Radius.* Their radii differ by less than D then. Within s a radius leaves its value at the node by at most
   rho = |dr/dt| s + (|h^2/r^3 - mu/r^2| + p) s^2 / 2, enlarged by the factor 1 / (1 - 2.2 mu s^2 / r^3) because
   d^2r/dt^2 itself changes by at most 4 mu/r^3 per km; p bounds the perturbing pull. So [r1 - rho1, r1 + rho1 + D]
   and [r2 - rho2, r2 + rho2 + D] overlap: the one that begins lower reaches the other's beginning.
2. *Direction.* Within s a direction turns by at most h s / (r - rho)^2, and less than D apart above the ground the
   two directions differ by at most asin(D / 6378 km). So at the node their unit vectors differ by at most the sum,
   which is the width of a cell: they lie in neighboring cells. An object that turns faster than the cells allow for
   (an eccentric orbit at its perigee) is kept out of the grid and looks as many cells further as it needs.
3. *Straight line.* Relative acceleration is at most L = 2.03 mu/r^3 times the separation (gradient of gravity with the
   oblateness). At a time t before the approach the separation is at most D + V t, V <= (u + L D s) / (1 - L s^2 / 2)
   with u the relative speed at the node. So the straight line from the node comes within D + L s^2 (D/2 + V s/3),
   16 km at most for D = 5 km in low orbits (head-on).

1 and 2 choose the pairs of which 3 is computed. What passes gets a quintic Hermite polynomial through three nodes, all
of its minima in the interval, and for each of those below D + 0.3 km the exact propagator.

SGP4 is no solution of a force law, and its velocities are the derivative of its positions to 3e-5 km/s for half of a
real catalogue, but 2.5e-3 km/s for deep-space objects in resonance and more for objects about to fall. Therefore the
velocities of each object are integrated from node to node and compared with its positions: where they agree to 0.5 km,
the slack of 0.3 km per object in 1 and 3 covers it (and drag, and what is left out above), and the polynomial is good
to 0.15 km. Where they do not, where the step is too long for the orbit, and at the node after which or before which
SGP4 fails, the object is searched apart from the grid, with as much more slack as the disagreement, and its minima are
looked for on closely spaced exact states.

Nodes lie at whole multiples of the step since 1970, whatever the window, and a minimum that two intervals find at their
common end is one; so the outcome does not depend on the number of threads, and adjoining windows add up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from orbwatch.conjunction.screen_grid import sphere_cells
from orbwatch.conjunction.screen_kernel import DEEPEST_KM
from orbwatch.conjunction.screen_search import (
    CHUNK_NODES,
    SLOW_KM_S,
    SLOW_OVERLAP_S,
    SLOW_SAME_S,
    STEP_S,
    STEP_US,
    SWEEP_RAD_S,
    Found,
    Task,
    join,
    search,
    select,
)
from orbwatch.conjunction.tca import pair_states
from orbwatch.errors import InputError
from orbwatch.frames import rtn_matrix
from orbwatch.propagate.sgp4 import Sgp4Catalog

CO_MOVING_KM_S = 0.010

_SAME_S = 5.0  # minima of one pair nearer than this are one minimum, found from two nodes
_FEW = 48  # up to this many objects against all go without a grid


@dataclass(frozen=True, eq=False)
class Approaches:
    """Minima of the separation of pairs, in order of time; every array has one row per approach. Frame TEME."""

    start_us: int
    """Beginning of the window, UTC microseconds since 1970-01-01."""
    index_1: Int[np.ndarray, " k"]
    """Row of the first object in the catalogue."""
    index_2: Int[np.ndarray, " k"]
    norad_id_1: Int[np.ndarray, " k"]
    """Always the lower catalogue number."""
    norad_id_2: Int[np.ndarray, " k"]
    tca_s: Float[np.ndarray, " k"]
    """Time of closest approach, seconds after `start_us`."""
    miss_km: Float[np.ndarray, " k"]
    rel_speed_km_s: Float[np.ndarray, " k"]
    r1_teme_km: Float[np.ndarray, "k 3"]
    v1_teme_km_s: Float[np.ndarray, "k 3"]
    r2_teme_km: Float[np.ndarray, "k 3"]
    v2_teme_km_s: Float[np.ndarray, "k 3"]
    co_moving: Bool[np.ndarray, " k"]
    """Relative speed below 10 m/s: docked, in formation, or the same orbit. The time of the minimum is then soft."""

    def __len__(self) -> int:
        return len(self.tca_s)

    def __getitem__(self, index: Bool[np.ndarray, " k"] | Int[np.ndarray, " m"] | slice) -> Approaches:
        """The approaches of a boolean mask, an index array or a slice."""
        return replace(self, **{f.name: getattr(self, f.name)[index] for f in fields(self) if f.name != "start_us"})

    @property
    def tca_us(self) -> Int[np.ndarray, " k"]:
        """Time of closest approach, UTC microseconds since 1970-01-01."""
        out: Int[np.ndarray, " k"] = self.start_us + np.rint(self.tca_s * 1e6).astype(np.int64)
        return out


def screen(
    catalog: Sgp4Catalog,
    start_us: int,
    hours: float,
    threshold_km: float,
    *,
    first: Int[np.ndarray, " a"] | None = None,
    second: Int[np.ndarray, " b"] | None = None,
    box_rtn_km: tuple[float, float, float] | None = None,
    threads: int = 2,
    progress: Callable[[float], None] | None = None,
) -> Approaches:
    """Every minimum of the separation below threshold_km, of every pair, with start <= TCA < start + hours.

    start_us is UTC, microseconds since 1970. `first` and `second` are rows of the catalogue: pairs of one of `first`
    with one of `second` are looked at, each once; None means all. Rows with one catalogue number are one object: no
    pair. With box_rtn_km = (r, t, n) the threshold is not used: kept is what has |R| <= r, |T| <= t, |N| <= n at TCA,
    in the RTN frame of the object of `first` (of the lower catalogue number, when both are in it). Where SGP4 fails,
    an object is left out for those times only.

    Pairs with a relative speed below 10 m/s are marked `co_moving`; they too have one row per minimum, and a single row
    at the smallest separation when they stay below the threshold all through the window without any minimum in it.
    A minimum is where the range rate, with SGP4's velocities, turns positive: to a microsecond or so at km/s. (They are
    the derivative of its positions to some 1e-5 km/s, which moves minima of co-moving pairs by up to a second.)

    `progress` is called with the fraction done, from the calling thread. Raises InputError on values out of range.
    """
    _check(len(catalog), hours, threshold_km, first, second, box_rtn_km, threads)
    end_us = start_us + round(hours * 3.6e9)
    role = np.zeros(len(catalog), np.uint8)
    role[first if first is not None else slice(None)] |= 1
    role[second if second is not None else slice(None)] |= 2
    rows = np.flatnonzero(role)
    part = catalog if len(rows) == len(catalog) else catalog.take(rows)
    role = role[rows]
    short = min((np.flatnonzero(role & 1), np.flatnonzero(role & 2)), key=len)
    few = short if len(short) <= _FEW else None
    role[short] |= 4
    reach = threshold_km if box_rtn_km is None else float(np.linalg.norm(box_rtn_km))
    width = 2.0 * SWEEP_RAD_S * 0.5 * STEP_S + float(np.arcsin(reach / DEEPEST_KM))
    task = Task(part, role, few, reach, start_us, end_us, sphere_cells(width), width)
    found, close = _run(task, threads, progress)
    found = _once(found, len(part))
    found = select(found, (found.tca_us >= start_us) & (found.tca_us < end_us))
    found = join([found, _without_minimum(task, close, found)])
    keep = _within(found, role, reach, box_rtn_km)
    return _approaches(select(found, keep), rows, catalog.norad_id, start_us)


def _check(
    n: int,
    hours: float,
    threshold_km: float,
    first: Int[np.ndarray, " a"] | None,
    second: Int[np.ndarray, " b"] | None,
    box_rtn_km: tuple[float, float, float] | None,
    threads: int,
) -> None:
    if not 0.0 < hours <= 24.0 * 366:
        raise InputError("the window is out of range", field="hours", value=hours, legal="0 < hours <= 8784")
    if box_rtn_km is None and not 0.0 < threshold_km <= 1000.0:
        raise InputError(
            "the threshold is out of range", field="threshold_km", value=threshold_km, legal="0 < km <= 1000"
        )
    if box_rtn_km is not None and not (min(box_rtn_km) > 0.0 and np.linalg.norm(box_rtn_km) <= 1000.0):
        raise InputError(
            "the box is out of range",
            field="box_rtn_km",
            value=box_rtn_km,
            legal="half sides > 0, half diagonal <= 1000 km",
        )
    for name, rows in (("first", first), ("second", second)):
        if rows is not None and len(rows) and not (rows.min() >= 0 and rows.max() < n):
            raise InputError("no such row in the catalogue", field=name, value=int(rows.max()), legal=f"0 .. {n - 1}")
    if threads < 1:
        raise InputError("at least one thread is needed", field="threads", value=threads, legal=">= 1")


# ------------------------------------------------------------------------------------ chunks of nodes


def _run(task: Task, threads: int, progress: Callable[[float], None] | None) -> tuple[Found, Int[np.ndarray, " pairs"]]:
    """All chunks, at most `threads` at a time; approaches, and the pairs (first * n + second) close all the time."""
    reach_us = round((0.5 * STEP_S + SLOW_SAME_S + SLOW_OVERLAP_S) * 1e6)
    first_node = -((reach_us - task.start_us) // STEP_US)
    last_node = (task.end_us + reach_us) // STEP_US
    chunks = range(first_node // CHUNK_NODES, last_node // CHUNK_NODES + 1)
    done: list[Found] = []
    close: Int[np.ndarray, " pairs"] | None = None

    def pieces() -> Iterator[tuple[int, int, int]]:
        for chunk in chunks:
            base = chunk * CHUNK_NODES
            yield base, max(first_node, base), min(last_node, base + CHUNK_NODES - 1)

    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[tuple[Found, Int[np.ndarray, " pairs"] | None]]] = deque()
        try:
            for piece in [*pieces(), *[None] * threads]:
                if piece is not None:
                    waiting.append(pool.submit(search, task, *piece))
                if waiting and (piece is None or len(waiting) > threads):
                    found, stay = waiting.popleft().result()
                    done.append(found)
                    if stay is not None:
                        close = stay if close is None else np.intersect1d(close, stay)
                    if progress is not None:
                        progress(len(done) / len(chunks))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return join(done), np.zeros(0, np.int64) if close is None else close


# ------------------------------------------------------------------------------------ what was found


def _once(found: Found, n: int) -> Found:
    """One row per minimum: of those found from two nodes, the earlier node's."""
    pair = found.first * n + found.second
    order = np.lexsort((found.tca_us, pair))
    pair, tca_us = pair[order], found.tca_us[order]
    slow = np.linalg.norm(found.states[3] - found.states[1], axis=1)[order] < SLOW_KM_S
    gap_s = np.where(slow[1:] & slow[:-1], SLOW_SAME_S, _SAME_S)
    new = np.ones(len(order), bool)
    new[1:] = (pair[1:] != pair[:-1]) | (tca_us[1:] - tca_us[:-1] > gap_s * 1e6)
    group = np.cumsum(new)
    order = order[np.lexsort((tca_us, found.node[order], group))]
    return select(found, order[new])


def _without_minimum(task: Task, close: Int[np.ndarray, " pairs"], found: Found) -> Found:
    """Pairs below the threshold all through the window and without a minimum in it: the closer of both ends."""
    n = len(task.catalog)
    left = np.setdiff1d(close, found.first * n + found.second)
    first, second = np.divmod(left, n)
    ends = [(task.start_us, task.start_us), (task.end_us, task.end_us - 1)]
    sides = []
    for base_us, tca_us in ends:
        states, exist = pair_states(task.catalog, first, second, base_us, np.zeros(len(left)))
        miss = np.where(exist, np.linalg.norm(states[2] - states[0], axis=1), np.inf)
        slow = exist & (np.linalg.norm(states[3] - states[1], axis=1) < CO_MOVING_KM_S)
        at = np.full(len(left), tca_us)
        sides.append((Found(at // STEP_US, first, second, at, np.zeros(len(left)), states), miss, slow))
    (early, miss_early, slow_early), (late, miss_late, slow_late) = sides
    begins = miss_early <= miss_late
    return join([select(early, begins & slow_early), select(late, ~begins & slow_late)])


def _within(
    found: Found,
    role: UInt8[np.ndarray, " n"],
    reach_km: float,
    box_rtn_km: tuple[float, float, float] | None,
) -> Bool[np.ndarray, " k"]:
    """Whether each approach is within the sphere, or in the box of its first object."""
    r1, v1, r2, v2 = found.states
    if box_rtn_km is None:
        out: Bool[np.ndarray, " k"] = np.linalg.norm(r2 - r1, axis=1) < reach_km
        return out
    other = ((role[found.first] & 1) == 0)[:, None]
    matrix = rtn_matrix(np.where(other, r2, r1), np.where(other, v2, v1))
    relative = np.einsum("kab,kb->ka", matrix, np.where(other, r1 - r2, r2 - r1))
    inside: Bool[np.ndarray, " k"] = (np.abs(relative) <= np.array(box_rtn_km)).all(axis=1)
    return inside


def _approaches(
    found: Found, rows: Int[np.ndarray, " n"], norad_id: Int[np.ndarray, " m"], start_us: int
) -> Approaches:
    tca_s = (found.tca_us - start_us) * 1e-6 + found.after_us_s
    index_1, index_2 = rows[found.first], rows[found.second]
    id_1, id_2 = norad_id[index_1], norad_id[index_2]
    order = np.lexsort((id_2, id_1, tca_s))
    r1, v1, r2, v2 = found.states[:, order]
    speed = np.linalg.norm(v2 - v1, axis=1)
    return Approaches(
        start_us=start_us,
        index_1=index_1[order],
        index_2=index_2[order],
        norad_id_1=id_1[order],
        norad_id_2=id_2[order],
        tca_s=tca_s[order],
        miss_km=np.linalg.norm(r2 - r1, axis=1),
        rel_speed_km_s=speed,
        r1_teme_km=r1,
        v1_teme_km_s=v1,
        r2_teme_km=r2,
        v2_teme_km_s=v2,
        co_moving=speed < CO_MOVING_KM_S,
    )
