"""Physical constants, with their sources. Kilometres, seconds and radians."""

from __future__ import annotations

import math

# WGS-72, as SGP4 uses it (Hoots & Roehrich 1980, Spacetrack Report No. 3; Vallado 2006, AIAA 2006-6753).
WGS72_MU_KM3_S2 = 398600.8
WGS72_RADIUS_KM = 6378.135

# WGS-84 / EGM (NIMA TR8350.2, 3rd ed.; IERS Conventions 2010, table 1.1).
WGS84_MU_KM3_S2 = 398600.4418
WGS84_RADIUS_KM = 6378.137
WGS84_FLATTENING = 1.0 / 298.257223563

# Mean angular velocity of the Earth, rad/s (IERS Conventions 2010, table 1.2).
EARTH_RATE_RAD_S = 7.292115e-5

ASTRONOMICAL_UNIT_KM = 149597870.700  # IAU 2012 Resolution B2
LIGHT_SPEED_KM_S = 299792.458  # SI

DAY_S = 86400.0
DAY_US = 86_400_000_000
JULIAN_YEAR_DAY = 365.25
TWO_PI = 2.0 * math.pi
ARCSEC_RAD = math.pi / 648000.0
