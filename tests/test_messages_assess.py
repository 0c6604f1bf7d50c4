"""`cdm assess` on good, odd and hostile messages: assessed with the repair said, or refused with place and reason."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from orbwatch.catalog.cdm_write import write_cdm
from orbwatch.errors import InputError
from orbwatch.messages_assess import How, Wanted, assess
from orbwatch.report.html import sort_key

from .assessing import QUICK, SETTINGS, TEXT, changed, line, one, pc, put, refused, run
from .conjunction.made_messages import made


def test_units_left_out_change_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = one(tmp_path, capsys, TEXT)
    bare = one(tmp_path, capsys, re.sub(r" \[[^\]]*\]$", "", TEXT, flags=re.MULTILINE))
    assert pc(bare, "foster_1992") == pc(plain, "foster_1992")
    (x,) = re.findall(r"^X += (\S+) \[km\]$", TEXT, flags=re.MULTILINE)[:1]
    metres = TEXT.replace(f"= {x} [km]", f"= {float(x) * 1e3!r} [m]", 1)
    assert pc(one(tmp_path, capsys, metres), "foster_1992") == pytest.approx(pc(plain, "foster_1992"), rel=1e-9)


def test_states_fixed_to_the_earth_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = one(tmp_path, capsys, TEXT.replace("= GCRF", "= ITRF2008"))
    assert any("fixed to the Earth" in note for note in entry["notes"])
    assert pc(entry, "foster_1992") > 0.0


def test_an_unknown_frame_is_refused_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = TEXT.replace("= GCRF", "= LVLH")
    assert f"line {line('REF_FRAME', text)}: the frame of a state is not known" in refused(tmp_path, capsys, text)


def test_repairs_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = one(tmp_path, capsys, changed(r"^(CT_R +)= .*$", r"\1= 5e5 [m**2]"))
    assert entry["repair"]
    assert any(note.startswith("covariance repair") for note in entry["notes"])
    negative = one(tmp_path, capsys, changed(r"^(CTDOT_TDOT +)= .*$", r"\1= -1e-3 [m**2/s**2]"), How(trials=0))
    assert "negative_variance" in negative["results"][0]["flags"]
    assert "a variance is negative" in negative["reason"]


def test_half_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    no_velocity = re.sub(r"^C[RTN]DOT_.*\n", "", TEXT, flags=re.MULTILINE)
    entry = one(tmp_path, capsys, no_velocity, How(trials=0))
    assert "no_velocity_covariance" in entry["results"][0]["flags"]
    assert any("no velocity part" in note for note in entry["notes"])
    head, tail = TEXT.split("OBJECT              = OBJECT2")
    single = one(tmp_path, capsys, head + "OBJECT = OBJECT2" + re.sub(r"^C[RTN].*_.*\n", "", tail, flags=re.MULTILINE))
    assert single["chosen"] == "frisbee_2015"
    assert any("object 2 has no covariance" in note for note in single["notes"])
    none = one(tmp_path, capsys, re.sub(r"^C[RTN](DOT)?_.*\n", "", TEXT, flags=re.MULTILINE))
    assert (none["chosen"], none["pc"]) == (None, None)
    assert none["p_close_miss"] > 0.0
    assert "no covariance" in none["category_reason"]


def test_contradictions_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = one(tmp_path, capsys, changed(r"^(MISS_DISTANCE +)= .*$", r"\1= 99999 [m]"))
    assert any("is not that of its states" in note for note in entry["notes"])
    still = changed(r"^(X_DOT +)= .*$", r"\1= 0 [km/s]", changed(r"^([YZ]_DOT +)= .*$", r"\1= 1 [km/s]"))
    stuck = one(tmp_path, capsys, still)
    assert "zero_relative_speed" in stuck["results"][0]["flags"]
    inside = one(tmp_path, capsys, changed(r"^(X +)= .*$", r"\1= 700 [km]"))
    assert any("below the equator's radius" in note for note in inside["notes"])


@pytest.mark.parametrize(
    ("pattern", "new", "says"),
    [
        (r"^X +=.*$", "X = 1e300 [km]", "no state of object 1"),
        (r"^Y_DOT +=.*$", "Y_DOT = 1e30 [km/s]", "no state of object 1"),
        (r"^CN_N +=.*$", "CN_N = 1e200 [m**2]", "no covariance of object 1"),
        (r"^CR_R +=.*$", "CR_R = 1e2x0 [m**2]", "not a number"),
        (r"^X +=.*$", "X = NaN", "not a number"),
        (r"^TCA +=.*$", "TCA = 2024-02-31T00:00:00", "no such day"),
        (r"^TCA +=.*\n", "", "the time of closest approach is missing"),
        (r"OBJECT2$", "OBJECT1", "which object is this?"),
        (r"^Y +=.*\n", "", "the state is incomplete"),
        (r"^CR_R +=(.*)$", r"CR_R =\1\nCR_R = 5 [m**2]", "keyword given twice"),
        (r"^COMMENT HBR.*$", "COMMENT HBR = 1e12 [m]", "no combined hard-body radius"),
        (r"^CCSDS_CDM_VERS.*\n", "", "no CCSDS_CDM_VERS"),
    ],
)  # fmt: skip
def test_hostile(pattern: str, new: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = changed(pattern, new)
    errors = refused(tmp_path, capsys, text)
    assert says in errors
    if new and "missing" not in says and "radius" not in says:
        assert "line " in errors


def test_one_bad_message_stops_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = changed(r"^CR_R .*$", "CR_R = what")
    put(tmp_path, "many.cdm", TEXT + "\n" + bad + "\n" + TEXT.replace("12:00:00", "18:00:00"))
    put(tmp_path, "page.html", "<html></html>")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\0\xff\xfe")
    put(tmp_path, ".hidden", "nothing")
    (tmp_path / "deeper").mkdir()
    put(tmp_path / "deeper", "b.cdm", changed(r"^(MESSAGE_ID +)= .*$", r"\1= another"))
    code, entries, errors = run(tmp_path, capsys)
    assert code == 1
    assert [Path(entry["file"]).name for entry in entries] == ["b.cdm", "many.cdm", "many.cdm"]
    assert len({entry["event"] for entry in entries}) == 2
    assert errors.count("error: ") == 3
    assert "3 messages assessed, 3 refused" in errors


def test_an_empty_folder_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, entries, errors = run(tmp_path, capsys)
    assert (code, entries) == (1, [])
    assert "no files there" in errors


def test_numbers_that_lead_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise FloatingPointError("overflow")

    monkeypatch.setattr("orbwatch.messages_assess.assess_message", fails)
    assert "message 1 cannot be assessed" in refused(tmp_path, capsys, TEXT)


def test_public_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = {
        "CDM_ID": "1", "CREATED": "2024-02-28 00:00:00", "TCA": "2024-03-01T12:00:00", "MIN_RNG": "40", "PC": "2e-4",
        "SAT_1_ID": "1001", "SAT_2_ID": "2001", "SAT_1_NAME": "A", "SAT_2_NAME": "B",
    }  # fmt: skip
    entry = one(tmp_path, capsys, json.dumps([row]))
    assert (entry["chosen"], entry["category"]) == ("given", "high")
    assert entry["results"] == [{"method": "given", "pc": 2e-4, "interval": None, "flags": ["no_covariance"]}]
    assert entry["lead_day"] == 2.5
    without = one(tmp_path, capsys, json.dumps([row | {"PC": None}]))
    assert (without["pc"], without["category"]) == (None, "critical")


def test_table_page_and_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for i, (lead, off) in enumerate([(3.0, 0.3), (2.0, 0.1), (1.0, 0.0)]):
        put(folder, f"{i}.cdm", write_cdm(made(lead, off)))
    wanted = Wanted("table", True, tmp_path / "page.html", tmp_path / "out")
    assert assess([folder], How(trials=500), "2024-03-01T00:00:00", SETTINGS, wanted) == 0
    out = capsys.readouterr().out
    assert "1001 ALPHA and 2001 BETA, closest approach 2024-03-01 12:00:00.000 UTC" in out
    assert "since the last message: 24.0 h later" in out
    assert "Monte Carlo" in out
    page = (tmp_path / "page.html").read_text()
    for words in ("Miss along R, T, N", "Probability of collision over the messages", "Pc(t)", "Pc against hard-body"):
        assert words in page
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [f"{i}.assessed.cdm" for i in range(3)]
    code, entries, _ = run(tmp_path / "out", capsys)
    assert code == 0
    assert all(math.isclose(pc(entry, "given"), entry["pc"], rel_tol=1e-9) for entry in entries)
    assert sort_key(None) == ""


def test_what_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = re.sub(r"^C[RTN](DOT)?_.*\n", "", TEXT, flags=re.MULTILINE)
    file = put(tmp_path, "a.cdm", text)
    code = assess([file], QUICK, None, SETTINGS, Wanted(cdm_out=tmp_path / "out"))
    assert code == 1
    assert "not written: the covariance of object 1 is missing" in capsys.readouterr().err
    with pytest.raises(InputError):
        assess([file], QUICK, "yesterday", SETTINGS, Wanted())


def test_folders_of_real_and_malformed_messages(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, entries, errors = run(data / "cdm/ccsds_orekit", capsys)
    assert code == 1
    refused = re.findall(r"^error: \S*?([\w.-]+\.(?:txt|xml|cdm))[,:]", errors, flags=re.MULTILINE)
    assert sorted(refused) == [
        "CDM-covariance-wrong-entry-format.txt", "CDM-missing-TCA.txt", "CDM-missing-object2-state-vector.txt",
        "CDMExample1InvalidTca.txt", "CDMExample_issue1319_mandatory_empty_value.xml",
    ]  # fmt: skip
    copies = sum(len(entry["copies"]) for entry in entries)
    assert len(entries) + copies == len(list((data / "cdm/ccsds_orekit").iterdir())) - 5
    assert copies > 0
    assert all(entry["category"] != "unknown" for entry in entries)
