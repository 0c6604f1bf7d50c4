"""2D-Nc: the expected number of collisions of one short encounter of curved paths, the time integral done by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from orbwatch.conjunction.collision_rate import FINEST, frames_along, sphere_order, sphere_rule
from orbwatch.conjunction.collision_rate_kernel import inward
from orbwatch.conjunction.curved_pair import Covariances, Cross, Pair, Vectors, pairs_of
from orbwatch.conjunction.depth import Bottom, least_depth
from orbwatch.conjunction.encounter import remediate
from orbwatch.conjunction.peak_overlap import inverted
from orbwatch.conjunction.probability import foster_1992
from orbwatch.conjunction.tca import linear_tca
from orbwatch.conjunction.validity import DURATION_SIGMAS, Validity
from orbwatch.constants import TWO_PI
from orbwatch.frames import encounter_plane

STATUS: Mapping[str, str] = {
    "ok": "computed",
    "no_orbit": "an orbit is not bound, or its state or covariance is not finite",
    "no_bottom": "the curved encounter was not found in time",
    "unresolved": "the bodies are too large against the errors: over a plane across the relative velocity instead",
}
"""What each status means."""

EXTENDED, OFFSET, INACCURATE = 0.05, 0.1, 0.1
"""NASA CARA's limits of the 2D-Nc's use (PcMultiStep): duration and end in periods, spread of two ways to integrate."""

_CLOSE, _ROUNDS = 1e-3, 15
_PLANE = 1.0  # unit-sphere probabilities above it are taken over the plane


@dataclass(frozen=True, eq=False)
class ShortExpected:
    """Expected numbers of collisions of k short encounters."""

    pc: Float[np.ndarray, " k"]
    status: list[str]
    """Keys of `STATUS`."""
    plane: Float[np.ndarray, " k"]
    """The same over a plane across the relative velocity: how far it differs says how doubtful both are."""
    mean_s: Float[np.ndarray, " k"]
    """Mean and sigma of the time of collision, from the given instant."""
    sigma_s: Float[np.ndarray, " k"]
    extended: Float[np.ndarray, " k"]
    """As in `validity.Validity`, of this method."""
    offset: Float[np.ndarray, " k"]
    inaccurate: Float[np.ndarray, " k"]

    @property
    def lengthy(self) -> Bool[np.ndarray, " k"]:
        """Rows whose whole segment must be looked at: long, far from the given instant, or not found."""
        return ~((self.extended <= EXTENDED) & (self.offset <= OFFSET))

    def violated(self, i: int) -> dict[str, bool]:
        """Which of the method's assumptions do not hold; what is unknown counts as violated."""
        return {
            "inaccurate": not self.inaccurate[i] <= INACCURATE,
            "offset": not self.offset[i] <= OFFSET,
            "extended": not self.extended[i] <= EXTENDED,
        }


def hall_2021_nc2d(
    r1_km: Vectors, v1_km_s: Vectors, cov1: Covariances, r2_km: Vectors, v2_km_s: Vectors, cov2: Covariances,
    hbr_km: Float[np.ndarray, " k"], validity: Validity, cross: Cross | None = None,
) -> ShortExpected:  # fmt: skip
    """2D-Nc: the collision rate over the sphere, its logarithm a parabola in time, integrated in closed form.

    Hall (2021), J. Spacecraft and Rockets 58(3), 715-728; Hall, Baars & Casali (2023), AAS 23-398: at each point of the
    sphere the depth is expanded to second order about the time of the least depth, from differences one sigma apart,
    and the bell in time gives sqrt(2 pi) sigma. For encounters that are short and apart from others. `validity` is
    `validity.hall_2023_validity` of the same rows, where the search in time starts. Inputs as in `probability_nc`.
    """
    pairs = pairs_of(r1_km, v1_km_s, cov1, r2_km, v2_km_s, cov2, hbr_km, cross)
    columns = np.full((7, len(pairs)), np.nan)
    status = []
    for i, pair in enumerate(pairs):
        start = validity.bottoms[i]
        if pair is None or start is None:
            status.append("no_orbit" if pair is None else "no_bottom")
            continue
        columns[:, i], word = _one(pair, start)
        status.append(word)
    return ShortExpected(columns[0], status, *columns[1:])


def _one(pair: Pair, start: Bottom) -> tuple[list[float], str]:
    """Probability, the plane's, mean and sigma of the time, extended, offset, inaccurate; and the status."""
    nothing = [float("nan")] * 7
    sigma = start.sigma_s
    middle = least_depth(pair.small_depth, start) if np.isfinite(sigma) else None
    if middle is None:
        return nothing, "no_bottom"
    at = middle
    for _ in range(_ROUNDS):
        step = sigma
        found = pair.overlap(at + step * np.array([-1.0, 0.0, 1.0]))
        if not found.converged.all():
            break
        inverse, log_det, _ = inverted(found.cov[:, :3, :3], np.full(3, pair.hbr_km))
        relative = found.relative
        depth = np.einsum("mi,mij,mj->m", relative[:, :3], inverse, relative[:, :3]) + log_det
        slope, bend = (depth[2] - depth[0]) / (2.0 * step), (depth[2] - 2.0 * depth[1] + depth[0]) / step**2
        if bend <= 0.0:
            break
        sigma = float(np.sqrt(2.0 / bend))
        move = 0.0 if start.converged else float(-slope / bend)
        if (abs(sigma - step) if start.converged else abs(move)) < _CLOSE * sigma:
            return _over_sphere(pair, at, step, relative, found.cov, inverse, depth, float(log_det[1]))
        at += move
    return nothing, "no_bottom"


def _over_sphere(
    pair: Pair,
    at_s: float,
    step_s: float,
    relative: np.ndarray,
    cov: np.ndarray,
    inverse: np.ndarray,
    depth: np.ndarray,
    log_det: float,
) -> tuple[list[float], str]:
    radius = pair.hbr_km
    slope = cov[1, 3:, :3] @ inverse[1]
    spread = cov[1, 3:, 3:] - slope @ cov[1, 3:, :3].T
    velocity = relative[1, 3:] - slope @ relative[1, :3]
    need = float(sphere_order(relative[1:2], inverse[1:2], np.array([radius]))[0])
    nodes, weights = sphere_rule(int(min(FINEST, np.ceil(need))))
    unit = nodes @ frames_along(velocity[None])[0]
    mean = np.einsum("pi,pi->p", unit, velocity + radius * unit @ slope.T)
    variance = np.einsum("pi,ij,pj->p", unit, spread, unit)
    flow = np.array([inward(m, v) for m, v in zip(mean, variance, strict=True)])
    # The depth at a point of the sphere is Q(t) - 2 R u.A^-1 r + R^2 u.A^-1 u, differentiated by the product rule.
    q, a, r = _differences(depth, step_s), _differences(inverse, step_s), _differences(relative[:, :3], step_s)
    pulled = (a[0] @ r[0], a[1] @ r[0] + a[0] @ r[1], a[2] @ r[0] + 2.0 * a[1] @ r[1] + a[0] @ r[2])
    known, first, second = (
        q[i] - 2.0 * radius * unit @ pulled[i] + radius**2 * np.einsum("pi,ij,pj->p", unit, a[i], unit)
        for i in range(3)
    )
    bends = second > 0.0
    second = np.where(bends, second, 1.0)
    least = np.maximum(known - 0.5 * first**2 / second, log_det)
    with np.errstate(under="ignore"):
        part = np.where(bends, weights * flow * np.exp(-0.5 * least) * np.sqrt(2.0 / second), 0.0)
        sphere = float(part.sum()) * radius**2 / TWO_PI
    plane = _over_plane(relative[1, :3], velocity, cov[1, :3, :3], radius)
    total, status = sphere, "ok"
    if need > FINEST or sphere > _PLANE:
        total, status = plane, "unresolved"
    mean_s = sigma_s = float("nan")
    if sphere > 0.0:
        share = part / part.sum()
        times = at_s - first / second
        mean_s = float(share @ times)
        sigma_s = float(np.sqrt(max(0.0, share @ (times**2 + 2.0 / second) - mean_s**2)))
    half = DURATION_SIGMAS * sigma_s
    period = min(float(pair.one.period_s[0]), float(pair.two.period_s[0]))
    doubt = 0.0 if sphere == plane else abs(sphere - plane) / (0.5 * (sphere + plane))
    values = [min(1.0, total), plane, mean_s, sigma_s, 2.0 * half / period, (abs(mean_s) + half) / period, doubt]
    return values, status


def _differences(values: np.ndarray, step_s: float) -> Any:
    """Middle one of three, central first and second derivative."""
    return values[1], (values[2] - values[0]) / (2.0 * step_s), (values[2] - 2.0 * values[1] + values[0]) / step_s**2


def _over_plane(r_km: np.ndarray, v_km_s: np.ndarray, cov_km2: np.ndarray, hbr_km: float) -> float:
    """Foster's probability of the position and velocity at the peak of overlap, zero without relative motion."""
    r, v = r_km[None], v_km_s[None]
    if not v.any():
        return 0.0
    r = r + linear_tca(np.zeros((1, 3)), np.zeros((1, 3)), r, v)[:, None] * v
    axes = encounter_plane(v, r)
    cov, _, _ = remediate(axes @ cov_km2 @ axes.swapaxes(1, 2), np.array([hbr_km]))
    miss = np.array([[float(np.linalg.norm(r)), 0.0]])
    return float(foster_1992(miss, cov, np.array([hbr_km]), threads=1)[0])
