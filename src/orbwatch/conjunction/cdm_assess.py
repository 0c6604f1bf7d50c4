"""A message assessed: probability of collision by every method that its data allows, and which one to believe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from orbwatch.catalog.cdm import Cdm
from orbwatch.catalog.cdm_public import CdmPublic
from orbwatch.conjunction.cdm import probabilities, states_of
from orbwatch.conjunction.choice import Candidate, category, cheapest_valid
from orbwatch.conjunction.curved_pair import Cross
from orbwatch.conjunction.encounter import encounter
from orbwatch.conjunction.event import Probabilities
from orbwatch.conjunction.monte_carlo import monte_carlo
from orbwatch.conjunction.probability import foster_1992
from orbwatch.conjunction.probability_nc import Expected, coppola_2012, hall_2021_nc3d
from orbwatch.conjunction.probability_nc2d import hall_2021_nc2d
from orbwatch.conjunction.shared_error import shared_errors_rtn
from orbwatch.conjunction.validity import hall_2023_validity
from orbwatch.frames import rtn_matrix
from orbwatch.settings import RiskSettings
from orbwatch.time import format_utc

FLAGS: Mapping[str, str] = {
    "inaccurate": "the method's value differs from what it approximates",
    "offset": "collisions are likeliest too far in time from the closest approach",
    "extended": "the encounter lasts too long",
    "no_velocity_covariance": "no covariance of the velocity, or none with the position: straight paths only",
    "default_covariance": "a covariance of ten Earth radii stands for none",
    "negative_variance": "a variance is negative: straight paths only",
    "not_computed": "the numbers of the message do not allow it",
}
"""What the flags mean that `conjunction.event.FLAGS`, `probability_nc.STATUS` and `monte_carlo.STATUS` do not list."""

_NONE_KM2 = (0.99 * 10.0 * 6378.135) ** 2
_LONG_3D, _OFFSET_3D = 0.5, 0.75  # of the segment: NASA CARA's limits of the 3D-Nc's use
_SAME_EVENT_US = 20 * 60_000_000

_DOUBTS_2D = frozenset({"low_relative_speed", "long_encounter", "non_positive_definite", "single_covariance"})
"""Flags that speak against the 2-D value where curved paths cannot be looked at."""

Row = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Position, velocity and covariance of object 1 and of object 2, and the radius: one row each, km and km/s."""


def assess_message(
    cdm: Cdm, *, settings: RiskSettings, hbr_m: float | None = None, samples: int = 100_000, seed: int = 0
) -> dict[str, Any]:
    """Results, choice and category of one message, as `orbwatch cdm assess` prints them; plain values.

    Each result has method, pc (None: there is none), interval (95 %, of Monte Carlo) and flags. Curved paths need a
    covariance of position and velocity of both objects. `shared_density_error`: the same with what both objects' errors
    have in common, where the message says it; never chosen, as in NASA CARA's own practice.
    """
    flat = probabilities(cdm, hbr_m=hbr_m, defaults=settings)
    flags = list(flat.flags_of(0))
    pc = _finite(flat.circle[0])
    results = [_result("foster_1992", pc, flags)]
    candidates = [Candidate("foster_1992", pc, tuple(flag for flag in flags if flag in _DOUBTS_2D))]
    row, lacking = _row(cdm, flat)
    shared: list[dict[str, Any]] = []
    if row is not None and "missing_state" not in flags:
        with np.errstate(all="ignore"):
            try:
                results, candidates = _curved(row, pc, flags, samples, seed)
                shared = _shared(cdm, row)
            except np.linalg.LinAlgError:
                lacking = "not_computed"
    if lacking:
        results[0]["flags"].append(lacking)
    chosen, reason = cheapest_valid(candidates)
    if lacking and chosen:
        reason = f"{FLAGS[lacking]}; {reason}"
    value = next((one["pc"] for one in results if one["method"] == chosen), None)
    return {
        "results": results,
        "shared_density_error": shared,
        "chosen": chosen,
        "reason": reason,
        "pc": value,
        "category": category(value, settings),
        "hbr_m": _finite(flat.encounter.hbr_km[0] * 1e3),
        "hbr_source": flat.hbr_source[0],
        "miss_m": _finite(flat.encounter.miss_distance_km[0] * 1e3),
        "repair": _repair(flags),
    }


def assess_public(row: CdmPublic, settings: RiskSettings) -> dict[str, Any]:
    """The same of a row of `cdm_public`, which gives no state and no covariance: its own probability, labelled so."""
    pc = row.collision_probability
    return {
        "results": [_result("given", pc, ["no_covariance"])],
        "shared_density_error": [],
        "chosen": None if pc is None else "given",
        "reason": "no states and no covariance: the probability is the message's own, computed elsewhere",
        "pc": pc,
        "category": category(pc, settings),
        "hbr_m": None,
        "hbr_source": "unknown",
        "miss_m": row.miss_distance_m,
        "repair": None,
    }


def event_names(pairs: Sequence[tuple[str, str]], tca_us: Sequence[int]) -> list[str]:
    """A name for the event of each message: same two objects, closest approaches less than 20 minutes apart in a chain.

    pairs: designators; the name holds both and the earliest closest approach of the chain.
    """
    names = [""] * len(pairs)
    order = sorted(range(len(pairs)), key=lambda i: (tuple(sorted(pairs[i])), tca_us[i]))
    before: int | None = None
    for i in order:
        same = before is not None and sorted(pairs[before]) == sorted(pairs[i])
        if same and before is not None and tca_us[i] - tca_us[before] < _SAME_EVENT_US:
            names[i] = names[before]
        else:
            names[i] = f"{'_'.join(sorted(pairs[i]))}_{format_utc(tca_us[i])[:19]}"
        before = i
    return names


def _result(
    method: str, pc: float | None, flags: Sequence[str], interval: tuple[float, float] | None = None
) -> dict[str, Any]:
    return {"method": method, "pc": pc, "interval": None if interval is None else list(interval), "flags": list(flags)}


def _row(cdm: Cdm, flat: Probabilities) -> tuple[Row | None, str]:
    """States, covariances in their axes and radius for curved paths; else None and what is lacking."""
    if not (flat.encounter.has_cov1[0] and flat.encounter.has_cov2[0]):
        return None, ""
    parts: list[np.ndarray] = []
    for part, (r, v) in zip(cdm.objects, states_of(cdm), strict=True):
        cov = part.cov_rtn_km2
        if cov is None or not np.isfinite(cov).all() or not cov[3:, 3:].any() or not cov[:3, 3:].any():
            return None, "no_velocity_covariance"
        if (np.diag(cov)[:3] >= _NONE_KM2).any():
            return None, "default_covariance"
        if (np.diag(cov) < 0.0).any():
            return None, "negative_variance"
        turn = _turn(r, v)
        parts += [r, v, (turn.T @ cov @ turn)[None]]
    if not flat.encounter.hbr_km[0] > 0.0:
        return None, "not_computed"
    r1, v1, cov1, r2, v2, cov2 = parts
    return (r1, v1, cov1, r2, v2, cov2, flat.encounter.hbr_km), ""


def _turn(r_km: Float[np.ndarray, "1 3"], v_km_s: Float[np.ndarray, "1 3"]) -> Float[np.ndarray, "6 6"]:
    return np.asarray(np.kron(np.eye(2), rtn_matrix(r_km, v_km_s)[0]))


def _curved(
    row: Row, pc: float | None, flags: list[str], samples: int, seed: int
) -> tuple[list[dict[str, Any]], list[Candidate]]:
    validity = hall_2023_validity(*row)
    short = hall_2021_nc2d(*row, validity)
    whole = hall_2021_nc3d(*row, whole=short.lengthy)
    straight = coppola_2012(*row)
    doubts = [
        _names(validity.violated(0)),
        _names(short.violated(0)) + _status(short.status[0]),
        _doubts_3d(whole) + _status(whole.status[0]),
    ]
    values = [pc, _finite(short.pc[0]), _finite(whole.pc[0])]
    names = ("foster_1992", "hall_2021_nc2d", "hall_2021_nc3d")
    results = [
        _result(name, value, [*(flags if name == "foster_1992" else ()), *(one for one in doubt if one not in flags)])
        for name, value, doubt in zip(names, values, doubts, strict=True)
    ]
    results.append(_result("coppola_2012", _finite(straight.pc[0]), _status(straight.status[0])))
    candidates = [Candidate(*one) for one in zip(names, values, map(tuple, doubts), strict=True)]
    if samples > 0:
        trials = monte_carlo(*row, validity.bottoms, whole.pc, samples=samples, seed=seed)
        word, value = _status(trials.status[0], fine=("ok", "importance")), _finite(trials.pc[0])
        interval = None if value is None else (float(trials.low[0]), float(trials.high[0]))
        results.append(_result("monte_carlo", value, word, interval))
        # Trials without collisions say that the probability is small, not which it is: nothing to choose.
        candidates.append(Candidate("monte_carlo", None if "few_hits" in word else value, tuple(word)))
    return results, candidates


def _shared(cdm: Cdm, row: Row) -> list[dict[str, Any]]:
    """2D and 3D-Nc with the shared error, none where the message does not give it."""
    moved = shared_errors_rtn(cdm)
    if moved is None:
        return []
    cross: Cross = (_turn(row[0], row[1]).T @ moved[0])[None], (_turn(row[3], row[4]).T @ moved[1])[None]
    outer = cross[1][0, :3, None] * cross[0][0, None, :3]
    cov = row[2][:, :3, :3] + row[5][:, :3, :3] - outer - outer.T
    plane = encounter(row[0], row[1], cov, row[3], row[4], None, row[6], cov_frame="inertial")
    flat = foster_1992(plane.miss_km, plane.cov_km2, plane.hbr_km, threads=1)
    whole = hall_2021_nc3d(*row, cross)
    return [
        _result("foster_1992", _finite(flat[0]), ["remediated"] if plane.remediated[0] else []),
        _result("hall_2021_nc3d", _finite(whole.pc[0]), _doubts_3d(whole) + _status(whole.status[0])),
    ]


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


def _repair(flags: Sequence[str]) -> str | None:
    if "remediated" in flags:
        return "eigenvalues of the combined covariance below (1e-4 hard-body radius)^2 were raised to it"
    if "non_positive_definite" in flags:
        return "none needed in the encounter plane, although a covariance is not positive definite as given"
    return None


def _finite(value: np.floating) -> float | None:
    return float(value) if np.isfinite(value) else None
