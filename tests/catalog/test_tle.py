from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.opened import open_text
from orbwatch.catalog.tle import object_id_of, read_tle
from orbwatch.catalog.tle_write import alpha5, checksum, write_tle
from orbwatch.errors import InputError
from orbwatch.time import parse_utc

from .sets import MOLNIYA, VANGUARD, Rows, same, tle_rows

TEXT = "\n".join(["0 VANGUARD 1", *VANGUARD, "MOLNIYA 2-14", *MOLNIYA]) + "\n"


def test_values_of_published_sets() -> None:
    table = read_tle(TEXT, "f.tle").table
    assert table.row(0) | {"seen_us": 0} == {
        "norad_id": 5,
        "epoch_us": parse_utc("2000-06-27T18:50:19.733568"),
        "mean_motion_rev_day": 10.82419157,
        "eccentricity": 0.1859667,
        "inclination_deg": 34.2682,
        "raan_deg": 348.7242,
        "arg_perigee_deg": 331.7664,
        "mean_anomaly_deg": 19.3264,
        "bstar_per_er": 0.28098e-4,
        "mean_motion_dot_rev_day2": 2.3e-7,
        "mean_motion_ddot_rev_day3": 0.0,
        "element_set_no": 475,
        "rev_at_epoch": 41366,
        "ephemeris_type": 0,
        "classification": "U",
        "name": "VANGUARD 1",
        "object_id": "1958-002B",
        "seen_us": 0,
    }
    assert table.source == "f.tle"
    assert table.name.tolist() == ["VANGUARD 1", "MOLNIYA 2-14"]
    assert table.rev_at_epoch[1] == 22565


def test_written_back_as_it_was() -> None:
    assert write_tle(read_tle("\n".join(MOLNIYA)).table) == "\n".join(MOLNIYA) + "\n"


@settings(max_examples=50, deadline=None)
@given(tle_rows())
def test_round_trip_is_the_identity(rows: Rows) -> None:
    table = GpTable.from_rows(rows)
    text = write_tle(table)
    assert same(read_tle(text).table, table)
    assert all(len(line) == 69 for line in text.split("\n") if line and not line.startswith("0 "))


def resealed(line: str, column: int, text: str) -> str:
    line = line[: column - 1] + text + line[column - 1 + len(text) :]
    return line[:68] + checksum(line)


@pytest.mark.parametrize(
    ("line", "column", "put", "says"),
    [
        (1, 26, "O", "line 1 column 26 is 'O', expected a digit"),
        (1, 3, "I0005", "expected a digit or a letter A to Z other than I and O"),
        (1, 3, "a0005", "column 3 is 'a'"),
        (1, 3, "A 005", "column 4 is ' '"),
        (1, 4, "1", "line 1 is of object 1005, line 2 of object 5"),
        (1, 21, "000", "epoch day 0 of 2000; legal: 1 to 366"),
        (1, 21, "367", "epoch day 367 of 2000"),
        (1, 63, "4", "ephemeris_type = 4 is out of range; legal: 0, 1, 2 or 3 (SGP4); 4 is SGP4-XP"),
        (2, 9, "181.0000", "inclination_deg = 181.0 is out of range; legal: 0 <= value <= 180"),
        (2, 53, " 0.00000000", "mean_motion_rev_day = 0.0 is out of range; legal: 0 < value <= 20"),
        (2, 53, "20.00000001", "mean_motion_rev_day"),
        (2, 18, "721.0000", "raan_deg"),
        (2, 12, ",", "line 2 column 12 is ',', expected '.'"),
        (2, 27, "18 9667", "column 29 is ' '"),
    ],
)
def test_a_bad_column_puts_the_set_aside_and_the_rest_is_read(line: int, column: int, put: str, says: str) -> None:
    lines = list(VANGUARD)
    lines[line - 1] = resealed(lines[line - 1], column, put)
    read = read_tle("\n".join([*MOLNIYA, "NAME", *lines, *MOLNIYA]), "f")
    assert read.table.norad_id.tolist() == [8195, 8195]
    (rejected,) = read.rejected
    assert says in rejected.reason
    assert rejected.line == 4
    assert rejected.text.startswith("1 ")
    assert str(rejected).startswith("f, line 4: ")


@pytest.mark.parametrize(
    ("lines", "says", "at"),
    [
        ([VANGUARD[0][:68] + "9", VANGUARD[1]], "line 1 checksum is 9, its columns give 3", 1),
        ([VANGUARD[0], VANGUARD[1][:68] + "0"], "line 2 checksum is 0, its columns give 7", 1),
        ([VANGUARD[0], VANGUARD[1][:29] + VANGUARD[1][30:]], "line 2 has 68 characters, not 69", 1),
        ([VANGUARD[0] + "0", VANGUARD[1]], "line 1 has 70 characters", 1),
        ([VANGUARD[0], MOLNIYA[1]], "line 1 is of object 5, line 2 of object 8195", 1),
        ([VANGUARD[0], "NEXT NAME"], "line 1 with no line 2 after it", 1),
        ([VANGUARD[0]], "line 1 with no line 2 after it", 1),
        (["X", VANGUARD[1]], "line 2 with no line 1 before it", 2),
        ([VANGUARD[0].replace("58002B", "58002é"), VANGUARD[1]], "line 1 holds characters other than ASCII", 1),
    ],
)
def test_broken_lines(lines: list[str], says: str, at: int) -> None:
    read = read_tle("\n".join([*lines, *MOLNIYA]))
    assert read.table.norad_id.tolist() == [8195]
    assert says in read.rejected[0].reason
    assert read.rejected[0].line == at


def test_tolerance() -> None:
    # Blanks for leading zeros, a name that begins with '1 ', blanks at the end, the verification file's extra columns.
    blank = resealed(VANGUARD[0], 3, "    5"), resealed(VANGUARD[1], 3, "    5") + "     0.00      4320.0"
    read = read_tle("\n\n".join(["1 KUNS-PF   ", *blank, *(line + "  \t" for line in MOLNIYA)]))
    assert read.rejected == []
    assert read.table.norad_id.tolist() == [5, 8195]
    assert read.table.name.tolist() == ["1 KUNS-PF", ""]
    whole_turn = read_tle("\n".join([VANGUARD[0], resealed(VANGUARD[1], 18, "360.0000")])).table
    assert whole_turn.raan_deg[0] == 0.0


# Space-Track's examples of Alpha-5.
@pytest.mark.parametrize(
    ("field", "norad_id"),
    [("A0000", 100000), ("E8493", 148493), ("J2931", 182931), ("P4018", 234018), ("W1928", 301928), ("Z9999", 339999)],
)
def test_alpha5(field: str, norad_id: int) -> None:
    assert alpha5(norad_id) == field
    lines = [resealed(line, 3, field) for line in VANGUARD]
    assert read_tle("\n".join(lines)).table.norad_id[0] == norad_id


def test_designators() -> None:
    assert object_id_of("98067A  ") == "1998-067A"
    assert object_id_of("92052  A") == "1992-052A"
    assert object_id_of("00001ABC") == "2000-001ABC"
    assert object_id_of("        ") == ""
    assert object_id_of(" WHAT   ") == "WHAT"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"norad_id": 340_000}, "Write OMM instead"),
        ({"epoch_us": parse_utc("2057-01-01")}, "1957 to 2056"),
        ({"element_set_no": 10_000}, "9999"),
        ({"rev_at_epoch": 100_000}, "99999"),
        ({"mean_motion_dot_rev_day2": 1.0}, "0.99999999"),
        ({"bstar_per_er": 2e9}, "below 1e9"),
        ({"object_id": "2057-001A"}, "object_id"),
        ({"object_id": "1998-067ABCD"}, "object_id"),
        ({"classification": "é"}, "one letter"),
        ({"name": "A\nB"}, "printable"),
        ({"raan_deg": 360.0}, "0 <= value < 360"),
        ({"eccentricity": 1.0}, "0 <= value < 1"),
        ({"eccentricity": float("nan")}, "0 <= value < 1"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, object], says: str) -> None:
    row = read_tle("\n".join(VANGUARD)).table.row(0) | change
    with pytest.raises(InputError, match=says):
        write_tle(GpTable.from_rows([row]))


def test_rounding_stays_inside_the_columns() -> None:
    row = read_tle("\n".join(VANGUARD)).table.row(0)
    edge = {
        "raan_deg": 359.99999,
        "eccentricity": 0.99999999,
        "bstar_per_er": 1.5e-12,
        "mean_motion_dot_rev_day2": -1e-9,
        "mean_motion_ddot_rev_day3": 1e-20,
        "epoch_us": parse_utc("2000-12-31T23:59:59.999999"),
    }
    back = read_tle(write_tle(GpTable.from_rows([row | edge]), names=False)).table.row(0)
    assert back["raan_deg"] == 0.0
    assert back["eccentricity"] == 0.9999999
    assert back["bstar_per_er"] == 1.5e-12
    assert not np.signbit(back["mean_motion_dot_rev_day2"])
    assert back["mean_motion_ddot_rev_day3"] == 0.0
    assert back["epoch_us"] == parse_utc("2001-01-01")
    assert write_tle(GpTable.concat([])) == ""


def test_a_full_catalogue(data: Path) -> None:
    (path,) = (data / "catalog_snapshots").glob("20250415_*.xz")
    read = read_tle(open_text(path))
    assert len(read.table) == 27_485
    assert read.rejected == []
    some = read.table[::100]
    assert same(read_tle(write_tle(some)).table, some)
