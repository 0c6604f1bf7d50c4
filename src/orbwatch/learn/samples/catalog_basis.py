"""What corrections a catalogue network has at hand: small changes of the newest set's elements, and trends of timing.

The state head's six numbers are element corrections: they act at all horizons together, as the dynamics of a nearly
circular orbit carries them (Hill 1878; Vallado & Alfano 2014 for the curvilinear form). The horizon head's plain six
are weights of the trends, each horizon its own.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32

ALONG = 1
"""Place of the time along the orbit among the whitened components: outwards, time, normal."""
TIME_S, RATE_S_DAY, PLACE_KM = 0.02, 0.02, 0.05
"""Sizes of the corrections that a 1 from the network stands for: timing, its rate, eccentricity and plane (times a)."""


def mix_of(
    trend: Float32[np.ndarray, "n h 6"],
    scale: Float32[np.ndarray, "n h 3"],
    phase: Float32[np.ndarray, "n h 2"],
    ahead_day: Float[np.ndarray, "n h"],
    speed_km_s: Float[np.ndarray, " n"],
) -> Float32[np.ndarray, "n h 6 12"]:
    """Effects of the network's twelve numbers on the whitened residual (outwards, time, normal; then three zeros).

    trend: whitened trends; scale: km, s, km; phase: cosine and sine of the argument of latitude at the horizon;
    ahead_day: from the newest set's epoch; speed_km_s: of the mean motion.
    """
    cos, sin = phase[..., 0], phase[..., 1]
    late = 2.0 * PLACE_KM / speed_km_s[:, None] / scale[..., ALONG]
    mix = np.zeros((*trend.shape[:2], 6, 12), np.float32)
    mix[:, :, ALONG, 0] = TIME_S / scale[..., ALONG]
    mix[:, :, ALONG, 1] = RATE_S_DAY * ahead_day / scale[..., ALONG]
    # Changes of e cos(w) and e sin(w), then of the inclination and of the node times its sine.
    mix[:, :, 0, 2], mix[:, :, ALONG, 2] = -PLACE_KM * cos / scale[..., 0], late * sin
    mix[:, :, 0, 3], mix[:, :, ALONG, 3] = -PLACE_KM * sin / scale[..., 0], -late * cos
    mix[:, :, 2, 4] = PLACE_KM * sin / scale[..., 2]
    mix[:, :, 2, 5] = -PLACE_KM * cos / scale[..., 2]
    mix[:, :, ALONG, 6:] = trend
    return mix
