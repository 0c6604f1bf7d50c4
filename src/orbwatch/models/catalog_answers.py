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
    trees_km: Float64[np.ndarray, "n h 3"]
    """The trees'."""
    trees_sigma_km: Float64[np.ndarray, "n h 3"]
    """Standard deviations of their errors; infinite where, and along the axes that, there are no trees."""

    def taken(self, shares: Shares) -> Float64[np.ndarray, "n h 3"]:
        """The correction that shares of the answers make."""
        networks, trees = shares.by_axis()
        return np.asarray(networks * self.mean_km + trees * self.trees_km)

    def covariance(self, shares: Shares) -> Float64[np.ndarray, "n h 3 3"]:
        """Of the error of the correction that these shares make.

        Along each axis the variance is that of a mixture of those who are believed (of both, where none is): their own
        variances, and how far from each the correction is. Correlations are the networks', for whom what is left of
        their correction beside the orbit counts as an error that they expect. All is stretched as the shares have it.
        """
        taken = self.taken(shares)
        networks, trees = shares.by_axis()
        there = np.isfinite(self.trees_sigma_km)
        trees = np.where(there, trees, 0.0)
        sure = networks + trees
        part = np.where(sure > 0.0, trees / np.where(sure > 0.0, sure, 1.0), np.where(there, 0.5, 0.0))
        diagonal = np.diagonal(self.cov_km2, axis1=-2, axis2=-1)
        own = diagonal + (self.mean_km - taken) ** 2
        others = np.where(there, self.trees_sigma_km, 0.0) ** 2
        variance = (1.0 - part) * own + part * (others + (self.trees_km - taken) ** 2)
        left = self.mean_km - taken
        left[..., ALONG] = 0.0
        cov = self.cov_km2 + left[..., :, None] * left[..., None, :]
        stretch = shares.stretch * np.sqrt(variance / np.diagonal(cov, axis1=-2, axis2=-1))
        return np.asarray(stretch[..., :, None] * cov * stretch[..., None, :])


def everything(shape: tuple[int, ...]) -> Shares:
    """All of the networks' corrections: what a model does that has not been calibrated."""
    return Shares(np.ones(shape), np.zeros(shape), np.ones(shape), np.zeros(shape), np.ones((*shape, 3)))
