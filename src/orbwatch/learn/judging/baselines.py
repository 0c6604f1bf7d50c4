"""What physics alone forecasts from a window: the forecasters that any network has to beat."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from orbwatch.learn.samples.windows import Windows
from orbwatch.propagate.field import propagate_field
from orbwatch.propagate.last_state import hold as last_position
from orbwatch.propagate.last_state import last_state, two_body
from orbwatch.propagate.least_squares import fit_arcs
from orbwatch.propagate.ukf import filter_arcs
from orbwatch.propagate.zonal import propagate_zonal

Forecast = Callable[[Windows], Float[np.ndarray, "n h 6"]]
"""States (km, km/s) at the windows' horizons, in their frame; NaN where there is none."""


def hold(windows: Windows) -> Float[np.ndarray, "n h 6"]:
    """The last position seen and the velocity there, as if they stayed."""
    held = last_state(windows.t_s, windows.r_obs_km)
    held[:, :3] = last_position(windows.r_obs_km)
    return np.repeat(held[:, None, :], windows.horizon_s.shape[1], axis=1)


def two_body_motion(windows: Windows) -> Float[np.ndarray, "n h 6"]:
    """Kepler's motion from the last state."""
    return two_body(last_state(windows.t_s, windows.r_obs_km), windows.horizon_s)


def j2_j4(windows: Windows) -> Float[np.ndarray, "n h 6"]:
    """Motion in the zonal field J2 to J4 from the last state."""
    return propagate_zonal(last_state(windows.t_s, windows.r_obs_km), windows.horizon_s).rv_km


def least_squares(windows: Windows) -> Float[np.ndarray, "n h 6"]:
    """The same motion from the state that least squares with the same forces finds."""
    fit = fit_arcs(windows.t_s, windows.r_obs_km, windows.sigma_km, windows.fit.rv_km)
    return propagate_zonal(fit.rv_km, windows.horizon_s).rv_km


def least_squares_8x8(windows: Windows) -> Float[np.ndarray, "n h 6"]:
    """Motion in the field to degree and order 8 from the least-squares state that the windows carry."""
    return propagate_field(windows.fit.rv_km, windows.gmst_rad, windows.horizon_s)


def ukf(windows: Windows) -> Float[np.ndarray, "n h 6"]:
    """The same motion from the last state of an unscented Kalman filter through the arc."""
    fit = filter_arcs(windows.t_s, windows.r_obs_km, windows.sigma_km)
    return propagate_zonal(fit.rv_km, windows.horizon_s).rv_km


BASELINES: dict[str, Forecast] = {
    "hold": hold,
    "two_body": two_body_motion,
    "j2_j4": j2_j4,
    "least_squares": least_squares,
    "ukf": ukf,
    "least_squares_8x8": least_squares_8x8,
}
"""By name, in the order of how much physics they know."""
