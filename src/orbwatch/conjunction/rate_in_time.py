"""The collision rate of two curved paths at the times at which it has to be known."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from orbwatch.conjunction.collision_rate import FINEST, collision_rate, sphere_order
from orbwatch.conjunction.curved_pair import Pair
from orbwatch.conjunction.encounter_span import peaks_s
from orbwatch.conjunction.peak_overlap import inverted
from orbwatch.conjunction.time_steps import CUT, published_steps

Rates = tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"], bool, bool]
"""Times, rates, whether no rate that matters is unknown, whether the sphere is resolved."""

_FEW, _MANY = 33, 4097
_CLOSE = 1e-6


def published_rates(pair: Pair, segment: tuple[float, float], start: tuple[float, float]) -> Rates:
    """Over the uneven steps of `time_steps`, from `start` outwards."""
    sharp: list[float] = []
    t_s, rate = published_steps(lambda times: _rate(pair, times, sharp), start, segment)
    return t_s, np.nan_to_num(rate), _certain(rate), _resolved(t_s, rate, sharp)


def _certain(rate: np.ndarray) -> bool:
    """Whether no rate is unknown beside one that matters."""
    unknown = np.isnan(rate)
    matters = np.nan_to_num(rate) > CUT * np.max(rate, initial=0.0, where=~unknown)
    return not ((matters[:-1] & unknown[1:]).any() or (matters[1:] & unknown[:-1]).any() or unknown.all())


def even_rates(pair: Pair, segment: tuple[float, float]) -> Rates:
    """All peaks, with even steps in each.

    The trapezoid rule on a bell converges exponentially, so that halving the step says how good the sum is.
    """
    spans = peaks_s(pair.depth, segment, pair.linear_s)
    if not spans:
        return np.empty(0), np.empty(0), False, False
    times, rates, sharp = [], [], list[float]()
    for low, high in spans:
        t_s = np.linspace(low, high, _FEW)
        rate = _rate(pair, t_s, sharp)
        total = -1.0
        while len(t_s) < _MANY:
            now = float(np.nansum(rate)) * (t_s[1] - t_s[0])
            if abs(now - total) <= _CLOSE * now:
                break
            total = now
            middles = 0.5 * (t_s[1:] + t_s[:-1])
            new = _rate(pair, middles, sharp)
            t_s = np.linspace(low, high, 2 * len(t_s) - 1)
            both = np.empty(len(t_s))
            both[::2], both[1::2] = rate, new
            rate = both
        times.append(t_s)
        rates.append(rate)
    t_s, rate = np.concatenate(times), np.concatenate(rates)
    return t_s, np.nan_to_num(rate), _certain(rate), _resolved(t_s, rate, sharp)


def _resolved(t_s: np.ndarray, rate: np.ndarray, sharp: list[float]) -> bool:
    """Whether the sphere is fine enough wherever the rate matters."""
    known = np.nan_to_num(rate)
    return not np.isin(t_s[known > CUT * known.max(initial=0.0)], sharp).any()


def _rate(pair: Pair, t_s: np.ndarray, sharp: list[float]) -> np.ndarray:
    """Rates; to `sharp` go the times that need a finer sphere than there is."""
    found = pair.overlap(t_s)
    radius = np.full(len(t_s), pair.hbr_km)
    ok = found.converged
    inverse, _, _ = inverted(found.cov[ok, :3, :3], radius[ok])
    sharp += t_s[ok][sphere_order(found.relative[ok], inverse, radius[ok]) > FINEST].tolist()
    return collision_rate(found, radius)
