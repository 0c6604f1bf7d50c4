from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from orbwatch.catalog.files import form_of, read_gp, read_gp_text
from orbwatch.catalog.omm_json import write_omm_json
from orbwatch.catalog.omm_kvn import read_omm_kvn, write_omm_kvn
from orbwatch.catalog.opened import text_of
from orbwatch.catalog.tle import read_tle
from orbwatch.errors import InputError

from .sets import MOLNIYA, VANGUARD

TLE = "\n".join([*VANGUARD, *MOLNIYA])


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (TLE, "tle"),
        ("\n\n  \nNAME\n" + TLE, "tle"),
        ("# comment\n# comment\n# comment\n# comment\n" + TLE, "tle"),
        (" [ ]", "json"),
        ("{}", "json"),
        ("<omm/>", "xml"),
        ("OBJECT_NAME,norad_cat_id\n", "csv"),
        ("CCSDS_OMM_VERS = 2.0", "kvn"),
        ("EPOCH = 2026\nMEAN_MOTION = 1", "kvn"),
    ],
)
def test_formats_are_told_by_the_text(text: str, form: str) -> None:
    assert form_of(text) == form


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "f: the file is empty"),
        (" \n", "the file is empty"),
        ("<!DOCTYPE html><html>403 Forbidden</html>", "this is a web page"),
        ("No GP data found", "no element sets in it"),
        ("[]", "no element sets in it"),
        ("<ndm></ndm>", "no element sets in it"),
        ("1 25544U", "no element sets in it"),
        (VANGUARD[0], "f, line 1: none of 1 element set"),
    ],
)
def test_a_text_without_a_set_is_an_error(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_gp_text(text, "f")


def test_files_and_folders(tmp_path: Path) -> None:
    packed = tmp_path / "a.gz"
    packed.write_bytes(gzip.compress(TLE.encode()))
    assert read_gp(packed).table.norad_id.tolist() == [5, 8195]
    assert read_gp(str(packed)).table.source == str(packed)
    (tmp_path / "b.json").write_text(write_omm_json(read_tle(TLE).table[:1]))
    (tmp_path / "c.txt").write_text("hello")
    (tmp_path / "d.xz").write_bytes(b"\xfd7zXZ\x00junk")
    (tmp_path / ".hidden").write_text("x")
    (tmp_path / "empty").mkdir()
    read = read_gp(tmp_path)
    assert read.table.norad_id.tolist() == [5, 8195, 5]
    assert [Path(one.file).name for one in read.rejected] == ["c.txt", "d.xz"]
    with pytest.raises(InputError, match="no element sets in it"):
        read_gp(tmp_path / "empty")
    with pytest.raises(InputError, match="cannot read the file"):
        read_gp(tmp_path / "none")


def test_found_by_fuzzing() -> None:
    # A zip whose directory points before the file.
    with pytest.raises(InputError, match="cannot unpack"):
        text_of(b"PK\x03\x04" + b"\0" * 26 + b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x33\0\0\0\xf3\0\0\0\0\0")
    # An epoch that numpy would read as one with a time zone.
    text = write_omm_kvn(read_tle(TLE).table[:1])
    assert "not an epoch" in read_omm_kvn(text.replace("19.733568", "19-733568")).rejected[0].reason
    # Thousands of digits, and then none: a naive pattern tries every way to split them.
    digits = text.replace("10.82419157", "9" * 100_000 + "x")
    assert "is not a number" in read_omm_kvn(digits).rejected[0].reason
