"""The element sets around a gap, as four observables that a burn changes, each told as a change of velocity.

The last set before the gap is the reference. Timing: how far ahead or behind its orbit the other sets are at their own
epochs, which a burn along the track bends into a second straight line. Eccentricity vector and plane: freed of J2's
turning, where a burn makes a step. Gauss' equations for a nearly circular orbit of speed v and mean motion n (Vallado,
Fundamentals of Astrodynamics, section 9.3; u: argument of latitude of the burn):

    dn / n = -3 dv_T / v
    d(e cos w, e sin w) = (2 cos u dv_T + sin u dv_R, 2 sin u dv_T - cos u dv_R) / v
    (di, sin i dO) = (cos u, sin u) dv_N / v
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.trend import J2_WGS72
from orbwatch.constants import DAY_S, DAY_US, TWO_PI, WGS72_MU_KM3_S2, WGS72_RADIUS_KM
from orbwatch.propagate.curvilinear import shift_of
from orbwatch.propagate.sgp4 import Sgp4Catalog

SIDE = 6
"""Most sets on each side of the gap."""
_ENOUGH = 4
_SPAN_DAY = 4.5
"""Sets farther away are only taken where a side has fewer than `_ENOUGH`."""
_LONGEST_DAY = 20.0


@dataclass(frozen=True, eq=False)
class Around:
    """Sets around g gaps, `SIDE` on each side, the earliest first; columns without a set are not in `there`."""

    there: Bool[np.ndarray, "g m"]
    day: Float[np.ndarray, "g m"]
    """Epochs from the middle of the gap."""
    timing_m_s_day: Float[np.ndarray, "g m"]
    """Delay on the reference's orbit, as the along-track burn that makes it in one day; NaN beyond half a turn."""
    rate_m_s: Float[np.ndarray, "g m"]
    """Along-track burn between the mean motion that the reference goes on with and that of the set."""
    ecc_m_s: Float[np.ndarray, "g m 2"]
    """Eccentricity vector times speed, towards the reference's node and 90 degrees on."""
    plane_m_s: Float[np.ndarray, "g m 2"]
    """Normal of the orbit times speed: inclination and node (times sine of inclination) away from the reference's."""
    speed_m_s: Float[np.ndarray, " g"]
    gap_day: Float[np.ndarray, " g"]


def around(
    table: GpTable,
    row: Int[np.ndarray, " g"],
    first: Int[np.ndarray, " g"] | None = None,
    last: Int[np.ndarray, " g"] | None = None,
) -> Around:
    """The sets around the gaps after rows of a history that is ordered by object and epoch.

    first, last: rows that bound what may be looked at (other events); default: none.
    """
    offset = np.arange(1 - SIDE, SIDE + 1)
    index = row[:, None] + offset
    inside = (index >= 0) & (index < len(table))
    index = np.clip(index, 0, max(len(table) - 1, 0))
    inside &= table.norad_id[index] == table.norad_id[row][:, None]
    if first is not None and last is not None:
        inside &= (index >= first[:, None]) & (index <= last[:, None])
    epoch = table.epoch_us[index]
    middle = epoch[:, SIDE - 1] + (epoch[:, SIDE] - epoch[:, SIDE - 1]) // 2
    day = (epoch - middle[:, None]) / DAY_US
    rank = np.where(offset > 0, offset, 1 - offset)
    there = inside & (np.abs(day) < np.where(rank <= _ENOUGH, _LONGEST_DAY, _SPAN_DAY))

    rows, place = np.unique(index, return_inverse=True)
    place = place.reshape(index.shape)
    sets = table[rows]
    reference = place[:, SIDE - 1]
    motion = sets.mean_motion_rev_day
    speed = np.cbrt(WGS72_MU_KM3_S2 * motion * TWO_PI / DAY_S) * 1e3
    size = speed[reference][:, None]
    since = (epoch - epoch[:, SIDE - 1 : SIDE]) / DAY_US
    expected = motion[reference][:, None] + 2.0 * sets.mean_motion_dot_rev_day2[reference][:, None] * since
    rate = -size / 3.0 * (motion[place] / expected - 1.0)
    late_s = _timing(sets, reference, place, there)
    ecc, plane = _vectors(sets, reference, place, since)
    return Around(
        there,
        np.where(there, day, 0.0),
        -late_s / DAY_S * size / 3.0,
        rate,
        ecc * size[..., None],
        plane * size[..., None],
        speed[reference],
        day[:, SIDE] - day[:, SIDE - 1],
    )


def _timing(
    sets: GpTable, reference: Int[np.ndarray, " g"], place: Int[np.ndarray, "g m"], there: Bool[np.ndarray, "g m"]
) -> Float[np.ndarray, "g m"]:
    """How far ahead of the reference's orbit the sets are, s; NaN where it cannot be told."""
    catalog = Sgp4Catalog(sets)
    own = _states(catalog, np.arange(len(sets)), sets.epoch_us)
    gap, column = np.nonzero(there)
    at = place[gap, column]
    out = np.full(place.shape, np.nan)
    carried = _states(catalog, reference[gap], sets.epoch_us[at])
    out[gap, column] = shift_of(carried, np.ascontiguousarray(own[at, :3]))[:, 0]
    return out


def _states(catalog: Sgp4Catalog, index: Int[np.ndarray, " k"], at_us: Int[np.ndarray, " k"]) -> np.ndarray:
    start = int(at_us.min()) if len(at_us) else 0
    r, v, _ = catalog.at(index, start, (at_us - start) / 1e6)
    return np.concatenate([r, v], axis=1)


def _vectors(
    sets: GpTable, reference: Int[np.ndarray, " g"], place: Int[np.ndarray, "g m"], since_day: Float[np.ndarray, "g m"]
) -> tuple[Float[np.ndarray, "g m 2"], Float[np.ndarray, "g m 2"]]:
    """Eccentricity vectors and planes of sets in the axes of their reference's plane, without J2's turning."""
    incl, node, perigee = (
        np.radians(getattr(sets, name)) for name in ("inclination_deg", "raan_deg", "arg_perigee_deg")
    )
    motion_day = sets.mean_motion_rev_day * TWO_PI
    axis_km = np.cbrt(WGS72_MU_KM3_S2 / (motion_day / DAY_S) ** 2)
    turn = 1.5 * J2_WGS72 * motion_day * (WGS72_RADIUS_KM / (axis_km * (1.0 - sets.eccentricity**2))) ** 2
    node_rate, perigee_rate = -turn * np.cos(incl), turn * (2.0 - 2.5 * np.sin(incl) ** 2)
    moved = node[place] - (node[reference][:, None] + node_rate[reference][:, None] * since_day)
    # Signed so that (cos u, sin u) dv_N / v is the step; exact for equatorial orbits too.
    half = np.sin(incl[reference])[:, None] * np.cos(incl[place])
    plane = np.stack(
        [
            np.cos(incl[reference])[:, None] * np.sin(incl[place]) * np.cos(moved) - half,
            np.sin(incl[place]) * np.sin(moved),
        ],
        axis=2,
    )
    # Measured from the reference's node: a node that moves takes the perigee's angle with it.
    angle = perigee[place] - perigee_rate[reference][:, None] * since_day + np.cos(incl[place]) * _half_turn(moved)
    ecc = np.stack([np.cos(angle), np.sin(angle)], axis=2) * sets.eccentricity[place][..., None]
    return ecc, plane


def _half_turn(angle_rad: Float[np.ndarray, "*b"]) -> Float[np.ndarray, "*b"]:
    return np.asarray((angle_rad + np.pi) % TWO_PI - np.pi)
