"""How serious an event is, in words: low, medium, high, critical; the only place where thresholds are applied.

A category rises at once and falls late, so that an event near a threshold does not raise its alert anew with every
message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from orbwatch.settings import RiskSettings

CATEGORIES = ("unknown", "low", "medium", "high", "critical")

_NAMES = {
    "pc": ("risk.pc_watch", "risk.pc_alert", "risk.critical_factor"),
    "close": ("risk.close_watch", "risk.close_alert", "risk.close_critical"),
}


@dataclass(frozen=True)
class Risk:
    """What a category is made from."""

    kind: Literal["pc", "close"]
    """A probability of collision, or the chance that the final miss is below `risk.close_km`."""
    value: float
    words: str
    """What was computed, for the reason."""


def limits(kind: Literal["pc", "close"], settings: RiskSettings) -> tuple[float, float, float]:
    """From where a risk is medium, high and critical.

    The defaults of probabilities of collision, 1e-7 and 1e-4, are the yellow and red thresholds of NASA CARA
    (NASA/SP-20230002470, 2023); critical, and those of close misses, are our own.
    """
    if kind == "pc":
        return settings.pc_watch, settings.pc_alert, settings.critical_factor * settings.pc_alert
    return settings.close_watch, settings.close_alert, settings.close_critical


def category(pc: float | None, settings: RiskSettings) -> str:
    """One of `CATEGORIES`, of a probability of collision by itself."""
    return CATEGORIES[0 if pc is None else _level(Risk("pc", pc, ""), settings)]


def categories(risks: Sequence[Risk | None], settings: RiskSettings) -> list[tuple[str, str]]:
    """Category of an event after each of its messages, in order of time, and the reason in words.

    risks: of each message; None where it says nothing, which leaves the category as it was. A risk at or above a
    threshold reaches its category at once; the category falls to the highest that the last `risk.hold_messages` risks
    would have `risk.hold_factor` times larger.
    """
    found: list[tuple[str, str]] = []
    known: list[Risk] = []
    level = 0
    for risk in risks:
        if risk is None:
            kept = f": {CATEGORIES[level]} as before" if level else ""
            found.append((CATEGORIES[level], f"the message says nothing of the risk{kept}"))
            continue
        known.append(risk)
        now = _level(risk, settings)
        held = max(_level(one, settings, settings.hold_factor) for one in known[-settings.hold_messages :])
        before, level = level, max(now, min(level, held))
        if level > now:
            reason = (
                f"{risk.words}: {CATEGORIES[now]} by itself, kept at {CATEGORIES[level]} until it is below "
                f"{_limit(risk.kind, level, settings)} by a factor of {settings.hold_factor:g} in "
                f"{_messages(settings.hold_messages)}"
            )
        else:
            reason = f"{risk.words}: {_bounds(risk, now, settings)}"
            if 0 < before < level:
                reason += f"; up from {CATEGORIES[before]}"
            elif before > level:
                reason += f"; down from {CATEGORIES[before]}"
        found.append((CATEGORIES[level], reason))
    return found


def _level(risk: Risk, settings: RiskSettings, factor: float = 1.0) -> int:
    return 1 + sum(risk.value * factor >= limit for limit in limits(risk.kind, settings))


def _limit(kind: Literal["pc", "close"], level: int, settings: RiskSettings) -> str:
    """The threshold of a level from medium on."""
    return f"{limits(kind, settings)[level - 2]:.2g} ({_NAMES[kind][level - 2]})"


def _bounds(risk: Risk, level: int, settings: RiskSettings) -> str:
    """Between which thresholds."""
    if level == 1:
        return f"low, below {_limit(risk.kind, 2, settings)}"
    return f"{CATEGORIES[level]}, from {_limit(risk.kind, level, settings)}"


def _messages(number: int) -> str:
    return "one message" if number == 1 else f"{number} messages one after another"
