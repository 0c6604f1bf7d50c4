"""The Conjunction Data Message as numbers and texts, whatever format it came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

Value = float | int | str
"""A number, a UTC instant in microseconds since 1970-01-01 (names ending in _us), or a text."""


@dataclass(frozen=True, eq=False)
class CdmObject:
    """One of the two objects: who it is, its state at the time of closest approach, and how well that is known."""

    designator: str
    """As in the message, usually the catalogue number."""
    r_km: Float[np.ndarray, "3"]
    """Position in `ref_frame` at TCA."""
    v_km_s: Float[np.ndarray, "3"]
    """Velocity in `ref_frame` at TCA (ITRF: relative to the rotating Earth)."""
    ref_frame: str
    """GCRF, EME2000 or ITRF."""
    cov_rtn_km2: Float[np.ndarray, "6 6"] | None = None
    """Covariance of position and velocity in the object's own radial-transverse-normal frame: km^2, km^2/s, km^2/s^2
    (the message has metres). None when the message gives none; NaN in the velocity part when only that is missing.
    It is as given: not necessarily positive definite."""
    catalog_name: str = ""
    name: str = ""
    international_designator: str = ""
    object_type: str = ""
    ephemeris_name: str = ""
    covariance_method: str = ""
    maneuverable: str = ""
    more: Mapping[str, Value] = field(default_factory=dict)
    """All other standard keywords given, by lower-case name with the unit last (`area_pc_m2`, `actual_od_span_day`,
    `time_lastob_start_us`, `cdrg_r_m3_kg`): operator, models, orbit determination, additional parameters, rows 7 to 9
    of the covariance. Units are the standard's own."""
    comments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Comments by the block that they stand in or before (metadata, od_parameters, state_vector, covariance...)."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Keywords that the standard does not have, as written."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Where values stand in their file, by keyword, and comments, as `COMMENT text`; 1-based, for later errors."""

    @property
    def norad_id(self) -> int | None:
        """Catalogue number when the designator is one of up to nine digits."""
        return int(self.designator) if self.designator.isascii() and self.designator.isdigit() else None


@dataclass(frozen=True, eq=False)
class Cdm:
    """A predicted conjunction of two objects (CCSDS 508.0-B-1)."""

    tca_us: int
    """Time of closest approach, UTC microseconds since 1970-01-01."""
    object1: CdmObject
    object2: CdmObject
    miss_distance_m: float | None = None
    relative_speed_m_s: float | None = None
    relative_position_rtn_m: Float[np.ndarray, "3"] | None = None
    """Object 2 relative to object 1, in the RTN frame of object 1."""
    relative_velocity_rtn_m_s: Float[np.ndarray, "3"] | None = None
    collision_probability: float | None = None
    collision_probability_method: str = ""
    creation_us: int | None = None
    """When the message was made, UTC microseconds since 1970-01-01."""
    originator: str = ""
    message_for: str = ""
    message_id: str = ""
    version: str = "1.0"
    more: Mapping[str, Value] = field(default_factory=dict)
    """All other standard keywords of header and relative data, named as in `CdmObject.more` (screening volume...)."""
    comments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Comments by block: header, relative."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Keywords that the standard does not have, as written."""
    user_defined: Mapping[str, str] = field(default_factory=dict)
    """USER_DEFINED_x of version 2, by x."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """As `CdmObject.lines`."""

    @property
    def objects(self) -> tuple[CdmObject, CdmObject]:
        """Both objects in order."""
        return self.object1, self.object2


MESSAGE_FIELDS = {
    "CREATION_DATE": "creation_us",
    "ORIGINATOR": "originator",
    "MESSAGE_FOR": "message_for",
    "MESSAGE_ID": "message_id",
    "TCA": "tca_us",
    "MISS_DISTANCE": "miss_distance_m",
    "RELATIVE_SPEED": "relative_speed_m_s",
    "COLLISION_PROBABILITY": "collision_probability",
    "COLLISION_PROBABILITY_METHOD": "collision_probability_method",
}
"""Keywords of header and relative data that are attributes of `Cdm`; the vectors and `more` hold the others."""

OBJECT_FIELDS = {
    "OBJECT_DESIGNATOR": "designator",
    "CATALOG_NAME": "catalog_name",
    "OBJECT_NAME": "name",
    "INTERNATIONAL_DESIGNATOR": "international_designator",
    "OBJECT_TYPE": "object_type",
    "EPHEMERIS_NAME": "ephemeris_name",
    "COVARIANCE_METHOD": "covariance_method",
    "MANEUVERABLE": "maneuverable",
    "REF_FRAME": "ref_frame",
}
"""Keywords of an object that are attributes of `CdmObject`."""

VECTOR_FIELDS = {
    "relative_position_rtn_m": tuple(f"RELATIVE_POSITION_{axis}" for axis in "RTN"),
    "relative_velocity_rtn_m_s": tuple(f"RELATIVE_VELOCITY_{axis}" for axis in "RTN"),
}
"""Attributes of `Cdm` that take three keywords each."""
