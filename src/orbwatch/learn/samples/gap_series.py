"""Mean elements of histories as speeds: what a burn would have to be to change them so (Gauss' equations, circular).

The secular turning of node and perigee by the Earth's oblateness is taken out, so that a quiet object's series are
nearly straight lines, and a burn is a step in them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US, WGS72_MU_KM3_S2, WGS72_RADIUS_KM
from orbwatch.learn.samples.gap_kernel import summed, unwrapped
from orbwatch.propagate.sgp4_init import J2

ALONG, ECC_X, ECC_Y, PLANE_X, PLANE_Y, BSTAR, RATE = range(7)
"""Columns: m/s in-track that would explain the mean motion, the eccentricity vector (2) and normal to the orbit the
plane (2); then B* per Earth radius and the mean motion's rate / 2, rev/day^2."""

_FLAT_RAD = np.radians(20.0)
"""Below this inclination the node turns about wildly, and the plane is told by its normal's tilt."""


@dataclass(frozen=True, eq=False)
class GapSeries:
    """Sets of a history, r rows ordered by object and epoch."""

    first: Int[np.ndarray, " r"]
    """First row of the same object."""
    last: Int[np.ndarray, " r"]
    """One past its last row."""
    t_day: Float[np.ndarray, " r"]
    """Days since the object's first set."""
    value: Float[np.ndarray, "r 7"]
    speed_m_s: Float[np.ndarray, " r"]
    """Mean orbital speed of the object at its first set."""

    @property
    def rows(self) -> Int[np.ndarray, " g"]:
        """Rows that another set of the same object follows: the gaps."""
        return np.flatnonzero(np.arange(1, len(self.first) + 1) < self.last)


def gap_series(table: GpTable) -> GapSeries:
    """table: ordered by (norad_id, epoch_us), as `catalog.history` gives it."""
    many = len(table)
    change = np.flatnonzero(np.append(True, table.norad_id[1:] != table.norad_id[:-1]))[: many or 0]
    counts = np.diff(np.append(change, many))
    first = np.repeat(change, counts)
    last = first + np.repeat(counts, counts)
    t_day = (table.epoch_us - table.epoch_us[first]) / DAY_US
    n_rad_s = table.mean_motion_rev_day * (2.0 * np.pi / 86400.0)
    axis_km = (WGS72_MU_KM3_S2 / n_rad_s**2) ** (1.0 / 3.0)
    ecc, incl = table.eccentricity, np.radians(table.inclination_deg)
    speed = (1e3 * np.sqrt(WGS72_MU_KM3_S2 / axis_km))[first]
    turn = 1.5 * J2 * (WGS72_RADIUS_KM / (axis_km * (1.0 - ecc**2))) ** 2 * n_rad_s * 86400.0
    node, perigee, node_turned, perigee_turned = (np.empty(many) for _ in range(4))
    unwrapped(first, np.radians(table.raan_deg), node)
    unwrapped(first, np.radians(table.arg_perigee_deg), perigee)
    summed(first, t_day, -turn * np.cos(incl), node_turned)
    summed(first, t_day, turn * (2.0 - 2.5 * np.sin(incl) ** 2), perigee_turned)
    flat = incl[first] < _FLAT_RAD
    longitude = np.where(incl[first] < np.radians(3.0), perigee + node, perigee - perigee_turned)
    still = node - node_turned
    mean_motion = table.mean_motion_rev_day
    value = np.stack(
        [
            -speed / 3.0 * (mean_motion / mean_motion[first] - 1.0),
            0.5 * speed * ecc * np.cos(longitude),
            0.5 * speed * ecc * np.sin(longitude),
            speed * np.where(flat, np.sin(incl) * np.cos(node), incl),
            speed * np.where(flat, np.sin(incl) * np.sin(node), np.sin(incl[first]) * (still - still[first])),
            table.bstar_per_er,
            table.mean_motion_dot_rev_day2,
        ],
        axis=1,
    )
    return GapSeries(first, last, t_day, value, speed)
