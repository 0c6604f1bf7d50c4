"""What was fetched, kept on disk: a body is there whole or not at all, with when and whence it came."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from orbwatch.catalog.written import write_atomically
from orbwatch.errors import SourceError


@dataclass(frozen=True)
class Fetched:
    """A body on disk."""

    path: Path
    url: str
    fetched_us: int
    """UTC microseconds since 1970-01-01."""
    sha256: str
    from_cache: bool
    """False when this call has just fetched it."""


class Cache:
    """Bodies by address in one folder.

    `NAME.meta.json` says which body belongs to an address. It is replaced last, in one step, so a process killed
    anywhere leaves the old body or the new one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, url: str) -> Fetched | None:
        """The body fetched from that address; None when there is none or the file is not what was saved."""
        try:
            meta = json.loads(self._meta(url).read_text(encoding="utf-8"))
            path = self.folder / meta["file"]
            sha256, fetched_us = str(meta["sha256"]), int(meta["fetched_us"])
            if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
                return None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return Fetched(path, url, fetched_us, sha256, from_cache=True)

    def save(self, url: str, body: bytes, fetched_us: int, suffix: str) -> Fetched:
        """Keeps a body in place of the last one from that address.

        Raises:
            SourceError: the folder cannot be written, or the disk is full; the last body stays.
        """
        sha256 = hashlib.sha256(body).hexdigest()
        meta, last = self._meta(url), self.load(url)
        path = self.folder / f"{_slug(url)}-{sha256[:12]}{suffix}"
        record = {"file": path.name, "url": url, "fetched_us": fetched_us, "sha256": sha256}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(path, body)
            write_atomically(meta, json.dumps(record, indent=1).encode())
            if last is not None and last.path != path:
                last.path.unlink(missing_ok=True)
        except OSError as error:
            raise SourceError(f"cannot keep what was fetched in {self.folder}: {error.strerror or error}") from error
        return Fetched(path, url, fetched_us, sha256, from_cache=False)

    def _meta(self, url: str) -> Path:
        return self.folder / f"{_slug(url)}.meta.json"


def _slug(url: str) -> str:
    """A legible, unique file name for an address."""
    legible = re.sub(r"[^A-Za-z0-9]+", "-", url.partition("//")[2]).strip("-")[-60:]
    return f"{legible}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"
