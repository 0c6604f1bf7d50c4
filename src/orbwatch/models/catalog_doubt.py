"""Newest sets that contradict the ones before them: no orbit changes so, not even by a usual maneuver.

A set may be a fit gone wrong, or another object's under this number. A history cannot tell until later sets come: what
is off its trend between two neighbours is put aside when it is read (`catalog.trend`), the newest one has only one. So
a set that jumps further than objects do is not believed until others agree with it, and where nobody can tell, the
region covers both stories.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.frames import rtn_matrix
from orbwatch.learn.samples.catalog_asks import NONE, Asks
from orbwatch.propagate.sgp4 import Sgp4Catalog

MOST_TILT_DEG = 0.2
"""Orbits turn by less from set to set: 0.01 to 0.06 deg in 99.9 of 100 cases, 0.2 in medium orbits; a degree costs
130 m/s."""
MOST_MOTION = 5e-3
"""Relative change of the mean motion, a day or less: 0.003 in 99.9 of 100 cases."""
MOST_ECCENTRICITY = 3e-3
"""0.001 in 99.9 of 100 cases."""
MOST_KM, MOST_KM_DAY = 300.0, 800.0
"""Distance of a set carried back to the epoch of the one before it: the second times days^1.5."""
MOST_DRAG = 30.0
"""Times the drag terms of the sets before, and more than `LEAST_BSTAR` and `LEAST_DECAY` of them."""
LEAST_BSTAR = 1e-3
LEAST_DECAY = 1e-3
STEP_MOTION = 3e-4
"""Relative changes of the mean motion above this, and `STEP_TIMES` the one before, may be a maneuver or a bad fit."""
STEP_TIMES = 10.0
LONGEST_DAY = 10.0
"""Sets further apart do not contradict each other."""
RECENT = 4
"""Sets that are compared."""


@dataclass(frozen=True, eq=False)
class Believed:
    """What is believed of n askings."""

    asked: Asks
    """With sets that are not believed taken out; none at all (`NONE`) where the sets only contradict each other."""
    rival: Int[np.ndarray, "n 2"]
    """Rows of sets that tell another story, which nobody can rule out; `NONE` where there are none."""

    @property
    def contradicted(self) -> Bool[np.ndarray, " n"]:
        """Where there is another story."""
        return np.asarray((self.rival != NONE).any(axis=1))


def believed(table: GpTable, asked: Asks) -> Believed:
    """Which of the known sets of askings to start from.

    A newest set that jumps from the one before it, but not from the one before that, is right, and the one between is
    taken out. One that jumps from both is taken out itself, and is a rival. Two that agree and jump from those before
    them are believed, and the last of those is a rival. A third set that agrees settles it. After a step of the mean
    motion as a maneuver makes it the newest set is believed, with the one before it as a rival until another follows.
    """
    recent = asked.past[:, -RECENT:][:, ::-1]
    jumps = _jumps(table, recent)
    there = recent != NONE
    first, second, third = jumps[0, 1], jumps[1, 2], jumps[2, 3]
    across = jumps[0, 2]
    drop = np.zeros(len(asked), np.int64)
    rival = np.full((len(asked), 2), NONE, np.int64)
    between = first & there[:, 2] & ~across
    alone = first & ~between
    both = alone & second
    lost = both & (third | ~there[:, 3])
    drop[alone], drop[both] = 1, 2
    rival[alone, 0] = recent[alone, 0]
    rival[both, 1] = recent[both, 1]
    fresh = ~first & second & across
    rival[fresh, 0] = recent[fresh, 2]
    step = ~first & ~fresh & _step(table, recent)
    rival[step, 0] = recent[step, 1]
    past = asked.past.copy()
    past[between, -2] = NONE
    for count in (1, 2):
        rows = drop == count
        past[rows] = np.roll(past[rows], count, axis=1)
        past[rows, :count] = NONE
    past[between] = _packed(past[between])
    past[lost] = NONE
    return Believed(Asks(asked.norad_id, asked.asked_us, past), rival)


def widened(
    cov_rtn_km2: Float[np.ndarray, "n h 3 3"],
    rv_teme_km: Float[np.ndarray, "n h 6"],
    table: GpTable,
    rival: Int[np.ndarray, "n 2"],
    at_us: Int[np.ndarray, "n h"],
) -> Float[np.ndarray, "n h 3 3"]:
    """Covariances with the distance to where rivals put the objects; of one that ends, the whole size of the orbit."""
    who, which = np.nonzero(rival != NONE)
    if not len(who):
        return cov_rtn_km2
    out = cov_rtn_km2.copy()
    rows, place = np.unique(rival[who, which], return_inverse=True)
    when_us = at_us[who]
    start_us = int(when_us.min())
    told = (
        Sgp4Catalog(table[rows])
        .at(np.repeat(place, when_us.shape[1]), start_us, (when_us.ravel() - start_us) / 1e6)[0]
        .reshape(*when_us.shape, 3)
    )
    r, v = rv_teme_km[who, :, :3], rv_teme_km[who, :, 3:]
    away = np.einsum("nhij,nhj->nhi", rtn_matrix(r, v), told - r)
    more = away[..., :, None] * away[..., None, :]
    ends = ~np.isfinite(away).all(axis=-1)
    size = np.einsum("nhi,nhi->nh", r, r)
    more[ends] = size[ends][:, None, None] * np.eye(3)
    np.add.at(out, who, more)
    return out


def _packed(past: Int[np.ndarray, "n k"]) -> Int[np.ndarray, "n k"]:
    """Gaps moved to the front, so that the newest sets stand together at the end."""
    order = np.argsort(past != NONE, axis=1, kind="stable")
    return np.take_along_axis(past, order, axis=1)


def _jumps(table: GpTable, recent: Int[np.ndarray, "n 4"]) -> dict[tuple[int, int], Bool[np.ndarray, " n"]]:
    """For pairs of the newest sets (0 is the newest): whether the later one jumps from the earlier one."""
    rows, place = np.unique(recent[recent != NONE], return_inverse=True)
    part = table[rows]
    local = np.full(recent.shape, NONE, np.int64)
    local[recent != NONE] = place
    catalog = Sgp4Catalog(part)
    found = {}
    for later, earlier in ((0, 1), (0, 2), (1, 2), (2, 3)):
        judged = np.flatnonzero((local[:, later] != NONE) & (local[:, earlier] != NONE))
        out = np.zeros(len(recent), np.bool_)
        out[judged] = _jump(part, catalog, local[judged, later], local[judged, earlier])
        found[later, earlier] = out
    return found


def _jump(
    table: GpTable, catalog: Sgp4Catalog, later: Int[np.ndarray, " m"], earlier: Int[np.ndarray, " m"]
) -> Bool[np.ndarray, " m"]:
    if not len(later):
        return np.zeros(0, np.bool_)
    gap_day = (table.epoch_us[later] - table.epoch_us[earlier]) / DAY_US
    start_us = int(table.epoch_us[earlier].min())
    offset_s = (table.epoch_us[earlier] - start_us) / 1e6
    r, v, _ = catalog.at(later, start_us, offset_s)
    r_before, v_before, _ = catalog.at(earlier, start_us, offset_s)
    normal, normal_before = np.cross(r, v), np.cross(r_before, v_before)
    turned = np.linalg.norm(np.cross(normal, normal_before), axis=1)
    tilt_deg = np.degrees(np.arctan2(turned, np.einsum("ij,ij->i", normal, normal_before)))
    motion = table.mean_motion_rev_day[later] / table.mean_motion_rev_day[earlier] - 1.0
    eccentricity = table.eccentricity[later] - table.eccentricity[earlier]
    days = np.maximum(1.0, gap_day)
    jumped = (
        (tilt_deg > MOST_TILT_DEG)
        | (np.abs(motion) > MOST_MOTION * days)
        | (np.abs(eccentricity) > MOST_ECCENTRICITY * days)
        | (np.linalg.norm(r - r_before, axis=1) > MOST_KM + MOST_KM_DAY * gap_day**1.5)
        | _wild(table.bstar_per_er, later, earlier, LEAST_BSTAR)
        | _wild(table.mean_motion_dot_rev_day2, later, earlier, LEAST_DECAY)
    )
    known = np.isfinite(r).all(axis=1) & np.isfinite(r_before).all(axis=1)
    return np.asarray(known & jumped & (gap_day <= LONGEST_DAY))


def _step(table: GpTable, recent: Int[np.ndarray, "n 4"]) -> Bool[np.ndarray, " n"]:
    """Where the mean motion changes much, and did not before."""
    motion = table.mean_motion_rev_day[recent[:, :3]]
    gap_day = -np.diff(table.epoch_us[recent[:, :3]], axis=1) / DAY_US
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.abs(motion[:, :2] / motion[:, 1:] - 1.0)
    there = (recent[:, :3] != NONE).all(axis=1) & (gap_day[:, 0] <= LONGEST_DAY)
    large = change[:, 0] > STEP_MOTION * np.maximum(1.0, gap_day[:, 0])
    return np.asarray(there & large & (change[:, 0] > STEP_TIMES * change[:, 1]))


def _wild(
    drag: Float[np.ndarray, " n"], later: Int[np.ndarray, " m"], earlier: Int[np.ndarray, " m"], least: float
) -> Bool[np.ndarray, " m"]:
    """Drag terms far beyond what they were."""
    return np.asarray(np.abs(drag[later]) > np.maximum(MOST_DRAG * np.abs(drag[earlier]), least))
