"""How fast an expected number of collisions grows: the flow of probability into the sphere of both bodies."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from orbwatch.conjunction.collision_rate_kernel import fill_rate
from orbwatch.conjunction.peak_overlap import Overlap, inverted
from orbwatch.constants import TWO_PI

_ORDERS = (6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
FINEST = _ORDERS[-1]


def sphere_order(
    relative: Float[np.ndarray, "m 6"], inverse: Float[np.ndarray, "m 3 3"], hbr_km: Float[np.ndarray, " m"]
) -> Float[np.ndarray, " m"]:
    """How many nodes a half-sphere's height needs: the sharper the density over the sphere, the more (by trial)."""
    slope = hbr_km * np.linalg.norm(np.einsum("mij,mj->mi", inverse, relative[:, :3]), axis=1)
    bend = hbr_km**2 * np.trace(inverse, axis1=1, axis2=2)
    return np.asarray(5.0 + 3.0 * np.sqrt(slope + bend))


def collision_rate(overlap: Overlap, hbr_km: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Expected collisions per second at each instant, NaN where the overlap has not converged.

    Coppola (2012), AAS 12-247, eqs. 31-37, and Hall (2021) eq. 22: R^2 times the integral over the unit sphere of the
    density of the relative position at R u times the mean inward speed there, whose distribution given the position is
    Gaussian. By Gauss-Legendre and trapezoid rules about the relative velocity, in two halves, because a mean inward
    speed without spread has a kink at their border; fine enough for a relative error of 1e-6 unless R exceeds some
    twenty sigmas.
    """
    rate = np.full(len(hbr_km), np.nan)
    ok = np.flatnonzero(overlap.converged)
    relative, cov, radius = overlap.relative[ok], overlap.cov[ok], hbr_km[ok]
    inverse, log_det, _ = inverted(cov[:, :3, :3], radius)
    need = sphere_order(relative, inverse, radius)
    order = np.array(_ORDERS)[np.minimum(np.searchsorted(_ORDERS, need), len(_ORDERS) - 1)]
    slope = cov[:, 3:, :3] @ inverse
    spread = cov[:, 3:, 3:] - slope @ cov[:, 3:, :3].swapaxes(1, 2)
    velocity = relative[:, 3:] - np.einsum("mij,mj->mi", slope, relative[:, :3])
    frames = frames_along(velocity)
    for n in np.unique(order):
        nodes, weights = sphere_rule(int(n))
        rows = np.flatnonzero(order == n)
        total = np.empty(len(rows))
        fill_rate(
            nodes, weights, frames[rows], relative[rows], inverse[rows], slope[rows], spread[rows], radius[rows], total
        )
        rate[ok[rows]] = total * radius[rows] ** 2 * np.exp(-0.5 * log_det[rows]) / TWO_PI**1.5
    return rate


def frames_along(direction: Float[np.ndarray, "m 3"]) -> Float[np.ndarray, "m 3 3"]:
    """Orthonormal rows whose last is the direction, whichever the others."""
    length = np.linalg.norm(direction, axis=1, keepdims=True)
    last = np.where(length > 0.0, direction / np.where(length > 0.0, length, 1.0), [0.0, 0.0, 1.0])
    other = np.eye(3)[np.argmin(np.abs(last), axis=1)]
    first = np.cross(other, last)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return np.stack([first, np.cross(last, first), last], axis=1)


def sphere_rule(order: int) -> tuple[Float[np.ndarray, "p 3"], Float[np.ndarray, " p"]]:
    """Points and weights (sum 4 pi) on the unit sphere: Gauss-Legendre in each half's height, equal angles around."""
    x, w = np.polynomial.legendre.leggauss(order)
    height = np.concatenate([0.5 * (x - 1.0), 0.5 * (x + 1.0)])
    weight = np.concatenate([0.5 * w, 0.5 * w])
    angle = (np.arange(2 * order) + 0.5) * (np.pi / order)
    across = np.sqrt(1.0 - height**2)
    points = np.stack(
        [np.outer(across, np.cos(angle)), np.outer(across, np.sin(angle)), np.repeat(height[:, None], 2 * order, 1)],
        axis=2,
    )
    return points.reshape(-1, 3), np.repeat(weight * (np.pi / order), 2 * order)
