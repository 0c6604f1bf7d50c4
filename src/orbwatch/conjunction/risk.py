"""From approaches to stored events: covariance, hard-body radius, probability and flags of each, with their sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.metadata import HardBodies
from orbwatch.catalog.store import StoredEvent, event_key
from orbwatch.conjunction.event import FLAGS, PcResult, Probabilities, assess
from orbwatch.conjunction.maximum import dilution_curve, hbr_curve
from orbwatch.conjunction.screen import Approaches
from orbwatch.conjunction.uncorrected import Uncorrected
from orbwatch.constants import DAY_US
from orbwatch.frames import rtn_matrix
from orbwatch.uncertainty.covariance import CovarianceModel

RISK_FLAGS: Mapping[str, str] = {
    **FLAGS,
    "co_moving": "docked, in formation or on the same orbit: a 2-D probability does not apply",
    "covariance_extrapolated": "an element set is older than the covariance model was measured for",
    "forecast_doubtful": "something speaks against an object's forecast, and its region is wide: its source says what",
    "no_forecast": "an object has no forecast: its state is SGP4's, its covariance the empirical one",
}
"""What each flag of an event means."""

CURVE_HBR = np.geomspace(0.1, 10.0, 61)  # times the radius used
CURVE_SCALE = np.geomspace(0.05, 20.0, 81)


def assess_approaches(
    approaches: Approaches,
    table: GpTable,
    bodies: HardBodies,
    model: CovarianceModel,
    alone: Uncorrected | None = None,
) -> list[StoredEvent]:
    """Events from approaches: rows of `table` and of `bodies` are the approaches' indices.

    Every event's payload holds what its numbers rest on: epochs and ages, TEME states at TCA, both RTN covariances with
    their sources, the hard-body radius with its source, the maximum probability and the flags. alone: for approaches
    of corrected orbits, SGP4's own.
    """
    if not len(approaches):
        return []
    first, second = approaches.index_1, approaches.index_2
    tca_us = approaches.tca_us
    sets = [table[index] for index in (first, second)]
    covs = [model.cov_rtn_km2(part, tca_us) for part in sets]
    sources = [model.sources(part, tca_us) for part in sets]
    raised = [model.flags(part, tca_us) for part in sets]
    ages = np.stack([(tca_us - part.epoch_us) / DAY_US for part in sets], axis=1)
    hbr_m, hbr_source = bodies.combined(first, second)
    found = assess(
        approaches.r1_teme_km,
        approaches.v1_teme_km_s,
        covs[0],
        approaches.r2_teme_km,
        approaches.v2_teme_km_s,
        covs[1],
        hbr_m,
        hbr_source=hbr_source,
        cov_source_1=sources[0],
        cov_source_2=sources[1],
        cov_age_day_1=ages[:, 0],
        cov_age_day_2=ages[:, 1],
    )
    # Plain lists at once: turning arrays into JSON number by number would take longer than finding the approaches.
    plain = {
        "cov_rtn_km2": np.stack(covs, axis=1).tolist(),
        "epoch_us": np.stack([part.epoch_us for part in sets], axis=1).tolist(),
        "object_id": np.stack([part.object_id for part in sets], axis=1).tolist(),
        "age_day": ages.tolist(),
        "miss_rtn_km": _miss_rtn(approaches).tolist(),
        "r_teme_km": np.stack([approaches.r1_teme_km, approaches.r2_teme_km], axis=1).tolist(),
        "v_teme_km_s": np.stack([approaches.v1_teme_km_s, approaches.v2_teme_km_s], axis=1).tolist(),
    }
    maximum = found.pc["alfano_2005", "maximum"]
    if alone is not None:
        plain["sgp4_miss_km"] = [_or_none(miss) for miss in alone.miss_km]
        plain["corrected"] = alone.moved.tolist()
        plain["after_sgp4_s"] = [_or_none(later) for later in alone.later_s]
    extra = {"co_moving": approaches.co_moving, **{name: raised[0][name] | raised[1][name] for name in raised[0]}}
    return [
        StoredEvent(
            event_key=event_key(int(approaches.norad_id_1[i]), int(approaches.norad_id_2[i]), int(tca_us[i])),
            norad_id_1=int(approaches.norad_id_1[i]),
            norad_id_2=int(approaches.norad_id_2[i]),
            name_1=str(sets[0].name[i]),
            name_2=str(sets[1].name[i]),
            tca_us=int(tca_us[i]),
            miss_km=float(approaches.miss_km[i]),
            rel_speed_km_s=float(approaches.rel_speed_km_s[i]),
            co_moving=bool(approaches.co_moving[i]),
            pc=_or_none(found.circle[i]),
            payload={
                "method": "foster_1992",
                "kind": "circle",
                "pc_maximum": _or_none(maximum[i]),
                "flags": [*found.flags_of(i), *(name for name, up in extra.items() if up[i])],
                "hbr_m": float(hbr_m[i]),
                "hbr_source": hbr_source[i],
                "covariance_sources": [sources[0][i], sources[1][i]],
                **{name: values[i] for name, values in plain.items()},
            },
        )
        for i in range(len(approaches))
    ]


def covariance_sources(event: StoredEvent) -> tuple[str, str]:
    """Where each object's covariance comes from; events that older versions stored have one source for both."""
    both = event.payload.get("covariance_sources") or [event.payload["covariance_source"]] * 2
    return str(both[0]), str(both[1])


def _or_none(value: np.floating) -> float | None:
    return None if np.isnan(value) else float(value)


def _miss_rtn(approaches: Approaches) -> Float[np.ndarray, "k 3"]:
    axes = rtn_matrix(approaches.r1_teme_km, approaches.v1_teme_km_s)
    miss: Float[np.ndarray, "k 3"] = np.einsum("kij,kj->ki", axes, approaches.r2_teme_km - approaches.r1_teme_km)
    return miss


@dataclass(frozen=True, eq=False)
class PlaneView:
    """One event in its encounter plane, with all methods and the curves of a report."""

    miss_km: Float[np.ndarray, "2"]
    cov_1_km2: Float[np.ndarray, "2 2"]
    cov_2_km2: Float[np.ndarray, "2 2"]
    results: list[PcResult]
    hbr_m: Float[np.ndarray, " h"]
    pc_of_hbr: Float[np.ndarray, " h"]
    scale: Float[np.ndarray, " s"]
    pc_of_scale: Float[np.ndarray, " s"]


def plane_view(event: StoredEvent) -> PlaneView:
    """The event's encounter plane, every 2-D probability, and Pc against hard-body radius and uncertainty."""
    found = probabilities(event)
    plane = found.encounter
    hbr_m = CURVE_HBR * float(event.payload["hbr_m"])
    return PlaneView(
        miss_km=plane.miss_km[0],
        cov_1_km2=plane.cov1_km2[0],
        cov_2_km2=plane.cov2_km2[0],
        results=found.results(0),
        hbr_m=hbr_m,
        pc_of_hbr=hbr_curve(plane.miss_km, plane.cov_km2, hbr_m / 1e3)[0],
        scale=CURVE_SCALE,
        pc_of_scale=dilution_curve(plane.miss_km, plane.cov_km2, plane.hbr_km, CURVE_SCALE)[0],
    )


def probabilities(event: StoredEvent) -> Probabilities:
    """All 2-D probabilities of a stored event, from its own stored states and covariances."""
    payload: Mapping[str, Any] = event.payload
    (r1, r2), (v1, v2), (cov1, cov2) = (
        np.array(payload[name], float)[:, None] for name in ("r_teme_km", "v_teme_km_s", "cov_rtn_km2")
    )
    ages = np.array(payload["age_day"], float)
    source_1, source_2 = covariance_sources(event)
    return assess(
        r1, v1, cov1, r2, v2, cov2, np.array([payload["hbr_m"]], float),
        hbr_source=payload["hbr_source"],
        cov_source_1=source_1,
        cov_source_2=source_2,
        cov_age_day_1=ages[:1],
        cov_age_day_2=ages[1:],
    )  # fmt: skip
