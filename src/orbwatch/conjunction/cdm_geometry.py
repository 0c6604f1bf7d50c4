"""How two objects of a message stand to each other: the miss along R, T and N, its sigmas, how many sigmas it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from orbwatch.catalog.cdm import Cdm
from orbwatch.conjunction.cdm import states_of
from orbwatch.conjunction.encounter import remediate
from orbwatch.conjunction.event import Probabilities
from orbwatch.frames import rtn_matrix


@dataclass(frozen=True, eq=False)
class MissGeometry:
    """Object 2 minus object 1 at the closest approach of straight motion, in the RTN axes of object 1."""

    miss_rtn_km: Float[np.ndarray, "3"]
    velocity_rtn_km_s: Float[np.ndarray, "3"]
    cov_rtn_km2: Float[np.ndarray, "3 3"] | None
    """Of the relative position: the sum of the covariances there are, as given; None without any."""
    mahalanobis: float | None
    """sqrt(d' C^-1 d) of the miss d: how many sigmas of the ellipsoid away (eigenvalues of C clipped as elsewhere)."""

    @property
    def sigma_rtn_km(self) -> Float[np.ndarray, "3"] | None:
        """Standard deviations along R, T and N; NaN for a negative variance."""
        if self.cov_rtn_km2 is None:
            return None
        variance = np.diag(self.cov_rtn_km2)
        return np.asarray(np.where(variance >= 0.0, np.sqrt(np.abs(variance)), np.nan))


def miss_geometry(cdm: Cdm, flat: Probabilities) -> MissGeometry | None:
    """Of a message; None where a state is not finite or object 1 has no axes. flat: `cdm.probabilities` of it."""
    (r1, v1), (r2, v2) = states_of(cdm)
    if not np.isfinite(np.concatenate([r1, v1, r2, v2])).all() or not np.cross(r1, v1).any():
        return None
    axes = rtn_matrix(r1, v1)[0]
    found = flat.encounter
    miss, velocity = axes @ found.r_rel_km[0], axes @ found.v_rel_km_s[0]
    total = np.zeros((3, 3))
    for part, (r, v), there in zip(
        cdm.objects, ((r1, v1), (r2, v2)), (found.has_cov1[0], found.has_cov2[0]), strict=True
    ):
        if there and part.cov_rtn_km2 is not None:
            turn = axes @ rtn_matrix(r, v)[0].T
            total += turn @ part.cov_rtn_km2[:3, :3] @ turn.T
    if not np.isfinite(np.concatenate([miss, velocity])).all():
        return None
    if not (found.has_cov1[0] or found.has_cov2[0]) or not np.isfinite(total).all():
        return MissGeometry(miss, velocity, None, None)
    fixed, _, _ = remediate(total[None], found.hbr_km)
    return MissGeometry(miss, velocity, total, mahalanobis(miss, fixed[0]))


def plane_sigmas(flat: Probabilities) -> float | None:
    """The same in the encounter plane alone, which is what a probability of straight paths depends on.

    Along the relative velocity the ellipsoid may be thin, and then the distance in all three dimensions is large while
    a collision is likely.
    """
    plane = flat.encounter
    if not np.isfinite(plane.cov_km2[0]).all() or not np.isfinite(plane.miss_km[0]).all():
        return None
    return mahalanobis(plane.miss_km[0], plane.cov_km2[0])


def mahalanobis(miss_km: Float[np.ndarray, " d"], cov_km2: Float[np.ndarray, "d d"]) -> float | None:
    """sqrt(d' C^-1 d); None where C is not positive definite."""
    values, vectors = np.linalg.eigh(cov_km2)
    if not values[0] > 0.0:
        return None
    return float(np.linalg.norm(vectors.T @ miss_km / np.sqrt(values)))
