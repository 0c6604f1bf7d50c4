"""Short arcs in the zonal field J2 to J4: many objects, each at its own times, with state transitions if asked for.

The frame is inertial with the Earth's axis as z (TEME held fixed over the arc). Method and equations: `zonal_kernel`.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from orbwatch.errors import InputError
from orbwatch.propagate import zonal_kernel as kernel

_NO_STM = np.empty((0, 0, 0, 0))


@dataclass(frozen=True, eq=False)
class Zonal:
    """States of n objects at m offsets each, in the axes of the starting states."""

    rv_km: Float[np.ndarray, "n m 6"]
    """x, y, z km, vx, vy, vz km/s; NaN where the offset or the starting state is."""
    stm: Float[np.ndarray, "n m 6 6"] | None
    """d(state at the offset) / d(state at the start), km and km/s."""


def propagate_zonal(
    rv_km: Float[np.ndarray, "n 6"], offsets_s: Float[np.ndarray, "rows m"], stm: bool = False, threads: int = 1
) -> Zonal:
    """States at `offsets_s` seconds (per object, any sign and order) from states rv_km (km, km/s; z is the pole).

    NaN offsets and states give NaN; times order each row's work, so sorted rows are fastest. Good to a metre over an
    hour: meant for short arcs. Raises InputError for another number of rows and for infinite offsets.
    """
    if len(rv_km) != len(offsets_s):
        raise InputError(
            "one row of offsets per object", field="offsets_s", value=len(offsets_s), legal=f"{len(rv_km)}"
        )
    if np.isinf(offsets_s).any():
        raise InputError("times must be finite numbers", field="offsets_s")
    rv = np.ascontiguousarray(rv_km, np.float64)
    offsets = np.ascontiguousarray(offsets_s, np.float64)
    order = None
    if not (np.diff(offsets, axis=1) >= 0.0).all():
        order = np.argsort(offsets, axis=1, kind="stable")  # NaN last
        offsets = np.take_along_axis(offsets, order, axis=1)
    n, m = offsets.shape
    states = np.full((n, m, 6), np.nan)
    partials = np.full((n, m, 6, 6), np.nan) if stm else _NO_STM
    in_slices(lambda begin, end: kernel.propagate_rows(rv, offsets, begin, end, states, partials), n, threads)
    if order is not None:
        back = np.argsort(order, axis=1, kind="stable")
        states = np.take_along_axis(states, back[:, :, None], axis=1)
        partials = np.take_along_axis(partials, back[:, :, None, None], axis=1) if stm else _NO_STM
    return Zonal(states, partials if stm else None)


def in_slices(work: Callable[[int, int], None], count: int, threads: int) -> None:
    """Call work(begin, end), which must release the interpreter's lock, over whole tiles of `count` rows."""
    if threads <= 1 or count <= kernel.LANES:
        work(0, count)
        return
    tiles = -(-count // kernel.LANES)
    edges = np.minimum(np.linspace(0, tiles, 4 * threads + 1).astype(int) * kernel.LANES, count)
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, int(a), int(b)) for a, b in pairwise(edges) if b > a]:
            done.result()
