"""A simulated catalogue: shells like the real sky, the same for the same seed, and plainly labelled simulated.

The shells and their weights follow the public catalogue of 2025 in outline (constellations at 540-570 and 1,200 km,
sun-synchronous traffic at 500-900 km, the debris clouds of 750-1,000 and 1,400-1,500 km, navigation, the geostationary
belt and its graveyard, transfer and Molniya orbits). No element set is that of a real object: the catalogue numbers
start at 900,000,001 and the names at SIM-.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.random import Generator

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_S, TWO_PI, WGS72_MU_KM3_S2, WGS72_RADIUS_KM
from orbwatch.elements import mean_motion_rad_s
from orbwatch.errors import InputError

FIRST_ID = 900_000_001
EPOCH_US = 1_780_272_000_000_000  # 2026-06-01T00:00:00 UTC
SOURCE = "simulated"

_J2_WGS72 = 1.082616e-3
_RHO0_KG_M2_ER = 0.1570  # B* = rho0 / 2 x Cd A / m (Hoots & Roehrich 1980, Spacetrack Report No. 3)
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # pieces of a launch are lettered without I and O
_PIECES = 24 + 24**2 + 24**3  # up to three letters

Draw = Callable[[Generator, int], Float[np.ndarray, " n"]]


def _uniform(low: float, high: float) -> Draw:
    return lambda rng, n: rng.uniform(low, high, n)


def _normal(mean: float, sigma: float) -> Draw:
    return lambda rng, n: rng.normal(mean, sigma, n)


def _log(median: float, factor: float, most: float = 0.9) -> Draw:
    """Log-normal, cut at `most`: `factor` is one standard deviation."""
    return lambda rng, n: np.minimum(median * factor ** rng.standard_normal(n), most)


@dataclass(frozen=True)
class Shell:
    """One family of orbits: how many, how high, how tilted, how heavy."""

    prefix: str
    """Regime in the name: LEO, MEO, GEO or HEO."""
    suffix: str
    """Kind of object in the name, as the public catalogue writes it: "", " R/B" or " DEB"."""
    weight: float
    """Share of the population."""
    perigee_km: Draw
    """Perigee altitude above the WGS-72 equatorial radius."""
    eccentricity: Draw
    inclination_deg: Draw | None
    """None: sun-synchronous for the altitude."""
    ballistic_m2_kg: Draw | None
    """Cd A / m; None where there is no air."""
    planes: int = 0
    """Walker constellation of so many planes (phases evenly spread, small errors); 0: nodes and phases at random."""


_PAYLOAD = _log(0.010, 1.6)
_STARLINK_LIKE = _log(0.006, 1.2)
_BODY = _log(0.008, 1.5)
_DEBRIS = _log(0.030, 2.2)
_NEAR_CIRCULAR = _log(1.5e-4, 1.5, 0.01)

SHELLS = (
    Shell("LEO", "", 0.120, _normal(547.0, 1.5), _NEAR_CIRCULAR, _normal(53.05, 0.01), _STARLINK_LIKE, planes=24),
    Shell("LEO", "", 0.080, _normal(539.0, 1.5), _NEAR_CIRCULAR, _normal(53.22, 0.01), _STARLINK_LIKE, planes=18),
    Shell("LEO", "", 0.040, _normal(569.0, 1.5), _NEAR_CIRCULAR, _normal(70.0, 0.01), _STARLINK_LIKE, planes=12),
    Shell("LEO", "", 0.035, _normal(559.0, 1.5), _NEAR_CIRCULAR, _normal(97.66, 0.01), _STARLINK_LIKE, planes=6),
    Shell("LEO", "", 0.045, _normal(1198.0, 1.0), _NEAR_CIRCULAR, _normal(87.9, 0.02), _PAYLOAD, planes=12),
    Shell("LEO", "", 0.130, _uniform(480.0, 620.0), _log(9e-4, 1.7, 0.01), None, _log(0.02, 1.6)),
    Shell("LEO", "", 0.050, _uniform(620.0, 900.0), _log(9e-4, 1.7, 0.01), None, _PAYLOAD),
    Shell("LEO", "", 0.020, _uniform(380.0, 470.0), _log(8e-4, 1.7, 0.01), _normal(51.6, 0.5), _log(0.01, 1.5)),
    Shell("LEO", " R/B", 0.020, _uniform(560.0, 1000.0), _log(4e-3, 1.8, 0.05), _normal(81.2, 2.0), _BODY),
    Shell("LEO", " R/B", 0.020, _uniform(830.0, 990.0), _log(2e-3, 1.8, 0.02), _normal(71.0, 0.1), _BODY),
    Shell("LEO", " DEB", 0.120, _uniform(700.0, 880.0), _log(7e-3, 2.0, 0.06), _normal(98.9, 0.5), _DEBRIS),
    Shell("LEO", " DEB", 0.040, _uniform(730.0, 860.0), _log(6e-3, 2.0, 0.05), _normal(74.0, 0.2), _DEBRIS),
    Shell("LEO", " DEB", 0.030, _uniform(700.0, 780.0), _log(4e-3, 2.0, 0.05), _normal(86.4, 0.2), _DEBRIS),
    Shell("LEO", " DEB", 0.060, _uniform(550.0, 1000.0), _log(8e-3, 2.0, 0.08), _uniform(62.0, 100.0), _DEBRIS),
    Shell("LEO", " DEB", 0.050, _uniform(1390.0, 1500.0), _log(8e-3, 2.0, 0.05), _normal(82.6, 0.3), _DEBRIS),
    Shell("LEO", "", 0.010, _normal(1412.0, 3.0), _NEAR_CIRCULAR, _normal(52.0, 0.02), _PAYLOAD, planes=6),
    Shell("MEO", "", 0.012, _normal(20180.0, 25.0), _log(6e-3, 1.8, 0.03), _normal(55.5, 1.0), None, planes=6),
    Shell("MEO", "", 0.010, _normal(19130.0, 8.0), _log(1e-3, 1.8, 0.01), _normal(64.8, 0.5), None, planes=3),
    Shell("MEO", "", 0.010, _normal(23220.0, 8.0), _log(4e-4, 1.8, 0.01), _normal(56.5, 0.8), None, planes=3),
    Shell("GEO", "", 0.024, _normal(35776.0, 4.0), _log(2e-4, 1.5, 0.01), _log(0.04, 1.6, 0.2), None),
    Shell("GEO", "", 0.012, _normal(35776.0, 6.0), _log(3e-4, 1.5, 0.01), _uniform(1.0, 15.0), None),
    Shell("GEO", " R/B", 0.012, _normal(36080.0, 90.0), _log(1e-3, 2.0, 0.01), _uniform(3.0, 15.0), None),
    Shell("HEO", " R/B", 0.025, _uniform(210.0, 700.0), _normal(0.715, 0.01), _normal(10.0, 6.0), _BODY),
    Shell("HEO", " DEB", 0.010, _uniform(250.0, 900.0), _uniform(0.4, 0.72), _uniform(5.0, 60.0), _DEBRIS),
    Shell("HEO", "", 0.015, _uniform(600.0, 1600.0), _normal(0.71, 0.008), _normal(63.6, 0.7), _BODY),
)


def population(seed: int = 1, objects: int = 2000, epoch_us: int = EPOCH_US) -> GpTable:
    """A simulated catalogue of `objects` element sets (TEME mean elements), the same for the same arguments.

    Each set's epoch lies within the 20 h before `epoch_us` (UTC microseconds since 1970), as in a catalogue fetched
    then. At least 100 objects are needed so that every regime is there. Raises InputError below.
    """
    if objects < 100:
        raise InputError("too few simulated objects", field="objects", value=objects, legal=">= 100")
    rng = np.random.default_rng([seed, objects])
    counts = _shares(objects)
    parts = [_draw(shell, count, rng) for shell, count in zip(SHELLS, counts, strict=True)]
    elements = np.concatenate([part[0] for part in parts])
    bstar = np.concatenate([part[1] for part in parts])
    age_us = np.minimum(rng.exponential(6.0, objects) + 0.5, 20.0) * 3.6e9
    shells = [shell for shell, count in zip(SHELLS, counts, strict=True) for _ in range(count)]
    return GpTable.from_columns(
        {
            "norad_id": FIRST_ID + np.arange(objects),
            "epoch_us": epoch_us - age_us.astype(np.int64),
            "mean_motion_rev_day": elements[:, 0],
            "eccentricity": elements[:, 1],
            "inclination_deg": elements[:, 2],
            "raan_deg": elements[:, 3],
            "arg_perigee_deg": elements[:, 4],
            "mean_anomaly_deg": elements[:, 5],
            "bstar_per_er": bstar,
            "element_set_no": np.ones(objects),
            "rev_at_epoch": rng.integers(100, 90_000, objects),
            "name": [f"SIM-{shell.prefix}-{i + 1:05d}{shell.suffix}" for i, shell in enumerate(shells)],
            "object_id": [simulated_object_id(i) for i in range(objects)],
        },
        SOURCE,
    )


def simulated_object_id(i: int) -> str:
    """An international designator that no real launch carries: 2026-999A for `i` = 0, then on and to 2026-998A."""
    launch, i = 999 - i // _PIECES, i % _PIECES
    letters, i = _LETTERS[i % 24], i // 24
    while i > 0:
        letters, i = _LETTERS[(i - 1) % 24] + letters, (i - 1) // 24
    return f"2026-{launch}{letters}"


def _shares(objects: int) -> list[int]:
    """How many objects each shell gets: by largest remainder, at least one each."""
    wanted = np.array([shell.weight for shell in SHELLS])
    wanted *= (objects - len(SHELLS)) / wanted.sum()
    counts = np.floor(wanted).astype(int)
    counts[np.argsort(counts - wanted, kind="stable")[: objects - len(SHELLS) - int(counts.sum())]] += 1
    return [int(count) + 1 for count in counts]


def _draw(shell: Shell, n: int, rng: Generator) -> tuple[Float[np.ndarray, "n 6"], Float[np.ndarray, " n"]]:
    """Elements (rev/day, -, deg, deg, deg, deg) and B* of one shell."""
    eccentricity = np.clip(shell.eccentricity(rng, n), 1e-5, 0.9)
    semi_major_km = (WGS72_RADIUS_KM + shell.perigee_km(rng, n)) / (1.0 - eccentricity)
    motion_rad_s = mean_motion_rad_s(semi_major_km, mu_km3_s2=WGS72_MU_KM3_S2)
    if shell.inclination_deg is None:
        inclination = _sun_synchronous_deg(semi_major_km, eccentricity) + rng.normal(0.0, 0.05, n)
    else:
        inclination = np.abs(shell.inclination_deg(rng, n))
    perigee = rng.uniform(0.0, 360.0, n)
    if shell.prefix == "HEO" and not shell.suffix:
        perigee = rng.normal(270.0, 5.0, n)  # Molniya: apogee over the north
    if shell.planes:
        plane, slot = np.arange(n) % shell.planes, np.arange(n) // shell.planes
        raan = 360.0 * plane / shell.planes + rng.normal(0.0, 0.05, n)
        slots = -(-n // shell.planes)
        latitude = 360.0 * (slot / slots + plane / (slots * shell.planes)) + rng.normal(0.0, 0.1, n)
    else:
        raan, latitude = rng.uniform(0.0, 360.0, n), rng.uniform(0.0, 360.0, n)
    if shell.prefix == "GEO":
        raan = rng.normal(80.0, 20.0, n)  # lunisolar precession gathers the nodes of drifting GEO orbits
    angles = np.mod(np.stack([raan, perigee, latitude - perigee], axis=1), 360.0)
    bstar = np.zeros(n) if shell.ballistic_m2_kg is None else shell.ballistic_m2_kg(rng, n) * _RHO0_KG_M2_ER / 2.0
    return np.column_stack([motion_rad_s * DAY_S / TWO_PI, eccentricity, inclination, angles]), bstar


def _sun_synchronous_deg(
    semi_major_km: Float[np.ndarray, " n"], eccentricity: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Inclination whose J2 node rate follows the mean Sun (Vallado 2013, chapter 11)."""
    wanted_rad_s = TWO_PI / (365.2421897 * DAY_S)
    motion = mean_motion_rad_s(semi_major_km, mu_km3_s2=WGS72_MU_KM3_S2)
    semi_latus_km = semi_major_km * (1.0 - eccentricity**2)
    cosine = -wanted_rad_s / (1.5 * motion * _J2_WGS72 * (WGS72_RADIUS_KM / semi_latus_km) ** 2)
    return np.degrees(np.arccos(cosine))
