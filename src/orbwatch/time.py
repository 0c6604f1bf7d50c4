"""Instants and time scales: UTC, TAI, TT, UT1, GPS, and the Earth orientation that belongs to them.

An instant is int64 microseconds since 1970-01-01 UTC in days of 86,400 s, or a split Julian date (jd, fr) with
`jd + fr` in days of 86,400 s. Those days have no place for a leap second, so 23:59:60.x is counted as 00:00:00.x of
the next day: the instants of one second in several years coincide with those of the next.

Leap seconds and Earth orientation come from the `astropy-iers-data` package (IERS Bulletins C
and A), read on first use.
"""

from __future__ import annotations

import re
import time as _clock
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, overload

import erfa
import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.constants import ARCSEC_RAD, DAY_S, DAY_US
from orbwatch.errors import InputError

JD_1970 = 2440587.5
MJD_ZERO = 2400000.5
TT_MINUS_TAI_S = 32.184
TAI_MINUS_GPS_S = 19.0
_MJD_1970 = 40587

Days = TypeVar("Days", float, np.ndarray)
"""Days as float64: a scalar, or an array of any shape."""


class EarthOrientationWarning(UserWarning):
    """An epoch lies outside the Earth-orientation table: positions on the rotating Earth are less exact."""


# ---------------------------------------------------------------------------------------------- split dates


@overload
def us_to_jd(us: int | np.integer) -> tuple[float, float]: ...
@overload
def us_to_jd(us: Int[np.ndarray, "*batch"]) -> tuple[Float[np.ndarray, "*batch"], Float[np.ndarray, "*batch"]]: ...
def us_to_jd(
    us: int | np.integer | Int[np.ndarray, "*batch"],
) -> tuple[float, float] | tuple[Float[np.ndarray, "*batch"], Float[np.ndarray, "*batch"]]:
    """Microseconds since 1970-01-01 UTC (any shape) -> split Julian date UTC, jd at midnight (.5), fr in [0, 1)."""
    if not isinstance(us, np.ndarray):
        day, rest = divmod(int(us), DAY_US)
        return JD_1970 + day, rest / DAY_US
    days, rests = np.divmod(us.astype(np.int64), DAY_US)
    return JD_1970 + days, rests / DAY_US


@overload
def jd_to_us(jd: float, fr: float) -> int: ...
@overload
def jd_to_us(jd: np.ndarray, fr: np.ndarray | float) -> Int[np.ndarray, "..."]: ...
def jd_to_us(jd: float | np.ndarray, fr: float | np.ndarray) -> int | Int[np.ndarray, "..."]:
    """Split Julian date UTC (any split, any shape) -> microseconds since 1970-01-01 UTC, rounded to the nearest.

    Raises InputError where a date is not finite.
    """
    if not (np.all(np.isfinite(jd)) and np.all(np.isfinite(fr))):
        raise InputError("a Julian date is not finite", legal="finite jd and fr")
    day, rest = _whole_days(np.asarray(jd), np.asarray(fr), JD_1970)
    us: np.ndarray = np.asarray(day * DAY_US + np.rint(rest * DAY_US).astype(np.int64))
    return us if us.ndim else int(us)


def _whole_days(jd: Any, fr: Any, origin: float) -> tuple[Any, Any]:
    """Whole days since `origin` (int64) and the rest of the day in [0, 1]."""
    whole = np.floor(jd - origin)
    rest = (jd - origin - whole) + fr
    carry = np.floor(rest)
    return (whole + carry).astype(np.int64), rest - carry


# ------------------------------------------------------------------------------------------------------ text

_FORMS = (
    "YYYY-MM-DDThh:mm:ss[.fff...] or YYYY-DDDThh:mm:ss[.fff...] in UTC; the time part, 'Z' and '+00:00' may be absent"
)
_UTC = re.compile(
    r"([0-9]{4})-(?:([0-9]{2})-([0-9]{2})|([0-9]{3}))"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?)?(?:Z|\+00:00)?"
)
_DAY_1970 = date(1970, 1, 1).toordinal()


def parse_utc(text: str) -> int:
    """UTC text -> microseconds since 1970-01-01 UTC.

    ISO 8601 / CCSDS 301.0-B-4 codes A (calendar) and B (day of year), a fraction of any length (rounded to the
    microsecond, halves up), date alone (midnight), seconds optional, 'T' or a space between, 'Z' or '+00:00' optional.
    A leap second (23:59:60.x on a day that has one) gives 00:00:00.x of the next day. Raises InputError otherwise.
    """
    found = _UTC.fullmatch(text.strip())
    if found is None:
        raise InputError("not a UTC date", value=text, legal=_FORMS)
    year, month, day, day_of_year, hour, minute, second, fraction = found.groups()
    try:
        if day_of_year is None:
            ordinal = date(int(year), int(month), int(day)).toordinal()
        else:
            first = date(int(year), 1, 1).toordinal()
            ordinal = first + int(day_of_year) - 1
            if date.fromordinal(ordinal).year != int(year):
                raise ValueError
    except (ValueError, OverflowError):
        raise InputError("no such day", value=text, legal=_FORMS) from None
    h, m, s = int(hour or 0), int(minute or 0), int(second or 0)
    if h > 23 or m > 59 or s > 60:
        raise InputError("no such time of day", value=text, legal="00:00:00 to 23:59:59.999...") from None
    if s == 60 and not ((h, m) == (23, 59) and ordinal - _DAY_1970 + _MJD_1970 + 1 in _leap_days()):
        raise InputError("second 60, but there is no leap second then", value=text, legal="seconds 00 to 59")
    us = 0
    if fraction:
        us = int(fraction[:6].ljust(6, "0")) + (fraction[6:7] >= "5")
    return (ordinal - _DAY_1970) * DAY_US + ((h * 60 + m) * 60 + s) * 1_000_000 + us


def parse_utc_many(texts: Sequence[str]) -> Int[np.ndarray, " n"]:
    """As `parse_utc`, for many: n texts -> (n,) int64. Raises InputError (line = index + 1) for the first bad one."""
    us, plain = _parse_plain(np.array(texts, dtype="U28").reshape(len(texts)))
    for i in np.flatnonzero(~plain).tolist():
        try:
            us[i] = parse_utc(texts[i])
        except InputError as error:
            error.line = i + 1
            raise
    return us


def _parse_plain(texts: np.ndarray) -> tuple[Int[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Instants of the rows that are plainly YYYY-MM-DDThh:mm:ss[.f to .ffffff][Z], at once, and which they are.

    `texts` are cut to 28 characters, one more than the longest plain row, so longer ones are seen not to be plain.
    """
    codes = texts.view(np.uint32).reshape(len(texts), 28).astype(np.int64)  # characters; 0 after the end
    rows, last = np.arange(len(texts)), np.maximum(np.count_nonzero(codes, axis=1) - 1, 0)
    codes[rows, last] *= codes[rows, last] != ord("Z")
    digits = codes - ord("0")
    is_digit = (digits >= 0) & (digits <= 9)
    plain = np.all(is_digit[:, [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]], axis=1)
    plain &= np.all(codes[:, [4, 7, 10, 13, 16]] == [ord(c) for c in "--T::"], axis=1)
    ended = codes[:, 19:] == 0
    plain &= ended[:, 0] | ((codes[:, 19] == ord(".")) & is_digit[:, 20])
    plain &= np.all(ended[:, 1:] | (is_digit[:, 20:] & ~ended[:, :-1]), axis=1) & ended[:, 7]

    def number(*columns: int) -> Int[np.ndarray, " n"]:
        return digits[:, columns] @ 10 ** np.arange(len(columns))[::-1]

    year, month, day, hour, minute, second = (
        number(*at) for at in ((0, 1, 2, 3), (5, 6), (8, 9), (11, 12), (14, 15), (17, 18))
    )
    months = np.where(plain, (year - 1970) * 12 + month - 1, 0).view("datetime64[M]")
    first, after = (m.astype("datetime64[D]").view(np.int64) for m in (months, months + 1))
    plain &= (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= after - first)
    plain &= (hour <= 23) & (minute <= 59) & (second <= 59)
    fraction = np.where(is_digit[:, 20:26], digits[:, 20:26], 0) @ 10 ** np.arange(6)[::-1]
    us = (first + day - 1) * DAY_US + ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
    return np.where(plain, us, 0), plain


def format_utc(us: int | np.integer, digits: int = 6) -> str:
    """Microseconds since 1970-01-01 UTC -> '2025-04-15T00:00:00.000000', rounded to 0 to 6 decimal digits, no 'Z'."""
    return format_utc_many(np.array([us], np.int64), digits)[0]


def format_utc_many(us: Int[np.ndarray, " n"], digits: int = 6) -> list[str]:
    """As `format_utc`, for (n,) instants. Raises InputError outside the years 1 to 9999 or for digits not in 0 to 6."""
    if not 0 <= digits <= 6:
        raise InputError("bad number of decimal digits of a second", value=digits, legal="0 to 6")
    step = 10 ** (6 - digits)
    low, high = -62_135_596_800_000_000, 253_402_300_800_000_000  # years 1 and 10000
    outside = (us < low) | (us >= high - step // 2)
    if outside.any():
        raise InputError("date outside what can be written", value=int(us[outside][0]), legal="years 1 to 9999")
    rounded = (us.astype(np.int64) + step // 2) // step * step
    text = np.datetime_as_string(rounded.view("datetime64[us]"), unit="us" if digits else "s")
    return text.astype(f"U{20 + digits if digits else 19}").tolist()  # type: ignore[no-any-return]


# ---------------------------------------------------------------------------------------------- time scales


@cache
def _leap_table() -> tuple[Int[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """MJD at whose start (UTC) each value of TAI - UTC begins, and the values in s; from 1972 on."""
    from astropy_iers_data import IERS_LEAP_SECOND_FILE

    lines = Path(IERS_LEAP_SECOND_FILE).read_text(encoding="ascii").splitlines()
    rows = [line.split() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return np.array([int(float(row[0])) for row in rows]), np.array([float(row[4]) for row in rows])


@cache
def _leap_days() -> frozenset[int]:
    """MJD of the days that follow a leap second."""
    return frozenset(_leap_table()[0][1:].tolist())


def _leap_offset_s(day: Any, rest: Any) -> Any:
    """TAI - UTC in s at MJD `day` + `rest`, UTC; before 1972 the drifting rates of ERFA's `dat`, zero before 1960."""
    starts, values = _leap_table()
    offset = values[np.maximum(np.searchsorted(starts, day, side="right") - 1, 0)]
    old = day < starts[0]
    if np.any(old):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", erfa.ErfaWarning)  # "dubious year": documented above
            year, month, dom, _ = erfa.jd2cal(MJD_ZERO, day.astype(np.float64))
            offset = np.where(old, erfa.dat(year, month, dom, rest), offset)
    return offset


def tai_minus_utc_s(jd: Days, fr: Days) -> Days:
    """TAI - UTC in s at UTC split dates (any shape). IERS Bulletin C; Explanatory Supplement (1992) before 1972."""
    offset: Days = _leap_offset_s(*_whole_days(np.asarray(jd), np.asarray(fr), MJD_ZERO))[()]
    return offset


def utc_to_tai(jd: Days, fr: Days) -> tuple[Days, Days]:
    """UTC -> TAI split dates (any shape); `jd` is passed through, `fr` shifted."""
    return jd, fr + tai_minus_utc_s(jd, fr) / DAY_S


def tai_to_utc(jd: Days, fr: Days) -> tuple[Days, Days]:
    """TAI -> UTC split dates (any shape). During a leap second 23:59:60.x it gives 00:00:00.x of the next day."""
    day, rest = _whole_days(np.asarray(jd), np.asarray(fr), MJD_ZERO)
    starts, values = _leap_table()
    i = np.maximum(np.searchsorted(starts, day, side="right") - 1, 0)
    # The new value begins only that many seconds into the TAI day; half a microsecond is for rounding.
    before = (day == starts[i]) & (rest * DAY_S < values[i] - 5e-7)
    offset = values[np.maximum(i - before, 0)]
    old = (day < starts[0]) | ((i == 0) & before)
    if np.any(old):
        guess = _leap_offset_s(day, rest)
        for _ in range(2):  # TAI - UTC drifted by 3e-8 then: two rounds reach the last bit
            guess = _leap_offset_s(*_whole_days(np.asarray(jd), np.asarray(fr) - guess / DAY_S, MJD_ZERO))
        offset = np.where(old, guess, offset)
    return jd, fr - offset[()] / DAY_S


def utc_to_tt(jd: Days, fr: Days) -> tuple[Days, Days]:
    """UTC -> TT = TAI + 32.184 s, split dates (any shape)."""
    jd, fr = utc_to_tai(jd, fr)
    return jd, fr + TT_MINUS_TAI_S / DAY_S


def tt_to_utc(jd: Days, fr: Days) -> tuple[Days, Days]:
    """TT -> UTC split dates (any shape)."""
    return tai_to_utc(jd, fr - TT_MINUS_TAI_S / DAY_S)


def gps_to_utc(jd: Days, fr: Days) -> tuple[Days, Days]:
    """GPS time (TAI - 19 s) -> UTC split dates (any shape)."""
    return tai_to_utc(jd, fr + TAI_MINUS_GPS_S / DAY_S)


def utc_to_gps(jd: Days, fr: Days) -> tuple[Days, Days]:
    """UTC -> GPS time (TAI - 19 s), split dates (any shape)."""
    jd, fr = utc_to_tai(jd, fr)
    return jd, fr - TAI_MINUS_GPS_S / DAY_S


def utc_to_ut1(jd: Days, fr: Days) -> tuple[Days, Days]:
    """UTC -> UT1 split dates (any shape), with UT1 - UTC of `eop_at` (which see for its warning)."""
    dut1_s: Any = eop_at(jd, fr).dut1_s
    return jd, fr + dut1_s / DAY_S


# ---------------------------------------------------------------------------------------- Earth orientation


@dataclass(frozen=True)
class Eop:
    """Earth orientation parameters, each a float or an array that broadcasts with the epochs."""

    dut1_s: float | Float[np.ndarray, "..."]
    """UT1 - UTC."""
    xp_rad: float | Float[np.ndarray, "..."]
    """Polar motion x."""
    yp_rad: float | Float[np.ndarray, "..."]
    """Polar motion y."""
    dx_rad: float | Float[np.ndarray, "..."] = 0.0
    """Celestial pole offset dX with respect to IAU 2000A/2006."""
    dy_rad: float | Float[np.ndarray, "..."] = 0.0
    """Celestial pole offset dY with respect to IAU 2000A/2006."""
    lod_s: float | Float[np.ndarray, "..."] = 0.0
    """Excess length of day."""


@dataclass(frozen=True)
class EopStatus:
    """What the bundled Earth-orientation table covers; UTC microseconds since 1970-01-01."""

    first_us: int
    last_observed_us: int
    last_predicted_us: int
    age_day: float
    """Days from the last observed value to now."""


@dataclass(frozen=True)
class _EopTable:
    mjd: Float[np.ndarray, " n"]
    values: Float[np.ndarray, "6 n"]
    """UT1 - TAI (s), xp, yp, dX, dY (rad), LOD (s)."""
    last_observed: float


@cache
def _eop_table() -> _EopTable:
    """IERS finals2000A (Bulletin A columns; observed, then about a year predicted), one row a day since 1973-01-02."""
    from astropy_iers_data import IERS_A_FILE

    lines = np.array(Path(IERS_A_FILE).read_bytes().splitlines(), dtype="S187")
    chars = lines.view("S1").reshape(len(lines), 187)

    def column(first: int, last: int) -> Float[np.ndarray, " n"]:
        field = np.ascontiguousarray(chars[:, first - 1 : last]).view(f"S{last - first + 1}")[:, 0]
        return np.where(np.strings.strip(field) == b"", b"nan", field).astype(np.float64)

    mjd, dut1 = column(8, 15), column(59, 68)
    n = int(np.count_nonzero(~np.isnan(dut1)))  # after the predictions the file goes on with empty rows
    observed = int(np.count_nonzero(chars[:, 57] == b"I"))
    mjd, ut1_tai = mjd[:n], (dut1[:n] - _leap_offset_s(mjd[:n].astype(np.int64), np.zeros(n)))
    lod = column(80, 86)[:n] * 1e-3
    pole = [_hold_last(column(*at)[:n]) * ARCSEC_RAD for at in ((19, 27), (38, 46))]
    offsets = [_hold_last(column(*at)[:n]) * 1e-3 * ARCSEC_RAD for at in ((98, 106), (117, 125))]
    # Bulletin A predicts no length of day, but it is the slope of the UT1 that it predicts.
    lod = np.where(np.isnan(lod), -np.gradient(ut1_tai), lod)
    return _EopTable(mjd, np.array([ut1_tai, *pole, *offsets, lod]), float(mjd[observed - 1]))


def _hold_last(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Predictions of some columns end sooner than others: hold the last value."""
    known = np.flatnonzero(~np.isnan(values))
    return values[known[np.searchsorted(known, np.arange(len(values)), side="right") - 1]]


def eop_at(jd: float | Float[np.ndarray, "..."], fr: float | Float[np.ndarray, "..."]) -> Eop:
    """Earth orientation at UTC split dates (any shape): the daily values of IERS Bulletin A, interpolated linearly.

    UT1 is interpolated as UT1 - TAI, so leap seconds do not smear. Tides shorter than the daily rows are left out
    (under 0.1 ms in UT1 and 1 mas in the pole: centimetres at the ground). Outside the table one
    `EarthOrientationWarning` is given per call; before its start (1973) every value is zero, after its
    end the last is held.
    """
    table = _eop_table()
    day, rest = _whole_days(np.asarray(jd), np.asarray(fr), MJD_ZERO)
    mjd = day + rest
    early, late = mjd < table.mjd[0], mjd > table.mjd[-1]
    if np.any(early) or np.any(late):
        warnings.warn(
            f"Earth orientation is known from MJD {table.mjd[0]:.0f} to {table.mjd[-1]:.0f} only, asked for "
            f"{np.min(mjd):.1f} to {np.max(mjd):.1f}: zero before, last value after. "
            "A newer astropy-iers-data package extends it.",
            EarthOrientationWarning,
            stacklevel=2,
        )
    ut1_tai, xp, yp, dx, dy, lod = (np.where(early, 0.0, np.interp(mjd, table.mjd, row)) for row in table.values)
    dut1 = np.where(early, 0.0, ut1_tai + _leap_offset_s(np.minimum(day, int(table.mjd[-1])), rest))
    return Eop(*(value[()] for value in (dut1, xp, yp, dx, dy, lod)))


def eop_status(now_us: int | None = None) -> EopStatus:
    """First, last observed and last predicted day of the bundled table, and the age of the observations at `now_us`."""
    table = _eop_table()
    first, observed, predicted = (
        (int(mjd) - _MJD_1970) * DAY_US for mjd in (table.mjd[0], table.last_observed, table.mjd[-1])
    )
    now = _clock.time_ns() // 1000 if now_us is None else now_us
    return EopStatus(first, observed, predicted, (now - observed) / DAY_US)
