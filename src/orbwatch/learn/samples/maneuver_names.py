"""Names of what is told of gaps and of windows: codes are places in these."""

from __future__ import annotations

KINDS = ("in_track_raise", "in_track_lower", "cross_track", "radial", "non_impulsive")
GAP_KINDS = ("none", *KINDS)
PATTERNS = ("normal", "drift_decay", "station_keeping", "minor_maneuver", "major_maneuver", "deorbit")
