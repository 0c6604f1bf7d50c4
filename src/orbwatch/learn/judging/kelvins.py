"""The score of ESA's Collision Avoidance Challenge: how well the final risk of messages was told two days ahead.

score = MSE over the events whose final risk is high / F2 of telling which are, both with the threshold log10 Pc >= -6
(https://kelvins.esa.int/collision-avoidance-challenge/scoring; Uriot et al. 2022, section 3); lower is better. As risks
below the threshold are all alike to the score, who tells one does best to cut it at -6.001: `latest_risk` does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from orbwatch.errors import InputError

HIGH_RISK, CUT = -6.0, -6.001
_BETA2 = 4.0


@dataclass(frozen=True)
class KelvinsScore:
    """What the challenge ranks by, and what it is made of."""

    score: float
    """Infinite where no high risk was told right; NaN where none was high."""
    mse: float
    """Of log10 Pc, over the events whose final risk was high."""
    f2: float
    precision: float
    recall: float
    high: int
    events: int


def latest_risk(given: Float[np.ndarray, " e"]) -> Float[np.ndarray, " e"]:
    """The rival to beat: the risk of the last message that may be used, cut just below the threshold."""
    return np.asarray(np.maximum(given, CUT))


def kelvins_score(told: Float[np.ndarray, " e"], final: Float[np.ndarray, " e"]) -> KelvinsScore:
    """Scores final risks told (log10 Pc) against those that came. Raises InputError where one is not a number."""
    if len(told) != len(final) or not (np.isfinite(told).all() and np.isfinite(final).all()):
        raise InputError("one finite risk for each event", field="told", value=len(told), legal=str(len(final)))
    true, said = final >= HIGH_RISK, told >= HIGH_RISK
    hits = int((true & said).sum())
    precision, recall = hits / max(1, int(said.sum())), hits / max(1, int(true.sum()))
    f2 = (1.0 + _BETA2) * precision * recall / (_BETA2 * precision + recall) if hits else 0.0
    mse = float(((told - final)[true] ** 2).mean()) if true.any() else float("nan")
    score = mse / f2 if f2 else (float("inf") if true.any() else float("nan"))
    return KelvinsScore(score, mse, f2, precision, recall, int(true.sum()), len(true))
