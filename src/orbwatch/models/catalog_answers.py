"""What the networks and the trees say of an asking, and the one forecast made of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from orbwatch.learn.samples.catalog_basis import ALONG
from orbwatch.models.catalog_calibration import Shares


@dataclass(frozen=True, eq=False)
class Answers:
    """Corrections to SGP4 from the newest set, taken or not, of n askings at h horizons.

    In km along axes outwards, along the velocity, normal to both.
    """

    mean_km: Float64[np.ndarray, "n h 3"]
    """The networks'."""
    cov_km2: Float64[np.ndarray, "n h 3 3"]
    """Of their error."""
    along_km: Float64[np.ndarray, "n h"]
    """The trees', along the orbit."""
    along_sigma_km: Float64[np.ndarray, "n h"]
    """Standard deviation of their error; infinite where there are no trees."""

    def taken(self, shares: Shares) -> Float64[np.ndarray, "n h 3"]:
        """The correction that shares of the answers make."""
        moved = shares.across[..., None] * self.mean_km
        moved[..., ALONG] = shares.networks * self.mean_km[..., ALONG] + shares.trees * self.along_km
        return np.asarray(moved)

    def covariance(self, shares: Shares) -> Float64[np.ndarray, "n h 3 3"]:
        """Of the error of the correction that these shares make.

        Along the orbit the variance is that of a mixture of those who are believed (of both, where none is): their own
        variances, and how far from each the correction is. Beside it, what is left of the networks' correction counts
        as an error that they expect. Correlations are the networks'.
        """
        taken = self.taken(shares)
        trees = np.where(np.isfinite(self.along_sigma_km), shares.trees, 0.0)
        sure = shares.networks + trees
        both = np.where(np.isfinite(self.along_sigma_km), 0.5, 0.0)
        part = np.where(sure > 0.0, trees / np.where(sure > 0.0, sure, 1.0), both)
        own = self.cov_km2[..., ALONG, ALONG] + (self.mean_km[..., ALONG] - taken[..., ALONG]) ** 2
        others = np.where(np.isfinite(self.along_sigma_km), self.along_sigma_km, 0.0) ** 2
        along = (1.0 - part) * own + part * (others + (self.along_km - taken[..., ALONG]) ** 2)
        left = self.mean_km - taken
        left[..., ALONG] = 0.0
        cov = self.cov_km2 + left[..., :, None] * left[..., None, :]
        stretch = np.ones_like(self.mean_km)
        stretch[..., ALONG] = np.sqrt(along / self.cov_km2[..., ALONG, ALONG])
        return np.asarray(stretch[..., :, None] * cov * stretch[..., None, :])


def everything(shape: tuple[int, ...]) -> Shares:
    """All of the networks' corrections: what a model does that has not been calibrated."""
    return Shares(np.ones(shape), np.ones(shape), np.zeros(shape))
