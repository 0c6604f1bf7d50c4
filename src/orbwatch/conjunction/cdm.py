"""Probability of collision of a conjunction data message, from its own states, covariances and radius."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float

from orbwatch.catalog.cdm import Cdm, CdmObject, hbr
from orbwatch.catalog.metadata import TYPES, hard_body
from orbwatch.conjunction.cdm_limits import refuse_impossible, refuse_impossible_variances
from orbwatch.conjunction.event import PcResult, Probabilities, assess
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.frames import eme2000_to_gcrf, itrf_to_gcrf, itrf_with_inertial_velocity, teme_to_gcrf
from orbwatch.settings import RiskSettings
from orbwatch.time import format_utc, us_to_jd

State = tuple[Float[np.ndarray, "1 3"], Float[np.ndarray, "1 3"]]


def assess_cdm(cdm: Cdm, *, hbr_m: float | None = None, defaults: RiskSettings | None = None) -> list[PcResult]:
    """All 2-D probabilities of one message, Foster's circle last.

    `hbr_m`: combined hard-body radius to use instead of the message's own (`catalog.cdm.hbr`); a message without one
    falls back on the defaults by object type (`catalog.metadata`). The source is in each result.
    """
    return probabilities(cdm, hbr_m=hbr_m, defaults=defaults).results(0)


def pc_record(
    cdm: Cdm,
    file: str | Path,
    *,
    hbr_m: float | None = None,
    defaults: RiskSettings | None = None,
    found: Probabilities | None = None,
) -> dict[str, object]:
    """What `orbwatch cdm pc --format json` prints for a file; plain values, ready for JSON.

    found: the message's `probabilities`, where they are known already.
    """
    found = found or probabilities(cdm, hbr_m=hbr_m, defaults=defaults)
    return {
        "file": str(file),
        "tca_utc": format_utc(cdm.tca_us),
        "miss_m": _finite(found.encounter.miss_distance_km[0] * 1e3),
        "rel_speed_m_s": _finite(found.encounter.rel_speed_km_s[0] * 1e3),
        "hbr_m": _finite(found.encounter.hbr_km[0] * 1e3),
        "hbr_source": found.hbr_source[0],
        "results": [
            {"method": one.method, "kind": one.kind, "pc": one.pc, "flags": list(one.flags)} for one in found.results(0)
        ],
    }


def probabilities(cdm: Cdm, *, hbr_m: float | None = None, defaults: RiskSettings | None = None) -> Probabilities:
    """As `assess_cdm`, with the encounter itself: one row. Raises InputError for numbers that none can be."""
    refuse_impossible(cdm)
    refuse_impossible_variances(cdm)
    (r1, v1), (r2, v2) = states_of(cdm)
    radius_m, source = combined_radius(cdm, hbr_m, defaults)
    covariances = [None if one.cov_rtn_km2 is None else one.cov_rtn_km2[None] for one in cdm.objects]
    ages = [np.array([_covariance_age_day(cdm, one)]) for one in cdm.objects]
    labels = [f"CDM, {one.covariance_method}" if one.covariance_method else "CDM" for one in cdm.objects]
    return assess(
        r1,
        v1,
        covariances[0],
        r2,
        v2,
        covariances[1],
        np.array([radius_m]),
        hbr_source=source,
        cov_source_1=labels[0],
        cov_source_2=labels[1],
        cov_age_day_1=ages[0],
        cov_age_day_2=ages[1],
        threads=1,
    )


def states_of(cdm: Cdm) -> tuple[State, State]:
    """Both states in one set of axes, with inertial velocities: RTN and the encounter plane need no more.

    Raises InputError for a frame that is not known.
    """
    given = [(part.r_km[None], part.v_km_s[None]) for part in cdm.objects]
    one, two = (frame_of(part) for part in cdm.objects)
    if one == two == "ITRF":
        return itrf_with_inertial_velocity(*given[0]), itrf_with_inertial_velocity(*given[1])
    if one == two:
        return given[0], given[1]
    return _gcrf(one, given[0], cdm.tca_us), _gcrf(two, given[1], cdm.tca_us)


_FRAMES = {"GCRF": "GCRF", "ICRF": "GCRF", "EME2000": "EME2000", "J2000": "EME2000", "TEME": "TEME", "ITRF": "ITRF"}
_REALIZATION = re.compile(r"ITRF(19|20)?\d\d", re.ASCII)


def frame_of(part: CdmObject) -> str:
    """GCRF, EME2000, TEME or ITRF, as which the frame of a state counts. Raises InputError for any other."""
    name = "".join(one for one in part.ref_frame.upper() if one.isalnum())
    if _REALIZATION.fullmatch(name):
        return "ITRF"
    if name not in _FRAMES:
        legal = ", ".join(_FRAMES)
        what, line = "the frame of a state is not known", part.lines.get("REF_FRAME")
        raise InputError(what, None, line, "REF_FRAME", part.ref_frame, legal=legal)
    return _FRAMES[name]


def _gcrf(frame: str, state: State, tca_us: int) -> State:
    if frame in ("ITRF", "TEME"):
        turn = itrf_to_gcrf if frame == "ITRF" else teme_to_gcrf
        return turn(*state, *us_to_jd(tca_us))
    return eme2000_to_gcrf(*state) if frame == "EME2000" else state


def combined_radius(cdm: Cdm, hbr_m: float | None, defaults: RiskSettings | None) -> tuple[float, str]:
    """Combined hard-body radius in metres, and its source: given, the message's own, or by the objects' types."""
    if hbr_m is not None:
        return hbr_m, "given"
    own = hbr(cdm)
    if own is not None:
        return own
    types = {i: part.object_type.lower() for i, part in enumerate(cdm.objects) if part.object_type.lower() in TYPES}
    names = np.array([part.name for part in cdm.objects])
    bodies = hard_body(np.array([0, 1]), names, types=types, defaults=defaults)
    total, labels = bodies.combined(np.array([0]), np.array([1]))
    return float(total[0]), labels[0]


def _covariance_age_day(cdm: Cdm, part: CdmObject) -> float:
    """From the last observation used to the closest approach, days; NaN when the message does not say."""
    last = part.more.get("time_lastob_end_us")
    return (cdm.tca_us - last) / DAY_US if isinstance(last, int) else float("nan")


def _finite(value: np.floating) -> float | None:
    return float(value) if np.isfinite(value) else None
