"""The tesseral gravity field on short arcs: as a displacement of the zonal orbit, and in least squares.

EGM2008 to degree and order 8, in the frame of `zonal` (z is the pole; TEME held fixed). In low orbit it moves a
position by some 100 m in half an hour, more than a good sensor's noise.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from orbwatch.constants import EARTH_RATE_RAD_S
from orbwatch.errors import InputError
from orbwatch.propagate.egm2008 import beyond_zonal
from orbwatch.propagate.field_kernel import shift_rows
from orbwatch.propagate.least_squares import ArcFit, fit_arcs
from orbwatch.propagate.zonal import in_slices, propagate_zonal

NODE_S = 60.0
_C, _S = beyond_zonal()


def field_shift(
    rv_km: Float[np.ndarray, "n 6"],
    gmst_rad: Float[np.ndarray, " angles"],
    offsets_s: Float[np.ndarray, "rows m"],
    threads: int = 1,
) -> Float[np.ndarray, "rows m 6"]:
    """What the field beyond J4 adds, km and km/s, to zonal orbits that start at rv_km, at offsets_s seconds from there.

    gmst_rad: sidereal time at the start. The shift is zero at the start; NaN states and offsets give NaN. Meant for
    arcs of an hour. Raises InputError for unequal numbers of rows and for infinite offsets.
    """
    if not len(rv_km) == len(gmst_rad) == len(offsets_s):
        raise InputError("one row of each an orbit", field="gmst_rad, offsets_s", value=len(gmst_rad))
    if np.isinf(offsets_s).any():
        raise InputError("times must be finite numbers", field="offsets_s")
    known = offsets_s[np.isfinite(offsets_s)]
    before = int(np.ceil(-known.min(initial=0.0) / NODE_S))
    after = int(np.ceil(known.max(initial=0.0) / NODE_S))
    nodes = NODE_S * np.arange(-before, after + 1.0)
    states = propagate_zonal(rv_km, np.tile(nodes, (len(rv_km), 1)), threads=threads).rv_km
    out = np.empty((*offsets_s.shape, 6))
    given = states, np.ascontiguousarray(gmst_rad), EARTH_RATE_RAD_S, float(nodes[0]), NODE_S, before
    offsets = np.ascontiguousarray(offsets_s, np.float64)
    in_slices(lambda begin, end: shift_rows(*given, offsets, _C, _S, begin, end, out), len(rv_km), threads)
    return out


def propagate_field(
    rv_km: Float[np.ndarray, "n 6"],
    gmst_rad: Float[np.ndarray, " n"],
    offsets_s: Float[np.ndarray, "n m"],
    threads: int = 1,
) -> Float[np.ndarray, "n m 6"]:
    """States (km, km/s) at offsets_s of orbits in the field to degree 8; arguments as for `field_shift`."""
    moved = propagate_zonal(rv_km, offsets_s, threads=threads).rv_km
    return np.asarray(moved + field_shift(rv_km, gmst_rad, offsets_s, threads))


def fit_arcs_in_field(
    t_s: Float[np.ndarray, "n k"],
    r_obs_km: Float[np.ndarray, "n k 3"],
    sigma_km: Float[np.ndarray, "n k"],
    gmst_rad: Float[np.ndarray, " n"],
    guess_rv_km: Float[np.ndarray, "n 6"] | None = None,
    threads: int = 1,
) -> ArcFit:
    """As `least_squares.fit_arcs`, with the field to degree 8: fitted, freed of the field's shift, and fitted again.

    gmst_rad: sidereal time at each arc's epoch.
    """
    first = fit_arcs(t_s, r_obs_km, sigma_km, guess_rv_km, threads)
    shift_km = field_shift(first.rv_km, gmst_rad, t_s, threads)[..., :3]
    return fit_arcs(t_s, r_obs_km - np.where(np.isfinite(shift_km), shift_km, 0.0), sigma_km, first.rv_km, threads)
