"""Whole-catalogue SGP4: every object of an element-set table at many instants, with a status per state.

Theory: Hoots & Roehrich 1980 (Spacetrack Report No. 3) as corrected by Vallado, Crawford, Hujsak & Kelso 2006
(AIAA 2006-6753); WGS-72 constants, operation mode "i". Frame TEME, kilometres and kilometres per second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from sgp4.api import WGS72, Satrec, SatrecArray

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US, TWO_PI, WGS72_RADIUS_KM

_US_1950 = -7306 * DAY_US  # SGP4 counts its epoch in days from 1949-12-31 00:00


@dataclass(frozen=True, eq=False)
class States:
    """Positions and velocities of n objects at m instants; rows whose status is not 0 are NaN."""

    r_teme_km: Float[np.ndarray, "n m 3"]
    v_teme_km_s: Float[np.ndarray, "n m 3"]
    status: UInt8[np.ndarray, "n m"]


class Sgp4Catalog:
    """Element sets made ready for SGP4, one object per row of the table."""

    def __init__(self, table: GpTable) -> None:
        n = len(table)
        self.table = table
        self.norad_id: Int[np.ndarray, " n"] = table.norad_id
        self.init_status: UInt8[np.ndarray, " n"] = _init_status(table)
        self.deep_space: Bool[np.ndarray, " n"] = np.zeros(n, bool)
        self.radius_min_km: Float[np.ndarray, " n"] = np.full(n, np.nan)
        self.radius_max_km: Float[np.ndarray, " n"] = np.full(n, np.nan)
        self._satrec: list[Satrec] = []
        for i in range(n):
            satrec = Satrec()
            if self.init_status[i] == 0:
                satrec.sgp4init(
                    WGS72,
                    "i",
                    0,
                    (int(table.epoch_us[i]) - _US_1950) / DAY_US,
                    table.bstar_per_er[i],
                    0.0,
                    0.0,
                    table.eccentricity[i],
                    np.deg2rad(table.arg_perigee_deg[i]),
                    np.deg2rad(table.inclination_deg[i]),
                    np.deg2rad(table.mean_anomaly_deg[i]),
                    table.mean_motion_rev_day[i] / (1440.0 / TWO_PI),
                    np.deg2rad(table.raan_deg[i]),
                )
                self.deep_space[i] = satrec.method == "d"
                self.radius_min_km[i] = (satrec.altp + 1.0) * WGS72_RADIUS_KM
                self.radius_max_km[i] = (satrec.alta + 1.0) * WGS72_RADIUS_KM
            self._satrec.append(satrec)
        self._array = SatrecArray(self._satrec)

    @classmethod
    def from_gp(cls, table: GpTable) -> Sgp4Catalog:
        """A catalogue from element sets; elements that cannot be propagated are flagged in `init_status`."""
        return cls(table)

    def __len__(self) -> int:
        return len(self.table)

    def states(self, times_us: Int[np.ndarray, " m"]) -> States:
        """TEME positions (n, m, 3) km and velocities (n, m, 3) km/s at UTC instants in microseconds since 1970."""
        day, us = np.divmod(times_us, DAY_US)
        status, r, v = self._array.sgp4(day + 2440587.5, us / DAY_US)
        status[self.init_status != 0] = self.init_status[self.init_status != 0][:, None]
        status[(status == 0) & ~np.isfinite(r).all(axis=2)] = 7
        r[status != 0] = np.nan
        v[status != 0] = np.nan
        return States(r, v, status)

    def nodes(
        self,
        start_us: int,
        offsets_s: Float[np.ndarray, " m"],
        threads: int = 1,  # noqa: ARG002
        out: Float[np.ndarray, "m 6 n"] | None = None,
    ) -> tuple[Float[np.ndarray, "m 6 n"], UInt8[np.ndarray, "m n"]]:
        """States laid out for screening: (m, 6, n) TEME km, km/s, and status (m, n)."""
        rv = np.empty((len(offsets_s), 6, len(self))) if out is None else out
        day, us = divmod(start_us, DAY_US)
        jd = np.full(len(offsets_s), day + 2440587.5)
        status, r, v = self._array.sgp4(jd, us / DAY_US + offsets_s / 86400.0)
        status[self.init_status != 0] = self.init_status[self.init_status != 0][:, None]
        status[(status == 0) & ~np.isfinite(r).all(axis=2)] = 7
        r[status != 0] = np.nan
        v[status != 0] = np.nan
        rv[:, :3] = r.transpose(1, 2, 0)
        rv[:, 3:] = v.transpose(1, 2, 0)
        return rv, np.ascontiguousarray(status.T)

    def at(
        self, index: Int[np.ndarray, " k"], start_us: int, offset_s: Float[np.ndarray, " k"]
    ) -> tuple[Float[np.ndarray, "k 3"], Float[np.ndarray, "k 3"], UInt8[np.ndarray, " k"]]:
        """State of object index[j] at start_us + offset_s[j], for each j: r (k, 3) km, v (k, 3) km/s, status (k,)."""
        r = np.full((len(index), 3), np.nan)
        v = np.full((len(index), 3), np.nan)
        status = self.init_status[index]
        minutes = (start_us - self.table.epoch_us[index]) / 6e7 + offset_s / 60.0
        for j in np.flatnonzero(status == 0):
            error, r_j, v_j = self._satrec[index[j]].sgp4_tsince(minutes[j])
            status[j] = error or (0 if np.isfinite(r_j).all() else 7)
            if status[j] == 0:
                r[j], v[j] = r_j, v_j
        return r, v, status


def _init_status(table: GpTable) -> UInt8[np.ndarray, " n"]:
    """0 usable, 1 eccentricity outside [0, 1), 2 mean motion not positive, 7 not a number."""
    elements = np.stack(
        [
            table.mean_motion_rev_day,
            table.eccentricity,
            table.inclination_deg,
            table.raan_deg,
            table.arg_perigee_deg,
            table.mean_anomaly_deg,
            table.bstar_per_er,
        ]
    )
    status = np.zeros(len(table), np.uint8)
    status[table.mean_motion_rev_day <= 0.0] = 2
    status[(table.eccentricity >= 1.0) | (table.eccentricity < -0.001)] = 1
    status[~np.isfinite(elements).all(axis=0)] = 7
    return status
