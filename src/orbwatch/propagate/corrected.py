"""A catalogue whose states are SGP4's, moved: along the orbit by a time, and across it, as a forecaster says.

It stands in for `Sgp4Catalog` wherever states are asked for, screening and closest approaches too. So these run on the
corrected orbits themselves, and what `conjunction.screen` proves of its search holds for them: nothing there rests on
SGP4 but through states, and how well velocities integrate to positions is measured for every object and node. (A search
on SGP4's states with a wider gate would need a gate of hundreds of kilometres for a satellite that thrusts.) The
velocities given are the derivatives of the corrected positions, to about 1e-5 km/s, as SGP4's own are of its positions.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int, UInt8

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_S, DAY_US
from orbwatch.propagate.along_orbit import AlongOrbit
from orbwatch.propagate.along_orbit_kernel import move_at, move_nodes
from orbwatch.propagate.sgp4 import Sgp4Catalog


class CorrectedCatalog(Sgp4Catalog):
    """Element sets with corrections; attributes and methods of `Sgp4Catalog`.

    shift: time along the orbit s, distances outwards in the plane and along r x v km (`curvilinear.shifted`), as
    numbers `AlongOrbit`; row: which of its objects each set is, -1 where none is: that set's states are SGP4's.
    """

    def __init__(self, table: GpTable, shift: AlongOrbit, row: Int[np.ndarray, " n"]) -> None:
        super().__init__(table)
        self.shift, self.row = shift, row

    @classmethod
    def from_gp(cls, table: GpTable) -> Sgp4Catalog:
        """Without corrections: a plain `Sgp4Catalog`."""
        return Sgp4Catalog(table)

    def take(self, index: Int[np.ndarray, " k"]) -> CorrectedCatalog:
        """Some of the sets, with their corrections."""
        return CorrectedCatalog(self.table[index], self.shift, self.row[index])

    def plain(self) -> Sgp4Catalog:
        """The same sets as SGP4 alone has them."""
        return Sgp4Catalog(self.table)

    def nodes(
        self,
        start_us: int,
        offsets_s: Float[np.ndarray, " m"],
        threads: int = 1,
        out: Float[np.ndarray, "m 6 n"] | None = None,
    ) -> tuple[Float[np.ndarray, "m 6 n"], UInt8[np.ndarray, "m n"]]:
        rv, status = super().nodes(start_us, offsets_s, threads, out)
        move_nodes(rv, self._day(start_us, offsets_s), self.row, *self._knots())
        return rv, status

    def at(
        self, index: Int[np.ndarray, " k"], start_us: int, offset_s: Float[np.ndarray, " k"]
    ) -> tuple[Float[np.ndarray, "k 3"], Float[np.ndarray, "k 3"], UInt8[np.ndarray, " k"]]:
        r, v, status = super().at(index, start_us, offset_s)
        rv = np.concatenate([r, v], axis=1)
        move_at(rv, self._day(start_us, offset_s), self.row[index], *self._knots())
        return np.ascontiguousarray(rv[:, :3]), np.ascontiguousarray(rv[:, 3:]), status

    def _day(self, start_us: int, offset_s: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        return (start_us - self.shift.start_us) / DAY_US + np.asarray(offset_s, np.float64) / DAY_S

    def _knots(self) -> tuple[float, int, float, Float[np.ndarray, "n knots c"]]:
        return self.shift.step_day, self.shift.smooth, self.shift.turn_day, self.shift.weight
