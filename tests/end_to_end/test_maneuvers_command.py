"""`orbwatch maneuvers` as users call it, around a plain detector."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner, Result

from orbwatch import pipeline_maneuvers
from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import write_history
from orbwatch.catalog.tle_write import write_tle
from orbwatch.cli import cli
from orbwatch.errors import InputError
from orbwatch.models.maneuver_told import CLASSIFIER
from orbwatch.time import format_utc

from ..maneuver.burning import START_US, STEP_US, history, steps

BURNS = {20: 0.10, 44: 0.12, 68: 0.11, 92: 0.12}
TABLE = GpTable.concat([history(7, 55, BURNS), history(8, 30, seed=2)])
COLUMNS = ("norad_id,start_utc,end_utc,epoch_utc,probability,type,dv_r_m_s,dv_t_m_s,dv_n_m_s,dv_sigma_m_s,"
           "pattern,burn_utc")  # fmt: skip


@pytest.fixture(autouse=True)
def _plain_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_maneuvers, "detected", steps)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("maneuvers")
    write_history(TABLE, folder / "history.parquet")
    (folder / "objects.tsv").write_text("norad\tname\n7\tKEEPER\n8\tIDLE\n")
    return folder


def run(place: Path, *words: object, store: str = "a.db") -> Result:
    given = ["maneuvers", *words, "--store", place / store]
    return CliRunner().invoke(cli, [str(word) for word in given], catch_exceptions=False)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_row_an_event_with_the_columns_that_are_relied_on(place: Path) -> None:
    result = run(place, "--history", place / "history.parquet", "--format", "csv")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0] == COLUMNS
    found = rows(result.stdout)
    assert [one["norad_id"] for one in found] == ["7"] * 4
    for one, (k, size) in zip(found, BURNS.items(), strict=True):
        assert one["start_utc"][:19] == format_utc(START_US + k * STEP_US)[:19]
        assert one["end_utc"][:19] == format_utc(START_US + (k + 1) * STEP_US)[:19]
        assert one["type"] == "in_track_raise"
        assert float(one["dv_t_m_s"]) == pytest.approx(size, rel=0.2)
        assert one["pattern"]
    later = run(place, "--history", place / "history.parquet", "--format", "csv", "--since",
                format_utc(START_US + 50 * STEP_US))  # fmt: skip
    assert rows(later.stdout) == found[2:]


def test_a_folder_of_tle_files_in_no_order(place: Path, tmp_path: Path) -> None:
    import lzma

    folder = tmp_path / "tles"
    folder.mkdir()
    one, other = TABLE[TABLE.norad_id == 7], TABLE[TABLE.norad_id == 8]
    shuffled = one[np.random.default_rng(1).permutation(len(one))]
    (folder / "one.tle.xz").write_bytes(lzma.compress(write_tle(shuffled).encode()))
    (folder / "other.tle").write_text(write_tle(other))
    result = run(place, "--history", folder, "--format", "csv", "--causal")
    assert [one["norad_id"] for one in rows(result.stdout)] == ["7"] * 4
    (tmp_path / "ids").write_text("8\n")
    quiet = run(place, "--history", folder, "--ids", tmp_path / "ids", "--format", "csv")
    assert quiet.stdout.strip() == COLUMNS


def test_one_object_in_words(place: Path) -> None:
    result = run(place, "keeper", "--history", place / "history.parquet")
    assert result.exit_code == 0, result.output
    assert "7 KEEPER: maneuvers" in result.stdout
    assert "raises the orbit" in result.stdout
    assert "a burn every 12 d" in result.stdout
    assert "next expected 20" in result.stdout
    quiet = run(place, 8, "--history", place / "history.parquet")
    assert "8 IDLE: no maneuver found above" in quiet.stdout
    assert "in-track" in quiet.stdout


def test_the_classifier_has_its_say(place: Path, tmp_path: Path) -> None:
    result = run(place, 7, "--history", place / "history.parquet")
    assert "7 KEEPER: the classifier, which knows simulated lives, sees " in result.stdout
    write_history(history(7, 25, BURNS), tmp_path / "short.parquet")
    assert "the classifier" not in run(place, 7, "--history", tmp_path / "short.parquet").stdout


def test_the_classifier_finds_maneuvers_too(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    words = ("--history", place / "history.parquet", "--model", CLASSIFIER)
    found = rows(run(place, *words, "--format", "csv").stdout)
    likely = [one for one in found if float(one["probability"]) > 0.5]
    assert {one["norad_id"] for one in likely} == {"7"}
    with pytest.raises(InputError, match="looks at sets from both sides"):
        run(place, *words, "--causal")


def test_several_objects_a_row_each(place: Path) -> None:
    result = run(place, "--all", "--history", place / "history.parquet")
    assert "1 of 2 objects maneuvered" in result.stdout
    assert "KEEPER" in result.stdout
    assert "IDLE" not in result.stdout
    assert "usual delta-v" in result.stdout


def test_several_objects_that_did_nothing_or_perhaps_something(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_history(GpTable.concat([history(8, 30, seed=2), history(9, 30, seed=3)]), place / "quiet.parquet")
    quiet = run(place, "--all", "--history", place / "quiet.parquet")
    assert quiet.exit_code == 0
    assert quiet.stdout == "0 of 2 objects maneuvered (p ≥ 0.5)\n"

    def unsure(*words: object) -> object:
        seen = steps(*words)
        return SimpleNamespace(row=seen.row, epoch_us=seen.epoch_us, probability=0.4 * seen.probability)

    monkeypatch.setattr(pipeline_maneuvers, "detected", unsure)
    result = run(place, "--all", "--history", place / "history.parquet")
    assert "with p 0.2 to 0.5, perhaps maneuvers: 4 events of 1 other objects" in result.stdout


def test_a_page_with_the_truth_beside_it(place: Path, tmp_path: Path) -> None:
    times = [format_utc(START_US + k * STEP_US + STEP_US // 2, 0).replace("T", " ") for k in (*BURNS, 100)]
    (tmp_path / "truth.yaml").write_text(
        "SATCAT number: 7\nmanoeuvre_timestamps:\n" + "".join(f"- {one}\n" for one in times)
    )
    page = tmp_path / "page.html"
    result = run(place, 7, "--history", place / "history.parquet", "--truth", tmp_path / "truth.yaml", "--plot", page)
    assert result.exit_code == 0, result.output
    assert "Of 5 true burns, with p ≥ 0.5 4 (80 %) are found and 0 alarms are false" in result.stdout
    text = page.read_text()
    for words in ("7 KEEPER: maneuvers", "true, missed", "Days between maneuvers", "eccentricity"):
        assert words in text


def test_what_is_saved_is_shown_again_and_not_searched_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history_words = ("--history", place / "history.parquet", "--save", "--format", "csv")
    first = run(place, *history_words, store="b.db")

    def never(*_: object) -> None:
        raise AssertionError("searched again")

    monkeypatch.setattr(pipeline_maneuvers, "detected", never)
    assert run(place, *history_words, store="b.db").stdout == first.stdout
    stored = run(place, "--format", "csv", store="b.db")
    assert stored.stdout == first.stdout
    assert "a burn every 12 d" in run(place, 7, store="b.db").stdout
    asked = run(place, "--format", "json", "--min-probability", 1, store="b.db")
    assert json.loads(asked.stdout) == []
    nothing = run(place, 99, store="b.db")
    assert nothing.exit_code == 1
    assert "none of these objects has been searched yet" in nothing.stderr
    assert nothing.stdout == ""
    assert run(place, 8, store="b.db").stdout.startswith("no maneuver is stored of these objects")


def test_a_search_that_was_cut_off_goes_on(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_maneuvers, "CHUNK_SETS", 10)
    looked: list[int] = []

    def break_at_second(table: GpTable, *rest: object) -> object:
        looked.extend(np.unique(table.norad_id).tolist())
        if 8 in looked and len(looked) == 2:
            raise KeyboardInterrupt
        return steps(table, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline_maneuvers, "detected", break_at_second)
    words = ["maneuvers", "--history", str(place / "history.parquet"), "--save", "--store", str(place / "c.db")]
    assert CliRunner().invoke(cli, words).exit_code != 0
    assert len(rows(run(place, "--format", "csv", store="c.db").stdout)) == 4
    result = run(place, "--history", place / "history.parquet", "--save", "--format", "csv", store="c.db")
    assert result.exit_code == 0
    assert looked == [7, 8, 8]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("7", "--all", "--history", "h"), "or --all"),
        (("--plot", "x.png", "--history", "h"), "name the file .html"),
        (("--causal",), "goes with --history only"),
    ],
)
def test_wrong_usage(place: Path, words: tuple[str, ...], told: str) -> None:
    result = run(place, *words)
    assert result.exit_code == 2
    assert told in result.stderr


def test_errors_say_what_to_do(place: Path, tmp_path: Path) -> None:
    def fails(*words: object) -> str:
        result = CliRunner().invoke(cli, ["maneuvers", *(str(word) for word in words)])
        return str(result.exception)

    assert "no element set of these objects" in fails("NOBODY", "--history", place / "history.parquet")
    many = fails("--history", place / "history.parquet", "--plot", tmp_path / "x.html")
    assert "a plot is of one object" in many


def test_since_leaves_out_what_was_before_of_sets_and_truth_too(place: Path, tmp_path: Path) -> None:
    times = [format_utc(START_US + k * STEP_US + STEP_US // 2, 0).replace("T", " ") for k in BURNS]
    (tmp_path / "truth.yaml").write_text(
        "SATCAT number: 7\nmanoeuvre_timestamps:\n" + "".join(f"- {one}\n" for one in times)
    )
    since = format_utc(START_US + 50 * STEP_US)
    told = ("--history", place / "history.parquet", "--truth", tmp_path / "truth.yaml", "--since")
    assert "Of 2 true burns, with p ≥ 0.5 2 (100 %)" in " ".join(run(place, 7, *told, since).stdout.split())
    late = CliRunner().invoke(cli, ["maneuvers", "7", *(str(one) for one in told), "2031-01-01"])
    assert "no element set since then" in str(late.exception)
