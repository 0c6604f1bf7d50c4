"""A message's probability as a curve: over the hard-body radius, over the size of the covariance, in time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from orbwatch.catalog.cdm import Cdm
from orbwatch.conjunction.cdm import probabilities
from orbwatch.conjunction.cdm_row import curved_row
from orbwatch.conjunction.maximum import dilution_curve, hbr_curve
from orbwatch.conjunction.probability_nc import RateHistory, rate_history
from orbwatch.conjunction.risk import CURVE_HBR, CURVE_SCALE
from orbwatch.settings import RiskSettings

_SHOWN = 1e-9
"""Share of the whole probability before and after which nothing is shown of it in time."""


@dataclass(frozen=True, eq=False)
class Curves:
    """Curves of one message; empty where there are none."""

    used_hbr_m: float
    hbr_m: Float[np.ndarray, " h"]
    pc_of_hbr: Float[np.ndarray, " h"]
    """2D, circle."""
    square_of_hbr: Float[np.ndarray, " h"]
    """2D, over the square of that half side, as the 18th Space Defense Squadron's messages."""
    scale: Float[np.ndarray, " s"]
    """Factor on the combined sigmas."""
    pc_of_scale: Float[np.ndarray, " s"]
    in_time: RateHistory
    """3D-Nc from the message's time of closest approach."""


def curves_of(
    cdm: Cdm,
    *,
    settings: RiskSettings,
    hbr_m: float | None = None,
    between_m: tuple[float, float] | None = None,
    over_time: bool = True,
) -> Curves:
    """All curves of a message. between_m: least and greatest combined radius, instead of 0.1 to 10 times the one used;
    over_time: also Pc(t), which takes a moment. Raises InputError for a frame that is not known.
    """
    flat = probabilities(cdm, hbr_m=hbr_m, defaults=settings)
    plane = flat.encounter
    used_m = float(plane.hbr_km[0] * 1e3)
    low, high = between_m or (CURVE_HBR[0] * used_m, CURVE_HBR[-1] * used_m)
    radii_m = np.geomspace(low, high, len(CURVE_HBR))
    in_time = RateHistory(np.empty(0), np.empty(0), np.empty(0))
    row, _ = curved_row(cdm, flat)
    if row is not None and over_time:
        with np.errstate(all="ignore"), suppress(np.linalg.LinAlgError):
            in_time = _trimmed(rate_history(*row)[0])
    return Curves(
        used_hbr_m=used_m,
        hbr_m=radii_m,
        pc_of_hbr=hbr_curve(plane.miss_km, plane.cov_km2, radii_m / 1e3)[0],
        square_of_hbr=hbr_curve(plane.miss_km, plane.cov_km2, radii_m / 1e3, "square")[0],
        scale=CURVE_SCALE,
        pc_of_scale=dilution_curve(plane.miss_km, plane.cov_km2, plane.hbr_km, CURVE_SCALE)[0],
        in_time=in_time,
    )


def _trimmed(history: RateHistory) -> RateHistory:
    """Without the times before and after that add nothing to it."""
    total = history.pc[-1] if len(history.pc) else 0.0
    inside = np.flatnonzero((history.pc > _SHOWN * total) & (history.pc < (1.0 - _SHOWN) * total))
    if not len(inside):
        return history
    part = slice(max(0, int(inside[0]) - 1), int(inside[-1]) + 2)
    return RateHistory(history.t_s[part], history.rate_per_s[part], history.pc[part])
