"""Compiled loops of the screening: which pairs can come close around a node, and when (see `screen` for the proof).

All arrays are TEME, kilometres and seconds. `rv` is (m, 6, n): state of n objects at m nodes a fixed step apart.
"""

# Compiled with constants c35a2b80; renewed by tests/kernel_stamps.py
from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Integer, UInt8
from numba import njit

from orbwatch.constants import WGS72_MU_KM3_S2 as MU

# inner functions are compiled into the outer ones: no entry points, no cache of their own
INNER: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
Doubles = Float[np.ndarray, "..."]
Whole = Integer[np.ndarray, "..."]
Bytes = UInt8[np.ndarray, "..."]
Singles = Float32[np.ndarray, "..."]
Grid = tuple[Whole, Whole, Whole, Whole, Whole, Whole]

PERTURBATION = 4e-5  # km/s^2: more than 3 J2 mu / R^2, the largest radial pull of the Earth's oblateness
GRADIENT = 2.03  # x mu/r^3: the gradient of gravity, 2 for a point mass, 12 J2 / 2 = 0.7 % more for the oblateness
SLACK_KM = 0.3  # half of survey_kernel.ROUGH_KM, over half a step; and drag and rounding
DEEPEST_KM = 6378.0
LANES = 8
TINY = np.float32(1e-30)
SINGLE = 1e-6  # of the squared separation: sixteen roundings of single precision, in the squared miss
SINGLE_KM = 0.02  # rounding of positions to single precision, below the last bin
FAR_SINGLE_KM = 0.5  # and in it, up to a million km


@njit(**INNER)
def _reach(state: Doubles, half_s: float, swell: float, reach: Doubles) -> None:
    """Radius, its lowest and highest value and the bound of (angle swept)^2 over the half step either side, (4, n)."""
    for i in range(state.shape[1]):
        x, y, z, u, v, w = state[0, i], state[1, i], state[2, i], state[3, i], state[4, i], state[5, i]
        r2 = x * x + y * y + z * z
        r = np.sqrt(r2)
        per_r = 1.0 / r
        rv = x * u + y * v + z * w
        h2 = r2 * (u * u + v * v + w * w) - rv * rv
        climb = abs(rv) * per_r * half_s
        bend = 0.5 * half_s * half_s * (abs(h2 * per_r - MU) * per_r * per_r + PERTURBATION)
        rho = swell * (climb + bend) + SLACK_KM
        low2 = (r - rho) * (r - rho)
        reach[0, i] = r
        reach[1, i] = r - rho
        reach[2, i] = r + rho
        reach[3, i] = 1.02 * h2 * half_s * half_s / (low2 * low2)


@njit(**INNER)
def _gate2(low: float, speed: float, threshold: float, half_s: float, slack: float) -> float:
    """Square of the linear miss beyond which two objects stay above the threshold for half_s, either side of a node.

    Both are above the radius `low` and move at `speed` to each other at the node.
    """
    d = threshold + 2.0 * np.sqrt(2.0 * MU / low) * half_s
    dip = max(0.25, 1.0 - d * d / (4.0 * low * low))
    tide = GRADIENT * MU / (low * low * low * dip * np.sqrt(dip)) * half_s * half_s
    top_speed = (speed + tide * threshold / half_s) / (1.0 - 0.5 * tide)
    g = threshold + slack + tide * (0.5 * threshold + top_speed * half_s / 3.0)
    return g * g


@njit(fastmath={"contract"}, inline="always", **INNER)
def _linear_miss2(dx: float, dy: float, dz: float, du: float, dv: float, dw: float, half_s: float) -> float:
    """Square of the smallest separation within half_s, both ways, of linear relative motion."""
    b = abs(dx * du + dy * dv + dz * dw)
    c = dx * dx + dy * dy + dz * dz
    a = du * du + dv * dv + dw * dw
    t = min(half_s, b / (a + 1e-30))
    return c - t * (2.0 * b - a * t)


@njit(**INNER)
def _note(pairs: Whole, count: int, k: int, i: int, j: int, role: Bytes, identity: Whole) -> int:
    """Note the pair, unless it is one object with itself or not one of the first list with one of the second.

    Returns the new count, which runs on when `pairs` is full: the caller then repeats the node with more room. (An
    array that grew here would cost a reference count per test of the innermost loops.)
    """
    if identity[i] == identity[j] or not (((role[i] & 1) and (role[j] & 2)) or ((role[j] & 1) and (role[i] & 2))):
        return count
    if count < len(pairs):
        pairs[count, 0], pairs[count, 1], pairs[count, 2] = k, i, j
    return count + 1


@njit(**INNER)
def _room(pairs: Whole, kept: int, wanted: int) -> Whole:
    """`pairs` with room for `wanted` and as many again, the first `kept` rows kept."""
    out = np.empty((2 * wanted, 3), np.int32)
    for row in range(kept):  # not by slices: numba takes five seconds to compile their errors
        for column in range(3):
            out[row, column] = pairs[row, column]
    return out


@njit(**INNER)
def _confirm(
    k: int, state: Doubles, reach: Doubles, doubt: Doubles, i: int, j: int, half_s: float, threshold: float,
    role: Bytes, identity: Whole, pairs: Whole, count: int,
) -> int:  # fmt: skip
    """Note the pair if its linear miss, in double precision and with its own relative speed, passes the gate."""
    du, dv, dw = state[3, j] - state[3, i], state[4, j] - state[4, i], state[5, j] - state[5, i]
    miss2 = _linear_miss2(
        state[0, j] - state[0, i], state[1, j] - state[1, i], state[2, j] - state[2, i], du, dv, dw, half_s
    )
    speed = np.sqrt(du * du + dv * dv + dw * dw)
    slack = 2.0 * SLACK_KM + doubt[i] + doubt[j]
    if miss2 <= _gate2(min(reach[1, i], reach[1, j]), speed, threshold, half_s, slack):
        return _note(pairs, count, k, i, j, role, identity)
    return count


@njit(**INNER)
def _few(
    k: int, state: Doubles, doubt: Doubles, reach: Doubles, half_s: float, threshold: float, role: Bytes,
    identity: Whole, few: Whole, pairs: Whole, count: int,
) -> int:  # fmt: skip
    for i in few:
        if np.isnan(doubt[i]):
            continue
        low, high = reach[1, i] - threshold - doubt[i], reach[2, i] + threshold + doubt[i]
        for j in range(len(doubt)):
            # NaN, where there is no state, fails both; of two in the short list, one finds the other
            if reach[1, j] - doubt[j] <= high and reach[2, j] + doubt[j] >= low and not (role[j] & 4 and j < i):
                count = _confirm(k, state, reach, doubt, i, j, half_s, threshold, role, identity, pairs, count)
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def few_against_all(
    rv: Doubles, doubt: Doubles, half_s: float, threshold: float, swell: float, role: Bytes, identity: Whole, few: Whole
) -> Whole:
    """(node, i, j) whose linear miss passes the gate, i in `few`, j any object: for short lists, without a grid.

    `role` has bit 1 for objects of the first list, 2 for the second, 4 for those in `few`.
    """
    m, n = doubt.shape
    pairs = np.empty((1024, 3), np.int32)
    count = np.int64(0)
    reach = np.empty((4, n))
    for k in range(1, m - 1):
        _reach(rv[k], half_s, swell, reach)
        while True:
            after = _few(k, rv[k], doubt[k], reach, half_s, threshold, role, identity, few, pairs, count)
            if after <= len(pairs):
                break
            pairs = _room(pairs, count, after)
        count = after
    return pairs[:count]


@njit(**INNER)
def _place(
    state: Doubles, doubt: Doubles, reach: Doubles, threshold: float, width: float, cap: float, cells: Whole,
    bins: Whole, bin0: float, bin_km: float, n_bins: int, grid: Grid, sorted_state: Singles,
) -> int:  # fmt: skip
    """Sort the objects of one node by cell and radial bin; those in doubt or too fast for the grid into a list apart.

    Fills `grid` and `sorted_state` (6, n + LANES); returns how many objects are in the list.
    """
    start, who, s_bin, s_top, slot, fast = grid
    n = len(doubt)
    last = len(bins) - 1
    per_width = 1.0 / width
    per_bin = 1.0 / bin_km
    start[:] = 0
    n_fast = 0
    for i in range(n):
        slot[i] = -1
        if np.isnan(doubt[i]):
            continue
        if doubt[i] > 0.0 or reach[3, i] > cap * cap:
            fast[n_fast] = i
            n_fast += 1
            continue
        scale = per_width / reach[0, i]
        x, y, z = state[0, i] * scale + per_width, state[1, i] * scale + per_width, state[2, i] * scale + per_width
        slot[i] = cells[int(x), int(y), int(z)] * n_bins + bins[min(last, max(0, int((reach[1, i] - bin0) * per_bin)))]
        start[slot[i]] += 1
    total = np.uint32(0)
    for s in range(len(start)):
        total += start[s]
        start[s] = total
    for i in range(n - 1, -1, -1):
        if slot[i] >= 0:
            start[slot[i]] -= 1
            who[start[slot[i]]] = i
    for p in range(total):
        i = who[p]
        s_bin[p] = slot[i] % n_bins
        s_top[p] = bins[min(last, max(0, int((reach[2, i] + threshold - bin0) * per_bin)))] + 1
        for d in range(6):
            sorted_state[d, p] = state[d, i]
    return n_fast


@njit(fastmath={"contract"}, **INNER)
def _any_close(
    x: Singles,
    y: Singles,
    z: Singles,
    u: Singles,
    v: Singles,
    w: Singles,
    at: int,
    own: tuple[Any, ...],
    gate2: Any,
) -> bool:
    """Whether the linear miss of any of the LANES objects from `at` on is within the gate: one pass of vector code."""
    px, py, pz, pu, pv, pw, half_s = own
    hits = np.int32(0)
    for lane in range(LANES):
        o = at + np.uint32(lane)
        dx, dy, dz, du, dv, dw = x[o] - px, y[o] - py, z[o] - pz, u[o] - pu, v[o] - pv, w[o] - pw
        b = abs(dx * du + dy * dv + dz * dw)
        c = dx * dx + dy * dy + dz * dz
        a = du * du + dv * dv + dw * dw
        t = min(half_s, b / (a + TINY))
        hits = np.int32(hits | np.int32(c - t * (b + b - a * t) <= gate2))
    return bool(hits > 0)


@njit(**INNER)
def _neighbors(
    k: int, state: Doubles, reach: Doubles, doubt: Doubles, half_s: float, threshold: float, near_from: Whole,
    near: Whole, gates: Singles, role: Bytes, identity: Whole, grid: Grid, sorted_state: Singles, pairs: Whole,
    count: int,
) -> int:  # fmt: skip
    """Pairs of the grid, each once: the partner's lowest radius is in a higher bin, or in the same bin further on."""
    start, who, s_bin, s_top = grid[:4]
    x, y, z = sorted_state[0], sorted_state[1], sorted_state[2]
    u, v, w = sorted_state[3], sorted_state[4], sorted_state[5]
    half = np.float32(half_s)
    n_bins = np.uint32(len(gates))
    row, row_above = np.empty(27, np.uint32), np.empty(27, np.uint32)
    hit = np.empty((0, 3), np.uint32)
    # unsigned indices: numba would test signed ones for being negative, in the innermost loops
    for a in range(np.uint32(len(near_from) - 1)):
        first, beyond = start[a * n_bins], start[(a + np.uint32(1)) * n_bins]
        if first == beyond:
            continue
        # hits are noted and looked at later: a call in the innermost loop would cost it its registers
        hits, rows = np.uint32(0), np.uint32(0)
        for q in range(near_from[a], near_from[a + np.uint32(1)]):
            b = near[q]
            if b != a and start[b * n_bins] != start[(b + np.uint32(1)) * n_bins]:
                row[rows] = b * n_bins
                row_above[rows] = b * n_bins + (np.uint32(1) if b < a else np.uint32(0))
                rows += np.uint32(1)
        room = (beyond - first) * (start[len(start) - 1] // np.uint32(LANES) + np.uint32(28))
        if len(hit) < room:
            hit = np.empty((room, 3), np.uint32)
        for p in range(first, beyond):
            own = (x[p], y[p], z[p], u[p], v[p], w[p], half)
            lowest, highest, gate2 = s_bin[p], s_top[p], gates[s_bin[p]]
            begin, end = p + np.uint32(1), start[a * n_bins + highest]
            for q in range(rows + np.uint32(1)):
                if q > 0:
                    begin, end = start[row_above[q - np.uint32(1)] + lowest], start[row[q - np.uint32(1)] + highest]
                for block in range(begin, end, np.uint32(LANES)):
                    if _any_close(x, y, z, u, v, w, block, own, gate2):
                        hit[hits, 0], hit[hits, 1], hit[hits, 2] = p, block, end
                        hits += np.uint32(1)
        for h in range(hits):
            p, block, end = hit[h, 0], hit[h, 1], hit[h, 2]
            for o in range(block, min(block + np.uint32(LANES), end)):
                count = _confirm(
                    k, state, reach, doubt, who[p], who[o], half_s, threshold, role, identity, pairs, count
                )
    return count


@njit(**INNER)
def _outside(x: float, index: int, width: float) -> float:
    """How far x in [-1, 1] is outside the cell of that index along one axis."""
    low = index * width - 1.0
    return max(0.0, low - x, x - low - width)


@njit(**INNER)
def _visitors(
    k: int, state: Doubles, reach: Doubles, doubt: Doubles, half_s: float, threshold: float, width: float, cap: float,
    cells: Whole, gates: Singles, role: Bytes, identity: Whole, grid: Grid, sorted_state: Singles, n_fast: int,
    pairs: Whole, count: int,
) -> int:  # fmt: skip
    """Pairs of the fast objects: against the grid as far as they and the other can get, and against each other."""
    start, who, _, _, _, fast = grid
    x, y, z = sorted_state[0], sorted_state[1], sorted_state[2]
    u, v, w = sorted_state[3], sorted_state[4], sorted_state[5]
    g = cells.shape[0]
    n_bins = len(gates)
    for f in range(n_fast):
        i = fast[f]
        r = reach[0, i]
        ux, uy, uz = state[0, i] / r, state[1, i] / r, state[2, i] / r
        own = (
            np.float32(state[0, i]), np.float32(state[1, i]), np.float32(state[2, i]),
            np.float32(state[3, i]), np.float32(state[4, i]), np.float32(state[5, i]), np.float32(half_s),
        )  # fmt: skip
        far = np.sqrt(reach[3, i]) - cap + width + doubt[i] / reach[1, i]
        gate2 = np.float32((np.sqrt(gates[0]) + doubt[i]) ** 2)
        ring = int(np.ceil(far / width))
        ix, iy, iz = int((ux + 1.0) / width), int((uy + 1.0) / width), int((uz + 1.0) / width)
        for jx in range(max(0, ix - ring), min(g, ix + ring + 1)):
            for jy in range(max(0, iy - ring), min(g, iy + ring + 1)):
                for jz in range(max(0, iz - ring), min(g, iz + ring + 1)):
                    c = cells[jx, jy, jz]
                    ox, oy, oz = _outside(ux, jx, width), _outside(uy, jy, width), _outside(uz, jz, width)
                    if c < 0 or ox * ox + oy * oy + oz * oz > far * far:
                        continue
                    # its own lowest radius may be above the partner's: the widest gate is that of the lowest bin
                    beyond = start[(c + 1) * n_bins]
                    for block in range(start[c * n_bins], beyond, np.uint32(LANES)):
                        if _any_close(x, y, z, u, v, w, block, own, gate2):
                            for o in range(block, min(block + np.uint32(LANES), beyond)):
                                count = _confirm(
                                    k, state, reach, doubt, i, who[o], half_s, threshold, role, identity, pairs, count
                                )
        for e in range(f):
            count = _confirm(k, state, reach, doubt, i, fast[e], half_s, threshold, role, identity, pairs, count)
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def all_against_all(
    rv: Doubles, doubt: Doubles, half_s: float, threshold: float, swell: float, role: Bytes, identity: Whole,
    width: float, cap: float, cells: Whole, near_from: Whole, near: Whole, bins: Whole, bin0: float, bin_km: float,
) -> Whole:  # fmt: skip
    """(node, i, j) whose linear miss passes the gate, by a grid over directions with sorted radii in each cell.

    `cells` (g, g, g) numbers the cubes of edge `width` that the unit sphere meets; the neighbors of cell c are
    near[near_from[c]:near_from[c + 1]]. `bins` maps (radius - bin0) / bin_km to a radial bin, not decreasing. Objects
    in `doubt`, or that sweep more than the angle `cap` in the half step (fast perigee passes), stay out of the grid and
    look further.
    """
    m, n = doubt.shape
    n_bins = int(bins[-1]) + 1
    pairs = np.empty((4096, 3), np.int32)
    count = np.int64(0)
    reach = np.empty((4, n))
    grid = (
        np.empty((len(near_from) - 1) * n_bins + 1, np.uint32), np.empty(n, np.int32), np.empty(n, np.uint32),
        np.empty(n, np.uint32), np.empty(n, np.int32), np.empty(n, np.int32),
    )  # fmt: skip
    sorted_state = np.zeros((6, n + LANES), np.float32)
    gates = np.empty(n_bins, np.float32)
    for k in range(1, m - 1):
        for t in range(len(bins) - 1, -1, -1):
            low = bin0 + t * bin_km
            top_speed = 2.0 * np.sqrt(2.0 * MU / low)
            rounding = SINGLE_KM if t < len(bins) - 1 else FAR_SINGLE_KM
            gate2 = _gate2(low, top_speed, threshold, half_s, 2.0 * SLACK_KM + rounding)
            gates[bins[t]] = gate2 + SINGLE * (threshold + top_speed * half_s) ** 2
        _reach(rv[k], half_s, swell, reach)
        n_fast = _place(
            rv[k], doubt[k], reach, threshold, width, cap, cells, bins, bin0, bin_km, n_bins, grid, sorted_state
        )
        while True:
            after = _neighbors(
                k, rv[k], reach, doubt[k], half_s, threshold, near_from, near, gates, role, identity, grid,
                sorted_state, pairs, count,
            )  # fmt: skip
            after = _visitors(
                k, rv[k], reach, doubt[k], half_s, threshold, width, cap, cells, gates, role, identity, grid,
                sorted_state, n_fast, pairs, after,
            )  # fmt: skip
            if after <= len(pairs):
                break
            pairs = _room(pairs, count, after)
        count = after
    return pairs[:count]
