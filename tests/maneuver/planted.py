"""Element sets of an object that burns once, and of SGP4's own orbits, so that nothing but the burn changes them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sgp4.api import WGS72
from sgp4.model import Satrec

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.simulate.mean_elements import library_satrec, through_state

START_US = 1_700_000_000_000_000
SETS, BEFORE = 50, 25
LEO: dict[str, Any] = {
    "norad_id": 90001,
    "epoch_us": START_US,
    "mean_motion_rev_day": 14.2,
    "eccentricity": 0.0012,
    "inclination_deg": 98.6,
    "raan_deg": 40.0,
    "arg_perigee_deg": 80.0,
    "mean_anomaly_deg": 10.0,
    "bstar_per_er": 0.0,
}
GEO = {**LEO, "norad_id": 90002, "mean_motion_rev_day": 1.0027, "inclination_deg": 3.0}


def history(first: dict[str, Any], dv_rtn_m_s: tuple[float, float, float], seed: int = 1) -> GpTable:
    """A set a day; the burn comes a third of a day after set `BEFORE` - 1; each set errs a little."""
    rng = np.random.default_rng(seed)
    burn_us = START_US + (BEFORE - 1) * DAY_US + DAY_US // 3
    first = first | {"epoch_us": burn_us}  # both orbits are carried from there
    state = state_at(first, burn_us)
    turned = state.copy()
    radial = state[:3] / np.linalg.norm(state[:3])
    normal = np.cross(state[:3], state[3:])
    normal /= np.linalg.norm(normal)
    turned[3:] += np.array(dv_rtn_m_s) @ np.stack([radial, np.cross(normal, radial), normal]) * 1e-3
    after = first | through_state(turned, burn_us, burn_us, first["bstar_per_er"])
    rows = []
    for k in range(SETS):
        row = carried(first if k < BEFORE else after, START_US + k * DAY_US)
        row["mean_motion_rev_day"] += rng.normal(0.0, 2e-8) * row["mean_motion_rev_day"]
        row["mean_anomaly_deg"] += np.degrees(rng.normal(0.0, 3e-6))
        row["inclination_deg"] += np.degrees(rng.normal(0.0, 1e-6))
        row["eccentricity"] += rng.normal(0.0, 5e-7)
        rows.append(row)
    return GpTable.from_rows(rows)


def carried(row: dict[str, Any], us: int) -> dict[str, Any]:
    """The same orbit's set at another epoch: without drag SGP4's mean elements go on at constant rates (all but GEO's
    resonance, which is small)."""
    known, minutes = library_satrec(row), (us - row["epoch_us"]) / 6e7
    sat: Any = Satrec()  # the library's Python twin, which shows the rates of deep space too
    angles = (known.argpo, known.inclo, known.mo, known.no_kozai, known.nodeo)
    sat.sgp4init(WGS72, "i", 0, row["epoch_us"] / DAY_US + 7306.0, 0.0, 0.0, 0.0, known.ecco, *angles)
    rates = {
        "mean_anomaly_deg": sat.mdot + sat.dmdt,
        "arg_perigee_deg": sat.argpdot + sat.domdt,
        "raan_deg": sat.nodedot + sat.dnodt,
        "inclination_deg": sat.didt,
    }
    turned = {name: row[name] + np.degrees(rate * minutes) for name, rate in rates.items()}
    turned = {name: angle if name == "inclination_deg" else angle % 360.0 for name, angle in turned.items()}
    return row | turned | {"epoch_us": us, "eccentricity": row["eccentricity"] + sat.dedt * minutes}


def state_at(row: dict[str, Any], us: int) -> np.ndarray:
    error, r, v = library_satrec(row).sgp4_tsince((us - row["epoch_us"]) / 6e7)
    assert not error
    return np.array([*r, *v])
