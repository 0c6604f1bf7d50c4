"""Messages of the same conjunction put together: in order of time, what changed, how serious the event is by now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from orbwatch.catalog.cdm import Cdm
from orbwatch.conjunction.category import Risk, categories, category
from orbwatch.conjunction.cdm_changes import changes, trend
from orbwatch.conjunction.choice import SHORT
from orbwatch.conjunction.expected_miss import p_miss_below
from orbwatch.constants import DAY_US
from orbwatch.settings import RiskSettings
from orbwatch.time import format_utc

_SAME_EVENT_US = 20 * 60_000_000
_NO_VECTORS = {"miss_rtn_m": None, "sigma_rtn_m": None, "cov_miss_rtn_m2": None}
"""Messages that name the objects the other way round have other axes: their vectors are not compared."""


@dataclass(frozen=True)
class Assessed:
    """One message with what was found."""

    file: str
    designators: tuple[str, str]
    """Without leading zeros."""
    names: tuple[str, str]
    tca_us: int
    created_us: int | None
    found: Mapping[str, Any]
    """Of `cdm_assess.assess_message` or `assess_public`."""
    cdm: Cdm | None = None
    """The message itself; None for a row of `cdm_public`."""
    warnings: tuple[str, ...] = ()
    """What is odd about it among the others: `entries` finds it."""
    dated: bool = True
    """Whether its date of creation can be."""
    copies: tuple[str, ...] = ()
    """Files in which it came again."""


Told = tuple[Assessed, dict[str, Any]]


def entries(
    messages: Sequence[Assessed], settings: RiskSettings, now_us: int, clock_us: int | None = None
) -> list[Told]:
    """Each message with its entry, as `orbwatch cdm assess --format json` prints it.

    Events stand in the order in which they come, their messages by creation (those without a date first, as they come).
    A message that comes more than once has one entry, that of its first; dates of creation that cannot be (a day after
    the closest approach, or after `clock_us`, `now_us` by default) count as none. Entries hold plain values; times of
    closest approach are counted from `now_us`.
    """
    messages, copies = _distinct(messages)
    late = [_impossible_date(one, now_us if clock_us is None else clock_us) for one in messages]
    messages = [
        replace(one, warnings=tuple(text for text in (*one.warnings, _copied(files), odd) if text), dated=not odd,
                copies=tuple(files))
        for one, files, odd in zip(messages, copies, late, strict=True)
    ]  # fmt: skip
    names = event_names([one.designators for one in messages], [one.tca_us for one in messages])
    events: dict[str, list[Assessed]] = {}
    for name, one in zip(names, messages, strict=True):
        events.setdefault(name, []).append(one)
    return [entry for name, group in events.items() for entry in _event(name, group, settings, now_us)]


def _distinct(messages: Sequence[Assessed]) -> tuple[list[Assessed], list[list[str]]]:
    """Messages without those that came before, and for each the files in which it came again."""
    found: dict[tuple[object, ...], tuple[Assessed, list[str]]] = {}
    for one in messages:
        content = _content(one)
        if content in found:
            found[content][1].append(one.file)
        else:
            found[content] = one, []
    return [one for one, _ in found.values()], [files for _, files in found.values()]


def _content(one: Assessed) -> tuple[object, ...]:
    """What a message says of the encounter: the same for a copy, in whatever notation."""
    head = one.designators, one.tca_us, one.created_us
    if one.cdm is None:
        return *head, one.names, one.found["miss_m"], one.found["pc"]
    cdm = one.cdm
    parts = [
        (part.ref_frame, part.r_km.tobytes(), part.v_km_s.tobytes(),
         None if part.cov_rtn_km2 is None else part.cov_rtn_km2.tobytes())
        for part in cdm.objects
    ]  # fmt: skip
    said = cdm.message_id, cdm.originator, cdm.miss_distance_m, cdm.relative_speed_m_s, cdm.collision_probability
    return *head, *said, one.found["hbr_m"], *parts


def _copied(files: Sequence[str]) -> str:
    if not files:
        return ""
    return f"the same message came {len(files) + 1} times, counted once: again in {', '.join(files)}"


def _impossible_date(one: Assessed, clock_us: int) -> str:
    """Why a date of creation cannot be; empty where it can."""
    if one.created_us is None:
        return ""
    for until_us, what in ((one.tca_us, "the closest approach"), (clock_us, "now")):
        if one.created_us > until_us + DAY_US:
            days = (one.created_us - until_us) / DAY_US
            date = format_utc(one.created_us)[:19]
            return f"its date of creation, {date}, is {days:,.0f} days after {what}: not taken for the last message"
    return ""


def event_names(pairs: Sequence[tuple[str, str]], tca_us: Sequence[int]) -> list[str]:
    """A name for the event of each message: same two objects, closest approaches less than 20 minutes apart in a chain.

    pairs: designators; the name holds both and the earliest closest approach of the chain.
    """
    names = [""] * len(pairs)
    order = sorted(range(len(pairs)), key=lambda i: (tuple(sorted(pairs[i])), tca_us[i]))
    before: int | None = None
    for i in order:
        same = before is not None and sorted(pairs[before]) == sorted(pairs[i])
        if same and before is not None and tca_us[i] - tca_us[before] < _SAME_EVENT_US:
            names[i] = names[before]
        else:
            names[i] = f"{'_'.join(sorted(pairs[i]))}_{format_utc(tca_us[i])[:19]}"
        before = i
    return names


def _event(name: str, group: list[Assessed], settings: RiskSettings, now_us: int) -> list[Told]:
    group = sorted(group, key=lambda one: (one.dated and one.created_us is not None, one.created_us or -1))
    risks = [_risk(one, settings) for one in group]
    made: list[dict[str, Any]] = []
    for i, (one, (level, reason)) in enumerate(zip(group, categories(risks, settings), strict=True)):
        risk = risks[i]
        undated = "" if one.dated else f"; {one.warnings[-1]}"
        entry = {
            "file": one.file,
            "event": name,
            "tca_utc": format_utc(one.tca_us),
            "created_utc": None if one.created_us is None else format_utc(one.created_us),
            "lead_day": _lead_day(one) if one.dated else None,
            "to_tca_day": (one.tca_us - now_us) / DAY_US,
            "message": i + 1,
            "messages": len(group),
            "objects": [f"{number} {name}".strip() for number, name in zip(one.designators, one.names, strict=True)],
            "copies": list(one.copies),
            **one.found,
            "reason": one.found["reason"] + undated,
            "notes": [*one.found["notes"], *one.warnings],
            "warnings": [*one.found["warnings"], *one.warnings],
            "category": level,
            "category_reason": reason,
            "category_alone": category(one.found["pc"], settings) if one.found["pc"] is not None else level,
            "p_close_miss": risk.value if risk is not None and risk.kind == "close" else None,
            "created_us": one.created_us if one.dated else None,
        }
        if made:
            before = made[-1] if group[i - 1].designators == one.designators else {**made[-1], **_NO_VECTORS}
            entry["changes"] = changes(before, entry, (group[i - 1].tca_us, one.tca_us))
        else:
            entry["changes"] = None
        entry["trend"] = trend([each["pc"] for each in (*made, entry)])
        made.append(entry)
    for entry in made:
        del entry["created_us"]
    return list(zip(group, made, strict=True))


def _lead_day(one: Assessed) -> float | None:
    return None if one.created_us is None else (one.tca_us - one.created_us) / DAY_US


def _risk(one: Assessed, settings: RiskSettings) -> Risk | None:
    """Probability of collision, or without one the chance of a close miss; None where neither can be had."""
    pc, chosen, miss_m, lead = one.found["pc"], one.found["chosen"], one.found["miss_m"], _lead_day(one)
    if pc is not None and chosen is not None:
        return Risk("pc", pc, f"Pc {pc:.1e} ({SHORT[chosen]})")
    if miss_m is None or lead is None:
        return None
    chance = float(p_miss_below(np.array([miss_m / 1e3]), np.array([lead]), settings.close_km)[0])
    if not np.isfinite(chance):
        return None
    words = (
        f"no covariance; a final miss below {settings.close_km:g} km has {chance:.1%}, {max(lead, 0.0):.1f} days ahead"
    )
    return Risk("close", chance, words)
