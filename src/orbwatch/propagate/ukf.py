"""Orbits followed along short arcs of positions by an unscented Kalman filter: what least squares is compared with.

Dynamics: zonal J2 to J4 (`zonal`), in an inertial frame with the Earth's axis as z. Method: `ukf_kernel`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from orbwatch.errors import InputError
from orbwatch.propagate import arc_kernel, arc_start_kernel, least_squares_kernel, ukf_kernel
from orbwatch.propagate.least_squares import ArcFit, empty_fit, in_order
from orbwatch.propagate.zonal import in_slices, propagate_zonal
from orbwatch.propagate.zonal_kernel import MU_KM3_S2

PROCESS_KM2_S3 = 1e-14
"""Density of the white acceleration noise: 3 mm/s after 20 minutes."""

_FEWEST_FOR_START = 6
_DOUBT = 10.0  # the first belief's sigma, in sigmas of the state from half the arc: its data are used again


def filter_arcs(
    t_s: Float[np.ndarray, "n k"],
    r_obs_km: Float[np.ndarray, "rows times 3"],
    sigma_km: Float[np.ndarray, "sigmas each"],
    guess_rv_km: Float[np.ndarray, "guesses 6"] | None = None,
    threads: int = 1,
    process_km2_s3: float = PROCESS_KM2_S3,
) -> ArcFit:
    """States and covariances at each arc's epoch; arguments as of `least_squares.fit_arcs`.

    The filter starts at the first position from the polynomial through the first half of the arc (or from the guess),
    with so wide a covariance that this counts for about a hundredth of the positions themselves. `rms` is of the
    innovations. Raises InputError for arrays of unequal length and for process noise that is negative.
    """
    if not process_km2_s3 >= 0.0:
        raise InputError("no such noise", field="process_km2_s3", value=process_km2_s3, legal=">= 0")
    t, r, sigma, guess = in_order(t_s, r_obs_km, sigma_km, guess_rv_km)
    n = len(t)
    there = np.isfinite(t + r.sum(axis=2)) & (sigma > 0.0) & np.isfinite(sigma)
    sigma = np.where(there, sigma, np.nan)
    count = there.sum(axis=1)
    enough = count >= arc_kernel.FEWEST
    half = there & (np.cumsum(there, axis=1) <= np.maximum(_FEWEST_FOR_START, (count + 1) // 2)[:, None])
    from_half = np.full((n, 6), np.nan)
    half_sigma = np.where(half, sigma, np.nan)
    in_slices(lambda begin, end: arc_start_kernel.guess_rows(t, r, half_sigma, begin, end, from_half), n, threads)
    at_epoch = np.where(np.isfinite(guess).all(axis=1)[:, None], guess, from_half)
    first_s = np.where(there, t, np.inf).min(axis=1, initial=np.inf)
    start = propagate_zonal(at_epoch, np.where(enough, first_s, np.nan)[:, None], threads=threads).rv_km[:, 0]
    start_cov = _first_belief(np.where(half, t, np.nan), half_sigma, enough)

    made = empty_fit(n)
    failed = np.zeros(n, np.uint8)
    in_slices(
        lambda begin, end: ukf_kernel.filter_rows(
            t, r, sigma, start, start_cov, process_km2_s3, begin, end, made.rv_km, made.cov, made.rms, failed
        ),
        n,
        threads,
    )
    made.count[:] = count
    made.status[:] = np.where(enough, np.where(failed, least_squares_kernel.NOT_CONVERGED, 0), 1)
    good = made.status == 0
    energy = 0.5 * (made.rv_km[good, 3:] ** 2).sum(axis=1)
    radius = np.sqrt((made.rv_km[good, :3] ** 2).sum(axis=1))
    lost = (radius < least_squares_kernel.LOWEST_KM) | (energy * radius >= MU_KM3_S2)
    made.status[np.flatnonzero(good)[lost]] = least_squares_kernel.NOT_AN_ORBIT
    good = made.status == 0
    freedom = np.maximum(3 * count - 6, 1)
    made.rms[:] = np.where(good, np.sqrt(np.where(good, made.rms, 0.0) / freedom), np.nan)
    made.rv_km[~good], made.cov[~good] = np.nan, np.nan
    return made


def _first_belief(
    t_s: Float[np.ndarray, "n k"], sigma_km: Float[np.ndarray, "n k"], enough: np.ndarray
) -> Float[np.ndarray, "n 6 6"]:
    """Diagonal covariances: so much wider than those of straight lines through the positions."""
    cov = np.full((len(t_s), 6, 6), np.nan)
    variance = np.nanmean(np.where(enough[:, None], sigma_km, 1.0) ** 2, axis=1) if len(t_s) else np.empty(0)
    span = np.ptp(np.where(np.isnan(t_s), np.nanmax(np.where(enough[:, None], t_s, 0.0), axis=1)[:, None], t_s), axis=1)
    cov[enough] = 0.0
    for axis in range(3):
        cov[enough, axis, axis] = (_DOUBT**2 * variance)[enough]
        cov[enough, axis + 3, axis + 3] = (_DOUBT**2 * 4.0 * variance)[enough] / np.maximum(span[enough], 1.0) ** 2
    return cov
