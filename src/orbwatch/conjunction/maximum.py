"""How large the probability could be: its maximum over the size of the covariance, dilution, curves, one covariance.

Inputs as in `orbwatch.conjunction.probability`: encounter-plane miss, covariance and radius, k rows each. A scale
factor multiplies sigmas, so its square multiplies the covariance. Rows that have no probability have NaN here too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.conjunction.encounter import remediate
from orbwatch.conjunction.probability import Shape, foster_1992, mahalanobis_squared

_GRID = 13
_WIDE_GRID = 121
_GOLDEN = 0.5 * (math.sqrt(5.0) - 1.0)
_LOG_SCALE = 1e-4  # the maximum is flat: with the scale to 1e-4, its value is good to 1e-8
_DILUTED = 1e-3  # relative gain by shrinking the covariance that counts as dilution, as NASA CARA's PcDilution
_ROWS = 8192

PcOfScale = Callable[[Float[np.ndarray, " m"], Int[np.ndarray, " m"]], Float[np.ndarray, " m"]]


@dataclass(frozen=True, eq=False)
class Maximum:
    """The largest probability over the scale of a covariance."""

    pc: Float[np.ndarray, " k"]
    scale: Float[np.ndarray, " k"]
    """Factor on the sigmas where it is reached; 0 when it is approached as they vanish."""
    nominal_pc: Float[np.ndarray, " k"]
    """At scale 1."""

    @property
    def diluted(self) -> Bool[np.ndarray, " k"]:
        """Whether a smaller covariance gives a larger probability: better tracking could raise it (Alfano 2005)."""
        gain = self.pc > self.nominal_pc * (1.0 + _DILUTED)
        return gain & (self.scale < 1.0)


def alfano_2005_maximum(
    miss_km: Float[np.ndarray, "k 2"],
    cov_km2: Float[np.ndarray, "k 2 2"],
    hbr_km: Float[np.ndarray, " k"],
) -> Maximum:
    """Largest circle probability over a common scale of the combined covariance, its shape and axes kept.

    Alfano (2005), "Relating position uncertainty to maximum conjunction probability", J. Astronaut. Sci. 53(2),
    193-205, of which `alfriend_1999(kind="maximum")` is the small-radius limit. A point at q sigmas gains from a
    growing scale s until s = q / sqrt(2), so the maximum lies between the disk's nearest and furthest points; it is
    searched there. Where the miss is below the radius the probability tends to 1 with a vanishing covariance (to 1/2
    where they are equal).
    """
    valid = _valid(miss_km, cov_km2, hbr_km)
    cov = np.where(valid[:, None, None], cov_km2, np.eye(2))
    miss, hbr = np.where(valid[:, None], miss_km, 2.0), np.where(valid, hbr_km, 1.0)
    large = np.linalg.eigvalsh(cov)[:, 1]
    small = _determinant(cov) / large
    distance = np.linalg.norm(miss, axis=1)
    middle, reach = np.sqrt(mahalanobis_squared(miss, cov)), hbr / np.sqrt(small)
    near = np.maximum(middle - reach, (distance - hbr) / np.sqrt(large))
    hit = distance <= hbr
    low = np.where(hit, 1.0, near) / math.sqrt(2.0)
    high = np.where(hit, 1.0, middle + reach) / math.sqrt(2.0)

    def pc_of_scale(scale: Float[np.ndarray, " m"], row: Int[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        return foster_1992(miss[row], cov[row] * (scale * scale)[:, None, None], hbr[row])

    pc, scale = _search(pc_of_scale, low * (1.0 - 1e-9), high * (1.0 + 1e-9), _GRID)
    pc = np.where(hit, np.where(distance < hbr, 1.0, np.where(hbr > 0.0, 0.5, 0.0)), pc)
    nominal = foster_1992(miss_km, cov_km2, hbr_km)
    above = nominal > pc  # on the rim a finite covariance may do better than the limit
    pc, scale = np.where(above, nominal, pc), np.where(above, 1.0, np.where(hit, 0.0, scale))
    return Maximum(np.where(valid, pc, np.nan), np.where(valid, scale, np.nan), nominal)


def one_covariance_maximum(
    miss_km: Float[np.ndarray, "k 2"],
    fixed_km2: Float[np.ndarray, "k 2 2"],
    scaled_km2: Float[np.ndarray, "k 2 2"],
    hbr_km: Float[np.ndarray, " k"],
) -> Maximum:
    """Largest circle probability over the scale of one object's covariance, the other's staying as it is.

    Hejduk (2019), "Satellite conjunction assessment risk analysis for dilution region events", STM conference; NASA
    CARA's PcDilution. Scales from 0 to 1000. A sum that is not positive definite is clipped (`encounter.remediate`).
    """
    valid = _valid(miss_km, fixed_km2 + scaled_km2, hbr_km)
    miss, hbr = np.where(valid[:, None], miss_km, 2.0), np.where(valid, hbr_km, 1.0)
    fixed, scaled = (np.where(valid[:, None, None], cov, np.eye(2)) for cov in (fixed_km2, scaled_km2))

    def pc_of_scale(scale: Float[np.ndarray, " m"], row: Int[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        cov = fixed[row] + scaled[row] * (scale * scale)[:, None, None]
        return foster_1992(miss[row], remediate(cov, hbr[row])[0], hbr[row])

    rows = np.arange(len(hbr))
    pc, scale = _search(pc_of_scale, np.full(len(hbr), 1e-3), np.full(len(hbr), 1e3), _WIDE_GRID)
    without = pc_of_scale(np.zeros(len(hbr)), rows)
    pc, scale = np.maximum(pc, without), np.where(without >= pc, 0.0, scale)
    nominal = np.where(valid, pc_of_scale(np.ones(len(hbr)), rows), np.nan)
    return Maximum(np.where(valid, pc, np.nan), np.where(valid, scale, np.nan), nominal)


def dilution_flag(
    miss_km: Float[np.ndarray, "k 2"],
    cov1_km2: Float[np.ndarray, "k 2 2"],
    cov2_km2: Float[np.ndarray, "k 2 2"],
    hbr_km: Float[np.ndarray, " k"],
) -> Int[np.ndarray, " k"]:
    """Which object's covariance dilutes the probability, each scaled alone: 0 none, 1 the second's, 10 the first's, 11
    either. NASA CARA, DilutionMaxPc with separate scaling."""
    first = one_covariance_maximum(miss_km, cov2_km2, cov1_km2, hbr_km).diluted
    second = one_covariance_maximum(miss_km, cov1_km2, cov2_km2, hbr_km).diluted
    return 10 * first.astype(np.int64) + second.astype(np.int64)


def frisbee_2015(
    miss_km: Float[np.ndarray, "k 2"],
    known_km2: Float[np.ndarray, "k 2 2"],
    hbr_km: Float[np.ndarray, " k"],
    shape: Shape = "circle",
) -> Float[np.ndarray, " k"]:
    """Largest probability when one object's covariance is known and the other's is not.

    Frisbee (2015), "An upper bound on high speed satellite collision probability when only one object has position
    uncertainty information", AAS 15-717: the unknown one is a line along the miss d of variance |d|^2 (K^2 - 1) / K^2,
    K^2 = d' C^-1 d, where K > 1, else zero, as any would only lower the probability. `shape` as in `foster_1992`.
    """
    valid = _valid(miss_km, known_km2, hbr_km)
    known = np.where(valid[:, None, None], known_km2, np.eye(2))
    miss = np.where(valid[:, None], miss_km, 0.0)
    k2 = np.maximum(mahalanobis_squared(miss, known), 1.0)
    line = miss[:, :, None] * miss[:, None, :] * ((k2 - 1.0) / k2)[:, None, None]
    return np.where(valid, foster_1992(miss, known + line, np.where(valid, hbr_km, 0.0), shape), np.nan)


def dilution_curve(
    miss_km: Float[np.ndarray, "k 2"],
    cov_km2: Float[np.ndarray, "k 2 2"],
    hbr_km: Float[np.ndarray, " k"],
    scale: Float[np.ndarray, " s"],
    shape: Shape = "circle",
) -> Float[np.ndarray, "k s"]:
    """Probability against the scale factor on the combined sigmas, (k, s)."""
    k, s = len(hbr_km), len(scale)
    cov = cov_km2[:, None] * (scale * scale)[None, :, None, None]
    pc = foster_1992(np.repeat(miss_km, s, axis=0), cov.reshape(k * s, 2, 2), np.repeat(hbr_km, s), shape)
    return pc.reshape(k, s)


def hbr_curve(
    miss_km: Float[np.ndarray, "k 2"],
    cov_km2: Float[np.ndarray, "k 2 2"],
    hbr_km: Float[np.ndarray, " h"],
    shape: Shape = "circle",
) -> Float[np.ndarray, "k h"]:
    """Probability against the combined hard-body radius, (k, h)."""
    k, h = len(miss_km), len(hbr_km)
    pc = foster_1992(np.repeat(miss_km, h, axis=0), np.repeat(cov_km2, h, axis=0), np.tile(hbr_km, k), shape)
    return pc.reshape(k, h)


def _valid(
    miss_km: Float[np.ndarray, "k 2"], cov_km2: Float[np.ndarray, "k 2 2"], hbr_km: Float[np.ndarray, " k"]
) -> Bool[np.ndarray, " k"]:
    """Rows that have a probability: finite, no negative radius, a positive definite covariance."""
    determinant = _determinant(cov_km2)
    finite = np.isfinite(miss_km).all(axis=1) & np.isfinite(determinant) & np.isfinite(hbr_km)
    valid: Bool[np.ndarray, " k"] = finite & (determinant > 0.0) & (cov_km2[:, 0, 0] > 0.0) & (hbr_km >= 0.0)
    return valid


def _determinant(cov_km2: Float[np.ndarray, "k 2 2"]) -> Float[np.ndarray, " k"]:
    out: Float[np.ndarray, " k"] = cov_km2[:, 0, 0] * cov_km2[:, 1, 1] - cov_km2[:, 0, 1] * cov_km2[:, 1, 0]
    return out


def _search(
    pc_of_scale: PcOfScale, low: Float[np.ndarray, " k"], high: Float[np.ndarray, " k"], points: int
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Maximum over [low, high]: a logarithmic grid, then golden sections around its best point. (pc, scale) by row."""
    k = len(low)
    pc, scale = np.empty(k), np.empty(k)
    for first in range(0, k, _ROWS):
        rows = np.arange(first, min(k, first + _ROWS))
        logs = np.linspace(np.log(low[rows]), np.log(high[rows]), points, axis=1)
        grid = pc_of_scale(np.exp(logs).ravel(), np.repeat(rows, points)).reshape(len(rows), points)
        best = grid.argmax(axis=1)
        at = np.arange(len(rows))
        a, b = logs[at, np.maximum(best - 1, 0)], logs[at, np.minimum(best + 1, points - 1)]
        c, d = b - _GOLDEN * (b - a), a + _GOLDEN * (b - a)
        pc_c, pc_d = pc_of_scale(np.exp(c), rows), pc_of_scale(np.exp(d), rows)
        while len(live := np.flatnonzero(b - a > _LOG_SCALE)):
            left = pc_c[live] > pc_d[live]
            one, two = live[left], live[~left]
            b[one], d[one], pc_d[one] = d[one], c[one], pc_c[one]
            c[one] = b[one] - _GOLDEN * (b[one] - a[one])
            a[two], c[two], pc_c[two] = c[two], d[two], pc_d[two]
            d[two] = a[two] + _GOLDEN * (b[two] - a[two])
            fresh = pc_of_scale(np.exp(np.where(left, c[live], d[live])), rows[live])
            pc_c[one], pc_d[two] = fresh[left], fresh[~left]
        candidates = np.stack([grid[at, best], pc_c, pc_d])
        winner = candidates.argmax(axis=0)
        pc[rows] = candidates[winner, at]
        scale[rows] = np.exp(np.stack([logs[at, best], c, d]))[winner, at]
    return pc, scale
