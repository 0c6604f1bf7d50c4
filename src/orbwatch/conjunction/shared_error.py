"""The error that both objects of a message share: that of the forecast of the atmosphere's density."""

from __future__ import annotations

import re

import numpy as np
from jaxtyping import Float

from orbwatch.catalog.cdm import Cdm, CdmObject

_NUMBER = r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d{1,3})?"
_SIGMA = re.compile(rf"DCP Density Forecast Uncertainty\s*=\s*({_NUMBER})", re.IGNORECASE | re.ASCII)
_VECTOR = re.compile(
    rf"DCP Sensitivity Vector RTN (Pos|Vel)\s*=\s*({_NUMBER})\s+({_NUMBER})\s+({_NUMBER})", re.IGNORECASE | re.ASCII
)


def shared_errors_rtn(cdm: Cdm) -> tuple[Float[np.ndarray, "6"], Float[np.ndarray, "6"]] | None:
    """How one sigma of it moves each object in its own RTN axes, km and km/s; None unless both objects say so.

    Casali et al. (2018), "Effect of Cross-Correlation of Orbital Error on Probability of Collision Determination", AAS
    18-272: dynamic consider parameters. From the comments ``DCP Density Forecast Uncertainty`` and ``DCP Sensitivity
    Vector RTN Pos``, ``Vel`` (metres, metres a second), or the keywords of version 2 of the message.
    """
    one, two = (_of(part) for part in cdm.objects)
    return None if one is None or two is None else (one, two)


def _of(part: CdmObject) -> Float[np.ndarray, "6"] | None:
    sigma, vectors = part.more.get("density_forecast_uncertainty"), {}
    for name, key in (("pos", "dcp_sensitivity_vector_position"), ("vel", "dcp_sensitivity_vector_velocity")):
        given = part.more.get(key)
        if isinstance(given, str):
            numbers = re.findall(_NUMBER, given)
            if len(numbers) == 3:
                vectors[name] = [float(number) for number in numbers]
    for text in (text for texts in part.comments.values() for text in texts):
        if match := _SIGMA.search(text):
            sigma = float(match[1])
        if match := _VECTOR.search(text):
            vectors[match[1].lower()] = [float(match[i]) for i in (2, 3, 4)]
    if not isinstance(sigma, float) or not 0.0 <= sigma < np.inf or len(vectors) != 2:
        return None
    moved = sigma * np.array(vectors["pos"] + vectors["vel"]) / 1e3
    return moved if np.isfinite(moved).all() else None
