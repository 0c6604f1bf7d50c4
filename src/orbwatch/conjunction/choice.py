"""Which of several probabilities of one encounter to believe: the cheapest whose assumptions hold, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orbwatch.settings import RiskSettings

ORDER = ("foster_1992", "hall_2021_nc2d", "hall_2021_nc3d", "monte_carlo")
"""From cheap to dear, as Hall, Baars & Casali (2023), AAS 23-398. Coppola's is never chosen: 3D-Nc contains it."""

WORDS = {
    "foster_1992": "2D: straight paths",
    "hall_2021_nc2d": "2D-Nc: curved paths, short encounter",
    "hall_2021_nc3d": "3D-Nc: curved paths, over the whole encounter",
    "monte_carlo": "Monte Carlo",
}

CRITICAL = 10.0
"""Times `risk.pc_alert`: from here a risk is critical."""

CATEGORIES = ("unknown", "low", "medium", "high", "critical")


@dataclass(frozen=True)
class Candidate:
    """One probability, and what speaks against it."""

    method: str
    pc: float | None
    doubts: tuple[str, ...] = ()
    """Assumptions of the method that do not hold."""


def cheapest_valid(candidates: Sequence[Candidate]) -> tuple[str | None, str]:
    """Method to believe, and the reason in words; None when there is no value at all.

    The first of `ORDER` with a value and no doubts. When all are doubted, the last that has a value.
    """
    found = {one.method: one for one in candidates if one.pc is not None}
    passed: list[str] = []
    for method in ORDER:
        if method not in found:
            continue
        doubts = found[method].doubts
        if not doubts:
            why = f"; {'; '.join(passed)}" if passed else ""
            return method, f"{WORDS[method]}: its assumptions hold{why}"
        passed.append(f"{WORDS[method]} is doubtful ({', '.join(doubts)})")
    left = [method for method in ORDER if method in found]
    if not left:
        return None, "no probability could be computed"
    return left[-1], f"{WORDS[left[-1]]}: no method is beyond doubt; {'; '.join(passed)}"


def category(pc: float | None, settings: RiskSettings) -> str:
    """One of `CATEGORIES`: medium from `risk.pc_watch`, high from `risk.pc_alert`, critical from ten times that.

    The defaults, 1e-7 and 1e-4, are the yellow and red thresholds of NASA CARA (NASA/SP-20230002470, 2023).
    """
    if pc is None:
        return "unknown"
    limits = (settings.pc_watch, settings.pc_alert, CRITICAL * settings.pc_alert)
    return CATEGORIES[1 + sum(pc >= limit for limit in limits)]
