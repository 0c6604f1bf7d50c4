"""Probabilities of collision of conjunctions, each with its method, inputs and what may be wrong with it.

A probability is never bare: it carries the hard-body radius and where that comes from, the source and age of both
covariances, and short flags. Arrays go in, so that thousands of events cost little; `Probabilities.results` gives one
event's `PcResult`s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from orbwatch.conjunction.encounter import Covariances, Encounter, encounter
from orbwatch.conjunction.maximum import alfano_2005_maximum, frisbee_2015
from orbwatch.conjunction.probability import alfano_2005, alfriend_1999, chan_1997, foster_1992
from orbwatch.errors import InputError

FLAGS: Mapping[str, str] = {
    "missing_state": "a state is not finite: no probability",
    "missing_covariance_1": "object 1 has no covariance",
    "missing_covariance_2": "object 2 has no covariance",
    "single_covariance": "made with one object's covariance only: may be low or high, unlike the maximum",
    "zero_relative_speed": "no relative motion, so no encounter plane: no 2-D probability",
    "low_relative_speed": "under 10 m/s, or over 1 % of an orbit to cross the miss distance: paths are not straight",
    "long_encounter": "the probability accrues over more than 2 % of the orbit, or 1 % from the closest approach",
    "non_positive_definite": "a covariance is not positive definite as given",
    "remediated": "the combined covariance was repaired by raising an eigenvalue",
    "diluted": "a smaller covariance would give a larger probability: the value says little, look at the maximum",
}
"""What each flag means, in the order in which they are given."""

STILL_KM_S = 1e-9
"""Below this relative speed there is no encounter plane."""
LOW_SPEED_KM_S = 0.010
CROSSING_OF_PERIOD = 0.01
EXTENDED_OF_PERIOD, OFFSET_OF_PERIOD = 0.02, 0.01
"""NASA CARA, UsageViolationPc2D: recommended cut-offs of duration and offset of the linear encounter, in periods."""

CIRCLE = ("foster_1992", "circle")
"""The reference value; always the last of an event's results."""


@dataclass(frozen=True)
class PcResult:
    """One probability of collision and what it rests on."""

    method: str
    """The publication: foster_1992, chan_1997, alfano_2005, alfriend_1999, frisbee_2015."""
    kind: str
    """circle, square, square_equal_area, approximate, maximum (over the covariance's size), or
    single_covariance_maximum (over the covariance that is missing)."""
    pc: float | None
    """None where there is none (the flags say why) or where it is unbounded (Alfriend's maximum of a zero miss)."""
    flags: tuple[str, ...]
    """Keys of `FLAGS`."""
    hbr_m: float
    """Combined hard-body radius."""
    hbr_source: str
    cov_source_1: str
    cov_source_2: str
    cov_age_day_1: float | None
    """Age of what object 1's covariance comes from, at the closest approach; None when unknown."""
    cov_age_day_2: float | None


@dataclass(frozen=True, eq=False)
class Probabilities:
    """All probabilities and flags of k conjunctions."""

    encounter: Encounter
    pc: Mapping[tuple[str, str], Float[np.ndarray, " k"]]
    """By (method, kind); NaN where there is none."""
    flags: Mapping[str, Bool[np.ndarray, " k"]]
    """By the names in `FLAGS`."""
    hbr_source: Sequence[str]
    cov_source_1: Sequence[str]
    cov_source_2: Sequence[str]
    cov_age_day_1: Float[np.ndarray, " k"]
    """NaN when unknown."""
    cov_age_day_2: Float[np.ndarray, " k"]

    def __len__(self) -> int:
        return len(self.encounter)

    @property
    def circle(self) -> Float[np.ndarray, " k"]:
        """The reference value of each event: Foster's, over the circle; NaN where there is none."""
        return self.pc[CIRCLE]

    def flags_of(self, i: int) -> tuple[str, ...]:
        """Flags of event i."""
        return tuple(name for name, raised in self.flags.items() if raised[i])

    def results(self, i: int) -> list[PcResult]:
        """All that was computed for event i, Foster's circle last. Frisbee's maximum only with a single covariance."""
        flags = self.flags_of(i)
        age_1, age_2 = (None if np.isnan(age[i]) else float(age[i]) for age in (self.cov_age_day_1, self.cov_age_day_2))
        return [
            PcResult(
                method=method,
                kind=kind,
                pc=float(pc[i]) if np.isfinite(pc[i]) else None,
                flags=flags,
                hbr_m=float(self.encounter.hbr_km[i] * 1e3),
                hbr_source=self.hbr_source[i],
                cov_source_1=self.cov_source_1[i] if self.encounter.has_cov1[i] else "none",
                cov_source_2=self.cov_source_2[i] if self.encounter.has_cov2[i] else "none",
                cov_age_day_1=age_1,
                cov_age_day_2=age_2,
            )
            for (method, kind), pc in self.pc.items()
            if method != "frisbee_2015" or self.flags["single_covariance"][i]
        ]


def assess(
    r1_km: Float[np.ndarray, "k 3"],
    v1_km_s: Float[np.ndarray, "k 3"],
    cov1_km2: Covariances | None,
    r2_km: Float[np.ndarray, "k 3"],
    v2_km_s: Float[np.ndarray, "k 3"],
    cov2_km2: Covariances | None,
    hbr_m: Float[np.ndarray, " k"],
    *,
    cov_frame: Literal["rtn", "inertial"] = "rtn",
    hbr_source: str | Sequence[str] = "given",
    cov_source_1: str | Sequence[str] = "given",
    cov_source_2: str | Sequence[str] = "given",
    cov_age_day_1: Float[np.ndarray, " k"] | None = None,
    cov_age_day_2: Float[np.ndarray, " k"] | None = None,
    threads: int = 2,
) -> Probabilities:
    """Probabilities of collision of k conjunctions by all 2-D methods.

    States and covariances as in `encounter.encounter` (km, km/s); `hbr_m` is the combined hard-body radius in metres.
    Labels and ages (days at the closest approach) are one for all or one for each. Nothing is raised for a bad state or
    covariance: the row's probabilities are NaN and its flags say why. Raises InputError for a radius that is not a
    number, or negative.
    """
    k = len(hbr_m)
    wrong = ~((hbr_m >= 0.0) & (hbr_m < np.inf))
    if wrong.any():
        value = float(hbr_m[wrong][0])
        raise InputError("bad combined hard-body radius", field="hbr_m", value=value, legal="metres, 0 or more")
    found = encounter(r1_km, v1_km_s, cov1_km2, r2_km, v2_km_s, cov2_km2, hbr_m / 1e3, cov_frame=cov_frame)
    states = np.isfinite(np.concatenate([r1_km, v1_km_s, r2_km, v2_km_s], axis=1)).all(axis=1)
    moving = found.rel_speed_km_s >= STILL_KM_S
    usable = (states & moving)[:, None, None]
    miss, hbr = found.miss_km, found.hbr_km
    cov = np.where(usable, found.cov_km2, np.nan)
    single = found.has_cov1 != found.has_cov2
    known = np.where(usable & single[:, None, None], found.cov_km2, np.nan)
    largest = alfano_2005_maximum(miss, cov, hbr)
    pc = {
        ("alfriend_1999", "approximate"): alfriend_1999(miss, cov, hbr),
        ("alfriend_1999", "maximum"): alfriend_1999(miss, cov, hbr, "maximum"),
        ("alfano_2005", "circle"): alfano_2005(miss, cov, hbr, threads=threads),
        ("alfano_2005", "maximum"): largest.pc,
        ("chan_1997", "circle"): chan_1997(miss, cov, hbr, threads=threads),
        ("frisbee_2015", "single_covariance_maximum"): frisbee_2015(miss, known, hbr),
        ("foster_1992", "square"): foster_1992(miss, cov, hbr, "square", threads=threads),
        ("foster_1992", "square_equal_area"): foster_1992(miss, cov, hbr, "square_equal_area", threads=threads),
        CIRCLE: foster_1992(miss, cov, hbr, threads=threads),
    }
    any_cov = found.has_cov1 | found.has_cov2
    unknown = np.full(k, np.nan)
    return Probabilities(
        encounter=found,
        pc=pc,
        flags={
            "missing_state": ~states,
            "missing_covariance_1": ~found.has_cov1,
            "missing_covariance_2": ~found.has_cov2,
            "single_covariance": single,
            "zero_relative_speed": states & ~moving,
            **_straightness(found, states & moving),
            "non_positive_definite": ~found.positive_definite & any_cov,
            "remediated": found.remediated,
            "diluted": largest.diluted,
        },
        hbr_source=_each(hbr_source, k),
        cov_source_1=_each(cov_source_1, k),
        cov_source_2=_each(cov_source_2, k),
        cov_age_day_1=unknown if cov_age_day_1 is None else cov_age_day_1,
        cov_age_day_2=unknown if cov_age_day_2 is None else cov_age_day_2,
    )


def _straightness(found: Encounter, moving: Bool[np.ndarray, " k"]) -> dict[str, Bool[np.ndarray, " k"]]:
    """Where the assumption of straight relative motion is in doubt."""
    speed = np.where(moving, found.rel_speed_km_s, 1.0)
    low = (speed < LOW_SPEED_KM_S) | (found.miss_distance_km / speed > CROSSING_OF_PERIOD * found.period_s)
    furthest_s = np.abs(found.offset_s) + 0.5 * found.duration_s
    long = found.duration_s > EXTENDED_OF_PERIOD * found.period_s
    return {
        "low_relative_speed": moving & low,
        "long_encounter": moving & (long | (furthest_s > OFFSET_OF_PERIOD * found.period_s)),
    }


def _each(label: str | Sequence[str], k: int) -> Sequence[str]:
    return [label] * k if isinstance(label, str) else label
