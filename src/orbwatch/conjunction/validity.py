"""Whether the 2-D probability's assumptions hold: straight paths, a short encounter, at the given time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import erfcinv

from orbwatch.conjunction.curved_pair import Covariances, Cross, Pair, Vectors, pairs_of
from orbwatch.conjunction.depth import Bottom, bottom_near
from orbwatch.conjunction.peak_overlap import inverted

DURATION_SIGMAS = float(np.sqrt(2.0) * erfcinv(1e-16))
"""A bell has all but 1e-16 within so many sigmas."""

EXTENDED, OFFSET, INACCURATE = 0.02, 0.01, 0.02
"""NASA CARA's limits (PcMultiStep, after Hall et al. 2023): duration and end of the encounter over the shorter orbital
period; 1 - exp(-|logarithm of the ratio of curved to straight probability|)."""


@dataclass(frozen=True, eq=False)
class Validity:
    """What speaks for and against the 2-D probability of k encounters."""

    extended: Float[np.ndarray, " k"]
    """Duration over the shorter period; NaN where nothing could be found out."""
    offset: Float[np.ndarray, " k"]
    """Greatest time from the given instant over the shorter period."""
    inaccurate: Float[np.ndarray, " k"]
    """How far straight and curved paths differ; NaN where the curved encounter was not found."""
    non_positive: Bool[np.ndarray, "k 3"]
    """Whether the position covariance of object 1, of object 2, or of both together is not positive definite."""
    log_ratio: Float[np.ndarray, " k"]
    """Logarithm of the curved probability over the straight one, for small bodies."""
    highest: Float[np.ndarray, " k"]
    """The curved probability is about this at most."""
    bottoms: tuple[Bottom | None, ...]
    """Where in time the curved encounter is; None without orbits."""

    @property
    def known(self) -> Bool[np.ndarray, " k"]:
        """Whether all was found out."""
        return np.asarray(np.isfinite(self.extended + self.offset + self.inaccurate))

    def violated(self, i: int) -> dict[str, bool]:
        """Which assumptions of encounter i do not hold; what is unknown counts as violated."""
        return {
            "non_positive_definite": bool(self.non_positive[i].any()),
            "inaccurate": not self.inaccurate[i] <= INACCURATE,
            "offset": not self.offset[i] <= OFFSET,
            "extended": not self.extended[i] <= EXTENDED,
        }


def hall_2023_validity(
    r1_km: Vectors, v1_km_s: Vectors, cov1: Covariances, r2_km: Vectors, v2_km_s: Vectors, cov2: Covariances,
    hbr_km: Float[np.ndarray, " k"], cross: Cross | None = None,
) -> Validity:  # fmt: skip
    """The test of the 2-D method's usage: does the curved encounter, found in time, look like the straight one?

    Hall, Baars & Casali (2023), "A Multistep Probability of Collision Algorithm", AAS 23-398, as NASA CARA's
    UsageViolationPc2D: duration, offset and correction in the limit of small bodies, from the least depth of the curved
    encounter (`depth`). Inputs as in `probability_nc`.
    """
    k = len(hbr_km)
    pairs = pairs_of(r1_km, v1_km_s, cov1, r2_km, v2_km_s, cov2, hbr_km, cross)
    columns = np.full((5, k), np.nan)
    bottoms: list[Bottom | None] = []
    both = [_least(cov1), _least(cov2), _least(cov1 + cov2 - _shared(cross, cov1))]
    for i, pair in enumerate(pairs):
        if pair is None:
            bottoms.append(None)
            continue
        columns[:, i], bottom = _one(pair, r2_km[i] - r1_km[i], v2_km_s[i] - v1_km_s[i])
        bottoms.append(bottom)
    return Validity(
        columns[0], columns[1], columns[2], np.stack(both, axis=1) <= 0.0, columns[3], columns[4], tuple(bottoms)
    )


def _shared(cross: Cross | None, like: np.ndarray) -> np.ndarray:
    if cross is None:
        return np.zeros_like(like)
    outer = cross[1][:, :, None] * cross[0][:, None, :]
    return np.asarray(outer + outer.swapaxes(1, 2))


def _least(cov: np.ndarray) -> np.ndarray:
    finite = np.isfinite(cov).all(axis=(1, 2))
    values = np.linalg.eigvalsh(np.where(finite[:, None, None], cov, 0.0)[:, :3, :3])
    return np.asarray(values[:, 0])


def _one(pair: Pair, r_km: np.ndarray, v_km_s: np.ndarray) -> tuple[list[float], Bottom | None]:
    """Extended, offset, inaccurate, logarithm of the ratio, greatest probability; and the bottom of the depth."""
    radius = np.array([pair.hbr_km])
    inverse, log_det, _ = inverted(pair.cov_position_km2[None], radius)
    rr, rv, vv = (float(a @ inverse[0] @ b) for a, b in ((r_km, r_km), (r_km, v_km_s), (v_km_s, v_km_s)))
    nan = float("nan")
    if vv <= 0.0:
        return [1.0, 1.0, nan, nan, nan], None
    t, sigma = -rv / vv, 1.0 / np.sqrt(vv)
    straight = rr - rv * rv / vv + float(log_det[0])
    period = min(float(pair.one.period_s[0]), float(pair.two.period_s[0]))
    found = bottom_near(pair.small_depth, t, sigma, straight)
    if not found.converged:
        return [*_in_periods(t, sigma, period), nan, nan, nan], found
    there = pair.overlap(np.array([found.t_s]))
    if not there.converged[0]:
        found.converged = False
        return [*_in_periods(t, sigma, period), nan, nan, nan], found
    inverse, log_det, values = inverted(there.cov[:, :3, :3], radius)
    relative = there.relative[0]
    pulled = inverse[0] @ relative[:3]
    squared = float(relative[:3] @ pulled)
    speed = float(np.linalg.norm(relative[3:]))
    ratio = (
        np.log(found.sigma_s / sigma)
        + np.log(speed / np.linalg.norm(v_km_s))
        + 0.5 * (straight - squared - float(log_det[0]))
    )
    near = max(0.0, squared - 2.0 * pair.hbr_km * float(np.linalg.norm(pulled)) + pair.hbr_km**2 / float(values[0, 2]))
    highest = 0.5 * pair.hbr_km**2 * speed * found.sigma_s * np.exp(-0.5 * (near + float(log_det[0])))
    extended, offset = _in_periods(found.t_s, found.sigma_s, period)
    return [extended, offset, 1.0 - np.exp(-abs(ratio)), float(ratio), min(1.0, float(highest))], found


def _in_periods(t_s: float, sigma_s: float, period_s: float) -> tuple[float, float]:
    half = DURATION_SIGMAS * sigma_s
    return min(1.0, 2.0 * half / period_s), min(1.0, (abs(t_s) + half) / period_s)
