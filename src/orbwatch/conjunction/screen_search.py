"""Search of one chunk of nodes: from states to approaches refined on the exact propagator. Called by `screen`."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8, UInt32

from orbwatch.conjunction import approach_kernel, screen_kernel, survey_kernel
from orbwatch.conjunction.screen_grid import BIN_KM, LOWEST_KM, radial_bins
from orbwatch.conjunction.tca import pair_states, range_rate, refine_tca
from orbwatch.constants import WGS72_MU_KM3_S2 as MU
from orbwatch.propagate.sgp4 import Sgp4Catalog

STEP_S = 180
STEP_US = STEP_S * 1_000_000
CHUNK_NODES = 20  # an hour: a fraction of a second of work, 29 MB of states for 27,000 objects
_POLYNOMIAL_KM = 0.3  # margin for the Hermite polynomial
_OVERLAP_S = 1.0  # intervals overlap by this much, so that rounding cannot lose a minimum at their common end
SLOW_KM_S = 0.050  # pairs slower than this: SGP4's velocities and positions place a minimum differently, by seconds
SLOW_OVERLAP_S = 30.0
SLOW_SAME_S = 60.0  # true minima of one pair are hundreds of seconds apart
SWEEP_RAD_S = 1.23e-3  # objects that turn faster stay out of the grid: eccentric orbits at a low perigee
_BINS = 256
_FAST_REACH_S = 2.0
_SAMPLES = 49  # exact states in an interval, for objects that fail within it


@dataclass(frozen=True, eq=False)
class Found:
    """Approaches of one chunk of nodes, rows of the propagated catalogue."""

    node: Int[np.ndarray, " k"]
    first: Int[np.ndarray, " k"]
    second: Int[np.ndarray, " k"]
    tca_us: Int[np.ndarray, " k"]
    after_us_s: Float[np.ndarray, " k"]  # the exact time less tca_us
    states: Float[np.ndarray, "4 k 3"]


@dataclass(frozen=True, eq=False)
class Task:
    """What one chunk needs: the question, and the window in nodes."""

    catalog: Sgp4Catalog
    role: UInt8[np.ndarray, " n"]  # 1: in the first list, 2: in the second, 4: in the short list
    few: Int[np.ndarray, " m"] | None
    reach_km: float
    start_us: int
    end_us: int
    grid: tuple[Int[np.ndarray, "g g g"], UInt32[np.ndarray, " c"], UInt32[np.ndarray, " d"]]
    width: float


def search(task: Task, base: int, first_node: int, last_node: int) -> tuple[Found, Int[np.ndarray, " pairs"] | None]:
    """Approaches near the nodes first_node .. last_node (counted in steps since 1970), times counted from node `base`.

    Also the pairs that stay below the threshold near all of these nodes, as far as they lie in the window; None when
    none does.
    """
    catalog, base_us = task.catalog, base * STEP_US
    nodes = np.arange(first_node - 1, last_node + 2)
    rv, status = catalog.nodes(base_us, (nodes - base) * float(STEP_S))
    doubt = np.empty(status.shape)
    survey_kernel.survey(rv, status, float(STEP_S), doubt)
    half_s = 0.5 * STEP_S
    swell = 1.0 / (1.0 - 2.2 * MU * half_s**2 / screen_kernel.DEEPEST_KM**3)
    common = (rv, doubt, half_s, task.reach_km, swell, task.role, catalog.norad_id)
    if task.few is not None:
        pairs = screen_kernel.few_against_all(*common, task.few)
    else:
        radius = np.sqrt(np.einsum("dn,dn->n", rv[1, :3], rv[1, :3]))
        bins = radial_bins(radius, _BINS)
        cap = SWEEP_RAD_S * half_s
        pairs = screen_kernel.all_against_all(*common, task.width, cap, *task.grid, bins, LOWEST_KM, BIN_KM)
    swapped = catalog.norad_id[pairs[:, 1]] > catalog.norad_id[pairs[:, 2]]
    pairs[swapped, 1:] = pairs[swapped, :0:-1]
    window = [(task.start_us + STEP_US // 2) // STEP_US, (task.end_us - 1 + STEP_US // 2) // STEP_US]
    edges = [(us - node * STEP_US) / STEP_US for us, node in zip((task.start_us, task.end_us), window, strict=True)]
    row, offset, close, lost = approach_kernel.minima(
        rv, doubt, pairs, float(STEP_S), task.reach_km + _POLYNOMIAL_KM, _OVERLAP_S, SLOW_OVERLAP_S,
        window[0] - nodes[0], edges[0], window[1] - nodes[0], edges[1],
    )  # fmt: skip
    first, second = pairs[:, 1].astype(np.int64), pairs[:, 2].astype(np.int64)
    time_s = (nodes[pairs[:, 0]] - base) * float(STEP_S)
    if len(lost):
        more, more_offset = sampled(catalog, base_us, first[lost], second[lost], time_s[lost], task.reach_km)
        row, offset = np.concatenate([row, lost[more]]), np.concatenate([offset, more_offset])
    found = _exact(catalog, base_us, nodes[pairs[row, 0]], first[row], second[row], time_s[row] + offset)
    miss = np.linalg.norm(found.states[2] - found.states[0], axis=1)
    near = nodes[pairs[close, 0]]
    close = close[(near >= window[0]) & (near <= window[1])]
    inside = np.count_nonzero((nodes[1:-1] >= window[0]) & (nodes[1:-1] <= window[1]))
    stay, times = np.unique(first[close] * len(catalog) + second[close], return_counts=True)
    return select(found, miss < task.reach_km + 1e-3), stay[times == inside] if inside else None


def sampled(
    catalog: Sgp4Catalog,
    base_us: int,
    first: Int[np.ndarray, " p"],
    second: Int[np.ndarray, " p"],
    time_s: Float[np.ndarray, " p"],
    reach_km: float,
) -> tuple[Int[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Minima in the intervals around time_s of pairs with a state in doubt: exact states, closely sampled.

    Returns pair numbers and offsets from the node (s) of linear interpolations of the range rate's zeros.
    """
    half_s = 0.5 * STEP_S + SLOW_OVERLAP_S
    pairs, shape = np.arange(len(first)), (0, _SAMPLES)
    offset, rate, near = np.zeros(_SAMPLES), np.zeros(shape), np.zeros(shape, bool)
    for samples in (_SAMPLES // 4, _SAMPLES):  # a coarse look first: most of these pairs are nowhere near
        offset, shape = np.linspace(-half_s, half_s, samples), (len(pairs), samples)
        i, j = np.repeat(first[pairs], samples), np.repeat(second[pairs], samples)
        states, exist = pair_states(catalog, i, j, base_us, (time_s[pairs][:, None] + offset).ravel())
        rate = np.where(exist, range_rate(states)[0], np.nan).reshape(shape)
        distance, speed = (np.linalg.norm(states[n + 2] - states[n], axis=1) for n in (0, 1))
        # as near as it can come within half a spacing at this speed, and 0.02 km/s^2 of relative acceleration
        half_spacing_s = half_s / (samples - 1)
        lowest = distance - half_spacing_s * (speed + 0.01 * half_spacing_s)
        near = (np.where(exist, lowest, np.inf) < reach_km).reshape(shape)
        kept = near.any(axis=1)
        pairs, rate, near = pairs[kept], rate[kept], near[kept]
    row, at = np.nonzero((rate[:, :-1] < 0.0) & (rate[:, 1:] >= 0.0) & (near[:, :-1] | near[:, 1:]))
    before, after = rate[row, at], rate[row, at + 1]
    return pairs[row], offset[at] + (offset[1] - offset[0]) * before / (before - after)


def _exact(
    catalog: Sgp4Catalog,
    base_us: int,
    node: Int[np.ndarray, " k"],
    first: Int[np.ndarray, " k"],
    second: Int[np.ndarray, " k"],
    guess_s: Float[np.ndarray, " k"],
) -> Found:
    """The minima near the guesses, on the exact propagator."""
    states, exist = pair_states(catalog, first, second, base_us, guess_s)
    slow = exist & (np.linalg.norm(states[3] - states[1], axis=1) < SLOW_KM_S)
    refined = refine_tca(catalog, first, second, base_us, guess_s, np.where(slow, SLOW_SAME_S / 2.0, _FAST_REACH_S))
    tca_s = np.where(refined.converged, refined.tca_s, guess_s)
    # A slow pair whose range rate, by SGP4's velocities, does not turn nearby keeps the minimum of its positions.
    states = np.where(refined.converged[:, None], refined.states, states)
    whole = np.rint(tca_s * 1e6)
    found = Found(node, first, second, base_us + whole.astype(np.int64), tca_s - whole * 1e-6, states)
    return select(found, refined.converged | slow)


def select(found: Found, index: Bool[np.ndarray, " k"] | Int[np.ndarray, " m"]) -> Found:
    arrays = {f.name: getattr(found, f.name)[index] for f in fields(found) if f.name != "states"}
    return Found(**arrays, states=found.states[:, index])


def join(parts: list[Found]) -> Found:
    arrays = {
        f.name: np.concatenate([getattr(part, f.name) for part in parts], axis=1 if f.name == "states" else 0)
        for f in fields(Found)
    }
    return Found(**arrays)
