"""Errors that say what was wrong, where, what is legal, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class OrbwatchError(Exception):
    """Base of every error that orbwatch raises on purpose; the command line prints it as one plain sentence."""


@dataclass
class InputError(OrbwatchError):
    """Bad input, located: file, line (1-based), field and value, with the legal range and the next step."""

    what: str
    file: str | Path | None = None
    line: int | None = None
    field: str | None = None
    value: object = None
    legal: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        where = f"{self.file}" if self.file is not None else ""
        if self.line is not None:
            where += f"{', ' if where else ''}line {self.line}"
        text = f"{where}: {self.what}" if where else self.what
        if self.field is not None:
            text += f" [field {self.field}" + (f" = {self.value!r}]" if self.value is not None else "]")
        elif self.value is not None:
            text += f" [value {self.value!r}]"
        if self.legal is not None:
            text += f"; legal: {self.legal}"
        if self.hint is not None:
            text += f". {self.hint}"
        return text


class SourceError(OrbwatchError):
    """A data service on the network refused, failed or could not be reached."""


class StoreError(OrbwatchError):
    """The store of results could not be opened, read or written."""
