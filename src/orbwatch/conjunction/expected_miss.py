"""Where nothing but a miss distance is known: how near the final miss may come, from how predictions have changed."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

LEAD_DAY = np.array([0.75, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5])
SHARE = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999])
CHANGE_M = np.array([
    [5, 9, 20, 29, 37, 46, 56, 69, 89, 123, 181, 345, 1348, 3493, 7151],
    [20, 28, 43, 56, 71, 85, 102, 123, 155, 210, 307, 583, 1814, 4310, 7146],
    [32, 48, 73, 95, 118, 144, 172, 205, 250, 337, 494, 963, 2562, 4678, 7321],
    [47, 68, 102, 133, 166, 202, 244, 289, 347, 468, 685, 1222, 2980, 5001, 7621],
    [60, 88, 133, 174, 218, 265, 319, 380, 449, 609, 885, 1569, 3129, 5120, 7472],
    [75, 110, 167, 220, 274, 333, 399, 471, 550, 745, 1081, 1753, 2724, 4641, 7419],
    [93, 139, 212, 277, 341, 409, 484, 568, 659, 912, 1284, 2018, 2669, 3877, 6874],
], float)  # fmt: skip
"""By how much at most the miss vector changed, across the relative velocity, between a prediction so many days ahead
(rows) and what was said after the fact, in such a share of cases (columns).

Approaches below 5 km of about 1,300 massive derelicts, predicted daily from special perturbations, April to December
2018 (123,000 predictions; github.com/rawitner/conjunction_analysis). On those of the following months P(final miss <
200 m, 500 m, 1 km) made from it was calibrated (`benchmarks/miss_calibration.py`). Objects that maneuver, and those in
dense air, change more."""

_TRIALS = 400


def p_miss_below(
    miss_km: Float[np.ndarray, " k"], lead_day: Float[np.ndarray, " k"], below_km: float
) -> Float[np.ndarray, " k"]:
    """Probability that the final miss is below a distance, given the predicted miss and how many days ahead it was.

    The change has the size of `CHANGE_M`, in any direction of the encounter plane: P = E[arccos((m^2 + c^2 - d^2) / (2
    m c)) / pi] over the changes c. Less than 0.75 days ahead as then; more than 6.5 days ahead changes grow with the
    lead. NaN where an input is NaN or the miss is negative.
    """
    share = (np.arange(_TRIALS) + 0.5) / _TRIALS
    shares, sizes = np.concatenate([[0.0], SHARE, [1.0]]), np.log(np.pad(CHANGE_M, ((0, 0), (1, 1)), "edge") / 1e3)
    sizes[:, 0] -= 3.0
    sizes[:, -1] += 0.3
    out = np.full(len(miss_km), np.nan)
    for i in np.flatnonzero(np.isfinite(miss_km) & np.isfinite(lead_day) & (miss_km >= 0.0)):
        later = max(1.0, lead_day[i] / LEAD_DAY[-1])
        row = [float(np.interp(lead_day[i], LEAD_DAY, column)) for column in sizes.T]
        change = later * np.exp(np.interp(share, shares, row))
        miss = max(float(miss_km[i]), 1e-9)
        cosine = (miss**2 + change**2 - below_km**2) / (2.0 * miss * change)
        out[i] = float(np.mean(np.arccos(np.clip(cosine, -1.0, 1.0)))) / np.pi
    return out
