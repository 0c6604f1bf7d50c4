"""From two states and their covariances to the encounter plane: the inputs of every 2-D probability."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import erfcinv

from orbwatch.conjunction.tca import linear_tca
from orbwatch.constants import TWO_PI, WGS84_MU_KM3_S2
from orbwatch.frames import encounter_plane, rotate_cov, rtn_matrix

CLIP = 1e-4
"""Eigenvalues below (CLIP x hard-body radius)^2 are raised to it: Hall et al. (2017), AAS 17-567, as NASA CARA does."""

_DURATION_SIGMAS = 2.0 * math.sqrt(2.0) * float(erfcinv(1e-16))  # outside, the probability gains less than 1e-16

Covariances = Float[np.ndarray, "k 3 3"] | Float[np.ndarray, "k 6 6"]


@dataclass(frozen=True, eq=False)
class Encounter:
    """k encounters in their planes, at the exact closest approach of straight relative motion.

    The plane is normal to the relative velocity; its first axis points along the miss vector (object 2 minus object 1),
    its second is normal to both. What a row lacks (a covariance, relative motion) is said by the flags beside it.
    """

    tca_shift_s: Float[np.ndarray, " k"]
    """From the given states to the closest approach."""
    r_rel_km: Float[np.ndarray, "k 3"]
    """Object 2 minus object 1 at the closest approach, in the frame of the states."""
    v_rel_km_s: Float[np.ndarray, "k 3"]
    axes: Float[np.ndarray, "k 2 3"]
    """The plane's axes e_miss and e_perp, in the frame of the states."""
    miss_km: Float[np.ndarray, "k 2"]
    """Miss vector in the plane: (distance, 0)."""
    cov_km2: Float[np.ndarray, "k 2 2"]
    """Combined position covariance in the plane, remediated; NaN where neither object has one."""
    cov1_km2: Float[np.ndarray, "k 2 2"]
    """Object 1's share as given, zero where missing."""
    cov2_km2: Float[np.ndarray, "k 2 2"]
    """Object 2's share as given, zero where missing."""
    hbr_km: Float[np.ndarray, " k"]
    """Combined hard-body radius."""
    has_cov1: Bool[np.ndarray, " k"]
    has_cov2: Bool[np.ndarray, " k"]
    positive_definite: Bool[np.ndarray, " k"]
    """Whether each object's position covariance and the combined one in the plane are so, as given."""
    remediated: Bool[np.ndarray, " k"]
    """Whether an eigenvalue of the combined covariance in the plane was raised."""
    offset_s: Float[np.ndarray, " k"]
    """When the probability accrues fastest, from the closest approach; NaN without covariance or relative speed."""
    duration_s: Float[np.ndarray, " k"]
    """How long it takes to accrue all but 1e-16, from first to last; NaN likewise."""
    period_s: Float[np.ndarray, " k"]
    """The shorter of the two orbital periods; infinite when neither orbit is bound."""

    def __len__(self) -> int:
        return len(self.hbr_km)

    @property
    def rel_speed_km_s(self) -> Float[np.ndarray, " k"]:
        """Relative speed at the closest approach."""
        speed: Float[np.ndarray, " k"] = np.linalg.norm(self.v_rel_km_s, axis=1)
        return speed

    @property
    def miss_distance_km(self) -> Float[np.ndarray, " k"]:
        """Distance at the closest approach."""
        return self.miss_km[:, 0]


def encounter(
    r1_km: Float[np.ndarray, "k 3"],
    v1_km_s: Float[np.ndarray, "k 3"],
    cov1_km2: Covariances | None,
    r2_km: Float[np.ndarray, "k 3"],
    v2_km_s: Float[np.ndarray, "k 3"],
    cov2_km2: Covariances | None,
    hbr_km: Float[np.ndarray, " k"],
    *,
    cov_frame: Literal["rtn", "inertial"] = "rtn",
) -> Encounter:
    """Encounters in their planes, from inertial states near the closest approach.

    States (k, 3), km and km/s, in one inertial frame (for messages in ITRF: `frames.itrf_with_inertial_velocity`).
    Covariances of position (k, 3, 3) or of position and velocity (k, 6, 6) in km and km/s, each in its own object's
    RTN axes or both in the states' frame; None, a zero or a NaN position block mean that there is none. Errors of the
    two objects are taken as independent, and those of the velocity are not used. Nothing is raised: rows with NaN
    states have NaN results.

    The covariance is turned by the block-diagonal RTN matrix of the given state, without an omega cross term; then both
    states move in straight lines to the closest approach (NASA CARA, FindNearbyCA), and the plane is taken there
    (Foster & Estes 1992, JSC-25898).
    """
    shift_s = linear_tca(r1_km, v1_km_s, r2_km, v2_km_s)
    v_rel = v2_km_s - v1_km_s
    r_rel = r2_km - r1_km + shift_s[:, None] * v_rel
    axes = encounter_plane(v_rel, r_rel)
    inertial1, has1 = _inertial(r1_km, v1_km_s, cov1_km2, cov_frame)
    inertial2, has2 = _inertial(r2_km, v2_km_s, cov2_km2, cov_frame)
    cov1, cov2, both = (axes @ cov @ axes.swapaxes(1, 2) for cov in (inertial1, inertial2, inertial1 + inertial2))
    any_cov = has1 | has2
    cov, positive, remediated = remediate(np.where(any_cov[:, None, None], both, np.eye(2)), hbr_km)
    for given, there in ((inertial1, has1), (inertial2, has2)):
        positive &= ~there | (np.linalg.eigvalsh(given)[:, 0] > 0.0)
    offset_s, duration_s = _accrual(r_rel, v_rel, inertial1 + inertial2, any_cov, hbr_km)
    distance = np.linalg.norm(r_rel, axis=1)
    return Encounter(
        tca_shift_s=shift_s,
        r_rel_km=r_rel,
        v_rel_km_s=v_rel,
        axes=axes,
        miss_km=np.stack([distance, np.zeros_like(distance)], axis=1),
        cov_km2=np.where(any_cov[:, None, None], cov, np.nan),
        cov1_km2=cov1,
        cov2_km2=cov2,
        hbr_km=hbr_km,
        has_cov1=has1,
        has_cov2=has2,
        positive_definite=positive,
        remediated=remediated & any_cov,
        offset_s=offset_s,
        duration_s=duration_s,
        period_s=np.minimum(_period_s(r1_km, v1_km_s), _period_s(r2_km, v2_km_s)),
    )


def remediate(
    cov_km2: Float[np.ndarray, "k d d"], hbr_km: Float[np.ndarray, " k"]
) -> tuple[Float[np.ndarray, "k d d"], Bool[np.ndarray, " k"], Bool[np.ndarray, " k"]]:
    """Covariances with eigenvalues below (`CLIP` hbr)^2 raised to that: (repaired, positive definite before, changed).

    Hall et al. (2017), AAS 17-567, "eigenvalue clipping", as NASA CARA's CovRemEigValClip. Rows in order stay as they
    are, to the last bit. One that is not positive definite and has no radius to clip at stays so.
    """
    values, vectors = np.linalg.eigh(cov_km2)
    floor = (CLIP * hbr_km) ** 2
    changed = values[:, 0] < floor
    out = cov_km2.copy()
    raised = np.maximum(values[changed], floor[changed, None])
    out[changed] = (vectors[changed] * raised[:, None, :]) @ vectors[changed].swapaxes(1, 2)
    return out, values[:, 0] > 0.0, changed


def _inertial(
    r_km: Float[np.ndarray, "k 3"], v_km_s: Float[np.ndarray, "k 3"], cov: Covariances | None, cov_frame: str
) -> tuple[Float[np.ndarray, "k 3 3"], Bool[np.ndarray, " k"]]:
    """Position covariance in the frame of the states, zero where there is none; and where there is one."""
    if cov is None:
        return np.zeros((len(r_km), 3, 3)), np.zeros(len(r_km), bool)
    block = cov[:, :3, :3]
    there = np.isfinite(block).all(axis=(1, 2)) & (block != 0.0).any(axis=(1, 2))
    there &= np.isfinite(r_km).all(axis=1) & np.isfinite(v_km_s).all(axis=1)
    if cov_frame == "rtn":  # axes there are none of where an object stands still, or falls straight down
        moment = np.cross(r_km, v_km_s)
        there &= np.einsum("ki,ki->k", moment, moment) > 0.0
    block = np.where(there[:, None, None], 0.5 * (block + block.swapaxes(1, 2)), 0.0)
    if cov_frame == "rtn":
        turn = np.broadcast_to(np.eye(3), block.shape).copy()
        turn[there] = rtn_matrix(r_km[there], v_km_s[there])
        block = rotate_cov(turn.swapaxes(1, 2), block)
    return block, there


def _accrual(
    r_rel_km: Float[np.ndarray, "k 3"],
    v_rel_km_s: Float[np.ndarray, "k 3"],
    cov_km2: Float[np.ndarray, "k 3 3"],
    there: Bool[np.ndarray, " k"],
    hbr_km: Float[np.ndarray, " k"],
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Centre and length of the time in which the probability accrues; NaN without covariance or relative motion.

    Coppola (2012), AAS 12-248, for a radius small against the sigmas (`tca.coppola_2012` has the radius):
    with the 3-D covariance A, the passage is a Gaussian in time of variance 1 / (v' A^-1 v) around -(r' A^-1 v) / (v'
    A^-1 v). NASA CARA's UsageViolationPc2D does the same.
    """
    moving = there & (np.einsum("ki,ki->k", v_rel_km_s, v_rel_km_s) > 0.0)
    offset, duration = np.full((2, len(r_rel_km)), np.nan)
    values, vectors = np.linalg.eigh(cov_km2[moving])
    sigmas = np.sqrt(np.maximum(values, (CLIP * np.maximum(hbr_km[moving], 1e-6)[:, None]) ** 2))
    turned = vectors.swapaxes(1, 2) @ np.stack([r_rel_km[moving], v_rel_km_s[moving]], axis=2) / sigmas[:, :, None]
    rate = np.sum(turned[:, :, 1] ** 2, axis=1)
    offset[moving] = -np.sum(turned[:, :, 0] * turned[:, :, 1], axis=1) / rate
    duration[moving] = _DURATION_SIGMAS / np.sqrt(rate)
    return offset, duration


def _period_s(r_km: Float[np.ndarray, "k 3"], v_km_s: Float[np.ndarray, "k 3"]) -> Float[np.ndarray, " k"]:
    """Two-body orbital period, infinite for an unbound orbit."""
    distance = np.linalg.norm(r_km, axis=1)
    inverse_axis = (
        2.0 / np.where(distance > 0.0, distance, np.inf) - np.einsum("ki,ki->k", v_km_s, v_km_s) / WGS84_MU_KM3_S2
    )
    bound = inverse_axis > 0.0
    return np.where(bound, TWO_PI / math.sqrt(WGS84_MU_KM3_S2) / np.where(bound, inverse_axis, 1.0) ** 1.5, np.inf)
