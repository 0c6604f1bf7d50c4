"""Whether a Parquet file is whole, asked before it is unpacked.

Unpacking a damaged file can return wrong numbers, or end the whole process (an allocation of exabytes in the library).
So our own files carry a seal, and files without one are first unpacked in a process of their own.
"""

from __future__ import annotations

import hashlib
import mmap
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from orbwatch.errors import InputError

_MARK = b"orbwatch-sha256:"
_SEAL = len(_MARK) + 32
_MAGIC = b"PAR1"
_TRY = "import sys, polars; polars.scan_parquet(sys.argv[1], glob=False).select(polars.all().hash().max()).collect()"
_DAMAGED = "the Parquet file is damaged or was cut off"
_HINT = "Fetch or build it again"


def seal(path: Path) -> None:
    """Puts a SHA-256 of the file between its data and its footer, where Parquet readers do not look (in place)."""
    with path.open("r+b") as file:
        digest = hashlib.file_digest(file, hashlib.sha256).digest()
        size = file.tell()
        file.seek(size - 8)
        start = size - 8 - int.from_bytes(file.read(4), "little")
        file.seek(start)
        footer = file.read()
        file.seek(start)
        file.write(_MARK + digest + footer)


def check_whole(path: Path) -> None:
    """Raises InputError when a Parquet file is damaged: by its seal, or by unpacking it in another process."""
    try:
        status = path.stat()
        sealed = _check_seal(path)
    except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise InputError(f"cannot read the file: {error}", file=path) from error
    if not sealed:
        reason = _unpacked_elsewhere(str(path), status.st_size, status.st_mtime_ns)
        if reason:
            raise InputError(f"{_DAMAGED}: {reason}", file=path, hint=_HINT)


def _check_seal(path: Path) -> bool:
    """Whether the file has a seal; raises InputError when it does not hold, or when the file has no end."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:4] != _MAGIC or data[-4:] != _MAGIC:
            raise InputError(_DAMAGED, file=path, hint=_HINT)
        at = data.rfind(_MARK)
        if at < 0:
            return False
        digest = hashlib.sha256()
        with memoryview(data) as view:
            digest.update(view[:at])
            digest.update(view[at + _SEAL :])
        if data[at + len(_MARK) : at + _SEAL] != digest.digest():
            raise InputError(f"{_DAMAGED}: its checksum does not hold", file=path, hint=_HINT)
    return True


@lru_cache(maxsize=256)
def _unpacked_elsewhere(path: str, _size: int, _modified_ns: int) -> str:
    """What went wrong when another process unpacked the file, '' when nothing did; asked once while it is unchanged."""
    done = subprocess.run([sys.executable, "-c", _TRY, path], capture_output=True, check=False)
    if done.returncode == 0:
        return ""
    lines = done.stderr.decode("utf-8", "replace").strip().split("\n")
    return lines[-1][:200] if done.returncode > 0 else "unpacking it breaks the reader"
