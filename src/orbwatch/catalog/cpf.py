"""CPF: predicted orbits of satellite laser ranging, versions 1 and 2.

R. Ricklefs, Consolidated Laser Ranging Prediction Format, version 1.01 (2006) and 2.00 (2018).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.opened import open_text
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError

_MJD_1970 = 40587


@dataclass(frozen=True, eq=False)
class Cpf:
    """A predicted orbit of one satellite."""

    target: str
    norad_id: int | None
    object_id: str
    """International designator, 2016-002A; empty when the file has none."""
    source: str
    version: int
    times_us: Int[np.ndarray, " m"]
    """Epochs, UTC microseconds since 1970-01-01."""
    direction: Int[np.ndarray, " m"]
    """0: the geometric position at the epoch; 1 and 2: of light on its way up and down (distant targets only)."""
    r_itrf_km: Float[np.ndarray, "m 3"]
    """Geocentric position in the true body-fixed frame (ITRF)."""
    v_itrf_km_s: Float[np.ndarray, "m 3"] | None
    """Velocity relative to the rotating Earth, NaN where absent; None when the file has none at all."""
    complete: bool
    """Whether the file ends with its 99 record: a file that was cut off does not."""

    def __len__(self) -> int:
        return len(self.times_us)


def read_cpf(path: str | Path) -> Cpf:
    """The prediction of a CPF file, plain or packed (xz, gzip, zip).

    Raises InputError (file, line, field, value) for what is malformed, and for a frame that is not body-fixed.
    """
    return parse_cpf(open_text(path), path)


def parse_cpf(text: str, file: str | Path | None = None) -> Cpf:
    """As `read_cpf`, from text; `file` is only named in errors."""
    head: dict[str, tuple[int, list[str]]] = {}
    times, directions, positions, complete = list[int](), list[int](), list[list[float]](), False
    velocities: dict[int, list[float]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        kind, *words = line.split() or [""]
        if kind.upper() in ("H1", "H2"):
            head[kind.upper()] = number, words
        elif kind == "10":
            direction, mjd, second, leap, *xyz = _numbers(words, _POSITION, number, file)
            # Records after a leap second keep the old count of seconds and carry the flag.
            times.append((int(mjd) - _MJD_1970) * DAY_US + round((second - leap) * 1e6))
            directions.append(int(direction))
            positions.append(xyz)
        elif kind == "20" and times:
            velocities[len(times) - 1] = _numbers(words, _VELOCITY, number, file)[1:]
        complete = complete or kind == "99"
    if "H1" not in head or "CPF" not in [word.upper() for word in head["H1"][1]]:
        raise InputError("not a CPF file: no H1 CPF record", file=file)
    if not times:
        raise InputError("the file holds no positions", file=file)
    v = np.full((len(times), 3), np.nan)
    v[list(velocities)] = list(velocities.values()) or np.empty((0, 3))
    return Cpf(
        times_us=np.array(times, np.int64),
        direction=np.array(directions, np.int64),
        r_itrf_km=np.array(positions) * 1e-3,
        v_itrf_km_s=v * 1e-3 if velocities else None,
        complete=complete,
        **_header(head, file),
    )


_TIME = (("mjd", 99999.0), ("second", 86401.0), ("leap second", 9.0))
_POSITION = (("direction", 9.0), *_TIME, *((c, 1e13) for c in "xyz"))
_VELOCITY = (("direction", 9.0), *((c, 1e9) for c in "xyz"))
"""Fields of records 10 and 20, and how large they may be."""


def _numbers(words: list[str], fields: Sequence[tuple[str, float]], line: int, file: str | Path | None) -> list[float]:
    """The numbers of a record, each within its bound."""
    if len(words) < len(fields):
        legal = ", ".join(field for field, _ in fields)
        raise InputError("the record is too short", file=file, line=line, value=" ".join(words), legal=legal)
    out = []
    for (field, bound), word in zip(fields, words, strict=False):
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not (abs(value) <= bound and (value >= 0.0 or len(field) == 1)):
            legal = f"0 to {bound:g}" if len(field) > 1 else "a number"
            raise InputError("not a number in range", file=file, line=line, field=field, value=word, legal=legal)
        out.append(value)
    return out


def _header(head: dict[str, tuple[int, list[str]]], file: str | Path | None) -> dict[str, Any]:
    line, words = head["H1"]
    at = [word.upper() for word in words].index("CPF")
    version, source = [*words[at + 1 : at + 3], "", ""][:2]
    dates = words[at + 3 :]  # year month day hour, sequence number, (version 2: sub-sequence), target
    target = next((word for word in dates[5:] if not word.isdigit()), "")
    if not version.isascii() or not version.isdigit() or len(version) > 2:
        raise InputError("not a CPF version", file=file, line=line, field="H1", value=version, legal="1 or 2")
    out: dict[str, Any] = {"target": target, "source": source, "version": int(version), "norad_id": None}
    line, words = head.get("H2", (0, []))
    if len(words) > 18 and words[18] != "0":
        legal = "0, the true body-fixed frame"
        raise InputError(
            "the frame is not body-fixed", file=file, line=line, field="frame", value=words[18], legal=legal
        )
    if len(words) > 2 and words[2].isascii() and words[2].isdigit() and len(words[2]) <= 9:
        out["norad_id"] = int(words[2])
    return out | {"object_id": _designator(words[0]) if words else ""}


def _designator(cospar: str) -> str:
    """1600201 -> 2016-002A; years 57 to 99 are of the last century."""
    if not (cospar.isascii() and cospar.isdigit()) or len(cospar) > 7:
        return ""
    year, launch, piece = int(cospar[:-5] or 0), cospar[-5:-2], int(cospar[-2:])
    century = 1900 if year >= 57 else 2000
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    if not 1 <= piece <= len(letters) or len(launch) < 3:
        return ""
    return f"{century + year}-{launch}{letters[piece - 1]}"
