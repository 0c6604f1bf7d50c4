"""A stored event as a conjunction data message, states in EME2000 as most tools expect."""

from __future__ import annotations

import unicodedata

import numpy as np
from jaxtyping import Float

from orbwatch.catalog.cdm import Cdm, CdmObject
from orbwatch.catalog.metadata import object_type
from orbwatch.catalog.store import StoredEvent
from orbwatch.conjunction.risk import covariance_sources
from orbwatch.frames import gcrf_to_eme2000, rtn_matrix, teme_to_gcrf
from orbwatch.time import us_to_jd

ORIGINATOR = "ORBWATCH"
_LONGEST = 200
NO_VELOCITY_COVARIANCE = "VELOCITY COVARIANCE NOT AVAILABLE, ZEROS BELOW. POSITION COVARIANCE IS NOT AN OPERATOR'S:"


def event_cdm(event: StoredEvent, creation_us: int) -> Cdm:
    """The message of an event that `conjunction.risk` made.

    TEME states are turned to EME2000 (through GCRF); position covariances stay in each object's own RTN. The standard
    wants a velocity covariance too: zeros, and a comment that says so. The hard-body radius stands in a comment, as in
    NASA CARA's messages.
    """
    payload = event.payload
    r_rtn, v_rtn = _relative(payload["r_teme_km"], payload["v_teme_km_s"])
    return Cdm(
        tca_us=event.tca_us,
        object1=_object(event, 0),
        object2=_object(event, 1),
        miss_distance_m=event.miss_km * 1e3,
        relative_speed_m_s=event.rel_speed_km_s * 1e3,
        relative_position_rtn_m=r_rtn * 1e3,
        relative_velocity_rtn_m_s=v_rtn * 1e3,
        collision_probability=event.pc,
        collision_probability_method="" if event.pc is None else "FOSTER-1992",
        creation_us=creation_us,
        originator=ORIGINATOR,
        message_id=event.event_key.replace(".", "_"),
        comments={
            "relative": (
                f"HBR = {float(payload['hbr_m'])} m",
                printable(f"HBR SOURCE: {payload['hbr_source']}"),
                f"FLAGS: {' '.join(payload['flags']) or 'none'}",
                *_by_sgp4_alone(event),
            )
        },
    )


def printable(text: str) -> str:
    """As a message may hold it: printable ASCII (accents dropped, '?' for the rest), single blanks, 200 characters.

    A longer text ends with a whole word and dots.
    """
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(one for one in plain if not unicodedata.combining(one)).encode("ascii", "replace").decode()
    text = " ".join("".join(one if one.isprintable() else " " for one in kept).split())
    if len(text) <= _LONGEST:
        return text
    cut = text[: _LONGEST - 4]
    return (cut.rpartition(" ")[0] or cut) + " ..."


def _relative(r_km: list[list[float]], v_km_s: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    r, v = np.array(r_km, float), np.array(v_km_s, float)
    axes = rtn_matrix(r[0], v[0])
    return axes @ (r[1] - r[0]), axes @ (v[1] - v[0])


def _object(event: StoredEvent, i: int) -> CdmObject:
    payload = event.payload
    number, name = ((event.norad_id_1, event.name_1), (event.norad_id_2, event.name_2))[i]
    r, v = _eme2000(np.array(payload["r_teme_km"][i], float), np.array(payload["v_teme_km_s"][i], float), event.tca_us)
    cov = np.zeros((6, 6))
    cov[:3, :3] = payload["cov_rtn_km2"][i]
    return CdmObject(
        designator=str(number),
        r_km=r,
        v_km_s=v,
        ref_frame="EME2000",
        cov_rtn_km2=cov,
        catalog_name="SATCAT",
        name=printable(name) or "UNKNOWN",
        international_designator=printable(payload["object_id"][i]) or "UNKNOWN",
        object_type=object_type(name).upper(),
        ephemeris_name="NONE",
        covariance_method="DEFAULT",
        maneuverable="N/A",
        comments={
            "state_vector": (f"{_state_source(event, i)} {payload['age_day'][i]:.3f} DAYS OLD AT TCA",),
            "covariance": (NO_VELOCITY_COVARIANCE, printable(covariance_sources(event)[i])),
        },
    )


def _state_source(event: StoredEvent, i: int) -> str:
    corrected = event.payload.get("corrected", (False, False))[i]
    return f"SGP4{', CORRECTED BY A FORECASTER,' if corrected else ''} FROM ELEMENTS"


def _by_sgp4_alone(event: StoredEvent) -> tuple[str, ...]:
    """SGP4's own miss, of events of corrected orbits."""
    if "sgp4_miss_km" not in event.payload:
        return ()
    miss_km = event.payload["sgp4_miss_km"]
    return ("MISS BY SGP4 ALONE: " + ("NONE NEARBY" if miss_km is None else f"{miss_km * 1e3:.1f} m"),)


def _eme2000(
    r_teme_km: Float[np.ndarray, "3"], v_teme_km_s: Float[np.ndarray, "3"], tca_us: int
) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    jd, fr = us_to_jd(tca_us)
    r, v = gcrf_to_eme2000(*teme_to_gcrf(r_teme_km, v_teme_km_s, jd, fr))
    return r, v
