"""Writing two-line element sets: only what the columns can hold is written."""

from __future__ import annotations

import re

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.quality import check_writable, refuse
from orbwatch.catalog.tle import LARGEST_TLE_ID, LETTERS, object_id_of
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.time import parse_utc

_FIRST_US = parse_utc("1957-01-01")
_LAST_US = parse_utc("2057-01-01")
_OBJECT_ID = re.compile(r"(\d{4})-(\d{3}[A-Z]{1,3})", re.ASCII)


def write_tle(table: GpTable, names: bool = True) -> str:
    """TLE text; with `names`, a line '0 NAME' before each set that has one (3LE). Ids from 100000 on in Alpha-5.

    Numbers are rounded to the format's digits (epoch to 864 microseconds). Raises InputError for what the columns
    cannot hold: ids above 339999, epochs outside 1957-2056, counters and derivatives with too many digits.
    """
    check_writable(table)
    refuse(table, table.norad_id <= LARGEST_TLE_ID, "norad_id", f"0 .. {LARGEST_TLE_ID}", "Write OMM instead")
    refuse(table, (table.epoch_us >= _FIRST_US) & (table.epoch_us < _LAST_US - 432), "epoch_us", "1957 to 2056")
    refuse(table, table.element_set_no <= 9999, "element_set_no", "0 .. 9999")
    refuse(table, table.rev_at_epoch <= 99999, "rev_at_epoch", "0 .. 99999")
    small = np.abs(table.mean_motion_dot_rev_day2) < 0.999999995
    refuse(table, small, "mean_motion_dot_rev_day2", "-0.99999999 .. 0.99999999")
    letters = np.array([len(c) == 1 and c.isascii() and c.isupper() for c in table.classification.tolist()], bool)
    refuse(table, letters, "classification", "one letter")
    out = []
    columns = zip(
        table.name.tolist(),
        [alpha5(one) for one in table.norad_id.tolist()],
        table.classification.tolist(),
        [_designator(table, i) for i in range(len(table))],
        _epochs(table.epoch_us),
        [f"{n:+.8f}".replace("+", " ").replace("0.", ".", 1) for n in _zeroed(table.mean_motion_dot_rev_day2, 5e-9)],
        [_exponential(n, "mean_motion_ddot_rev_day3") for n in table.mean_motion_ddot_rev_day3.tolist()],
        [_exponential(n, "bstar_per_er") for n in table.bstar_per_er.tolist()],
        table.ephemeris_type.tolist(),
        table.element_set_no.tolist(),
        table.inclination_deg.tolist(),
        _angles(table.raan_deg),
        [min(round(e * 1e7), 9_999_999) for e in table.eccentricity.tolist()],
        _angles(table.arg_perigee_deg),
        _angles(table.mean_anomaly_deg),
        table.mean_motion_rev_day.tolist(),
        table.rev_at_epoch.tolist(),
        strict=True,
    )
    for (
        name,
        who,
        kind,
        launch,
        epoch,
        dot,
        ddot,
        drag,
        form,
        count,
        inc,
        raan,
        ecc,
        argp,
        anomaly,
        motion,
        rev,
    ) in columns:
        first = f"1 {who}{kind} {launch} {epoch} {dot} {ddot} {drag} {form} {count:4d}"
        second = f"2 {who} {inc:8.4f} {raan:8.4f} {ecc:07d} {argp:8.4f} {anomaly:8.4f} {motion:11.8f}{rev:5d}"
        if names and name:
            out.append(_name_line(name, who))
        out += [first + checksum(first), second + checksum(second)]
    return "\n".join(out) + "\n" if out else ""


def alpha5(norad_id: int) -> str:
    """The five columns of a catalogue number: digits, or a letter and four digits from 100000 on."""
    if not 0 <= norad_id <= LARGEST_TLE_ID:
        legal = f"0 .. {LARGEST_TLE_ID}"
        raise InputError("a TLE cannot hold this id", field="norad_id", value=norad_id, legal=legal, hint="Write OMM")
    lead, rest = divmod(norad_id, 10_000)
    return f"{LETTERS[lead - 10]}{rest:04d}" if lead >= 10 else f"{norad_id:05d}"


def checksum(line: str) -> str:
    """The last digit of a line: the sum of its digits, each '-' as 1, modulo 10."""
    return str((sum(map(int, filter(str.isdigit, line[:68]))) + line[:68].count("-")) % 10)


def _name_line(name: str, who: str) -> str:
    if not name.isprintable() or name != name.strip():
        legal = "printable, no blanks at the ends"
        raise InputError(f"object {who} cannot be written", field="name", value=name, legal=legal)
    return f"0 {name}"


def _designator(table: GpTable, i: int) -> str:
    object_id = str(table.object_id[i])
    found = _OBJECT_ID.fullmatch(object_id)
    text = (found[1][2:] + found[2] if found else object_id).ljust(8)
    if len(text) > 8 or not (text.isascii() and text.isprintable()) or object_id_of(text) != object_id:
        what = f"row {i + 1} (object {int(table.norad_id[i])}) cannot be written"
        raise InputError(
            what, field="object_id", value=object_id, legal="as 1998-067A, 1957 to 2056, or up to 8 letters"
        )
    return text


def _epochs(epoch_us: Int[np.ndarray, " n"]) -> list[str]:
    rounded = (epoch_us + 432) // 864 * 864
    day = rounded // DAY_US
    days = day.astype("datetime64[D]")
    year = days.astype("datetime64[Y]")
    number = (days - year).astype(np.int64) + 1
    fraction = (rounded - day * DAY_US) // 864
    short = (year.astype(np.int64) + 1970) % 100
    parts = zip(short.tolist(), number.tolist(), fraction.tolist(), strict=True)
    return [f"{a:02d}{b:03d}.{c:08d}" for a, b, c in parts]


def _angles(degrees: Float[np.ndarray, " n"]) -> list[float]:
    """Angles that would be rounded up to 360.0000 as 0."""
    return np.where(degrees >= 359.99995, 0.0, degrees).tolist()  # type: ignore[no-any-return]


def _zeroed(values: Float[np.ndarray, " n"], half: float) -> list[float]:
    """Values that would be rounded to a negative zero as zero."""
    return np.where(np.abs(values) <= half, 0.0, values).tolist()  # type: ignore[no-any-return]


def _exponential(value: float, name: str) -> str:
    """'-31790-4' for -0.31790e-4; below 1e-10 with fewer digits."""
    mantissa, power = f"{abs(value):.4e}".split("e")
    digits, exponent = mantissa.replace(".", ""), int(power) + 1
    if exponent < -9:
        digits, exponent = f"{round(abs(value) * 1e14):05d}", -9
    if exponent > 9:
        raise InputError("a TLE cannot hold this value", field=name, value=value, legal="below 1e9 in size")
    if int(digits) == 0:
        return " 00000-0"
    return f"{'-' if value < 0 else ' '}{digits}{exponent:+d}" if exponent else f"{'-' if value < 0 else ' '}{digits}-0"
