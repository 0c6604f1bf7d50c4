"""The matrix of a catalogue or a fleet: how near each pair comes in a window, when, and how probable a collision is.

Sparse: the pairs that come below a threshold, found by `screen`. Dense: every pair of a fleet (`nearest`), each with
what `screen` says of its approaches below the threshold. In both the distance is the smallest one of the whole window:
a pair that is nearest at the window's beginning or end is told so, and has no probability from that instant, as its
closest approach lies outside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.metadata import HardBodies
from orbwatch.conjunction.category import category
from orbwatch.conjunction.encounter import encounter
from orbwatch.conjunction.event import assess
from orbwatch.conjunction.nearest import Nearest
from orbwatch.conjunction.probability import foster_1992
from orbwatch.conjunction.screen import CO_MOVING_KM_S, Approaches
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.settings import RiskSettings
from orbwatch.uncertainty.covariance import CovarianceModel

METHOD = "foster_1992 circle"
_ROWS = 65_536  # approaches whose probabilities are computed together


@dataclass(frozen=True, eq=False)
class PairMatrix:
    """One row per pair, in order of the smallest separation."""

    table: GpTable
    """The objects; `closest` has their rows."""
    hours: float
    threshold_km: float
    dense: bool
    """Whether every pair of the objects has a row."""
    closest: Approaches
    """Where each pair is nearest in the window."""
    edge: Bool[np.ndarray, " k"]
    """Nearest at the beginning or the end of the window: no closest approach."""
    partial: Bool[np.ndarray, " k"]
    """One of the two has no state in part of the window. Dense only: False in a sparse matrix."""
    approaches: Int[np.ndarray, " k"]
    """Closest approaches of the pair below the threshold."""
    hbr_m: Float[np.ndarray, " k"]
    """Combined hard-body radius."""
    hbr_source: Sequence[str]
    pc: Float[np.ndarray, " k"]
    """Of the smallest separation, Foster's over the circle; NaN beyond the threshold and at the edges of the window."""
    pc_maximum: Float[np.ndarray, " k"]
    """Over all sizes of the covariance; NaN likewise."""
    diluted: Bool[np.ndarray, " k"]
    """A smaller covariance would give a larger `pc`."""
    covariance: Sequence[str]
    """Where both objects' covariances come from; empty without a probability."""
    flags: Sequence[str]
    """Keys of `risk.RISK_FLAGS`, parted by blanks; "window_edge" at the edges; empty beyond the threshold."""
    pc_highest: Float[np.ndarray, " k"]
    """The highest of all approaches of the pair below the threshold, but for co-moving ones; NaN without one."""
    pc_highest_us: Int[np.ndarray, " k"]
    """When that approach is, UTC microseconds; 0 without one."""
    covariance_label: str

    def __len__(self) -> int:
        return len(self.closest)

    @property
    def where(self) -> np.ndarray:
        """What each smallest distance is, as text (k,): an approach, or an end of the window."""
        at, none = self.closest.tca_s, np.isnan(self.closest.miss_km)
        late = at >= self.hours * 3600.0 - 1e-3
        cases = [none, ~self.edge, at <= 0.0, late]
        names = [np.array(name, object) for name in ("no states", "approach", "window start", "window end")]
        return np.asarray(np.select(cases, names, np.array("end of states", object)))

    def highest(self, i: int) -> float | None:
        """The highest probability that is known of the pair; None without one, and for co-moving pairs."""
        own = np.nan if self.closest.co_moving[i] else self.pc[i]
        known = [float(pc) for pc in (own, self.pc_highest[i]) if not np.isnan(pc)]
        return max(known) if known else None

    def risk(self, i: int, settings: RiskSettings) -> str:
        """Category of the pair; "none": it stays beyond the threshold all the window, "unknown": near, but no Pc."""
        highest = self.highest(i)
        beyond = highest is None and bool(self.closest.miss_km[i] >= self.threshold_km)  # NaN is not
        return "none" if beyond else category(highest, settings)


def sparse_matrix(
    found: Approaches,
    catalog: Sgp4Catalog,
    bodies: HardBodies,
    model: CovarianceModel,
    hours: float,
    threshold_km: float,
    *,
    first: Int[np.ndarray, " a"] | None = None,
    second: Int[np.ndarray, " b"] | None = None,
    progress: Callable[[float], None] | None = None,
) -> PairMatrix:
    """The pairs of approaches `found` by `screen` over the window from `found.start_us`, one row a pair.

    bodies, first, second: rows of the catalogue, as they were screened. Pairs that are below the threshold at an end of
    the window, and nearer than in any approach, are added or moved there.
    """
    ends = _ends(catalog, found.start_us, hours, threshold_km, first, second)
    every = _joined(found, ends)
    pair = every.index_1 * len(catalog) + every.index_2
    # `screen` gives pairs without a minimum the nearer end of the window
    stays = every.co_moving & ((every.tca_s < 1e-5) | (every.tca_s > hours * 3600.0 - 1e-5))
    inside = (np.arange(len(every)) < len(found)) & ~stays
    chosen = _first_of(pair, np.lexsort((~inside, every.miss_km, pair)))
    pair = pair[chosen]
    nothing = np.zeros(len(chosen), bool)
    return _matrix(catalog, bodies, model, hours, threshold_km, every[chosen], ~inside[chosen], nothing, pair, found,
                   dense=False, progress=progress)  # fmt: skip


def dense_matrix(
    near: Nearest,
    found: Approaches,
    catalog: Sgp4Catalog,
    bodies: HardBodies,
    model: CovarianceModel,
    hours: float,
    threshold_km: float,
    progress: Callable[[float], None] | None = None,
) -> PairMatrix:
    """Every pair of the catalogue, from `nearest_of_pairs` and `screen` over one window; pairs without states last."""
    r1, v1, r2, v2 = near.states
    swap = catalog.norad_id[near.first] > catalog.norad_id[near.second]
    index_1, index_2 = np.where(swap, near.second, near.first), np.where(swap, near.first, near.second)
    turn = swap[:, None]
    speed = np.linalg.norm(v2 - v1, axis=1)
    closest = Approaches(
        start_us=found.start_us,
        index_1=index_1,
        index_2=index_2,
        norad_id_1=catalog.norad_id[index_1],
        norad_id_2=catalog.norad_id[index_2],
        tca_s=np.nan_to_num(near.at_s),
        miss_km=near.distance_km,
        rel_speed_km_s=speed,
        r1_teme_km=np.where(turn, r2, r1),
        v1_teme_km_s=np.where(turn, v2, v1),
        r2_teme_km=np.where(turn, r1, r2),
        v2_teme_km_s=np.where(turn, v1, v2),
        co_moving=speed < CO_MOVING_KM_S,
    )
    edge = near.edge | np.isnan(near.distance_km)
    pair = index_1 * len(catalog) + index_2
    return _matrix(catalog, bodies, model, hours, threshold_km, closest, edge, near.partial, pair, found,
                   dense=True, progress=progress)  # fmt: skip


def _matrix(
    catalog: Sgp4Catalog,
    bodies: HardBodies,
    model: CovarianceModel,
    hours: float,
    threshold_km: float,
    closest: Approaches,
    edge: Bool[np.ndarray, " k"],
    partial: Bool[np.ndarray, " k"],
    pair: Int[np.ndarray, " k"],
    found: Approaches,
    *,
    dense: bool,
    progress: Callable[[float], None] | None,
) -> PairMatrix:
    """The rows in order of distance, with probabilities."""
    order = np.argsort(closest.miss_km, kind="stable")
    closest, edge, partial, pair = closest[order], edge[order], partial[order], pair[order]
    pc_all = np.where(found.co_moving, np.nan, _circle(found, catalog.table, bodies, model, progress))
    mine = found.index_1 * len(catalog) + found.index_2
    top = _first_of(mine, np.lexsort((-np.nan_to_num(pc_all, nan=-1.0), mine)))
    pairs, counts = np.unique(mine, return_counts=True)
    at = np.searchsorted(pairs, pair)
    has = at < len(pairs)
    has[has] = pairs[at[has]] == pair[has]
    number, highest = np.zeros(len(pair), np.int64), np.full(len(pair), np.nan)
    when = np.zeros(len(pair), np.int64)
    number[has], highest[has], when[has] = counts[at[has]], pc_all[top[at[has]]], found.tca_us[top[at[has]]]
    when[np.isnan(highest)] = 0
    near = np.flatnonzero((closest.miss_km < threshold_km) & ~edge)
    own = _near(closest[near], catalog.table, bodies, model)
    empty = np.full(len(pair), np.nan)
    pc, largest, diluted = empty.copy(), empty.copy(), np.zeros(len(pair), bool)
    pc[near], largest[near], diluted[near] = own.pc, own.pc_maximum, own.diluted
    covariance, flags = [""] * len(pair), [""] * len(pair)
    for row, source, raised in zip(near.tolist(), own.covariance, own.flags, strict=True):
        covariance[row], flags[row] = source, raised
    for row in np.flatnonzero(edge & (closest.miss_km < threshold_km)).tolist():
        flags[row] = "window_edge co_moving" if closest.co_moving[row] else "window_edge"
    hbr_m, hbr_source = bodies.combined(closest.index_1, closest.index_2)
    return PairMatrix(
        catalog.table, hours, threshold_km, dense, closest, edge, partial, number, hbr_m, hbr_source, pc, largest,
        diluted, covariance, flags, highest, when, model.label,
    )  # fmt: skip


class _Near(NamedTuple):
    """Probabilities of the nearest approaches below the threshold, as in `PairMatrix`."""

    pc: Float[np.ndarray, " k"]
    pc_maximum: Float[np.ndarray, " k"]
    diluted: Bool[np.ndarray, " k"]
    covariance: list[str]
    flags: list[str]


def _near(closest: Approaches, table: GpTable, bodies: HardBodies, model: CovarianceModel) -> _Near:
    sets = [table[index] for index in (closest.index_1, closest.index_2)]
    at_us = closest.tca_us
    raised = [model.flags(part, at_us) for part in sets]
    sources = [model.sources(part, at_us) for part in sets]
    found = assess(
        closest.r1_teme_km,
        closest.v1_teme_km_s,
        model.cov_rtn_km2(sets[0], at_us),
        closest.r2_teme_km,
        closest.v2_teme_km_s,
        model.cov_rtn_km2(sets[1], at_us),
        bodies.combined(closest.index_1, closest.index_2)[0],
    )
    more = {"co_moving": closest.co_moving, **{name: raised[0][name] | raised[1][name] for name in raised[0]}}
    return _Near(
        found.circle,
        found.pc["alfano_2005", "maximum"],
        found.flags["diluted"],
        [one if one == two else f"1: {one}; 2: {two}" for one, two in zip(*sources, strict=True)],
        [" ".join([*found.flags_of(i), *(name for name, up in more.items() if up[i])]) for i in range(len(closest))],
    )


def _first_of(key: Int[np.ndarray, " k"], order: Int[np.ndarray, " k"]) -> Int[np.ndarray, " m"]:
    """Of each key the row that comes first in an order that has equal keys together."""
    return np.asarray(order[np.append(True, np.diff(key[order]) != 0)[: len(order)]])


def _circle(
    found: Approaches,
    table: GpTable,
    bodies: HardBodies,
    model: CovarianceModel,
    progress: Callable[[float], None] | None,
) -> Float[np.ndarray, " k"]:
    """Foster's probability of each approach; NaN where there is none."""
    out = np.full(len(found), np.nan)
    for begin in range(0, len(found), _ROWS):
        part = found[begin : begin + _ROWS]
        covs = [model.cov_rtn_km2(table[index], part.tca_us) for index in (part.index_1, part.index_2)]
        hbr_km = (bodies.hbr_m[part.index_1] + bodies.hbr_m[part.index_2]) / 1e3
        plane = encounter(part.r1_teme_km, part.v1_teme_km_s, covs[0], part.r2_teme_km, part.v2_teme_km_s, covs[1],
                          hbr_km)  # fmt: skip
        out[begin : begin + _ROWS] = foster_1992(plane.miss_km, plane.cov_km2, hbr_km)
        if progress is not None:
            progress(min(1.0, (begin + _ROWS) / len(found)))
    return out


def _ends(
    catalog: Sgp4Catalog,
    start_us: int,
    hours: float,
    threshold_km: float,
    first: Int[np.ndarray, " a"] | None,
    second: Int[np.ndarray, " b"] | None,
) -> Approaches:
    """Pairs below the threshold at the beginning and at the end of the window."""
    one, two = (np.zeros(len(catalog), bool) for _ in range(2))
    one[first if first is not None else slice(None)] = True
    two[second if second is not None else slice(None)] = True
    parts: list[Approaches] = []
    for at_s in (0.0, hours * 3600.0):
        rv, status = catalog.nodes(start_us, np.array([at_s]))
        there = np.flatnonzero(status[0] == 0)
        pairs = cKDTree(rv[0, :3, there]).query_pairs(threshold_km, output_type="ndarray")
        i, j = there[pairs[:, 0]], there[pairs[:, 1]]
        wanted = ((one[i] & two[j]) | (one[j] & two[i])) & (catalog.norad_id[i] != catalog.norad_id[j])
        i, j = i[wanted], j[wanted]
        swap = catalog.norad_id[i] > catalog.norad_id[j]
        i, j = np.where(swap, j, i), np.where(swap, i, j)
        r1, v1, r2, v2 = (np.ascontiguousarray(rv[0, rows][:, index].T) for index in (i, j)
                          for rows in (slice(3), slice(3, 6)))  # fmt: skip
        speed = np.linalg.norm(v2 - v1, axis=1)
        parts.append(
            Approaches(start_us, i, j, catalog.norad_id[i], catalog.norad_id[j], np.full(len(i), at_s),
                       np.linalg.norm(r2 - r1, axis=1), speed, r1, v1, r2, v2, speed < CO_MOVING_KM_S)
        )  # fmt: skip
    return _joined(*parts)


def _joined(one: Approaches, two: Approaches) -> Approaches:
    names = [f.name for f in fields(one) if f.name != "start_us"]
    both: dict[str, Any] = {name: np.concatenate([getattr(one, name), getattr(two, name)]) for name in names}
    return replace(one, **both)
