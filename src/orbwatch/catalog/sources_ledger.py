"""Who was asked when, kept on disk: the intervals and budgets of the services hold across restarts and processes.

One line of JSON per happening is appended, so processes need no lock and a crash costs at most the last line. A
request is noted before it is sent, so one that is killed or fails counts too.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from orbwatch.catalog.written import write_atomically
from orbwatch.errors import SourceError

UNREACHABLE_WAIT_S = 300.0
"""Wait after nobody could be reached, instead of the full interval: nobody's server was burdened."""
MANY_LINES = 5000

Outcome = Literal["asked", "answered", "failed", "unreachable"]


@dataclass(frozen=True)
class Entry:
    """One happening: a request was sent, or how it ended."""

    at_s: float
    """Unix time."""
    service: str
    url: str
    outcome: Outcome
    what: str = ""
    """Of a failure: what the service did, "refused the request (HTTP 403)"."""
    token: str = ""


class Ledger:
    """Requests to all services, in one file."""

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self.path = path
        self._now = now

    def wait_s(self, url: str, interval_s: float) -> tuple[float, Entry | None]:
        """Seconds until an address may be asked again (0: now), and how the last request ended."""
        last = next((entry for entry in reversed(self._entries()) if entry.url == url), None)
        if last is None:
            return 0.0, None
        interval_s = UNREACHABLE_WAIT_S if last.outcome == "unreachable" else interval_s
        return max(0.0, last.at_s + interval_s - self._now()), last

    def budget_wait_s(self, service: str, limits: dict[float, int]) -> float:
        """Seconds until a service may be asked at all, given the most requests in any such many seconds."""
        asked = [entry.at_s for entry in self._entries() if entry.service == service and entry.outcome == "asked"]
        waits = [asked[-most] + period_s - self._now() for period_s, most in limits.items() if len(asked) >= most]
        return max(0.0, *waits) if waits else 0.0

    def claim(self, service: str, url: str, interval_s: float) -> bool:
        """Notes a request about to be sent; False when another process has noted the same at the same moment."""
        token = uuid.uuid4().hex
        self.note(Entry(self._now(), service, url, "asked", token=token))
        recent = self._now() - min(interval_s, UNREACHABLE_WAIT_S)
        pending: list[str] = []  # requests noted since one ended
        for entry in self._entries():
            if entry.url == url and entry.at_s >= recent:
                pending = [*pending, entry.token] if entry.outcome == "asked" else []
        return pending[:1] == [token]

    def note(self, entry: Entry) -> None:
        """Appends an entry.

        Raises:
            SourceError: it cannot be written; then nothing may be asked, as the interval could not be kept.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(json.dumps(asdict(entry)).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            reason = error.strerror or error
            raise SourceError(f"cannot note requests in {self.path}: {reason}; without that, none are sent") from error

    def _entries(self) -> list[Entry]:
        """All entries, oldest first; those from the future (a clock that was wrong) and torn lines are left out."""
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise SourceError(f"cannot read {self.path}: {error.strerror or error}") from error
        entries: list[Entry] = []
        for line in lines:
            try:
                entry = Entry(**json.loads(line))
            except (ValueError, TypeError):
                continue
            if entry.at_s <= self._now() + 60.0:
                entries.append(entry)
        return self._compacted(entries) if len(lines) > MANY_LINES else entries

    def _compacted(self, entries: list[Entry]) -> list[Entry]:
        """Keeps the last hour and the last entry of each address."""
        last = {entry.url: entry for entry in entries}
        kept = [e for e in entries if e.at_s > self._now() - 3600.0 or last[e.url] is e]
        with suppress(OSError):  # it only saves space
            write_atomically(self.path, b"".join(json.dumps(asdict(entry)).encode() + b"\n" for entry in kept))
        return kept
