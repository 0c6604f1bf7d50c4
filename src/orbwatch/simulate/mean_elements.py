"""SGP4 mean elements that pass through a wanted state: the inverse of SGP4, by differential correction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from sgp4.api import WGS72, Satrec

from orbwatch.constants import DAY_S, DAY_US, TWO_PI, WGS72_MU_KM3_S2
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
    back = _sgp4_at(there, at_us, bstar_per_er, -minutes)
    guess = _solve(back, back, epoch_us, bstar_per_er, 0.0, 1e-6)
    return _columns(_solve(state_teme, guess, epoch_us, bstar_per_er, minutes, tolerance_km), epoch_us, bstar_per_er)


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
    for _ in range(30):
        missed = (wanted - _sgp4_at(image, epoch_us, bstar_per_er, minutes)) * scale
        if np.abs(missed).max() < tolerance_km:
            return image
        step = 1e-4 / scale
        jacobian = np.empty((6, 6))
        for j in range(6):
            ahead, behind = image.copy(), image.copy()
            ahead[j] += step[j]
            behind[j] -= step[j]
            slope = _sgp4_at(ahead, epoch_us, bstar_per_er, minutes) - _sgp4_at(behind, epoch_us, bstar_per_er, minutes)
            jacobian[:, j] = slope * scale / 2e-4
        image = image + np.linalg.solve(jacobian, missed) / scale
    raise InputError("no SGP4 mean elements pass through this state", value=wanted.tolist())


def _sgp4_at(
    image: Float[np.ndarray, "6"], epoch_us: int, bstar_per_er: float, minutes: float
) -> Float[np.ndarray, "6"]:
    error, r, v = library_satrec(_columns(image, epoch_us, bstar_per_er)).sgp4_tsince(minutes)
    if error:
        raise InputError(f"SGP4 cannot propagate towards the wanted state (error {error})", value=image.tolist())
    return np.array([*r, *v])


def _columns(image: Float[np.ndarray, "6"], epoch_us: int, bstar_per_er: float) -> dict[str, Any]:
    """Keplerian elements of a Cartesian state (Vallado 2013, algorithm 9), named as in `GpTable`."""
    r, v = image[:3], image[3:]
    radius = math.sqrt(r @ r)
    momentum = np.cross(r, v)
    node = np.array([-momentum[1], momentum[0], 0.0])
    towards_perigee = np.cross(v, momentum) / WGS72_MU_KM3_S2 - r / radius
    eccentricity = math.sqrt(towards_perigee @ towards_perigee)
    semi_major = 1.0 / (2.0 / radius - (v @ v) / WGS72_MU_KM3_S2)
    if semi_major <= 0.0 or eccentricity >= 1.0:
        raise InputError("the wanted state is not on an ellipse", value=image.tolist())
    node /= math.sqrt(node @ node)
    across = np.cross(momentum, node)
    across /= math.sqrt(across @ across)
    latitude = math.atan2(r @ across, r @ node)
    perigee = math.atan2(towards_perigee @ across, towards_perigee @ node)
    half = math.tan((latitude - perigee) / 2.0)
    eccentric = 2.0 * math.atan(math.sqrt((1.0 - eccentricity) / (1.0 + eccentricity)) * half)
    anomaly = eccentric - eccentricity * math.sin(eccentric)
    return {
        "epoch_us": epoch_us,
        "mean_motion_rev_day": math.sqrt(WGS72_MU_KM3_S2 / semi_major**3) * DAY_S / TWO_PI,
        "eccentricity": eccentricity,
        "inclination_deg": math.degrees(math.acos(momentum[2] / math.sqrt(momentum @ momentum))),
        "raan_deg": math.degrees(math.atan2(node[1], node[0])) % 360.0,
        "arg_perigee_deg": math.degrees(perigee) % 360.0,
        "mean_anomaly_deg": math.degrees(anomaly) % 360.0,
        "bstar_per_er": bstar_per_er,
    }
