"""The uneven time steps over which the published 3D-Nc is summed."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.special import erfcinv

Rate = Callable[[Float[np.ndarray, " m"]], Float[np.ndarray, " m"]]

_STEPS, _ROUNDS = 101, 250
_PEAK_DROP = 0.2  # a peak's neighbours are no lower than this share below it
_SHARE = 0.02  # no step adds more
_ACROSS = 51  # steps where the rate is above the cut
_PEAKS = 4
CUT = math.exp(-(float(erfcinv(1e-6)) ** 2)) / math.sqrt(2.0 * math.pi)
"""Of the highest rate: below, a bell has all but 1e-6 behind it."""


def published_steps(
    rate_of: Rate, start: tuple[float, float], limits: tuple[float, float]
) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """Times and rates as NASA CARA refines them (Pc3D_Hall): even steps over the linear encounter, halved where needed.

    In turn: step on past an end that holds the highest rate or one above the cut; halve the intervals beside a peak
    until its neighbours are near it; halve those that add more than 2 % of the sum; halve those above the cut that are
    longer than 1/51 of its span. rate_of gives NaN where the rate is unknown. start is cut to the limits, and replaced
    by them when it lies outside.

    The trapezoid sum over such steps lies 8e-4 above the integral: they are fine at the top of the bell, where the sum
    falls short, and coarse on its flanks, where it is too high.
    """
    low, high = max(start[0], limits[0]), min(start[1], limits[1])
    if not low < high:
        low, high = limits
    stride = max(0.5 * (high - low), *(3.0 * abs(limit) / _ROUNDS for limit in limits))
    t_s = np.linspace(low, high, _STEPS)
    rate = rate_of(t_s)
    for _ in range(_ROUNDS):
        known = np.nan_to_num(rate)
        new = _wanted(t_s, known, stride, limits)
        new = np.setdiff1d(np.clip(new, *limits), t_s)
        if not len(new):
            break
        t_s, order = np.unique(np.concatenate([t_s, new]), return_index=True)
        rate = np.concatenate([rate, rate_of(new)])[order]
    return t_s, rate


def _wanted(t_s: np.ndarray, rate: np.ndarray, stride: float, limits: tuple[float, float]) -> np.ndarray:
    """The next times, none when all is well."""
    best, cut, last = int(np.argmax(rate)), CUT * float(rate.max()), len(t_s) - 1
    if rate[best] == 0.0:
        return np.empty(0)
    for ends in (lambda i: best == i, lambda i: rate[i] > cut):
        if ends(0) and t_s[0] > limits[0]:
            return np.array([t_s[0] - stride])
        if ends(last) and t_s[last] < limits[1]:
            return np.array([t_s[last] + stride])
    middles = 0.5 * (t_s[1:] + t_s[:-1])
    rules: tuple[Callable[[], np.ndarray], ...] = (
        lambda: _beside_peaks(t_s, rate),
        lambda: _heavy(t_s, rate),
        lambda: _long(t_s, rate, cut),
    )
    for rule in rules:
        halved = rule()
        if halved.any():
            return np.asarray(middles[halved])
    return np.empty(0)


def _beside_peaks(t_s: np.ndarray, rate: np.ndarray) -> np.ndarray:
    step = np.diff(t_s)
    rise = np.concatenate([[np.inf], np.diff(rate)])
    fall = np.concatenate([-np.diff(rate), [np.inf]])
    peaks = np.flatnonzero((rate > 0.0) & (rise > 0.0) & (fall > 0.0))
    halved = np.zeros(len(step), bool)
    for i in peaks[np.argsort(rate[peaks])[::-1][:_PEAKS]]:
        steep = _PEAK_DROP * rate[i]
        inner = 0 < i < len(step)
        if i > 0:
            halved[i - 1] |= rise[i] > steep or (inner and step[i - 1] >= 2.0 * step[i])
        if i < len(step):
            halved[i] |= fall[i] > steep or (inner and step[i] >= 2.0 * step[i - 1])
    return halved


def _heavy(t_s: np.ndarray, rate: np.ndarray) -> np.ndarray:
    step = np.diff(t_s)
    part = rate * 0.5 * (np.concatenate([step[:1], step]) + np.concatenate([step, step[-1:]]))
    part[[0, -1]] *= 0.5
    heavy = part > _SHARE * part.sum()
    return np.asarray(heavy[1:] | heavy[:-1])


def _long(t_s: np.ndarray, rate: np.ndarray, cut: float) -> np.ndarray:
    above = np.flatnonzero(rate > cut)
    first, last = max(0, above[0] - 1), min(len(t_s) - 1, above[-1] + 1)
    near = np.zeros(len(t_s), bool)
    near[above] = near[first] = near[last] = True
    return np.asarray((near[1:] | near[:-1]) & (np.diff(t_s) > (t_s[last] - t_s[first]) / _ACROSS))
