"""Histories of simulated satellites that keep their orbits, with every burn known: the demo's truth.

Between burns an orbit turns by SGP4's own secular rates without drag, so that nothing but the burns and the noise of
the sets moves it. Sets know of a burn at once; real ones lag by days (`orbwatch maneuvers` is measured on real ones).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy.random import Generator

from orbwatch.catalog.burns import Burns
from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US, TWO_PI, WGS72_MU_KM3_S2, WGS72_RADIUS_KM
from orbwatch.elements import mean_motion_rad_s
from orbwatch.simulate.mean_elements import library_satrec
from orbwatch.simulate.population import SOURCE

FIRST_KEPT_ID = 990_000_001
STEP_DAY = 0.4
"""From one set to the next, on average."""
_NOISE_DEG, _NOISE_ECC, _NOISE_MOTION = 2e-4, 2e-6, 2e-8
"""Of angles (25 m along the track), eccentricity and mean motion (share) of a set, one standard deviation."""


@dataclass(frozen=True, eq=False)
class Kept:
    """Element sets, ordered by object and time, and all burns behind them."""

    table: GpTable
    burns: Burns


@dataclass(frozen=True)
class Orbit:
    """Mean elements of a nearly circular orbit at an instant; radians."""

    at_us: int
    n_rad_s: float
    ex: float
    """Eccentricity times the cosine and the sine of the argument of perigee."""
    ey: float
    inclination: float
    node: float
    latitude: float
    """Argument of latitude: of perigee plus mean anomaly."""

    def row(self) -> dict[str, Any]:
        """As columns of `GpTable`, without drag."""
        perigee = np.arctan2(self.ey, self.ex)
        return {
            "epoch_us": self.at_us, "mean_motion_rev_day": self.n_rad_s * 86400.0 / TWO_PI,
            "eccentricity": float(np.hypot(self.ex, self.ey)), "inclination_deg": float(np.degrees(self.inclination)),
            "raan_deg": float(np.degrees(self.node % TWO_PI)), "arg_perigee_deg": float(np.degrees(perigee % TWO_PI)),
            "mean_anomaly_deg": float(np.degrees((self.latitude - perigee) % TWO_PI)), "bstar_per_er": 0.0,
        }  # fmt: skip

    def later(self, us: int) -> Orbit:
        """The same orbit at a later instant, turned by SGP4's secular rates (`mdot`, `argpdot`, `nodedot`)."""
        rates, minutes = library_satrec(self.row()), (us - self.at_us) / 6e7
        turn = np.exp(1j * rates.argpdot * minutes) * complex(self.ex, self.ey)
        return replace(
            self, at_us=us, ex=turn.real, ey=turn.imag, node=self.node + rates.nodedot * minutes,
            latitude=self.latitude + (rates.mdot + rates.argpdot) * minutes,
        )  # fmt: skip

    def burned(self, dv_rtn_m_s: Float[np.ndarray, "3"]) -> Orbit:
        """After a burn: Gauss' variational equations of circular orbits (Vallado 2013, section 9.3)."""
        axis_km = (WGS72_MU_KM3_S2 / self.n_rad_s**2) ** (1.0 / 3.0)
        r, t, n = dv_rtn_m_s / 1e3 / (axis_km * self.n_rad_s)
        cos, sin = np.cos(self.latitude), np.sin(self.latitude)
        node = n * sin / np.sin(self.inclination)
        return replace(
            self, n_rad_s=self.n_rad_s * (1.0 - 3.0 * t), ex=self.ex + 2.0 * t * cos + r * sin,
            ey=self.ey + 2.0 * t * sin - r * cos, inclination=self.inclination + n * cos, node=self.node + node,
            latitude=self.latitude - 2.0 * r - node * np.cos(self.inclination),
        )  # fmt: skip


def kept(seed: int, end_us: int, objects: int = 6, days: float = 90.0) -> Kept:
    """Histories up to an instant: all but the last object burn in a rhythm of their own, the last one never does."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    burns = []
    for k in range(objects):
        start_us = end_us - round(days * DAY_US)
        height_km = rng.uniform(750.0, 1340.0)
        ecc, perigee = rng.uniform(2e-4, 1.5e-3), rng.uniform(0.0, TWO_PI)
        orbit = Orbit(
            start_us, float(mean_motion_rad_s(WGS72_RADIUS_KM + height_km, mu_km3_s2=WGS72_MU_KM3_S2)),
            float(ecc * np.cos(perigee)), float(ecc * np.sin(perigee)), float(np.radians(rng.uniform(50.0, 99.0))),
            *rng.uniform(0.0, TWO_PI, 2).tolist(),
        )  # fmt: skip
        number = FIRST_KEPT_ID + k
        at_us, dv = _rhythm(start_us, days, rng) if k < objects - 1 else (np.empty(0, np.int64), np.empty((0, 3)))
        name = f"SIM-LEO-K{k + 1:04d}"
        gap_us = rng.uniform(0.7, 1.3, int(days / STEP_DAY)) * STEP_DAY * DAY_US
        when = start_us + np.cumsum(gap_us).astype(np.int64)
        sets = history_at(orbit, when[when <= end_us], at_us, dv, rng)
        rows += [{**row, "norad_id": number, "name": name} for row in sets]
        same = np.full(len(at_us), number), np.full(len(at_us), name), np.full(len(at_us), "")
        burns.append(Burns(same[0], at_us, at_us, dv, same[1], same[2]))
    columns = {f.name: np.concatenate([getattr(one, f.name) for one in burns]) for f in fields(Burns)}
    return Kept(GpTable.from_rows(rows, SOURCE), Burns(**columns))


def history_at(
    orbit: Orbit,
    when_us: Int[np.ndarray, " n"],
    burn_us: Int[np.ndarray, " b"],
    dv_rtn_m_s: Float[np.ndarray, "b 3"],
    rng: Generator,
) -> list[dict[str, Any]]:
    """Noisy sets at instants from the orbit's own on; burns in order of time, m/s along R, T, N."""
    rows = []
    ahead = list(zip(burn_us.tolist(), dv_rtn_m_s, strict=True))
    for at in when_us.tolist():
        while ahead and ahead[0][0] <= at:
            us, dv = ahead.pop(0)
            orbit = orbit.later(us).burned(dv)
        orbit = orbit.later(at)
        noise = rng.normal(0.0, np.radians(_NOISE_DEG), 3)
        seen = replace(
            orbit, n_rad_s=orbit.n_rad_s * (1.0 + rng.normal(0.0, _NOISE_MOTION)),
            ex=orbit.ex + rng.normal(0.0, _NOISE_ECC), ey=orbit.ey + rng.normal(0.0, _NOISE_ECC),
            inclination=orbit.inclination + noise[0], node=orbit.node + noise[1], latitude=orbit.latitude + noise[2],
        )  # fmt: skip
        rows.append(seen.row())
    return rows


def _rhythm(start_us: int, days: float, rng: Generator) -> tuple[Int[np.ndarray, " b"], Float[np.ndarray, "b 3"]]:
    """Burns every one to three weeks, along the track but for a few across it; raises and lowerings in turn."""
    cycle = rng.uniform(7.0, 21.0)
    day = np.arange(rng.uniform(4.0, cycle), days - 1.0, cycle)
    day = day + rng.normal(0.0, 0.05 * cycle, len(day))
    size = np.exp(rng.uniform(np.log(0.02), np.log(0.4), len(day)))
    dv = np.zeros((len(day), 3))
    dv[:, 1] = size * np.where(np.arange(len(day)) % 2, -1.0, 1.0)
    across = np.arange(len(day)) % 4 == 3
    dv[across] = np.stack([0.0 * size, 0.0 * size, 8.0 * size], axis=1)[across]
    return start_us + np.rint(day * DAY_US).astype(np.int64), dv
