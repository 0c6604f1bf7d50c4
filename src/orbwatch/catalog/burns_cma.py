"""Station keeping of geostationary Fengyun satellites, as the China Meteorological Administration (CMA) lists it.

A line: kind, international designator, start and end in quotes, both in China standard time (UTC + 8 h).
"""

from __future__ import annotations

import re
from pathlib import Path

from orbwatch.catalog.burns_row import BurnRow
from orbwatch.errors import InputError
from orbwatch.time import parse_utc

_LINE = re.compile(r'\s*(\S+)\s+(\d{4}-\d{3}[A-Z]{1,3})\s+"([^"]*)"\s+"([^"]*)"\s*')
_KNOWN = {
    "2004-042A": (28451, "Fengyun-2C"),
    "2006-053A": (29640, "Fengyun-2D"),
    "2008-066A": (33463, "Fengyun-2E"),
    "2012-002A": (38049, "Fengyun-2F"),
    "2014-090A": (40367, "Fengyun-2G"),
    "2016-077A": (41882, "Fengyun-4A"),
    "2018-050A": (43491, "Fengyun-2H"),
    "2021-047A": (48808, "Fengyun-4B"),
}
CMA_IDS = frozenset(norad_id for norad_id, _ in _KNOWN.values())
_ZONES_US = {"CST": 8 * 3_600_000_000, "UTC": 0, "Z": 0}
_AXES = {"EW": "in_track", "NS": "cross_track"}


def is_cma(line: str) -> bool:
    """Whether a line looks like one of such a list."""
    return _LINE.fullmatch(line) is not None


def read_cma(text: str, file: str | Path | None = None) -> list[BurnRow]:
    """The burns of a list, in its order; no delta-v in it. Raises InputError with line and field."""
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            legal = 'KIND 2012-002A "2022-01-05T08:30:00 CST" "2022-01-05T09:30:00 CST"'
            raise InputError("not a line of a list of burns", file=file, line=number, value=line[:60], legal=legal)
        kind, designator, start, end = found.groups()
        if designator not in _KNOWN:
            raise InputError(
                "a satellite whose catalogue number is not known",
                file=file, line=number, field="designator", value=designator, legal=", ".join(_KNOWN),
            )  # fmt: skip
        norad_id, name = _KNOWN[designator]
        start_us, end_us = (_instant(word, field, file, number) for word, field in ((start, "start"), (end, "end")))
        if end_us < start_us:
            raise InputError("the burn ends before it starts", file=file, line=number, field="end", value=end)
        axis = next((_AXES[word] for word in kind.split("-") if word in _AXES), "")
        rows.append(BurnRow(norad_id, start_us, end_us, name=name, axis=axis))
    return rows


def _instant(words: str, field: str, file: str | Path | None, line: int) -> int:
    stamp, _, zone = words.strip().partition(" ")
    if zone not in _ZONES_US:
        raise InputError("not a time zone", file=file, line=line, field=field, value=words, legal=", ".join(_ZONES_US))
    try:
        return parse_utc(stamp.replace("/", "-")) - _ZONES_US[zone]
    except InputError as error:
        raise InputError(error.what, file=file, line=line, field=field, value=words, legal=error.legal) from None
