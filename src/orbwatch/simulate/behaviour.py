"""Lives of objects: when and how those that maneuver do so, in six patterns, with labels.

Each pattern can be lived at any height, so that the height alone says nothing of the pattern: nothing of what published
classifiers learn from simulators (altitude bands) is here to be learned.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float, Int, Int8
from numpy.random import Generator

from orbwatch.constants import DAY_US

PATTERNS = ("normal", "drift_decay", "station_keeping", "minor_maneuver", "major_maneuver", "deorbit")
GAP_KINDS = ("none", "in_track_raise", "in_track_lower", "cross_track", "radial", "non_impulsive")
"""What can happen between two sets: the kinds of `orbwatch.maneuver.kinds`, after nothing."""
LOW, MEDIUM, GEO, ECCENTRIC = REGIMES = ("LEO", "MEO", "GEO", "HEO")
ROLES = ("keep", "minor", "major", "deorbit", "attitude")
"""What an event is for. Attitude: a change of drag, no thrust."""
MAJOR_M_S = 1.0
"""Less is a minor maneuver."""


@dataclass(frozen=True)
class Facts:
    """What the drawing of a life needs to know of the object that lives it."""

    regime: str
    """One of `REGIMES`."""
    start_us: int
    end_us: int
    n_rev_day: float
    speed_m_s: float
    """Mean orbital speed."""
    a_km: float
    perigee_km: float
    """Height."""
    fall_m_day: float
    """Natural decay of the semi-major axis."""
    phase_rad: float
    """Mean anomaly at the start."""
    longitude_deg: float
    """Mean longitude against the Earth at the start (geostationary objects)."""
    longitude_rate_deg_day: float
    """Its rate there."""

    @property
    def days(self) -> float:
        """Length of the history."""
        return (self.end_us - self.start_us) / DAY_US

    def growth(self, fall_m_day: float) -> float:
        """Growth of the mean motion, rev/day^2, of a decay of the semi-major axis."""
        return 1.5 * self.n_rev_day * fall_m_day * 1e-3 / self.a_km

    def at_anomaly(self, day: float, anomaly_rad: float) -> float:
        """The day nearest to `day` on which the mean anomaly is this."""
        turns = self.phase_rad / (2.0 * np.pi) + self.n_rev_day * day
        target = anomaly_rad / (2.0 * np.pi)
        return float(day + (np.round(turns - target) + target - turns) / self.n_rev_day)


@dataclass(frozen=True)
class Event:
    """One thing that happens: a burn or several that belong together, a long thrust, a change of drag."""

    role: str
    start_day: float
    end_day: float
    dv_rtn_m_s: tuple[float, float, float]
    steady: bool = False
    """Low thrust or drag: no instant of its own."""


@dataclass(frozen=True)
class Life:
    """What one object does: days count from its history's start."""

    pattern: str
    """What it was drawn for; windows of it may show less (`window_pattern`)."""
    events: list[Event]
    pushes: list[tuple[float, tuple[float, float, float], bool]] = field(default_factory=list)
    """Day, velocity (R, T, N; m/s), whether part of a long thrust."""
    arcs: list[tuple[float, float, float, float]] = field(default_factory=list)
    """First and last day, factor on the drag, further growth of the mean motion (rev/day^2)."""
    ahead_deg: float = 0.0
    """Placed so far ahead on its orbit before the start."""
    falls: bool = False
    """Drifts or decays by more than the pattern "normal" may (`FALLING`), where nothing holds it."""
    kept_every_day: float = 0.0
    """Mean time between the burns of station keeping, 0 without."""

    def with_events(self, events: list[Event], pushes: list[tuple[float, tuple[float, float, float], bool]]) -> Life:
        """With more happening."""
        return replace(self, events=[*self.events, *events], pushes=[*self.pushes, *pushes])


FALLING = {LOW: 40.0, MEDIUM: 8.0, GEO: 0.3, ECCENTRIC: 60.0}
"""From where an uncontrolled object drifts or decays: metres a day of the semi-major axis, GEO degrees a day."""


def gap_kinds(
    epoch_us: Int[np.ndarray, " n"], life: Life, start_us: int
) -> tuple[Int8[np.ndarray, " n"], Float[np.ndarray, "n 3"]]:
    """Of each set, what happens until the next one: index into `GAP_KINDS` (the last set: none), and delta-v, m/s.

    A push belongs to the gap (epoch of a set, epoch of the next]. Several in one gap add up; their sum's largest axis
    gives the kind. Long thrusts and changes of drag are non-impulsive; a push beside them rules where it is larger.
    """
    n = len(epoch_us)
    day = (epoch_us - start_us) / DAY_US
    sudden, steady = np.zeros((n, 3)), np.zeros((n, 3))
    for when, dv, long in life.pushes:
        gap = int(np.searchsorted(day, when, "left")) - 1
        if 0 <= gap < n - 1:
            (steady if long else sudden)[gap] += dv
    size = np.linalg.norm(sudden, axis=1)
    axis = np.argmax(np.abs(sudden), axis=1)
    kind = np.select([axis == 1, axis == 2], [np.where(sudden[:, 1] > 0, 1, 2), 3], 4)
    weak = np.linalg.norm(steady, axis=1)
    turned = np.zeros(n, bool)
    for event in life.events:
        if event.steady:
            first = int(np.searchsorted(day, event.start_day, "left")) - 1
            last = int(np.searchsorted(day, event.end_day, "left")) - 1 if event.role != "attitude" else first
            turned[max(first, 0) : max(last + 1, 0)] = first < n - 1
    turned[-1:] = False
    thrust = (weak > 0.0) | turned
    kind = np.where(thrust & (size <= weak), 5, np.where(size > 0.0, kind, 0))
    return kind.astype(np.int8), sudden + steady


def event_kind(event: Event) -> str:
    """One of `GAP_KINDS` for one event by itself."""
    if event.steady:
        return "non_impulsive"
    axis = int(np.argmax(np.abs(event.dv_rtn_m_s)))
    return ("radial", "in_track_raise" if event.dv_rtn_m_s[1] > 0.0 else "in_track_lower", "cross_track")[axis]


def window_pattern(life: Life, start_day: float, end_day: float) -> str:
    """What a window of an object's life shows, one of `PATTERNS`.

    The gravest event within rules: deorbit, major, station keeping, minor. A single burn of an object kept at a slower
    rhythm than half the window shows no rhythm: it counts by its size. Where nothing burns, an object drifts or not;
    after disposal it does.
    """
    inside = [e for e in life.events if e.start_day < end_day and e.end_day >= start_day and e.role != "attitude"]
    roles = {event.role for event in inside}
    for role, pattern in (("deorbit", "deorbit"), ("major", "major_maneuver")):
        if role in roles:
            return pattern
    kept = [event for event in inside if event.role == "keep"]
    if len(kept) > 1 or any(event.steady for event in kept):
        return "station_keeping"
    if kept and life.kept_every_day <= 0.5 * (end_day - start_day):
        return "station_keeping"
    if inside:
        most = max(float(np.linalg.norm(event.dv_rtn_m_s)) for event in inside)
        return "major_maneuver" if most >= MAJOR_M_S else "minor_maneuver"
    gone = any(event.role == "deorbit" and event.end_day < start_day for event in life.events)
    return "drift_decay" if life.falls or gone else "normal"


def log_uniform(rng: Generator, low: float, high: float) -> float:
    """A number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
