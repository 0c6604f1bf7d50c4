"""Compiled loops of the screening: which pairs can come close around a node, and when (see `screen` for the proof).

All arrays are TEME, kilometres and seconds. `rv` is (m, 6, n): state of n objects at m nodes a fixed step apart.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer, UInt8
from numba import njit

Doubles = Float[np.ndarray, "..."]
Whole = Integer[np.ndarray, "..."]
Bytes = UInt8[np.ndarray, "..."]
Grid = tuple[Whole, Whole, Whole, Whole, Doubles, Whole, Whole]

MU = 398600.8  # WGS-72, as SGP4
_J2_TERM = 1.5 * 1.082616e-3 * 6378.135**2  # 3/2 J2 R^2
PERTURBATION = 4e-5  # km/s^2: more than 3 J2 mu / R^2, the largest radial pull of the Earth's oblateness
GRADIENT = 2.03  # x mu/r^3: the gradient of gravity, 2 for a point mass, 12 J2 / 2 = 0.7 % more for the oblateness
SLACK_KM = 0.1  # SGP4's velocity against the derivative of its position, drag, and rounding
DEEPEST_KM = 6378.0


@njit(cache=True, nogil=True, error_model="numpy")
def _acceleration(x: float, y: float, z: float) -> tuple[float, float, float]:
    r2 = x * x + y * y + z * z
    g = -MU / (r2 * np.sqrt(r2))
    j = _J2_TERM / r2
    k = 5.0 * z * z / r2
    return g * x * (1.0 + j * (1.0 - k)), g * y * (1.0 + j * (1.0 - k)), g * z * (1.0 + j * (3.0 - k))


@njit(cache=True, nogil=True, error_model="numpy")
def _coast(state: Doubles, step_s: float, out: Doubles) -> None:
    """`state` (6,) moved on by step_s under gravity and oblateness (Runge-Kutta, quarters of the step), into `out`."""
    h = step_s / 4.0
    y = state.copy()
    k = np.empty((4, 6))
    for _ in range(4):
        w = y.copy()
        for stage in range(4):
            k[stage, 0], k[stage, 1], k[stage, 2] = w[3], w[4], w[5]
            k[stage, 3], k[stage, 4], k[stage, 5] = _acceleration(w[0], w[1], w[2])
            if stage < 3:
                w = y + k[stage] * (h if stage == 2 else 0.5 * h)
        y += h / 6.0 * (k[0] + 2.0 * k[1] + 2.0 * k[2] + k[3])
    out[:] = y


@njit(cache=True, nogil=True, error_model="numpy")
def bridge_failures(rv: Doubles, status: Bytes, step_s: float, usable: Bytes) -> None:
    """Carry each object one node beyond where it fails, so that what happens before the failure is still searched.

    Sets usable (m, n) to 0 where there is no state, 1 where `rv` is SGP4's, 2 where it was carried on from a neighbor.
    """
    m, n = status.shape
    for k in range(m):
        for i in range(n):
            if status[k, i] == 0:
                usable[k, i] = 1
                continue
            usable[k, i] = 0
            if k > 0 and status[k - 1, i] == 0:
                _coast(rv[k - 1, :, i].copy(), step_s, rv[k, :, i])
                usable[k, i] = 2
            elif k + 1 < m and status[k + 1, i] == 0:
                _coast(rv[k + 1, :, i].copy(), -step_s, rv[k, :, i])
                usable[k, i] = 2


@njit(cache=True, nogil=True, error_model="numpy")
def _reach(state: Doubles, usable: Bytes, half_s: float, swell: float, reach: Doubles) -> None:
    """Radius, its lowest and highest value and the bound of (angle swept)^2 over the half step either side, (4, n)."""
    for i in range(len(usable)):
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


@njit(cache=True, nogil=True, error_model="numpy")
def _gate2(low: float, threshold: float, half_s: float, slack: float) -> float:
    """Square of the linear miss beyond which two objects, both above radius `low`, stay above the threshold."""
    v = 2.0 * np.sqrt(2.0 * MU / low)
    d = threshold + v * half_s
    dip = max(0.25, 1.0 - d * d / (4.0 * low * low))
    tide = GRADIENT * MU / (low * low * low * dip * np.sqrt(dip))
    g = threshold + slack + tide * half_s * half_s * (0.5 * threshold + v * half_s / 3.0)
    return g * g


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"}, inline="always")
def _linear_miss2(dx: float, dy: float, dz: float, du: float, dv: float, dw: float, half_s: float) -> float:
    """Square of the smallest separation within half_s, both ways, of linear relative motion."""
    b = abs(dx * du + dy * dv + dz * dw)
    c = dx * dx + dy * dy + dz * dz
    a = du * du + dv * dv + dw * dw
    t = min(half_s, b / (a + 1e-30))
    return c - t * (2.0 * b - a * t)


@njit(cache=True, nogil=True, error_model="numpy")
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


@njit(cache=True, nogil=True, error_model="numpy")
def _room(pairs: Whole, kept: int, wanted: int) -> Whole:
    """`pairs` with room for `wanted` and as many again, the first `kept` rows kept."""
    out = np.empty((2 * wanted, 3), np.int32)
    out[:kept] = pairs[:kept]
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _slack(usable: Bytes) -> float:
    for i in range(len(usable)):
        if usable[i] == 2:
            return 10.0 * SLACK_KM
    return SLACK_KM


@njit(cache=True, nogil=True, error_model="numpy")
def _few(
    k: int,
    state: Doubles,
    usable: Bytes,
    reach: Doubles,
    half_s: float,
    threshold: float,
    slack: float,
    role: Bytes,
    identity: Whole,
    few: Whole,
    pairs: Whole,
    count: int,
) -> int:
    x, y, z, u, v, w = state[0], state[1], state[2], state[3], state[4], state[5]
    for i in few:
        if not usable[i]:
            continue
        low, high = reach[1, i] - threshold, reach[2, i] + threshold
        for j in range(len(usable)):
            # NaN, where there is no state, fails both
            if reach[1, j] <= high and reach[2, j] >= low:
                miss2 = _linear_miss2(
                    x[j] - x[i], y[j] - y[i], z[j] - z[i], u[j] - u[i], v[j] - v[i], w[j] - w[i], half_s
                )
                # of two in the short list, one finds the other
                if miss2 <= _gate2(min(reach[1, i], reach[1, j]), threshold, half_s, slack) and not (
                    role[j] & 4 and j < i
                ):
                    count = _note(pairs, count, k, i, j, role, identity)
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def few_against_all(
    rv: Doubles, usable: Bytes, half_s: float, threshold: float, swell: float, role: Bytes, identity: Whole, few: Whole
) -> Whole:
    """(node, i, j) whose linear miss passes the gate, i in `few`, j any object: for short lists, without a grid.

    `role` has bit 1 for objects of the first list, 2 for the second, 4 for those in `few`.
    """
    m, n = usable.shape
    pairs = np.empty((1024, 3), np.int32)
    count = 0
    reach = np.empty((4, n))
    for k in range(1, m - 1):
        slack = _slack(usable[k])
        _reach(rv[k], usable[k], half_s, swell, reach)
        while True:
            after = _few(k, rv[k], usable[k], reach, half_s, threshold, slack, role, identity, few, pairs, count)
            if after <= len(pairs):
                break
            pairs = _room(pairs, count, after)
        count = after
    return pairs[:count]


@njit(cache=True, nogil=True, error_model="numpy")
def _place(
    state: Doubles,
    usable: Bytes,
    reach: Doubles,
    threshold: float,
    width: float,
    cap: float,
    cells: Whole,
    bins: Whole,
    bin0: float,
    bin_km: float,
    n_bins: int,
    grid: Grid,
) -> int:
    """Sort the objects of one node by cell and radial bin; those that sweep more than `cap` into a list of their own.

    Fills `grid`; returns how many objects are in the list.
    """
    start, who, s_bin, s_top, record, slot, fast = grid
    n = len(usable)
    last = len(bins) - 1
    per_width = 1.0 / width
    per_bin = 1.0 / bin_km
    start[:] = 0
    n_fast = 0
    for i in range(n):
        slot[i] = -1
        if not usable[i]:
            continue
        if reach[3, i] > cap * cap:
            fast[n_fast] = i
            n_fast += 1
            continue
        scale = per_width / reach[0, i]
        c = cells[
            int(state[0, i] * scale + per_width),
            int(state[1, i] * scale + per_width),
            int(state[2, i] * scale + per_width),
        ]
        slot[i] = c * n_bins + bins[min(last, max(0, int((reach[1, i] - bin0) * per_bin)))]
        start[slot[i]] += 1
    total = np.uint32(0)
    for s in range(len(start)):
        total += start[s]
        start[s] = total
    for i in range(n - 1, -1, -1):
        s = slot[i]
        if s >= 0:
            p = start[s] - 1
            start[s] = p
            who[p] = i
            s_bin[p] = s % n_bins
            s_top[p] = bins[min(last, max(0, int((reach[2, i] + threshold - bin0) * per_bin)))] + 1
            for d in range(6):
                record[p, d] = state[d, i]
            record[p, 6] = reach[1, i]
            record[p, 7] = reach[2, i]
    return n_fast


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def _neighbors(
    k: int,
    half_s: float,
    near_from: Whole,
    near: Whole,
    gates: Doubles,
    role: Bytes,
    identity: Whole,
    grid: Grid,
    pairs: Whole,
    count: int,
) -> int:
    """Pairs of the grid, each once: the partner's lowest radius is in a higher bin, or in the same bin further on."""
    start, who, s_bin, s_top, record = grid[:5]
    n_bins = np.uint32(len(gates))
    # unsigned indices: numba would test signed ones for being negative, in the innermost loops
    for a in range(np.uint32(len(near_from) - 1)):
        first, beyond = start[a * n_bins], start[(a + np.uint32(1)) * n_bins]
        if first == beyond:
            continue
        for q in range(near_from[a], near_from[a + np.uint32(1)]):
            b = near[q]
            row = b * n_bins
            if start[row] == start[row + n_bins]:
                continue
            from_bin = row + np.uint32(1) if b < a else row
            for p in range(first, beyond):
                begin = p + np.uint32(1) if b == a else start[from_bin + s_bin[p]]
                end = start[row + s_top[p]]
                if begin >= end:
                    continue
                x, y, z, u, v, w = record[p, 0], record[p, 1], record[p, 2], record[p, 3], record[p, 4], record[p, 5]
                gate2 = gates[s_bin[p]]
                for o in range(begin, end):
                    miss2 = _linear_miss2(
                        record[o, 0] - x, record[o, 1] - y, record[o, 2] - z,
                        record[o, 3] - u, record[o, 4] - v, record[o, 5] - w, half_s,
                    )  # fmt: skip
                    if miss2 <= gate2:
                        count = _note(pairs, count, k, who[p], who[o], role, identity)
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _visitors(
    k: int,
    state: Doubles,
    reach: Doubles,
    half_s: float,
    threshold: float,
    slack: float,
    width: float,
    cap: float,
    cells: Whole,
    n_bins: int,
    role: Bytes,
    identity: Whole,
    grid: Grid,
    n_fast: int,
    pairs: Whole,
    count: int,
) -> int:
    """Pairs of the fast objects: against the grid as far as they and the other can get, and against each other."""
    start, who, _, _, record, _, fast = grid
    g = cells.shape[0]
    for f in range(n_fast):
        i = fast[f]
        x, y, z, u, v, w = state[0, i], state[1, i], state[2, i], state[3, i], state[4, i], state[5, i]
        r, low, high = reach[0, i], reach[1, i] - threshold, reach[2, i] + threshold
        ring = int(np.ceil((np.sqrt(reach[3, i]) - cap) / width)) + 1
        ix, iy, iz = int((x / r + 1.0) / width), int((y / r + 1.0) / width), int((z / r + 1.0) / width)
        for jx in range(max(0, ix - ring), min(g, ix + ring + 1)):
            for jy in range(max(0, iy - ring), min(g, iy + ring + 1)):
                for jz in range(max(0, iz - ring), min(g, iz + ring + 1)):
                    c = cells[jx, jy, jz]
                    if c < 0:
                        continue
                    for p in range(start[c * n_bins], start[(c + 1) * n_bins]):
                        if record[p, 6] > high or record[p, 7] < low:
                            continue
                        miss2 = _linear_miss2(
                            record[p, 0] - x, record[p, 1] - y, record[p, 2] - z,
                            record[p, 3] - u, record[p, 4] - v, record[p, 5] - w, half_s,
                        )  # fmt: skip
                        if miss2 <= _gate2(min(reach[1, i], record[p, 6]), threshold, half_s, slack):
                            count = _note(pairs, count, k, i, who[p], role, identity)
        for e in range(f):
            j = fast[e]
            miss2 = _linear_miss2(
                state[0, j] - x,
                state[1, j] - y,
                state[2, j] - z,
                state[3, j] - u,
                state[4, j] - v,
                state[5, j] - w,
                half_s,
            )
            if miss2 <= _gate2(min(reach[1, i], reach[1, j]), threshold, half_s, slack):
                count = _note(pairs, count, k, i, j, role, identity)
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def all_against_all(
    rv: Doubles,
    usable: Bytes,
    half_s: float,
    threshold: float,
    swell: float,
    role: Bytes,
    identity: Whole,
    width: float,
    cap: float,
    cells: Whole,
    near_from: Whole,
    near: Whole,
    bins: Whole,
    bin0: float,
    bin_km: float,
) -> Whole:
    """(node, i, j) whose linear miss passes the gate, by a grid over directions with sorted radii in each cell.

    `cells` (g, g, g) numbers the cubes of edge `width` that the unit sphere meets; the neighbors of cell c are
    near[near_from[c]:near_from[c + 1]]. `bins` maps (radius - bin0) / bin_km to a radial bin, not decreasing. Objects
    that sweep more than the angle `cap` in the half step stay out of the grid and look further (fast perigee passes).
    """
    m, n = usable.shape
    n_bins = int(bins[-1]) + 1
    pairs = np.empty((4096, 3), np.int32)
    count = 0
    reach = np.empty((4, n))
    grid = (
        np.empty((len(near_from) - 1) * n_bins + 1, np.uint32), np.empty(n, np.int32), np.empty(n, np.uint32),
        np.empty(n, np.uint32), np.empty((n, 8)), np.empty(n, np.int32), np.empty(n, np.int32),
    )  # fmt: skip
    gates = np.empty(n_bins)
    for k in range(1, m - 1):
        slack = _slack(usable[k])
        for t in range(len(bins) - 1, -1, -1):
            gates[bins[t]] = _gate2(bin0 + t * bin_km, threshold, half_s, slack)
        _reach(rv[k], usable[k], half_s, swell, reach)
        n_fast = _place(rv[k], usable[k], reach, threshold, width, cap, cells, bins, bin0, bin_km, n_bins, grid)
        while True:
            after = _neighbors(k, half_s, near_from, near, gates, role, identity, grid, pairs, count)
            after = _visitors(
                k,
                rv[k],
                reach,
                half_s,
                threshold,
                slack,
                width,
                cap,
                cells,
                n_bins,
                role,
                identity,
                grid,
                n_fast,
                pairs,
                after,
            )
            if after <= len(pairs):
                break
            pairs = _room(pairs, count, after)
        count = after
    return pairs[:count]
