"""Tracks to forecasts with calibrated regions: the whole way, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.tracks import Tracks
from orbwatch.errors import InputError
from orbwatch.frames import rotate_cov, rtn_matrix
from orbwatch.learn.samples.tracks import windows_of_tracks
from orbwatch.learn.samples.windows import GROUPS, HORIZONS, REGIMES, STEP_S, group_code
from orbwatch.models.card import CARD
from orbwatch.models.runtime import TrajectoryForecaster
from orbwatch.time import format_utc_many

BAD_RMS = 5.0
"""Fits worse than this are rare even among tracks with a burn."""


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
    cov_rtn_m2: Float[np.ndarray, "n H 3 3"]
    """Covariance of the position along radial, transverse and normal of the predicted state itself."""
    radius: Float[np.ndarray, "n H"]
    """Mahalanobis radius of the region; infinite where nothing was calibrated."""
    axis_m: Float[np.ndarray, "n H"]
    """Geometric mean of the region's semi-axes; infinite with `radius`."""
    fit_rms: Float[np.ndarray, " n"]
    """Root of the reduced chi-square of the fit: far above 1 means a maneuver or a bad sensor."""
    method: np.ndarray
    """The model's name, or least squares where the model leaves it to physics."""
    caution: np.ndarray
    """(n, H) texts: why a row deserves less trust; empty where nothing speaks against it."""
    level: float
    model: str
    refused: dict[str, str]

    def title(self) -> str:
        """What the table is."""
        inside = f"{self.level:.0%} of positions fall inside if no thrust follows, by {self.model}'s calibration"
        return f"Forecasts, GCRF; region: {inside}"

    def columns(self) -> dict[str, Any]:
        """One row an object and time; units in the names, sigma and cov along R, T, N of the row's own state."""
        n, h = self.horizon_s.shape
        at_us = (self.epoch_us[:, None] + np.round(self.horizon_s * 1e6).astype(np.int64)).ravel()

        def each(values: np.ndarray) -> np.ndarray:
            return np.repeat(values, h)

        flat = {
            f"{name}_gcrf_{unit}": values.reshape(-1, 3)[:, axis]
            for values, names, unit in ((self.r_gcrf_km, "xyz", "km"), (self.v_gcrf_km_s, ("vx", "vy", "vz"), "km_s"))
            for axis, name in enumerate(names)
        }
        cov_m2 = self.cov_rtn_m2.reshape(-1, 3, 3)
        spread = {f"sigma_{axis}_m": np.sqrt(cov_m2[:, k, k]) for k, axis in enumerate("rtn")}
        spread |= {f"cov_{name}_m2": cov_m2[:, i, j] for name, i, j in (("rt", 0, 1), ("rn", 0, 2), ("tn", 1, 2))}
        return {
            "object_id": each(self.name),
            "regime": each(self.regime),
            "time_utc": format_utc_many(at_us) if n else [],
            "horizon_min": self.horizon_s.ravel() / 60.0,
            **flat,
            **spread,
            "region_radius": self.radius.ravel(),
            "region_axis_m": self.axis_m.ravel(),
            "fit_rms": each(self.fit_rms),
            "method": each(self.method),
            "caution": self.caution.ravel(),
        }


def forecast_tracks(
    tracks: Tracks, model: str, minutes: tuple[int, ...] = tuple(range(1, HORIZONS + 1)), level: float = 0.9
) -> TrackForecast:
    """Forecast every object of `tracks` at whole minutes (1 to 30) after its last position.

    model: a packaged name or a folder. Raises InputError for a model that is not there, was not calibrated for `level`
    or learned from tracks of another step than 60 s.
    """
    forecaster = TrajectoryForecaster.load(model)
    step_s = forecaster.card.data.get("dataset", {}).get("step", STEP_S)
    if step_s != STEP_S:
        what = "the model learned from tracks with another time between positions"
        raise InputError(what, file=forecaster.folder / CARD, field="step", value=step_s, legal=f"{STEP_S:g} s")
    made = windows_of_tracks(tracks, STEP_S * np.arange(1.0, HORIZONS + 1))
    windows = made.windows
    answers = forecaster.answers(windows)
    gaussian = answers.gaussian()
    regions = forecaster.regions(windows, gaussian, level)
    states = answers.states_km()
    at = np.array(minutes) - 1
    states, radius = states[:, at], np.asarray(regions.radius[:, at], np.float64)
    turn = rtn_matrix(states[..., :3], states[..., 3:]) @ np.swapaxes(answers.rtn[:, at], -1, -2)
    group = group_code(windows)
    return TrackForecast(
        name=made.name,
        regime=np.array(REGIMES)[windows.regime],
        epoch_us=windows.epoch_us,
        horizon_s=windows.horizon_s[:, at],
        r_gcrf_km=np.einsum("nij,nhj->nhi", made.to_gcrf, states[..., :3]),
        v_gcrf_km_s=np.einsum("nij,nhj->nhi", made.to_gcrf, states[..., 3:]),
        cov_rtn_m2=1e6 * rotate_cov(turn, gaussian.cov_rtn_km2[:, at]),
        radius=radius,
        axis_m=regions.axis_m()[:, at],
        fit_rms=windows.fit.rms,
        method=np.where(np.isin(group, forecaster.fallback), "least squares", forecaster.card.name),
        caution=_caution(made.caution, np.array(GROUPS)[group], windows.fit.rms, radius),
        level=level,
        model=forecaster.card.name,
        refused=made.refused,
    )


def _caution(
    track: np.ndarray, group: np.ndarray, rms: Float[np.ndarray, " n"], radius: Float[np.ndarray, "n H"]
) -> np.ndarray:
    """What speaks against each row: the track's own caution, a bad fit, and that its region is infinite."""
    texts = [
        "; ".join(part for part in (before, bad, f"no calibrated region for {name}" if not finite else "") if part)
        for before, bad, name, row in zip(track, map(_bad_fit, rms.tolist()), group, np.isfinite(radius), strict=True)
        for finite in row
    ]
    return np.array(texts, np.str_).reshape(radius.shape)


def _bad_fit(rms: float) -> str:
    return (
        f"positions {rms:.3g} times their noise off any orbit: a burn, another frame, more noise?"
        if rms > BAD_RMS
        else ""
    )
