from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings

from orbwatch.catalog.files import form_of, parse_gp_text, read_gp_text
from orbwatch.catalog.gp import NO_TIME, GpTable
from orbwatch.catalog.omm import epoch_us_of
from orbwatch.catalog.omm_csv import read_omm_csv, write_omm_csv
from orbwatch.catalog.omm_json import read_omm_json, write_omm_json
from orbwatch.catalog.omm_kvn import read_omm_kvn, write_omm_kvn
from orbwatch.catalog.omm_xml import read_omm_xml, write_omm_xml
from orbwatch.catalog.quality import GpRead
from orbwatch.errors import InputError
from orbwatch.time import parse_utc

from .sets import ASCII, MOLNIYA, UNICODE, VANGUARD, Rows, rows, same

Writer = Callable[[GpTable], str]
Reader = Callable[[str], GpRead]
FORMATS = [
    (write_omm_json, read_omm_json, "json"),
    (write_omm_csv, read_omm_csv, "csv"),
    (write_omm_kvn, read_omm_kvn, "kvn"),
    (write_omm_xml, read_omm_xml, "xml"),
]

# CCSDS 502.0-B-3, figure 4-1 (TLE-like OMM), with its units.
GOES_9 = """CCSDS_OMM_VERS = 3.0
CREATION_DATE = 2020-065T16:00:00
ORIGINATOR = NOAA
OBJECT_NAME = GOES 9
OBJECT_ID = 1995-025A
CENTER_NAME = EARTH
REF_FRAME = TEME
TIME_SYSTEM = UTC
MEAN_ELEMENT_THEORY = SGP/SGP4
EPOCH = 2020-064T10:34:41.4264
MEAN_MOTION = 1.00273272 [rev/day]
ECCENTRICITY = 0.0005013
INCLINATION = 3.0539 [deg]
RA_OF_ASC_NODE = 81.7939 [deg]
ARG_OF_PERICENTER = 249.2363 [deg]
MEAN_ANOMALY = 150.1602 [deg]
GM = 398600.8 [km**3/s**2]
EPHEMERIS_TYPE = 0
CLASSIFICATION_TYPE = U
NORAD_CAT_ID = 23581
ELEMENT_SET_NO = 0925
REV_AT_EPOCH = 4316
BSTAR = 0.0001 [1/ER]
MEAN_MOTION_DOT = -0.00000113 [rev/day**2]
MEAN_MOTION_DDOT = 0.0 [rev/day**3]
USER_DEFINED_EARTH_MODEL = WGS-84
"""

RECORD = {
    "OBJECT_NAME": "VANGUARD 1",
    "OBJECT_ID": "1958-002B",
    "EPOCH": "2000-06-27T18:50:19.733568",
    "MEAN_MOTION": 10.82419157,
    "ECCENTRICITY": 0.1859667,
    "INCLINATION": 34.2682,
    "RA_OF_ASC_NODE": 348.7242,
    "ARG_OF_PERICENTER": 331.7664,
    "MEAN_ANOMALY": 19.3264,
    "EPHEMERIS_TYPE": 0,
    "CLASSIFICATION_TYPE": "U",
    "NORAD_CAT_ID": 5,
    "ELEMENT_SET_NO": 475,
    "REV_AT_EPOCH": 41366,
    "BSTAR": 2.8098e-5,
    "MEAN_MOTION_DOT": 2.3e-7,
    "MEAN_MOTION_DDOT": 0,
}


@settings(max_examples=40, deadline=None)
@given(rows(UNICODE))
def test_json_and_csv_and_xml_round_trips_are_identities(made: Rows) -> None:
    table = GpTable.from_rows(made)
    for write, read in ((write_omm_json, read_omm_json), (write_omm_csv, read_omm_csv), (write_omm_xml, read_omm_xml)):
        got = read(write(table))
        assert got.rejected == []
        assert same(got.table, table)


@settings(max_examples=40, deadline=None)
@given(rows(ASCII))
def test_kvn_round_trip_is_the_identity(made: Rows) -> None:
    table = GpTable.from_rows(made)
    text = write_omm_kvn(table)
    assert same(read_omm_kvn(text).table, table)
    assert max(map(len, text.split("\n"))) <= 254


def test_the_standards_example() -> None:
    read = read_gp_text(GOES_9, "goes.kvn")
    assert read.rejected == []
    row = read.table.row(0)
    assert row["norad_id"] == 23581
    assert row["epoch_us"] == parse_utc("2020-03-04T10:34:41.4264")
    assert row["mean_motion_rev_day"] == 1.00273272
    assert row["mean_motion_dot_rev_day2"] == -1.13e-6
    assert row["element_set_no"] == 925
    assert row["seen_us"] == parse_utc("2020-03-05T16:00:00")
    assert read.table.source == "goes.kvn"


@pytest.mark.parametrize(("write", "read", "form"), FORMATS)
def test_nine_digit_ids_defaults_and_formats(write: Writer, read: Reader, form: str) -> None:
    table = read_omm_json(
        json.dumps(RECORD | {"NORAD_CAT_ID": 799_501_621, "OBJECT_NAME": None, "OBJECT_ID": ""})
    ).table
    text = write(table)
    assert form_of(text) == form
    back = read(text).table
    assert same(back, table)
    assert (back.norad_id[0], back.name[0], back.object_id[0], back.seen_us[0]) == (799_501_621, "", "", NO_TIME)
    empty = write(table[:0])
    assert len(read(empty).table) == 0


def in_json(records: list[dict[str, object]]) -> str:
    return json.dumps(records, indent=1)


def in_csv(records: list[dict[str, object]]) -> str:
    keys = list(dict.fromkeys(key for record in records for key in record))
    lines = [";".join("" if record.get(key) is None else str(record[key]) for key in keys) for record in records]
    return "\r".join([";".join(keys).lower(), *lines, ""]).replace("\r", "\n")


def in_kvn(records: list[dict[str, object]]) -> str:
    return "".join(
        "CCSDS_OMM_VERS = 2.0\n" + "".join(f"{k} = {v}\n" for k, v in record.items() if v is not None)
        for record in records
    )


def in_xml(records: list[dict[str, object]]) -> str:
    parts = ["".join(f"<{k}>{v}</{k}>" for k, v in record.items() if v is not None) for record in records]
    body = "".join(f'<o:omm version="2.0"><body>{part}</body></o:omm>\n' for part in parts)
    return f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<o:ndm xmlns:o="urn:x">\n{body}</o:ndm>'


@pytest.mark.parametrize("form", [in_json, in_csv, in_kvn, in_xml])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ECCENTRICITY": 1.0}, "ECCENTRICITY = 1.0 is out of range; legal: 0 <= value < 1"),
        ({"ECCENTRICITY": "0.1O"}, "ECCENTRICITY = '0.1O' is not a number"),
        ({"BSTAR": "nan"}, "BSTAR = 'nan' is not a number"),
        ({"BSTAR": "1e999"}, "BSTAR = inf is out of range"),
        ({"MEAN_ANOMALY": "1_0"}, "MEAN_ANOMALY = '1_0' is not a number"),
        ({"MEAN_MOTION": None}, "MEAN_MOTION is missing"),
        ({"EPOCH": None}, "EPOCH is missing"),
        ({"EPOCH": "2000-06-31T00:00:00"}, "no such day"),
        ({"EPOCH": "2000-06-27 18:50:19"}, "not an epoch of an OMM"),
        ({"EPOCH": "1900-06-27T18:50:19"}, "EPOCH = -"),
        ({"NORAD_CAT_ID": None}, "NORAD_CAT_ID is missing"),
        ({"NORAD_CAT_ID": "A0000"}, "NORAD_CAT_ID = 'A0000' is not a whole number"),
        ({"NORAD_CAT_ID": 1_000_000_000}, "NORAD_CAT_ID = 1000000000 is out of range; legal: 0 .. 999999999"),
        ({"REV_AT_EPOCH": "25544.0"}, "REV_AT_EPOCH = '25544.0' is not a whole number"),
        ({"EPHEMERIS_TYPE": 4}, "4 is SGP4-XP"),
        ({"CLASSIFICATION_TYPE": "UNCL"}, "CLASSIFICATION_TYPE = 'UNCL' is not one letter"),
        ({"MEAN_ELEMENT_THEORY": "SGP4-XP"}, "SGP4 cannot propagate it"),
        ({"REF_FRAME": "EME2000"}, "REF_FRAME = 'EME2000'; legal: TEME"),
        ({"TIME_SYSTEM": "TAI"}, "TIME_SYSTEM = 'TAI'; legal: UTC"),
        ({"OBJECT_NAME": "x" * 200}, "name has 200 characters"),
    ],
)
def test_one_bad_set_is_put_aside(form: Callable[..., str], change: dict[str, object], says: str) -> None:
    good = {**RECORD, "MEAN_ELEMENT_THEORY": "SGP4", "REF_FRAME": "teme", "TIME_SYSTEM": "UTC", "RMS": "0.1"}
    read = parse_gp_text(form([good, {**good, "NORAD_CAT_ID": 11, **change}, good]), "f")
    assert read.table.norad_id.tolist() == [5, 5]
    (rejected,) = read.rejected
    assert says in rejected.reason
    assert rejected.line is not None
    assert rejected.line > 1
    assert rejected.norad_id == (None if "NORAD_CAT_ID" in change else 11)
    alone = form([{**good, **change}])
    if change == {"NORAD_CAT_ID": None}:
        assert form is in_csv or read_gp_text(alone).table.norad_id.tolist() == [0]
    else:
        with pytest.raises(InputError, match="none of 1 element set"):
            read_gp_text(alone)


@pytest.mark.parametrize("form", [in_json, in_csv, in_kvn, in_xml])
def test_tolerance(form: Callable[..., str]) -> None:
    texts = {key: f" {value} " for key, value in RECORD.items()}
    odd = {**texts, "NORAD_CAT_ID": "+000005", "RA_OF_ASC_NODE": "-11.2758", "MEAN_ANOMALY": "379.3264", "BSTAR": "-0"}
    table = parse_gp_text(form([odd])).table
    assert table.row(0)["norad_id"] == 5
    assert table.raan_deg[0] == pytest.approx(348.7242, abs=1e-12)
    assert table.mean_anomaly_deg[0] == pytest.approx(19.3264, abs=1e-12)
    assert str(table.bstar_per_er[0]) == "0.0"
    plain = parse_gp_text(form([RECORD])).table
    assert plain.row(0) == read_omm_json(json.dumps(RECORD)).table.row(0)


def test_json_shapes() -> None:
    record = json.dumps(RECORD)
    assert len(read_omm_json(record.replace("NORAD_CAT_ID", "norad_cat_id")).table) == 1
    tle = {"ON": "VANGUARD 1", "TLE1": VANGUARD[0], "TLE2": VANGUARD[1], "C": "US"}
    assert read_omm_json(json.dumps([tle])).table.row(0) == read_omm_json(record).table.row(0)
    mixed = read_omm_json(json.dumps([RECORD, tle, {**tle, "TLE2": MOLNIYA[1]}]))
    assert len(mixed.table) == 2
    assert "line 2 of object 8195" in mixed.rejected[0].reason
    broken = read_omm_json(json.dumps([{**tle, "TLE2": "2 5"}]))
    assert "line 2 has 3 characters" in broken.rejected[0].reason


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("[{0},\n{0}\n", "not closed", 2),
        ("[{0},\n{0},\n{{", "damaged or cut off", 3),
        ("[{0},\n{0}] more", "text after the end", 2),
        ("[{0},\n5, {0}]", "not an object", 2),
        ("[{0},\n{0},\n" + "[" * 200_000, "damaged or cut off", 3),
        ("[{0},\n{0},\n" + "9" * 5_000 + "]", "damaged or cut off", 3),
    ],
)
def test_damaged_json_gives_what_is_whole(text: str, says: str, line: int) -> None:
    read = read_omm_json(text.replace("{{", "\1").replace("{0}", json.dumps(RECORD)).replace("\1", "{"))
    assert len(read.table) == 2
    assert says in read.rejected[0].reason
    assert read.rejected[0].line == line


def test_damaged_csv() -> None:
    text = in_csv([RECORD, RECORD]).replace(";", ",")
    lines = text.split("\n")
    quoted = lines[1].replace("VANGUARD 1", '"VANGUARD, ""1"""')
    read = read_omm_csv("\n".join([lines[0], lines[1][:-9], quoted, quoted.replace('1"""', "1"), lines[1]]))
    assert read.table.name.tolist() == ['VANGUARD, "1"', "VANGUARD 1"]
    assert [(one.line, one.norad_id) for one in read.rejected] == [(2, 5), (4, None)]
    with pytest.raises(InputError, match="no column EPOCH, MEAN_MOTION"):
        read_omm_csv("NORAD_CAT_ID,X\n1,2", "f")


def test_kvn_without_header_twice_and_damaged() -> None:
    body = "\n".join(f"{key} = {value}" for key, value in RECORD.items())
    read = read_omm_kvn(f"COMMENT hello\n{body}\n{body}\n")
    assert len(read.table) == 2
    assert "MEAN_MOTION comes twice" in read_omm_kvn(f"{body}\nMEAN_MOTION = 3\n").rejected[0].reason
    assert "line 18 is not 'keyword = value'" in read_omm_kvn(f"{body}\n<<<<\n").rejected[0].reason
    inches = body.replace("INCLINATION = 34.2682", "INCLINATION = 34.2682 [rad]")
    assert "INCLINATION is in 'rad'; legal: deg" in read_omm_kvn(inches).rejected[0].reason
    assert len(read_omm_kvn(body.replace("34.2682", "34.2682 [DEG]")).table) == 1


def test_names_may_end_in_brackets() -> None:
    table = GpTable.from_rows([read_omm_json(json.dumps(RECORD)).table.row(0) | {"name": "STARLINK-11072 [DTC]"}])
    for write, read, _ in FORMATS:
        assert read(write(table)).table.name[0] == "STARLINK-11072 [DTC]"


def test_damaged_xml() -> None:
    text = in_xml([RECORD, RECORD])
    cut = read_omm_xml(text[:-60])
    assert len(cut.table) == 1
    assert cut.rejected[0].line == 4
    assert "damaged or cut off" in cut.rejected[0].reason
    bomb = '<!DOCTYPE x [<!ENTITY a "b">]>' + text.split("\n", 1)[1]
    assert "refused" in read_omm_xml(bomb).rejected[0].reason
    unit = text.replace("<INCLINATION>", '<INCLINATION units="rad">', 1)
    assert [one.line for one in read_omm_xml(unit).rejected] == [3]


@pytest.mark.parametrize("write", [write for write, _, _ in FORMATS])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": " A"}, "no blanks at the ends"),
        ({"name": "A\nB"}, "printable"),
        ({"norad_id": 10**9}, "0 .. 999999999"),
        ({"inclination_deg": float("nan")}, "0 <= value <= 180"),
        ({"raan_deg": -1.0}, "0 <= value < 360"),
        ({"epoch_us": NO_TIME}, "1957-01-01"),
        ({"ephemeris_type": 4}, "SGP4-XP"),
        ({"classification": "?"}, "one letter"),
    ],
)
def test_what_does_not_fit_is_refused(write: Writer, change: dict[str, object], says: str) -> None:
    row = read_omm_json(json.dumps(RECORD)).table.row(0)
    with pytest.raises(InputError, match=says):
        write(GpTable.from_rows([row | change]))


def test_only_ascii_in_kvn() -> None:
    row = read_omm_json(json.dumps(RECORD)).table.row(0) | {"name": "É"}
    with pytest.raises(InputError, match="printable ASCII"):
        write_omm_kvn(GpTable.from_rows([row]))


def test_header_of_our_own_messages() -> None:
    row = read_omm_json(json.dumps(RECORD)).table.row(0)
    table = GpTable.from_rows([row, row | {"seen_us": 0, "name": ""}])
    created = parse_utc("2026-01-02T03:04:05")
    for write in (write_omm_kvn, write_omm_xml):
        text = write(table, created_us=created)
        assert text.count("2026-01-02T03:04:05.000000") == 2
        assert text.count("1970-01-01T00:00:00") == 1
        assert "UNKNOWN" in text
        assert same(parse_gp_text(text).table, table)


def test_epochs() -> None:
    assert epoch_us_of("1998-324T06:49:59.999808Z") == parse_utc("1998-11-20T06:49:59.999808")
    for text in ("2026-9-20T12:42:37", "2026-09-20T12:42:37+00:00", "26263.52959654", "20260920T124237", ""):
        with pytest.raises(InputError):
            epoch_us_of(text)
