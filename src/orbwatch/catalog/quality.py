"""What a legal element set is, and what is said of a set that is not one (it is put aside, the rest is read)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.ids import LARGEST_ID
from orbwatch.errors import InputError
from orbwatch.time import format_utc, parse_utc

TEXT_SHOWN = 400
"""Characters of an offending text that a `Rejected` keeps."""


@dataclass(frozen=True)
class Rejected:
    """One element set put aside."""

    line: int | None
    """1-based line where the set begins, None when the format has no lines."""
    norad_id: int | None
    """Its catalogue number, None when not even that is legible."""
    reason: str
    text: str = ""
    """The set as it stood in the file, cut to `TEXT_SHOWN` characters."""
    file: str = ""

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.file, f"line {self.line}" if self.line else "") if part)
        who = f" (object {self.norad_id})" if self.norad_id is not None else ""
        return f"{place}{': ' if place else ''}{self.reason}{who}"


@dataclass(frozen=True)
class GpRead:
    """What a reader of element sets returns: the legible sets in file order, and those put aside."""

    table: GpTable
    rejected: list[Rejected] = field(default_factory=list)

    def checked(self, file: str = "") -> GpRead:
        """Itself; raises InputError when there is not a single legible set."""
        if len(self.table):
            return self
        if self.rejected:
            first = self.rejected[0]
            what = f"none of {len(self.rejected)} element set(s) is legible; the first: {first.reason}"
            raise InputError(what, file=file or None, line=first.line, value=first.text[:80] or None)
        raise InputError(
            "no element sets in it", file=file or None, hint="Expected TLE, 3LE or OMM (JSON, CSV, KVN, XML)"
        )


EARLIEST_US = parse_utc("1957-01-01")
LATEST_US = parse_utc("2100-01-01")

_ANGLE = (-360.0, 720.0)
LEGAL_REAL: Mapping[str, tuple[float, float]] = {
    "mean_motion_rev_day": (0.0, 20.0),
    "eccentricity": (0.0, 1.0),
    "inclination_deg": (0.0, 180.0),
    "raan_deg": _ANGLE,
    "arg_perigee_deg": _ANGLE,
    "mean_anomaly_deg": _ANGLE,
    "bstar_per_er": (-1e10, 1e10),
    "mean_motion_dot_rev_day2": (-1e10, 1e10),
    "mean_motion_ddot_rev_day3": (-1e10, 1e10),
}
"""Legal values of the columns of real numbers, ends included but for those of mean motion (0) and eccentricity (1).
Angles outside [0, 360) are brought into it by the readers."""

LEGAL_INT: Mapping[str, tuple[int, int]] = {
    "norad_id": (0, LARGEST_ID),
    "element_set_no": (0, LARGEST_ID),
    "rev_at_epoch": (0, LARGEST_ID),
}

ANGLES = ("raan_deg", "arg_perigee_deg", "mean_anomaly_deg")

SGP4_TYPES = (0, 1, 2, 3)
"""EPHEMERIS_TYPE that SGP4 propagates: 0 unstated, 1 SGP, 2 SGP4, 3 SDP4 (CCSDS 502.0-B-3, table 4-3)."""


def legal_text(name: str) -> str:
    """The legal values of a column, as an error message gives them."""
    if name == "epoch_us":
        return f"{format_utc(EARLIEST_US, 0)} .. {format_utc(LATEST_US, 0)}"
    if name == "ephemeris_type":
        return "0, 1, 2 or 3 (SGP4); 4 is SGP4-XP, which SGP4 cannot propagate"
    low, high = {**LEGAL_REAL, **LEGAL_INT}[name]
    left = "<" if name == "mean_motion_rev_day" else "<="
    right = "<" if name == "eccentricity" else "<="
    return f"{low:g} {left} value {right} {high:g}" if name in LEGAL_REAL else f"{low} .. {high}"


def is_legal(name: str, values: Float[np.ndarray, " n"] | Int[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Which values of a column (a name of `GpTable`, (n,) in its unit) are legal; not-a-number is not."""
    if name == "epoch_us":
        return (values >= EARLIEST_US) & (values < LATEST_US)
    if name == "ephemeris_type":
        return np.isin(values, SGP4_TYPES)
    if name in LEGAL_INT:
        return (values >= LEGAL_INT[name][0]) & (values <= LEGAL_INT[name][1])
    low, high = LEGAL_REAL[name]
    above = values > low if name == "mean_motion_rev_day" else values >= low
    return above & (values < high if name == "eccentricity" else values <= high)


CHECKED = ("norad_id", "epoch_us", "ephemeris_type", *LEGAL_REAL, "element_set_no", "rev_at_epoch")
"""The columns with legal ranges, in the order in which they are checked."""


def wrap_circle(degrees: Float[np.ndarray, " n"]) -> None:
    """Brings angles into [0, 360), in place; not-a-number and infinity stay."""
    with np.errstate(invalid="ignore"):
        outside = np.isfinite(degrees) & ((degrees < 0.0) | (degrees >= 360.0))
    wrapped = np.mod(degrees[outside], 360.0)
    degrees[outside] = np.where(wrapped >= 360.0, 0.0, wrapped)  # -1e-17 wraps to 360.0 itself


def check_writable(table: GpTable) -> None:
    """Raises InputError for the first row that no format may carry: a value out of range, an angle outside [0, 360)."""
    for name in CHECKED:
        values = getattr(table, name)
        good = is_legal(name, values)
        legal = legal_text(name)
        if name in ANGLES:
            good, legal = good & (values >= 0.0) & (values < 360.0), "0 <= value < 360"
        refuse(table, good, name, legal)


def refuse(table: GpTable, good: Bool[np.ndarray, " n"], name: str, legal: str, hint: str | None = None) -> None:
    """Raises InputError for the first row whose column `name` is not good, naming the object."""
    if not good.all():
        i = int(np.argmin(good))
        what = f"row {i + 1} (object {int(table.norad_id[i])}) cannot be written"
        raise InputError(what, field=name, value=getattr(table, name)[i].item(), legal=legal, hint=hint)
