"""A message assessed: probability of collision by every method that its data allows, and which one to believe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from orbwatch.catalog.cdm import Cdm
from orbwatch.catalog.cdm_public import CdmPublic
from orbwatch.conjunction.cdm import combined_radius, probabilities
from orbwatch.conjunction.cdm_bounds import largest
from orbwatch.conjunction.cdm_contradictions import contradictions, far_apart
from orbwatch.conjunction.cdm_geometry import miss_geometry, plane_sigmas
from orbwatch.conjunction.cdm_limits import refuse_impossible, refuse_impossible_radius
from orbwatch.conjunction.cdm_notes import notes, repair, warnings
from orbwatch.conjunction.cdm_row import Row, curved_row, rtn_turn
from orbwatch.conjunction.choice import HOLDS, SHORT, Candidate, cheapest_valid
from orbwatch.conjunction.curved_pair import Cross
from orbwatch.conjunction.encounter import encounter
from orbwatch.conjunction.monte_carlo import Trials, monte_carlo
from orbwatch.conjunction.probability import foster_1992
from orbwatch.conjunction.probability_nc import Expected, coppola_2012, hall_2021_nc3d
from orbwatch.conjunction.probability_nc2d import hall_2021_nc2d
from orbwatch.conjunction.shared_error import shared_errors_rtn
from orbwatch.conjunction.validity import INACCURATE, hall_2023_validity
from orbwatch.settings import RiskSettings

FLAGS: Mapping[str, str] = {
    "inaccurate": "the method's value differs from what it approximates",
    "offset": "collisions are likeliest too far in time from the closest approach",
    "extended": "the encounter lasts too long",
    "other_encounters": "the two come near each other more than once in this part of the orbit",
    "not_as_trials": "Monte Carlo trials of the same message rule it out",
    "no_velocity_covariance": "no covariance of the velocity, or none with the position: straight paths only",
    "default_covariance": "a covariance of ten Earth radii stands for none",
    "negative_variance": "a variance is negative: straight paths only",
    "not_asked": "curved paths were not looked at",
    "not_computed": "the numbers of the message do not allow it",
    "no_covariance": "the message's own probability, which nothing in it allows to check",
}
"""What the flags mean that `conjunction.event.FLAGS`, `probability_nc.STATUS` and `monte_carlo.STATUS` do not list."""

_LONG_3D, _OFFSET_3D = 0.5, 0.75  # of the segment: NASA CARA's limits of the 3D-Nc's use


_SOUND = ("ok", "importance")  # of Monte Carlo

_DOUBTS_2D = frozenset({"low_relative_speed", "long_encounter", "non_positive_definite", "single_covariance"})
"""Flags that speak against the 2-D value where curved paths cannot be looked at."""


def assess_message(
    cdm: Cdm,
    *,
    settings: RiskSettings,
    hbr_m: float | None = None,
    samples: int = 100_000,
    seed: int = 0,
    curved: bool = True,
) -> dict[str, Any]:
    """Results and choice of one message, as `orbwatch cdm assess` prints them; plain values.

    Each result has method, pc (None: there is none), interval (95 %, of Monte Carlo) and flags; `given` is the
    message's own. Curved paths need a covariance of position and velocity of both objects; `curved` false leaves them
    out (quick). With one covariance the
    largest value over the other is chosen (Frisbee 2015), without any the message's own; so also where the states are
    far from the message's own miss distance and its own value is above theirs. `shared_density_error`: the
    same with what both objects' errors have in common, where the message says it; never chosen, as in NASA CARA's own
    practice. Raises InputError for a frame that is not known and for impossible numbers (`cdm_limits`).
    """
    refuse_impossible(cdm)  # before anything is computed from them
    refuse_impossible_radius(*combined_radius(cdm, hbr_m, settings))
    flat = probabilities(cdm, hbr_m=hbr_m, defaults=settings)
    flags = list(flat.flags_of(0))
    pc = _finite(flat.circle[0])
    results = [_result("foster_1992", pc, flags)]
    candidates = [Candidate("foster_1992", pc, tuple(flag for flag in flags if flag in _DOUBTS_2D))]
    row, lacking = curved_row(cdm, flat) if curved else (None, "not_asked")
    shared: list[dict[str, Any]] = []
    counted = ""
    if row is not None and "missing_state" not in flags:
        with np.errstate(all="ignore"):
            try:
                results, candidates, counted = _curved(row, pc, flags, samples, seed)
                shared = _shared(cdm, row)
            except np.linalg.LinAlgError:
                lacking = "not_computed"
    if lacking:
        results[0]["flags"].append(lacking)
    chosen, reason = cheapest_valid(candidates)
    if lacking and chosen:
        reason = f"{FLAGS[lacking]}; {reason}"
    if chosen in ("hall_2021_nc3d", "monte_carlo"):
        reason = f"{reason}; {counted}"
    bound = largest(flat)
    if bound is not None and bound["method"] == "frisbee_2015":
        results.append(_result("frisbee_2015", bound["pc"], ["single_covariance"]))
        chosen, reason = "frisbee_2015", f"one object has no covariance (single_covariance): {bound['words']}"
    given = cdm.collision_probability
    if given is not None and 0.0 <= given <= 1.0:
        results.append(_result("given", given, [] if chosen else ["no_covariance"]))
        if chosen is None:
            chosen, reason = "given", f"{reason}: the message's own ({cdm.collision_probability_method or 'no method'})"
    value = next((one["pc"] for one in results if one["method"] == chosen), None)
    if bound is not None and bound.get("diluted") and value is not None and bound["pc"] > value:
        reason = f"{reason}; {bound['words']}"
    against = contradictions(cdm, flat)
    if against:
        words = "; ".join(against)
        own = next((one["pc"] for one in results if one["method"] == "given"), None)
        if own is not None and chosen not in (None, "given") and far_apart(cdm, flat) and own > (value or 0.0):
            of_states = f"{value:.1e} by {SHORT[chosen]}" if chosen and value is not None else "none"
            reason = f"{words}: the message's own probability is taken, above that of its states, {of_states}"
            chosen, value = "given", own
            bound = None if bound is None else {**bound, "words": f"of its states {bound['words']}"}
        else:
            reason = f"{words}; {reason.replace(HOLDS, ', of states that contradict the message')}"
    geometry = miss_geometry(cdm, flat)
    return {
        "results": results,
        "shared_density_error": shared,
        "chosen": chosen,
        "reason": reason,
        "pc": value,
        "largest": bound,
        "hbr_m": _finite(flat.encounter.hbr_km[0] * 1e3),
        "hbr_source": flat.hbr_source[0],
        "miss_m": _finite(flat.encounter.miss_distance_km[0] * 1e3),
        "rel_speed_m_s": _finite(flat.encounter.rel_speed_km_s[0] * 1e3),
        "miss_rtn_m": None if geometry is None else _list(geometry.miss_rtn_km * 1e3),
        "velocity_rtn_m_s": None if geometry is None else _list(geometry.velocity_rtn_km_s * 1e3),
        "sigma_rtn_m": None
        if geometry is None or geometry.sigma_rtn_km is None
        else _list(geometry.sigma_rtn_km * 1e3),
        "cov_miss_rtn_m2": None
        if geometry is None or geometry.cov_rtn_km2 is None
        else [_list(row) for row in geometry.cov_rtn_km2 * 1e6],
        "mahalanobis": None if geometry is None else geometry.mahalanobis,
        "mahalanobis_plane": plane_sigmas(flat),
        "repair": repair(flat),
        "contradictions": against,
        "notes": notes(cdm, flat),
        "warnings": warnings(cdm),
    }


def assess_public(row: CdmPublic) -> dict[str, Any]:
    """The same of a row of `cdm_public`, which gives no state and no covariance: its own probability, labelled so."""
    pc = row.collision_probability
    pc = pc if pc is not None and 0.0 <= pc <= 1.0 else None
    return {
        "results": [_result("given", pc, ["no_covariance"])],
        "shared_density_error": [],
        "chosen": None if pc is None else "given",
        "reason": "no states and no covariance: "
        + ("no probability" if pc is None else "the probability is the message's own, computed elsewhere"),
        "pc": pc,
        "largest": None,
        "hbr_m": None,
        "hbr_source": "unknown",
        "miss_m": row.miss_distance_m,
        "rel_speed_m_s": None,
        "miss_rtn_m": None,
        "velocity_rtn_m_s": None,
        "sigma_rtn_m": None,
        "cov_miss_rtn_m2": None,
        "mahalanobis": None,
        "mahalanobis_plane": None,
        "repair": None,
        "contradictions": [],
        "notes": ["a row of cdm_public: no states, no covariance"],
        "warnings": [],
    }


def _result(
    method: str, pc: float | None, flags: Sequence[str], interval: tuple[float, float] | None = None
) -> dict[str, Any]:
    return {"method": method, "pc": pc, "interval": None if interval is None else list(interval), "flags": list(flags)}


def _curved(
    row: Row, pc: float | None, flags: list[str], samples: int, seed: int
) -> tuple[list[dict[str, Any]], list[Candidate], str]:
    """Results, what may be chosen of them, and in words the time that the methods beyond one encounter look at."""
    validity = hall_2023_validity(*row)
    short = hall_2021_nc2d(*row, validity)
    whole = hall_2021_nc3d(*row, whole=short.lengthy)
    straight = coppola_2012(*row)
    others = _others(whole, straight)
    if others:
        whole = hall_2021_nc3d(*row, steps="converged")
    doubts = [
        _names(validity.violated(0)) + others,
        _names(short.violated(0)) + others + _status(short.status[0]),
        _doubts_3d(whole) + _status(whole.status[0]),
    ]
    values = [pc, _finite(short.pc[0]), _finite(whole.pc[0])]
    names = ("foster_1992", "hall_2021_nc2d", "hall_2021_nc3d")
    trials = monte_carlo(*row, validity.bottoms, whole.pc, samples=samples, seed=seed) if samples > 0 else None
    if trials is not None:
        doubts = [one + _ruled_out(value, trials) for one, value in zip(doubts, values, strict=True)]
    results = [
        _result(name, value, [*(flags if name == "foster_1992" else ()), *(one for one in doubt if one not in flags)])
        for name, value, doubt in zip(names, values, doubts, strict=True)
    ]
    results.append(_result("coppola_2012", _finite(straight.pc[0]), _status(straight.status[0])))
    candidates = [Candidate(*one) for one in zip(names, values, map(tuple, doubts), strict=True)]
    if trials is not None:
        word, value = _status(trials.status[0], fine=_SOUND), _finite(trials.pc[0])
        interval = None if value is None else (float(trials.low[0]), float(trials.high[0]))
        results.append(_result("monte_carlo", value, word, interval))
        # Trials without collisions say that the probability is small, not which it is: nothing to choose.
        candidates.append(Candidate("monte_carlo", None if "few_hits" in word else value, tuple(word)))
    before_h, after_h = np.abs(whole.segment_s[0]) / 3600.0
    return results, candidates, f"counted from {before_h:.1f} h before to {after_h:.1f} h after the closest approach"


def _shared(cdm: Cdm, row: Row) -> list[dict[str, Any]]:
    """2D and 3D-Nc with the shared error, none where the message does not give it."""
    moved = shared_errors_rtn(cdm)
    if moved is None:
        return []
    cross: Cross = (rtn_turn(row[0], row[1]).T @ moved[0])[None], (rtn_turn(row[3], row[4]).T @ moved[1])[None]
    outer = cross[1][0, :3, None] * cross[0][0, None, :3]
    cov = row[2][:, :3, :3] + row[5][:, :3, :3] - outer - outer.T
    plane = encounter(row[0], row[1], cov, row[3], row[4], None, row[6], cov_frame="inertial")
    flat = foster_1992(plane.miss_km, plane.cov_km2, plane.hbr_km, threads=1)
    whole = hall_2021_nc3d(*row, cross)
    return [
        _result("foster_1992", _finite(flat[0]), ["remediated"] if plane.remediated[0] else []),
        _result("hall_2021_nc3d", _finite(whole.pc[0]), _doubts_3d(whole) + _status(whole.status[0])),
    ]


def _others(near: Expected, all_of_it: Expected) -> list[str]:
    """Whether the encounter at hand leaves out others of its segment that matter: by the search over all of it."""
    if not all_of_it.pc[0] > (1.0 + INACCURATE) * near.pc[0]:
        return []
    longest = near.end_s[0] - near.start_s[0]
    beyond = all_of_it.start_s[0] < near.start_s[0] - longest or all_of_it.end_s[0] > near.end_s[0] + longest
    return ["other_encounters"] if beyond else []


def _ruled_out(pc: float | None, trials: Trials) -> list[str]:
    """A value some ten standard deviations from what was counted is not of the same encounter."""
    low, high = trials.low[0], trials.high[0]
    far = 2.0 * (high - low)
    sound = trials.status[0] in _SOUND and pc is not None
    return ["not_as_trials"] if sound and not low - far <= pc <= high + far else []


def _doubts_3d(found: Expected) -> list[str]:
    low, high = found.segment_s[0]
    start, end = found.start_s[0], found.end_s[0]
    doubts = []
    if max(start / low, end / high) > _OFFSET_3D:
        doubts.append("offset")
    if (end - start) / (high - low) > _LONG_3D:
        doubts.append("extended")
    return doubts


def _names(violated: Mapping[str, bool]) -> list[str]:
    return [name for name, is_so in violated.items() if is_so]


def _status(word: str, fine: tuple[str, ...] = ("ok",)) -> list[str]:
    return [] if word in fine else [word]


def _finite(value: np.floating) -> float | None:
    return float(value) if np.isfinite(value) else None


def _list(values: np.ndarray) -> list[float | None]:
    return [_finite(value) for value in values]
