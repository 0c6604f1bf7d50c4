"""Forecasts along inertial axes: states and covariances in TEME, GCRF or EME2000."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from orbwatch.constants import DAY_US
from orbwatch.frames import gcrf_to_eme2000, rotate_cov, rtn_matrix, teme_to_gcrf
from orbwatch.models.catalog_forecast import CatalogForecasts
from orbwatch.time import us_to_jd

Inertial = Literal["teme", "gcrf", "eme2000"]


def states_in(
    frame: Inertial, rv_teme_km: Float[np.ndarray, "*batch 6"], at_us: Int[np.ndarray, "*batch"]
) -> Float[np.ndarray, "*batch 6"]:
    """TEME states (km, km/s) at UTC instants (microseconds since 1970) in another inertial frame."""
    if frame == "teme":
        return rv_teme_km
    r, v = teme_to_gcrf(rv_teme_km[..., :3], rv_teme_km[..., 3:], *us_to_jd(at_us))
    if frame == "eme2000":
        r, v = gcrf_to_eme2000(r, v)
    return np.concatenate([r, v], axis=-1)


def inertial_columns(made: CatalogForecasts, frame: Inertial) -> dict[str, Any]:
    """Columns beside those of `made.columns()`: the position covariance along the frame's axes, km^2.

    In another frame than TEME the states as well. Names end in the frame: cov_xy_gcrf_km2.
    """
    at_us = made.asked_us + np.rint(made.horizon_day * DAY_US).astype(np.int64)
    rv = states_in(frame, made.rv_teme_km, np.broadcast_to(at_us, made.rv_teme_km.shape[:2]))
    turn = np.swapaxes(rtn_matrix(rv[..., :3], rv[..., 3:]), -1, -2)
    cov = rotate_cov(turn, made.cov_rtn_km2)
    axes = [(i, j) for i in range(3) for j in range(i, 3)]
    columns: dict[str, Any] = {}
    if frame != "teme":
        columns |= {f"{axis}_{frame}_km": rv[..., i].ravel() for i, axis in enumerate("xyz")}
        columns |= {f"v{axis}_{frame}_km_s": rv[..., 3 + i].ravel() for i, axis in enumerate("xyz")}
    return columns | {f"cov_{'xyz'[i]}{'xyz'[j]}_{frame}_km2": cov[..., i, j].ravel() for i, j in axes}
