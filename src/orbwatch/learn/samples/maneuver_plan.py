"""Who lives which life: quiet objects, patterns and splits of a simulated data set of maneuvers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int8

from orbwatch.errors import InputError
from orbwatch.learn.samples.maneuver_bases import Base
from orbwatch.learn.samples.splits import SPLITS, split_objects
from orbwatch.settings_groups import LifeSettings
from orbwatch.simulate.behaviour import GEO, LOW, PATTERNS, REGIMES

FIRST_ID = 800_000_000
"""Catalogue number of the first simulated history; the others follow."""
ALIKE = 120
"""Neighbours in height among whom all patterns are equally frequent."""
_SALT = 0x11FE


@dataclass(frozen=True)
class Part:
    """One history to make."""

    norad_id: int
    """Of its own, from `FIRST_ID` on."""
    base: Base
    life: int
    """Which of the lives of its quiet object."""
    pattern: str
    split: int
    """Index into SPLITS; all lives of one quiet object are in one."""


def plan_lives(bases: list[Base], settings: LifeSettings) -> list[Part]:
    """The histories to make, in order of regime and height.

    Each regime gets its share, or as many as its quiet objects have lives. Sorted by the height of the perigee, every
    120 neighbours live the six patterns in equal numbers and random order: the height says nothing of the pattern, nor
    do the patterns of the nearest neighbours (in blocks of six they would: by exclusion). Raises InputError for a
    history without quiet objects.
    """
    if len(bases) < len(SPLITS):
        hint = "Debris and rocket bodies by name; give the names of the objects, and who has no engine"
        raise InputError("too few quiet objects in this history", value=len(bases), hint=hint)
    rng = np.random.default_rng([settings.seed, _SALT])
    regime: Int8[np.ndarray, " n"] = np.array([REGIMES.index(base.facts.regime) for base in bases], np.int8)
    split = np.zeros(len(bases), np.int64)
    for code, rows in enumerate(split_objects(regime, settings.seed).values()):
        split[rows] = code
    high = [name for name in REGIMES if name not in (LOW, GEO)]
    wanted = {GEO: round(settings.objects * settings.geo_share)}
    among = {name: int((regime == REGIMES.index(name)).sum()) for name in REGIMES}
    few = sum(among[name] for name in high)
    for name in high:  # an eccentric object lives twice as often as one in a medium orbit, as there are so few
        weight = {name: among[name] * (1 + (name == "HEO")) for name in high}
        wanted[name] = round(settings.objects * settings.high_share * weight[name] / max(sum(weight.values()), 1))
    counts = {name: min(number, among[name] * settings.lives) for name, number in wanted.items() if few or name == GEO}
    counts[LOW] = min(settings.objects - sum(counts.values()), among[LOW] * settings.lives)
    parts: list[Part] = []
    for name in REGIMES:
        own = np.flatnonzero(regime == REGIMES.index(name))
        chosen = _spread(own, counts.get(name, 0), rng)
        chosen.sort(key=lambda each: (bases[each[0]].facts.perigee_km, *each))
        sizes = [min(ALIKE, len(chosen) - at) for at in range(0, len(chosen), ALIKE)]
        patterns = [int(code) for size in sizes for code in rng.permutation(np.arange(size) % len(PATTERNS))]
        parts += [
            Part(FIRST_ID + len(parts) + k, bases[i], life, PATTERNS[patterns[k]], int(split[i]))
            for k, (i, life) in enumerate(chosen)
        ]
    return parts


def _spread(rows: np.ndarray, count: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """So many (row, life): all rows as often as each other, but for the last round, in which some are drawn."""
    chosen: list[tuple[int, int]] = []
    life = 0
    while len(rows) and len(chosen) < count:
        now = rng.permutation(rows)[: count - len(chosen)]
        chosen += [(int(i), life) for i in now]
        life += 1
    return chosen
