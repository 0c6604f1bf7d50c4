"""`orbwatch forecast` of catalogued objects, as users call it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result

from orbwatch.catalog.history import write_history
from orbwatch.catalog.oem import read_oem
from orbwatch.catalog.tle_write import write_tle
from orbwatch.cli import cli
from orbwatch.constants import DAY_US
from orbwatch.time import format_utc

from ..maneuver.burning import START_US
from ..maneuver.burning import history as burning
from ..models.catalog_packaged import history

TABLE, ASKED_US = history()
IDS = np.unique(TABLE.norad_id).tolist()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("forecast")
    write_history(TABLE, place / "history.parquet")
    (place / "objects.tsv").write_text(f"norad\tname\n{IDS[0]}\tBESIDE\n{IDS[1]}\tOTHER\n")
    return place


def run(folder: Path, *words: object, at: int = ASKED_US) -> Result:
    given = ["forecast", "--history", folder / "history.parquet", "--at", format_utc(at), *words]
    return CliRunner().invoke(cli, [str(word) for word in given])


def test_the_table_is_in_words(folder: Path, tmp_path: Path) -> None:
    result = run(folder, IDS[0], "--days", 2)
    assert result.exit_code == 0, result.output
    assert "BESIDE" in result.stdout
    assert "along-track" in result.stdout
    assert f"{IDS[0]} BESIDE: after 12 h" in result.stdout
    assert "2.0 d" in result.stdout
    assert "3.0 d" not in result.stdout
    (tmp_path / "names.csv").write_text(f"NORAD_CAT_ID,OBJECT_NAME\n{IDS[0]},GIVEN\n")
    assert "GIVEN" in run(folder, IDS[0], "--names", tmp_path / "names.csv").stdout


def test_a_maneuver_in_the_last_days_is_said_in_words_and_on_the_page_only(tmp_path: Path) -> None:
    write_history(burning(7, 60, {100: 0.5}), tmp_path / "history.parquet")

    def told(day: float, *words: object) -> Result:
        return run(tmp_path, 7, "--days", 1, *words, at=START_US + round(day * DAY_US))

    after = told(53.0, "--plot", tmp_path / "page.html")
    assert "7: a maneuver was likely about 2026-04-" in after.stdout, after.output
    assert "assumes no maneuver from now on" in after.stdout
    assert "A maneuver was likely about" in (tmp_path / "page.html").read_text()
    assert "a maneuver was" not in told(50.0).stdout  # not yet
    assert "a maneuver was" not in told(59.5).stdout  # settled
    assert "a maneuver was" not in told(53.0, "--format", "csv").stdout


def test_old_sets_give_one_line_and_a_time_to_ask_at(folder: Path) -> None:
    told = run(folder, IDS[0], at=ASKED_US + 400 * DAY_US)
    assert told.exit_code == 1
    assert told.stdout.startswith("no forecast: no element set is younger than 30 days")
    assert told.stdout.count("\n") == 1
    assert "--at 20" in told.stdout


def test_a_single_set_is_enough_and_said_to_be_one(tmp_path: Path) -> None:
    newest = TABLE[TABLE.epoch_us <= ASKED_US].newest()[:1]
    newest = replace(newest, norad_id=np.array([5]))
    (tmp_path / "one.tle").write_text(write_tle(newest))
    words = ["forecast", "--catalog", tmp_path / "one.tle", "--at", format_utc(ASKED_US)]
    result = CliRunner().invoke(cli, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert "one set and no past: wide region" in result.stdout
    assert "±" in result.stdout or "anywhere" in result.stdout


def test_the_newest_sets_may_lie_in_another_file(folder: Path, tmp_path: Path) -> None:
    cut = TABLE[TABLE.epoch_us < ASKED_US - DAY_US]
    write_history(cut, tmp_path / "old.parquet")
    newest = TABLE[TABLE.seen_us <= ASKED_US].newest()
    write_history(newest, tmp_path / "new.parquet")
    words = ["forecast", "--history", tmp_path / "old.parquet", "--catalog", tmp_path / "new.parquet", "--at",
             format_utc(ASKED_US), "--format", "json", IDS[0]]  # fmt: skip
    rows = json.loads(CliRunner().invoke(cli, [str(word) for word in words]).stdout)
    whole = json.loads(run(folder, IDS[0], "--format", "json").stdout)
    assert [row["newest_epoch_utc"][:19] for row in rows] == [row["newest_epoch_utc"][:19] for row in whole]


def test_inertial_columns_come_beside_the_others(folder: Path) -> None:
    plain, more = (json.loads(run(folder, IDS[0], "--format", "json", *words).stdout)[0]
                   for words in ((), ("--frame", "gcrf")))  # fmt: skip
    assert plain.items() <= more.items()
    assert {"x_gcrf_km", "vz_gcrf_km_s", "cov_xy_gcrf_km2"} <= more.keys()


def test_messages_and_a_page_are_written(folder: Path, tmp_path: Path) -> None:
    result = run(folder, IDS[0], "--days", 1, "--oem", tmp_path / "one.oem", "--plot", tmp_path / "one.html")
    assert result.exit_code == 0, result.output
    part = read_oem(tmp_path / "one.oem").segments[0]
    assert part.object_name == "BESIDE"
    assert part.ref_frame == "EME2000"
    assert (part.times_us[-1] - ASKED_US) / DAY_US <= 1.0
    assert "past forecasts, each from what was public then" in (tmp_path / "one.html").read_text()
    several = run(folder, *IDS[:3], "--oem", tmp_path / "all", "--frame", "gcrf")
    assert "3 messages" in several.stderr
    assert read_oem(tmp_path / "all" / f"{IDS[2]}.oem").segments[0].ref_frame == "GCRF"


def test_the_past_is_judged(folder: Path) -> None:
    result = run(folder, *IDS[:2], 999_999, "--past", "--horizons-day", "1,3", "--format", "json")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [(row["norad_id"], row["day"]) for row in rows] == [(i, day) for i in IDS[:2] for day in (1.0, 3.0)]
    assert all(row["inside_50"] <= row["inside_99"] for row in rows)
    assert "past forecasts" in result.stderr
    assert "999999" in result.stderr


def test_a_standing_file_is_refreshed(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "standing.parquet"
    assert f"{len(IDS)} objects asked about, 0 kept" in run(folder, "--refresh", file).stderr
    again = run(folder, "--refresh", file, at=ASKED_US + 3600 * 1_000_000)
    assert f"0 objects asked about, {len(IDS)} kept" in again.stderr
    assert set(pl.read_parquet(file)["asked_utc"]) == {format_utc(ASKED_US)}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--horizons-day", "1,8"), "up to 7.5"),
        (("--days", "9"), "0.0<x<=7.5"),
        (("--days", "3", "--horizons-day", "1"), "--horizons-day or --days"),
        (("--model", "nope"), "packaged model: catalog"),
        (("--plot", "all.html"), "a plot is of one object"),
        (("--plot", "all.png"), "name the file .html"),
        (("--frame", "itrf"), "inertial"),
        (("--past", "--refresh", "x.parquet"), "--past or --refresh"),
        (("--past", "--oem", "x.oem"), "not --past"),
        (("--refresh", "x.parquet", "--horizons-day", "1"), "not --refresh"),
        (("999999998",), "no element set of the object asked for"),
    ],
)
def test_what_cannot_be_is_said_plainly(folder: Path, words: tuple[str, ...], said: str) -> None:
    result = run(folder, *words)
    assert result.exit_code != 0
    assert said in f"{result.output}{result.exception}"


def test_before_the_history_begins(folder: Path) -> None:
    result = run(folder, IDS[0], at=ASKED_US - 300 * DAY_US)
    assert "no element set was public by the time asked at" in str(result.exception)
    assert "The first one was public at" in str(result.exception)
