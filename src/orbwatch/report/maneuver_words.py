"""Maneuvers as people read them: kinds, sizes and rhythms in words, one line an event or an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from orbwatch.catalog.gp import NO_TIME, GpTable
from orbwatch.constants import DAY_US, JULIAN_YEAR_DAY
from orbwatch.maneuver.found import Maneuvers
from orbwatch.maneuver.patterns import Pattern
from orbwatch.report.forecast_words import age_text, distance_text
from orbwatch.report.maneuver_sizes import least_text, signed_text, size_text, speed_text, usual_text
from orbwatch.time import format_utc, format_utc_many

if TYPE_CHECKING:
    from orbwatch.models.maneuver_told import ToldPattern

KIND_WORDS = {
    "in_track_raise": "raises the orbit",
    "in_track_lower": "lowers the orbit",
    "cross_track": "tilts the orbit",
    "radial": "changes its shape",
    "non_impulsive": "slow thrust or drag",
    "unknown": "unknown",
}
AXIS_WORDS = {
    "in_track_raise": "in-track, raising",
    "in_track_lower": "in-track, lowering",
    "cross_track": "cross-track",
    "radial": "radial",
    "non_impulsive": "non-impulsive",
    "unknown": "of unknown kind",
}
"""Kinds as the end of "0.12 m/s ..."."""
LIKELY = 0.5
"""Maneuvers from this probability on are spoken of."""
PERHAPS = 0.2
"""Those from here on are told apart from the likely ones: by the calibration, one in three of them is one."""
_MOST_PERHAPS = 3
_UNLIKE = 1.3  # burns of one kind and sign so much rarer than burns at all are told apart


def event_columns(found: Maneuvers) -> dict[str, Any]:
    """One row an event, for programs: units in the names, numbers in full.

    `epoch_utc` is when the event shows: the epoch of the set that ends its gap, as an alert would have it.
    `burn_utc` is when the burn was, as far as the orbits before and after tell.
    """
    return {
        "norad_id": found.norad_id,
        "start_utc": format_utc_many(found.start_us),
        "end_utc": format_utc_many(found.end_us),
        "epoch_utc": format_utc_many(found.end_us),
        "probability": found.probability,
        "type": found.kind.tolist(),
        "dv_r_m_s": found.dv_rtn_m_s[:, 0],
        "dv_t_m_s": found.dv_rtn_m_s[:, 1],
        "dv_n_m_s": found.dv_rtn_m_s[:, 2],
        "dv_sigma_m_s": found.dv_sigma_m_s,
        "pattern": found.pattern.tolist(),
        "burn_utc": format_utc_many(found.epoch_us),
    }


def when_text(us: int) -> str:
    """An instant to the minute."""
    return format_utc(us, 0)[:16].replace("T", " ")


def event_words(found: Maneuvers) -> dict[str, Any]:
    """One row an event, newest first, for the terminal and the page."""
    order = np.argsort(-found.epoch_us, kind="stable")
    size, sigma = found.size_m_s()[order], found.dv_sigma_m_s[order]
    within_h = (found.end_us - found.start_us)[order] / DAY_US * 24.0
    parts = found.dv_rtn_m_s[order]
    return {
        "about, UTC": [when_text(int(us)) for us in found.epoch_us[order]],
        "known within": [f"{h:.0f} h" if h < 99.5 else f"{h / 24.0:.0f} d" for h in within_h.tolist()],
        "probability": [f"{p:.2f}" for p in found.probability[order].tolist()],
        "what it did": [KIND_WORDS.get(kind, kind) for kind in found.kind[order].tolist()],
        "delta-v": [size_text(one, error) for one, error in zip(size.tolist(), sigma.tolist(), strict=True)],
        **{f"{axis}, m/s": [signed_text(one) for one in parts[:, k].tolist()] for k, axis in enumerate("RTN")},
        "pattern": [pattern_text(one) for one in found.pattern[order].tolist()],
    }


def pattern_text(pattern: str) -> str:
    """A pattern's name in words."""
    return pattern.replace("_", " ")


def burn_text(m_s: float, sigma_m_s: float, kind: str, probability: float) -> str:
    """A burn in a few words: 0.12 m/s in-track, raising, p 0.97; a size lost in its scatter is below something."""
    size = f"{least_text(m_s, sigma_m_s)} " if np.isfinite(m_s) else ""
    return f"{size}{AXIS_WORDS.get(kind, kind)}, p {probability:.2f}"


def _burn(found: Maneuvers, at: int) -> str:
    size_m_s, sigma_m_s = float(found.size_m_s()[at]), float(found.dv_sigma_m_s[at])
    return burn_text(size_m_s, sigma_m_s, str(found.kind[at]), float(found.probability[at]))


def caution_sentence(found: Maneuvers, norad_id: int) -> str:
    """What a forecast's reader should know of an object's fresh maneuvers; empty if there are none."""
    mine = found.of(norad_id)
    if not len(mine):
        return ""
    last = int(np.argmax(mine.epoch_us))
    more = f" and {len(mine) - 1} before it" if len(mine) > 1 else ""
    about = f"{when_text(int(mine.epoch_us[last]))} UTC ({_burn(mine, last)}){more}"
    return (
        f"a maneuver was likely about {about}: the newest sets may not have settled on the new orbit yet, "
        "and the forecast assumes no maneuver from now on"
    )


def _date(us: int) -> str:
    return format_utc(us, 0)[:10]


def _span_text(day: float) -> str:
    return age_text(day) if day < 730.0 else f"{day / JULIAN_YEAR_DAY:.1f} years"


def ago_text(us: int, at_us: int) -> str:
    """How long ago: 2.0 d before, 5 h before."""
    return f"{age_text((at_us - us) / DAY_US)} before"


def names_of(numbers: Mapping[int, str], norad_id: int) -> str:
    """Number and name."""
    return f"{norad_id} {numbers.get(norad_id, '')}".strip()


def life_sentence(life: Pattern, found: Maneuvers) -> str:
    """What an object does, in a sentence without its name: pattern, rhythm, last burn, next one."""
    keeps = f" (its {life.keeps})" if life.keeps else ""
    parts = [f"{pattern_text(life.name)}{keeps}"]
    if life.rhythm is not None:
        alike = life.cycle_day > _UNLIKE * life.rhythm.period_day
        parts.append(
            f"a burn every {every_text(life)}{f', one like the last every {age_text(life.cycle_day)}' * alike}"
        )
    mine = found.of(life.norad_id)
    likely = mine.take(mine.probability >= LIKELY)
    if len(likely):
        at = int(np.argmax(likely.epoch_us))
        parts.append(f"last maneuver {when_text(int(likely.epoch_us[at]))} UTC ({_burn(likely, at)})")
    if life.raising_since_us != NO_TIME:
        parts.append(f"raising its orbit since {_date(life.raising_since_us)}, {distance_text(life.raised_km)} so far")
    if life.lowering_since_us != NO_TIME:
        parts.append(f"going down since {_date(life.lowering_since_us)}, {distance_text(life.lowered_km)} so far")
    if life.control_lost:
        parts.append("control lost: its rhythm has stopped, and it has left the band that it kept")
    return "; ".join([*parts, *next_words(life)])


def every_text(life: Pattern) -> str:
    """From one burn to the next, of whatever kind; "-" where no rhythm is claimed."""
    return "-" if life.rhythm is None else age_text(life.rhythm.period_day)


def next_words(life: Pattern) -> list[str]:
    """When the next burn is expected, 90 %; nothing where there is no rhythm, or it has stopped."""
    if life.control_lost or NO_TIME in (life.next_us, life.next_low_us):
        return []
    until = "later" if life.next_high_us == NO_TIME else _date(life.next_high_us)
    return [f"next expected {_date(life.next_low_us)} to {until}"]


def seen_words(least_m_s: Float[np.ndarray, "3"]) -> str:
    """What would have been seen: the delta-v along R, T, N above which nine of ten maneuvers are; empty if unknown."""
    named = ((1, "in-track"), (2, "cross-track"))
    parts = [f"{speed_text(float(least_m_s[k]))} {axis}" for k, axis in named if np.isfinite(least_m_s[k])]
    return " or ".join(parts)


def told_sentence(told: ToldPattern, by_rule: str) -> str:
    """What the classifier says, between what it wavers, and that the rule counts where it names another pattern."""
    others = [pattern_text(one) for one in told.may_be if one != told.name]
    waver = f"; with 90 % that or {' or '.join(others)}" if others else ""
    return (
        f"the classifier, which knows simulated lives, sees {pattern_text(told.name)} in the last "
        f"{told.days:.0f} days (p {told.probability:.2f}{waver})"
        f"{'' if told.name == by_rule else f'; the rule counts: {pattern_text(by_rule)}'}"
    )


def life_lines(
    table: GpTable,
    found: Maneuvers,
    life: Pattern,
    least_m_s: Float[np.ndarray, "3"],
    told: ToldPattern | None = None,
) -> list[str]:
    """One object in sentences: what it does; how much was looked at; what would have been seen (as `seen_words`).

    table: its sets; found: what is listed of it; told: what the classifier says.
    """
    span_day = (table.epoch_us[-1] - table.epoch_us[0]) / DAY_US
    looked = f"{len(table):,} element sets over {_span_text(float(span_day))}"
    seen = seen_words(least_m_s)
    lines = [life_sentence(life, found)]
    if told is not None:
        lines.append(told_sentence(told, life.name))
    if not len(found):
        return [*lines, f"no maneuver found{f' above {seen}' if seen else ''} in {looked}"]
    likely = found.take(found.probability >= LIKELY)
    usual = usual_text(likely.size_m_s(), likely.dv_sigma_m_s)
    typical = "" if usual == "-" else f" (delta-v {usual} in the median)"
    count = f"{len(likely):,} of them more likely than not{typical}"
    lines.append(f"{len(found):,} possible maneuvers in {looked}, {count}")
    lines += perhaps_words(found)
    return [*lines, f"of maneuvers above {seen} nine in ten are seen"] if seen else lines


def is_perhaps(found: Maneuvers) -> Bool[np.ndarray, " d"]:
    """Events too likely to be forgotten, and not likely enough to be spoken of as maneuvers."""
    return np.asarray((found.probability >= PERHAPS) & (found.probability < LIKELY))


def perhaps_words(found: Maneuvers) -> list[str]:
    """One object's events that do not count as maneuvers and may well be some, the newest first; or nothing."""
    perhaps = found.take(is_perhaps(found))
    newest = np.argsort(-perhaps.epoch_us, kind="stable").tolist()
    if not newest:
        return []
    told = [f"{when_text(int(perhaps.epoch_us[at]))} ({_burn(perhaps, at)})" for at in newest[:_MOST_PERHAPS]]
    more = f", and {len(newest) - _MOST_PERHAPS:,} more" if len(newest) > _MOST_PERHAPS else ""
    what = "one event" if len(newest) == 1 else f"{len(newest):,} events"
    return [f"not among those, but may be maneuvers: {what} with p {PERHAPS:g} to {LIKELY:g}: {', '.join(told)}{more}"]


def object_words(
    found: Maneuvers, lives: Mapping[int, Pattern], names: Mapping[int, str], at_us: int
) -> dict[str, Any]:
    """One row an object with likely maneuvers, the last one first; found: they, and less likely events."""
    maybe = found.norad_id[is_perhaps(found)]
    found = found.take(found.probability >= LIKELY).ordered()
    last = np.flatnonzero(np.append(found.norad_id[1:] != found.norad_id[:-1], len(found) > 0))
    count = np.diff(np.append(-1, last))
    newest = np.argsort(-found.epoch_us[last], kind="stable")
    last, count = last[newest], count[newest]
    ids = found.norad_id[last].tolist()
    columns: dict[str, Any] = {"norad_id": found.norad_id[last]}
    if any(names.get(number) for number in ids):
        columns["name"] = [names.get(number, "") for number in ids]
    size, sigma = found.size_m_s(), found.dv_sigma_m_s
    mine = [slice(end - n + 1, end + 1) for end, n in zip(last.tolist(), count.tolist(), strict=True)]
    return columns | {
        "maneuvers": count,
        "perhaps more": [int((maybe == number).sum()) for number in ids],
        "usual delta-v": [usual_text(size[one], sigma[one]) for one in mine],
        "last, UTC": [when_text(int(us)) for us in found.epoch_us[last]],
        "ago": [age_text((at_us - us) / DAY_US) for us in found.epoch_us[last].tolist()],
        "probability": [f"{p:.2f}" for p in found.probability[last].tolist()],
        "what it did": [KIND_WORDS.get(kind, kind) for kind in found.kind[last].tolist()],
        "its delta-v": [least_text(float(size[at]), float(sigma[at])) for at in last.tolist()],
        "pattern": [pattern_text(lives[number].name) for number in ids],
        "every": [every_text(lives[number]) for number in ids],
        "next": ["; ".join(next_words(lives[number])).removeprefix("next expected ") or "-" for number in ids],
    }
