"""A window: 20 noisy positions, the least-squares state at the last of them, and the truth that follows (if known).

Everything is in one inertial frame, TEME of the series' own start held fixed, so z is the pole and the longitude of a
position is atan2(y, x) - GMST. Kilometres, seconds, radians.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Int8, UInt8

from orbwatch.constants import EARTH_RATE_RAD_S, TWO_PI, WGS84_MU_KM3_S2, WGS84_RADIUS_KM
from orbwatch.errors import InputError
from orbwatch.frames import gmst_1982_rad
from orbwatch.propagate.least_squares import ArcFit
from orbwatch.time import us_to_jd

HISTORY = 20
"""Positions in a window."""
HORIZONS = 30
"""Forecast times of a window, one step apart."""
STEP_S = 60.0
"""Seconds from one position to the next, as a rule."""
REGIMES = ("LEO", "MEO", "GEO", "HEO")
"""Names of the regime codes 0 to 3."""
DISTURBED_RMS = 1.4
"""Rms of a fit from which a window counts as disturbed: noise alone comes there once in a million."""
GROUPS = (*REGIMES, *(f"{regime} disturbed" for regime in REGIMES))
"""Classes of windows that are calibrated, and judged, each by itself: regime, and whether an orbit fits the track."""
BURN_IN_HISTORY = 1
"""Bit of `Windows.burn`: thrust between the first and the last position."""
BURN_IN_FORECAST = 2
"""Bit of `Windows.burn`: thrust after the last position, up to the last forecast time."""

_J2000 = 2451545.0
_SIDEREAL_DAY_S = TWO_PI / EARTH_RATE_RAD_S


@dataclass(frozen=True, eq=False, kw_only=True)
class Windows:
    """n windows of 20 positions and H forecast times."""

    object_id: Int[np.ndarray, " n"]
    regime: Int8[np.ndarray, " n"]
    """Index into REGIMES; -1 where it is unknown because the fit failed."""
    epoch_us: Int[np.ndarray, " n"]
    """UTC microseconds since 1970 of the last position."""
    gmst_rad: Float[np.ndarray, " n"]
    """Greenwich mean sidereal time at the epoch."""
    sun_teme: Float[np.ndarray, "n 3"]
    """Direction of the Sun at the epoch."""
    t_s: Float[np.ndarray, "n k"]
    """Times of the positions after the epoch, seconds; the last is 0."""
    r_obs_km: Float[np.ndarray, "n k 3"]
    """Positions seen, NaN where missing."""
    sigma_km: Float[np.ndarray, "n k"]
    """Their stated noise, one standard deviation an axis."""
    fit: ArcFit
    """Least squares on them: state and covariance at the epoch."""
    ballistic_m2_kg: Float[np.ndarray, " n"]
    """Public estimate of drag coefficient x area / mass."""
    horizon_s: Float[np.ndarray, "n h"]
    """Forecast times after the epoch, seconds."""
    burn: UInt8[np.ndarray, " n"]
    """BURN_IN_HISTORY | BURN_IN_FORECAST."""
    truth_history_rv_km: Float[np.ndarray, "n k 6"] | None = None
    truth_rv_km: Float[np.ndarray, "n h 6"] | None = None
    """True states at the horizons."""

    def __len__(self) -> int:
        return len(self.object_id)

    def take(self, index: Int[np.ndarray, " k"] | Bool[np.ndarray, " n"] | slice) -> Windows:
        """The windows that `index` picks: rows, a mask or a slice."""
        return replace(self, **{name: _taken(value, index) for name, value in _columns(self).items()})

    def horizons(self, columns: Int[np.ndarray, " j"]) -> Windows:
        """The same windows with these columns of the forecast times only."""
        truth = None if self.truth_rv_km is None else self.truth_rv_km[:, columns]
        return replace(self, horizon_s=self.horizon_s[:, columns], truth_rv_km=truth)

    @staticmethod
    def concat(parts: Sequence[Windows]) -> Windows:
        """The windows of all parts, in order; truth only where every part has it. Raises InputError for no part."""
        if not parts:
            raise InputError("no windows to put together", legal="at least one part")
        all_columns = [_columns(part) for part in parts]
        return replace(parts[0], **{name: _joined([c[name] for c in all_columns]) for name in all_columns[0]})


def make_windows(
    object_id: Int[np.ndarray, " n"],
    epoch_us: Int[np.ndarray, " n"],
    t_s: Float[np.ndarray, "n k"],
    r_obs_km: Float[np.ndarray, "n k 3"],
    sigma_km: Float[np.ndarray, "n k"],
    fit: ArcFit,
    *,
    ballistic_m2_kg: Float[np.ndarray, " n"],
    regime: Int8[np.ndarray, " n"] | None = None,
    horizon_s: Float[np.ndarray, "n h"] | None = None,
    burn: UInt8[np.ndarray, " n"] | None = None,
    truth_history_rv_km: Float[np.ndarray, "n k 6"] | None = None,
    truth_rv_km: Float[np.ndarray, "n h 6"] | None = None,
) -> Windows:
    """Windows from their parts (shapes, units: see `Windows`), with sidereal time and Sun filled in.

    Without `regime` it comes from the fitted states; without `horizon_s`, forecasts are for 60, 120, ... 1800 s.
    """
    n = len(object_id)
    if horizon_s is None:
        horizon_s = horizons_s(n, STEP_S)
    return Windows(
        object_id=object_id,
        regime=regime_code(fit.rv_km) if regime is None else regime,
        epoch_us=epoch_us,
        gmst_rad=gmst_rad(epoch_us),
        sun_teme=sun_teme(epoch_us),
        t_s=t_s,
        r_obs_km=r_obs_km,
        sigma_km=sigma_km,
        fit=fit,
        ballistic_m2_kg=ballistic_m2_kg,
        horizon_s=horizon_s,
        burn=np.zeros(n, np.uint8) if burn is None else burn,
        truth_history_rv_km=truth_history_rv_km,
        truth_rv_km=truth_rv_km,
    )


def horizons_s(n: int, step_s: float) -> Float[np.ndarray, "n h"]:
    """Forecast times of n windows, seconds after the epoch."""
    return np.tile(step_s * np.arange(1.0, HORIZONS + 1), (n, 1))


def history_s(n: int, step_s: float) -> Float[np.ndarray, "n k"]:
    """Times of the positions of n windows, seconds after the epoch."""
    return np.tile(step_s * np.arange(1.0 - HISTORY, 1.0), (n, 1))


def regime_code(rv_km: Float[np.ndarray, "n 6"]) -> Int8[np.ndarray, " n"]:
    """Regime of each state (km, km/s, any inertial frame): index into REGIMES, -1 where the state is not finite.

    HEO: eccentricity >= 0.25 (unbound too); GEO: 0.9 to 1.1 turns per sidereal day; LEO: perigee below 2,000 km; else
    MEO. Two-body elements of the moment.
    """
    code = np.full(len(rv_km), -1, np.int8)
    known = np.isfinite(rv_km).all(axis=1)
    r, v = rv_km[known, :3], rv_km[known, 3:]
    radius = np.linalg.norm(r, axis=1)
    energy = 0.5 * (v * v).sum(axis=1) - WGS84_MU_KM3_S2 / radius
    momentum = np.cross(r, v)
    semilatus = (momentum * momentum).sum(axis=1) / WGS84_MU_KM3_S2
    eccentricity = np.sqrt(np.maximum(0.0, 1.0 + 2.0 * energy * semilatus / WGS84_MU_KM3_S2))
    turns = np.maximum(0.0, -2.0 * energy) ** 1.5 / WGS84_MU_KM3_S2 / TWO_PI * _SIDEREAL_DAY_S
    perigee_km = semilatus / (1.0 + eccentricity) - WGS84_RADIUS_KM
    synchronous = (turns >= 0.9) & (turns <= 1.1)
    code[known] = np.select([eccentricity >= 0.25, synchronous, perigee_km < 2000.0], [3, 2, 0], default=1)
    return code


def group_code(windows: Windows) -> Int8[np.ndarray, " n"]:
    """Class of each window, from what is known when it is forecast: index into GROUPS, -1 where the fit failed."""
    disturbed = (windows.fit.rms > DISTURBED_RMS) & (windows.regime >= 0)
    return np.where(disturbed, windows.regime + len(REGIMES), windows.regime).astype(np.int8)


def gmst_rad(epoch_us: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Greenwich mean sidereal time (IAU 1982) at instants of UTC, microseconds since 1970, in [0, 2 pi)."""
    return np.asarray(gmst_1982_rad(*us_to_jd(epoch_us)))


def sun_teme(epoch_us: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n 3"]:
    """Unit vectors to the Sun, true to 0.02 degrees between 1950 and 2050.

    Astronomical Almanac, section C, low-precision formulas (Vallado 2013, algorithm 29). They are of the mean equinox
    of date, which differs from TEME by nutation only, below 0.006 degrees.
    """
    jd, fr = us_to_jd(epoch_us)
    days = (jd - _J2000) + fr
    anomaly = np.radians(357.528 + 0.9856003 * days)
    longitude = np.radians(280.460 + 0.9856474 * days + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2.0 * anomaly))
    obliquity = np.radians(23.439 - 4e-7 * days)
    y = np.sin(longitude)
    return np.stack([np.cos(longitude), np.cos(obliquity) * y, np.sin(obliquity) * y], axis=-1)


def take_fit(fit: ArcFit, index: Any) -> ArcFit:
    """The rows of a fit that `index` picks: rows, a mask or a slice."""
    return replace(fit, **{name: value[index] for name, value in _columns(fit).items()})


def join_fits(fits: Sequence[ArcFit]) -> ArcFit:
    """The rows of all fits (at least one), in order."""
    tables = [_columns(fit) for fit in fits]
    return replace(fits[0], **{name: np.concatenate([t[name] for t in tables]) for name in tables[0]})


def _columns(table: Any) -> dict[str, Any]:
    return {field.name: getattr(table, field.name) for field in fields(table)}


def _taken(value: Any, index: Any) -> Any:
    if isinstance(value, ArcFit):
        return take_fit(value, index)
    return None if value is None else value[index]


def _joined(values: list[Any]) -> Any:
    if any(value is None for value in values):
        return None
    if isinstance(values[0], ArcFit):
        return join_fits(values)
    return np.concatenate(values)
