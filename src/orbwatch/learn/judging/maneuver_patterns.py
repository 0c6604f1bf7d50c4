"""What patterns of life are worth: next burns inside their intervals, slots seen from orbits, kinds that cannot burn.

Next burns are judged with true burns, the waiting times of each satellite taken from the others (leave-one-out).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Int

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.kinds import kinds_of
from orbwatch.constants import DAY_US, JULIAN_YEAR_DAY
from orbwatch.learn.judging.metrics import ALL, Columns, columns
from orbwatch.maneuver.found import Maneuvers
from orbwatch.maneuver.pattern_limits import LEAST_BURNS, LEAST_WINDOW_DAY, PATTERNS, SILENT
from orbwatch.maneuver.patterns import Pattern, patterns
from orbwatch.maneuver.rhythm import next_burn_us, rhythm_of, separate_us, silence_chance, standardized, waiting_of

ASK_DAY = 30.0
NEXT_BURNS = (
    "satellite", "burns", "inside_share", "after_median_share", "width_median_day", "period_day", "regularity",
    "asked_monthly", "inside_share_monthly", "false_silences", "years",
)  # fmt: skip
"""inside_share: true next burns in the 90 % interval given at the burn before; inside_share_monthly: in that given
every 30 days, when it is known that none came yet; false_silences: burns that came when their chance was below
`SILENT`."""
CLASSES = ("none", "east_west", "east_west_north_south")
"""Of station-keeping in GEO."""
SLOTS = ("norad_id", "true", "found", "pattern", "days")
COUNTS = ("kind", "regime", "objects", *PATTERNS)


def waiting_times(burn_us: Mapping[str, Int[np.ndarray, " _"]]) -> tuple[float, ...]:
    """`rhythm.WAITING` anew, from satellites' true burns (UTC microseconds since 1970).

    A rhythm that was given up is not one: of SARAL only burns before its drifting phase (July 2016) were used.
    """
    return waiting_of([standardized(each) for each in burn_us.values()])


def next_burns(burn_us: Mapping[str, Int[np.ndarray, " _"]]) -> Columns:
    """Shares of true next burns inside their 90 % intervals, each satellite by the others' waiting times; `NEXT_BURNS`.

    burn_us: true burns of each satellite. The last row, "all", is the mean over satellites (sums of counts).
    """
    made = {name: standardized(each) for name, each in burn_us.items()}
    rows: list[list[Any]] = []
    for name, each in burn_us.items():
        waiting = waiting_of([values for other, values in made.items() if other != name])
        burns = separate_us(each)
        if len(burns) <= LEAST_BURNS:
            continue
        rows.append([name, *_judged(burns, waiting)])
    mean = [float(np.nanmean([row[at] for row in rows])) for at in range(1, len(NEXT_BURNS))]
    for at, name in enumerate(NEXT_BURNS[1:]):
        if name in ("burns", "asked_monthly", "false_silences", "years"):
            mean[at] = sum(row[at + 1] for row in rows)
    return columns(NEXT_BURNS, [*rows, [ALL, *mean]])


def _judged(burns: Int[np.ndarray, " e"], waiting: tuple[float, ...]) -> list[int | float]:
    inside, after, width, silences = [], [], [], 0
    for k in range(LEAST_BURNS, len(burns)):
        rhythm = rhythm_of(burns[:k])
        assert rhythm is not None
        middle, low, high = next_burn_us(rhythm, int(burns[k - 1]), waiting)
        inside.append(low <= burns[k] <= high)
        after.append(burns[k] > middle)
        width.append((high - low) / DAY_US)
        silences += silence_chance(rhythm, int(burns[k]), waiting) < SILENT
    monthly = []
    for at in np.arange(burns[LEAST_BURNS], burns[-1], int(ASK_DAY * DAY_US)).tolist():
        k = int(np.searchsorted(burns, at, "right"))
        rhythm = rhythm_of(burns[:k])
        assert rhythm is not None
        _, low, high = next_burn_us(rhythm, at, waiting)
        monthly.append(low <= burns[k] <= high)
    whole = rhythm_of(burns)
    assert whole is not None
    years = float(burns[-1] - burns[LEAST_BURNS - 1]) / DAY_US / JULIAN_YEAR_DAY
    share = float(np.mean(monthly)) if monthly else np.nan
    return [
        len(inside), float(np.mean(inside)), float(np.mean(after)), float(np.median(width)), whole.period_day,
        whole.regularity, len(monthly), share, silences, years,
    ]  # fmt: skip


def slot_class(pattern: Pattern) -> str:
    """One of `CLASSES`, from what a pattern says is kept."""
    return {"longitude": CLASSES[1], "longitude and plane": CLASSES[2]}.get(pattern.keeps, CLASSES[0])


def slots(table: GpTable, true: Mapping[int, str], maneuvers: Maneuvers | None = None) -> Columns:
    """Station-keeping of geostationary satellites as seen and as it is said to be: one row an object, see `SLOTS`.

    table: ordered by (norad_id, epoch_us). true: one of `CLASSES` by catalogue number. maneuvers: found burns, if any.
    """
    rows = []
    for one in patterns(table, maneuvers or Maneuvers.empty()):
        if one.norad_id in true and one.days >= LEAST_WINDOW_DAY:
            found = slot_class(one)
            rows.append([one.norad_id, true[one.norad_id], found, one.name, one.days])
    return columns(SLOTS, rows)


def slot_agreement(table: Columns) -> float:
    """Share of the rows of `slots` in which both classes are the same."""
    return float(np.mean(np.array(table["true"]) == np.array(table["found"])))


def known_kinds(found: list[Pattern], names: Mapping[int, str]) -> Columns:
    """How many objects of each kind (`catalog.kinds`) and regime have which pattern, in columns `COUNTS`.

    Those whose window is under a month are left out. What is passive must be normal or drift_decay.
    """
    seen = [one for one in found if one.days >= LEAST_WINDOW_DAY]
    kind = kinds_of(np.array([one.norad_id for one in seen], np.int64), names)
    groups: dict[tuple[str, str], list[str]] = {}
    for one, what in zip(seen, kind.tolist(), strict=True):
        groups.setdefault((what, one.regime), []).append(one.name)
    rows = [[*key, len(group), *(group.count(name) for name in PATTERNS)] for key, group in sorted(groups.items())]
    return columns(COUNTS, rows)
