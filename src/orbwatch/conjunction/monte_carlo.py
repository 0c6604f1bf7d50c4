"""Probability of collision by trials: sampled orbits, two-body motion, with the interval that the trials leave."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.special import betaincinv

from orbwatch.conjunction.collision_rate import frames_along
from orbwatch.conjunction.curved_pair import Covariances, Pair, Vectors, pairs_of
from orbwatch.conjunction.depth import Bottom
from orbwatch.conjunction.encounter_span import segment_s
from orbwatch.conjunction.monte_carlo_kernel import fill_long, fill_short
from orbwatch.conjunction.monte_carlo_long import LongAim, aimed_at_times
from orbwatch.conjunction.peak_overlap import centers_of
from orbwatch.conjunction.validity import DURATION_SIGMAS
from orbwatch.constants import TWO_PI

STATUS: Mapping[str, str] = {
    "ok": "plain trials: the interval is exact (Clopper-Pearson)",
    "importance": "trials drawn where collisions are, and weighted",
    "few_hits": "fewer than 20 collisions among the trials: the interval says little",
    "repaired": "negative variances of the elements were taken as zero",
    "no_orbit": "an orbit is not bound, or its state or covariance is not finite",
    "not_a_covariance": "the errors of the elements are not positive definite, by far, and cannot be drawn",
}
"""What each status means."""

_CHUNK = 20_000
_PILOT = 4_000
_DEFENSIVE = 0.1
"""Share of the trials drawn plainly, which bounds the weights."""
_RARE = 2e-3
"""Below this expected probability, trials are drawn where collisions are."""
_LONG_OF_PERIOD = 0.02
_FEW = 20
_FAR_FROM_ONE = 0.1  # of the correlations: no repair
_NORMAL_95 = 1.959964


@dataclass(frozen=True, eq=False)
class Trials:
    """Probabilities of k encounters by trials."""

    pc: Float[np.ndarray, " k"]
    low: Float[np.ndarray, " k"]
    """95 % interval."""
    high: Float[np.ndarray, " k"]
    hits: Float[np.ndarray, " k"]
    samples: Float[np.ndarray, " k"]
    status: list[str]
    """Keys of `STATUS`."""


def monte_carlo(
    r1_km: Vectors, v1_km_s: Vectors, cov1: Covariances, r2_km: Vectors, v2_km_s: Vectors, cov2: Covariances,
    hbr_km: Float[np.ndarray, " k"], bottoms: tuple[Bottom | None, ...], expected: Float[np.ndarray, " k"],
    *, samples: int = 1_000_000, seed: int = 0, threads: int = 2, within_s: tuple[float, float] | None = None,
) -> Trials:  # fmt: skip
    """Brute force: orbits drawn with their errors in equinoctial elements, moved by two bodies; hits are counted.

    Hall et al. (2018), "High-fidelity Collision Probabilities Estimated Using Brute Force Monte Carlo Simulations", AAS
    18-244, with two-body motion. Short encounters are followed to their closest approach; those over 2 % of the period
    or whose time is not known (`bottoms`, of `validity.hall_2023_validity`), are marched through the segment. Where the
    `expected` probability (NaN: unknown) is under 2e-3, the relative position that decides is drawn near the hard body
    and the rest given it, in long encounters at one of 24 times when collisions are (`monte_carlo_long`), with 10 %
    plain trials; each trial is weighted by the ratio of the densities. The answer does not depend on the number of
    threads.
    """
    pairs = pairs_of(r1_km, v1_km_s, cov1, r2_km, v2_km_s, cov2, hbr_km, None)
    columns = np.full((5, len(pairs)), np.nan)
    status = []
    for i, pair in enumerate(pairs):
        if pair is None:
            status.append("no_orbit")
            continue
        roots = _root(pair.one.cov[0]), _root(pair.two.cov[0])
        if roots[0] is None or roots[1] is None:
            status.append("not_a_covariance")
            continue
        repaired = roots[0][1] or roots[1][1]
        middle = 0.5 * (pair.linear_s[0] + pair.linear_s[1]) if np.isfinite(pair.linear_s).all() else 0.0
        segment = within_s or segment_s(pair.one, pair.two, middle)
        encounter = _Encounter(pair, np.stack([roots[0][0], roots[1][0]]), segment, _short_at(pair, bottoms[i]))
        columns[:, i], word = _run(encounter, samples, float(expected[i]), seed + i, threads)
        status.append("repaired" if repaired and word != "few_hits" else word)
    return Trials(columns[0], columns[1], columns[2], columns[3], columns[4], status)


@dataclass(frozen=True, eq=False)
class _Encounter:
    """What trials need."""

    pair: Pair
    roots: Float[np.ndarray, "2 6 6"]
    """Elements = mean + root z, z standard normal."""
    segment: tuple[float, float]
    short_at_s: float | None
    """Where a short encounter is."""

    @property
    def means(self) -> Float[np.ndarray, "2 6"]:
        return np.concatenate([self.pair.one.elements, self.pair.two.elements])

    def miss(self, z: Float[np.ndarray, "n 12"]) -> Float[np.ndarray, "n 3"]:
        """Relative position at the closest approach of a short encounter."""
        out = np.empty((len(z), 3))
        at = float("nan") if self.short_at_s is None else self.short_at_s
        fill_short(self.means, self.roots[0], self.roots[1], z, at, *self.segment, out)
        return out

    def hits(self, z: Float[np.ndarray, "n 12"]) -> Float[np.ndarray, " n"]:
        """1 for a collision, else 0."""
        if self.short_at_s is not None:
            return np.asarray(np.sum(self.miss(z) ** 2, axis=1) <= self.pair.hbr_km**2, float)
        out = np.empty(len(z))
        fill_long(self.means, self.roots[0], self.roots[1], z, *self.segment, self.pair.hbr_km, out)
        return out


@dataclass(frozen=True, eq=False)
class _Aim:
    """Trials near the hard body: the miss across the relative velocity, linear in z, b = start + slope z."""

    plane: Float[np.ndarray, "2 3"]
    start: Float[np.ndarray, "2"]
    slope: Float[np.ndarray, "2 12"]
    cov: Float[np.ndarray, "2 2"]
    """Of b, plainly."""
    target: Float[np.ndarray, "2"]
    spread: Float[np.ndarray, "2 2"]
    """Of b as drawn."""

    def drawn(self, z: Float[np.ndarray, "n 12"], generator: np.random.Generator) -> Float[np.ndarray, "n 12"]:
        """Standard normal z moved so that b is near the hard body."""
        b = self.target + generator.standard_normal((len(z), 2)) @ np.linalg.cholesky(self.spread).T
        return self.drawn_given(z, b)

    def drawn_given(self, z: Float[np.ndarray, "n 12"], b: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 12"]:
        """z given b."""
        gain = np.linalg.solve(self.cov, self.slope)
        return np.asarray(z + (b - self.start - z @ self.slope.T) @ gain)

    def weight(self, z: Float[np.ndarray, "n 12"], defensive: float) -> Float[np.ndarray, " n"]:
        """Plain density over that of the mixture, of which a share `defensive` is drawn plainly."""
        b = self.start + z @ self.slope.T
        log_ratio = _log_normal(b - self.target, self.spread) - _log_normal(b - self.start, self.cov)
        with np.errstate(over="ignore", under="ignore"):
            return np.asarray(1.0 / (defensive + (1.0 - defensive) * np.exp(np.clip(log_ratio, -700.0, 700.0))))


def _log_normal(off: np.ndarray, cov: np.ndarray) -> np.ndarray:
    squared = np.sum(off * np.linalg.solve(cov, off.T).T, axis=1)
    return np.asarray(-0.5 * (squared + np.linalg.slogdet(cov)[1]))


def _short_at(pair: Pair, bottom: Bottom | None) -> float | None:
    """Where a short encounter is in time; None when it is long, or not known."""
    if bottom is None or not bottom.converged:
        return None
    period = min(float(pair.one.period_s[0]), float(pair.two.period_s[0]))
    return bottom.t_s if 2.0 * DURATION_SIGMAS * bottom.sigma_s < _LONG_OF_PERIOD * period else None


def _root(cov: Float[np.ndarray, "6 6"]) -> tuple[Float[np.ndarray, "6 6"], bool] | None:
    """A root of a covariance, and whether negative eigenvalues were taken as zero; None when it is none at all."""
    scale = np.sqrt(np.maximum(np.diag(cov), 0.0))
    scale = np.where(scale > 0.0, scale, 1.0)
    values, vectors = np.linalg.eigh(cov / scale / scale[:, None])
    if values[0] < -_FAR_FROM_ONE or (np.diag(cov) < 0.0).any():
        return None
    return scale[:, None] * vectors * np.sqrt(np.maximum(values, 0.0)), bool(values[0] < -1e-9)


def _aimed(encounter: _Encounter, seed: int) -> _Aim | None:
    """Where to draw: about the hard body, as widely as the true miss differs from the linear one; None if unknown."""
    pair, at = encounter.pair, np.array([encounter.short_at_s])
    ok, centers, states, jacobians = centers_of(at, pair.one, pair.two, np.array([pair.hbr_km]))
    relative = states[1][0, 3:] - states[0][0, 3:]
    if not ok[0] or not relative.any():
        return None
    plane = frames_along(relative[None])[0, :2]
    maps = [jacobian[0, :3] for jacobian in jacobians]
    off = [orbits.elements[0] - center[0] for orbits, center in zip((pair.one, pair.two), centers, strict=True)]
    for one in off:
        one[5] = (one[5] + np.pi) % TWO_PI - np.pi
    r = states[1][0, :3] - states[0][0, :3] + maps[1] @ off[1] - maps[0] @ off[0]
    slope = plane @ np.concatenate([-maps[0] @ encounter.roots[0], maps[1] @ encounter.roots[1]], axis=1)
    cov = slope @ slope.T
    body = pair.hbr_km**2 * np.eye(2)
    if np.linalg.eigvalsh(cov)[0] <= 1e-8 * pair.hbr_km**2:
        return None
    aim = _Aim(plane, plane @ r, slope, cov, np.zeros(2), body)
    generator = np.random.default_rng([seed, 1])
    for _ in range(2):
        z = generator.standard_normal((_PILOT, 12))
        b = aim.target + generator.standard_normal((_PILOT, 2)) @ np.linalg.cholesky(aim.spread).T
        z = aim.drawn_given(z, b)
        miss = encounter.miss(z)
        known = np.isfinite(miss).all(axis=1)
        if known.sum() < 10:
            return None
        rest = miss[known] @ plane.T - b[known]
        aim = replace(aim, target=-rest.mean(axis=0), spread=body + 2.0 * np.cov(rest.T))
    return aim


def _run(encounter: _Encounter, samples: int, expected: float, seed: int, threads: int) -> tuple[list[float], str]:
    """Probability, interval, hits, samples; and the status."""
    rare = np.isfinite(expected) and expected < _RARE
    aim: _Aim | LongAim | None = None
    if rare and encounter.short_at_s is not None:
        aim = _aimed(encounter, seed)
    elif rare:
        aim = aimed_at_times(encounter.pair, encounter.roots, encounter.segment, seed)
    sizes = [min(_CHUNK, samples - first) for first in range(0, samples, _CHUNK)]

    def part(number: int) -> tuple[float, float, float]:
        generator, n = np.random.default_rng([seed, 2, number]), sizes[number]
        z = generator.standard_normal((n, 12))
        if aim is None:
            hits = encounter.hits(z)
            return float(hits.sum()), float(hits.sum()), float(hits.sum())
        plain = round(_DEFENSIVE * n)
        z[plain:] = aim.drawn(z[plain:], generator)
        hits = encounter.hits(z)
        weights = hits * aim.weight(z, _DEFENSIVE)
        return float(hits.sum()), float(weights.sum()), float((weights**2).sum())

    with ThreadPoolExecutor(max(1, min(threads, os.cpu_count() or 1))) as pool:
        hits, total, squares = np.sum(list(pool.map(part, range(len(sizes)))), axis=0)
    mean = float(total) / samples
    if aim is None:
        low = float(betaincinv(hits, samples - hits + 1.0, 0.025)) if hits > 0 else 0.0
        high = float(betaincinv(hits + 1.0, samples - hits, 0.975)) if hits < samples else 1.0
    else:
        half = _NORMAL_95 * float(np.sqrt(max(0.0, float(squares) / samples - mean**2) / samples))
        low, high = max(0.0, mean - half), min(1.0, mean + half)
    word = "few_hits" if hits < _FEW else ("ok" if aim is None else "importance")
    return [min(1.0, mean), low, high, float(hits), float(samples)], word
