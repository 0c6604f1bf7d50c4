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

from orbwatch.conjunction.curved_pair import Covariances, Cross, Pair, Vectors, pairs_of
from orbwatch.conjunction.encounter_span import segment_s
from orbwatch.conjunction.rate_in_time import Rates, even_rates, published_rates
from orbwatch.conjunction.time_steps import CUT

STATUS: Mapping[str, str] = {
    "ok": "computed",
    "no_orbit": "an orbit is not bound, or its state or covariance is not finite",
    "no_overlap": "the peak of the two densities' overlap was not found where it matters",
    "unresolved": "the bodies are too large against the errors for the integral over their sphere",
}
"""What each status means."""

_GAMMA = 1e-6  # share of the expected number outside the stated duration, as NASA CARA's

Steps = Literal["published", "converged"]


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
            t_s, rate, _, _ = even_rates(pair, segment_s(pair.one, pair.two, _middle(pair)))
        histories.append(RateHistory(t_s, rate, _accrued(t_s, rate)))
    return histories


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
            found = published_rates(pair, segment, start)
        else:
            found = even_rates(pair, segment)
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
