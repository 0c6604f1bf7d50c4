"""Position covariance of propagated element sets: the interface, and a table measured from the catalogue's own history.

Public element sets carry no covariance. `EmpiricalCovariance` gives the spread of SGP4 from one set against a newer
set of the same object, per orbital regime and age. The newer set is pseudo-truth: what both sets share (the common
errors of the theory, of the fits and of the sensors) does not show, so the table is a floor on the real error, not the
error. `forecast_covariance` takes its place, through the same protocol, where the catalogue's forecaster has an answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_S, DAY_US, TWO_PI, WGS72_MU_KM3_S2, WGS72_RADIUS_KM

REGIMES = (
    "leo-below-400",
    "leo-400-600",
    "leo-600-900",
    "leo-900-2000",
    "leo-maneuvering",
    "leo-raising",
    "meo",
    "geo",
    "eccentric",
)
"""Orbital regimes of the table; `regime_of` says what belongs to which."""

FLOOR = "not the operators' own; a floor on the real error"

_STARLINK_INCLINATIONS_DEG = (43.0, 53.05, 53.22, 70.0, 97.6)


@runtime_checkable
class CovarianceModel(Protocol):
    """Whatever gives each object's position covariance at a time."""

    @property
    def label(self) -> str:
        """One line that says where the covariance comes from; it stands beside every result made with it."""
        ...

    @property
    def caution(self) -> str:
        """What the covariance does not cover, in one sentence for the report."""
        ...

    def flags(self, table: GpTable, at_us: Int[np.ndarray, " n"]) -> Mapping[str, Bool[np.ndarray, " n"]]:
        """What speaks against the covariance of each set at `at_us`, by flag."""
        ...

    def sources(self, table: GpTable, at_us: Int[np.ndarray, " n"]) -> list[str]:
        """Where the covariance of each set comes from: `label`, or the part of it that holds for the set."""
        ...

    def cov_rtn_km2(self, table: GpTable, at_us: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n 3 3"]:
        """Covariance in each object's radial, transverse, normal axes, km^2; `at_us`: UTC microseconds since 1970."""
        ...


def regime_of(table: GpTable) -> np.ndarray:
    """The regime of each element set, one of `REGIMES`, as an array of str (n,).

    eccentric: e >= 0.25. geo: 0.9 to 1.1 rev/day. meo: perigee above 2,000 km. Else by the altitude of the perigee over
    the WGS-72 equator. leo-maneuvering: e < 0.002, perigee at 450 to 600 km, and named STARLINK* or unnamed at an
    inclination within 0.3 deg of 43, 53.05, 53.22, 70 or 97.6 deg: electric thrust at any time. leo-raising: named
    STARLINK* anywhere else in LEO, so rising, going down, or on the lowest shells.
    """
    with np.errstate(all="ignore"):  # sets that cannot be propagated get a regime too, whatever it is
        motion_rad_s = table.mean_motion_rev_day * TWO_PI / DAY_S
        semi_major_km = np.cbrt(WGS72_MU_KM3_S2 / motion_rad_s**2)
        perigee_km = semi_major_km * (1.0 - table.eccentricity) - WGS72_RADIUS_KM
    shells = np.abs(table.inclination_deg[:, None] - np.array(_STARLINK_INCLINATIONS_DEG)).min(axis=1) < 0.3
    stationed = (table.eccentricity < 0.002) & (perigee_km > 450.0) & (perigee_km < 600.0)
    starlink = np.strings.startswith(table.name, "STARLINK")
    conditions = [
        table.eccentricity >= 0.25,
        (table.mean_motion_rev_day > 0.9) & (table.mean_motion_rev_day < 1.1),
        perigee_km >= 2000.0,
        stationed & (starlink | ((table.name == "") & shells)),
        starlink,
        perigee_km < 400.0,
        perigee_km < 600.0,
        perigee_km < 900.0,
    ]
    names = ["eccentric", "geo", "meo", "leo-maneuvering", "leo-raising", "leo-below-400", "leo-400-600", "leo-600-900"]
    return np.select(conditions, [np.array(name) for name in names], np.array("leo-900-2000"))


@dataclass(frozen=True, eq=False)
class Looked:
    """How the table was read for each set, arrays (n,)."""

    regime: np.ndarray
    """Names of `REGIMES`."""
    age_day: Float[np.ndarray, " n"]
    """|time asked for - epoch|: backwards is taken as forwards."""
    extrapolated: Bool[np.ndarray, " n"]
    """Older than the last node: carried on with the last slope."""


@dataclass(frozen=True, eq=False)
class EmpiricalCovariance:
    """RTN covariance by regime and age, log-variances interpolated linearly in log-age.

    Positive definite by construction: variances are exponentials, and the only correlation (radial with transverse)
    stays within +-0.95. Ages below the first node take its value, the noise from set to set. The ellipsoid is made to
    hold 68 % at its nominal 68 %; maneuvers and bad sets leave heavier tails than normal beyond, so that far misses are
    likelier than the Gaussian says (`caution` tells the shares on objects kept out; the table's JSON tells them by
    regime and age, and the factor that would mend the 90 % ellipsoid). Young sets of eccentric orbits are few, and
    covered worst.
    """

    label: str
    age_day: Float[np.ndarray, " k"]
    """Nodes, increasing, the first the youngest age measured."""
    variance_km2: Float[np.ndarray, "regimes k 3"]
    """Radial, transverse, normal; in the order of `REGIMES`."""
    correlation_rt: Float[np.ndarray, "regimes k"]
    caution: str = FLOOR

    @classmethod
    def load(cls) -> EmpiricalCovariance:
        """The packaged table, made by benchmarks/empirical_covariance.py."""
        path = resources.files("orbwatch.uncertainty") / "data" / "empirical_covariance.json"
        return cls.from_document(json.loads(path.read_text()))

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> EmpiricalCovariance:
        """A table from the JSON document that the benchmark writes; the label ends with the table's own hash."""
        digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:8]
        parts = [document["regimes"][name] for name in REGIMES]
        return cls(
            f"{document['label']}, table {digest}",
            np.array(document["age_day"], float),
            np.array([part["variance_rtn_km2"] for part in parts], float),
            np.array([part["correlation_rt"] for part in parts], float),
            _caution([share for part in parts for share in part.get("test_within_90", [])]),
        )

    def looked(self, table: GpTable, at_us: Int[np.ndarray, " n"]) -> Looked:
        """Regime, age and whether the age lies beyond the table, for each set."""
        age_day = np.abs(at_us - table.epoch_us) / DAY_US
        return Looked(regime_of(table), age_day, age_day > self.age_day[-1])

    def flags(self, table: GpTable, at_us: Int[np.ndarray, " n"]) -> Mapping[str, Bool[np.ndarray, " n"]]:
        """Which sets are older at `at_us` than the last age measured."""
        return {"covariance_extrapolated": self.looked(table, at_us).extrapolated}

    def sources(self, table: GpTable, at_us: Int[np.ndarray, " n"]) -> list[str]:  # noqa: ARG002 (of the protocol)
        """The label, for each set."""
        return [self.label] * len(table)

    def cov_rtn_km2(self, table: GpTable, at_us: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n 3 3"]:
        """Position covariance of each set in its own RTN at `at_us` (UTC microseconds since 1970), km^2, (n, 3, 3)."""
        looked = self.looked(table, at_us)
        order = np.argsort(REGIMES)
        regime = order[np.searchsorted(np.array(REGIMES)[order], looked.regime)]
        nodes = np.log(self.age_day)
        age = np.log(np.maximum(looked.age_day, self.age_day[0]))
        left = np.clip(np.searchsorted(nodes, age, side="right") - 1, 0, len(nodes) - 2)
        share = (age - nodes[left]) / (nodes[left + 1] - nodes[left])
        lower, upper = np.log(self.variance_km2[regime, left]), np.log(self.variance_km2[regime, left + 1])
        sigma = np.exp(0.5 * (lower + share[:, None] * (upper - lower)))
        inside = np.minimum(share, 1.0)
        rho = (1.0 - inside) * self.correlation_rt[regime, left] + inside * self.correlation_rt[regime, left + 1]
        cov = np.zeros((len(table), 3, 3))
        cov[:, [0, 1, 2], [0, 1, 2]] = sigma**2
        cov[:, 0, 1] = cov[:, 1, 0] = np.clip(rho, -0.95, 0.95) * sigma[:, 0] * sigma[:, 1]
        return cov


def _caution(within_90: Sequence[float]) -> str:
    """The floor, and how much the 90 % ellipsoids of all regimes and ages held on objects kept out."""
    if not within_90:
        return FLOOR
    median, worst = 100.0 * np.median(within_90), 100.0 * min(within_90)
    return (
        f"{FLOOR}, with heavier tails than the Gaussian that is integrated: on objects kept out of its making its 90 % "
        f"ellipsoids held {median:.0f} % (median of regimes and ages; {worst:.0f} % at worst)"
    )
