"""Progress on standard error: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time

from orbwatch.progress import Progress

LOG_EVERY_S = 10.0


def terminal_progress() -> Progress:
    """Progress for whoever watches: silent until a stage has taken a moment, one line a stage."""
    return _bar() if sys.stderr.isatty() else _log()


def _bar() -> Progress:
    width = 28

    def show(stage: str, fraction: float) -> None:
        full = round(width * min(max(fraction, 0.0), 1.0))
        end = "\n" if fraction >= 1.0 else ""
        sys.stderr.write(f"\r\x1b[K{stage:<28} {'━' * full}{'╌' * (width - full)} {fraction:4.0%}{end}")
        sys.stderr.flush()

    return show


def _log() -> Progress:
    said: dict[str, float] = {}
    done: set[str] = set()

    def show(stage: str, fraction: float) -> None:
        now = time.monotonic()
        ended = fraction >= 1.0 and stage not in done
        if ended or (fraction < 1.0 and now - said.setdefault(stage, now) >= LOG_EVERY_S):
            said[stage] = now
            (done.add if ended else done.discard)(stage)
            sys.stderr.write(f"{stage}: {fraction:.0%}\n")
            sys.stderr.flush()

    return show
