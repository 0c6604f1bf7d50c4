"""Burns of an object that maneuvers: when, how long, how much and which way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from numpy.random import Generator

from orbwatch.propagate.numerical import Thrust
from orbwatch.settings_groups import DatasetSettings

LEAST_GAP_S = 3000.0  # 20 positions and 30 minutes of forecast: many windows hold exactly one burn
_LONGEST_S = 300.0
_SHORTEST_S = 1.0
_MOST_KM_S2 = 2e-3  # a fifth of the weight: what apogee engines reach with little fuel left


@dataclass(frozen=True)
class Burn:
    """Thrust that stays the same in the object's own radial, along-track, cross-track axes."""

    object_id: int
    start_s: float
    """Seconds from the start of the object's series."""
    duration_s: float
    dv_rtn_m_s: tuple[float, float, float]
    """Change of velocity: acceleration times duration."""

    @property
    def thrust(self) -> Thrust:
        """As the integrator takes it."""
        radial, along, cross = (size * 1e-3 / self.duration_s for size in self.dv_rtn_m_s)
        return Thrust(self.start_s, self.duration_s, (radial, along, cross))


def draw_burns(settings: DatasetSettings, object_id: int, rng: Generator) -> list[Burn]:
    """The burns that begin within the series of one object, in order; none for the share that never maneuvers.

    Sizes are log-uniform, directions uniform on the sphere, durations uniform up to five minutes, and at least so long
    that the acceleration stays below 2 m/s2 where five minutes allow that. Between the end of one and the start of the
    next lie at least 50 minutes (or half the mean interval, where that is shorter), then an exponential wait.
    """
    if rng.uniform() >= settings.burn_share:
        return []
    mean_s, end_s = settings.burn_interval_min * 60.0, settings.hours * 3600.0
    least_s = min(LEAST_GAP_S, mean_s / 2.0)
    burns: list[Burn] = []
    start_s = rng.exponential(mean_s)
    while start_s < end_s:
        size_m_s = np.exp(rng.uniform(np.log(settings.burn_min_m_s), np.log(settings.burn_max_m_s)))
        shortest_s = min(max(_SHORTEST_S, size_m_s * 1e-3 / _MOST_KM_S2), _LONGEST_S)
        duration_s = rng.uniform(shortest_s, _LONGEST_S)
        direction = rng.standard_normal(3)
        radial, along, cross = (size_m_s / np.sqrt(direction @ direction) * direction).tolist()
        burns.append(Burn(object_id, start_s, duration_s, (radial, along, cross)))
        start_s += duration_s + least_s + rng.exponential(mean_s - least_s)
    return burns


def burning_rows(burns: list[Burn], offsets_s: Float[np.ndarray, " m"]) -> UInt8[np.ndarray, " m"]:
    """1 in rows i whose interval (offsets_s[i - 1], offsets_s[i]] holds any thrust; the first row has no interval."""
    marked = np.zeros(len(offsets_s), np.uint8)
    for burn in burns:
        ended_s = burn.start_s + burn.duration_s
        marked[1:] |= (burn.start_s < offsets_s[1:]) & (ended_s > offsets_s[:-1])
    return marked
