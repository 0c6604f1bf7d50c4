"""The keywords of the Conjunction Data Message: order, block, unit, whether obligatory, legal values.

CCSDS 508.0-B-1 (June 2013, corrigenda to 2018), tables 3-1 to 3-4. Keywords that only version 2 of the message has
(CCSDS 508.0, issue 2, in its draft "pink book" form) carry `since = 2`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keyword:
    """One keyword of the standard."""

    key: str
    """As written in the message."""
    block: str
    """Block of the message that it belongs to."""
    kind: str
    """text, time, real or int."""
    unit: str | None
    """The standard's unit, None for a pure number, text or time."""
    needed: bool
    """Obligatory."""
    since: int
    """First major version that has it."""
    legal: tuple[str, ...]
    """Legal values; empty when free."""
    name: str
    """Key in the mapping `more` of the message: lower case, unit last (`tca_us`, `area_pc_m2`)."""


HEADER_BLOCKS = ("header", "relative")
OBJECT_BLOCKS = (
    "metadata",
    "od_parameters",
    "additional_parameters",
    "state_vector",
    "covariance",
    "covariance_xyz",
    "covariance_metadata",
)

SHARED_WITH_XYZ = frozenset({"CDRG_DRG", "CSRP_DRG", "CSRP_SRP", "CTHR_DRG", "CTHR_SRP", "CTHR_THR"})
"""Covariances between parameters stand in both covariance blocks."""

_SUFFIX = {
    "m": "m",
    "m/s": "m_s",
    "km": "km",
    "km/s": "km_s",
    "deg": "deg",
    "d": "day",
    "%": "percent",
    "kg": "kg",
    "m**2": "m2",
    "m**2/s": "m2_s",
    "m**2/s**2": "m2_s2",
    "m**2/s**3": "m2_s3",
    "m**2/s**4": "m2_s4",
    "m**2/kg": "m2_kg",
    "m/s**2": "m_s2",
    "W/kg": "w_kg",
    "m**3/kg": "m3_kg",
    "m**3/(kg*s)": "m3_kg_s",
    "m**3/(kg*s**2)": "m3_kg_s2",
    "m**4/kg**2": "m4_kg2",
}

_YES_NO = "YES|NO"

# One keyword a line: key, kind or unit, then "!" when obligatory, "2" when only in version 2, legal values with "|".
_TABLE = {
    "header": """
        CREATION_DATE time !
        ORIGINATOR text !
        MESSAGE_FOR text
        MESSAGE_ID text !
        CLASSIFICATION text 2
    """,
    "relative": """
        CONJUNCTION_ID text 2
        TCA time !
        MISS_DISTANCE m !
        MAHALANOBIS_DISTANCE real 2
        RELATIVE_SPEED m/s
        RELATIVE_POSITION_R m
        RELATIVE_POSITION_T m
        RELATIVE_POSITION_N m
        RELATIVE_VELOCITY_R m/s
        RELATIVE_VELOCITY_T m/s
        RELATIVE_VELOCITY_N m/s
        APPROACH_ANGLE deg 2
        START_SCREEN_PERIOD time
        STOP_SCREEN_PERIOD time
        SCREEN_TYPE text 2 SHAPE|PC|PC_MAX
        SCREEN_VOLUME_FRAME text RTN|TVN
        SCREEN_VOLUME_SHAPE text ELLIPSOID|BOX
        SCREEN_VOLUME_RADIUS m 2
        SCREEN_VOLUME_X m
        SCREEN_VOLUME_Y m
        SCREEN_VOLUME_Z m
        SCREEN_ENTRY_TIME time
        SCREEN_EXIT_TIME time
        SCREEN_PC_THRESHOLD real 2
        COLLISION_PERCENTILE text 2
        COLLISION_PROBABILITY real
        COLLISION_PROBABILITY_METHOD text
        COLLISION_MAX_PROBABILITY real 2
        COLLISION_MAX_PC_METHOD text 2
        SEFI_COLLISION_PROBABILITY real 2
        SEFI_COLLISION_PROBABILITY_METHOD text 2
        SEFI_FRAGMENTATION_MODEL text 2
        PREVIOUS_MESSAGE_ID text 2
        PREVIOUS_MESSAGE_EPOCH time 2
        NEXT_MESSAGE_EPOCH time 2
    """,
    "metadata": f"""
        OBJECT text ! OBJECT1|OBJECT2
        OBJECT_DESIGNATOR text !
        CATALOG_NAME text !
        OBJECT_NAME text !
        INTERNATIONAL_DESIGNATOR text !
        OBJECT_TYPE text PAYLOAD|ROCKET_BODY|DEBRIS|UNKNOWN|OTHER
        OPERATOR_CONTACT_POSITION text
        OPERATOR_ORGANIZATION text
        OPERATOR_PHONE text
        OPERATOR_EMAIL text
        EPHEMERIS_NAME text !
        COVARIANCE_METHOD text ! CALCULATED|DEFAULT
        COVARIANCE_SOURCE text 2
        ODM_MSG_LINK text 2
        ADM_MSG_LINK text 2
        OBS_BEFORE_NEXT_MESSAGE text 2 {_YES_NO}
        MANEUVERABLE text ! {_YES_NO}|N/A
        ORBIT_CENTER text
        REF_FRAME text ! GCRF|EME2000|ITRF
        ALT_COV_TYPE text 2 XYZ|CSIG3EIGVEC3
        ALT_COV_REF_FRAME text 2
        GRAVITY_MODEL text
        ATMOSPHERIC_MODEL text
        N_BODY_PERTURBATIONS text
        SOLAR_RAD_PRESSURE text {_YES_NO}
        EARTH_TIDES text {_YES_NO}
        INTRACK_THRUST text {_YES_NO}
    """,
    "od_parameters": """
        TIME_LASTOB_START time
        TIME_LASTOB_END time
        RECOMMENDED_OD_SPAN d
        ACTUAL_OD_SPAN d
        OBS_AVAILABLE int
        OBS_USED int
        TRACKS_AVAILABLE int
        TRACKS_USED int
        RESIDUALS_ACCEPTED %
        WEIGHTED_RMS real
        OD_EPOCH time 2
    """,
    "additional_parameters": """
        AREA_PC m**2
        AREA_PC_MIN m**2 2
        AREA_PC_MAX m**2 2
        AREA_DRG m**2
        AREA_SRP m**2
        OEB_PARENT_FRAME text 2
        OEB_PARENT_FRAME_EPOCH time 2
        OEB_Q1 real 2
        OEB_Q2 real 2
        OEB_Q3 real 2
        OEB_QC real 2
        OEB_MAX m 2
        OEB_INT m 2
        OEB_MIN m 2
        AREA_ALONG_OEB_MAX m**2 2
        AREA_ALONG_OEB_INT m**2 2
        AREA_ALONG_OEB_MIN m**2 2
        RCS m**2 2
        RCS_MIN m**2 2
        RCS_MAX m**2 2
        VM_ABSOLUTE real 2
        VM_APPARENT_MIN real 2
        VM_APPARENT real 2
        VM_APPARENT_MAX real 2
        REFLECTANCE real 2
        MASS kg
        HBR m 2
        CD_AREA_OVER_MASS m**2/kg
        CR_AREA_OVER_MASS m**2/kg
        THRUST_ACCELERATION m/s**2
        SEDR W/kg
        APOAPSIS_ALTITUDE km 2
        PERIAPSIS_ALTITUDE km 2
        INCLINATION deg 2
        COV_CONFIDENCE real 2
        COV_CONFIDENCE_METHOD text 2
    """,
    "state_vector": """
        X km !
        Y km !
        Z km !
        X_DOT km/s !
        Y_DOT km/s !
        Z_DOT km/s !
    """,
    "covariance_metadata": """
        CSIG3EIGVEC3 text 2
        DENSITY_FORECAST_UNCERTAINTY real 2
        CSCALE_FACTOR_MIN real 2
        CSCALE_FACTOR real 2
        CSCALE_FACTOR_MAX real 2
        SCREENING_DATA_SOURCE text 2
        DCP_SENSITIVITY_VECTOR_POSITION text 2
        DCP_SENSITIVITY_VECTOR_VELOCITY text 2
    """,
}


def _covariance(axes: str) -> list[tuple[str, str]]:
    """Key and unit of the lower triangle of a 9 x 9 covariance, row by row: state, drag, radiation pressure, thrust."""
    state = [*axes, *(f"{axis}DOT" for axis in axes)]
    rows = [(name, state[: i + 1]) for i, name in enumerate(state)]
    rows += [("DRG", [*state, "DRG"]), ("SRP", [*state, "DRG", "SRP"]), ("THR", [*state, "DRG", "SRP", "THR"])]
    unit = {"DRG": "m**2/kg", "SRP": "m**2/kg", "THR": "m/s**2"} | {n: "m/s" if "DOT" in n else "m" for n in state}
    product = {
        ("m", "m"): "m**2",
        ("m/s", "m"): "m**2/s",
        ("m/s", "m/s"): "m**2/s**2",
        ("m**2/kg", "m"): "m**3/kg",
        ("m**2/kg", "m/s"): "m**3/(kg*s)",
        ("m**2/kg", "m**2/kg"): "m**4/kg**2",
        ("m/s**2", "m"): "m**2/s**2",
        ("m/s**2", "m/s"): "m**2/s**3",
        ("m/s**2", "m**2/kg"): "m**3/(kg*s**2)",
        ("m/s**2", "m/s**2"): "m**2/s**4",
    }
    return [(f"C{row}_{column}", product[unit[row], unit[column]]) for row, columns in rows for column in columns]


def _name(key: str, block: str, kind: str, unit: str | None) -> str:
    prefix = "xyz_" if block == "covariance_xyz" and key in SHARED_WITH_XYZ else ""
    suffix = "us" if kind == "time" else _SUFFIX.get(unit or "", "")
    return f"{prefix}{key.lower()}{'_' if suffix else ''}{suffix}"


def _keywords(block: str) -> list[Keyword]:
    if block in ("covariance", "covariance_xyz"):
        axes, since = ("RTN", 1) if block == "covariance" else ("XYZ", 2)
        return [
            Keyword(key, block, "real", unit, since == 1 and i < 21, since, (), _name(key, block, "real", unit))
            for i, (key, unit) in enumerate(_covariance(axes))
        ]
    keywords = []
    for row in _TABLE[block].strip().split("\n"):
        key, kind, *flags = row.split()
        values = flags[-1] if flags and flags[-1] not in ("!", "2") else ""
        legal = tuple((values.replace("_", " ") if key == "OBJECT_TYPE" else values).split("|")) if values else ()
        unit = None if kind in ("text", "time", "real", "int") else kind
        since, name = 1 + ("2" in flags), _name(key, block, kind, unit)
        keywords.append(Keyword(key, block, "real" if unit else kind, unit, "!" in flags, since, legal, name))
    return keywords


KEYWORDS: dict[str, tuple[Keyword, ...]] = {
    block: tuple(_keywords(block)) for block in (*HEADER_BLOCKS, *OBJECT_BLOCKS)
}
"""All keywords by block, in the order of the standard."""

MESSAGE_KEYS = {word.key: word for block in HEADER_BLOCKS for word in KEYWORDS[block]}
OBJECT_KEYS = {word.key: word for block in reversed(OBJECT_BLOCKS) for word in KEYWORDS[block]}
XYZ_KEYS = {word.key: word for word in KEYWORDS["covariance_xyz"]}

COVARIANCE_KEYS = tuple(word.key for word in KEYWORDS["covariance"][:21])
"""Lower triangle of the 6 x 6 covariance, row by row."""
STATE_KEYS = tuple(word.key for word in KEYWORDS["state_vector"])
