"""What else the moved object would meet: its new orbit screened against the catalogue.

The screening takes element sets, so the state right after the burn is turned into the set whose SGP4 state it is
(`simulate.mean_elements.through_state`, same epoch and drag term). That is exact for SGP4 at the burn; how far the two
ways of carrying the burn forward differ at the closest approach is measured for each maneuver and told with it.
Probabilities use the covariance of the object's own set: a burn that goes wrong is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.metadata import HardBodies
from orbwatch.conjunction.encounter import encounter
from orbwatch.conjunction.probability import foster_1992
from orbwatch.conjunction.screen import Approaches, screen
from orbwatch.conjunction.what_if import Event, moved_state
from orbwatch.errors import InputError
from orbwatch.frames import rtn_matrix
from orbwatch.propagate.corrected import CorrectedCatalog
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.simulate.mean_elements import through_state
from orbwatch.uncertainty.covariance import CovarianceModel

_VARIANT_ID = 999_000_000  # not in any catalogue: numbers go to 339,999 in TLEs, and are given from below in OMMs
_SAME_EVENT_S = 600.0


@dataclass(frozen=True)
class Maneuver:
    """One burn along the track."""

    dv_m_s: float
    lead_h: float


@dataclass(frozen=True)
class Meeting:
    """One approach of the moved object."""

    norad_id: int
    name: str
    tca_us: int
    miss_km: float
    rel_speed_km_s: float
    pc: float | None
    """foster_1992 over the circle."""
    new: bool
    """The unmoved object has no approach to this one within ten minutes."""


@dataclass(frozen=True)
class Checked:
    """One maneuver and all that its object would meet from the burn to the end of the window."""

    maneuver: Maneuver
    refit_error_km: float
    """Between the screened orbit and the one that the surfaces show, at the event's closest approach."""
    meetings: list[Meeting]


@dataclass(frozen=True)
class Secondary:
    """The re-screening of some maneuvers."""

    until_us: int
    threshold_km: float
    baseline: list[Meeting]
    """Of the unmoved object, from the earliest burn on; the event itself among them, if it is that near."""
    checked: list[Checked]
    covariance_label: str
    has_event: bool = True
    """Whether the unmoved object meets the event's other one: with a message's states and a catalogue's it need not."""
    from_message: bool = False
    """The moved object is the message's, the others are the catalogue's."""


def rescreen(
    event: Event,
    catalog: Sgp4Catalog,
    bodies: HardBodies,
    model: CovarianceModel,
    maneuvers: Sequence[Maneuver],
    days: float,
    threshold_km: float,
    *,
    from_message: bool,
    threads: int = 2,
    progress: Callable[[float], None] | None = None,
) -> Secondary:
    """What the object of the event would meet after each maneuver, until `days` after the event's closest approach.

    catalog: that the event is from, or one of its time; bodies: of its rows. from_message: the object's states are the
    message's, not the catalogue's. Raises InputError where the object is not in the catalogue (for events of one), or
    SGP4 has no set for the state after a burn.
    """
    table = catalog.table
    own = np.flatnonzero(table.norad_id == event.norad_ids[0])
    if not len(own) and not from_message:
        raise InputError("the object is not in the catalogue", field="norad_id", value=event.norad_ids[0])
    plain = _unmoved(event, table, own, from_message)
    rows = [plain, *(_moved(plain, event.tca_us, one) for one in maneuvers)]
    variants = GpTable.from_rows([{**row, "norad_id": _VARIANT_ID + k} for k, row in enumerate(rows)], table.source)
    errors = _errors(event, Sgp4Catalog.from_gp(variants), maneuvers)
    n = len(table)
    wide = _widened(catalog, variants, own)
    first = np.arange(n, n + len(variants))
    burns_us = [event.tca_us - round(one.lead_h * 3.6e9) for one in maneuvers]
    start_us = min([*burns_us, event.tca_us])
    until_us = event.tca_us + round(days * 86.4e9)
    others = np.setdiff1d(np.arange(n), own)
    found = screen(
        wide, start_us, (until_us - start_us) / 3.6e9, threshold_km, first=first, second=others, threads=threads,
        progress=progress,
    )  # fmt: skip
    meetings = _meetings(found, wide, bodies, model, own, n)
    by_variant: list[list[Meeting]] = [[] for _ in variants.norad_id]
    for k, one in meetings:
        by_variant[k].append(one)
    base = [(one.norad_id, one.tca_us) for one in by_variant[0]]
    checked = []
    for k, (maneuver, burn_us) in enumerate(zip(maneuvers, burns_us, strict=True), start=1):
        after = [_marked(one, base) for one in by_variant[k] if one.tca_us >= burn_us]
        checked.append(Checked(maneuver, errors[k - 1], after))
    has_event = any(
        one.norad_id == event.norad_ids[1] and abs(one.tca_us - event.tca_us) < _SAME_EVENT_S * 1e6
        for one in by_variant[0]
    )
    return Secondary(until_us, threshold_km, by_variant[0], checked, model.label, has_event, from_message)


def _unmoved(event: Event, table: GpTable, own: np.ndarray, from_message: bool) -> dict[str, Any]:
    if not from_message:
        return table.row(int(own[0]))
    state = np.concatenate([event.r_km[0], event.v_km_s[0]])
    return through_state(state, event.tca_us, event.tca_us, _drag(table, own))


def _drag(table: GpTable, own: np.ndarray) -> float:
    return float(table.bstar_per_er[own[0]]) if len(own) else 0.0


def _moved(plain: dict[str, Any], tca_us: int, one: Maneuver) -> dict[str, Any]:
    """The element set, of the same epoch and drag, that passes through the unmoved one's state with the burn added."""
    burn_us = tca_us - round(one.lead_h * 3.6e9)
    r, v, status = Sgp4Catalog.from_gp(GpTable.from_rows([{"norad_id": 1, **plain}])).at(
        np.array([0]), burn_us, np.zeros(1)
    )
    if status[0]:
        raise InputError("SGP4 has no state of the object at the burn", field="hours", value=one.lead_h)
    v = v + 1e-3 * one.dv_m_s * rtn_matrix(r, v)[:, 1]
    return through_state(np.concatenate([r[0], v[0]]), burn_us, plain["epoch_us"], plain["bstar_per_er"])


def _errors(event: Event, variants: Sgp4Catalog, maneuvers: Sequence[Maneuver]) -> list[float]:
    """How far each screened orbit is from the one of the surfaces, relative to the unmoved, at the closest approach."""
    index = np.arange(len(variants))
    r, _, _ = variants.at(index, event.tca_us, np.zeros(len(variants)))
    out = []
    for k, one in enumerate(maneuvers, start=1):
        _, there = moved_state(event, one.dv_m_s, one.lead_h * 3600.0)
        out.append(float(np.linalg.norm(r[k] - r[0] - (there[:3] - event.r_km[0]))))
    return out


def _widened(catalog: Sgp4Catalog, variants: GpTable, own: np.ndarray) -> Sgp4Catalog:
    """The catalogue with the moved objects behind it; a forecaster's correction of the object goes with them."""
    both = GpTable.concat([catalog.table, variants], catalog.table.source)
    if isinstance(catalog, CorrectedCatalog) and len(own):
        row = np.concatenate([catalog.row, np.full(len(variants), catalog.row[own[0]])])
        return CorrectedCatalog(both, catalog.shift, row)
    return Sgp4Catalog.from_gp(both)


def _meetings(
    found: Approaches, wide: Sgp4Catalog, bodies: HardBodies, model: CovarianceModel, own: np.ndarray, n: int
) -> list[tuple[int, Meeting]]:
    """Approaches with probabilities, each with its variant's number. A variant has its object's size and covariance."""
    variant_first = found.index_1 >= n
    variant = np.where(variant_first, found.index_1, found.index_2)
    other = np.where(variant_first, found.index_2, found.index_1)
    as_known = np.full(len(found), own[0]) if len(own) else variant
    turn = variant_first[:, None]
    r1, r2 = (
        np.where(turn, a, b) for a, b in ((found.r1_teme_km, found.r2_teme_km), (found.r2_teme_km, found.r1_teme_km))
    )
    v1, v2 = (
        np.where(turn, a, b)
        for a, b in ((found.v1_teme_km_s, found.v2_teme_km_s), (found.v2_teme_km_s, found.v1_teme_km_s))
    )
    table = wide.table
    hbr_m = bodies.hbr_m[other] + (bodies.hbr_m[own[0]] if len(own) else bodies.hbr_m.max(initial=5.0))
    cov = [model.cov_rtn_km2(table[index], found.tca_us) for index in (as_known, other)]
    plane = encounter(r1, v1, cov[0], r2, v2, cov[1], hbr_m / 1e3)
    pc = np.where(found.co_moving, np.nan, foster_1992(plane.miss_km, plane.cov_km2, hbr_m / 1e3))
    return [
        (
            int(variant[k] - n),
            Meeting(
                int(table.norad_id[other[k]]),
                str(table.name[other[k]]) or str(table.norad_id[other[k]]),
                int(found.tca_us[k]),
                float(found.miss_km[k]),
                float(found.rel_speed_km_s[k]),
                None if np.isnan(pc[k]) else float(pc[k]),
                False,
            ),
        )
        for k in range(len(found))
    ]


def _marked(one: Meeting, base: list[tuple[int, int]]) -> Meeting:
    near = any(one.norad_id == other and abs(one.tca_us - at) < _SAME_EVENT_S * 1e6 for other, at in base)
    return Meeting(one.norad_id, one.name, one.tca_us, one.miss_km, one.rel_speed_km_s, one.pc, not near)


def chosen(dv_m_s: np.ndarray, lead_h: np.ndarray, wanted_h: Sequence[float] = (6.0, 12.0, 24.0)) -> list[Maneuver]:
    """Of the smallest burns of one direction those nearest to some times before the closest approach."""
    usable = np.flatnonzero(np.isfinite(dv_m_s) & (dv_m_s != 0.0))
    if not len(usable):
        return []
    rows = {int(usable[np.abs(lead_h[usable] - hour).argmin()]) for hour in wanted_h}
    return [Maneuver(float(dv_m_s[row]), float(lead_h[row])) for row in sorted(rows)]
