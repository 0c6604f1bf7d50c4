"""The conformal quantile of scores, exact in finite samples, for windows that come in groups: those of one object.

Three ways to count what is exchangeable:
- "window": every window stands for itself: rank k = ceil((n + 1) level) of n (Vovk, Gammerman & Shafer 2005, ch. 2;
  Lei et al. 2018, theorem 2.2). Exact where each object gives one window; windows of one object share their errors,
  and then n is far too large.
- "object": objects are exchangeable, windows only within them: each of K objects has weight 1/(K + 1) spread evenly
  over its windows, and 1/(K + 1) stands at infinity (Lee, Barber & Willett 2023, "Distribution-free inference with
  hierarchical data", hierarchical conformal prediction). A window of a new object is covered with probability at least
  `level`, whatever the windows of an object share; few objects make it wider than needed, up to level + 2/(K + 1).
- "effective": as "object", but with as many exchangeable units as the scatter of the objects' own coverages shows (Kish
  1965, Survey sampling: n over the design effect), between K and the number of windows. Nominal also for few objects,
  but only asymptotically: no guarantee in finite samples.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from orbwatch.errors import InputError

UNITS = ("window", "object", "effective")

# k = level (n + 1) is compared with a sum of weights: 0.9 * 10 must count as 9.
_ROUNDING = 1e-9


def check_unit(unit: str) -> str:
    """Return the unit if there is such a one; raise InputError otherwise."""
    if unit not in UNITS:
        raise InputError("unknown unit of exchangeability", field="unit", value=unit, legal=", ".join(UNITS))
    return unit


def conformal_quantiles(
    score: Float[np.ndarray, " n"], object_id: Int[np.ndarray, " n"], levels: Float[np.ndarray, " L"], unit: str
) -> Float[np.ndarray, " L"]:
    """Return for each level the smallest score q with P(new score <= q) >= level; infinite where there are too few.

    Scores are any numbers, larger meaning stranger; infinite ones count, NaN ones are left out. See the module for what
    `unit` promises. Raises InputError for a unit that does not exist.
    """
    check_unit(unit)
    known = ~np.isnan(score)
    score, object_id = score[known], object_id[known]
    if score.size == 0:
        return np.full(levels.shape, np.inf)
    order = np.argsort(score, kind="stable")
    score = score[order]
    _, owner, count = np.unique(object_id[order], return_inverse=True, return_counts=True)
    weight = np.ones(score.size) if unit == "window" else 1.0 / count[owner]
    share = np.cumsum(weight)
    share /= share[-1]
    quantiles = np.empty(levels.shape)
    for at, level in enumerate(levels):
        units = float(score.size) if unit == "window" else float(len(count))
        if unit == "effective":
            units = _effective_size(share, owner, count, float(level))
        # Rank level (units + 1) of `units` scores; where that is beyond the last one, only infinity will do.
        first = int(np.searchsorted(share * units, level * (units + 1) * (1 - _ROUNDING)))
        quantiles[at] = score[first] if first < score.size else np.inf
    return quantiles


def _effective_size(
    share: Float[np.ndarray, " n"], owner: Int[np.ndarray, " n"], count: Int[np.ndarray, " K"], level: float
) -> float:
    """Return how many independent windows would know the share below the level's quantile as well as these do.

    K objects with shares p_k below it estimate the share with variance s^2(p_k) / K; n independent windows with
    p (1 - p) / n. Between K and the number of windows.
    """
    objects, windows = len(count), len(owner)
    if objects < 2:
        return float(objects)
    cut = min(int(np.searchsorted(share, level * (1 - _ROUNDING))), windows - 1)
    below = np.bincount(owner[: cut + 1], minlength=objects) / count
    variance = float(below.var(ddof=1)) / objects
    independent = float(below.mean() * (1 - below.mean()))
    return float(np.clip(independent / variance, objects, windows)) if variance > 0 else float(windows)
