"""Orbits fitted to short arcs of positions by weighted least squares, thousands at a time.

Dynamics: zonal J2 to J4 (`zonal`), in an inertial frame with the Earth's axis as z. Method: `least_squares_kernel`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

from orbwatch.errors import InputError
from orbwatch.propagate import least_squares_kernel as kernel
from orbwatch.propagate.zonal import in_slices

OK, TOO_FEW, NOT_CONVERGED, NOT_AN_ORBIT = (
    kernel.OK, kernel.TOO_FEW, kernel.NOT_CONVERGED, kernel.NOT_AN_ORBIT
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class ArcFit:
    """Orbits fitted to n arcs, each at its epoch (t = 0)."""

    rv_km: Float[np.ndarray, "n 6"]
    """x, y, z km, vx, vy, vz km/s, in the axes of the positions; NaN where status is not 0."""
    cov: Float[np.ndarray, "n 6 6"]
    """Formal covariance, km2, km2/s, km2/s2: from the stated sigmas, not scaled by `rms`. NaN where status is not 0."""
    rms: Float[np.ndarray, " n"]
    """sqrt(chi-square / (3 count - 6)), without unit: 1 where the sigmas and the dynamics are right."""
    count: Int[np.ndarray, " n"]
    """Positions used."""
    status: UInt8[np.ndarray, " n"]
    """0 ok, 1 fewer than 4 positions, 2 not converged, 3 unbound or below 6,378 km."""


def fit_arcs(
    t_s: Float[np.ndarray, "n k"],
    r_obs_km: Float[np.ndarray, "rows times 3"],
    sigma_km: Float[np.ndarray, "sigmas each"],
    guess_rv_km: Float[np.ndarray, "guesses 6"] | None = None,
    threads: int = 1,
) -> ArcFit:
    """States at each arc's epoch from positions r_obs_km (km) at t_s (s from the epoch, in any order).

    sigma_km: of each position, the same along all axes. NaN in a time, position or sigma: missing. guess_rv_km: states
    at the epoch to start from (NaN rows: none); a good one saves time and never changes the answer by more than 0.001
    sigma. A row that cannot be fitted has a status and NaN. Raises InputError for arrays of unequal length.
    """
    t, r, sigma, guess = in_order(t_s, r_obs_km, sigma_km, guess_rv_km)
    made = empty_fit(len(t))
    in_slices(
        lambda begin, end: kernel.fit_rows(
            t, r, sigma, guess, begin, end, made.rv_km, made.cov, made.rms, made.count, made.status
        ),
        len(t),
        threads,
    )
    return made


def in_order(
    t_s: Float[np.ndarray, "n k"],
    r_obs_km: Float[np.ndarray, "rows times 3"],
    sigma_km: Float[np.ndarray, "sigmas each"],
    guess_rv_km: Float[np.ndarray, "guesses 6"] | None,
) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "n k 3"], Float[np.ndarray, "n k"], Float[np.ndarray, "n 6"]]:
    """The same in time order, as the kernels want it; raises InputError for arrays of unequal length."""
    n = len(t_s)
    if r_obs_km.shape != (*t_s.shape, 3) or sigma_km.shape != t_s.shape:
        raise InputError(
            "times, positions and sigmas of unequal number", field="r_obs_km, sigma_km", legal=f"{t_s.shape}"
        )
    if guess_rv_km is not None and guess_rv_km.shape != (n, 6):
        raise InputError("one guess per arc", field="guess_rv_km", value=len(guess_rv_km), legal=f"({n}, 6)")
    guess = np.full((n, 6), np.nan) if guess_rv_km is None else np.ascontiguousarray(guess_rv_km, np.float64)
    t, r, sigma = (np.ascontiguousarray(a, np.float64) for a in (t_s, r_obs_km, sigma_km))
    if not (np.diff(t, axis=1) >= 0.0).all():
        order = np.argsort(t, axis=1, kind="stable")
        t, sigma = np.take_along_axis(t, order, axis=1), np.take_along_axis(sigma, order, axis=1)
        r = np.take_along_axis(r, order[:, :, None], axis=1)
    return t, r, sigma, guess


def empty_fit(n: int) -> ArcFit:
    """Arrays to be filled."""
    return ArcFit(
        np.empty((n, 6)), np.empty((n, 6, 6)), np.empty(n), np.zeros(n, np.int64), np.zeros(n, np.uint8)
    )  # fmt: skip
