"""Whole-catalogue SGP4: every object of an element-set table at many instants, with a status per state.

Theory: Hoots & Roehrich 1980 (Spacetrack Report No. 3) as corrected by Vallado, Crawford, Hujsak & Kelso 2006
(AIAA 2006-6753); WGS-72 constants, operation mode "i". Frame TEME, kilometres and kilometres per second.

Status of a state: 0 good; 1..6 the error codes of the `sgp4` library (1 mean eccentricity, 2 mean motion, 3 perturbed
eccentricity, 4 semi-latus rectum, 6 below the ground); 7 not a finite number; 8 not to be believed: the drag polynomial
has passed re-entry, or the distance is more than twice the apogee's. Rows that are not good are NaN.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from sgp4.api import WGS72, Satrec

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import WGS72_RADIUS_KM
from orbwatch.errors import InputError
from orbwatch.propagate.sdp4_kernel import DEEP_ROWS, deep_states
from orbwatch.propagate.sgp4_init import constants, element_status, radians
from orbwatch.propagate.sgp4_kernel import ASK_LIBRARY, LANES, NEAR_ROWS, NOT_FINITE, OUT_OF_RANGE, near_states

_MIN_US = 6e7
_OVAL_FROM = np.array([0.004, 0.28])  # tiles hold objects that need alike many steps to solve Kepler's equation
_TILES_PER_TASK = 8
_ROWS_AT_ONCE = 16384  # of `at`, to bound the memory of gathered constants
_INSTANTS_AT_ONCE = 32  # of `states`


@dataclass(frozen=True, eq=False)
class States:
    """Positions and velocities of n objects at m instants; rows whose status is not 0 are NaN."""

    r_teme_km: Float[np.ndarray, "n m 3"]
    v_teme_km_s: Float[np.ndarray, "n m 3"]
    status: UInt8[np.ndarray, "n m"]


@dataclass(frozen=True, eq=False)
class _Tiles:
    """Rows grouped by LANES; a tile is of one kind (resonance * 4 + shape); the last of a kind is filled up."""

    rows: Int[np.ndarray, "tiles lanes"]
    counts: Int[np.ndarray, " tiles"]
    kinds: Int[np.ndarray, " tiles"]

    @classmethod
    def of(cls, rows: Int[np.ndarray, " n"], kind: Int[np.ndarray, " n"]) -> _Tiles:
        blocks, counts, kinds = [np.zeros((0, LANES), np.int64)], [], []
        for value in np.unique(kind):
            mine = rows[kind == value]
            full = -(-len(mine) // LANES)
            blocks.append(np.pad(mine, (0, full * LANES - len(mine)), mode="edge").reshape(full, LANES))
            counts += [LANES] * (full - 1) + [len(mine) - (full - 1) * LANES]
            kinds += [value] * full
        return cls(np.concatenate(blocks), np.array(counts, np.int64), np.array(kinds, np.int64))


class _Theory:
    """Near-Earth or deep-space theory of the objects `members`: their constants, and the kernel that takes them."""

    def __init__(self, c: dict[str, Float[np.ndarray, " n"]], members: Int[np.ndarray, " k"], deep: bool) -> None:
        self.deep = deep
        self.constants = np.stack([c[name][members] for name in (DEEP_ROWS if deep else NEAR_ROWS)], axis=1)
        shape = np.digitize(c["ecco"][members], _OVAL_FROM)
        self.kind = c["irez"][members].astype(np.int64) * 4 + shape if deep else shape
        self.tiles = _Tiles.of(np.arange(len(members)), self.kind)
        self.tiled = self.tile_constants(self.tiles.rows)

    def tile_constants(self, rows: Int[np.ndarray, "tiles lanes"]) -> Float[np.ndarray, "tiles values"]:
        """Constants of the rows, each constant's lanes together."""
        values = np.ascontiguousarray(self.constants[rows].transpose(0, 2, 1))
        return values.reshape(len(rows), self.constants.shape[1] * LANES)

    def run(
        self,
        tiled: Float[np.ndarray, "tiles values"],
        tiles: _Tiles,
        epoch_min: Float[np.ndarray, "tiles lanes"],
        columns: Int[np.ndarray, "tiles lanes"],
        offsets_min: Float[np.ndarray, " m"],
        rv: Float[np.ndarray, "m 6 n"],
        status: UInt8[np.ndarray, "m n"],
        pool: ThreadPoolExecutor | None = None,
    ) -> None:
        """Write the states of the tiles into their columns of rv and status; the compiled kernels hold no lock."""

        def task(first: int, last: int) -> None:
            s = slice(first, last)
            if self.deep:
                irez = tiles.kinds[s] // 4
                deep_states(tiled[s], irez, epoch_min[s], columns[s], tiles.counts[s], offsets_min, rv, status)
            else:
                near_states(tiled[s], epoch_min[s], columns[s], tiles.counts[s], offsets_min, rv, status)

        count = len(tiles.counts)
        if pool is None:
            task(0, count)
        else:
            firsts = range(0, count, _TILES_PER_TASK)
            list(pool.map(lambda first: task(first, min(first + _TILES_PER_TASK, count)), firsts))


class Sgp4Catalog:
    """Element sets made ready for SGP4, one object per row of the table.

    Attributes, each (n,): `norad_id`; `deep_space` (SDP4 applies); `init_status` (0, or the status of all states of an
    object whose elements cannot be propagated); `radius_min_km`, `radius_max_km`: distances of perigee and apogee at
    epoch from the mean elements, NaN where `init_status` is not 0 (short-period terms add some 10 km).
    """

    def __init__(self, table: GpTable) -> None:
        n = len(table)
        self.table = table
        self.norad_id: Int[np.ndarray, " n"] = table.norad_id
        self.init_status: UInt8[np.ndarray, " n"] = element_status(table)
        usable = np.flatnonzero(self.init_status == 0)
        c = constants(table[usable])
        self.init_status[usable[c["no"] <= 0.0]] = 2
        self.init_status[usable[~np.isfinite(c["no"])]] = NOT_FINITE
        keep = self.init_status[usable] == 0
        c = {name: values[keep] for name, values in c.items()}
        usable = usable[keep]
        deep = c["deep"] > 0.0
        self.deep_space: Bool[np.ndarray, " n"] = np.zeros(n, bool)
        self.deep_space[usable] = deep
        self.radius_min_km: Float[np.ndarray, " n"] = np.full(n, np.nan)
        self.radius_max_km: Float[np.ndarray, " n"] = np.full(n, np.nan)
        self.radius_min_km[usable] = c["a0"] * (1.0 - c["ecco"]) * WGS72_RADIUS_KM
        self.radius_max_km[usable] = c["a0"] * (1.0 + c["ecco"]) * WGS72_RADIUS_KM
        self._unusable = np.flatnonzero(self.init_status)
        self._place = np.zeros(n, np.int64)  # row within its theory
        self._theories: list[tuple[_Theory, Int[np.ndarray, " k"]]] = []
        for is_deep in (False, True):
            chosen = np.flatnonzero(deep == is_deep)
            if len(chosen):
                self._theories.append((_Theory(c, chosen, is_deep), usable[chosen]))
                self._place[usable[chosen]] = np.arange(len(chosen))
        self._satrecs: dict[int, Satrec] = {}

    @classmethod
    def from_gp(cls, table: GpTable) -> Sgp4Catalog:
        """A catalogue from element sets; elements that cannot be propagated are flagged in `init_status`."""
        return cls(table)

    def take(self, index: Int[np.ndarray, " k"]) -> Sgp4Catalog:
        """Some of the objects."""
        return Sgp4Catalog(self.table[index])

    def __len__(self) -> int:
        return len(self.table)

    def states(self, times_us: Int[np.ndarray, " m"], threads: int = 1) -> States:
        """TEME positions (n, m, 3) km and velocities (n, m, 3) km/s at UTC instants in microseconds since 1970."""
        n, m = len(self), len(times_us)
        r, v, status = np.empty((n, m, 3)), np.empty((n, m, 3)), np.empty((n, m), np.uint8)
        for first in range(0, m, _INSTANTS_AT_ONCE):
            some = slice(first, first + _INSTANTS_AT_ONCE)
            start_us = int(times_us[first])
            rv, flags = self.nodes(start_us, (times_us[some] - start_us) / 1e6, threads)
            r[:, some] = rv[:, :3].transpose(2, 0, 1)
            v[:, some] = rv[:, 3:].transpose(2, 0, 1)
            status[:, some] = flags.T
        return States(r, v, status)

    def nodes(
        self,
        start_us: int,
        offsets_s: Float[np.ndarray, " m"],
        threads: int = 1,
        out: Float[np.ndarray, "m 6 n"] | None = None,
    ) -> tuple[Float[np.ndarray, "m 6 n"], UInt8[np.ndarray, "m n"]]:
        """States at `start_us` (UTC microseconds since 1970) + `offsets_s` (m,), laid out for screening.

        Returns rv (m, 6, n): TEME x, y, z km, vx, vy, vz km/s, objects in the table's order; and status (m, n). `out`,
        if given, is a C-contiguous float64 array that becomes rv. Raises InputError for offsets that are not finite.
        """
        n, m = len(self), len(offsets_s)
        if not np.isfinite(offsets_s).all():
            raise InputError("times must be finite numbers", field="offsets_s", legal="seconds after the start")
        if out is not None and not (out.shape == (m, 6, n) and out.dtype == np.float64 and out.flags.c_contiguous):
            raise InputError(
                "the array for the states does not fit", field="out", legal=f"float64 C-order ({m}, 6, {n})"
            )
        rv = np.empty((m, 6, n)) if out is None else out
        status = np.empty((m, n), np.uint8)
        rv[:, :, self._unusable] = np.nan
        status[:, self._unusable] = self.init_status[self._unusable]
        offsets_min = np.ascontiguousarray(offsets_s, np.float64) / 60.0
        pool = ThreadPoolExecutor(threads) if threads > 1 else None
        try:
            for theory, members in self._theories:
                columns = members[theory.tiles.rows]
                epoch_min = (start_us - self.table.epoch_us[columns]) / _MIN_US
                theory.run(theory.tiled, theory.tiles, epoch_min, columns, offsets_min, rv, status, pool)
        finally:
            if pool is not None:
                pool.shutdown()
        for j, i in np.argwhere(status == ASK_LIBRARY):
            minutes = (start_us - int(self.table.epoch_us[i])) / _MIN_US + offsets_min[j]
            rv[j, :, i], status[j, i] = self._ask_library(int(i), minutes)
        return rv, status

    def at(
        self, index: Int[np.ndarray, " k"], start_us: int, offset_s: Float[np.ndarray, " k"]
    ) -> tuple[Float[np.ndarray, "k 3"], Float[np.ndarray, "k 3"], UInt8[np.ndarray, " k"]]:
        """State of object index[j] at start_us + offset_s[j], for each j, by the same kernels as `nodes`.

        Returns r (k, 3) km, v (k, 3) km/s, TEME, and status (k,). Raises InputError for offsets that are not finite.
        """
        if not np.isfinite(offset_s).all():
            raise InputError("times must be finite numbers", field="offset_s", legal="seconds after the start")
        minutes = (start_us - self.table.epoch_us[index]) / _MIN_US + offset_s / 60.0
        rv = np.full((1, 6, len(index)), np.nan)
        status = self.init_status[index][None].copy()
        for theory, _ in self._theories:
            mine = np.flatnonzero((status[0] == 0) & (self.deep_space[index] == theory.deep))
            for first in range(0, len(mine), _ROWS_AT_ONCE):
                rows = mine[first : first + _ROWS_AT_ONCE]
                tiles = _Tiles.of(rows, theory.kind[self._place[index[rows]]])
                tiled = theory.tile_constants(self._place[index[tiles.rows]])
                theory.run(tiled, tiles, minutes[tiles.rows], tiles.rows, np.zeros(1), rv, status)
        for j in np.flatnonzero(status[0] == ASK_LIBRARY):
            rv[0, :, j], status[0, j] = self._ask_library(int(index[j]), minutes[j])
        return np.ascontiguousarray(rv[0, :3].T), np.ascontiguousarray(rv[0, 3:].T), status[0]

    def _ask_library(self, i: int, minutes: float) -> tuple[Float[np.ndarray, " 6"], int]:
        """The `sgp4` library's own answer, for the few states where the kernels' expansions do not hold."""
        if i not in self._satrecs:
            e = {name: values.item() for name, values in radians(self.table[i : i + 1]).items()}
            satrec = Satrec()
            angles = (e["argpo"], e["inclo"], e["mo"], e["no_kozai"], e["nodeo"])
            satrec.sgp4init(WGS72, "i", 0, e["epoch"], e["bstar"], 0.0, 0.0, e["ecco"], *angles)
            self._satrecs[i] = satrec
        status, r, v = self._satrecs[i].sgp4_tsince(minutes)
        state = np.array([*r, *v])
        if status == 0 and not np.isfinite(state).all():
            status = NOT_FINITE
        elif status == 0 and np.linalg.norm(r) > 2.0 * self.radius_max_km[i] + WGS72_RADIUS_KM:
            status = OUT_OF_RANGE
        return (state, 0) if status == 0 else (np.full(6, np.nan), status)
