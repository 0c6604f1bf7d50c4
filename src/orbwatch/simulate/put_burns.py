"""Real histories of objects that cannot maneuver, made to maneuver: labelled data with real noise, lags and gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import check_ordered
from orbwatch.constants import DAY_US
from orbwatch.simulate.put_burns_kernel import put_rows


@dataclass(frozen=True, eq=False)
class Pushes:
    """Sudden changes of velocity, and how the element sets around each come to know of it; arrays over p pushes.

    A set is fitted to observations of some days. Either it is fitted anew after a burn: sets change from the old orbit
    to the new at once, some time after the burn; or it is fitted over the burn, and learns of it in days
    (`simulate.lags` has what was measured).
    """

    norad_id: Int[np.ndarray, " p"]
    epoch_us: Int[np.ndarray, " p"]
    dv_rtn_m_s: Float[np.ndarray, "p 3"]
    lag_day: Float[np.ndarray, " p"]
    """Fitted anew: sets with epochs up to this after the push are of the old orbit; negative: sets before it are
    already of the new one."""
    span_day: Float[np.ndarray, " p"]
    """Fitted over it: length of the span, which ends at the set's epoch; 0: fitted anew."""
    drag_kick: Float[np.ndarray, " p"]
    """Growth of the mean motion (and B* with it) in the first set fitted anew, in units of the push's change of mean
    motion per day; it fades."""
    overshoot: Float[np.ndarray, " p"]
    """Of the mean motion in the first set fitted anew, as a share of its change; it fades."""

    @classmethod
    def at(
        cls, norad_id: Int[np.ndarray, " p"], epoch_us: Int[np.ndarray, " p"], dv_rtn_m_s: Float[np.ndarray, "p 3"]
    ) -> Pushes:
        """Pushes that every set knows from its epoch on."""
        none = np.zeros(len(norad_id))
        return cls(norad_id, epoch_us, dv_rtn_m_s, none, none, none, none)


@dataclass(frozen=True, eq=False)
class Arcs:
    """Times with another drag, or with a thrust too weak and steady to count its pushes; arrays over a arcs."""

    norad_id: Int[np.ndarray, " a"]
    start_us: Int[np.ndarray, " a"]
    end_us: Int[np.ndarray, " a"]
    drag_factor: Float[np.ndarray, " a"]
    """On the object's own B* and decay (attitude: the area that meets the air)."""
    growth_rev_day2: Float[np.ndarray, " a"]
    """Further growth of the mean motion, positive: it comes down. Within the air's reach B* rises with it."""

    @classmethod
    def none(cls) -> Arcs:
        """No arc at all."""
        return joined(cls, [])


@dataclass(frozen=True, eq=False)
class Placed:
    """Objects put elsewhere on their orbit before the history begins; arrays over s objects."""

    norad_id: Int[np.ndarray, " s"]
    ahead_deg: Float[np.ndarray, " s"]

    @classmethod
    def none(cls) -> Placed:
        """All stay where they are."""
        return joined(cls, [])


Columns = TypeVar("Columns", bound=Pushes | Arcs | Placed)


def joined(kind: type[Columns], parts: Sequence[Columns]) -> Columns:
    """The rows of several tables of one kind, in order."""
    out: dict[str, np.ndarray] = {}
    for column in fields(kind):
        name = column.name
        tail = (0, 3) if name == "dv_rtn_m_s" else (0,)
        whole = name == "norad_id" or name.endswith("_us")
        empty = np.empty(tail, np.int64 if whole else np.float64)
        out[name] = np.concatenate([empty, *(getattr(part, name) for part in parts)])
    return kind(**out)


def put_burns(table: GpTable, pushes: Pushes, arcs: Arcs | None = None, placed: Placed | None = None) -> GpTable:
    """The element sets that the objects of `table` would have, had they been pushed so.

    table: a history ordered by (norad_id, epoch_us). Each push changes the mean elements as the finite form of Gauss'
    variational equations says; from there the difference to the real object is carried on by the secular rates of
    SGP4 (of the new orbit minus those of the old), by thicker or thinner air, and near one revolution a day by the
    Earth's ellipticity; it is added to the real sets, so their noise stays, and rounded to the digits of a TLE. Pushes
    before an object's first set make it begin on another orbit. Sets from where a perigee is below 140 km on are left
    out. Raises InputError for a table out of order.
    """
    check_ordered(table)
    arcs, placed = arcs or Arcs.none(), placed or Placed.none()
    ids, start = np.unique(table.norad_id, return_index=True)
    first = np.append(start, len(table))
    order = np.lexsort((pushes.epoch_us, pushes.norad_id))
    order = order[np.isin(pushes.norad_id[order], ids)]
    arc_order = np.argsort(arcs.norad_id, kind="stable")
    arc_order = arc_order[np.isin(arcs.norad_id[arc_order], ids)]
    ahead = np.zeros(len(ids))
    known = np.isin(placed.norad_id, ids)
    ahead[np.searchsorted(ids, placed.norad_id[known])] = np.radians(placed.ahead_deg[known])
    angles = ("inclination_deg", "raan_deg", "arg_perigee_deg", "mean_anomaly_deg")
    turned = [np.radians(getattr(table, name)) for name in angles]
    elements = np.stack([table.mean_motion_rev_day, table.eccentricity, *turned], axis=1)
    bstar, ndot = table.bstar_per_er.copy(), table.mean_motion_dot_rev_day2.copy()
    status = np.zeros(len(table), np.uint8)
    late = np.stack([pushes.lag_day, pushes.span_day, pushes.drag_kick, pushes.overshoot], axis=1)[order]
    when = arcs.start_us[arc_order] / DAY_US, arcs.end_us[arc_order] / DAY_US
    drawn = np.stack([*when, arcs.drag_factor[arc_order], arcs.growth_rev_day2[arc_order]], axis=1)
    put_rows(
        first,
        _starts(pushes.norad_id[order], ids),
        _starts(arcs.norad_id[arc_order], ids),
        table.epoch_us / DAY_US,
        elements,
        bstar,
        ndot,
        pushes.epoch_us[order] / DAY_US,
        np.ascontiguousarray(pushes.dv_rtn_m_s[order]),
        np.ascontiguousarray(late),
        np.ascontiguousarray(drawn),
        ahead,
        status,
    )
    made = {name: np.round(np.degrees(elements[:, 2 + i]) % 360.0, 4) % 360.0 for i, name in enumerate(angles)}
    return replace(
        table,
        mean_motion_rev_day=np.round(elements[:, 0], 8),
        eccentricity=np.round(elements[:, 1], 7),
        bstar_per_er=_five_digits(bstar),
        mean_motion_dot_rev_day2=np.round(ndot, 8),
        **made,
    )[status == 0]


def _starts(norad_id: Int[np.ndarray, " k"], ids: Int[np.ndarray, " n"]) -> Int[np.ndarray, " m"]:
    """Where the rows of each object begin, and where the last one's end."""
    return np.append(np.searchsorted(norad_id, ids), len(norad_id)).astype(np.int64)


def _five_digits(value: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """As the decimal of a TLE holds them: five digits."""
    size = np.maximum(np.abs(value), 1e-9)
    scale = 10.0 ** (4.0 - np.floor(np.log10(size)))
    return np.asarray(np.round(value * scale) / scale)
