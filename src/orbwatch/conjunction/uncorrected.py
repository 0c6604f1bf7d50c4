"""What SGP4 alone says of approaches that were found on corrected orbits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from orbwatch.conjunction.screen import Approaches
from orbwatch.conjunction.tca import linear_tca, pair_states, refine_tca
from orbwatch.propagate.corrected import CorrectedCatalog

REACH_S = 120.0
"""How far from the corrected closest approach SGP4's own is looked for."""


@dataclass(frozen=True, eq=False)
class Uncorrected:
    """Closest approaches by SGP4 alone of k approaches; NaN where it has none nearby."""

    miss_km: Float[np.ndarray, " k"]
    later_s: Float[np.ndarray, " k"]
    """Seconds from SGP4's closest approach to the corrected one."""
    moved: Bool[np.ndarray, "k 2"]
    """Whether each of the two objects has a correction."""


def uncorrected(corrected: CorrectedCatalog, approaches: Approaches) -> Uncorrected:
    """SGP4's minimum of the separation nearest to each approach that was found in the corrected catalogue.

    Within four minutes of it: two to the straight lines' minimum, two more to the exact one.
    """
    catalog = corrected.plain()
    first, second, start_us = approaches.index_1, approaches.index_2, approaches.start_us
    states, exist = pair_states(catalog, first, second, start_us, approaches.tca_s)
    with np.errstate(invalid="ignore"):
        straight_s = np.where(exist, linear_tca(*states), 0.0)
    guess_s = approaches.tca_s + np.clip(straight_s, -REACH_S, REACH_S)
    found = refine_tca(catalog, first, second, start_us, guess_s, REACH_S)
    miss = np.linalg.norm(found.states[2] - found.states[0], axis=1)
    nowhere = ~found.converged
    return Uncorrected(
        np.where(nowhere, np.nan, miss),
        np.where(nowhere, np.nan, approaches.tca_s - found.tca_s),
        np.stack([corrected.row[first] >= 0, corrected.row[second] >= 0], axis=1),
    )
