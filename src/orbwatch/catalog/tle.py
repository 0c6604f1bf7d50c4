"""Two-line element sets, with or without name lines: the legacy format, ids up to 339999 (Alpha-5).

Columns after Hoots & Roehrich (1980), Spacetrack Report No. 3, and Space-Track's documentation (Alpha-5). Everything
is checked by column: a letter, a shifted column or a wrong checksum is never read as a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from orbwatch.catalog.quality import TEXT_SHOWN, GpRead, Rejected
from orbwatch.catalog.rows import Reasons, checked_table
from orbwatch.constants import DAY_US

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # A = 10 .. Z = 33, without I and O
LARGEST_TLE_ID = 339_999
LENGTH = 69
_SHORTEST = 60  # a shorter line that begins with '1 ' is a name

# One class of bytes per column: 9 digit, _ digit or space, s sign (+, -, space, 0), e sign of an exponent, a first
# character of an id, u classification, x anything printable; others stand for themselves.
LAYOUT = (
    "1 a____u xxxxxxxx _____.99999999 s.99999999 s_____e_ s_____e_ _ ____9",
    "2 a____ ___.9999 ___.9999 _______ ___.9999 ___.9999 __.99999999_____9",
)
_CLASS = {
    "9": "0123456789",
    "_": "0123456789 ",
    "s": "+- 0",
    "e": "+- ",
    "a": "0123456789 " + LETTERS,
    "u": "ABCDEFGHIJKLMNOPQRSTUVWXYZ ",
    "x": "".join(map(chr, range(32, 127))),
}
_EXPECTED = {
    "9": "a digit",
    "_": "a digit or a blank",
    "s": "a sign or a blank",
    "e": "the sign of an exponent",
    "a": "a digit or a letter A to Z other than I and O",
    "u": "a letter",
    "x": "printable ASCII",
}
_DESIGNATOR = re.compile(r"(\d\d)(\d{1,3})([A-Z]{1,3})", re.ASCII)


def read_tle(text: str, file: str = "") -> GpRead:
    """Element sets from TLE or 3LE text; name lines may begin with '0 '. Bad sets are put aside with their reason."""
    found: list[tuple[int, str, str, str]] = []
    rejected: list[Rejected] = []
    for line, name, first, second in _pairs(text):
        wrong = _unreadable(first, second)
        if wrong:
            rejected.append(Rejected(line, None, wrong, (first or second)[:TEXT_SHOWN], file))
        else:
            found.append((line, name, first[:LENGTH], second[:LENGTH]))
    read = _table(found, file)
    rejected += read.rejected
    return GpRead(read.table, sorted(rejected, key=lambda one: one.line or 0))


def read_tle_sets(sets: list[tuple[int, str, str, str]], file: str = "") -> GpRead:
    """Element sets from (line number, name, line 1, line 2); as `read_tle`."""
    text_of = {line: f"{first}\n{second}" for line, _, first, second in sets}
    rejected = [
        Rejected(line, None, wrong, text_of[line][:TEXT_SHOWN], file)
        for line, _, first, second in sets
        if (wrong := _unreadable(first, second))
    ]
    bad = {one.line for one in rejected}
    good = [(line, name, a[:LENGTH], b[:LENGTH]) for line, name, a, b in sets if line not in bad]
    read = _table(good, file)
    return GpRead(read.table, sorted(rejected + read.rejected, key=lambda one: one.line or 0))


def is_line_1(line: str) -> bool:
    """Whether a line looks like the first of an element set (and not like a name that begins with '1 ')."""
    return line.startswith("1 ") and len(line) >= _SHORTEST


def _pairs(text: str) -> Iterator[tuple[int, str, str, str]]:
    """(line number of line 1, name, line 1, line 2) of each set; an orphan line 1 or 2 comes with '' for the other."""
    name, first, at = "", "", 0
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.rstrip()
        if line.startswith("2 ") and (first or len(line) >= _SHORTEST):
            yield at or number, name, first, line
            name, first, at = "", "", 0
        elif line:
            if first:
                yield at, name, first, ""
                name, first, at = "", "", 0
            if is_line_1(line):
                first, at = line, number
            else:
                name = line.removeprefix("0 ").strip()
    if first:
        yield at, name, first, ""


def _unreadable(first: str, second: str) -> str:
    """Why two lines cannot even be cut into columns, or ''."""
    if not second:
        return "line 1 with no line 2 after it"
    if not first:
        return "line 2 with no line 1 before it"
    for number, line in ((1, first), (2, second)):
        if not line.isascii():
            return f"line {number} holds characters other than ASCII"
        if len(line) < LENGTH:
            return f"line {number} has {len(line)} characters, not {LENGTH}: cut off, or a column is missing"
        if len(line) > LENGTH and not line[LENGTH].isspace():
            return f"line {number} has {len(line)} characters, not {LENGTH}: columns are shifted"
    return ""


def _table(found: list[tuple[int, str, str, str]], file: str) -> GpRead:
    """The sets as a table; lines are ASCII of `LENGTH` characters."""
    n = len(found)
    lines = [line for line, _, _, _ in found]
    one = _matrix("".join(first for _, _, first, _ in found), n)
    two = _matrix("".join(second for _, _, _, second in found), n)
    reasons: Reasons = {}
    for number, (rows, layout) in enumerate(zip((one, two), LAYOUT, strict=True), 1):
        _check_columns(rows, layout, number, reasons)
        _check_sum(rows, number, reasons)
    ids, ids_two = _ids(one), _ids(two)
    for i in np.flatnonzero(ids != ids_two):
        reasons.setdefault(int(i), f"line 1 is of object {ids[i]}, line 2 of object {ids_two[i]}")
    epoch_us = _epoch_us(one, reasons)
    designators = one[:, 9:17].tobytes().decode("ascii") if n else ""
    columns = {
        "norad_id": ids,
        "epoch_us": epoch_us,
        "mean_motion_rev_day": _whole(two, 52, 54, 55, 63) / 1e8,
        "eccentricity": _whole(two, 26, 33) / 1e7,
        "inclination_deg": _whole(two, 8, 11, 12, 16) / 1e4,
        "raan_deg": _whole(two, 17, 20, 21, 25) / 1e4,
        "arg_perigee_deg": _whole(two, 34, 37, 38, 42) / 1e4,
        "mean_anomaly_deg": _whole(two, 43, 46, 47, 51) / 1e4,
        "bstar_per_er": _exponential(one, 53),
        "mean_motion_dot_rev_day2": _sign(one, 33) * _whole(one, 33, 34, 35, 43) / 1e8,
        "mean_motion_ddot_rev_day3": _exponential(one, 44),
        "element_set_no": _whole(one, 64, 68),
        "rev_at_epoch": _whole(two, 63, 68),
        "ephemeris_type": _whole(one, 62, 63),
        "classification": [chr(code) if code != 32 else "U" for code in one[:, 7].tolist()],
        "name": [name for _, name, _, _ in found],
        "object_id": [object_id_of(designators[8 * i : 8 * i + 8]) for i in range(n)],
    }
    return checked_table(columns, lines, lambda i: f"{found[i][2]}\n{found[i][3]}", file, reasons)


def _matrix(text: str, n: int) -> UInt8[np.ndarray, "n 69"]:
    return np.frombuffer(text.encode("ascii"), np.uint8).reshape(n, LENGTH)


@cache
def _classes(layout: str) -> tuple[Bool[np.ndarray, "69 256"], Bool[np.ndarray, " 69"]]:
    """Which bytes each column may hold, and which columns belong to numbers that may begin with blanks."""
    allowed = np.zeros((LENGTH, 256), bool)
    for column, kind in enumerate(layout):
        allowed[column, [ord(one) for one in _CLASS.get(kind, kind)]] = True
    return allowed, np.array([kind in "_a" for kind in layout])


def _check_columns(rows: UInt8[np.ndarray, "n 69"], layout: str, number: int, reasons: Reasons) -> None:
    """A reason for each row with a character that its column cannot hold, or a blank inside a number."""
    allowed, blankable = _classes(layout)
    wrong = ~allowed[np.arange(LENGTH), rows]
    # Blanks may lead a number, not follow a digit of it.
    wrong[:, 1:] |= (rows[:, 1:] == 32) & (rows[:, :-1] != 32) & blankable[1:] & blankable[:-1]
    for i in np.flatnonzero(wrong.any(axis=1)):
        column = int(np.argmax(wrong[i]))
        kind = layout[column]
        expected = _EXPECTED.get(kind, f"{kind!r}")
        reasons.setdefault(
            int(i), f"line {number} column {column + 1} is {chr(rows[i, column])!r}, expected {expected}"
        )


def _check_sum(rows: UInt8[np.ndarray, "n 69"], number: int, reasons: Reasons) -> None:
    """A reason for each row whose last digit is not the sum of its digits, each '-' as 1, modulo 10."""
    body = rows[:, :-1]
    digits = np.where((body >= 48) & (body <= 57), body - 48, body == 45)
    due = digits.sum(axis=1) % 10
    for i in np.flatnonzero(due != rows[:, -1] - 48):
        reasons.setdefault(int(i), f"line {number} checksum is {chr(rows[i, -1])}, its columns give {due[i]}")


def _whole(rows: UInt8[np.ndarray, "n 69"], *cuts: int) -> Int[np.ndarray, " n"]:
    """The digits in columns [cuts[0], cuts[1]), [cuts[2], cuts[3]) ... as one whole number, other characters as 0."""
    value = np.zeros(len(rows), np.int64)
    for start, end in zip(cuts[::2], cuts[1::2], strict=True):
        part = rows[:, start:end].astype(np.int64) - 48
        part[(part < 0) | (part > 9)] = 0
        value = value * 10 ** (end - start) + part @ 10 ** np.arange(end - start - 1, -1, -1)
    return value


def _sign(rows: UInt8[np.ndarray, "n 69"], column: int) -> Float[np.ndarray, " n"]:
    return np.where(rows[:, column] == ord("-"), -1.0, 1.0)


def _exponential(rows: UInt8[np.ndarray, "n 69"], start: int) -> Float[np.ndarray, " n"]:
    """'-31790-4' = -0.31790e-4: exact quotient or product of whole numbers, so rounded as the decimal would be."""
    mantissa = _whole(rows, start + 1, start + 6)
    power = _sign(rows, start + 6).astype(np.int64) * _whole(rows, start + 7, start + 8) - 5
    small = mantissa / 10.0 ** np.maximum(-power, 0)
    size = np.where(power < 0, small, mantissa * 10.0 ** np.maximum(power, 0))
    return np.asarray(_sign(rows, start) * size)


def _ids(rows: UInt8[np.ndarray, "n 69"]) -> Int[np.ndarray, " n"]:
    """Catalogue numbers, Alpha-5 decoded."""
    lead = np.zeros(256, np.int64)
    for value, letter in enumerate(LETTERS, 10):
        lead[ord(letter)] = value
    ids: Int[np.ndarray, " n"] = _whole(rows, 2, 7) + lead[rows[:, 2]] * 10_000
    return ids


def _epoch_us(rows: UInt8[np.ndarray, "n 69"], reasons: Reasons) -> Int[np.ndarray, " n"]:
    """YYDDD.DDDDDDDD -> UTC microseconds; years 57-99 are 1957-1999. Exact: 1e-8 day is 864 microseconds."""
    year = _whole(rows, 18, 20)
    year = np.where(year < 57, year + 2000, year + 1900)
    day = _whole(rows, 20, 23)
    first = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    length = (year - 1969).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64) - first
    good: Bool[np.ndarray, " n"] = (day >= 1) & (day <= length)
    for i in np.flatnonzero(~good):
        reasons.setdefault(int(i), f"epoch day {day[i]} of {year[i]}; legal: 1 to {length[i]}")
    return np.asarray((first + day - 1) * DAY_US + _whole(rows, 24, 32) * 864)


@lru_cache(maxsize=65536)
def object_id_of(designator: str) -> str:
    """International designator of a TLE as the OMM has it: '98067A  ' -> '1998-067A'; other texts as they are."""
    found = _DESIGNATOR.fullmatch(designator.replace(" ", ""))
    if not found:
        return designator.strip()
    year, number, piece = found.groups()
    return f"{'19' if year >= '57' else '20'}{year}-{int(number):03d}{piece}"
