"""Where in space two objects' position densities overlap most at an instant, and the orbits that lead there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from orbwatch.conjunction.encounter import CLIP
from orbwatch.conjunction.mean_orbit import MeanOrbits, elements_of, state_and_jacobian
from orbwatch.constants import TWO_PI
from orbwatch.constants import WGS84_MU_KM3_S2 as MU

_STEPS = 100
_CLOSE, _CLOSE_ENOUGH = 1e-6, 1e-3  # squared sigmas between iterates: wanted, and taken after many steps
_PATIENT, _IMPATIENT, _DAMPED = 15, 25, 35


@dataclass(frozen=True, eq=False)
class Overlap:
    """Relative motion at m instants, linear about the point of the densities' greatest overlap."""

    converged: Bool[np.ndarray, " m"]
    relative: Float[np.ndarray, "m 6"]
    """Mean of the relative position and velocity (2 minus 1), km and km/s; NaN where not converged."""
    cov: Float[np.ndarray, "m 6 6"]
    """Their covariance."""


def peak_overlap(
    t_s: Float[np.ndarray, " m"],
    one: MeanOrbits,
    two: MeanOrbits,
    hbr_km: Float[np.ndarray, " m"],
    cross: tuple[Float[np.ndarray, "m 6"], Float[np.ndarray, "m 6"]] | None = None,
    *,
    iterate: bool = True,
) -> Overlap:
    """The relative motion's Gaussian at each instant, linearised where the two densities overlap most.

    Hall (2021), "Expected Collision Rates for Tracked Satellites", J. Spacecraft and Rockets 58(3), 715-728: positions
    come from Gaussian elements through a curved map. Linearised about the two means (`iterate=False`, as Coppola 2012
    does) the map is wrong where the objects could meet, tens of kilometres off; so the orbits through the peak of the
    product of both position densities are found by iteration, and the map is linearised there.
    `cross`: the objects' shared error, in elements times its sigma (Casali et al. 2018, AAS 18-272): rows of both.
    """
    m = len(t_s)
    converged, centers, states, jacobians = centers_of(t_s, one, two, hbr_km, iterate=iterate)
    relative, cov = np.full((m, 6), np.nan), np.full((m, 6, 6), np.nan)
    ok = np.flatnonzero(converged)
    u, p = (
        [
            _mean_there(orbits.elements[ok], c[ok], s[ok], j[ok])
            for orbits, c, s, j in _zip(one, two, centers, states, jacobians)
        ],
        [_carried(j[ok], orbits.cov[ok]) for orbits, j in zip((one, two), jacobians, strict=True)],
    )
    relative[ok] = u[1] - u[0]
    both = p[0] + p[1]
    if cross is not None:
        g1, g2 = (np.einsum("mij,mj->mi", j[ok], g[ok]) for j, g in zip(jacobians, cross, strict=True))
        shared = g2[:, :, None] * g1[:, None, :]
        both = both - shared - shared.swapaxes(1, 2)
    cov[ok] = both
    return Overlap(converged, relative, cov)


def centers_of(
    t_s: Float[np.ndarray, " m"],
    one: MeanOrbits,
    two: MeanOrbits,
    hbr_km: Float[np.ndarray, " m"],
    *,
    iterate: bool = True,
) -> tuple[Bool[np.ndarray, " m"], list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Where the maps are made linear: found or not; elements (m, 6), states (m, 6), derivatives (m, 6, 6) of each."""
    centers, states, jacobians = [], [], []
    for orbits in (one, two):
        state, jacobian = state_and_jacobian(orbits.elements, t_s)
        centers.append(orbits.elements.copy())
        states.append(state)
        jacobians.append(jacobian)
    converged = np.isfinite(states[0]).all(axis=1) & np.isfinite(states[1]).all(axis=1)
    if iterate:
        converged = _iterate(t_s, (one, two), hbr_km, centers, states, jacobians, converged)
    return converged, centers, states, jacobians


def inverted(
    cov_km2: Float[np.ndarray, "m 3 3"], hbr_km: Float[np.ndarray, " m"]
) -> tuple[Float[np.ndarray, "m 3 3"], Float[np.ndarray, " m"], Float[np.ndarray, "m 3"]]:
    """Inverse, logarithm of the determinant, and eigenvalues of covariances with clipped eigenvalues."""
    values, vectors = np.linalg.eigh(0.5 * (cov_km2 + cov_km2.swapaxes(1, 2)))
    values = np.maximum(values, ((CLIP * hbr_km) ** 2)[:, None])
    inverse = (vectors / values[:, None, :]) @ vectors.swapaxes(1, 2)
    return inverse, np.sum(np.log(values), axis=1), values


def nearest_mahalanobis_squared(
    r_km: Float[np.ndarray, "m 3"], cov_km2: Float[np.ndarray, "m 3 3"], hbr_km: float
) -> Float[np.ndarray, " m"]:
    """Least squared Mahalanobis distance from r of the points of the ball of radius hbr_km about the origin.

    Along the eigenvectors the nearest point is r_i / (1 + s var_i), with s >= 0 such that its length is the radius.
    """
    values, vectors = np.linalg.eigh(0.5 * (cov_km2 + cov_km2.swapaxes(1, 2)))
    values = np.maximum(values, (CLIP * hbr_km) ** 2)
    along = np.einsum("mij,mi->mj", vectors, r_km)
    inside = np.sum(along**2, axis=1) <= hbr_km**2
    low, high = np.full(len(r_km), -60.0), np.full(len(r_km), 60.0)  # of the logarithm of s times the least variance
    for _ in range(60):
        middle = 0.5 * (low + high)
        at = along / (1.0 + (np.exp(middle) / values[:, 0])[:, None] * values)
        far = np.sum(at**2, axis=1) > hbr_km**2
        low, high = np.where(far, middle, low), np.where(far, high, middle)
    stretch = (np.exp(high) / values[:, 0])[:, None] * values
    return np.where(inside, 0.0, np.sum((along * stretch / (1.0 + stretch)) ** 2 / values, axis=1))


def _zip(
    one: MeanOrbits, two: MeanOrbits, *lists: list[np.ndarray]
) -> list[tuple[MeanOrbits, np.ndarray, np.ndarray, np.ndarray]]:
    return [(orbits, lists[0][i], lists[1][i], lists[2][i]) for i, orbits in enumerate((one, two))]


def _carried(jacobian: np.ndarray, cov: np.ndarray) -> np.ndarray:
    out = jacobian @ cov @ jacobian.swapaxes(1, 2)
    return np.asarray(0.5 * (out + out.swapaxes(1, 2)))


def _mean_there(mean: np.ndarray, center: np.ndarray, state: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
    """The mean orbit's state by the map linearised about the centre's."""
    off = mean - center
    off[:, 5] = (off[:, 5] + np.pi) % TWO_PI - np.pi
    return np.asarray(state + np.einsum("mij,mj->mi", jacobian, off))


def _iterate(
    t_s: np.ndarray,
    pair: tuple[MeanOrbits, MeanOrbits],
    hbr_km: np.ndarray,
    centers: list[np.ndarray],
    states: list[np.ndarray],
    jacobians: list[np.ndarray],
    possible: np.ndarray,
) -> Bool[np.ndarray, " m"]:
    """Move the centres, in place, to the point of greatest overlap; returns which rows got there."""
    m = len(t_s)
    converged = np.zeros(m, bool)
    rows = np.flatnonzero(possible)
    before, before2 = np.full((m, 3), np.nan), np.full((m, 3), np.nan)
    for step in range(_STEPS + 1):
        if not len(rows):
            break
        means, inverses, slopes = [], [], []
        for i, orbits in enumerate(pair):
            means.append(_mean_there(orbits.elements[rows], centers[i][rows], states[i][rows], jacobians[i][rows]))
            cov = _carried(jacobians[i][rows], orbits.cov[rows])
            inverse, _, _ = inverted(cov[:, :3, :3], hbr_km[rows])
            inverses.append(inverse)
            slopes.append(cov[:, 3:, :3] @ inverse)
        spread = np.linalg.inv(inverses[0] + inverses[1])
        pull = sum(np.einsum("mij,mj->mi", inverses[i], means[i][:, :3]) for i in range(2))
        peak = np.einsum("mij,mj->mi", spread, pull)
        if step > _DAMPED:
            peak = 0.5 * (peak + before[rows])
        spread = spread + (hbr_km[rows] ** 2)[:, None, None] * np.eye(3)
        done = _near(peak - before[rows], spread) <= _CLOSE
        if step > _PATIENT:
            fraction = min(1.0, max(0.0, (step - _IMPATIENT) / (_DAMPED - _IMPATIENT)))
            enough = np.exp((1.0 - fraction) * np.log(_CLOSE) + fraction * np.log(_CLOSE_ENOUGH))
            done |= (_near(peak - before2[rows], spread) <= _CLOSE) | (_near(peak - before[rows], spread) <= enough)
        alive = np.ones(len(rows), bool)
        moved = []
        for i in range(2):
            velocity = means[i][:, 3:] + np.einsum("mij,mj->mi", slopes[i], peak - means[i][:, :3])
            bound = 0.5 * np.sum(velocity**2, axis=1) < MU / np.linalg.norm(peak, axis=1)
            elements = np.full((len(rows), 6), np.nan)
            elements[bound] = elements_of(peak[bound], velocity[bound])
            elements[:, 5] -= elements[:, 0] * t_s[rows]
            alive &= np.isfinite(elements).all(axis=1)
            moved.append(elements)
        for i in range(2):
            at = rows[alive]
            centers[i][at] = moved[i][alive]
            states[i][at], jacobians[i][at] = state_and_jacobian(moved[i][alive], t_s[at])
        before2[rows], before[rows] = before[rows], peak
        converged[rows[alive & done]] = True
        rows = rows[alive & ~done]
    return converged


def _near(step: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Squared length in sigmas, NaN where there was no step before."""
    return np.asarray(np.sum(step * np.linalg.solve(spread, step[:, :, None])[:, :, 0], axis=1))
