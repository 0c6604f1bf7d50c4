"""Groups of objects for a matrix too large to show object by object: shells by height, and families by name."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.conjunction.matrix import PairMatrix
from orbwatch.constants import DAY_S, TWO_PI, WGS72_MU_KM3_S2, WGS72_RADIUS_KM

SHELL_KM = 50
FAMILIES = 24
_FIRST_WORD = re.compile(r"[\s\-(\[]+")


@dataclass(frozen=True, eq=False)
class Grouped:
    """What the pairs between groups have in common; each array (g, g), symmetric."""

    names: list[str]
    objects: Int[np.ndarray, " g"]
    pairs: Int[np.ndarray, "g g"]
    """Pairs below the threshold."""
    nearest_km: Float[np.ndarray, "g g"]
    """NaN without a pair."""
    pc_highest: Float[np.ndarray, "g g"]
    """NaN without a probability."""


def shells(table: GpTable) -> list[str]:
    """Of each object the shell that it is named by: 50 km of mean altitude in low orbits, GEO, MEO, eccentric."""
    axis_km = np.cbrt(WGS72_MU_KM3_S2 / (table.mean_motion_rev_day * TWO_PI / DAY_S) ** 2)
    altitude_km = axis_km - WGS72_RADIUS_KM
    floor = (altitude_km // SHELL_KM * SHELL_KM).astype(np.int64)
    geo = (table.mean_motion_rev_day > 0.9) & (table.mean_motion_rev_day < 1.1)
    return [
        "eccentric" if ecc >= 0.25 else "GEO" if near else "MEO" if height >= 2000.0 else f"{low}-{low + SHELL_KM} km"
        for ecc, near, height, low in zip(table.eccentricity, geo, altitude_km, floor.tolist(), strict=True)
    ]


def shell_order(name: str) -> tuple[int, int]:
    """Low shells first, upwards."""
    high = {"MEO": 1, "GEO": 2, "eccentric": 3}
    return (high[name], 0) if name in high else (0, int(name.split("-")[0]) if name[0] != "-" else -1)


def families(table: GpTable) -> list[str]:
    """Of each object the family that its name tells: STARLINK, COSMOS 2251 DEB; "unnamed" without one."""
    return [
        name if "DEB" in name.split() else _FIRST_WORD.split(name)[0] if name else "unnamed"
        for name in table.name.tolist()
    ]


def largest(names: list[str], matrix: PairMatrix, most: int = FAMILIES) -> list[str]:
    """The groups with the most pairs below the threshold; all others become "others"."""
    near = matrix.closest.miss_km < matrix.threshold_km
    counts: Counter[str] = Counter()
    for rows in (matrix.closest.index_1[near], matrix.closest.index_2[near]):
        counts.update(names[i] for i in rows.tolist())
    kept = {name for name, _ in counts.most_common(most)}
    return [name if name in kept else "others" for name in names]


def grouped(matrix: PairMatrix, group_of: list[str], order: list[str]) -> Grouped:
    """The pairs below the threshold, between and within groups; order: all groups, as they are to be shown."""
    place = {name: k for k, name in enumerate(order)}
    own = np.array([place[name] for name in group_of], np.int64)
    near = matrix.closest.miss_km < matrix.threshold_km
    one, two = own[matrix.closest.index_1[near]], own[matrix.closest.index_2[near]]
    g = len(order)
    pairs = np.zeros((g, g), np.int64)
    nearest, highest = np.full((g, g), np.inf), np.full((g, g), -1.0)
    pc = np.nan_to_num(matrix.pc_highest[near], nan=-1.0)
    for a, b, first in ((one, two, True), (two, one, False)):
        take = slice(None) if first else a != b  # a pair within a group counts once
        np.add.at(pairs, (a[take], b[take]), 1)
        np.minimum.at(nearest, (a[take], b[take]), matrix.closest.miss_km[near][take])
        np.maximum.at(highest, (a[take], b[take]), pc[take])
    return Grouped(
        order,
        np.bincount(own, minlength=g),
        pairs,
        np.where(np.isinf(nearest), np.nan, nearest),
        np.where(highest < 0.0, np.nan, highest),
    )
