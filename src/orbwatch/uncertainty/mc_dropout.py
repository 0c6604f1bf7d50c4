"""MC dropout: one network with units left out at random, many times over (Gal & Ghahramani 2016)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from orbwatch.uncertainty.gaussian import Formal
from orbwatch.uncertainty.mixture import Mixture, mixture


class MCDropout(Formal):
    """Forecasts of k passes with dropout kept on, as one Gaussian each.

    `fit` learns nothing and `regions` takes the Gaussian at its word, as the method does by itself; `Conformal` on
    top of the forecasts makes it hold.
    """

    def predict(
        self, means_rtn_km: Float[np.ndarray, "k n H 3"], covs_rtn_km2: Float[np.ndarray, "k n H 3 3"]
    ) -> Mixture:
        """Return the mixture of k passes, km and km^2 in RTN: epistemic is what dropping units changes."""
        return mixture(means_rtn_km, covs_rtn_km2)
