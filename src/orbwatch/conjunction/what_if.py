"""What a burn before the closest approach would change: miss and probability over delta-v and time. Decision support.

The object's orbit is taken back from the closest approach to the burn, changed there, and both, changed and unchanged,
are taken forward again in the Earth's zonal field J2 to J4 (`propagate.zonal`). Their difference at the closest
approach is added to the event's own state, so that without a burn the event is what it was, and forces that are left
out (drag, tides, the Sun and the Moon) act on the difference only: within 0.1 % of the displacement over two days, in
low orbits, against the full force model. The other object stays on its path. The new closest approach is looked for on
curved paths, from the old one's time.

The covariance is the event's own, in each object's radial, transverse and normal axes; a burn that is not executed
exactly adds, where its relative error is given, that part of the displacement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from orbwatch.conjunction.encounter import encounter
from orbwatch.conjunction.maximum import alfano_2005_maximum
from orbwatch.conjunction.probability import foster_1992
from orbwatch.conjunction.tca import linear_tca
from orbwatch.errors import InputError
from orbwatch.frames import rtn_matrix
from orbwatch.propagate.zonal import propagate_zonal

LABEL = "Decision support, not a command: one burn, the other object as catalogued, errors as stated."
DYNAMICS = "difference of two orbits in the zonal field J2-J4, added to the event's own state"
DISPLACEMENT_ERROR = 1e-3
"""Of the displacement: what the zonal field leaves out over two days in low orbits."""
LONGEST_LEAD_S = 10 * 86_400.0
_TURNS = 12
_SETTLED_S = 1e-7
_FARTHEST_OF_ORBIT = 0.25  # the new closest approach is looked for within this part of a revolution

Rows = Float[np.ndarray, "k 3"]


@dataclass(frozen=True, eq=False)
class Event:
    """One conjunction, from the store or from a message: states at its closest approach in inertial axes."""

    key: str
    names: tuple[str, str]
    norad_ids: tuple[int, int]
    """0 where there is no number."""
    tca_us: int
    r_km: Float[np.ndarray, "2 3"]
    """With the Earth's axis as z: TEME."""
    v_km_s: Float[np.ndarray, "2 3"]
    cov_rtn_km2: Float[np.ndarray, "2 3 3"]
    """NaN where an object has none."""
    cov_sources: tuple[str, str]
    hbr_m: float
    hbr_source: str

    def swapped(self) -> Event:
        """The other object as the one that burns."""
        return replace(
            self,
            names=self.names[::-1],
            norad_ids=self.norad_ids[::-1],
            r_km=self.r_km[::-1],
            v_km_s=self.v_km_s[::-1],
            cov_rtn_km2=self.cov_rtn_km2[::-1],
            cov_sources=self.cov_sources[::-1],
        )


@dataclass(frozen=True, eq=False)
class Outcome:
    """What k burns lead to, each with its own delta-v and time."""

    r1_km: Rows
    """State of the object at the event's old closest approach."""
    v1_km_s: Rows
    displacement_km: Rows
    """Of that state, from the one without a burn."""
    shift_s: Float[np.ndarray, " k"]
    """From the old closest approach to the new one."""
    miss_km: Float[np.ndarray, " k"]
    pc: Float[np.ndarray, " k"]
    """foster_1992 over the circle; NaN where there is no covariance or no relative motion."""
    pc_maximum: Float[np.ndarray, " k"]
    """Over all sizes of the covariance (alfano_2005)."""
    diluted: Bool[np.ndarray, " k"]


def states_before(event: Event, lead_s: Float[np.ndarray, " m"]) -> Float[np.ndarray, "m 6"]:
    """State of the object `lead_s` before the closest approach, in the zonal field."""
    start = np.concatenate([event.r_km[0], event.v_km_s[0]])
    return np.asarray(propagate_zonal(np.tile(start, (len(lead_s), 1)), -lead_s[:, None]).rv_km[:, 0])


@dataclass(frozen=True, eq=False)
class Track:
    """The object's path without a burn: what burns at some times start from."""

    lead_s: Float[np.ndarray, " m"]
    """Seconds before the closest approach, ascending."""
    before: Float[np.ndarray, "m 6"]
    """State then."""
    after: Float[np.ndarray, "m 6"]
    """The state at the closest approach that it leads to: the event's own, but for the integrator's error both ways."""


def track(event: Event, lead_s: Float[np.ndarray, " k"]) -> Track:
    """Where the object is at each of some times before the closest approach.

    Raises InputError for times that are not within 0 .. 10 days before.
    """
    if not ((lead_s >= 0.0) & (lead_s <= LONGEST_LEAD_S)).all():
        raise InputError("a burn comes before the closest approach", field="hours", legal="0 .. 240 hours before")
    times = np.unique(lead_s)
    before = states_before(event, times)
    return Track(times, before, propagate_zonal(before, times[:, None]).rv_km[:, 0])


def outcome(
    event: Event,
    dv_m_s: Float[np.ndarray, " k"],
    lead_s: Float[np.ndarray, " k"],
    *,
    axis: int = 1,
    execution_error: float = 0.0,
    threads: int = 2,
    maximum: bool = False,
    path: Track | None = None,
) -> Outcome:
    """What burns of dv_m_s (m/s) along an axis of the object's RTN, lead_s before the closest approach, lead to.

    axis: 0 radial, 1 transverse (along the track), 2 normal. execution_error: standard deviation of the burn's size, as
    a part of it. maximum: also the largest probability and whether the value is diluted (costs 40 times the rest).
    path: of all these times, so as not to work it out again. Raises InputError for times that are not within 0 .. 10
    days before.
    """
    path = track(event, lead_s) if path is None else path
    at = np.searchsorted(path.lead_s, lead_s)
    burned = path.before[at]
    burned[:, 3:] += 1e-3 * dv_m_s[:, None] * rtn_matrix(burned[:, :3], burned[:, 3:])[:, axis]
    change = propagate_zonal(burned, lead_s[:, None], threads=threads).rv_km[:, 0] - path.after[at]
    return _encountered(event, change, execution_error, maximum)


def moved_state(
    event: Event, dv_m_s: float, lead_s: float, axis: int = 1
) -> tuple[Float[np.ndarray, " 6"], Float[np.ndarray, " 6"]]:
    """State right after the burn in the zonal field, and the state that it leads to at the old closest approach."""
    before = states_before(event, np.array([lead_s]))[0]
    before[3:] += 1e-3 * dv_m_s * rtn_matrix(before[:3], before[3:])[axis]
    found = outcome(event, np.array([dv_m_s]), np.array([lead_s]), axis=axis)
    return before, np.concatenate([found.r1_km[0], found.v1_km_s[0]])


def _encountered(event: Event, change: Float[np.ndarray, "k 6"], execution_error: float, maximum: bool) -> Outcome:
    k = len(change)
    first = np.concatenate([event.r_km[0], event.v_km_s[0]]) + change
    second = np.tile(np.concatenate([event.r_km[1], event.v_km_s[1]]), (k, 1))
    own_s = float(linear_tca(event.r_km[0], event.v_km_s[0], event.r_km[1], event.v_km_s[1]))
    shift_s, one, two = _closest(first, second, own_s)
    cov1 = np.tile(event.cov_rtn_km2[0], (k, 1, 1))
    if execution_error > 0.0:
        axes = rtn_matrix(one[:, :3], one[:, 3:])
        part = execution_error * np.einsum("kij,kj->ki", axes, change[:, :3])
        cov1 = cov1 + part[:, :, None] * part[:, None, :]
    cov2 = np.tile(event.cov_rtn_km2[1], (k, 1, 1))
    hbr_km = np.full(k, event.hbr_m / 1e3)
    plane = encounter(one[:, :3], one[:, 3:], cov1, two[:, :3], two[:, 3:], cov2, hbr_km)
    pc = foster_1992(plane.miss_km, plane.cov_km2, hbr_km)
    largest, diluted = np.full(k, np.nan), np.zeros(k, bool)
    if maximum:
        found = alfano_2005_maximum(plane.miss_km, plane.cov_km2, hbr_km)
        largest, diluted = found.pc, found.diluted
    return Outcome(
        first[:, :3], first[:, 3:], change[:, :3], shift_s + plane.tca_shift_s, plane.miss_distance_km, pc, largest,
        diluted,
    )  # fmt: skip


def _closest(
    first: Float[np.ndarray, "k 6"], second: Float[np.ndarray, "k 6"], own_s: float
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "k 6"], Float[np.ndarray, "k 6"]]:
    """Seconds to near the closest approach, and both states then; where none is near, the last looked at.

    The states stay as far, by straight motion, from the closest approach as those of the event are, `own_s`: so an
    event without a burn keeps its states to the last bit, and the outcome is continuous from there.
    """
    r, v = np.linalg.norm(first[:, :3], axis=1), np.linalg.norm(first[:, 3:], axis=1)
    reach_s = _FARTHEST_OF_ORBIT * 2.0 * np.pi * r / v
    shift = np.zeros(len(first))
    one, two = first.copy(), second.copy()
    active = np.arange(len(first))
    for _ in range(_TURNS):
        step = linear_tca(one[active, :3], one[active, 3:], two[active, :3], two[active, 3:]) - own_s
        step = np.clip(step, -0.25 * reach_s[active], 0.25 * reach_s[active])
        going = (np.abs(step) > _SETTLED_S) & (np.abs(shift[active] + step) < reach_s[active])
        active, step = active[going], step[going]
        if not len(active):
            break
        shift[active] += step
        one[active] = propagate_zonal(first[active], shift[active, None]).rv_km[:, 0]
        two[active] = propagate_zonal(second[active], shift[active, None]).rv_km[:, 0]
    return shift, one, two


@dataclass(frozen=True, eq=False)
class Surface:
    """Outcomes over a grid of delta-v and time of the burn."""

    event: Event
    dv_m_s: Float[np.ndarray, " d"]
    lead_h: Float[np.ndarray, " t"]
    miss_km: Float[np.ndarray, "d t"]
    pc: Float[np.ndarray, "d t"]
    shift_s: Float[np.ndarray, "d t"]
    execution_error: float


def surface(
    event: Event,
    dv_m_s: Float[np.ndarray, " d"],
    lead_h: Float[np.ndarray, " t"],
    *,
    execution_error: float = 0.0,
    threads: int = 2,
) -> Surface:
    """Miss and probability for every delta-v along the track (m/s) and hours before the closest approach."""
    dv, lead = (grid.ravel() for grid in np.meshgrid(dv_m_s, lead_h, indexing="ij"))
    found = outcome(event, dv, lead * 3600.0, execution_error=execution_error, threads=threads)
    shape = (len(dv_m_s), len(lead_h))
    return Surface(
        event, dv_m_s, lead_h, found.miss_km.reshape(shape), found.pc.reshape(shape), found.shift_s.reshape(shape),
        execution_error,
    )  # fmt: skip


def spread(values: Sequence[float], count: int) -> Float[np.ndarray, " n"]:
    """`count` values from the first to the last, with zero among them where they enclose it."""
    low, high = min(values), max(values)
    grid = np.linspace(low, high, count)
    if low < 0.0 < high:
        grid[np.abs(grid).argmin()] = 0.0
    return grid
