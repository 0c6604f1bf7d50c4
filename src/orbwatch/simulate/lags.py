"""How late public element sets learn of a burn: drawn as measured around true burns.

Measured where a burn's step of mean motion was 12 times the noise or more (ten satellites, 1992 to 2022, times of the
operators' own files). About two thirds of the burns in low orbits are taken in at once: sets change from the
old orbit to the new around 0.1 to 0.8 days after the burn (Sentinel-3A, SARAL; CryoSat-2 0.3 to 2), and the first mean
motion overshoots by a tenth. The others are learned slowly, as by a fit over the last four to nine days (Jason-1,
TOPEX, Sentinel-6A, half of Jason-2's). Geostationary Fengyun-2: at once, 0.4 to 2 days after the burn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.random import Generator


@dataclass(frozen=True)
class Habit:
    """How the sets of one object usually learn of burns."""

    slow: bool
    """Fitted over the burn."""
    lag_day: float
    span_day: float
    steady: float
    """Share of the burns that are handled as usual."""


def draw_habit(low: bool, rng: Generator) -> Habit:
    """The habit of one object in low orbit, or in a higher one."""
    slow = bool(rng.random() < (0.33 if low else 0.08))
    lag_day = np.exp(rng.uniform(np.log(0.1), np.log(0.8))) if low else 0.85 * np.exp(rng.normal(0.0, 0.3))
    return Habit(slow, float(lag_day), float(rng.uniform(3.5, 9.0)), float(rng.uniform(0.7, 1.0)))


def draw_late(habit: Habit, low: bool, n: int, rng: Generator) -> Float[np.ndarray, "n 4"]:
    """Lag, span, drag kick and overshoot of n pushes: the last columns of `Pushes`."""
    usual = rng.random(n) < habit.steady
    other = [draw_habit(low, rng) for _ in range(n)]
    slow = np.array([habit.slow if u else o.slow for u, o in zip(usual, other, strict=True)], bool)
    lag_day = np.array([habit.lag_day if u else o.lag_day for u, o in zip(usual, other, strict=True)], float)
    lag_day = np.clip(lag_day * np.exp(rng.normal(0.0, 0.35, n)), 0.0, 3.0)
    span_day = np.where(slow, habit.span_day * np.exp(rng.normal(0.0, 0.2, n)), 0.0)
    kick = np.where(slow, 0.0, rng.normal(0.0, 0.03, n))
    over = np.where(slow, 0.0, rng.normal(0.1 if low else 0.03, 0.12 if low else 0.06, n))
    return np.stack([np.where(slow, 0.0, lag_day), span_day, kick, over], axis=1)
