from __future__ import annotations

from pathlib import Path

import pytest

from orbwatch.catalog.cdm_public import CdmPublic, parse_cdm_public, read_cdm_public
from orbwatch.errors import InputError
from orbwatch.time import parse_utc

CSV = """\
"CDM_ID","CREATED","EMERGENCY_REPORTABLE","TCA","MIN_RNG","PC","SAT_1_ID","SAT_1_NAME","SAT1_OBJECT_TYPE","SAT1_RCS",\
"SAT_1_EXCL_VOL","SAT_2_ID","SAT_2_NAME","SAT2_OBJECT_TYPE","SAT2_RCS","SAT_2_EXCL_VOL"
"1","2026-08-01 05:08:44.000000","Y","2026-08-05T05:08:44.527000","181","2.37e-4","8178","A","DEBRIS","SMALL","1.00",\
"270000001","B, C","PAYLOAD","LARGE","5.00"
"""
JSON = """[{"CDM_ID":"1","CREATED":"2026-08-01 05:08:44.000000","EMERGENCY_REPORTABLE":"Y",
"TCA":"2026-08-05T05:08:44.527000","MIN_RNG":"181","PC":"2.37e-4","SAT_1_ID":"8178","SAT_1_NAME":"A",
"SAT1_OBJECT_TYPE":"DEBRIS","SAT1_RCS":"SMALL","SAT_1_EXCL_VOL":1.00,"SAT_2_ID":"270000001","SAT_2_NAME":"B, C",
"SAT2_OBJECT_TYPE":"PAYLOAD","SAT2_RCS":"LARGE","SAT_2_EXCL_VOL":"5.00"}]"""
ROW = CdmPublic(
    cdm_id=1,
    tca_us=parse_utc("2026-08-05T05:08:44.527"),
    miss_distance_m=181.0,
    norad_id_1=8178,
    norad_id_2=270000001,
    collision_probability=2.37e-4,
    created_us=parse_utc("2026-08-01T05:08:44"),
    emergency_reportable=True,
    name_1="A",
    name_2="B, C",
    object_type_1="DEBRIS",
    object_type_2="PAYLOAD",
    rcs_1="SMALL",
    rcs_2="LARGE",
    exclusion_radius_1_m=1.0,
    exclusion_radius_2_m=5.0,
)


@pytest.mark.parametrize("text", [CSV, JSON])
def test_rows(text: str, tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_text(text)
    assert read_cdm_public(path) == [ROW]


def test_absent_values() -> None:
    text = '{"CDM_ID":2,"TCA":"2026-08-05T05:08:44","MIN_RNG":4,"PC":null,"SAT_1_ID":5,"SAT_2_ID":6}'
    (row,) = parse_cdm_public(text)
    assert (row.collision_probability, row.created_us, row.emergency_reportable, row.name_1) == (None, None, None, "")
    assert parse_cdm_public("") == []


@pytest.mark.parametrize(
    ("text", "line", "field", "what"),
    [
        (CSV.replace("2.37e-4", "high"), 2, "PC", "not a number"),
        (CSV.replace("MIN_RNG", "RNG"), 2, "MIN_RNG", "missing"),
        (CSV.replace('"181",', ""), 2, None, "15 columns"),
        (CSV.replace("2026-08-05", "2026-13-05"), 2, "TCA", "no such day"),
        ("[1]", None, None, "not a row"),
        ('[\n{\n"SAT_1_ID": 5,\n"CDM_ID": "x"}]', 4, "CDM_ID", "not a number"),
        ('[{"a": {}}]', 1, None, "not a row"),
        ("[", 1, None, "malformed JSON"),
        ("a\n" + '"' + "x" * 200_000, 2, None, "malformed CSV"),
    ],
)
def test_errors_say_where(text: str, line: int | None, field: str | None, what: str) -> None:
    with pytest.raises(InputError, match=what) as caught:
        parse_cdm_public(text, "in")
    assert (caught.value.file, caught.value.line, caught.value.field) == ("in", line, field)
