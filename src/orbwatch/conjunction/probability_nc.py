"""Expected number of collisions along curved paths, which for one isolated encounter is its probability.

Arrays in, arrays out: states and covariances of both objects in one inertial frame at one instant near the closest
approach, (k, 3) km and km/s, (k, 6, 6) km and km/s; combined hard-body radii (k,) km. Motion is two-body, errors are
Gaussian in equinoctial elements. Nothing is raised for a bad row: its probability is NaN, its status says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from orbwatch.conjunction.collision_rate import FINEST, collision_rate, sphere_order
from orbwatch.conjunction.encounter_span import peaks_s, segment_s
from orbwatch.conjunction.mean_orbit import MeanOrbits, axes_without_retrograde, mean_orbits, usable
from orbwatch.conjunction.peak_overlap import Overlap, inverted, nearest_mahalanobis_squared, peak_overlap
from orbwatch.conjunction.tca import coppola_2012 as linear_bounds_s
from orbwatch.conjunction.time_steps import CUT, published_steps

STATUS: Mapping[str, str] = {
    "ok": "computed",
    "no_orbit": "an orbit is not bound, or its state or covariance is not finite",
    "no_overlap": "the peak of the two densities' overlap was not found where it matters",
    "unresolved": "the bodies are too large against the errors for the integral over their sphere",
}
"""What each status means."""

_FEW, _MANY = 33, 4097
_CLOSE = 1e-6
_GAMMA = 1e-6  # share of the expected number outside the stated duration, as NASA CARA's

Steps = Literal["published", "converged"]
Rates = tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"], bool, bool]
"""Times, rates, whether no rate that matters is unknown, whether the sphere is resolved."""
Vectors = Float[np.ndarray, "k 3"]
Covariances = Float[np.ndarray, "k 6 6"]
Cross = tuple[Float[np.ndarray, "k 6"], Float[np.ndarray, "k 6"]]
"""Casali et al. (2018), AAS 18-272: how a shared error of one sigma (the atmosphere's density) moves each object's
position and velocity, km and km/s, in the states' frame."""


@dataclass(frozen=True, eq=False)
class Expected:
    """Expected numbers of collisions of k encounters."""

    pc: Float[np.ndarray, " k"]
    """At most 1; NaN unless the status is ok or unresolved."""
    status: list[str]
    """Keys of `STATUS`."""
    start_s: Float[np.ndarray, " k"]
    """When the rate begins to matter (it and the number are above some 1e-6 of their whole), from the given instant."""
    end_s: Float[np.ndarray, " k"]
    peak_s: Float[np.ndarray, " k"]
    """When the rate is highest."""
    segment_s: Float[np.ndarray, "k 2"]
    """The part of the orbit that was looked at."""


@dataclass(frozen=True, eq=False)
class RateHistory:
    """How one encounter's expected number of collisions accrues."""

    t_s: Float[np.ndarray, " m"]
    """Seconds from the given instant, ascending; dense only where the rate matters."""
    rate_per_s: Float[np.ndarray, " m"]
    pc: Float[np.ndarray, " m"]
    """Accrued up to then; Pc(t)."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two orbits, one row each, with the radius of the combined hard body and the shared error."""

    one: MeanOrbits
    two: MeanOrbits
    hbr_km: float
    cross: tuple[np.ndarray, np.ndarray] | None
    """In elements, (1, 6) each."""
    linear_s: tuple[float, float]
    """Bounds of the straight encounter."""
    cov_position_km2: Float[np.ndarray, "3 3"]
    """Covariance of the relative position at time zero, in the axes of the given states."""
    iterate: bool = True

    def overlap(self, t_s: Float[np.ndarray, " m"]) -> Overlap:
        """Relative motion at some times."""
        rows, radius = np.zeros(len(t_s), int), np.full(len(t_s), self.hbr_km)
        cross = None if self.cross is None else (self.cross[0][rows], self.cross[1][rows])
        return peak_overlap(t_s, self.one.taken(rows), self.two.taken(rows), radius, cross, iterate=self.iterate)

    def depth(self, t_s: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        """As `encounter_span.Depth`: squared Mahalanobis distance of the ball plus logarithm of the determinant."""
        return self._depth(t_s, self.hbr_km)

    def small_depth(self, t_s: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        """The same for the ball's centre."""
        return self._depth(t_s, 0.0)

    def _depth(self, t_s: Float[np.ndarray, " m"], ball_km: float) -> Float[np.ndarray, " m"]:
        found = self.overlap(t_s)
        out = np.full(len(t_s), np.inf)
        ok = found.converged
        r, cov = found.relative[ok, :3], found.cov[ok, :3, :3]
        inverse, log_det, _ = inverted(cov, np.full(int(ok.sum()), self.hbr_km))
        if ball_km > 0.0:
            out[ok] = nearest_mahalanobis_squared(r, cov, ball_km) + log_det
        else:
            out[ok] = np.einsum("mi,mij,mj->m", r, inverse, r) + log_det
        return out


def hall_2021_nc3d(
    r1_km: Vectors, v1_km_s: Vectors, cov1: Covariances, r2_km: Vectors, v2_km_s: Vectors, cov2: Covariances,
    hbr_km: Float[np.ndarray, " k"], cross: Cross | None = None, *,
    steps: Steps = "published", whole: Bool[np.ndarray, " k"] | None = None,
    within_s: tuple[float, float] | None = None,
) -> Expected:  # fmt: skip
    """3D-Nc: the collision rate along both curved paths, integrated over the encounter's segment of the orbit.

    Hall (2021), J. Spacecraft and Rockets 58(3), 715-728: at each instant the map from elements to positions is made
    linear where the two densities overlap most (`peak_overlap`), and the flow into the sphere is integrated over it
    (`collision_rate`). `steps`: "published" sums over time as NASA CARA does (`time_steps`), some 8e-4
    too high, from the straight encounter outwards, or over all of the segment for the rows in `whole` (where the 2D-Nc
    is not valid); "converged" finds every peak of the segment and integrates it to 1e-5. `within_s`: the segment, when
    it is known.
    """
    pairs = pairs_of(r1_km, v1_km_s, cov1, r2_km, v2_km_s, cov2, hbr_km, cross)
    return _each(pairs, steps=steps, whole=whole, within_s=within_s)


def coppola_2012(
    r1_km: Vectors, v1_km_s: Vectors, cov1: Covariances, r2_km: Vectors, v2_km_s: Vectors, cov2: Covariances,
    hbr_km: Float[np.ndarray, " k"], cross: Cross | None = None,
) -> Expected:  # fmt: skip
    """The same integral with the map made linear about the mean orbits: includes velocity errors, not the bent density.

    Coppola (2012), "Including Velocity Uncertainty in the Probability of Collision between Space Objects", AAS 12-247,
    on two-body orbits with errors in equinoctial elements. It fails where the region of possible positions is bent, by
    orders of magnitude; `hall_2021_nc3d` is the same otherwise.
    """
    pairs = pairs_of(r1_km, v1_km_s, cov1, r2_km, v2_km_s, cov2, hbr_km, cross)
    return _each([None if pair is None else replace(pair, iterate=False) for pair in pairs], steps="converged")


def rate_history(
    r1_km: Vectors, v1_km_s: Vectors, cov1: Covariances, r2_km: Vectors, v2_km_s: Vectors, cov2: Covariances,
    hbr_km: Float[np.ndarray, " k"], cross: Cross | None = None,
) -> list[RateHistory]:  # fmt: skip
    """Time-resolved 3D-Nc of each encounter: rate and Pc(t); empty where there is none (see `hall_2021_nc3d`)."""
    histories = []
    for pair in pairs_of(r1_km, v1_km_s, cov1, r2_km, v2_km_s, cov2, hbr_km, cross):
        t_s = rate = np.empty(0)
        if pair is not None:
            t_s, rate, _, _ = _rates(pair, segment_s(pair.one, pair.two, _middle(pair)))
        histories.append(RateHistory(t_s, rate, _accrued(t_s, rate)))
    return histories


def pairs_of(
    r1: Vectors, v1: Vectors, cov1: Covariances, r2: Vectors, v2: Vectors, cov2: Covariances,
    hbr_km: Float[np.ndarray, " k"], cross: Cross | None,
) -> list[Pair | None]:  # fmt: skip
    """Each encounter as orbits in axes in which they are regular; None where there are none."""
    turn = axes_without_retrograde((r1, v1), (r2, v2))
    turn6 = np.zeros((len(turn), 6, 6))
    turn6[:, :3, :3] = turn6[:, 3:, 3:] = turn
    orbits = [
        mean_orbits(
            np.einsum("kij,kj->ki", turn, r),
            np.einsum("kij,kj->ki", turn, v),
            turn6 @ cov @ turn6.swapaxes(1, 2),
        )
        for r, v, cov in ((r1, v1, cov1), (r2, v2, cov2))
    ]
    ok = usable(orbits[0]) & usable(orbits[1]) & (hbr_km > 0.0) & np.isfinite(hbr_km)
    shared = None
    if cross is not None:
        shared = [
            np.einsum("kij,kj->ki", one.jacobian_inverse @ turn6, g) for one, g in zip(orbits, cross, strict=True)
        ]
    pairs: list[Pair | None] = []
    for i in range(len(hbr_km)):
        if not ok[i]:
            pairs.append(None)
            continue
        row = slice(i, i + 1)
        both = (cov1[i] + cov2[i])[:3, :3]
        if cross is not None:
            both = both - np.outer(cross[1][i, :3], cross[0][i, :3]) - np.outer(cross[0][i, :3], cross[1][i, :3])
        bounds = linear_bounds_s(r2[i] - r1[i], v2[i] - v1[i], both, float(hbr_km[i]))
        pairs.append(
            Pair(
                orbits[0].taken(row),
                orbits[1].taken(row),
                float(hbr_km[i]),
                None if shared is None else (shared[0][row], shared[1][row]),
                bounds,
                both,
            )
        )
    return pairs


def _each(
    pairs: list[Pair | None],
    *,
    steps: Steps,
    whole: Bool[np.ndarray, " k"] | None = None,
    within_s: tuple[float, float] | None = None,
) -> Expected:
    columns = np.full((6, len(pairs)), np.nan)
    status = []
    for i, pair in enumerate(pairs):
        if pair is None:
            status.append("no_orbit")
            continue
        segment = within_s or segment_s(pair.one, pair.two, _middle(pair))
        if steps == "published":
            start = segment if whole is not None and whole[i] else pair.linear_s
            found = _published(pair, segment, start)
        else:
            found = _rates(pair, segment)
        columns[:, i], word = _summed(found, segment)
        status.append(word)
    return Expected(columns[0], status, columns[1], columns[2], columns[3], columns[4:].T.copy())


def _middle(pair: Pair) -> float:
    return 0.5 * (pair.linear_s[0] + pair.linear_s[1]) if np.isfinite(pair.linear_s).all() else 0.0


def _summed(found: Rates, segment: tuple[float, float]) -> tuple[list[float], str]:
    """Probability, start, end, peak, segment; and the status."""
    t_s, rate, certain, resolved = found
    nan = float("nan")
    if not certain:
        return [nan, nan, nan, nan, *segment], "no_overlap"
    accrued = _accrued(t_s, rate)
    total = float(accrued[-1])
    start = end = peak = nan
    if total > 0.0:
        peak = float(t_s[np.argmax(rate)])
        share = accrued / total
        inside = np.flatnonzero((rate >= CUT * rate.max()) | ((share > _GAMMA) & (share < 1.0 - _GAMMA)))
        start, end = float(t_s[inside[0]]), float(t_s[inside[-1]])
    return [min(1.0, total), start, end, peak, *segment], "ok" if resolved else "unresolved"


def _accrued(t_s: np.ndarray, rate: np.ndarray) -> np.ndarray:
    steps = 0.5 * (rate[1:] + rate[:-1]) * np.diff(t_s)
    return np.concatenate([np.zeros(min(1, len(t_s))), np.cumsum(steps)])


def _published(pair: Pair, segment: tuple[float, float], start: tuple[float, float]) -> Rates:
    sharp = False

    def rate_of(t_s: np.ndarray) -> np.ndarray:
        nonlocal sharp
        rate, more = _rate(pair, t_s)
        sharp |= more
        return rate

    t_s, rate = published_steps(rate_of, start, segment)
    return t_s, np.nan_to_num(rate), _certain(rate), not sharp


def _certain(rate: np.ndarray) -> bool:
    """Whether no rate is unknown beside one that matters."""
    unknown = np.isnan(rate)
    matters = np.nan_to_num(rate) > CUT * np.max(rate, initial=0.0, where=~unknown)
    return not ((matters[:-1] & unknown[1:]).any() or (matters[1:] & unknown[:-1]).any() or unknown.all())


def _rates(pair: Pair, segment: tuple[float, float]) -> Rates:
    """All peaks, with even steps in each.

    The trapezoid rule on a bell converges exponentially, so that halving the step says how good the sum is.
    """
    spans = peaks_s(pair.depth, segment, pair.linear_s)
    if not spans:
        return np.empty(0), np.empty(0), False, False
    times, rates, resolved = [], [], True
    for low, high in spans:
        t_s = np.linspace(low, high, _FEW)
        rate, sharp = _rate(pair, t_s)
        total = -1.0
        while len(t_s) < _MANY:
            now = float(np.nansum(rate)) * (t_s[1] - t_s[0])
            if abs(now - total) <= _CLOSE * now:
                break
            total = now
            middles = 0.5 * (t_s[1:] + t_s[:-1])
            new, more = _rate(pair, middles)
            sharp |= more
            t_s = np.linspace(low, high, 2 * len(t_s) - 1)
            both = np.empty(len(t_s))
            both[::2], both[1::2] = rate, new
            rate = both
        times.append(t_s)
        rates.append(rate)
        resolved &= not sharp
    t_s, rate = np.concatenate(times), np.concatenate(rates)
    return t_s, np.nan_to_num(rate), _certain(rate), resolved


def _rate(pair: Pair, t_s: np.ndarray) -> tuple[np.ndarray, bool]:
    """Rates, and whether some need a finer sphere than there is."""
    found = pair.overlap(t_s)
    radius = np.full(len(t_s), pair.hbr_km)
    ok = found.converged
    inverse, _, _ = inverted(found.cov[ok, :3, :3], radius[ok])
    sharp = bool((sphere_order(found.relative[ok], inverse, radius[ok]) > FINEST).any())
    return collision_rate(found, radius), sharp
