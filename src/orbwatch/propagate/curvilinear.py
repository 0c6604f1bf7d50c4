"""How far a point is from an orbit, in coordinates that bend with it: time along it, and two distances across.

A forecast that is late by ten seconds is 75 km off along the track, and by the bend of the orbit 0.4 km off in the
straight radial axis. Told as a time shift along the orbit and as distances square to the motion, errors keep their
size whatever the shift (Vallado & Alfano 2014, "Curvilinear coordinate transformations for relative motion", use arc
lengths in the same way; time serves eccentric orbits too).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from orbwatch.propagate.curvilinear_kernel import find_rows, move_rows


def shift_of(
    rv_km: Float[np.ndarray, "*batch 6"], r_km: Float[np.ndarray, "*batch 3"]
) -> Float[np.ndarray, "*batch 3"]:
    """Where points lie from states, both in one inertial frame (km, km/s).

    Returns, for each: the time (s) after which a body moving from the state by Kepler's laws (WGS-72 mu) has the point
    abeam (positive: the point is ahead); the distance (km) from there to the point in the orbit's plane, square to the
    velocity, outwards; and that along r x v. NaN where the state is no ellipse, an input is not finite, or the point is
    more than half a revolution away.
    """
    rv, r = np.ascontiguousarray(rv_km.reshape(-1, 6)), np.ascontiguousarray(r_km.reshape(-1, 3))
    out = np.empty_like(r)
    find_rows(rv, r, out)
    return out.reshape(r_km.shape)


def shifted(
    rv_km: Float[np.ndarray, "*batch 6"], shift: Float[np.ndarray, "*batch 3"]
) -> Float[np.ndarray, "*batch 6"]:
    """The inverse of `shift_of`: states moved along their orbits by shift[..., 0] s, then across by shift[..., 1:] km.

    The velocity is that of the orbit at the new place. NaN where the state is no ellipse or an input is not finite.
    """
    rv, moves = np.ascontiguousarray(rv_km.reshape(-1, 6)), np.ascontiguousarray(shift.reshape(-1, 3))
    out = np.empty_like(rv)
    move_rows(rv, moves, out)
    return out.reshape(rv_km.shape)
