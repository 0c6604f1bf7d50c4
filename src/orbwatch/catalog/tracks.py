"""Tracks: positions of objects as a sensor reports them, from CSV, or from an orbit ephemeris message (OEM).

CSV columns, in any order, the first four needed: time_utc, x_km, y_km, z_km, object_id (text), sigma_m (noise of the
position, one standard deviation an axis), frame (teme, gcrf, eme2000 or itrf), ballistic_m2_kg (drag coefficient x
area / mass, where known). Of an OEM the positions are used.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.oem import parse_oem
from orbwatch.catalog.opened import open_text
from orbwatch.catalog.quality import Rejected
from orbwatch.errors import InputError
from orbwatch.frames import eme2000_to_gcrf, itrf_to_gcrf, teme_to_gcrf
from orbwatch.time import format_utc, parse_utc, us_to_jd

FRAMES = ("teme", "gcrf", "eme2000", "itrf")
_NEEDED = ("time_utc", "x_km", "y_km", "z_km")
_OPTIONAL = ("object_id", "sigma_m", "frame", "ballistic_m2_kg")
_OEM_FRAMES = {"ICRF": "gcrf"} | {f"ITRF{year}": "itrf" for year in ("", "93", "97", "2000", "2008", "2014", "2020")}
_FARTHEST_KM = 500_000.0


@dataclass(frozen=True, eq=False)
class Tracks:
    """k positions of any number of objects, each object's in order of time."""

    object_id: np.ndarray
    """Text."""
    time_us: Int[np.ndarray, " k"]
    """UTC microseconds since 1970."""
    r_gcrf_km: Float[np.ndarray, "k 3"]
    sigma_km: Float[np.ndarray, " k"]
    """Noise, one standard deviation an axis."""
    ballistic_m2_kg: Float[np.ndarray, " k"]
    """NaN where the file does not say."""
    rejected: tuple[Rejected, ...] = ()
    """Rows that were put aside."""

    def __len__(self) -> int:
        return len(self.time_us)


@dataclass
class _Rows:
    """Accepted rows so far."""

    object_id: list[str] = field(default_factory=list)
    time_us: list[int] = field(default_factory=list)
    r_km: list[tuple[float, float, float]] = field(default_factory=list)
    sigma_m: list[float] = field(default_factory=list)
    frame: list[str] = field(default_factory=list)
    ballistic_m2_kg: list[float] = field(default_factory=list)

    def add(
        self, who: str, when_us: int, r_km: tuple[float, float, float], sigma_m: float, frame: str, ballistic: float
    ) -> None:
        self.object_id.append(who)
        self.time_us.append(when_us)
        self.r_km.append(r_km)
        self.sigma_m.append(sigma_m)
        self.frame.append(frame)
        self.ballistic_m2_kg.append(ballistic)


def read_tracks(path: str | Path, sigma_m: float | None = None, frame: str | None = None) -> Tracks:
    """The tracks of a file (plain, xz, gzip or zip).

    sigma_m, frame: for rows that do not say. A bad row is put aside with its reason; so is the second of two positions
    of one object at one time. Raises InputError when the file cannot be read, lacks a column, or has no usable row.
    """
    text = open_text(path)
    rows, rejected = _Rows(), list[Rejected]()
    read = _read_oem if _is_oem(text) else _read_csv
    read(text, str(path), sigma_m, frame, rows, rejected)
    if not rows.time_us:
        reason = f"First reason: {replace(rejected[0], file='')}" if rejected else "It holds no rows"
        raise InputError("no usable position", file=path, hint=reason)
    return _sorted(rows, rejected, str(path))


def _is_oem(text: str) -> bool:
    start = text.lstrip()[:4000]
    return start.startswith("<") or "CCSDS_OEM_VERS" in start


def _read_csv(
    text: str, file: str, sigma_m: float | None, frame: str | None, rows: _Rows, rejected: list[Rejected]
) -> None:
    reader = csv.reader(io.StringIO(text))
    header = [name.strip().lower() for name in next(reader, [])]
    for name in _NEEDED:
        if name not in header:
            legal = f"{', '.join(_NEEDED)}; optional {', '.join(_OPTIONAL)}"
            raise InputError("a column is missing", file=file, line=1, field=name, legal=legal)
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            line = reader.line_num
            try:
                if len(cells) != len(header):
                    raise InputError(f"the row has {len(cells)} cells", file, line, legal=f"{len(header)}")
                named = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
                rows.add(*_csv_row(named, file, line, sigma_m, frame))
            except InputError as error:
                rejected.append(Rejected(line, None, _reason(error), ",".join(cells)[:80], file))
    except csv.Error as error:
        raise InputError(f"malformed CSV: {error}", file=file, line=reader.line_num) from None


def _csv_row(
    row: Mapping[str, str], file: str, line: int, sigma_m: float | None, frame: str | None
) -> tuple[str, int, tuple[float, float, float], float, str, float]:
    def number(name: str, default: float | None, low: float, high: float) -> float:
        text = row.get(name, "")
        legal = f"a number from {low:g} to {high:g}"
        if not text and default is not None:
            return default
        try:
            value = float(text)
        except ValueError:
            raise InputError("not a number", file, line, name, text or None, legal) from None
        if not low <= value <= high:
            raise InputError("out of range", file, line, name, value, legal)
        return value

    try:
        when = parse_utc(row["time_utc"])
    except InputError as error:
        raise InputError(error.what, file, line, "time_utc", row["time_utc"], error.legal) from None
    if not row.get("sigma_m") and sigma_m is None:
        hint = "Fill the column sigma_m, or give --sigma-m"
        raise InputError("the noise of the position is not said", file, line, "sigma_m", hint=hint)
    axes = (row.get("frame", "") or frame or "").lower()
    if axes not in FRAMES:
        hint = "Fill the column frame, or give --frame"
        raise InputError("no such frame", file, line, "frame", axes or None, ", ".join(FRAMES), hint)
    r_km = tuple(number(name, None, -_FARTHEST_KM, _FARTHEST_KM) for name in _NEEDED[1:])
    _check_radius(r_km, file, line)
    noise_m = number("sigma_m", sigma_m, 1e-3, 1e5)
    ballistic = number("ballistic_m2_kg", math.nan, 0.0, 100.0)
    return row.get("object_id", "") or "track", when, (r_km[0], r_km[1], r_km[2]), noise_m, axes, ballistic


def _check_radius(r_km: tuple[float, ...], file: str, line: int | None) -> None:
    radius = math.dist(r_km, (0.0, 0.0, 0.0))
    if not 6378.0 <= radius <= _FARTHEST_KM:
        legal = f"6378 to {_FARTHEST_KM:g} km from the Earth's centre"
        raise InputError("no orbit is there", file, line, "x_km, y_km, z_km", round(radius, 3), legal)


def _read_oem(
    text: str, file: str, sigma_m: float | None, frame: str | None, rows: _Rows, rejected: list[Rejected]
) -> None:
    if sigma_m is None:
        raise InputError("an OEM does not say how noisy its positions are", file=file, hint="Give --sigma-m")
    for segment in parse_oem(text, file).segments:
        axes = _OEM_FRAMES.get(segment.ref_frame.upper(), segment.ref_frame.lower()) if frame is None else frame
        if axes not in FRAMES:
            raise InputError("a frame that tracks cannot be in", file=file, value=axes, legal=", ".join(FRAMES))
        for when, r_km in zip(segment.times_us.tolist(), segment.r_km.tolist(), strict=True):
            try:
                _check_radius(tuple(r_km), file, None)
                rows.add(segment.object_id, when, tuple(r_km), sigma_m, axes, math.nan)
            except InputError as error:
                where = f"{segment.object_id} at {format_utc(when)}"
                rejected.append(Rejected(None, None, f"{where}: {_reason(error)}", file=file))


def _reason(error: InputError) -> str:
    """What an error says, without the place that a `Rejected` names itself."""
    return str(replace(error, file=None, line=None))


_TO_GCRF: dict[str, Callable[..., tuple[np.ndarray, np.ndarray]]] = {
    "teme": teme_to_gcrf,
    "itrf": itrf_to_gcrf,
    "eme2000": lambda r, v, *_: eme2000_to_gcrf(r, v),
    "gcrf": lambda r, v, *_: (r, v),
}


def _sorted(rows: _Rows, rejected: list[Rejected], file: str) -> Tracks:
    who, when = np.array(rows.object_id), np.array(rows.time_us, np.int64)
    order = np.lexsort((when, who))
    first = np.ones(len(order), bool)
    first[1:] = (who[order][1:] != who[order][:-1]) | (when[order][1:] != when[order][:-1])
    rejected += [
        Rejected(None, None, f"a second position of {who[row]} at the same time, {format_utc(when[row])}", file=file)
        for row in order[~first]
    ]
    keep = order[first]
    r_km, axes = np.array(rows.r_km), np.array(rows.frame)
    r_gcrf_km = np.empty_like(r_km)
    for name in np.unique(axes):
        mine = axes == name
        jd, fr = us_to_jd(when[mine])
        r_gcrf_km[mine] = _TO_GCRF[str(name)](r_km[mine], np.zeros_like(r_km[mine]), jd, fr)[0]
    sigma_km = np.array(rows.sigma_m)[keep] * 1e-3
    return Tracks(
        who[keep], when[keep], r_gcrf_km[keep], sigma_km, np.array(rows.ballistic_m2_kg)[keep], tuple(rejected)
    )
