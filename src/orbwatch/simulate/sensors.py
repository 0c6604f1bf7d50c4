"""Sensors that watch objects: noise along the object's own axes, a bias, missing positions and gaps.

`sigma` is what the sensor states: the root mean square of its noise an axis, over the three axes. The axes themselves
are unequal, as they are in reality, and the estimator is not told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Int, Int8
from numpy.random import Generator

from orbwatch.frames import rtn_matrix
from orbwatch.settings_groups import DatasetSettings
from orbwatch.simulate.streams import SENSOR, stream


@dataclass(frozen=True)
class Sensor:
    """What a kind of sensor does to a position."""

    kind: Literal["radar", "optical"]
    axis_factor_rtn: tuple[float, float, float]
    """Noise along radial, along-track, cross-track over sigma; mean square 1."""
    bias_sigma: float = 0.1
    """Root mean square an axis, over sigma, of a bias that one series keeps (along the same three axes)."""
    dropout: float = 0.02
    """Chance that a single position is missing."""
    gap_per_h: float = 1.0 / 6.0
    """Mean number of gaps an hour."""
    gap_min: tuple[float, float] = (3.0, 8.0)
    """Shortest and longest gap, minutes."""


RADAR = Sensor("radar", (0.6, 1.2, 1.2**0.5))  # ranges better than it points; low orbits are seen from below
OPTICAL = Sensor("optical", (1.4, 0.52**0.5, 0.52**0.5))  # angles only: poor along the line of sight
_BY_REGIME = (RADAR, OPTICAL, OPTICAL, RADAR)  # LEO, MEO, GEO, HEO


def sensor_of(regime: int, settings: DatasetSettings) -> Sensor:
    """Radar for LEO and HEO, optical for MEO and GEO, with the settings' dropout."""
    return replace(_BY_REGIME[regime], dropout=settings.dropout)


def observe(
    rv_km: Float[np.ndarray, "n m 6"],
    sigma_km: Float[np.ndarray, " n"],
    sensors: Sensor | Sequence[Sensor],
    rngs: Sequence[Generator],
    step_s: float = 60.0,
) -> Float[np.ndarray, "n m 3"]:
    """Noise (float32, km) to add to the positions of n objects at m times `step_s` apart; NaN where none is seen.

    rv_km: true states, any inertial frame, which is the frame of the noise. sigma_km: stated noise of each object's
    sensor. sensors: one for all, or one each. rngs: one each; an object's noise depends on nothing but its own.
    """
    each = [sensors] * len(rv_km) if isinstance(sensors, Sensor) else sensors
    rows = rv_km.shape[1]
    noise = np.empty((len(rv_km), rows, 3), np.float32)
    for i, (sensor, rng) in enumerate(zip(each, rngs, strict=True)):
        bias = sensor.bias_sigma * rng.standard_normal(3)
        seen = np.greater_equal(rng.uniform(size=rows), sensor.dropout)
        for first, last in _gaps(sensor, rows, step_s, rng):
            seen[first:last] = False
        white = rng.standard_normal((rows, 3)) * np.array(sensor.axis_factor_rtn)
        axes = rtn_matrix(rv_km[i, :, :3], rv_km[i, :, 3:])
        noise[i] = np.einsum("mki,mk->mi", axes, sigma_km[i] * (bias + white))
        noise[i, ~seen] = np.nan
    return noise


def sense(
    settings: DatasetSettings,
    object_id: Int[np.ndarray, " n"],
    regime: Int8[np.ndarray, " n"],
    rv_km: Float[np.ndarray, "n m 6"],
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n m 3"]]:
    """What a dataset of these settings sees of the objects: stated sigma (n,) km, noise (n, m, 3) km, float32.

    sigma is drawn log-uniformly for each object; both depend on the settings and the object alone.
    """
    rngs = [stream(settings.seed, int(number), SENSOR) for number in object_id]
    low, high = np.log(settings.sigma_min_m * 1e-3), np.log(settings.sigma_max_m * 1e-3)
    sigma_km = np.array([np.exp(rng.uniform(low, high)) for rng in rngs])
    sensors = [sensor_of(int(code), settings) for code in regime]
    return sigma_km, observe(rv_km, sigma_km, sensors, rngs, settings.step)


def _gaps(sensor: Sensor, rows: int, step_s: float, rng: Generator) -> list[tuple[int, int]]:
    """First row and end of each gap."""
    count = rng.poisson(sensor.gap_per_h * rows * step_s / 3600.0)
    start_s = rng.uniform(0.0, rows * step_s, count)
    length_s = rng.uniform(*sensor.gap_min, count) * 60.0
    return [
        (int(np.ceil(start / step_s)), int(np.ceil((start + length) / step_s)))
        for start, length in zip(start_s, length_s, strict=True)
    ]
