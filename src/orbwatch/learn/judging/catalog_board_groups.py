"""The groups of objects that the leaderboard tells apart, and what was promised for them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.kinds import kinds_of
from orbwatch.learn.judging.catalog_noise import noise_floor_km
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES, catalog_regime

Aims = Mapping[float, float]


class BoardGroup(NamedTuple):
    """Objects that are judged together."""

    name: str
    regime: str | None
    """One of `CATALOG_REGIMES`; None: any."""
    kinds: tuple[str, ...]
    """Of `catalog.kinds.KINDS`."""
    median: Aims = MappingProxyType({})
    """Ratios to SGP4's median error that are aimed at, by day."""
    p90: Aims = MappingProxyType({})
    """Likewise of the 90th percentiles."""


def _at(*ratios: float) -> dict[float, float]:
    return dict(zip((1.0, 3.0, 7.0), ratios, strict=True))


_PAYLOADS, _PASSIVE = ("payload", "unnamed"), ("passive",)
_ANY = ("starlink", *_PAYLOADS, *_PASSIVE)
BOARD_GROUPS = (
    BoardGroup("Starlink", None, ("starlink",), _at(0.34, 0.14, 0.06), _at(0.32, 0.14, 0.15)),
    BoardGroup("LEO < 600 km, not Starlink", "LEO < 600 km", _PAYLOADS + _PASSIVE, _at(0.80, 0.85, 0.90)),
    BoardGroup("LEO < 600 km, payloads", "LEO < 600 km", _PAYLOADS),
    BoardGroup("LEO < 600 km, passive", "LEO < 600 km", _PASSIVE),
    BoardGroup("LEO 600-1200 km, payloads", "LEO 600-1200 km", _PAYLOADS, _at(0.67, 0.62, 0.80)),
    BoardGroup("LEO 600-1200 km, passive", "LEO 600-1200 km", _PASSIVE, _at(0.65, 0.68, 0.85)),
    BoardGroup("LEO > 1200 km", "LEO > 1200 km", _ANY, _at(0.38, 0.44, 0.42)),
    BoardGroup("MEO", "MEO", _ANY, _at(0.62, 0.54, 0.55)),
    BoardGroup("GEO", "GEO", _ANY, _at(0.66, 0.70, 0.48)),
    BoardGroup("HEO", "HEO", _ANY, _at(0.62, 0.75, 0.95)),
)
"""Payloads that are not told apart by name count as payloads. Groups overlap where one is a part of another."""


def members(group: BoardGroup, table: GpTable, names: Mapping[int, str]) -> Bool[np.ndarray, " n"]:
    """Which sets are of the group."""
    mine = np.isin(kinds_of(table.norad_id, names), group.kinds)
    return mine if group.regime is None else mine & (catalog_regime(table) == CATALOG_REGIMES.index(group.regime))


def noise_km(
    table: GpTable, norad_id: Int[np.ndarray, " k"], from_us: int, to_us: int, names: Mapping[int, str]
) -> dict[str, float]:
    """Median distance of neighbouring sets of each group (`catalog_noise`), of these objects between these times.

    table: ordered by (norad_id, epoch_us). Groups with hardly any are left out.
    """
    near = table[np.isin(table.norad_id, norad_id) & (table.epoch_us >= from_us) & (table.epoch_us <= to_us)]
    out = {}
    for group in BOARD_GROUPS:
        found = noise_floor_km(near[members(group, near, names)])
        rows = [at for at, kind in enumerate(found["kind"]) if kind == "all"]
        if rows:
            most = max(rows, key=lambda at: found["pairs"][at])
            out[group.name] = float(found["noise_median_km"][most])
    return out
