"""How large a message's probability could be: over the size of its covariance, or over the one it does not give."""

from __future__ import annotations

from typing import Any

import numpy as np

from orbwatch.conjunction.event import Probabilities
from orbwatch.conjunction.maximum import alfano_2005_maximum, dilution_flag

_WHOSE = {1: "object 2", 10: "object 1", 11: "either object"}


def largest(flat: Probabilities) -> dict[str, Any] | None:
    """The largest 2D probability: method, pc, over what, and in words; None where there is none. Plain values.

    With one covariance Frisbee's (2015) maximum over the other. With both, Alfano's (2005) over a common scale of the
    sigmas, with `scale` where it is reached (0: as they vanish) and `diluted_by`: whose covariance, made smaller by
    itself, would raise the probability (NASA CARA's PcDilution).
    """
    if flat.flags["single_covariance"][0]:
        pc = float(flat.pc["frisbee_2015", "single_covariance_maximum"][0])
        if not np.isfinite(pc):
            return None
        return {
            "method": "frisbee_2015",
            "pc": pc,
            "over": "the missing covariance",
            "words": f"at most {pc:.1e} whatever the missing covariance is",
        }
    plane = flat.encounter
    found = alfano_2005_maximum(plane.miss_km, plane.cov_km2, plane.hbr_km)
    pc, scale = float(found.pc[0]), float(found.scale[0])
    if not np.isfinite(pc):
        return None
    diluted = bool(found.diluted[0])
    whose = None
    if diluted:
        whose = _WHOSE.get(int(dilution_flag(plane.miss_km, plane.cov1_km2, plane.cov2_km2, plane.hbr_km)[0]))
    words = f"at most {pc:.1e} for any size of the covariance"
    if diluted:
        size = f"sigmas {scale:.2g} times as large it would be" if scale > 0.0 else "vanishing sigmas it would tend to"
        words = f"diluted: with {size} {pc:.1e} in 2D"
        words += f" (the covariance of {whose} by itself would do)" if whose else ""
    return {
        "method": "alfano_2005",
        "pc": pc,
        "over": "the size of the covariance",
        "scale": scale,
        "diluted": diluted,
        "diluted_by": whose,
        "words": words,
    }
