"""Events of the store and of messages as what a burn is tried on."""

from __future__ import annotations

import numpy as np

from orbwatch.catalog.cdm import Cdm
from orbwatch.catalog.metadata import DEBRIS, ROCKET_BODY, object_type
from orbwatch.catalog.store import StoredEvent
from orbwatch.conjunction.cdm import frame_of, probabilities, states_of
from orbwatch.conjunction.risk import covariance_sources
from orbwatch.conjunction.what_if import Event
from orbwatch.errors import InputError
from orbwatch.frames import eme2000_to_gcrf, gcrf_to_teme, itrf_to_teme
from orbwatch.settings import RiskSettings
from orbwatch.time import us_to_jd


def of_stored(event: StoredEvent) -> Event:
    """An event that `conjunction.risk` made."""
    payload = event.payload
    return Event(
        key=event.event_key,
        names=(event.name_1 or str(event.norad_id_1), event.name_2 or str(event.norad_id_2)),
        norad_ids=(event.norad_id_1, event.norad_id_2),
        tca_us=event.tca_us,
        r_km=np.array(payload["r_teme_km"], float),
        v_km_s=np.array(payload["v_teme_km_s"], float),
        cov_rtn_km2=np.array(payload["cov_rtn_km2"], float),
        cov_sources=covariance_sources(event),
        hbr_m=float(payload["hbr_m"]),
        hbr_source=str(payload["hbr_source"]),
    )


def of_message(cdm: Cdm, name: str, hbr_m: float | None = None, defaults: RiskSettings | None = None) -> Event:
    """A message's event. name: what to call it, its file, say. Raises InputError where a state is not complete."""
    found = probabilities(cdm, hbr_m=hbr_m, defaults=defaults)
    (r1, v1), (r2, v2) = states_of(cdm)
    jd, fr = us_to_jd(cdm.tca_us)
    frames = {frame_of(part) for part in cdm.objects}
    if frames == {"ITRF"}:
        states = [itrf_to_teme(part.r_km, part.v_km_s, jd, fr) for part in cdm.objects]
    elif frames == {"TEME"}:
        states = [(part.r_km, part.v_km_s) for part in cdm.objects]
    else:
        gcrf = (
            [eme2000_to_gcrf(r, v) for r, v in ((r1, v1), (r2, v2))] if frames == {"EME2000"} else [(r1, v1), (r2, v2)]
        )
        states = [gcrf_to_teme(r[0], v[0], jd, fr) for r, v in gcrf]
    r, v = np.stack([r for r, _ in states]), np.stack([v for _, v in states])
    if not (np.isfinite(r).all() and np.isfinite(v).all()):
        raise InputError(
            "the message's states are not complete", file=name, hint="Without a state nothing can be moved"
        )
    none = np.full((3, 3), np.nan)
    cov = [none if part.cov_rtn_km2 is None else part.cov_rtn_km2[:3, :3] for part in cdm.objects]
    has = (found.encounter.has_cov1[0], found.encounter.has_cov2[0])
    one, two = cdm.objects
    return Event(
        key=cdm.message_id or name,
        names=(one.name or one.designator, two.name or two.designator),
        norad_ids=(one.norad_id or 0, two.norad_id or 0),
        tca_us=cdm.tca_us,
        r_km=r,
        v_km_s=v,
        cov_rtn_km2=np.stack(cov),
        cov_sources=(found.cov_source_1[0] if has[0] else "none", found.cov_source_2[0] if has[1] else "none"),
        hbr_m=float(found.encounter.hbr_km[0] * 1e3),
        hbr_source=found.hbr_source[0],
    )


def can_burn(name: str) -> bool:
    """Whether an object of this name may have an engine that still works: debris and spent stages have none."""
    return object_type(name) not in (DEBRIS, ROCKET_BODY)


def burning_first(event: Event) -> Event:
    """The event with the object that may burn first: the first one, unless only the second may."""
    return event.swapped() if not can_burn(event.names[0]) and can_burn(event.names[1]) else event


def why_burning(event: Event, asked: bool) -> str:
    """Why the first object of the event is the one that burns, in words. asked: somebody said so."""
    if asked:
        return "as asked for"
    own, other = (can_burn(name) for name in event.names)
    if own and other:
        return "the first of the two, either may have an engine; --burns 2 tries the other"
    if own:
        return f"the other, {event.names[1]}, is debris or a spent stage by its name"
    return "the first of the two, though neither has an engine by its name"
