"""Lists of burns: every format with its own clock and axes, and errors that say where."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from orbwatch.catalog.burns import read_burns
from orbwatch.errors import InputError
from orbwatch.time import format_utc, parse_utc

ZEROS = " 0.0" * 6
JASON = (
    "JASO1 2001 345 13 08 2001 345 15 57     007 2 2001 345 13 08 39.789 04.518e+00 00.1e+00 01.864e-02 00.0e+00"
    f"{ZEROS} 2001 345 15 56 58.867 04.562e+00 00.0e+00 01.864e-02 02.0e-03{ZEROS}\n"
)
SPOT = f"SPOT2 2009 210 20 41 2009 210 21 12 MCO 005 1 2009 210 20 57 15.000 1800.0 0.5 -10.0 0.25{ZEROS}\n"
CMA = 'GEO-EW-STATION-KEEPING 2012-002A "2022-01-05T08:30:00 CST" "2022-01-05T09:30:00 CST"\n'


def write(folder: Path, text: str, name: str = "man.txt") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_burns_of_one_maneuver_add_up_in_utc(tmp_path: Path) -> None:
    burns = read_burns(write(tmp_path, JASON))
    assert burns.norad_id.tolist() == [26997]
    # TAI - UTC was 32 s; the burn lasts from half its duration before to half after the middle.
    assert format_utc(burns.start_us[0], 3) == "2001-12-11T13:08:05.530"
    assert format_utc(burns.end_us[0], 3) == "2001-12-11T15:56:29.148"
    np.testing.assert_allclose(burns.dv_rtn_m_s, [[0.1, 0.03728, 0.002]])


def test_spot_turns_about_pitch_roll_and_yaw(tmp_path: Path) -> None:
    np.testing.assert_allclose(read_burns(write(tmp_path, SPOT)).dv_rtn_m_s, [[0.25, -10.0, 0.5]])


def test_a_line_without_burns_keeps_its_window(tmp_path: Path) -> None:
    text = "# TOPEX\nTOPEX 1992 230 18 22 1992 230 18 25\n\nJASO2 2019 276 18 57 2019 276 22 43     007 0\n"
    burns = read_burns(write(tmp_path, text))
    assert burns.norad_id.tolist() == [22076, 33105]
    assert format_utc(burns.start_us[0], 0) == "1992-08-17T18:21:33"
    assert np.isnan(burns.dv_rtn_m_s).all()


def test_the_cma_keeps_beijing_time(tmp_path: Path) -> None:
    burns = read_burns(write(tmp_path, CMA + CMA.replace("EW", "NS").replace("2022-01-05", "2022/01/06"), "fy"))
    assert [format_utc(us, 0) for us in burns.start_us] == ["2022-01-05T00:30:00", "2022-01-06T00:30:00"]
    assert burns.axis.tolist() == ["in_track", "cross_track"]
    assert burns.name.tolist() == ["Fengyun-2F"] * 2


@pytest.mark.parametrize(
    ("norad_id", "utc", "listed"),
    [
        (33105, "2008-06-23T01:31:00", "2008-06-24T01:31:00"),  # made of a DORIS file: a day late
        (38049, "2008-06-23T17:31:00", "2008-06-24T01:31:00"),  # Beijing's clock
        (25544, "2008-06-24T01:31:00", "2008-06-24T01:31:00"),
    ],
)
def test_yaml_lists_are_set_right_where_they_are_known_to_be_late(
    tmp_path: Path, norad_id: int, utc: str, listed: str
) -> None:
    text = f"SATCAT number: {norad_id}\nmanoeuvre_timestamps:\n- 2008-06-24 01:31:00\n"
    path = write(tmp_path, text, "list.yaml")
    assert read_burns(path).start_us.tolist() == [parse_utc(utc)]
    assert read_burns(path, as_listed=True).start_us.tolist() == [parse_utc(listed)]


def test_a_folder_gives_the_burns_of_its_lists_in_order(tmp_path: Path) -> None:
    write(tmp_path, CMA, "manFY2F.txt.fy")
    write(tmp_path, JASON, "ja1man.txt")
    write(tmp_path, "no list", "readme.md")
    assert read_burns(tmp_path).norad_id.tolist() == [26997, 38049]
    assert read_burns(tmp_path)[1:].name.tolist() == ["Fengyun-2F"]


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("\n" + JASON.replace("JASO1", "JASO9"), 2, "satellite"),
        (JASON.replace("007", "009"), 1, "parameter type"),
        (JASON.replace("13 08 39.789", "25 08 39.789"), 1, "burn 1 hour"),
        (JASON.replace("02.0e-03", "x"), 1, "burn 2 delta-v 3"),
        (JASON[:180], 1, None),
        ("TOPEX 1992 230 18 22 1992 229 18 22\n", 1, "end"),
        (CMA + "rubbish\n", 2, None),
        (CMA.replace("2012-002A", "2031-002A"), 1, "designator"),
        (CMA.replace("08:30:00 CST", "08:30:00 EST"), 1, "start"),
        (CMA.replace("09:30", "07:30"), 1, "end"),
        ("SATCAT number: 5\nmanoeuvre_timestamps:\n- yesterday\n", None, "manoeuvre_timestamps"),
        ("SATCAT number: x\nmanoeuvre_timestamps: []\n", None, "SATCAT number"),
        ("SATCAT number: 5\nmanoeuvre_timestamps: 7\n", None, "manoeuvre_timestamps"),
        ("manoeuvre_timestamps: [\n", 2, None),
        ("lorem ipsum\n", 1, None),
        ("", 1, None),
    ],
)
def test_what_is_wrong_is_located(tmp_path: Path, text: str, line: int | None, field: str | None) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_burns(path)
    assert caught.value.file == path
    assert caught.value.line == line
    if field is not None:
        assert caught.value.field == field


def test_an_empty_folder_says_what_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no lists of burns"):
        read_burns(tmp_path)


def test_the_operators_files_and_the_lists_made_of_them_agree() -> None:
    folder = os.environ.get("ORBWATCH_DATA")
    if not folder or not (Path(folder) / "data/maneuvers").is_dir():
        pytest.skip("ORBWATCH_DATA names no folder with data/maneuvers")
    data = Path(folder) / "data/maneuvers"
    for name, file in (("CryoSat-2", "cs2man.txt"), ("TOPEX", "topman.txt"), ("Fengyun-2E", "manFY2E.txt.fy")):
        listed, said = read_burns(data / f"manoeuvres_{name}.yaml"), read_burns(data / "raw" / file)
        apart_s = np.abs(listed.start_us[:, None] - said.start_us).min(axis=1) / 1e6
        assert np.median(apart_s) < 60.0  # minutes of TAI
