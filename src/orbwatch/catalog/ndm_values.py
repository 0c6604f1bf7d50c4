"""Values of CCSDS navigation messages: numbers with units, instants and texts, located when they are wrong."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from orbwatch.catalog.kvn import KvnLine
from orbwatch.errors import InputError
from orbwatch.time import parse_utc

_ABSENT = frozenset({"", "NAN", "N/A", "NA", "NULL", "NONE"})
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_KM = re.compile(r"km(?:\*\*(\d))?")
_PRINTABLE = re.compile(r"[ -~]*")
MAX_LINE = 254
"""Longest line of a KVN message (CCSDS 502.0-B-3, 7.3.2; 508.0-B-1, 6.3.1)."""


def is_absent(text: str) -> bool:
    """Whether an optional value says that there is none: empty, NaN, N/A, null."""
    return text.upper() in _ABSENT


def real(item: KvnLine, unit: str | None, file: str | Path | None, km_shift: int = 0) -> float:
    """The finite number of a line in the standard's `unit`, times 10**km_shift (rounded once, from the decimal text).

    A unit in the file that differs by kilometres against metres is converted; another unit, or what is no finite
    number, raises InputError.
    """
    text = item.value
    shift = km_shift
    given = item.unit
    if given is not None and unit is not None and given != unit:
        shift += _unit_shift(item, given, unit, file)
    elif given is None and "[" in text:  # a unit cut off: "85.4   ["
        text = text.partition("[")[0].rstrip()
    number = text.replace("D", "E").replace("d", "e")
    if not _NUMBER.fullmatch(number):
        raise _error("not a number", item, text, file, _legal(unit))
    value = float(Decimal(number).scaleb(shift)) if shift else float(number)
    if not math.isfinite(value):
        raise _error("not a finite number", item, text, file, _legal(unit))
    return value


def integer(item: KvnLine, file: str | Path | None) -> int:
    """The whole number of a line."""
    value = real(item, None, file)
    if value != int(value):
        raise _error("not a whole number", item, item.value, file, "a whole number")
    return int(value)


def instant_us(item: KvnLine, file: str | Path | None) -> int:
    """The UTC instant of a line, microseconds since 1970-01-01."""
    try:
        return parse_utc(item.text)
    except InputError as error:
        raise _error(error.what, item, item.text, file, error.legal) from None


def words(item: KvnLine) -> str:
    """The text of a line: runs of blanks count as one blank (CCSDS 508.0-B-1, 6.3.2), a typeset minus as a hyphen."""
    return " ".join(item.text.split()).replace("\N{MINUS SIGN}", "-")


def writable(key: str, text: str) -> str:
    """`text` when a message can hold it: printable ASCII, no blanks at its ends or in runs; InputError otherwise."""
    if not _PRINTABLE.fullmatch(text):
        raise InputError("only printable ASCII can be written", field=key, value=text)
    if text != " ".join(text.split()):
        raise InputError("blanks at the ends or in a row are not kept", field=key, value=text)
    return text


def decimal_text(value: float, shift: int = 0) -> str:
    """Shortest decimal text of value * 10**shift that `real` with km_shift = -shift reads back as exactly `value`."""
    if not math.isfinite(value):
        raise InputError("only finite numbers can be written", value=value)
    return repr(float(value)) if not shift else f"{Decimal(repr(float(value))).scaleb(shift):E}".lower()


@lru_cache(maxsize=256)
def _canonical(unit: str) -> tuple[str, int]:
    """A unit with km written as m, and the power of ten that this takes."""
    plain = unit.lower().replace(" ", "").replace("^", "**").replace("sec", "s")
    power = sum(3 * int(found[1] or 1) for found in _KM.finditer(plain))
    return {"day": "d", "days": "d"}.get(plain, plain.replace("km", "m")), power


def _unit_shift(item: KvnLine, given: str, unit: str, file: str | Path | None) -> int:
    base, power = _canonical(given)
    standard, standard_power = _canonical(unit)
    if base in ("", "n/a"):
        return 0
    # "m" on a speed is a slip of real messages (CARA's Alfano cases): the number is in the standard's unit.
    if base != standard and not (standard == "m/s" and base == "m"):
        raise _error("wrong unit", item, f"{item.value} [{given}]", file, _legal(unit))
    return power - standard_power if base == standard else 0


def _legal(unit: str | None) -> str:
    return f"a number in {unit}" if unit else "a number"


def _error(what: str, item: KvnLine, value: object, file: str | Path | None, legal: str | None) -> InputError:
    return InputError(what, file=file, line=item.line or None, field=item.key, value=value, legal=legal)
