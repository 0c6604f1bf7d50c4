"""Orbit Ephemeris Messages (CCSDS 502.0-B-3, chapter 5): read, write, interpolate."""

from __future__ import annotations

from pathlib import Path

from orbwatch.catalog.oem_message import Oem, OemCovariance, OemSegment
from orbwatch.catalog.oem_read import parse_oem
from orbwatch.catalog.oem_write import write_oem
from orbwatch.catalog.opened import open_text

__all__ = ["Oem", "OemCovariance", "OemSegment", "parse_oem", "read_oem", "write_oem"]


def read_oem(path: str | Path) -> Oem:
    """The message of a file: KVN or XML, told by its content; plain, xz, gzip or zip.

    Epochs come as UTC, whatever time system the file keeps (UTC, TAI, TT, GPS, UT1). Raises InputError (file, line,
    field, value) for what is malformed.
    """
    return parse_oem(open_text(path), path)
