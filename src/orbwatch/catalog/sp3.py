"""SP3 precise orbits, versions a, c and d: positions (and velocities) of many satellites on one time grid.

S. Hilla, The Extended Standard Product 3 Orbit Format (SP3-d), 21 February 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.opened import open_text
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.time import gps_to_utc, jd_to_us, tai_to_utc, us_to_jd

_ABSENT_KM = 999999.0
_TAI_SECONDS_AHEAD = {"TAI": 0, "GPS": 19, "GAL": 19, "QZS": 19, "IRN": 19, "BDT": 33}
"""TAI minus each atomic time scale, s."""
_UTC_NAMES = ("UTC", "GLO")
_DAY_1970 = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, eq=False)
class Sp3:
    """Orbits of n satellites at m epochs; NaN where the file has none."""

    object_id: tuple[str, ...]
    """As in the file: G01, R24, L52; n of them."""
    times_us: Int[np.ndarray, " m"]
    """Epochs, UTC microseconds since 1970-01-01, whatever time system the file keeps."""
    r_itrf_km: Float[np.ndarray, "n m 3"]
    """Positions in `frame`, an Earth-fixed frame (a realisation of ITRF)."""
    v_itrf_km_s: Float[np.ndarray, "n m 3"] | None
    """Velocities relative to the rotating Earth; None when the file has none."""
    time_system: str
    """Time system of the file's own epochs: GPS, TAI, UTC..."""
    frame: str
    """Name of the frame as in the file: IGb08, ITR05, SLR08..."""
    version: str
    agency: str
    velocity_unit: str
    """dm/s, as the standard wants; m/s when the velocities only agree with the positions so (some DORIS orbits)."""
    complete: bool
    """Whether the file ends with its EOF line: a file that was cut off does not."""

    def __len__(self) -> int:
        return len(self.object_id)


def read_sp3(path: str | Path) -> Sp3:
    """The orbits of an SP3 file, plain or packed (xz, gzip, zip). Raises InputError with file, line and value."""
    return parse_sp3(open_text(path), path)


def parse_sp3(text: str, file: str | Path | None = None) -> Sp3:
    """As `read_sp3`, from text; `file` is only named in errors."""
    lines = text.split("\n")
    first = lines[0]
    if len(first) < 3 or first[0] != "#" or first[1].lower() not in "abcd" or first[2].upper() not in "PV":
        legal = "#aP, #cP, #cV, #dP..."
        raise InputError("not an SP3 file", file=file, line=1, value=first[:10], legal=legal)
    header = takewhile(lambda line: not line.startswith("*"), lines)
    time_system = next((line[9:12].upper() for line in header if line.startswith("%c")), "GPS")
    if time_system == "CCC":  # version a does not say: GPS
        time_system = "GPS"
    if time_system not in _TAI_SECONDS_AHEAD and time_system not in _UTC_NAMES:
        legal = ", ".join([*_TAI_SECONDS_AHEAD, *_UTC_NAMES])
        raise InputError("unknown time system", file=file, field="%c", value=time_system, legal=legal)

    kinds = np.array([line[:1] for line in lines])
    epoch_of = np.cumsum(kinds == "*") - 1
    times_us = _times_us([(i + 1, lines[i]) for i in np.flatnonzero(kinds == "*").tolist()], time_system, file)
    rows = np.flatnonzero((kinds == "P") & (epoch_of >= 0))
    if not len(rows):
        raise InputError("the file holds no positions", file=file)
    names = [_object_id(lines[i][1:4]) for i in rows]
    object_id = tuple(dict.fromkeys(names))
    r = _table(lines, rows, names, object_id, epoch_of, file)
    rows = np.flatnonzero((kinds == "V") & (epoch_of >= 0))
    v, unit = None, "dm/s"
    if len(rows):
        names = [_object_id(lines[i][1:4]) for i in rows]
        for i, name in zip(rows, names, strict=True):
            if name not in object_id:
                raise InputError("velocity without a position", file=file, line=int(i) + 1, value=name)
        v = _table(lines, rows, names, object_id, epoch_of, file) * 1e-4
        if _ratio_to_motion(r, v, times_us) < 0.3:
            v, unit = v * 10.0, "m/s"
    return Sp3(
        object_id=object_id,
        times_us=times_us,
        r_itrf_km=r,
        v_itrf_km_s=v,
        time_system=time_system,
        frame=first[46:51].strip(),
        version=first[1].lower(),
        agency=first[56:60].strip(),
        velocity_unit=unit,
        complete=any(line.startswith("EOF") for line in lines[-3:]),
    )


def _object_id(text: str) -> str:
    """Letter and two digits; version a has GPS satellites by number alone."""
    letter, number = text[:1].strip() or "G", text[1:].strip()
    return f"{letter}{number:0>2s}"


def _times_us(epochs: Sequence[tuple[int, str]], time_system: str, file: str | Path | None) -> Int[np.ndarray, " m"]:
    """UTC microseconds of the epoch lines (line number, text)."""
    out = np.empty(len(epochs), np.int64)
    for k, (line, text) in enumerate(epochs):
        try:
            year, month, day, hour, minute = (int(x) for x in text[1:19].split())
            second = float(text[19:31])
            if not (0 <= hour < 24 and 0 <= minute < 60 and 0.0 <= second < 61.0):
                raise ValueError
            days = date(year, month, day).toordinal() - _DAY_1970
        except ValueError:
            raise InputError("not an epoch", file=file, line=line, value=text[:31]) from None
        out[k] = days * DAY_US + (hour * 60 + minute) * 60_000_000 + round(second * 1e6)
    if time_system in _UTC_NAMES or not len(out):
        return out
    if _TAI_SECONDS_AHEAD[time_system] == 19:
        return jd_to_us(*gps_to_utc(*us_to_jd(out)))
    return jd_to_us(*tai_to_utc(*us_to_jd(out + _TAI_SECONDS_AHEAD[time_system] * 1_000_000)))


def _table(
    lines: Sequence[str],
    rows: Int[np.ndarray, " k"],
    names: Sequence[str],
    object_id: tuple[str, ...],
    epoch_of: Int[np.ndarray, " lines"],
    file: str | Path | None,
) -> Float[np.ndarray, "n m 3"]:
    """The three numbers of position or velocity lines on the grid of objects and epochs, NaN where bad or absent."""
    try:
        xyz = np.array([(lines[i][4:18], lines[i][18:32], lines[i][32:46]) for i in rows]).astype(np.float64)
    except ValueError:
        raise _bad_row(lines, rows, file) from None
    if not np.isfinite(xyz).all():
        raise _bad_row(lines, rows, file)
    xyz[(xyz == 0.0).all(axis=1) | (np.abs(xyz) >= _ABSENT_KM).any(axis=1)] = np.nan
    number = {name: i for i, name in enumerate(object_id)}
    table = np.full((len(object_id), int(epoch_of[-1]) + 1, 3), np.nan)
    table[[number[name] for name in names], epoch_of[rows]] = xyz
    return table


def _bad_row(lines: Sequence[str], rows: Int[np.ndarray, " k"], file: str | Path | None) -> InputError:
    for i in rows:
        for column, field in ((4, "x"), (18, "y"), (32, "z")):
            text = lines[i][column : column + 14]
            try:
                good = bool(np.isfinite(float(text)))
            except ValueError:
                good = False
            if not good:
                return InputError("not a number", file=file, line=int(i) + 1, field=field, value=text)
    return InputError("not a number", file=file)


def _ratio_to_motion(r: Float[np.ndarray, "n m 3"], v: Float[np.ndarray, "n m 3"], t: Int[np.ndarray, " m"]) -> float:
    """Speed given over speed of the positions, median; 1 when it cannot be told."""
    dt = np.diff(t) * 1e-6
    step = np.linalg.norm(np.diff(r, axis=1), axis=2)[:, dt > 0.0] / dt[dt > 0.0]
    speed = np.linalg.norm(v[:, :-1], axis=2)[:, dt > 0.0]
    told = np.isfinite(step) & np.isfinite(speed) & (step > 0.0)
    return float(np.median(speed[told] / step[told])) if told.any() else 1.0
