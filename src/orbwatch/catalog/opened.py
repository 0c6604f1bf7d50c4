"""The text of a file: plain, or packed with xz, gzip or zip (told by its first bytes, not by its name)."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from orbwatch.errors import InputError

MAX_BYTES = 2 << 30  # unpacked; a full catalogue is 4 MB

# What the unpackers raise on damaged bytes (ValueError: a zip directory that points outside the file).
_DAMAGE = (lzma.LZMAError, zlib.error, zipfile.BadZipFile, EOFError, OSError, ValueError, RuntimeError, struct.error)


def open_text(path: str | Path, max_bytes: int = MAX_BYTES) -> str:
    """The text of a file, unpacked, decoded as UTF-8, line ends as ``\\n``, without a byte-order mark.

    Raises InputError when the file is missing, corrupt, truncated, not text, or unpacks to more than `max_bytes`.
    """
    return text_of(open_bytes(path), path, max_bytes)


def open_bytes(path: str | Path) -> bytes:
    """The bytes of a file as they are; InputError when it cannot be read."""
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError(f"cannot read the file: {reason}", file=path) from error


def text_of(data: bytes, file: str | Path | None = None, max_bytes: int = MAX_BYTES) -> str:
    """The text in bytes that may be packed, as `open_text` gives it; `file` is only named in errors."""
    plain = unpack(data, file, max_bytes)
    if plain.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("the text is UTF-16, not UTF-8", file=file, hint="Save it as UTF-8.")
    try:
        text = plain.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = plain.count(b"\n", 0, error.start) + 1
        bad = plain[error.start : error.start + 4]
        raise InputError("not a text file: invalid UTF-8", file=file, line=line, value=bad) from error
    if "\0" in text:
        raise InputError(
            "not a text file: it holds NUL bytes", file=file, line=text.count("\n", 0, text.index("\0")) + 1
        )
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def unpack(data: bytes, file: str | Path | None = None, max_bytes: int = MAX_BYTES) -> bytes:
    """What bytes hold once unpacked from xz, gzip or zip (one member); other bytes come back as they are."""
    try:
        if data.startswith(b"\xfd7zXZ\x00"):
            return _limited(lzma.open(io.BytesIO(data)).read, file, max_bytes)
        if data.startswith(b"\x1f\x8b"):
            return _limited(gzip.open(io.BytesIO(data)).read, file, max_bytes)
        if data.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = [member for member in archive.infolist() if not member.is_dir()]
                if len(members) != 1:
                    raise InputError(f"the zip holds {len(members)} files, not one", file=file, hint="Unpack it first.")
                return _limited(archive.open(members[0]).read, file, max_bytes)
    except _DAMAGE as error:
        hint = "It is damaged or was cut off: fetch it again."
        raise InputError(f"cannot unpack the file: {error}", file=file, hint=hint) from error
    if len(data) > max_bytes:
        raise _too_big(file, max_bytes)
    return data


def _limited(read: Callable[[int], bytes], file: str | Path | None, max_bytes: int) -> bytes:
    """All that `read` gives, but never more than `max_bytes` (a few packed kilobytes can unpack to terabytes)."""
    data = read(max_bytes + 1)
    if len(data) > max_bytes:
        raise _too_big(file, max_bytes)
    return data


def _too_big(file: str | Path | None, max_bytes: int) -> InputError:
    return InputError("the file is too large", file=file, legal=f"at most {max_bytes} bytes unpacked", hint="Split it.")
