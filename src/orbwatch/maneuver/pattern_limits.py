"""The six patterns of life, and in one table the limits that separate them in each regime.

Where a figure names 2026 it was read off 22,415 objects' histories of March to July 2026; the others are physics.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES

PATTERNS = ("normal", "drift_decay", "station_keeping", "minor_maneuver", "major_maneuver", "deorbit")
"""What an object has been doing. normal: nothing; drift_decay: drag or resonance takes it elsewhere; station_keeping:
burns that keep an orbit; minor_maneuver, major_maneuver: burns that do not, under and over `major_m_s` together;
deorbit: it is being taken down, or in GEO up to the graveyard."""
NORMAL, DRIFT_DECAY, STATION_KEEPING, MINOR, MAJOR, DEORBIT = PATTERNS


class Limits(NamedTuple):
    """One row of the table: a regime's limits."""

    drift_km_day: float
    """Natural change of the semi-major axis above this is drift/decay."""
    keep_km: float
    """A kept semi-major axis ends a window within this of where it began."""
    least_step_km: float
    """Net changes of the semi-major axis below this are not believed to be a maneuver unless a burn was found."""
    run_km: float
    """Sustained raising or lowering begins here."""
    major_m_s: float = 1.0
    """Delta-v of a window above which what does not keep an orbit is major (the definition of the six names)."""


LIMITS: dict[str, Limits] = {
    # Of payloads that burn nothing a tenth falls faster than 0.1-0.2 km/day, half than 0.03 (2026); sets scatter by
    # 0.05 km, by 0.2 km for Starlinks, whose kept orbits stay within 0.5 km.
    "LEO < 600 km": Limits(drift_km_day=0.03, keep_km=0.7, least_step_km=1.5, run_km=5.0),
    # Passive objects: 0.0065 km/day in the middle, 0.1 at most (2026); repeat ground tracks are kept to 0.05-0.3 km.
    "LEO 600-1200 km": Limits(drift_km_day=0.005, keep_km=0.4, least_step_km=0.8, run_km=5.0),
    # 0.0004 km/day at most (2026); Jason and TOPEX keep +-1 km of ground track, which is 0.02-0.05 km in height.
    # Sunlight lifted leaf-like debris here by 4 km in 50 days.
    "LEO > 1200 km": Limits(drift_km_day=0.001, keep_km=0.25, least_step_km=6.0, run_km=10.0),
    # Resonance and sunlight: 0.011 km/day at most (2026).
    "MEO": Limits(drift_km_day=0.01, keep_km=1.0, least_step_km=10.0, run_km=20.0),
    # The Earth's ellipticity moves a slot's semi-major axis by up to 0.13 km/day; what counts here is the longitude.
    "GEO": Limits(drift_km_day=0.15, keep_km=5.0, least_step_km=15.0, run_km=30.0),
    # Perigee drag and the Sun's and Moon's pull; sets of such orbits scatter by kilometers.
    "HEO": Limits(drift_km_day=0.1, keep_km=5.0, least_step_km=30.0, run_km=60.0),
}
"""By name of regime (`learn.samples.catalog_regimes`)."""

SETBACK = 0.1
"""A sustained run goes on through setbacks of this share of `run_km`."""
WINDOW_DAY = 90.0
"""A pattern looks back so far: the longest cycles of station-keeping (high altimeters, GEO) are about that long."""
LEAST_WINDOW_DAY = 25.0
"""The sets of a 30-day window span a few days less. Shorter pasts name what is plain (a large maneuver, a fall) but no
station-keeping."""
LEAST_PROBABILITY = 0.5
"""Found events less likely than this are not counted as burns."""
LEAST_BURNS = 4
"""No rhythm is claimed of fewer: three intervals are the least that show how regular they are."""
SAME_BURN_DAY = 2.0
"""Burns this close are one maneuver: pairs half a revolution apart, and a correction on the next day."""
LAG_DAY = 2.0
"""Element sets after a burn are still fitted over it for so long."""

SLOT_DEG = 1.0
"""A steered longitude that swings by no more than this in all is kept: most slots are 0.1 or 0.2 deg wide, some 1."""
STILL_DEG, STILL_DAY = 0.2, 55.0
"""One that swings by no more than this in so many days is kept even where the Earth's ellipticity pulls nowhere: left
to itself, an object would need to have been stopped there to 0.003 deg/day."""
MOVED_DEG = 1.0
"""A geostationary longitude that went further than this in a window has drifted."""
FREE_DEG, FREE_PER_DEG = 0.06, 0.0005
"""A longitude that departs from free motion by more than this was steered, with so much added per degree of drift: sets
scatter by 0.01 to 0.02 deg, and eleven drifting derelicts of 2024 followed free motion to 0.022 deg."""
FREE_ECCENTRICITY, FREE_SPAN_DEG = 0.01, 30.0
"""Above these the law of free motion used here does not hold well enough to tell."""
PLANE_DEG = 0.08
"""So much of the orbit's plane away from where Sun, Moon and Earth turn it was burned in 90 days: unburned planes
stayed within 0.055 deg (the month's and half year's waves), those kept were 0.11 to 0.33 away (2024, 2026)."""
GRAVEYARD_KM = 150.0
"""Raised this far above the geostationary ring: the IADC asks for 235 km and more (IADC-02-01, section 5.3.1)."""

NATURAL_KM_DAY, NATURAL_AT_KM, NATURAL_SCALE_KM = 0.033, 495.0, 61.0
"""Fall of the median payload that does nothing, 2026: 0.033 km/day at 495 km, e times as fast every 61 km lower."""
PUSHED, PUSHED_AFTER_HELD = 4.0, 2.0
"""An object that burns and falls so many times as fast as that is being taken down (the fleets' lowering of 2026: 15);
the lower factor is for those that were held up before: few payloads fall faster than it (2.1 to 2.4 are the 90th
percentiles of 2026)."""
HELD, RESTING = 0.1, 0.2
"""One that falls by less than the first share of it is held up: nobody is ten times as dense as the median. The second
is for the slope of a week."""
SLOWED = 0.3
"""A low orbit's fall that ends at less than this share of its mean rate was made by burns: air only thickens downwards,
and the Sun's activity halves a rate at most."""
HELD_KM = 0.5
"""So far the median payload must fall in a window before staying up says anything."""
NATURAL_LOWEST_KM, NATURAL_HIGHEST_KM = 200.0, 650.0
"""Below and above these the law is not used."""
EVEN_FALL = 0.6
"""A free fall quickens with density; one that quickened by less than this of it while it mattered is being steered."""

REGULAR_NONE = 1.283
"""Standard deviation of the logarithm of intervals that chance alone makes (exponential ones): pi / sqrt(6)."""
RHYTHM_INTERVALS = 12
"""A rhythm is that of the last so many intervals: rhythms change with the Sun's activity."""
RHYTHM_HALF_LIFE = 4.0
"""Intervals; older ones count half as much."""
RHYTHM_SPREAD, RHYTHM_PRIOR = 0.7, 1.0
"""Logarithmic spread that is believed of an unknown operator, and how many intervals that belief weighs."""
ALIVE = 0.05
"""A rhythm goes on while the chance of such a silence is above this."""
SILENT = 0.01
"""A rhythm has stopped when its own chance of such a silence is below this."""


def limits_of(regime: int) -> Limits:
    """The row of a regime, by its index into `CATALOG_REGIMES`."""
    return LIMITS[CATALOG_REGIMES[regime]]


def natural_km_day(altitude_km: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """How fast drag takes down the median payload that does nothing, km/day; NaN where the law does not reach."""
    inside = (altitude_km > NATURAL_LOWEST_KM) & (altitude_km < NATURAL_HIGHEST_KM)
    height = np.where(inside, altitude_km, NATURAL_AT_KM)
    return np.where(inside, NATURAL_KM_DAY * np.exp(-(height - NATURAL_AT_KM) / NATURAL_SCALE_KM), np.nan)
