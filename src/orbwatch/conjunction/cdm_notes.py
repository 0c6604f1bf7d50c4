"""What was repaired, turned or assumed before a message could be assessed, and what in it does not fit: in words."""

from __future__ import annotations

import numpy as np

from orbwatch.catalog.cdm import Cdm, unread_radii
from orbwatch.conjunction.cdm_contradictions import contradictions
from orbwatch.conjunction.event import Probabilities

_LATE_S = 1.0
_DECAYED_KM = 6378.137


def repair(flat: Probabilities) -> str | None:
    """What was done to covariances that are none."""
    if flat.flags["remediated"][0]:
        return "eigenvalues of the combined covariance below (1e-4 hard-body radius)^2 were raised to it"
    if flat.flags["non_positive_definite"][0]:
        return "none needed in the encounter plane, although a covariance is not positive definite as given"
    return None


def notes(cdm: Cdm, flat: Probabilities) -> list[str]:
    """Everything that a reader should know of the message, but no flag says."""
    found = [*_covariances(cdm), *_disagreements(cdm, flat)]
    fixed = repair(flat)
    if fixed is not None:
        found.append(f"covariance repair: {fixed}")
    frames = {part.ref_frame for part in cdm.objects}
    if any(frame.upper().startswith("ITRF") for frame in frames):
        found.append("states fixed to the Earth: velocities were made inertial before RTN axes were built")
    if len(frames) > 1:
        found.append(f"states in {' and '.join(sorted(frames))}: turned to GCRF")
    if flat.hbr_source[0].startswith("default"):
        found.append(f"the message gives no hard-body radius: {flat.hbr_source[0]}")
    return [*found, *warnings(cdm)]


def warnings(cdm: Cdm) -> list[str]:
    """Those of the notes that say that something in the message was not understood."""
    found = [f"a comment about a radius that cannot be read, ignored: {text}" for text in unread_radii(cdm)]
    for keys, name in ((cdm.unknown, "message"), (cdm.object1.unknown, "object 1"), (cdm.object2.unknown, "object 2")):
        if keys:
            found.append(f"keywords of the {name} that the standard does not have, ignored: {', '.join(sorted(keys))}")
    return found


def _covariances(cdm: Cdm) -> list[str]:
    found = []
    for number, part in enumerate(cdm.objects, 1):
        cov = part.cov_rtn_km2
        if cov is None:
            found.append(f"object {number} has no covariance")
        elif not np.isfinite(cov).all():
            found.append(f"the covariance of object {number} has no velocity part, or not all of it")
    return found


def _disagreements(cdm: Cdm, flat: Probabilities) -> list[str]:
    """Where the message contradicts itself."""
    found = contradictions(cdm, flat)
    shift_s = float(flat.encounter.tca_shift_s[0])
    if abs(shift_s) > _LATE_S:
        found.append(f"the states are {abs(shift_s):.3g} s from their closest approach: moved there in straight lines")
    for number, part in enumerate(cdm.objects, 1):
        height = float(np.linalg.norm(part.r_km)) - _DECAYED_KM
        if height < 0.0:
            found.append(f"object {number} is {-height:.4g} km below the equator's radius")
    return found
