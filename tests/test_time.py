from __future__ import annotations

import datetime as dt
import time as clock
import warnings
from typing import Any

import erfa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orbwatch import time as ow
from orbwatch.constants import ARCSEC_RAD, DAY_US
from orbwatch.errors import InputError

SECOND_US = 1_000_000
ANY_US = st.integers(ow.parse_utc("0001-01-01"), ow.parse_utc("9999-12-31T23:59:59.999999"))
TABLE_US = st.integers(ow.parse_utc("1973-01-03"), ow.parse_utc("2026-01-01"))


def shifted(convert: Any, text: str) -> str:
    """An instant taken through a conversion, as text."""
    return ow.format_utc(ow.jd_to_us(*convert(*ow.us_to_jd(ow.parse_utc(text)))))


# ------------------------------------------------------------------------------------------------- split dates


def test_j2000_and_unix_epochs() -> None:
    assert ow.us_to_jd(0) == (2440587.5, 0.0)
    assert ow.us_to_jd(ow.parse_utc("2000-01-01T12:00:00")) == (2451544.5, 0.5)
    assert ow.us_to_jd(np.int64(-1))[0] == 2440586.5
    assert ow.jd_to_us(2451545.0, 0.0) == ow.parse_utc("2000-01-01T12:00:00")


@given(st.lists(ANY_US, min_size=1, max_size=5))
def test_split_dates_come_back_to_the_microsecond(instants: list[int]) -> None:
    us = np.array(instants)
    jd, fr = ow.us_to_jd(us)
    assert np.all((fr >= 0.0) & (fr < 1.0))
    assert np.array_equal(jd % 1.0, np.full(len(us), 0.5))
    assert np.array_equal(ow.jd_to_us(jd, fr), us)
    assert (
        np.array_equal(ow.jd_to_us(jd - 7.0, fr + 7.0), us) or np.abs(ow.jd_to_us(jd - 7.0, fr + 7.0) - us).max() <= 1
    )
    one = ow.us_to_jd(instants[0])
    assert one == (jd[0], fr[0])
    assert ow.jd_to_us(*one) == instants[0]


@given(ANY_US)
def test_erfa_has_the_same_julian_date(us: int) -> None:
    day = dt.date(1970, 1, 1).toordinal() + us // DAY_US
    date = dt.date.fromordinal(day)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", erfa.ErfaWarning)
        assert ow.us_to_jd(us)[0] == sum(erfa.cal2jd(date.year, date.month, date.day))


def test_dates_that_are_not_finite() -> None:
    with pytest.raises(InputError, match="not finite"):
        ow.jd_to_us(np.array([2451545.0, np.nan]), np.zeros(2))


# -------------------------------------------------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2025-04-15", "2025-04-15T00:00:00"),
        ("2025-105", "2025-04-15T00:00:00"),
        ("2024-366T06:00:00Z", "2024-12-31T06:00:00"),
        ("2025-105T12:30", "2025-04-15T12:30:00"),
        (" 2025-04-15 12:30:15.5+00:00\n", "2025-04-15T12:30:15.500000"),
        ("2025-04-15T12:30:15.123456789012345678901234567890Z", "2025-04-15T12:30:15.123457"),
        ("2025-04-15T23:59:59.9999995", "2025-04-16T00:00:00"),
        ("2025-04-15T23:59:59.99999949", "2025-04-15T23:59:59.999999"),
        ("2016-12-31T23:59:60", "2017-01-01T00:00:00"),
        ("2016-366T23:59:60.25Z", "2017-01-01T00:00:00.25"),
        ("1957-10-04T19:28:34", "1957-277T19:28:34"),
        ("0001-01-01", "0001-001T00:00:00.0"),
    ],
)
def test_legal_forms(text: str, same: str) -> None:
    assert ow.parse_utc(text) == ow.parse_utc(same)
    assert ow.parse_utc_many([text, same]).tolist() == [ow.parse_utc(same)] * 2


@pytest.mark.parametrize(
    "text",
    [
        *("", "2025", "2025-04", "2025-4-15", "25-04-15", "2025/04/15", "20250415", "2025-04-15T", "2025-04-15T12"),
        *("2025-13-01", "2025-00-01", "2025-02-29", "2025-04-31", "2025-04-00", "2025-000", "2025-366", "2024-367"),
        *("0000-01-01", "9999-366", "2025-04-15T24:00:00", "2025-04-15T12:60:00", "2025-04-15T12:00:61"),
        *("2025-04-15T23:59:60", "2016-12-31T23:58:60", "2016-12-30T23:59:60", "2025-04-15T12:00:00."),
        *("2025-04-15T12:00:00+02:00", "2025-04-15T12:00:00ZZ", "2025-04-15T12:00:00.1.2", "2025-04-15T12:00:00,5"),
        *("２０２５-04-15", "2025-04-15T12:00:00é", "-2025-04-15", "2025-04-15T12:00:00.12345x", "now"),
    ],
)
def test_everything_else_is_an_input_error(text: str) -> None:
    with pytest.raises(InputError) as caught:
        ow.parse_utc(text)
    assert caught.value.value == text
    assert caught.value.legal
    with pytest.raises(InputError) as caught:
        ow.parse_utc_many(["2025-04-15T12:00:00", text])
    assert caught.value.line == 2


@given(ANY_US)
def test_text_comes_back(us: int) -> None:
    text = ow.format_utc(us)
    assert ow.parse_utc(text) == ow.parse_utc(text + "Z") == us
    assert ow.parse_utc_many([text, text + "Z"]).tolist() == [us, us]
    assert text == (dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=us)).isoformat(timespec="microseconds")


@given(st.integers(ow.parse_utc("0001-01-02"), ow.parse_utc("9999-12-30")), st.integers(0, 6))
def test_rounding_to_fewer_digits(us: int, digits: int) -> None:
    text = ow.format_utc(us, digits)
    assert len(text) == (20 + digits if digits else 19)
    assert abs(ow.parse_utc(text) - us) * 2 <= 10 ** (6 - digits)
    assert ow.parse_utc_many([text]).tolist() == [ow.parse_utc(text)]


@given(st.text("0123456789-T:. Z+", max_size=30))
def test_one_and_many_agree_on_any_text(text: str) -> None:
    def attempt(parse: Any) -> Any:
        try:
            return parse()
        except InputError as error:
            return error.what

    assert attempt(lambda: ow.parse_utc(text)) == attempt(lambda: ow.parse_utc_many([text]).tolist()[0])


def test_format_limits() -> None:
    assert ow.format_utc(0, 0) == "1970-01-01T00:00:00"
    assert ow.format_utc_many(np.array([0, 1500]), 3) == ["1970-01-01T00:00:00.000", "1970-01-01T00:00:00.002"]
    assert ow.format_utc_many(np.zeros(0, np.int64)) == []
    assert ow.parse_utc_many([]).shape == (0,)
    for us, digits in ((0, 7), (0, -1), (ow.parse_utc("9999-12-31T23:59:59.999999") + 1, 6), (-(10**18), 6)):
        with pytest.raises(InputError):
            ow.format_utc(us, digits)
    with pytest.raises(InputError):
        ow.format_utc(ow.parse_utc("9999-12-31T23:59:59.999999"), 0)


def test_many_texts_are_quick() -> None:
    us = ow.parse_utc("1990-01-01") + np.arange(30_000) * 40_000_000_123
    start = clock.process_time()
    for suffix in ("", "Z"):
        texts = [text + suffix for text in ow.format_utc_many(us)]
        assert np.array_equal(ow.parse_utc_many(texts), us)
    assert clock.process_time() - start < 2.0


# ------------------------------------------------------------------------------------------------- time scales


def test_vallado_example_3_7() -> None:
    """Vallado, Fundamentals of Astrodynamics, 4th ed. (2013), example 3-7: 2004-05-14 16:43 UTC, dUT1 = -0.463326 s."""
    assert shifted(ow.utc_to_tai, "2004-05-14T16:43:00") == "2004-05-14T16:43:32.000000"
    assert shifted(ow.utc_to_tt, "2004-05-14T16:43:00") == "2004-05-14T16:44:04.184000"
    assert shifted(ow.utc_to_gps, "2004-05-14T16:43:00") == "2004-05-14T16:43:13.000000"
    jd, fr = ow.us_to_jd(ow.parse_utc("2004-05-14T16:43:00"))
    assert (ow.utc_to_ut1(jd, fr)[1] - fr) * 86400.0 == pytest.approx(-0.463326, abs=1e-3)


def test_gps_epoch() -> None:
    assert shifted(ow.utc_to_gps, "1980-01-06") == "1980-01-06T00:00:00.000000"
    assert shifted(ow.gps_to_utc, "2025-04-15T00:00:18") == "2025-04-15T00:00:00.000000"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1959-01-01", 0.0),
        ("1965-05-05T05:05:05.5", 3.801109),
        ("1971-12-31T23:59:59.999999", 9.892242),
        ("1972-01-01", 10.0),
        ("1972-06-30T23:59:59.999999", 10.0),
        ("1972-07-01", 11.0),
        ("2016-12-31T23:59:59.999999", 36.0),
        ("2017-01-01", 37.0),
        ("2026-06-01", 37.0),
    ],
)
def test_tai_minus_utc(text: str, seconds: float) -> None:
    jd, fr = ow.us_to_jd(ow.parse_utc(text))
    assert ow.tai_minus_utc_s(jd, fr) == pytest.approx(seconds, abs=2e-6)
    assert shifted(lambda *at: ow.tai_to_utc(*ow.utc_to_tai(*at)), text) == ow.format_utc(ow.parse_utc(text))


@settings(deadline=None)  # the first call reads the tables
@given(st.integers(ow.parse_utc("1961-01-01"), ow.parse_utc("2026-12-31")))
def test_leap_seconds_are_those_of_erfa(us: int) -> None:
    jd, fr = ow.us_to_jd(us)
    year, month, day, _ = erfa.jd2cal(jd, 0.0)
    assert ow.tai_minus_utc_s(jd, fr) == erfa.dat(year, month, day, fr)


@given(st.lists(st.integers(ow.parse_utc("1972-01-01"), ow.parse_utc("2100-01-01")), min_size=1, max_size=4))
def test_scales_come_back(instants: list[int]) -> None:
    us = np.array(instants)
    jd, fr = ow.us_to_jd(us)
    for there, back in ((ow.utc_to_tai, ow.tai_to_utc), (ow.utc_to_tt, ow.tt_to_utc), (ow.utc_to_gps, ow.gps_to_utc)):
        assert np.array_equal(ow.jd_to_us(*back(*there(jd, fr))), us)


def test_through_a_leap_second() -> None:
    """Second by second of TAI across 2016-12-31T23:59:60: that second is told as the first of the next day."""
    tai = ow.parse_utc("2017-01-01T00:00:34") + np.arange(5) * SECOND_US
    utc = ow.jd_to_us(*ow.tai_to_utc(*ow.us_to_jd(tai)))
    assert [text[-8:] for text in ow.format_utc_many(utc, 0)] == [
        *("23:59:58", "23:59:59"),
        *("00:00:00", "00:00:00", "00:00:01"),
    ]


def test_ut1_does_not_jump_at_a_leap_second() -> None:
    us = ow.parse_utc("2016-12-31T23:59:58") + np.arange(0, 5) * SECOND_US
    jd, fr = ow.us_to_jd(us)
    dut1 = np.asarray(ow.eop_at(jd, fr).dut1_s)
    assert dut1[:2] == pytest.approx([-0.40872] * 2, abs=1e-4)  # IERS Bulletin A: -0.4087 s, then 0.5913 s
    assert dut1[2:] == pytest.approx([0.59128] * 3, abs=1e-4)
    ut1_tai = dut1 - ow.tai_minus_utc_s(jd, fr)
    assert np.abs(np.diff(ut1_tai)).max() < 1e-7


# ------------------------------------------------------------------------------------------- Earth orientation


def test_earth_orientation_of_a_published_day() -> None:
    """IERS Bulletin A / EOP 14 C04 for 2004-04-06, as used in AAS 06-134: x -0.1407", y 0.3333", UT1-UTC -0.4399 s."""
    eop = ow.eop_at(*ow.us_to_jd(ow.parse_utc("2004-04-06")))
    assert eop.dut1_s == pytest.approx(-0.43996, abs=1e-4)
    assert np.array([eop.xp_rad, eop.yp_rad]) / ARCSEC_RAD == pytest.approx([-0.1407, 0.3333], abs=3e-4)
    assert eop.lod_s == pytest.approx(0.00156, abs=1e-4)
    assert abs(eop.dx_rad) < 1e-3 * ARCSEC_RAD
    assert abs(eop.dy_rad) < 1e-3 * ARCSEC_RAD


@settings(deadline=None)  # the first call reads the tables
@given(TABLE_US)
def test_earth_orientation_is_continuous_and_small(us: int) -> None:
    jd, fr = ow.us_to_jd(np.array([us, us + SECOND_US]))
    eop = ow.eop_at(jd, fr)
    assert np.abs(eop.dut1_s).max() < 0.95
    for row, most in ((eop.xp_rad, 0.6), (eop.yp_rad, 0.7), (eop.dx_rad, 0.05), (eop.dy_rad, 0.05)):
        assert np.abs(row).max() < most * ARCSEC_RAD
        assert np.ptp(row) < 1e-5 * ARCSEC_RAD
    assert np.abs(eop.lod_s).max() < 0.005


def test_status_and_predictions() -> None:
    status = ow.eop_status()
    assert ow.format_utc(status.first_us, 0) == "1973-01-02T00:00:00"
    assert status.first_us < status.last_observed_us < status.last_predicted_us
    assert ow.eop_status(now_us=status.last_observed_us + 36 * 3_600_000_000).age_day == 1.5
    eop = ow.eop_at(*ow.us_to_jd(status.last_predicted_us))
    values = np.array([eop.dut1_s, eop.xp_rad, eop.yp_rad, eop.dx_rad, eop.dy_rad, eop.lod_s])
    assert np.isfinite(values).all()
    assert 0.0 < abs(values[5]) < 0.005


def test_outside_the_table_one_warning_a_call() -> None:
    status = ow.eop_status()
    us = np.array([status.first_us - DAY_US, status.last_predicted_us, status.last_predicted_us + 10**15])
    with pytest.warns(ow.EarthOrientationWarning, match="astropy-iers-data") as caught:
        eop = ow.eop_at(*ow.us_to_jd(us))
    assert len(caught) == 1
    for row in (eop.dut1_s, eop.xp_rad, eop.yp_rad, eop.dx_rad, eop.dy_rad, eop.lod_s):
        assert isinstance(row, np.ndarray)
        assert row[0] == 0.0
        assert row[1] == row[2]
