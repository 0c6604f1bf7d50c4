"""Patterns of life: what each object has been doing, its rhythm, its next burn, whether it has lost control.

Causal: a pattern at an instant uses only sets that were public by then, and burns that had ended by then. Burns found
with later sets (batch mode) bring later knowledge in; for alerts give those found as sets arrive.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from orbwatch.catalog.gp import NO_TIME, GpTable
from orbwatch.catalog.history import check_ordered
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES
from orbwatch.maneuver.found import Maneuvers
from orbwatch.maneuver.orbit_window import OrbitWindows, axis_km, known_us, mean_longitudes_deg, orbit_windows
from orbwatch.maneuver.pattern_limits import ALIVE, LEAST_PROBABILITY, SILENT, WINDOW_DAY
from orbwatch.maneuver.pattern_rule import BurnEvidence, Named, name_patterns
from orbwatch.maneuver.rhythm import Rhythm, next_burn_us, rhythm_of, silence_chances

_BAND_CYCLES = 4.0
"""The band that was kept is that of so many last cycles before the last burn."""


@dataclass(frozen=True)
class Pattern:
    """One object at one instant. Times in UTC microseconds since 1970, `NO_TIME` where there is none."""

    norad_id: int
    at_us: int
    name: str
    """One of `pattern_limits.PATTERNS`."""
    regime: str
    keeps: str
    """What station-keeping keeps: "height", "longitude", "longitude and plane"; empty else."""
    days: float
    """That the window's sets span."""
    burns: int
    """Known in the window."""
    dv_m_s: float
    """At least so much was burned in it."""
    net_km: float
    """Change of the semi-major axis over it; of that, a day between burns (NaN where not to be seen):"""
    natural_km_day: float
    last_burn_us: int
    rhythm: Rhythm | None
    """None of fewer than four burns: no rhythm is claimed of them."""
    cycle_day: float
    """From one burn to the next of its own kind and sign (median), where kinds are known; else the rhythm's period."""
    next_us: int
    """When the next burn is due; and the ends of its 90 % interval (`rhythm.next_burn_us`):"""
    next_low_us: int
    next_high_us: int
    silence_chance: float
    """That its own rhythm is silent for as long as it has been; NaN without a rhythm."""
    control_lost: bool
    """That chance is below 1 %, and the orbit has left the band in which it was kept."""
    raising_since_us: int
    """Start of a sustained raising that goes on, and its height:"""
    raised_km: float
    lowering_since_us: int
    """Start of a lowering (disposal, or a move to a lower shell) that goes on, and its depth:"""
    lowered_km: float

    def words(self) -> str:
        """The rhythm in plain words, with what is not known."""
        if self.rhythm is None:
            return f"{self.burns} burns in {self.days:.0f} days: too few for a rhythm"
        low, high = self.rhythm.period_low_day, self.rhythm.period_high_day
        text = f"a burn every {self.rhythm.period_day:.0f} days ({low:.0f}-{high:.0f}), regularity "
        return text + f"{self.rhythm.regularity:.2f}, from {self.rhythm.burns} burns"


def patterns(
    table: GpTable, maneuvers: Maneuvers, at_us: int | None = None, window_day: float = WINDOW_DAY
) -> list[Pattern]:
    """The pattern of every object of a history at an instant (default: of each at its newest set), by number.

    table: ordered by (norad_id, epoch_us), else InputError. maneuvers: found or true ones, in any order; those of
    probability `LEAST_PROBABILITY` and more count.
    """
    check_ordered(table)
    ids, first = np.unique(table.norad_id, return_index=True)
    end = np.append(first[1:], len(table))
    newest = np.maximum.reduceat(known_us(table), first) if len(table) else np.empty(0, np.int64)
    at = newest if at_us is None else np.full(len(ids), at_us, np.int64)
    asked = _ask(table, maneuvers, ids, at, window_day)
    chances = silence_chances(asked.rhythm, at)
    out = []
    for k, norad_id in enumerate(ids.tolist()):
        rhythm = asked.rhythm[k]
        due = next_burn_us(rhythm, int(at[k])) if rhythm is not None else (NO_TIME,) * 3
        chance = float(chances[k]) if rhythm is not None else np.nan
        lost = rhythm is not None and chance < SILENT
        if rhythm is not None and lost:
            lost = _left_band(table[int(first[k]) : int(end[k])], rhythm, int(at[k]))
        orbit, named = asked.orbit, asked.named
        up, down = bool(named.raising[k]), bool(named.lowering[k])
        out.append(
            Pattern(
                norad_id, int(at[k]), str(named.name[k]), CATALOG_REGIMES[orbit.regime[k]], str(named.keeps[k]),
                float(orbit.days[k]), int(asked.burns.count[k]), float(named.dv_m_s[k]),
                float(orbit.end_km[k] - orbit.start_km[k]), float(named.natural_km_day[k]), asked.last_us[k], rhythm,
                asked.cycle_day[k], *due, chance, bool(lost),
                _since(orbit, orbit.rise_days, k) if up else NO_TIME, float(orbit.risen_km[k]) if up else np.nan,
                _since(orbit, orbit.fall_days, k) if down else NO_TIME, float(orbit.fallen_km[k]) if down else np.nan,
            )
        )  # fmt: skip
    return out


def with_patterns(table: GpTable, maneuvers: Maneuvers, window_day: float = WINDOW_DAY) -> Maneuvers:
    """The same events, each with its object's pattern as it was known at the event's end."""
    check_ordered(table)
    asked = _ask(table, maneuvers, maneuvers.norad_id, maneuvers.end_us, window_day)
    return maneuvers.with_pattern(asked.named.name)


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is known of askings, one row each."""

    orbit: OrbitWindows
    burns: BurnEvidence
    named: Named
    rhythm: list[Rhythm | None]
    last_us: list[int]
    cycle_day: list[float]


def _ask(
    table: GpTable,
    maneuvers: Maneuvers,
    norad_id: Int[np.ndarray, " k"],
    at_us: Int[np.ndarray, " k"],
    window_day: float,
) -> _Asked:
    counted = maneuvers.take(maneuvers.probability >= LEAST_PROBABILITY).ordered()
    size, along = np.nan_to_num(counted.size_m_s()), counted.dv_rtn_m_s[:, 1]
    lower = (counted.kind == "in_track_lower") | ((counted.kind == "unknown") & (np.nan_to_num(along) < 0.0))
    kind = np.where((counted.kind == "unknown") & np.isfinite(along), np.where(along > 0.0, "+", "-"), counted.kind)
    first, end = (np.searchsorted(counted.norad_id, norad_id, side) for side in ("left", "right"))
    n = len(norad_id)
    count, dv, lowering, ever = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    rhythms: list[Rhythm | None] = [None] * n
    last, cycle = [NO_TIME] * n, [np.nan] * n
    told: dict[tuple[int, bytes], tuple[Rhythm | None, float]] = {}  # of the same burns; many askings know the same
    for k in np.flatnonzero(end > first).tolist():
        mine = slice(int(first[k]), int(end[k]))
        known = counted.end_us[mine] <= at_us[k]
        epoch = counted.epoch_us[mine][known]
        if not len(epoch):
            continue
        recent = epoch > at_us[k] - window_day * DAY_US
        count[k], ever[k], last[k] = recent.sum(), len(epoch), int(epoch[-1])
        dv[k], lowering[k] = size[mine][known][recent].sum(), lower[mine][known][recent].sum()
        key = (mine.start, known.tobytes())
        if key not in told:
            rhythm = rhythm_of(epoch)
            told[key] = rhythm, np.nan if rhythm is None else _cycle_day(epoch, kind[mine][known], rhythm)
        rhythms[k], cycle[k] = told[key]
    rhythmic = silence_chances(rhythms, at_us) >= ALIVE
    burns = BurnEvidence(count, dv, lowering, ever, rhythmic)
    orbit = orbit_windows(table, counted, norad_id, at_us, window_day)
    return _Asked(orbit, burns, name_patterns(orbit, burns), rhythms, last, cycle)


def _cycle_day(epoch_us: Int[np.ndarray, " b"], kind: np.ndarray, rhythm: Rhythm) -> float:
    same = epoch_us[kind == kind[-1]]
    if str(kind[-1]) == "unknown" or len(same) < 4:
        return rhythm.period_day
    return float(np.median(np.diff(same)) / DAY_US)


def _since(orbit: OrbitWindows, days: np.ndarray, k: int) -> int:
    return int(orbit.newest_us[k] - days[k] * DAY_US)


def _left_band(sets: GpTable, rhythm: Rhythm, at_us: int) -> bool:
    """Whether an object is outside what it kept in its last cycles, by half as much again and the sets' scatter.

    Of geostationary objects the longitude, of others the semi-major axis.
    """
    sets = sets[known_us(sets) <= at_us]
    if not len(sets):
        return False
    geo = 0.9 < sets.mean_motion_rev_day[-1] < 1.1
    # Unwrapped about the newest one: slots do not reach around the Earth.
    value = mean_longitudes_deg(sets) if geo else axis_km(sets)
    if geo:
        value = np.degrees(np.unwrap(np.radians(value)))
    begin_us = rhythm.last_us - _BAND_CYCLES * rhythm.period_day * DAY_US
    kept = value[(sets.epoch_us >= begin_us) & (sets.epoch_us <= rhythm.last_us)]
    after = value[sets.epoch_us > rhythm.last_us]
    if len(kept) < 5 or len(after) < 5:
        return False
    low, high = np.quantile(kept, (0.02, 0.98))
    margin = 0.5 * (high - low) + 3.0 * 1.4826 * float(np.median(np.abs(np.diff(kept))))
    now = float(np.median(after[-3:]))
    return bool(now < low - margin or now > high + margin)
