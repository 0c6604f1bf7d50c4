"""`cdm assess` on good, odd and hostile messages: assessed with the repair said, or refused with place and reason."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from orbwatch.catalog.cdm import parse_cdms
from orbwatch.catalog.cdm_write import write_cdm
from orbwatch.cli import cli
from orbwatch.conjunction.what_if_event import of_message
from orbwatch.errors import InputError
from orbwatch.messages_assess import How, Wanted, assess
from orbwatch.report.html import sort_key
from orbwatch.report.message_words import COLUMN, event_columns, message_columns
from orbwatch.settings import Settings

from .conjunction.made_messages import made

TEXT = write_cdm(made())
SETTINGS = Settings()
QUICK = How(trials=0, curved=False)


def put(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text)
    return file


def changed(pattern: str, new: str, text: str = TEXT) -> str:
    made_over, count = re.subn(pattern, new, text, flags=re.MULTILINE)
    assert count
    return made_over


def run(place: Path, capsys: pytest.CaptureFixture[str], how: How = QUICK) -> tuple[int, list[dict[str, Any]], str]:
    code = assess([place], how, "2024-02-28T00:00:00", SETTINGS, Wanted("json"))
    out = capsys.readouterr()
    return code, json.loads(out.out), out.err


def one(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, how: How = QUICK) -> dict[str, Any]:
    code, entries, errors = run(put(tmp_path, "a.cdm", text), capsys, how)
    assert (code, errors) == (0, "")
    (entry,) = entries
    return entry


def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> str:
    code, entries, errors = run(put(tmp_path, "a.cdm", text), capsys)
    assert (code, entries) == (1, [])
    assert "a.cdm" in errors
    return errors


def pc(entry: dict[str, Any], method: str) -> float:
    return next(each["pc"] for each in entry["results"] if each["method"] == method)


def line(pattern: str, text: str) -> int:
    return next(i for i, row in enumerate(text.split("\n"), 1) if re.match(pattern, row))


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


def test_impossible_variances_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for value in ("-5", "0"):
        text = changed(r"^(CR_R +)= .*$", rf"\1= {value} [m**2]")
        errors = refused(tmp_path, capsys, text)
        where = f"line {line('CR_R', text)}: no covariance of object 1: an impossible variance [field CR_R = "
        assert where in errors
        assert "legal: above 0 m**2" in errors
        with pytest.raises(InputError, match="impossible variance"):
            of_message(parse_cdms(text)[0], "a.cdm")
    zeros = changed(r"^(C[RTN](?:DOT)?_[RTN](?:DOT)? +)= .*$", r"\1= 0")
    assert one(tmp_path, capsys, zeros)["pc"] is None


@pytest.mark.parametrize("radius", ["-20 [m]", "0"])
def test_impossible_radii_are_refused(radius: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = changed(r"^COMMENT +HBR = .*$", f"COMMENT HBR   = {radius}")
    errors = refused(tmp_path, capsys, text)
    assert f"line {line('COMMENT HBR', text)}: no hard-body radius [field COMMENT = 'HBR = {radius}']" in errors
    assert "legal: a finite length above 0 m" in errors
    assert one(tmp_path, capsys, text, How(7.0, 0, False))["hbr_m"] == 7.0


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


def test_the_row_is_what_sets_the_category(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, (entry,), _ = run(data / "cdm/ccsds_orekit/CDMExample3.txt", capsys, How(trials=0))
    assert (entry["category"], entry["pc"], entry["chosen"]) == ("critical", 2.355e-3, "given")
    assert "the message's own" in entry["category_reason"]
    assert "miss distance, 104.92 m, is not that of its states" in entry["reason"]
    assert "assumptions hold" not in entry["reason"]
    assert "0.0e+00 by 3D-Nc" in entry["reason"]


def test_contradictions_stand_in_the_reason(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, (entry,), _ = run(data / "cdm/ccsds_orekit/CDMExample_issue1458.xml", capsys)
    assert entry["chosen"] == "frisbee_2015"
    assert "the message's miss distance, 20764 m, is not that of its states, 0 m" in entry["reason"]
    file = put(tmp_path, "a.cdm", changed(r"^(MISS_DISTANCE +)= .*$", r"\1= 20764 [m]"))
    report = tmp_path / "a.html"
    assert assess([file], How(trials=0), "2024-02-28T00:00:00", SETTINGS, Wanted(report=report)) == 0
    out = " ".join(capsys.readouterr().out.split())
    for text in (out, report.read_text().replace("&#39;", "'")):
        assert "miss distance, 20764 m, is not that of its states" in text
        assert "assumptions hold" not in text.partition("Method</")[0]


def test_copies_count_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    put(folder, "a.cdm", write_cdm(made(3.0)))
    for name in ("b.cdm", "c.cdm"):
        put(folder, name, write_cdm(made(2.0, 2.0), "xml" if name == "c.cdm" else "kvn"))
    code, entries, _ = run(folder, capsys)
    assert (code, len(entries)) == (0, 2)
    last = entries[-1]
    assert (last["messages"], last["category_alone"]) == (2, "low")
    assert last["category"] != "low", "two copies of one message must not let the category fall"
    assert last["copies"] == [str(folder / "c.cdm")]
    assert any("came 2 times, counted once" in note for note in last["notes"])
    assert assess([folder], QUICK, None, SETTINGS, Wanted()) == 0
    assert "counted once" in capsys.readouterr().out


@pytest.mark.parametrize("date", ["2099-01-01T00:00:00", "2024-03-03T00:00:00"])
def test_a_date_of_creation_that_cannot_be(date: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    put(folder, "a.cdm", changed(r"^(CREATION_DATE +)= .*$", rf"\1= {date}"))
    put(folder, "b.cdm", write_cdm(made(1.0, 0.1)))
    _, (odd, last), _ = run(folder, capsys)
    assert Path(last["file"]).name == "b.cdm"
    assert (odd["lead_day"], last["lead_day"]) == (None, 1.0)
    assert f"date of creation, {date}, is " in odd["reason"]
    assert any("not taken for the last message" in note for note in odd["notes"])
    assert assess([folder], QUICK, None, SETTINGS, Wanted()) == 0
    assert date in capsys.readouterr().out


def test_what_was_not_understood_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = changed(r"^TCA ", "WRONG_KEYWORD = 123\nTCA ", changed(r"^COMMENT +HBR = .*$", "COMMENT HBR = about 5"))
    assert assess([put(tmp_path, "a.cdm", text)], QUICK, None, SETTINGS, Wanted()) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "keywords of the message that the standard does not have, ignored: WRONG_KEYWORD" in out
    assert "cannot be read, ignored: HBR = about 5" in out


def test_an_empty_list_holds_no_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "a.cdm: no message" in refused(tmp_path, capsys, "[]\n")


def test_the_category_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = one(tmp_path, capsys, TEXT)
    assert list(event_columns([[entry]]))[:2] == ["event", "category"]
    assert list(message_columns([entry]))[:2] == ["created", "category"]
    assert event_columns([[entry]])["plane sigmas"][0] == entry["mahalanobis_plane"]
    assert max(map(len, COLUMN.values())) < 16


def test_help_says_what_thresholds_do_here() -> None:
    words = " ".join(CliRunner().invoke(cli, ["cdm", "assess", "--help"]).output.split())
    assert "Exit code 1 when a message was refused, else 0" in words
    assert "exit code 3" not in words
