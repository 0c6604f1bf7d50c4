"""Where a message contradicts itself: states that are not those of its miss distance or relative speed."""

from __future__ import annotations

import numpy as np

from orbwatch.catalog.cdm import Cdm
from orbwatch.conjunction.event import Probabilities

_DIFFERS = 0.01
"""Share by which a message's miss or speed may differ from that of its states, beside a metre (a metre a second)."""

_FAR_M, _FAR = 1000.0, 0.5
"""A miss distance further than this, and this share of itself, from that of the states: theirs is not to be trusted."""


def contradictions(cdm: Cdm, flat: Probabilities) -> list[str]:
    """In words; none where the message does not give a value. flat: `cdm.probabilities` of it."""
    found = []
    for said, computed, name, unit in (
        (cdm.miss_distance_m, miss_of_states_m(flat), "miss distance", "m"),
        (cdm.relative_speed_m_s, float(flat.encounter.rel_speed_km_s[0]) * 1e3, "relative speed", "m/s"),
    ):
        if said is not None and np.isfinite(computed) and abs(said - computed) > 1.0 + _DIFFERS * max(said, computed):
            found.append(f"the message's {name}, {said:g} {unit}, is not that of its states, {computed:.7g} {unit}")
    return found


def far_apart(cdm: Cdm, flat: Probabilities) -> bool:
    """Whether the miss distance of the states is so far from the message's that a collision of them says nothing."""
    said, computed = cdm.miss_distance_m, miss_of_states_m(flat)
    return said is not None and bool(abs(said - computed) > _FAR_M + _FAR * said)


def miss_of_states_m(flat: Probabilities) -> float:
    """NaN where there is none."""
    return float(flat.encounter.miss_distance_km[0]) * 1e3
