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
"""Relative change of the mean motion a day: 0.003 in 99.9 of 100 cases."""
MOST_ECCENTRICITY = 3e-3
"""0.001 in 99.9 of 100 cases."""
MOST_KM = 3000.0
"""Distance of a set carried back to the epoch of the one before it, at most a day older; beyond, times days^1.5."""
MOST_DECAY = 0.15
"""Mean motion's rate / 2, rev/day^2: 0.12 at most, of objects about to come down."""
STEP_MOTION, STEP_TIMES = 3e-4, 10.0
"""A change of the mean motion above the first, and above the second times the change before it, is a step."""
STEP_KM, STEP_KM_DAY = 300.0, 800.0
"""So is this distance: the second times days^1.5. Satellites on their way up do that."""
DRAG_TIMES, STEP_BSTAR, STEP_DECAY = 30.0, 1e-3, 1e-3
"""And a drag term above this many times the one before, and above 1e-3."""
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
    them are believed, and the last of those is a rival. A third set that agrees settles it. After a step, as maneuvers
    make it too, the newest set is believed, with the one before it as a rival until another follows.
    """
    recent = asked.past[:, -RECENT:][:, ::-1]
    there = recent != NONE
    jumps, step = _jumps(table, recent)
    first, second, third, across = jumps[0, 1], jumps[1, 2], jumps[2, 3], jumps[0, 2]
    between = first & there[:, 2] & ~across
    alone = first & ~between
    both = alone & second
    fresh = ~first & second & across
    rival = np.full((len(asked), 2), NONE, np.int64)
    rival[alone, 0] = recent[alone, 0]
    rival[both, 1] = recent[both, 1]
    rival[fresh, 0] = recent[fresh, 2]
    after_step = step & ~first & ~fresh
    rival[after_step, 0] = recent[after_step, 1]
    past = asked.past.copy()
    past[alone, -1] = NONE
    past[both | between, -2] = NONE
    past[both & (third | ~there[:, 3])] = NONE
    return Believed(Asks(asked.norad_id, asked.asked_us, _packed(past)), rival)


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


@dataclass(frozen=True, eq=False)
class _Change:
    """From an earlier set to a later one, m pairs."""

    gap_day: Float[np.ndarray, " m"]
    tilt_deg: Float[np.ndarray, " m"]
    motion: Float[np.ndarray, " m"]
    """Relative."""
    eccentricity: Float[np.ndarray, " m"]
    away_km: Float[np.ndarray, " m"]
    """The later set, carried back to the earlier one's epoch, from it."""
    bstar: Float[np.ndarray, "2 m"]
    """Sizes of the later and of the earlier one."""
    decay: Float[np.ndarray, "2 m"]

    def jump(self) -> Bool[np.ndarray, " m"]:
        """What no object does."""
        days = np.maximum(1.0, self.gap_day)
        return np.asarray(
            (self.tilt_deg > MOST_TILT_DEG)
            | (self.motion > MOST_MOTION * days)
            | (self.eccentricity > MOST_ECCENTRICITY * days)
            | (self.away_km > MOST_KM * days**1.5)
            | _wild(self.decay, MOST_DECAY)
        )

    def step(self) -> Bool[np.ndarray, " m"]:
        """What few do, by a maneuver."""
        far = self.away_km > STEP_KM + STEP_KM_DAY * self.gap_day**1.5
        return np.asarray(far | _wild(self.bstar, STEP_BSTAR) | _wild(self.decay, STEP_DECAY))


def _jumps(
    table: GpTable, recent: Int[np.ndarray, "n 4"]
) -> tuple[dict[tuple[int, int], Bool[np.ndarray, " n"]], Bool[np.ndarray, " n"]]:
    """For pairs of the newest sets (0 is the newest) whether the later one jumps; and whether the newest steps."""
    rows, place = np.unique(recent[recent != NONE], return_inverse=True)
    part = table[rows]
    local = np.full(recent.shape, NONE, np.int64)
    local[recent != NONE] = place
    catalog = Sgp4Catalog(part)
    jumps, motion = {}, np.full((2, len(recent)), np.nan)
    step = np.zeros(len(recent), np.bool_)
    for later, earlier in ((0, 1), (0, 2), (1, 2), (2, 3)):
        both = np.flatnonzero((local[:, later] != NONE) & (local[:, earlier] != NONE))
        both = both[
            (catalog.init_status[local[both, [later]]] == 0) & (catalog.init_status[local[both, [earlier]]] == 0)
        ]
        change = _change(part, catalog, local[both, later], local[both, earlier])
        judged = change.gap_day <= LONGEST_DAY
        jumps[later, earlier] = np.zeros(len(recent), np.bool_)
        jumps[later, earlier][both] = judged & change.jump()
        if earlier - later == 1 and later < 2:
            motion[later, both] = np.where(judged, change.motion / np.maximum(1.0, change.gap_day), np.nan)
        if (later, earlier) == (0, 1):
            step[both] = judged & change.step()
    return jumps, step | ((motion[0] > STEP_MOTION) & (motion[0] > STEP_TIMES * motion[1]))


def _change(
    table: GpTable, catalog: Sgp4Catalog, later: Int[np.ndarray, " m"], earlier: Int[np.ndarray, " m"]
) -> _Change:
    start_us = int(table.epoch_us[earlier].min()) if len(earlier) else 0
    offset_s = (table.epoch_us[earlier] - start_us) / 1e6
    r, v, _ = catalog.at(later, start_us, offset_s)
    r_before, v_before, _ = catalog.at(earlier, start_us, offset_s)
    normal, normal_before = np.cross(r, v), np.cross(r_before, v_before)
    turned = np.linalg.norm(np.cross(normal, normal_before), axis=1)
    away_km = np.linalg.norm(r - r_before, axis=1)
    motion, pair = table.mean_motion_rev_day, np.stack([later, earlier])
    return _Change(
        (table.epoch_us[later] - table.epoch_us[earlier]) / DAY_US,
        np.degrees(np.arctan2(turned, np.einsum("ij,ij->i", normal, normal_before))),
        np.abs(motion[later] / motion[earlier] - 1.0),
        np.abs(table.eccentricity[later] - table.eccentricity[earlier]),
        # One that cannot be carried back so far has nothing in common with one that has a position there.
        np.where(np.isfinite(away_km), away_km, np.where(np.isfinite(r_before).all(axis=1), np.inf, 0.0)),
        np.abs(table.bstar_per_er[pair]),
        np.abs(table.mean_motion_dot_rev_day2[pair]),
    )


def _wild(sizes: Float[np.ndarray, "2 m"], least: float) -> Bool[np.ndarray, " m"]:
    return np.asarray(sizes[0] > np.maximum(DRAG_TIMES * sizes[1], least))
