"""How work says how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with the stage's name, or a line that says how it goes, and the fraction done, 0..1."""


def silent(_stage: str, _fraction: float) -> None:
    """No one watches."""
