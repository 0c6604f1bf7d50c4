"""Kinds of maneuvers, told by the axis along which most of the change of velocity lies."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

KINDS = ("in_track_raise", "in_track_lower", "cross_track", "radial", "non_impulsive")
NO_KIND = "unknown"
"""Of events whose change of velocity cannot be told from the object's own scatter."""
IN_TRACK = KINDS[:2]


def kind_of(dv_rtn_m_s: Float[np.ndarray, "d 3"], gradual: Bool[np.ndarray, " d"] | None = None) -> np.ndarray:
    """Kind of each change of velocity by its greatest component; `NO_KIND` where it is zero or not finite.

    gradual: events that are no step but a change of rate (low thrust, drag): `non_impulsive`, whatever their size.
    """
    size = np.abs(dv_rtn_m_s)
    size = np.where(np.isfinite(size), size, 0.0)
    along = np.where(dv_rtn_m_s[:, 1] > 0.0, KINDS[0], KINDS[1])
    axis = np.argmax(size, axis=1)
    kind = np.where(axis == 1, along, np.where(axis == 2, KINDS[2], KINDS[3])).astype("U16")
    kind[size.max(axis=1, initial=0.0) <= 0.0] = NO_KIND
    if gradual is not None:
        kind[gradual] = KINDS[4]
    return kind
