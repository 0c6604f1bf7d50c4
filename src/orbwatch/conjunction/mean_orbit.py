"""Mean two-body orbits in equinoctial elements, in which errors stay Gaussian far longer than in positions.

Rows of elements are (mean motion rad/s, af, ag, chi, psi, mean longitude rad) of `elements.Equinoctial`. Which of them
stand for an orbit matters (the mean motion, not the axis: errors of it grow linearly with time), their order does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from orbwatch.constants import TWO_PI
from orbwatch.constants import WGS84_MU_KM3_S2 as MU
from orbwatch.elements import cartesian_to_equinoctial

Rows = Float[np.ndarray, "m 6"]
Squares = Float[np.ndarray, "m 6 6"]

_NEARLY_RETROGRADE = 1e-6
_KEPLER_STEPS = 30


@dataclass(frozen=True, eq=False)
class MeanOrbits:
    """k orbits with Gaussian errors of their equinoctial elements."""

    elements: Float[np.ndarray, "k 6"]
    """At time zero; NaN where there is none (unbound, or a state that is not finite)."""
    cov: Float[np.ndarray, "k 6 6"]
    """Covariance of the elements."""
    jacobian_inverse: Float[np.ndarray, "k 6 6"]
    """Elements by position and velocity (km, km/s) at time zero."""

    @property
    def period_s(self) -> Float[np.ndarray, " k"]:
        """Orbital periods."""
        return np.asarray(TWO_PI / self.elements[:, 0])

    def taken(self, rows: np.ndarray | slice) -> MeanOrbits:
        """Some of the rows, in order."""
        return MeanOrbits(self.elements[rows], self.cov[rows], self.jacobian_inverse[rows])


def mean_orbits(
    r_km: Float[np.ndarray, "k 3"], v_km_s: Float[np.ndarray, "k 3"], cov_km2: Float[np.ndarray, "k 6 6"]
) -> MeanOrbits:
    """Inertial states with covariances of position and velocity (km, km/s) as orbits; NaN rows for unbound ones."""
    elements = elements_of(r_km, v_km_s)
    _, jacobian = state_and_jacobian(elements, np.zeros(len(r_km)))
    usable = np.isfinite(jacobian).all(axis=(1, 2))
    inverse = np.full_like(jacobian, np.nan)
    inverse[usable] = np.linalg.inv(jacobian[usable])
    cov = inverse @ cov_km2 @ inverse.swapaxes(1, 2)
    return MeanOrbits(elements, 0.5 * (cov + cov.swapaxes(1, 2)), inverse)


def elements_of(r_km: Float[np.ndarray, "m 3"], v_km_s: Float[np.ndarray, "m 3"]) -> Rows:
    """Equinoctial elements of inertial states, NaN for unbound orbits."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = cartesian_to_equinoctial(r_km, v_km_s, mu_km3_s2=MU)
    columns = (found.mean_motion_rad_s, found.af, found.ag, found.chi, found.psi, found.mean_longitude_rad)
    rows = np.stack([np.asarray(column) for column in columns], axis=1)
    rows[~np.isfinite(rows).all(axis=1)] = np.nan
    return rows


def axes_without_retrograde(*pairs: tuple[np.ndarray, np.ndarray]) -> Float[np.ndarray, "k 3 3"]:
    """Rotations into axes in which no orbit of a row is retrograde and equatorial, where the elements are singular.

    Each pair is positions and velocities (k, 3). Rows that are fine keep their axes.
    """
    normals = [np.cross(r, v) for r, v in pairs]
    with np.errstate(invalid="ignore", divide="ignore"):
        normals = [normal / np.linalg.norm(normal, axis=1, keepdims=True) for normal in normals]
    turns = np.stack([np.roll(np.eye(3), shift, axis=0) for shift in (0, 2, 1)])
    bad = np.stack([np.any([(n @ turn.T)[:, 2] + 1.0 < _NEARLY_RETROGRADE for n in normals], axis=0) for turn in turns])
    return np.asarray(turns[np.argmin(bad, axis=0)])


def state_and_jacobian(elements: Rows, t_s: Float[np.ndarray, " m"]) -> tuple[Rows, Squares]:
    """Position and velocity after t_s of two-body motion, and their derivatives by the elements at time zero.

    Broucke & Cefola (1972), Celestial Mechanics 5, 303-310, differentiated here by the chain rule through the
    eccentric longitude F of lambda = F + ag cos F - af sin F. Returns (m, 6) km and km/s, (m, 6, 6).
    """
    n, k, h, p, q, longitude = elements.T
    a = np.cbrt(MU / n**2)
    s = np.sqrt(1.0 - h * h - k * k)
    b = 1.0 / (1.0 + s)
    b_h, b_k = b * b * h / s, b * b * k / s
    big_f = eccentric_longitude_rad(k, h, longitude + n * t_s)
    sin, cos = np.sin(big_f), np.cos(big_f)
    rho = 1.0 - h * sin - k * cos  # distance over the semi-major axis
    # Plane coordinates over a, and the same differentiated by F (whose rate is n / rho).
    x, y = (1.0 - h * h * b) * cos + h * k * b * sin - k, (1.0 - k * k * b) * sin + h * k * b * cos - h
    x_f, y_f = -(1.0 - h * h * b) * sin + h * k * b * cos, (1.0 - k * k * b) * cos - h * k * b * sin
    x_ff, y_ff = -(x + k), -(y + h)
    rho_f = k * sin - h * cos
    by: list[tuple[np.ndarray, ...]] = []  # (x, y, vx, vy) over (a, a, a n, a n) by h and by k, at fixed lambda
    for is_h, b_e, f_e in ((True, b_h, -cos / rho), (False, b_k, sin / rho)):
        hh = h * h * b_e + (2.0 * h * b if is_h else 0.0)
        kk = k * k * b_e + (0.0 if is_h else 2.0 * k * b)
        hk = h * k * b_e + (k if is_h else h) * b
        x_e = -hh * cos + hk * sin - (0.0 if is_h else 1.0) + x_f * f_e
        y_e = -kk * sin + hk * cos - (1.0 if is_h else 0.0) + y_f * f_e
        rho_e = -(sin if is_h else cos) + rho_f * f_e
        vx_e = (hh * sin + hk * cos + x_ff * f_e) / rho - x_f * rho_e / rho**2
        vy_e = (-kk * cos - hk * sin + y_ff * f_e) / rho - y_f * rho_e / rho**2
        by.append((x_e, y_e, vx_e, vy_e))
    c = 1.0 + p * p + q * q
    f = np.stack([1.0 - p * p + q * q, 2.0 * p * q, -2.0 * p], axis=1) / c[:, None]
    g = np.stack([2.0 * p * q, 1.0 + p * p - q * q, 2.0 * q], axis=1) / c[:, None]
    w = np.stack([2.0 * p, -2.0 * q, 1.0 - p * p - q * q], axis=1) / c[:, None]
    col = [value[:, None] for value in (p, q, c, n, a, t_s)]
    p1, q1, c1, n1, a1, t1 = col
    an1 = a1 * n1
    f_p, g_p = -2.0 * (q1 * g + w) / c1, 2.0 * q1 * f / c1
    f_q, g_q = 2.0 * p1 * g / c1, 2.0 * (w - p1 * f) / c1

    def plane(along_f: np.ndarray, along_g: np.ndarray) -> np.ndarray:
        return np.asarray(along_f[:, None] * f + along_g[:, None] * g)

    r = a1 * plane(x, y)
    v = an1 * plane(x_f / rho, y_f / rho)
    by_longitude_r = v / n1
    by_longitude_v = -n1 * r / (rho**3)[:, None]
    jacobian = np.empty((len(n), 6, 6))
    jacobian[:, :3, 0] = -2.0 / 3.0 * r / n1 + t1 * by_longitude_r
    jacobian[:, 3:, 0] = v / (3.0 * n1) + t1 * by_longitude_v
    for column, (x_e, y_e, vx_e, vy_e) in ((2, by[0]), (1, by[1])):
        jacobian[:, :3, column] = a1 * plane(x_e, y_e)
        jacobian[:, 3:, column] = an1 * plane(vx_e, vy_e)
    xs, ys, vxs, vys = (value[:, None] for value in (x, y, x_f / rho, y_f / rho))
    for column, f_e, g_e in ((3, f_p, g_p), (4, f_q, g_q)):
        jacobian[:, :3, column] = a1 * (xs * f_e + ys * g_e)
        jacobian[:, 3:, column] = an1 * (vxs * f_e + vys * g_e)
    jacobian[:, :3, 5] = by_longitude_r
    jacobian[:, 3:, 5] = by_longitude_v
    return np.concatenate([r, v], axis=1), jacobian


def eccentric_longitude_rad(
    af: Float[np.ndarray, " m"], ag: Float[np.ndarray, " m"], longitude_rad: Float[np.ndarray, " m"]
) -> Float[np.ndarray, " m"]:
    """F of the mean longitude F + ag cos F - af sin F, by Newton's method, bounded so that it cannot run away."""
    big_f = longitude_rad + af * np.sin(longitude_rad) - ag * np.cos(longitude_rad)
    for _ in range(_KEPLER_STEPS):
        sin, cos = np.sin(big_f), np.cos(big_f)
        with np.errstate(invalid="ignore", divide="ignore"):
            step = (big_f + ag * cos - af * sin - longitude_rad) / (1.0 - ag * sin - af * cos)
        big_f = big_f - np.clip(step, -0.9, 0.9)
        if not np.any(np.abs(step) > 1e-13):
            break
    return np.asarray(big_f)


def usable(orbits: MeanOrbits) -> Bool[np.ndarray, " k"]:
    """Whether a row has an orbit and a covariance."""
    return np.asarray(np.isfinite(orbits.elements).all(axis=1) & np.isfinite(orbits.cov).all(axis=(1, 2)))
