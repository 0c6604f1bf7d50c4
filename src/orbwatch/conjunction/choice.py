"""Which of several probabilities of one encounter to believe: the cheapest whose assumptions hold, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ORDER = ("foster_1992", "hall_2021_nc2d", "hall_2021_nc3d", "monte_carlo")
"""From cheap to dear, as Hall, Baars & Casali (2023), AAS 23-398. Coppola's is never chosen: 3D-Nc contains it."""

HOLDS = ": its assumptions hold"
"""How a reason says that nothing speaks against the method."""

WORDS = {
    "foster_1992": "2D: straight paths",
    "hall_2021_nc2d": "2D-Nc: curved paths, short encounter",
    "hall_2021_nc3d": "3D-Nc: curved paths, over the whole encounter",
    "monte_carlo": "Monte Carlo",
}

SHORT = {
    "foster_1992": "2D",
    "hall_2021_nc2d": "2D-Nc",
    "hall_2021_nc3d": "3D-Nc",
    "coppola_2012": "Coppola",
    "monte_carlo": "Monte Carlo",
    "frisbee_2015": "maximum over the missing covariance",
    "given": "the message's own",
}
"""Every method that a message can have a result of, as tables and reasons name it."""


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
            return method, f"{WORDS[method]}{HOLDS}{why}"
        passed.append(f"{WORDS[method]} is doubtful ({', '.join(doubts)})")
    left = [method for method in ORDER if method in found]
    if not left:
        return None, "no probability could be computed"
    return left[-1], f"{WORDS[left[-1]]}: no method is beyond doubt; {'; '.join(passed)}"
