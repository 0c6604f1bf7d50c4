"""The least depth of an encounter in time: where, how deep, how wide; by parabolas through depths at a few times.

The depth Q(t) is the squared Mahalanobis distance at the peak of overlap plus the logarithm of the determinant of the
relative position's covariance; exp(-Q/2) times the speed is the collision rate of small bodies (Hall et al. 2023, AAS
23-398). Near its bottom Q is a parabola, and the rate a bell of sigma sqrt(2 / Q'').
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

Depth = Callable[[Float[np.ndarray, " m"]], Float[np.ndarray, " m"]]
"""As in `encounter_span`, but of small bodies."""

_OUTSIDE = 10.0  # a first bottom is at most so many times the first points' span beyond them
_SIGMAS, _LEVELS = 2.5, 1.0  # a guess nearer than these to a depth known is good
_ROUNDS = 20
_SEARCH, _FINE, _FLAT = 200, 1e-2, 1e-3


@dataclass(eq=False)
class Bottom:
    """Bottom of the depth, as far as it was looked for."""

    t_s: float
    depth: float
    sigma_s: float
    converged: bool
    times: Float[np.ndarray, " m"] = field(default_factory=lambda: np.empty(0))
    """Where the depth is known."""
    depths: Float[np.ndarray, " m"] = field(default_factory=lambda: np.empty(0))


def bottom_near(depth: Depth, t_s: float, sigma_s: float, straight_depth: float) -> Bottom:
    """The bottom of the curved encounter's depth, from that of the straight one: its time, sigma and depth.

    NASA CARA's UsageViolationPc2D: a parabola through three times a sigma apart; when its bottom is more than 2.5
    sigmas or one unit of depth from the straight one's, the depth there is computed, and a parabola put through the
    three lowest, until the step is small. Not converged where a depth is unknown, or the curve bends down.
    """
    times = t_s + sigma_s * np.array([-1.0, 0.0, 1.0])
    depths = depth(times)
    found = Bottom(t_s, np.nan, np.nan, False, times, depths)
    if not np.isfinite(depths).all():
        return found
    bend, at, low = _parabola(times, depths)
    if bend <= 0.0:
        found.sigma_s = np.inf
        return found
    reach = _OUTSIDE * (times[2] - times[0])
    inside = float(np.clip(at, times[0] - reach, times[2] + reach))
    far = inside != at
    at, low = inside, low + bend * (inside - at) ** 2
    sigma = 1.0 / np.sqrt(bend)
    unsettled = far or abs(at - t_s) >= _SIGMAS * min(sigma_s, sigma) or abs(low - straight_depth) >= _LEVELS
    converged = True
    for _ in range(_ROUNDS):
        if not unsettled:
            break
        least = int(np.argmin(depths))
        ends = float(times.min()), float(times.max())
        new = float(depth(np.array([at]))[0])
        converged = bool(np.isfinite(new))
        beyond = at < ends[0] or at > ends[1]
        halfway = 0.5 * (at + (ends[0] if at < ends[0] else ends[1]))
        if not converged:
            unsettled = beyond and len(times) == 3
            at = halfway if unsettled else at
            continue
        lower = new < np.sort(depths)[2]
        known_t, known = float(times[least]), float(depths[least])
        times, depths = np.append(times, at), np.append(depths, new)
        bend, bottom, level = _parabola(times, depths)
        if lower:
            if bend <= 0.0:
                sigma = np.inf
                break
            at, low, sigma = bottom, level, 1.0 / np.sqrt(bend)
        elif beyond:
            at, low = halfway, level + bend * (halfway - bottom) ** 2
        else:
            at, low = known_t, known
        unsettled = abs(at - known_t) >= _SIGMAS * sigma or abs(low - known) >= _LEVELS
    return Bottom(float(at), float(low), float(sigma), converged and bool(np.isfinite(sigma)), times, depths)


def _parabola(times: np.ndarray, depths: np.ndarray) -> tuple[float, float, float]:
    """Bend a (of a t^2), time and depth of the bottom of the parabola through the three lowest points."""
    times, first = np.unique(times, return_index=True)
    lowest = np.argsort(depths[first], kind="stable")[:3]
    t, q = times[lowest], depths[first][lowest]
    middle, half = 0.5 * (t.max() + t.min()), 0.5 * (t.max() - t.min())
    a, b, c = np.linalg.solve(np.stack([((t - middle) / half) ** 2, (t - middle) / half, np.ones(3)], axis=1), q)
    if a == 0.0:
        return 0.0, float(middle), float(c)
    return float(a / half**2), float(middle - 0.5 * b / a * half), float(c - 0.25 * b * b / a)


def least_depth(depth: Depth, start: Bottom) -> float | None:
    """Time near the least depth, by halving the intervals beside the lowest of five times; None when it is not found.

    To 1e-3 of depth, or 1e-2 sigmas. NASA CARA's way (Pc2D_Hall), with its starting times, so that expansions about
    the time found give its values: where the bell is no bell those depend on it.
    """
    at, values = _starting_times(depth, start)
    lowest = int(np.argmin(values))
    first = min(max(lowest - 2, 0), len(at) - 5)
    at, values = at[first : first + 5], values[first : first + 5]
    for _ in range(_SEARCH):
        if not np.isfinite(values).all():
            return None
        i = int(np.argmin(values))
        if i in (0, 4):
            step = at[1] - at[0] if i == 0 else at[4] - at[3]
            new = at[0] - step if i == 0 else at[4] + step
            at = np.concatenate([[new], at[:4]] if i == 0 else [at[1:], [new]])
            value = depth(np.array([new]))
            values = np.concatenate([value, values[:4]] if i == 0 else [values[1:], value])
            continue
        near = max(at[i] - at[i - 1], at[i + 1] - at[i]) < _FINE * start.sigma_s
        if near or max(values[i - 1], values[i + 1]) - values[i] < _FLAT:
            return float(at[i])
        middles = 0.5 * (at[[i - 1, i + 1]] + at[i])
        low, high = depth(middles)
        at = np.array([at[i - 1], middles[0], at[i], middles[1], at[i + 1]])
        values = np.array([values[i - 1], low, values[i], high, values[i + 1]])
    return None


def _starting_times(depth: Depth, start: Bottom) -> tuple[np.ndarray, np.ndarray]:
    """Ascending times with depths: those known, and new ones beside the lowest or about the bottom; some twice."""
    order = np.argsort(start.times)
    times, depths = start.times[order], start.depths[order]
    i = int(np.argmin(depths))
    if 0 < i < len(times) - 1:
        gap = 0.5 * min(times[i] - times[i - 1], times[i + 1] - times[i])
        new = np.array([times[i - 1], times[i] - gap, times[i], times[i] + gap, times[i + 1]])
        values = np.array([depths[i - 1], np.nan, depths[i], np.nan, depths[i + 1]])
    else:
        reach = min(max(1.0, abs(start.t_s) / start.sigma_s), 10.0) * start.sigma_s
        new = start.t_s + reach * np.array([0.0, -0.5, 0.5, -1.0, 1.0])
        values = np.full(5, np.nan)
        left_t, left = times, depths
        for j in range(5):
            if not len(left_t):
                break
            nearest = int(np.argmin(np.abs(left_t - new[j])))
            if abs(left_t[nearest] - new[j]) < 0.5 * reach:
                new[j], values[j] = left_t[nearest], left[nearest]
                left_t, left = np.delete(left_t, nearest), np.delete(left, nearest)
    unknown = np.isnan(values)
    values[unknown] = depth(new[unknown])
    at, both = np.concatenate([new, start.times]), np.concatenate([values, start.depths])
    order = np.argsort(at, kind="stable")
    return at[order], both[order]
