"""Tracks to forecasts with calibrated regions: the whole way, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.tracks import Tracks
from orbwatch.learn.tracks import windows_of_tracks
from orbwatch.learn.windows import HORIZONS, REGIMES, STEP_S, group_code
from orbwatch.models.runtime import TrajectoryForecaster
from orbwatch.time import format_utc_many


@dataclass(frozen=True, eq=False)
class TrackForecast:
    """Forecasts of n objects at H times."""

    name: np.ndarray
    regime: np.ndarray
    """LEO, MEO, GEO or HEO."""
    epoch_us: Int[np.ndarray, " n"]
    """UTC microseconds since 1970 of each object's last position."""
    horizon_s: Float[np.ndarray, "n H"]
    r_gcrf_km: Float[np.ndarray, "n H 3"]
    v_gcrf_km_s: Float[np.ndarray, "n H 3"]
    sigma_rtn_m: Float[np.ndarray, "n H 3"]
    """Standard deviations: radial, transverse, normal."""
    radius: Float[np.ndarray, "n H"]
    """Mahalanobis radius of the region."""
    axis_m: Float[np.ndarray, "n H"]
    """Geometric mean of the region's semi-axes."""
    fit_rms: Float[np.ndarray, " n"]
    """Root of the reduced chi-square of the fit: far above 1 means a maneuver or a bad sensor."""
    method: np.ndarray
    """The model's name, or least squares where the model leaves it to physics."""
    caution: np.ndarray
    level: float
    model: str
    refused: dict[str, str]

    def title(self) -> str:
        """What the table is."""
        return f"Forecasts, GCRF; region: {self.level:.0%} of positions fall inside, by {self.model}'s calibration"

    def columns(self) -> dict[str, Any]:
        """One row an object and time; units in the names."""
        n, h = self.horizon_s.shape
        at_us = (self.epoch_us[:, None] + np.round(self.horizon_s * 1e6).astype(np.int64)).ravel()

        def each(values: np.ndarray) -> np.ndarray:
            return np.repeat(values, h)

        flat = {
            f"{name}_gcrf_{unit}": values.reshape(-1, 3)[:, axis]
            for values, names, unit in ((self.r_gcrf_km, "xyz", "km"), (self.v_gcrf_km_s, ("vx", "vy", "vz"), "km_s"))
            for axis, name in enumerate(names)
        }
        sigma = {f"sigma_{axis}_m": self.sigma_rtn_m.reshape(-1, 3)[:, k] for k, axis in enumerate("rtn")}
        return {
            "object_id": each(self.name),
            "regime": each(self.regime),
            "time_utc": format_utc_many(at_us) if n else [],
            "horizon_min": self.horizon_s.ravel() / 60.0,
            **flat,
            **sigma,
            "region_radius": self.radius.ravel(),
            "region_axis_m": self.axis_m.ravel(),
            "fit_rms": each(self.fit_rms),
            "method": each(self.method),
            "caution": each(self.caution),
        }


def forecast_tracks(
    tracks: Tracks, model: str, minutes: tuple[int, ...] = tuple(range(1, HORIZONS + 1)), level: float = 0.9
) -> TrackForecast:
    """Forecast every object of `tracks` at whole minutes (1 to 30) after its last position.

    model: a packaged name or a folder. Raises InputError for a model that is not there or was not calibrated for
    `level`.
    """
    forecaster = TrajectoryForecaster.load(model)
    made = windows_of_tracks(tracks, STEP_S * np.arange(1.0, HORIZONS + 1))
    windows = made.windows
    answers = forecaster.answers(windows)
    gaussian = answers.gaussian()
    regions = forecaster.regions(windows, gaussian, level)
    states = answers.states_km()
    at = np.array(minutes) - 1
    physics = np.isin(group_code(windows), forecaster.fallback)
    return TrackForecast(
        name=made.name,
        regime=np.array(REGIMES)[windows.regime],
        epoch_us=windows.epoch_us,
        horizon_s=windows.horizon_s[:, at],
        r_gcrf_km=np.einsum("nij,nhj->nhi", made.to_gcrf, states[:, at, :3]),
        v_gcrf_km_s=np.einsum("nij,nhj->nhi", made.to_gcrf, states[:, at, 3:]),
        sigma_rtn_m=1e3 * np.sqrt(np.einsum("nhii->nhi", gaussian.cov_rtn_km2[:, at])),
        radius=np.asarray(regions.radius[:, at], np.float64),
        axis_m=regions.axis_m()[:, at],
        fit_rms=windows.fit.rms,
        method=np.where(physics, "least squares", forecaster.card.name),
        caution=made.caution,
        level=level,
        model=forecaster.card.name,
        refused=made.refused,
    )
