"""A message written again with what was found: our probability, method, category and flags, by the standard."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from orbwatch.catalog.cdm import Cdm, CdmObject
from orbwatch.conjunction.cdm import frame_of
from orbwatch.conjunction.choice import SHORT
from orbwatch.conjunction.message import ORIGINATOR, printable
from orbwatch.frames import teme_to_gcrf
from orbwatch.time import format_utc, us_to_jd

METHODS = {
    "foster_1992": "FOSTER-1992",
    "hall_2021_nc2d": "HALL-2021-NC2D",
    "hall_2021_nc3d": "HALL-2021-NC3D",
    "monte_carlo": "MONTE-CARLO",
    "frisbee_2015": "FRISBEE-2015",
}
"""Names of our methods in messages."""

_TYPES = ("PAYLOAD", "ROCKET BODY", "DEBRIS", "UNKNOWN", "OTHER")
_ZEROS = "NO VELOCITY COVARIANCE IN THE MESSAGE THIS WAS MADE FROM: ZEROS BELOW"


def reassessed(cdm: Cdm, entry: Mapping[str, Any], now_us: int) -> Cdm:
    """The message with our result, ready for `catalog.cdm_write.write_cdm`.

    entry: of `cdm_event.entries`. Miss, speed and relative state are those of the states; the originator is this
    package, the first comments say from whose message; keywords that the standard does not have go into comments;
    obligatory texts that were missing are UNKNOWN. The writer still refuses what cannot be told: a missing covariance.
    """
    pc, chosen = entry["pc"], entry["chosen"]
    own = chosen in METHODS
    if chosen == "given" and entry["contradictions"]:
        # Written with the miss of its states, its own probability would lose what speaks for it.
        entry = {**entry, "miss_m": cdm.miss_distance_m, "rel_speed_m_s": cdm.relative_speed_m_s}
    miss_rtn, speed = entry["miss_rtn_m"], entry["rel_speed_m_s"]
    if entry["hbr_source"] == "given":
        cdm = replace(cdm, object1=_without_radius(cdm.object1), object2=_without_radius(cdm.object2))
    comments = dict(_kept(cdm.comments, entry["hbr_source"] == "given"))
    comments["relative"] = (*comments.get("relative", ()), *_comments(cdm, entry))
    version = cdm.version if cdm.version in ("1.0", "2.0") else "1.0"
    user = "" if version == "2.0" else "USER_DEFINED_"
    leftovers = {**cdm.unknown, **({f"{user}{key}": text for key, text in cdm.user_defined.items()} if user else {})}
    comments["relative"] += tuple(_not_standard(leftovers))
    return replace(
        cdm,
        version=version,
        creation_us=now_us,
        originator=ORIGINATOR,
        message_id=printable(f"{cdm.message_id or 'UNKNOWN'}_ORBWATCH"),
        message_for=printable(cdm.message_for),
        miss_distance_m=entry["miss_m"] if entry["miss_m"] is not None else cdm.miss_distance_m,
        relative_speed_m_s=speed if speed is not None else cdm.relative_speed_m_s,
        relative_position_rtn_m=None if miss_rtn is None else np.array(miss_rtn),
        relative_velocity_rtn_m_s=None if miss_rtn is None else np.array(entry["velocity_rtn_m_s"]),
        collision_probability=pc,
        collision_probability_method=METHODS[chosen] if own else printable(cdm.collision_probability_method),
        object1=_object(cdm.object1, cdm.tca_us),
        object2=_object(cdm.object2, cdm.tca_us),
        comments=_printable(comments),
        unknown={},
        user_defined=cdm.user_defined if version == "2.0" else {},
    )


def _printable(comments: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {block: tuple(printable(text) for text in texts) for block, texts in comments.items()}


def _kept(comments: Mapping[str, tuple[str, ...]], radius_given: bool) -> dict[str, tuple[str, ...]]:
    """Comments without the combined radius, where another was given."""
    if not radius_given:
        return dict(comments)
    return {
        block: tuple(text for text in texts if not text.upper().startswith("HBR")) for block, texts in comments.items()
    }


def _without_radius(part: CdmObject) -> CdmObject:
    return replace(part, comments=_kept(part.comments, True))


def _comments(cdm: Cdm, entry: Mapping[str, Any]) -> Iterator[str]:
    created = "" if cdm.creation_us is None else f" CREATED {format_utc(cdm.creation_us, 0)}"
    yield f"ASSESSED FROM MESSAGE {cdm.message_id or 'UNKNOWN'} OF {cdm.originator or 'UNKNOWN'}{created}"
    if entry["hbr_m"] is not None and entry["hbr_source"] != "CDM comment HBR":
        yield f"HBR = {entry['hbr_m']} [m]"
    yield f"HBR SOURCE: {entry['hbr_source']}"
    for one in entry["results"]:
        value = "none" if one["pc"] is None else f"{one['pc']:.6e}"
        if one["interval"] is not None:
            value += f" (95 PERCENT: {one['interval'][0]:.3e} TO {one['interval'][1]:.3e})"
        yield f"PC {SHORT[one['method']]}: {value}{' ' if one['flags'] else ''}{' '.join(one['flags'])}"
    yield f"PC CHOSEN: {entry['chosen'] or 'none'}"
    yield f"REASON: {entry['reason']}"
    yield f"CATEGORY: {entry['category']}"
    if entry["largest"] is not None:
        yield f"LARGEST PC: {entry['largest']['words']}"
    for note in entry["notes"]:
        yield f"NOTE: {note}"


def _not_standard(keys: Mapping[str, str]) -> Iterator[str]:
    for key, text in keys.items():
        yield f"NOT A STANDARD KEYWORD: {key} = {text}"


def _object(part: CdmObject, tca_us: int) -> CdmObject:
    frame, r, v = frame_of(part), part.r_km, part.v_km_s
    if frame == "TEME":
        r, v = teme_to_gcrf(r, v, *us_to_jd(tca_us))
        frame = "GCRF"
    cov = part.cov_rtn_km2
    comments = _printable(part.comments)
    if cov is not None and not np.isfinite(cov[3:]).all():
        whole = np.zeros((6, 6))
        whole[:3, :3] = cov[:3, :3]
        cov = whole
        comments["covariance"] = (*comments.get("covariance", ()), _ZEROS)
    if part.unknown:
        comments["metadata"] = (
            *comments.get("metadata", ()),
            *(printable(text) for text in _not_standard(part.unknown)),
        )
    kind = part.object_type.upper().replace("_", " ")
    return replace(
        part,
        r_km=np.asarray(r),
        v_km_s=np.asarray(v),
        ref_frame=frame,
        cov_rtn_km2=cov,
        designator=printable(part.designator) or "UNKNOWN",
        catalog_name=printable(part.catalog_name) or "UNKNOWN",
        name=printable(part.name) or "UNKNOWN",
        international_designator=printable(part.international_designator) or "UNKNOWN",
        object_type=kind if kind in _TYPES else "UNKNOWN" if kind else "",
        ephemeris_name=printable(part.ephemeris_name) or "NONE",
        covariance_method=part.covariance_method if part.covariance_method in ("CALCULATED", "DEFAULT") else "DEFAULT",
        maneuverable=part.maneuverable if part.maneuverable in ("YES", "NO", "N/A") else "N/A",
        more={name: value for name, value in part.more.items() if not isinstance(value, float) or math.isfinite(value)},
        comments=comments,
        unknown={},
    )
