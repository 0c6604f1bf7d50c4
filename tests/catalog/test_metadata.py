"""Sizes of objects: every value has a source, the table wins over the default, bad tables are refused with a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orbwatch.catalog.gp import COLUMNS, GpTable
from orbwatch.catalog.metadata import TYPES, hard_body, object_type, read_satcat, read_sizes
from orbwatch.errors import InputError
from orbwatch.settings import RiskSettings

# Row 25544 as in NASA CARA's estimates of 2026-06-01; the others are made up.
TABLE = """ObjectID,HBR,HBRSigma,HBRSource,Mass,MassSigma,MassSource
48274,,0,DISCOS DB,,0,DISCOS DB
25544,66.1,0,CARA Protected Primary,419725,0,CARA Protected Primary
270449,0.0712,0.02,SFK RCS Estimate,,0,
"""


def write(tmp_path: Path, text: str, name: str = "sizes.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ISS (ZARYA)", "payload"),
        ("STARLINK-1007 [+]", "payload"),
        ("GUOWANG 24 OBJECT A", "payload"),
        ("DEBUT (ORIZURU)", "payload"),
        ("FENGYUN 1C DEB", "debris"),
        ("COSMOS 249 DEB *", "debris"),
        ("ARIANE 5 DEB (SYLDA)", "debris"),
        ("COSMOS 1900 COOLANT", "debris"),
        ("WESTFORD NEEDLES", "debris"),
        ("SL-16 R/B", "rocket body"),
        ("DELTA 1 R/B(2)", "rocket body"),
        ("SL-12 R/B(AUX MOTOR)", "rocket body"),
        ("METEOSAT 1 AKM", "rocket body"),
        ("", "unknown"),
        ("UNKNOWN", "unknown"),
        ("OBJECT AB", "unknown"),
        ("TBA - TO BE ASSIGNED", "unknown"),
    ],
)
def test_type_by_name(name: str, expected: str) -> None:
    assert object_type(name) == expected


def test_table_wins_and_everything_is_labelled(tmp_path: Path) -> None:
    table = read_sizes(write(tmp_path, TABLE))
    assert table.norad_id.tolist() == [25544, 48274, 270449]
    ids = np.array([48274, 25544, 270449, 999999999, 1], dtype=np.int64)
    names = np.array(["CSS (TIANHE)", "ISS (ZARYA)", "X DEB", "SL-8 R/B", ""])
    found = hard_body(ids, names, table)
    assert found.hbr_m.tolist() == [5.0, 66.1, 0.0712, 5.0, 5.0]
    assert found.source.tolist() == [
        "default for payload",
        "CARA Protected Primary, sizes.csv",
        "SFK RCS Estimate, sizes.csv",
        "default for rocket body",
        "default for unknown",
    ]
    assert found.object_type.tolist() == ["payload", "payload", "debris", "rocket body", "unknown"]
    assert found.mass_kg[1] == 419725.0
    assert np.isnan(found.mass_kg[[0, 2, 3, 4]]).all()
    assert found.mass_source.tolist() == ["", "CARA Protected Primary, sizes.csv", "", "", ""]
    hbr_m, labels = found.combined(np.array([1]), np.array([3]))
    assert hbr_m.tolist() == [71.1]
    assert labels == ["CARA Protected Primary, sizes.csv + default for rocket body"]


def test_defaults_and_types_can_be_given(tmp_path: Path) -> None:
    satcat = write(tmp_path, "OBJECT_NAME,NORAD_CAT_ID,OBJECT_TYPE\nA,11,R/B\nB,12,DEB\nC,13,\n")
    read = read_satcat(satcat)
    types = read.types
    assert types == {11: "rocket body", 12: "debris", 13: "unknown"}
    defaults = RiskSettings(hbr_payload_m=1.5, hbr_rocket_body_m=2.5, hbr_debris_m=0.5, hbr_unknown_m=3.5)
    ids = np.array([11, 12, 13, 14], dtype=np.int64)
    found = hard_body(ids, np.array(["A", "B", "C", "D"]), types=types, defaults=defaults)
    assert found.hbr_m.tolist() == [2.5, 0.5, 3.5, 1.5]


def test_a_satcat_names_what_has_no_name(tmp_path: Path) -> None:
    satcat = write(tmp_path, "OBJECT_NAME,NORAD_CAT_ID,OBJECT_TYPE\nLONG NAME OF ELEVEN,11,PAY\nB,12,DEB\n")
    columns = dict.fromkeys(COLUMNS, np.zeros(3))
    table = GpTable.from_columns({**columns, "norad_id": [11, 12, 13], "name": ["", "MINE", ""]})
    assert read_satcat(satcat).named(table).name.tolist() == ["LONG NAME OF ELEVEN", "MINE", ""]


def test_empty_catalogue_and_table(tmp_path: Path) -> None:
    table = read_sizes(write(tmp_path, "ObjectID,HBR\n"))
    assert hard_body(np.array([1], dtype=np.int64), np.array(["A"]), table).hbr_m.tolist() == [5.0]
    assert hard_body(np.zeros(0, np.int64), np.zeros(0, "U1"), table).hbr_m.shape == (0,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: a column is missing .field OBJECTID"),
        ("ObjectID,Mass\n1,2\n", "a column is missing .field HBR"),
        ("ObjectID,HBR\nISS,2\n", "line 2: not a catalogue number .field ObjectID = 'ISS'"),
        ("ObjectID,HBR\n1234567890,2\n", "1 to 999999999"),
        ("ObjectID,HBR\n5,-2\n", "line 2: not a size .field HBR = '-2'"),
        ("ObjectID,HBR\n5,big\n", "'big'"),
        ("ObjectID,HBR\n5,inf\n", "'inf'"),
        ("ObjectID,HBR,Mass\n5,1,0\n", "field Mass = '0'"),
        ("ObjectID,HBR\n5,1\n\n5,2\n", "line 4: the object is given twice"),
        ("ObjectID,HBR\n5\n", "line 2: wrong number of values"),
        ("ObjectID,HBR\n5," + "1" * 200_000 + "\n", "not a CSV table: field larger"),
    ],
)
def test_bad_table(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_sizes(write(tmp_path, text))


@given(st.text(max_size=40))
def test_any_name_has_a_type(name: str) -> None:
    assert object_type(name) in TYPES


def test_cara_table(data: Path) -> None:
    path = next((data / "metadata").glob("cara_HBR_Mass_Estimates_*.csv.xz"))
    table = read_sizes(path)
    assert len(table.norad_id) == 58609
    assert np.count_nonzero(~np.isnan(table.hbr_m)) == 23583
    found = hard_body(table.norad_id, np.full(len(table.norad_id), ""), table)
    assert np.count_nonzero(found.source == "default for unknown") == 58609 - 23583
