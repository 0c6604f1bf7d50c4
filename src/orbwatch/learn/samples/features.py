"""What the short-arc network is given, and how its answer becomes kilometres.

Everything is said relative to the least-squares orbit of the window: residuals in units of the stated noise, targets in
units of the formal covariance ("whitened"). With L_r L_r^T the formal RTN position covariance at a horizon and s the
noise scale, a true state that differs from least squares by d is the target L^-1 d / s: of size one when the formal
covariance is right, whatever the orbit, the sensor and the horizon. What no better state can explain stays visible: a
correction L0 z0 of the state at the epoch (L0 L0^T its formal covariance, L0 lower triangular in RTN) moves the
whitened residual by `mix @ z0`, to first order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from orbwatch.errors import InputError
from orbwatch.learn.samples.features_kernel import window_inputs
from orbwatch.learn.samples.whitening_kernel import restored
from orbwatch.learn.samples.windows import Windows
from orbwatch.propagate.field import field_shift
from orbwatch.propagate.least_squares import OK
from orbwatch.propagate.zonal import in_slices


class Feature(NamedTuple):
    """One number of a history step, or of a horizon."""

    name: str
    unit: str
    group: str
    note: str


UNCERTAINTY = "uncertainty"
"""The group that can be left out."""

FEATURES = (
    Feature("residual_r", "sigma s", "residual", "observed minus least squares, radial, over stated noise and scale"),
    Feature("residual_t", "sigma s", "residual", "along-track"),
    Feature("residual_n", "sigma s", "residual", "cross-track"),
    Feature("mahalanobis", "log1p sigma", "quality", "size of the residual over the stated noise"),
    Feature("sensor_sigma", "log10 m", UNCERTAINTY, "stated noise of this position, one axis"),
    Feature("fit_position_sigma", "log10 m", UNCERTAINTY, "formal, at the epoch, rms of the axes"),
    Feature("fit_velocity_sigma", "log10 m/s", UNCERTAINTY, "formal, at the epoch, rms of the axes"),
    Feature("fit_rms", "ln", UNCERTAINTY, "square root of the reduced chi-square of the fit"),
    Feature("semi_latus_rectum", "ln Earth radii", "orbit", "modified equinoctial elements of the fit at this step"),
    Feature("f", "1", "orbit", "e cos(longitude of perigee)"),
    Feature("g", "1", "orbit", "e sin(longitude of perigee)"),
    Feature("h", "1", "orbit", "tan(i/2) cos(node)"),
    Feature("k", "1", "orbit", "tan(i/2) sin(node)"),
    Feature("sin_longitude", "1", "orbit", "sine of the true longitude"),
    Feature("cos_longitude", "1", "orbit", "cosine of the true longitude"),
    Feature("density", "log10 kg/m3", "air", "of a static exponential atmosphere"),
    Feature("drag", "log10 m/s2", "air", "with the public ballistic coefficient and co-rotating air"),
    Feature("sun_r", "1", "sun", "direction of the Sun, radial"),
    Feature("sun_t", "1", "sun", "along-track"),
    Feature("sun_n", "1", "sun", "cross-track"),
    Feature("sunlit", "1", "sun", "share of the Sun's disk in sight"),
    Feature("dt", "10 min", "time", "from the epoch to this step"),
    Feature("sin_sidereal", "1", "sidereal", "sine of the Earth-fixed longitude"),
    Feature("cos_sidereal", "1", "sidereal", "cosine of the Earth-fixed longitude"),
)
"""The inputs of a history step, in order."""

QUERY = (
    Feature("tau", "1800 s", "time", "from the epoch to the horizon"),
    Feature("sigma_r", "log10 m", UNCERTAINTY, "formal sigma of the predicted position, radial"),
    Feature("sigma_t", "log10 m", UNCERTAINTY, "along-track"),
    Feature("sigma_n", "log10 m", UNCERTAINTY, "cross-track"),
    Feature("sin_latitude", "1", "sidereal", "sine of the geocentric latitude of the predicted position"),
    Feature("sin_sidereal", "1", "sidereal", "sine of its Earth-fixed longitude"),
    Feature("cos_sidereal", "1", "sidereal", "cosine of its Earth-fixed longitude"),
    Feature("density", "log10 kg/m3", "air", "of a static exponential atmosphere"),
)
"""The inputs of a horizon, in order."""

CERTAIN = tuple(column for column, feature in enumerate(FEATURES) if feature.group != UNCERTAINTY)
"""Columns of `FEATURES` that stay when the uncertainty group is left out."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """Inputs of n windows with k steps (20), H horizons and F features.

    All finite: where the fit failed they are fillers, zeros with unit axes and factors.
    """

    x: Float32[np.ndarray, "n k F"]
    """`FEATURES` unscaled; rows that are not `valid` have no residuals."""
    valid: Bool[np.ndarray, "n k"]
    """Rows with a position; none where the fit failed."""
    query: Float32[np.ndarray, "n H 8"]
    """`QUERY` unscaled."""
    mix: Float32[np.ndarray, "n H 6 12"]
    """Whitened residual (position, velocity) of, columns 0 to 5, the whitened state correction at the epoch (the first
    three rows are orthonormal there, and so are the last three), and, columns 6 to 11, a plain residual in RTN, in
    units of 0.1 km and 1e-4 km/s: what forces do that the fit leaves out is the same whatever the noise."""
    log_scale: Float32[np.ndarray, " n"]
    """ln s, s = max(1, rms of the fit)."""
    rv_km: Float[np.ndarray, "n H 6"]
    """Least-squares prediction, km, km/s, in the frame of the windows; zeros where the fit failed."""
    rtn: Float[np.ndarray, "n H 3 3"]
    """Rows R, T, N of that prediction in the frame of the windows."""
    factor_km: Float32[np.ndarray, "n H 3 3"]
    """L_r: lower Cholesky factor of the formal RTN position covariance, without s."""
    factor_km_s: Float32[np.ndarray, "n H 3 3"]
    """L_v: the same of the velocity."""
    target: Float32[np.ndarray, "n H 6"] | None
    """Whitened truth minus prediction; None without truth, zeros where a window's truth is missing."""
    usable: Bool[np.ndarray, " n"]
    """The fit succeeded and, if there is any truth, this window's is complete."""

    def __len__(self) -> int:
        return len(self.x)


def feature_table(uncertainty: bool = True) -> tuple[Feature, ...]:
    """The features in use: all 24, or the 20 without the uncertainty group."""
    return FEATURES if uncertainty else tuple(FEATURES[column] for column in CERTAIN)


def inputs(
    windows: Windows, uncertainty: bool = True, horizons: Int[np.ndarray, " k"] | None = None, threads: int = 1
) -> Inputs:
    """Features, queries and whitening of `windows`; and targets where they carry truth.

    uncertainty: with the uncertainty group (24 features) or without (20). horizons: columns of `windows.horizon_s` to
    use, in the order given; None: all. The orbit of the fit is moved in the gravity field to degree 8, its covariance
    with the variational equations of the zonal one; one pass over the windows, shared out over `threads`.
    Raises InputError for columns that are not there.
    """
    count, most = windows.horizon_s.shape
    columns = np.arange(most) if horizons is None else horizons.astype(np.int64)
    if len(columns) and not (columns.min() >= 0 and columns.max() < most):
        raise InputError("no such horizon", field="horizons", value=columns.tolist(), legal=f"0 .. {most - 1}")
    if not np.isfinite(windows.horizon_s).all():
        raise InputError("forecast times must be finite numbers", field="horizon_s")
    features = np.array(range(len(FEATURES)) if uncertainty else CERTAIN)
    out = _empty(count, windows.t_s.shape[1], len(columns), len(features), windows.truth_rv_km is not None)
    fit = windows.fit
    horizon_s, steps = windows.horizon_s[:, columns], windows.t_s.shape[1]
    # The kernel moves orbits with the zonal field; the rest of the field is a shift of what they are compared with.
    shift = field_shift(fit.rv_km, windows.gmst_rad, _finite(np.concatenate([windows.t_s, horizon_s], axis=1)), threads)
    shift[~np.isfinite(shift) | (fit.status != OK)[:, None, None]] = 0.0
    truth = _NONE if windows.truth_rv_km is None else windows.truth_rv_km[:, columns] - shift[:, steps:]
    given = (
        _plain(windows.t_s),
        _plain(windows.r_obs_km - shift[:, :steps, :3]),
        _plain(windows.sigma_km),
        _plain(fit.rv_km),
        _plain(fit.cov),
        _plain(fit.rms),
        np.ascontiguousarray(fit.status),
        _plain(windows.gmst_rad),
        _plain(windows.sun_teme),
        _plain(windows.ballistic_m2_kg),
        _plain(horizon_s),
        _plain(truth),
        np.arange(len(columns)),
        features,
    )
    target = np.empty((0, 0, 6), np.float32) if out.target is None else out.target
    made = (out.x, out.valid, out.query, out.mix, out.log_scale, out.rv_km, out.rtn, out.factor_km, out.factor_km_s)
    in_slices(lambda begin, end: window_inputs(begin, end, *given, *made, target, out.usable), count, threads)
    out.rv_km[:] += shift[:, steps:]
    return out


_NONE = np.empty((0, 0, 6))


def _plain(values: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    return np.ascontiguousarray(values, np.float64)


def _finite(offsets_s: Float[np.ndarray, "n m"]) -> Float[np.ndarray, "n m"]:
    return np.where(np.isfinite(offsets_s), offsets_s, np.nan)


def _empty(n: int, steps: int, horizons: int, features: int, truth: bool) -> Inputs:
    """All zero."""
    shape = (n, horizons)
    return Inputs(
        x=np.zeros((n, steps, features), np.float32),
        valid=np.zeros((n, steps), np.bool_),
        query=np.zeros((*shape, len(QUERY)), np.float32),
        mix=np.zeros((*shape, 6, 12), np.float32),
        log_scale=np.zeros(n, np.float32),
        rv_km=np.zeros((*shape, 6)),
        rtn=np.zeros((*shape, 3, 3)),
        factor_km=np.zeros((*shape, 3, 3), np.float32),
        factor_km_s=np.zeros((*shape, 3, 3), np.float32),
        target=np.zeros((*shape, 6), np.float32) if truth else None,
        usable=np.zeros(n, np.bool_),
    )


def restore(
    inputs: Inputs, mean: Float[np.ndarray, "n H 6"], factor: Float[np.ndarray, "n H 3 3"]
) -> tuple[Float[np.ndarray, "n H 3"], Float[np.ndarray, "n H 3"], Float[np.ndarray, "n H 3 3"]]:
    """A whitened answer in physical units: (mean_rtn_km, velocity_rtn_km_s, cov_rtn_km2), float64.

    mean: whitened residual of position and velocity, added to the prediction `inputs.rv_km` along `inputs.rtn`. factor:
    lower triangular W; the position covariance is s^2 L_r W W^T L_r^T. A zero mean and W = I / s are least squares.
    """
    shape = mean.shape[:2]
    position, velocity, cov = np.zeros((*shape, 3)), np.zeros((*shape, 3)), np.zeros((*shape, 3, 3))
    answer = np.ascontiguousarray(mean, np.float32), np.ascontiguousarray(factor, np.float32)
    restored(inputs.log_scale, inputs.factor_km, inputs.factor_km_s, *answer, position, velocity, cov)
    return position, velocity, cov


def moved(
    rv_km: Float[np.ndarray, "n H 6"],
    rtn: Float[np.ndarray, "n H 3 3"],
    position_rtn_km: Float[np.ndarray, "n H 3"],
    velocity_rtn_km_s: Float[np.ndarray, "n H 3"],
) -> Float[np.ndarray, "n H 6"]:
    """States (km, km/s) that lie this far from a prediction along its own R, T, N (rows of `rtn`), in its frame."""
    parts = [np.einsum("nhji,nhj->nhi", rtn, part) for part in (position_rtn_km, velocity_rtn_km_s)]
    return np.asarray(rv_km + np.concatenate(parts, axis=-1))
