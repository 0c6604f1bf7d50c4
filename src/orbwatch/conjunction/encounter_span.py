"""When a curved encounter may lead to a collision: the part of the orbit it belongs to, and its peaks in time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from orbwatch.conjunction.mean_orbit import MeanOrbits, state_and_jacobian

Depth = Callable[[Float[np.ndarray, " m"]], Float[np.ndarray, " m"]]
"""Squared Mahalanobis distance plus the logarithm of the covariance's determinant, at some times; infinite if unknown.
Minus half of it is, but for a constant, the logarithm of the collision rate of small bodies."""

DEEP = 50.0
"""A rise of the depth over its minimum by this leaves a rate of e^-25."""

_SEGMENT_POINTS, _SCAN, _NEAR = 51, 97, 33
_ZOOMS = 25
_ENOUGH = 10  # steps across a peak


def segment_s(one: MeanOrbits, two: MeanOrbits, middle_s: float) -> tuple[float, float]:
    """The encounter's segment of the orbit: between the greatest separations before and after it.

    Hall et al. (2023), AAS 23-398. Separations of the two mean orbits (one row each); `middle_s` is the middle of the
    linear encounter, and it and time zero lie inside. Half a period to either side where there are no such maxima.
    """
    periods = float(one.period_s[0]), float(two.period_s[0])
    half = 0.5 * min(periods)
    reach = min(1.1 * max(periods), 2.2 * min(periods))

    def separation(t_s: np.ndarray) -> np.ndarray:
        rows = np.zeros(len(t_s), int)
        states = [state_and_jacobian(orbits.elements[rows], t_s)[0][:, :3] for orbits in (one, two)]
        return np.asarray(np.linalg.norm(states[1] - states[0], axis=1))

    t_s = np.linspace(-reach, reach, _SEGMENT_POINTS)
    far = separation(t_s)
    top = 1 + np.flatnonzero((far[1:-1] > far[:-2]) & (far[1:-1] >= far[2:]))
    before, after = top[t_s[top] < min(0.0, middle_s)], top[t_s[top] > max(0.0, middle_s)]
    if not len(before) or not len(after):
        return -half, half
    ends = []
    for i in (before[-1], after[0]):
        fine = np.linspace(t_s[i - 1], t_s[i + 1], 65)
        ends.append(float(fine[np.argmax(separation(fine))]))
    return ends[0], ends[1]


def peaks_s(depth: Depth, segment: tuple[float, float], likely: tuple[float, float]) -> list[tuple[float, float]]:
    """Disjoint spans of the segment that hold all of the collision rate but some e^-25 of its highest peak.

    likely: where the linear encounter would be, looked at more finely; it may lie outside the segment.
    """
    low, high = segment
    t_s = np.linspace(low, high, _SCAN)
    near = np.clip(likely, low, high)
    if near[1] > near[0]:
        t_s = np.unique(np.concatenate([t_s, np.linspace(near[0], near[1], _NEAR)]))
    value = depth(t_s)
    if not np.isfinite(value).any():
        return []
    padded = np.concatenate([[np.inf], value, [np.inf]])
    bottoms = np.flatnonzero((value < padded[:-2]) & (value <= padded[2:]) & np.isfinite(value))
    beside = [(float(t_s[max(0, int(i) - 1)]), float(t_s[min(len(t_s) - 1, int(i) + 1)])) for i in bottoms]
    found = [_zoom(depth, before, after, t_s, value) for before, after in beside]
    least = min(bottom for *_, bottom in found)
    spans = sorted((a, b) for a, b, bottom in found if bottom < least + DEEP)
    merged = spans[:1]
    for a, b in spans[1:]:
        if a <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(b, merged[-1][1])
        else:
            merged.append((a, b))
    return merged


def _zoom(depth: Depth, low: float, high: float, t_s: np.ndarray, value: np.ndarray) -> tuple[float, float, float]:
    """The span of one peak, from times beside its bottom, and its least depth; t_s, value are what is known so far."""
    for _ in range(_ZOOMS):
        fine = np.linspace(low, high, _NEAR)
        t_s, order = np.unique(np.concatenate([t_s, fine]), return_index=True)
        value = np.concatenate([value, depth(fine)])[order]
        inside = np.flatnonzero((t_s >= low) & (t_s <= high))
        bottom = int(inside[np.argmin(value[inside])])
        out = value > value[bottom] + DEEP
        before, after = np.flatnonzero(out[:bottom]), np.flatnonzero(out[bottom + 1 :])
        first = int(before[-1]) if len(before) else 0
        last = int(bottom + 1 + after[0]) if len(after) else len(t_s) - 1
        if np.diff(t_s[first : last + 1]).max() * _ENOUGH <= t_s[last] - t_s[first]:
            return float(t_s[first]), float(t_s[last]), float(value[bottom])
        low, high = float(t_s[first]), float(t_s[last])
    return low, high, float(value[bottom])
