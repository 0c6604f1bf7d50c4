"""Files that others see whole or not at all, the folder that they go to, and their hashes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from orbwatch.errors import InputError


def make_folder(folder: Path) -> None:
    """Makes an output folder, before the work that it is for. Raises InputError when it cannot be made, or written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the output folder: {error.strerror or error}", file=folder) from error
    if not os.access(folder, os.W_OK):
        raise InputError("the output folder may not be written", file=folder)


def file_hash(path: Path, hint: str | None = None) -> str:
    """SHA-256 of a file's bytes, hexadecimal. Raises InputError (with `hint`) where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file=path, hint=hint) from error


def write_atomically(path: Path, data: bytes) -> None:
    """Writes a file so that others see all of it or nothing, after a crash too. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
