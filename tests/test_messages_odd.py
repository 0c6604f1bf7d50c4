"""`cdm assess` on messages that cannot be true, that contradict themselves or that come again; what is said first."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from orbwatch.catalog.cdm import parse_cdms
from orbwatch.catalog.cdm_write import write_cdm
from orbwatch.cli import cli
from orbwatch.conjunction.what_if_event import of_message
from orbwatch.errors import InputError
from orbwatch.messages_assess import How, Wanted, assess
from orbwatch.report.message_words import COLUMN, event_columns, message_columns

from .assessing import QUICK, SETTINGS, TEXT, changed, line, one, put, refused, run
from .conjunction.made_messages import made


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
