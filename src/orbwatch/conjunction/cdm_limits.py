"""Numbers of a message that nothing near the Earth has: refused, before they make nonsense of everything."""

from __future__ import annotations

import numpy as np

from orbwatch.catalog.cdm import Cdm
from orbwatch.catalog.cdm_keywords import COVARIANCE_KEYS, STATE_KEYS
from orbwatch.errors import InputError

FURTHEST_KM, FASTEST_KM_S = 1e8, 1e3
LARGEST_M2 = 1e22
"""Of any entry of a covariance, m^2, m^2/s, m^2/s^2: a sigma of 1e8 km."""
HBR_M = 1e-3, 1e6
"""Combined hard-body radius, least and most."""
_VARIANCE_KEYS = "CR_R", "CT_T", "CN_N"


def refuse_impossible(cdm: Cdm) -> None:
    """Raises InputError with the keyword, its line, its value and what is legal."""
    for key, value_given, most in (
        ("MISS_DISTANCE", cdm.miss_distance_m, np.inf),
        ("RELATIVE_SPEED", cdm.relative_speed_m_s, np.inf),
        ("COLLISION_PROBABILITY", cdm.collision_probability, 1.0),
    ):
        if value_given is not None and not 0.0 <= value_given <= most:
            legal = "0 to 1" if most == 1.0 else "at least 0"
            raise InputError("an impossible number", None, cdm.lines.get(key), key, value_given, legal=legal)
    for number, part in enumerate(cdm.objects, 1):
        state = [*part.r_km, *part.v_km_s]
        for i, (key, value) in enumerate(zip(STATE_KEYS, state, strict=True)):
            most, unit = (FURTHEST_KM, "km") if i < 3 else (FASTEST_KM_S, "km/s")
            if not abs(value) <= most:
                what, legal = f"no state of object {number}", f"at most {most:g} {unit}"
                raise InputError(what, None, part.lines.get(key), key, float(value), legal=legal)
        if part.cov_rtn_km2 is not None:
            row, column = np.tril_indices(6)
            values = part.cov_rtn_km2[row, column]
            for key, value in zip(COVARIANCE_KEYS, values, strict=True):
                if abs(value) > LARGEST_M2 / 1e6:
                    what, legal = f"no covariance of object {number}", f"at most {LARGEST_M2:g}"
                    raise InputError(what, None, part.lines.get(key), key, float(value) * 1e6, legal=legal)


def refuse_impossible_variances(cdm: Cdm) -> None:
    """Raises InputError for a variance of position that is negative, or zero beside others that are not.

    A diagonal of zeros alone means that there is no covariance. Negative variances of velocity leave straight paths as
    they are: the assessment flags them.
    """
    for number, part in enumerate(cdm.objects, 1):
        if part.cov_rtn_km2 is None:
            continue
        variances = np.diag(part.cov_rtn_km2)
        if not np.any(np.nan_to_num(variances)):
            continue
        for key, variance in zip(_VARIANCE_KEYS, variances[:3], strict=True):
            if variance <= 0.0:
                what, legal = f"no covariance of object {number}: an impossible variance", "above 0 m**2"
                raise InputError(what, None, part.lines.get(key), key, float(variance) * 1e6, legal=legal)


def refuse_impossible_radius(hbr_m: float, source: str) -> None:
    """Raises InputError."""
    if not HBR_M[0] <= hbr_m <= HBR_M[1]:
        legal = f"{HBR_M[0]:g} to {HBR_M[1]:g} m"
        raise InputError(f"no combined hard-body radius ({source})", field="HBR", value=hbr_m, legal=legal)
