"""SGP4 mean elements that pass through a wanted state: the inverse of SGP4, by differential correction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from sgp4.api import WGS72, Satrec

from orbwatch.constants import DAY_S, DAY_US, TWO_PI, WGS72_MU_KM3_S2
from orbwatch.elements import cartesian_to_keplerian, mean_motion_rad_s, true_to_mean_rad
from orbwatch.errors import InputError

_US_1949 = -7306 * DAY_US  # SGP4 counts days from 1949-12-31 00:00 UTC


def library_satrec(row: Mapping[str, Any]) -> Satrec:
    """One element set (columns of `GpTable` by name) as an object of the `sgp4` library, WGS-72, mode "i".

    The catalogue number is not handed on: the library refuses those above 339,999.
    """
    satrec = Satrec()
    satrec.sgp4init(
        WGS72,
        "i",
        0,
        (row["epoch_us"] - _US_1949) / DAY_US,
        row["bstar_per_er"],
        0.0,
        0.0,
        row["eccentricity"],
        math.radians(row["arg_perigee_deg"]),
        math.radians(row["inclination_deg"]),
        math.radians(row["mean_anomaly_deg"]),
        row["mean_motion_rev_day"] * TWO_PI / 1440.0,
        math.radians(row["raan_deg"]),
    )
    return satrec


def through_state(
    state_teme: Float[np.ndarray, "6"], at_us: int, epoch_us: int, bstar_per_er: float, tolerance_km: float = 1e-8
) -> dict[str, Any]:
    """The element set of epoch `epoch_us` whose SGP4 state at `at_us` is `state_teme` (km, km/s, TEME).

    Position and velocity (times 1,000 s) agree to `tolerance_km`. Returns columns of `GpTable` by name. Raises
    InputError where SGP4 has no such set (it decays, or is not elliptic, or the iteration does not settle).

    Solved where it is easy first, at `at_us` itself, where mean and osculating elements differ by parts in a thousand;
    then that set's own state at the epoch gives the guess from which the whole span is corrected.
    """
    minutes = (at_us - epoch_us) / 6e7
    there = _solve(state_teme, state_teme, at_us, bstar_per_er, 0.0, 1e-6)
    back = _sgp4_at(there[None], at_us, bstar_per_er, -minutes)[0]
    guess = _solve(back, back, epoch_us, bstar_per_er, 0.0, 1e-6)
    image = _solve(state_teme, guess, epoch_us, bstar_per_er, minutes, tolerance_km)
    return _rows(image[None], epoch_us, bstar_per_er)[0]


def _solve(
    wanted: Float[np.ndarray, "6"],
    image: Float[np.ndarray, "6"],
    epoch_us: int,
    bstar_per_er: float,
    minutes: float,
    tolerance_km: float,
) -> Float[np.ndarray, "6"]:
    """Newton's method, central differences, on the Cartesian image of the mean elements (free of singularities)."""
    scale = np.array([1.0, 1.0, 1.0, 1e3, 1e3, 1e3])
    step_km = 1e-4
    steps = np.diag(step_km / scale)
    for _ in range(30):
        missed = (wanted - _sgp4_at(image[None], epoch_us, bstar_per_er, minutes)[0]) * scale
        if np.abs(missed).max() < tolerance_km:
            return image
        around = _sgp4_at(np.concatenate([image + steps, image - steps]), epoch_us, bstar_per_er, minutes)
        jacobian = ((around[:6] - around[6:]) * scale / (2.0 * step_km)).T
        image = image + np.linalg.solve(jacobian, missed) / scale
    raise InputError("no SGP4 mean elements pass through this state", value=wanted.tolist())


def _sgp4_at(
    images: Float[np.ndarray, "k 6"], epoch_us: int, bstar_per_er: float, minutes: float
) -> Float[np.ndarray, "k 6"]:
    """States that SGP4 makes, `minutes` after the epoch, of the mean elements with these Cartesian images."""
    states = np.empty((len(images), 6))
    for k, row in enumerate(_rows(images, epoch_us, bstar_per_er)):
        error, r, v = library_satrec(row).sgp4_tsince(minutes)
        if error:
            raise InputError(f"SGP4 cannot propagate towards the wanted state (error {error})", value=row)
        states[k] = (*r, *v)
    return states


def _rows(images: Float[np.ndarray, "k 6"], epoch_us: int, bstar_per_er: float) -> list[dict[str, Any]]:
    """The Keplerian elements of Cartesian states, named as in `GpTable`."""
    kepler = cartesian_to_keplerian(images[:, :3], images[:, 3:], mu_km3_s2=WGS72_MU_KM3_S2)
    if not np.all(np.asarray(kepler.ecc) < 1.0):
        raise InputError("the wanted state is not on an ellipse", value=images[0].tolist())
    motion_rev_day = mean_motion_rad_s(kepler.a_km, mu_km3_s2=WGS72_MU_KM3_S2) * DAY_S / TWO_PI
    anomaly_rad = true_to_mean_rad(kepler.true_anomaly_rad, kepler.ecc)
    angles = np.degrees(np.stack([kepler.incl_rad, kepler.raan_rad, kepler.arg_perigee_rad, anomaly_rad])) % 360.0
    names = [
        "mean_motion_rev_day",
        "eccentricity",
        "inclination_deg",
        "raan_deg",
        "arg_perigee_deg",
        "mean_anomaly_deg",
    ]
    return [
        {"epoch_us": epoch_us, "bstar_per_er": bstar_per_er, **dict(zip(names, values, strict=True))}
        for values in np.array([motion_rev_day, kepler.ecc, *angles]).T.tolist()
    ]
