"""Which approaches beyond the threshold the covariance makes worth keeping."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool
from scipy.special import chdtri

from orbwatch.catalog.gp import GpTable
from orbwatch.conjunction.screen import Approaches
from orbwatch.frames import rotate_cov, rtn_matrix
from orbwatch.uncertainty.covariance import CovarianceModel

LEVEL = 0.99


def collision_possible(approaches: Approaches, table: GpTable, model: CovarianceModel) -> Bool[np.ndarray, " k"]:
    """Where the 99 % ellipsoid of the relative position at the closest approach holds a collision.

    d' C^-1 d <= chi2(0.99; 3) with the miss vector d and the sum C of both covariances: an object whose place along its
    orbit is known to 20 km can be hit by what passes 10 km ahead of it. Rows of `table` are the approaches' indices.
    """
    cov = np.zeros((len(approaches), 3, 3))
    for index, r, v in (
        (approaches.index_1, approaches.r1_teme_km, approaches.v1_teme_km_s),
        (approaches.index_2, approaches.r2_teme_km, approaches.v2_teme_km_s),
    ):
        cov += rotate_cov(rtn_matrix(r, v).swapaxes(1, 2), model.cov_rtn_km2(table[index], approaches.tca_us))
    d = approaches.r2_teme_km - approaches.r1_teme_km
    return np.asarray(np.einsum("ki,ki->k", d, np.linalg.solve(cov, d[..., None])[..., 0]) <= chdtri(3, 1.0 - LEVEL))
