"""A message as the one row that methods of curved paths take."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from orbwatch.catalog.cdm import Cdm
from orbwatch.conjunction.cdm import states_of
from orbwatch.conjunction.event import Probabilities
from orbwatch.frames import rtn_matrix

_NONE_KM2 = (0.99 * 10.0 * 6378.135) ** 2

Row = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Position, velocity and covariance of object 1 and of object 2, and the radius: one row each, km and km/s."""


def curved_row(cdm: Cdm, flat: Probabilities) -> tuple[Row | None, str]:
    """States, covariances in their axes and radius; else None and what is lacking ("" : not both covariances).

    flat: `cdm.probabilities` of the message.
    """
    if not (flat.encounter.has_cov1[0] and flat.encounter.has_cov2[0]):
        return None, ""
    parts: list[np.ndarray] = []
    for part, (r, v) in zip(cdm.objects, states_of(cdm), strict=True):
        cov = part.cov_rtn_km2
        if cov is None or not np.isfinite(cov).all() or not cov[3:, 3:].any() or not cov[:3, 3:].any():
            return None, "no_velocity_covariance"
        if (np.diag(cov)[:3] >= _NONE_KM2).any():
            return None, "default_covariance"
        if (np.diag(cov) < 0.0).any():
            return None, "negative_variance"
        turn = rtn_turn(r, v)
        parts += [r, v, (turn.T @ cov @ turn)[None]]
    if not flat.encounter.hbr_km[0] > 0.0:
        return None, "not_computed"
    r1, v1, cov1, r2, v2, cov2 = parts
    return (r1, v1, cov1, r2, v2, cov2, flat.encounter.hbr_km), ""


def rtn_turn(r_km: Float[np.ndarray, "1 3"], v_km_s: Float[np.ndarray, "1 3"]) -> Float[np.ndarray, "6 6"]:
    """From the states' axes to RTN, position and velocity alike (no omega cross term)."""
    return np.asarray(np.kron(np.eye(2), rtn_matrix(r_km, v_km_s)[0]))
