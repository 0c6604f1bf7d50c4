"""Many Gaussian forecasts of the same thing made one, and the uncertainty parted by where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from orbwatch.errors import InputError
from orbwatch.uncertainty.gaussian import GaussianForecast


@dataclass(frozen=True, eq=False)
class Mixture:
    """One Gaussian for k members' forecasts; its covariance is aleatoric + epistemic, all in km^2, RTN.

    Aleatoric is what the members expect on average (noise that more training would not take away), epistemic how far
    their means lie apart (what they were not taught).
    """

    forecast: GaussianForecast
    aleatoric_rtn_km2: Float[np.ndarray, "n H 3 3"]
    epistemic_rtn_km2: Float[np.ndarray, "n H 3 3"]

    def epistemic_share(self) -> Float[np.ndarray, "n H"]:
        """Return the epistemic share of the total variance (traces), 0..1."""
        return np.asarray(
            np.trace(self.epistemic_rtn_km2, axis1=-2, axis2=-1)
            / np.trace(self.forecast.cov_rtn_km2, axis1=-2, axis2=-1)
        )


def mixture(
    means_rtn_km: Float[np.ndarray, "k n H 3"],
    covs_rtn_km2: Float[np.ndarray, "_ _ _ 3 3"],
    center_rtn_km: Float[np.ndarray, "n H 3"] | None = None,
) -> Mixture:
    """Return the Gaussian with the moments of the members' equal mixture, by the law of total covariance.

    C = mean(C_k) + mean((m_k - m)(m_k - m)') with m the mean of the m_k (Lakshminarayanan, Pritzel & Blundell 2017,
    section 2.4). With `center_rtn_km` that is the m about which the second moment is taken. Raises InputError where the
    shapes do not belong together or there is no member.
    """
    if len(means_rtn_km) == 0 or covs_rtn_km2.shape != (*means_rtn_km.shape, 3):
        raise InputError(
            "members need one 3x3 covariance per mean",
            field="covs_rtn_km2",
            value=covs_rtn_km2.shape,
            legal=f"{(*means_rtn_km.shape, 3)}, at least one member",
        )
    center = means_rtn_km.mean(axis=0) if center_rtn_km is None else center_rtn_km
    apart = means_rtn_km - center
    epistemic = np.einsum("knhi,knhj->nhij", apart, apart) / len(means_rtn_km)
    aleatoric = covs_rtn_km2.mean(axis=0)
    return Mixture(GaussianForecast(center, aleatoric + epistemic), aleatoric, epistemic)
