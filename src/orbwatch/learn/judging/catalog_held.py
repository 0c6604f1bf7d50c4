"""Which of a catalogue model's regions have held on a history's last weeks, and which have not: a table, and words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.constants import DAY_US
from orbwatch.learn.judging.drift import Week, week_against_promise
from orbwatch.learn.judging.metrics import Columns, columns, height
from orbwatch.learn.judging.significance import holm, shares
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES
from orbwatch.models.catalog_coverage import Matured
from orbwatch.models.catalog_forecast import LEVELS

ALL = "all"
TOLERANCE = 0.04
"""What a 90 % region may miss its promise by before it counts: what is asked of every regime, kind and horizon."""
DRIFT_TOLERANCE = 0.02
"""What a week's share may be off by before it is called a drift, whatever chance says."""
ALARM = 0.05
"""Chance that regions which all hold raise an alarm."""
LEAST = 50
"""Rows with fewer truths are left out."""
DRAWS = 200
WEEK_DAY = 7
HOLDS, UNCLEAR, NARROW, WIDE = "holds", "unclear", "too narrow", "too wide"
NAMES = (
    "regime", "part", "day", "truths", "objects", "inside_50", "inside_90", "inside_90_low", "inside_90_high",
    "inside_99", "adapted_50", "adapted_90", "adapted_99", "radial_km_90", "along_km_90", "normal_km_90", "verdict",
    "week_truths", "week_90", "week_adapted_90", "drift_p",
)  # fmt: skip
"""part: all of a regime, those that behave alike, or those of a kind. inside_: shares of truths inside the model's
regions, with a 95 % interval by object; adapted_: inside the radii with the factors as they stood when asked; _km_90:
median half axes along R, T, N. week_90: of truths that became public in the last week; drift_p: how unlikely that is
if the promise holds, corrected for the number of rows tested (Holm)."""


def held_table(
    matured: Matured,
    factor: Float[np.ndarray, "n h l"],
    horizon_day: Float[np.ndarray, " h"],
    groups: Sequence[str],
    until_us: int,
    tolerance: float = TOLERANCE,
) -> Columns:
    """One row for each regime, part and horizon with truths enough; columns `NAMES`.

    factor: on the radii, as they stood when asked. until_us: now, UTC microseconds since 1970. Drift is looked for in
    whole regimes, where the truths are most, and corrected for as many tests.
    """
    ratio = matured.ratio()
    known = ~np.isnan(ratio).any(axis=2)
    inside, adapted = ratio <= 1.0, ratio <= factor
    half_km = matured.radius[..., LEVELS.index(0.9), None] * matured.sigma_km
    recent = matured.public_us > until_us - WEEK_DAY * DAY_US
    day = (matured.asked_us - until_us) // DAY_US
    rows = []
    for regime, part, mine in _parts(matured, groups):
        for h, horizon in enumerate(horizon_day.tolist()):
            here = mine & known[:, h]
            if here.sum() < LEAST:
                continue
            ids = matured.norad_id[here]
            held, low, high = shares(inside[here, h, 1:2], ids, DRAWS)[0].tolist()
            week, week_adapted = Week(0, float("nan"), float("nan"), float("nan")), float("nan")
            if part == ALL and regime != ALL:
                at_90 = inside[here, h, 1]
                new = here & recent[:, h]
                week_adapted = float(adapted[new, h, 1].mean()) if new.any() else week_adapted
                week = week_against_promise(at_90, recent[here, h], ids, day[here], LEVELS[1], horizon, DRIFT_TOLERANCE)
            rows.append([
                regime, part, horizon, int(here.sum()), len(np.unique(ids)), float(inside[here, h, 0].mean()), held,
                low, high, float(inside[here, h, 2].mean()), *(float(adapted[here, h, at].mean()) for at in range(3)),
                *(float(x) for x in np.median(half_km[here, h], axis=0)),
                verdict(held, low, high, LEVELS[1], tolerance), week.truths, week.share, week_adapted, week.p,
            ])  # fmt: skip
    table = columns(NAMES, rows)
    table["drift_p"] = holm(np.array(table["drift_p"], np.float64)).tolist()
    return table


def verdict(share: float, low: float, high: float, promised: float, tolerance: float) -> str:
    """Whether a share with its interval keeps a promise within the tolerance."""
    if abs(share - promised) <= tolerance:
        return HOLDS
    if high < promised - tolerance:
        return NARROW
    return WIDE if low > promised + tolerance else UNCLEAR


def words(table: Columns) -> list[str]:
    """What the table says, for whoever does not read it: which regions hold, which do not."""
    rows = cells(table)
    verdicts = [table["verdict"][i] for i in rows]
    adapted = sum(abs(table["adapted_90"][i] - LEVELS[1]) <= TOLERANCE for i in rows)
    said = [
        f"90 % within {TOLERANCE * 100:g} points: {verdicts.count(HOLDS)} of {len(rows)} cells as calibrated, "
        f"{adapted} adapted"
    ]
    for what in (NARROW, WIDE):
        named = [_cell(table, i) for i in rows if table["verdict"][i] == what]
        said += [f"{what}: {'; '.join(named)}"] if named else []
    return said


def cells(table: Columns) -> list[int]:
    """The rows that a promise is made for: parts of regimes."""
    return [i for i in range(height(table)) if table["part"][i] != ALL]


def alarms(table: Columns, alarm: float = ALARM) -> list[str]:
    """For each regime and horizon whose last week differs from the promise by more than chance: so, in words."""
    said = []
    for i in range(height(table)):
        p, share = table["drift_p"][i], table["week_90"][i]
        if p <= alarm:
            way = "too small" if share < LEVELS[1] else "too large"
            said.append(
                f"{table['regime'][i]}, {table['day'][i]:g} d: the 90 % ellipsoids held {share:.1%} of "
                f"{table['week_truths'][i]:,} truths of the last week; they are {way} for errors as they are now "
                f"(chance {p:.1g}); adapted, they held {table['week_adapted_90'][i]:.1%}"
            )
    return said


def daily_shares(
    matured: Matured, factor: Float[np.ndarray, "n h l"] | None, rows: Bool[np.ndarray, " n"], column: int
) -> tuple[Int[np.ndarray, " d"], Float[np.ndarray, " d"], Int[np.ndarray, " d"]]:
    """By asking time (UTC microseconds since 1970): share inside the 90 % regions at a horizon, and of how many."""
    ratio = matured.ratio()[:, column, 1]
    use = rows & ~np.isnan(ratio)
    inside = ratio[use] <= (1.0 if factor is None else factor[use, column, 1])
    when, at, count = np.unique(matured.asked_us[use], return_inverse=True, return_counts=True)
    return when, np.bincount(at, inside, len(when)) / np.maximum(count, 1), count


def _parts(matured: Matured, groups: Sequence[str]) -> Iterator[tuple[str, str, Bool[np.ndarray, " n"]]]:
    yield ALL, ALL, np.ones(len(matured), bool)
    how = np.array([name.partition(", ")[2] for name in groups])[matured.group] if len(matured) else np.empty(0, str)
    for code, regime in enumerate(CATALOG_REGIMES):
        mine = matured.regime == code
        yield regime, ALL, mine
        for names in (how, matured.kind):
            for name in np.unique(names[mine]).tolist():
                if name:
                    yield regime, name, mine & (names == name)


def _cell(table: Columns, i: int) -> str:
    return f"{table['regime'][i]}, {table['part'][i]}, {table['day'][i]:g} d {table['inside_90'][i]:.1%}"
