"""True burns: what operators say they did, from the files in which they say it; all times in UTC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from jaxtyping import Float, Int

from orbwatch.catalog.burns_cma import CMA_IDS, is_cma, read_cma
from orbwatch.catalog.burns_ids import IDS_IDS, is_ids, read_ids_maneuvers
from orbwatch.catalog.burns_row import BurnRow
from orbwatch.catalog.opened import open_text
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.time import parse_utc

FORMATS = (
    "maneuver files of the International DORIS Service (cs2man.txt), lists of the China Meteorological Administration "
    "(manFY2D.txt.fy), YAML with 'SATCAT number' and 'manoeuvre_timestamps'"
)
_NAMED_LIKE = ("*.yaml", "*.yml", "*man*.txt", "*.fy")
_LATE_US = dict.fromkeys(CMA_IDS, 8 * 3_600_000_000) | dict.fromkeys(IDS_IDS, DAY_US)
"""How much later than UTC burns stand in the YAML lists of Shorten et al. ("Wide-scale monitoring of satellite
lifetimes: pitfalls and a benchmark dataset"). Fengyun's keep Beijing's clock; those made of DORIS files count the days
of a year from 0, so that each burn is one day late. Element sets say so too: the orbits before and after burns of
CryoSat-2, SARAL and Sentinel-3A cross at the operator's time (median; half of them within 8 h), not a day later."""


@dataclass(frozen=True, eq=False)
class Burns:
    """Burns, or groups of burns that their operator counts as one maneuver; ordered by object and start."""

    norad_id: Int[np.ndarray, " b"]
    start_us: Int[np.ndarray, " b"]
    """Start of the first burn, UTC microseconds since 1970."""
    end_us: Int[np.ndarray, " b"]
    """End of the last burn; the start again where the file has no end."""
    dv_rtn_m_s: Float[np.ndarray, "b 3"]
    """Sum of the changes of velocity along radial, transverse and normal; NaN where the file does not say."""
    name: np.ndarray
    """Of the satellite, as the file has it."""
    axis: np.ndarray
    """What the file says of the direction where it has no numbers: "in_track", "cross_track" or ""."""

    def __len__(self) -> int:
        return len(self.norad_id)

    def __getitem__(self, index: Any) -> Burns:
        """The burns of a boolean mask, an index array or a slice."""
        columns = ("norad_id", "start_us", "end_us", "dv_rtn_m_s", "name", "axis")
        return replace(self, **{column: getattr(self, column)[index] for column in columns})

    @property
    def middle_us(self) -> Int[np.ndarray, " b"]:
        return np.asarray(self.start_us + (self.end_us - self.start_us) // 2)


def read_burns(path: str | Path, as_listed: bool = False) -> Burns:
    """The burns in a file (packed or not, told by its content), or in the files of a folder that are named like lists.

    Formats: `FORMATS`. Times are converted to UTC from TAI (DORIS) and from Beijing's clock (CMA). YAML lists have
    starts alone, and those of satellites in DORIS or CMA files are known to be late by a day or eight hours: that is
    taken off, unless `as_listed`. Raises InputError with file, line and field where something is not legible, and for
    a satellite whose catalogue number is not known.
    """
    path = Path(path)
    if not path.is_dir():
        return _ordered(_read(path, as_listed))
    files = sorted({file for pattern in _NAMED_LIKE for file in path.glob(pattern)})
    if not files:
        raise InputError("no lists of burns in the folder", file=path, legal=", ".join(_NAMED_LIKE))
    return _ordered(row for file in files for row in _read(file, as_listed))


def _read(path: Path, as_listed: bool) -> list[BurnRow]:
    text = open_text(path)
    first = next((line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")), "")
    if is_ids(first):
        return read_ids_maneuvers(text, path)
    if is_cma(first):
        return read_cma(text, path)
    if "manoeuvre_timestamps" in text or "maneuver_timestamps" in text:
        return _read_yaml(text, path, as_listed)
    raise InputError("not a list of burns that can be read", file=path, line=1, value=first[:60], legal=FORMATS)


def _read_yaml(text: str, path: Path, as_listed: bool) -> list[BurnRow]:
    try:
        # Everything as text: dates of YAML would come as times with or without a zone, or as plain dates.
        loaded = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError("not YAML", file=path, line=mark.line + 1 if mark else None) from error
    document: Mapping[str, Any] = loaded if isinstance(loaded, Mapping) else {}
    number = str(document.get("SATCAT number", ""))
    if not (number.isascii() and number.isdigit() and 0 < len(number) <= 9):
        raise InputError("not a catalogue number", file=path, field="SATCAT number", value=number, legal="1..999999999")
    field = "manoeuvre_timestamps" if "manoeuvre_timestamps" in document else "maneuver_timestamps"
    stamps = document.get(field)
    if not isinstance(stamps, list):
        raise InputError("not a list of times", file=path, field=field, value=stamps)
    shift = 0 if as_listed else _LATE_US.get(int(number), 0)
    rows = []
    for stamp in stamps:
        try:
            start = parse_utc(str(stamp)) - shift
        except InputError as error:
            raise replace(error, file=path, field=field) from None
        rows.append(BurnRow(int(number), start, start, name=str(document.get("name", ""))))
    return rows


def _ordered(rows: Iterable[BurnRow]) -> Burns:
    listed = sorted(rows, key=lambda row: (row.norad_id, row.start_us))
    return Burns(
        np.array([row.norad_id for row in listed], np.int64),
        np.array([row.start_us for row in listed], np.int64),
        np.array([row.end_us for row in listed], np.int64),
        np.array([row.dv_rtn_m_s for row in listed], np.float64).reshape(-1, 3),
        np.array([row.name for row in listed], str),
        np.array([row.axis for row in listed], str),
    )
