"""Maneuver files of the International DORIS Service (IDS): cs2man.txt, ja1man.txt and their like. Times are TAI.

A line is one maneuver: satellite; begin and end as year, day of year, hour, minute (all that TOPEX has); for SPOT the
letters MCC or MCO; the parameter type; the number of burns; then for each burn the date of its middle, duration (s),
delta-v (m/s), acceleration and its error along three axes. Their order goes with the parameter type: 006 and 007
radial, along-track, cross-track; SPOT's 004 and 005 turn about pitch, roll and yaw, which is cross-track,
along-track, radial. Source: https://ids-doris.org/documents/BC/satellites/man.readme.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from orbwatch.catalog.burns_row import NOT_SAID, BurnRow
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.time import JD_1970, jd_to_us, tai_to_utc

_LINE = re.compile(r"\s*[A-Z][\w-]{2,5}\s+\d{4}\s+\d{1,3}\s+\d{1,2}\s+\d{1,2}\s.*")
_KNOWN = {
    "TOPEX": 22076, "JASO1": 26997, "JASO2": 33105, "JASO3": 41240, "ENVI1": 27386, "CRYO2": 36508, "SARAL": 39086,
    "HY2A": 37781, "HY2B": 43655, "HY2C": 46469, "HY2D": 48621, "SEN3A": 41335, "SEN3B": 43437, "SEN6A": 46984,
    "SEN6B": 66514, "SPOT2": 20436, "SPOT3": 22823, "SPOT4": 25260, "SPOT5": 27421, "SWOT1": 54754,
}  # fmt: skip
IDS_IDS = frozenset(_KNOWN.values())
_RTN_OF = {"004": (2, 1, 0), "005": (2, 1, 0), "006": (0, 1, 2), "007": (0, 1, 2)}
"""Which of the three columns is radial, along-track, cross-track."""
_BURN_WORDS = 15
_LONGEST_S = 86400.0
_LARGEST_M_S = 1e4


@dataclass
class _Words:
    """The words of a line, taken in turn; errors say where."""

    words: Sequence[str]
    file: str | Path | None
    line: int
    at: int = 0

    def word(self, field: str) -> str:
        if self.at >= len(self.words):
            raise InputError("the line is cut off", file=self.file, line=self.line, field=field)
        self.at += 1
        return self.words[self.at - 1]

    def whole(self, field: str, low: int, high: int) -> int:
        word = self.word(field)
        if not (word.isascii() and word.isdigit() and low <= int(word) <= high):
            raise self.wrong(field, word, f"{low} to {high}")
        return int(word)

    def number(self, field: str, low: float, high: float) -> float:
        word = self.word(field)
        try:
            value = float(word)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise self.wrong(field, word, f"{low:g} to {high:g}")
        return value

    def minute_us(self, field: str) -> int:
        """TAI microseconds since 1970 of year, day of year, hour, minute."""
        year = self.whole(f"{field} year", 1957, 2100)
        day = self.whole(f"{field} day of year", 1, 366)
        minute = self.whole(f"{field} hour", 0, 23) * 60 + self.whole(f"{field} minute", 0, 59)
        days = date(year, 1, 1).toordinal() - date(1970, 1, 1).toordinal() + day - 1
        return days * DAY_US + minute * 60_000_000

    def wrong(self, field: str, word: str, legal: str) -> InputError:
        return InputError("not a number in range", file=self.file, line=self.line, field=field, value=word, legal=legal)


def is_ids(line: str) -> bool:
    """Whether a line looks like one of such a file."""
    return _LINE.fullmatch(line + " ") is not None


def read_ids_maneuvers(text: str, file: str | Path | None = None) -> list[BurnRow]:
    """The maneuvers of a file, one a line, in its order.

    Start and end are those of the burns where they are given (the window of a line may be an hour wider), else of the
    window, to the minute. Raises InputError with line and field.
    """
    return [
        _maneuver(_Words(line.split(), file, number))
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]


def _maneuver(words: _Words) -> BurnRow:
    code = words.word("satellite")
    norad_id = _KNOWN.get(code.upper().replace("-", "").replace("_", ""))
    if norad_id is None:
        raise InputError(
            "a satellite whose catalogue number is not known",
            file=words.file, line=words.line, field="satellite", value=code, legal=", ".join(_KNOWN),
        )  # fmt: skip
    start_us, end_us = words.minute_us("begin"), words.minute_us("end")
    if end_us < start_us:
        raise InputError("the maneuver ends before it begins", file=words.file, line=words.line, field="end")
    dv_m_s = NOT_SAID
    if words.at < len(words.words):
        kind = words.word("parameter type")
        if not kind.isdigit():  # SPOT's MCC and MCO
            kind = words.word("parameter type")
        if kind not in _RTN_OF:
            legal = ", ".join(_RTN_OF)
            raise InputError(
                "not a parameter type",
                file=words.file,
                line=words.line,
                field="parameter type",
                value=kind,
                legal=legal,
            )
        burns = [_burn(words, _RTN_OF[kind], i) for i in range(1, words.whole("number of burns", 0, 99) + 1)]
        if burns:
            start_us, end_us = min(burn[0] for burn in burns), max(burn[1] for burn in burns)
            radial, along, cross = (sum(burn[2][axis] for burn in burns) for axis in range(3))
            dv_m_s = (radial, along, cross)
    return BurnRow(norad_id, _utc(start_us), _utc(end_us), dv_m_s, code)


def _burn(words: _Words, rtn_of: tuple[int, int, int], i: int) -> tuple[int, int, tuple[float, float, float]]:
    """Start and end (TAI microseconds) and delta-v of the i-th burn."""
    first = words.at
    middle_us = words.minute_us(f"burn {i}") + round(words.number(f"burn {i} second", 0.0, 61.0) * 1e6)
    half_us = round(words.number(f"burn {i} duration", 0.0, _LONGEST_S) * 5e5)
    columns = [words.number(f"burn {i} delta-v {axis}", -_LARGEST_M_S, _LARGEST_M_S) for axis in (1, 2, 3)]
    while words.at < first + _BURN_WORDS:
        words.word(f"burn {i} acceleration")
    radial, along, cross = (columns[place] for place in rtn_of)
    return middle_us - half_us, middle_us + half_us, (radial, along, cross)


def _utc(tai_us: int) -> int:
    days, rest = divmod(tai_us, DAY_US)
    return jd_to_us(*tai_to_utc(JD_1970 + days, rest / DAY_US))
