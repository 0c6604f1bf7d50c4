"""Where to draw the trials of a long, improbable encounter: about the hard body, at the times when collisions are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from orbwatch.conjunction.curved_pair import Pair
from orbwatch.conjunction.mean_orbit import state_and_jacobian
from orbwatch.conjunction.peak_overlap import centers_of
from orbwatch.conjunction.rate_in_time import even_rates
from orbwatch.constants import TWO_PI

TIMES = 24
_PILOT = 200
_ALONG = 0.7
"""Sigma along the relative path of a time's trials, in the path's length from one time to the next."""
_THIN = 1e-8  # of the squared radius: errors that no trial can be drawn from


@dataclass(frozen=True, eq=False)
class LongAim:
    """A mixture over some times: the relative position at one of them is drawn near the hard body, the rest given it.

    With z standard normal in the roots of both covariances, the relative position at time k is start + slope z, but for
    what is not linear, which a pilot measures: target and spread allow for it.
    """

    start: Float[np.ndarray, "m 3"]
    slope: Float[np.ndarray, "m 3 12"]
    cov: Float[np.ndarray, "m 3 3"]
    """Of the relative position, plainly."""
    target: Float[np.ndarray, "m 3"]
    spread: Float[np.ndarray, "m 3 3"]
    """Of the relative position, as drawn."""

    def drawn(self, z: Float[np.ndarray, "n 12"], generator: np.random.Generator) -> Float[np.ndarray, "n 12"]:
        """Standard normal z moved so that a collision is likely, each at a time drawn evenly."""
        k = generator.integers(0, len(self.start), len(z))
        near = generator.standard_normal((len(z), 3))
        out = np.empty_like(z)
        for i in range(len(self.start)):
            mine = k == i
            out[mine] = self.drawn_at(i, z[mine], near[mine])
        return out

    def drawn_at(
        self, i: int, z: Float[np.ndarray, "n 12"], near: Float[np.ndarray, "n 3"]
    ) -> Float[np.ndarray, "n 12"]:
        """The same for time i, with the standard normal numbers of the relative position."""
        r = self.target[i] + near @ np.linalg.cholesky(self.spread[i]).T
        gain = np.linalg.solve(self.cov[i], self.slope[i])
        return np.asarray(z + (r - self.start[i] - z @ self.slope[i].T) @ gain)

    def weight(self, z: Float[np.ndarray, "n 12"], defensive: float) -> Float[np.ndarray, " n"]:
        """Plain density over that of the mixture, of which a share `defensive` is drawn plainly."""
        ratio = np.zeros(len(z))
        with np.errstate(over="ignore", under="ignore"):
            for start, slope, cov, target, spread in zip(
                self.start, self.slope, self.cov, self.target, self.spread, strict=True
            ):
                r = start + z @ slope.T
                log_ratio = _log_normal(r - target, spread) - _log_normal(r - start, cov)
                ratio += np.exp(np.clip(log_ratio, -700.0, 600.0))
            return np.asarray(1.0 / (defensive + (1.0 - defensive) / len(self.start) * ratio))


def aimed_at_times(
    pair: Pair, roots: Float[np.ndarray, "2 6 6"], segment: tuple[float, float], seed: int
) -> LongAim | None:
    """From the collision rate of the encounter; None where it is not known, or the errors are too thin to draw from.

    Times share the expected number of collisions evenly. roots: elements = mean + root z.
    """
    t_s, rate, certain, _ = even_rates(pair, segment)
    if not certain or not np.isfinite(rate).all() or not rate.max(initial=0.0) > 0.0:
        return None
    accrued = np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) * np.diff(t_s))])
    rises = np.concatenate([[True], np.diff(accrued) > 0.0])
    edges = np.interp(np.linspace(0.0, 1.0, 2 * TIMES + 1), accrued[rises] / accrued[-1], t_s[rises])
    at, apart = edges[1::2], np.diff(edges[::2])
    rows = np.zeros(TIMES, int)
    radius = np.full(TIMES, pair.hbr_km)
    ok, centers, states, jacobians = centers_of(at, pair.one.taken(rows), pair.two.taken(rows), radius)
    if not ok.any():
        return None
    start, slope = states[1][:, :3] - states[0][:, :3], np.zeros((TIMES, 3, 12))
    for n, (orbits, sign) in enumerate(((pair.one, -1.0), (pair.two, 1.0))):
        off = orbits.elements[rows] - centers[n]
        off[:, 5] = (off[:, 5] + np.pi) % TWO_PI - np.pi
        maps = sign * jacobians[n][:, :3]
        start = start + np.einsum("mij,mj->mi", maps, off)
        slope[:, :, 6 * n : 6 * n + 6] = maps @ roots[n]
    velocity = states[1][:, 3:] - states[0][:, 3:]
    path = _ALONG * apart[:, None] * velocity
    spread = pair.hbr_km**2 * np.eye(3) + path[:, :, None] * path[:, None, :]
    cov = slope @ slope.swapaxes(1, 2)
    ok[ok] = np.linalg.eigvalsh(cov[ok])[:, 0] > _THIN * pair.hbr_km**2
    if not ok.any():
        return None
    aim = LongAim(start[ok], slope[ok], cov[ok], np.zeros((int(ok.sum()), 3)), spread[ok])
    return _piloted(aim, pair, roots, at[ok], seed)


def _piloted(aim: LongAim, pair: Pair, roots: np.ndarray, at_s: np.ndarray, seed: int) -> LongAim:
    """Moved and widened by how far relative positions are from what the linear map says."""
    generator = np.random.default_rng([seed, 1])
    target, spread = aim.target.copy(), aim.spread.copy()
    for i, t in enumerate(at_s):
        z = aim.drawn_at(i, generator.standard_normal((_PILOT, 12)), generator.standard_normal((_PILOT, 3)))
        r = [
            state_and_jacobian(orbits.elements + z[:, 6 * n : 6 * n + 6] @ roots[n].T, np.full(_PILOT, t))[0][:, :3]
            for n, orbits in enumerate((pair.one, pair.two))
        ]
        rest = r[1] - r[0] - aim.start[i] - z @ aim.slope[i].T
        rest = rest[np.isfinite(rest).all(axis=1)]
        if len(rest) > _PILOT // 2:
            target[i] -= rest.mean(axis=0)
            spread[i] += 2.0 * np.cov(rest.T)
    return LongAim(aim.start, aim.slope, aim.cov, target, spread)


def _log_normal(off: np.ndarray, cov: np.ndarray) -> np.ndarray:
    squared = np.sum(off * np.linalg.solve(cov, off.T).T, axis=1)
    return np.asarray(-0.5 * (squared + np.linalg.slogdet(cov)[1]))
