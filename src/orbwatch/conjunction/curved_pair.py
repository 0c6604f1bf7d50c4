"""Two curved paths with Gaussian errors, ready for the methods that need them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from orbwatch.conjunction.encounter import remediate
from orbwatch.conjunction.mean_orbit import MeanOrbits, axes_without_retrograde, mean_orbits, usable
from orbwatch.conjunction.peak_overlap import Overlap, inverted, nearest_mahalanobis_squared, peak_overlap
from orbwatch.conjunction.tca import coppola_2012 as linear_bounds_s

Vectors = Float[np.ndarray, "k 3"]
Covariances = Float[np.ndarray, "k 6 6"]
Cross = tuple[Float[np.ndarray, "k 6"], Float[np.ndarray, "k 6"]]
"""Casali et al. (2018), AAS 18-272: how a shared error of one sigma (the atmosphere's density) moves each object's
position and velocity, km and km/s, in the states' frame."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two orbits, one row each, with the radius of the combined hard body and the shared error."""

    one: MeanOrbits
    two: MeanOrbits
    hbr_km: float
    cross: tuple[np.ndarray, np.ndarray] | None
    """In elements, (1, 6) each."""
    linear_s: tuple[float, float]
    """Bounds of the straight encounter."""
    cov_position_km2: Float[np.ndarray, "3 3"]
    """Covariance of the relative position at time zero, in the axes of the given states."""
    iterate: bool = True

    def overlap(self, t_s: Float[np.ndarray, " m"]) -> Overlap:
        """Relative motion at some times."""
        rows, radius = np.zeros(len(t_s), int), np.full(len(t_s), self.hbr_km)
        cross = None if self.cross is None else (self.cross[0][rows], self.cross[1][rows])
        return peak_overlap(t_s, self.one.taken(rows), self.two.taken(rows), radius, cross, iterate=self.iterate)

    def depth(self, t_s: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        """As `encounter_span.Depth`: squared Mahalanobis distance of the ball plus logarithm of the determinant."""
        return self._depth(t_s, self.hbr_km)

    def small_depth(self, t_s: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        """The same for the ball's centre."""
        return self._depth(t_s, 0.0)

    def _depth(self, t_s: Float[np.ndarray, " m"], ball_km: float) -> Float[np.ndarray, " m"]:
        found = self.overlap(t_s)
        out = np.full(len(t_s), np.inf)
        ok = found.converged
        r, cov = found.relative[ok, :3], found.cov[ok, :3, :3]
        inverse, log_det, _ = inverted(cov, np.full(int(ok.sum()), self.hbr_km))
        if ball_km > 0.0:
            out[ok] = nearest_mahalanobis_squared(r, cov, ball_km) + log_det
        else:
            out[ok] = np.einsum("mi,mij,mj->m", r, inverse, r) + log_det
        return out


def pairs_of(
    r1: Vectors, v1: Vectors, cov1: Covariances, r2: Vectors, v2: Vectors, cov2: Covariances,
    hbr_km: Float[np.ndarray, " k"], cross: Cross | None,
) -> list[Pair | None]:  # fmt: skip
    """Each encounter as orbits in axes in which they are regular; None where there are none."""
    turn = axes_without_retrograde((r1, v1), (r2, v2))
    turn6 = np.zeros((len(turn), 6, 6))
    turn6[:, :3, :3] = turn6[:, 3:, 3:] = turn
    orbits = [
        mean_orbits(
            np.einsum("kij,kj->ki", turn, r),
            np.einsum("kij,kj->ki", turn, v),
            turn6 @ cov @ turn6.swapaxes(1, 2),
        )
        for r, v, cov in ((r1, v1, cov1), (r2, v2, cov2))
    ]
    ok = usable(orbits[0]) & usable(orbits[1]) & (hbr_km > 0.0) & np.isfinite(hbr_km)
    shared = None
    if cross is not None:
        shared = [
            np.einsum("kij,kj->ki", one.jacobian_inverse @ turn6, g) for one, g in zip(orbits, cross, strict=True)
        ]
    pairs: list[Pair | None] = []
    for i in range(len(hbr_km)):
        if not ok[i]:
            pairs.append(None)
            continue
        row = slice(i, i + 1)
        both = (cov1[i] + cov2[i])[:3, :3]
        if cross is not None:
            both = both - np.outer(cross[1][i, :3], cross[0][i, :3]) - np.outer(cross[0][i, :3], cross[1][i, :3])
        sound, _, _ = remediate(both[None], hbr_km[row])
        bounds = linear_bounds_s(r2[i] - r1[i], v2[i] - v1[i], sound[0], float(hbr_km[i]))
        pairs.append(
            Pair(
                orbits[0].taken(row),
                orbits[1].taken(row),
                float(hbr_km[i]),
                None if shared is None else (shared[0][row], shared[1][row]),
                bounds,
                both,
            )
        )
    return pairs
