"""The command line as people use it, on a simulated catalogue."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orbwatch.catalog.cdm import read_cdm, read_cdms
from orbwatch.catalog.files import read_gp
from orbwatch.catalog.history import write_history
from orbwatch.catalog.omm_json import write_omm_json
from orbwatch.catalog.store import Store
from orbwatch.cli import cli
from orbwatch.errors import InputError
from orbwatch.simulate.population import EPOCH_US, population
from orbwatch.simulate.truth import Planted, planted
from orbwatch.time import format_utc

HOURS = 6.0
START = format_utc(EPOCH_US, 0)


@dataclass(frozen=True)
class Sky:
    file: Path
    truth: Planted


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Sky:
    truth = planted(population(1, 300), EPOCH_US, HOURS, 5.0, 1)
    file = tmp_path_factory.mktemp("sky") / "catalogue.json"
    file.write_text(write_omm_json(truth.table))
    return Sky(file, truth)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def run(home: Path, *arguments: object) -> Result:
    return CliRunner().invoke(
        cli, [str(one) for one in arguments], env={"ORBWATCH_HOME": str(home)}, catch_exceptions=False
    )


@pytest.fixture(scope="module")
def assessed(sky: Sky, home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    output = tmp_path_factory.mktemp("output")
    result = run(home, "assess", "--catalog", sky.file, "--start", START, "--hours", HOURS, "--format", "csv",
                 "--output", output, "--top-events", 3)  # fmt: skip
    return result, output


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_assess_finds_what_was_planted_and_nothing_beyond_the_threshold(
    sky: Sky, assessed: tuple[Result, Path]
) -> None:
    result, output = assessed
    assert result.exit_code in (0, 3)
    events = rows(result.stdout)
    pairs = {(int(row["norad_id_1"]), int(row["norad_id_2"])) for row in events}
    for one in sky.truth.approaches:
        if one.expected_found:
            assert (one.norad_id_1, one.norad_id_2) in pairs
    assert all(float(row["miss_km"]) < 5.0 for row in events)
    assert rows((output / "events.csv").read_text()) == events
    alerts = [row for row in events if row["pc"] and float(row["pc"]) >= 1e-4]
    assert result.exit_code == (3 if alerts else 0)


def test_assess_leaves_a_report_and_messages_that_read_back(assessed: tuple[Result, Path]) -> None:
    result, output = assessed
    first = rows(result.stdout)[0]
    assert first["event"] in (output / "report.html").read_text()
    messages = sorted((output / "cdm").glob("*.cdm"))
    assert len(messages) == 3
    message = read_cdm(output / "cdm" / f"{first['event']}.cdm")
    assert message.miss_distance_m == pytest.approx(float(first["miss_km"]) * 1e3, abs=1e-6)
    assert message.collision_probability == float(first["pc"])


def test_the_message_gives_the_same_probability_as_the_event(home: Path, assessed: tuple[Result, Path]) -> None:
    result, output = assessed
    first = rows(result.stdout)[0]
    again = run(home, "cdm", "pc", output / "cdm" / f"{first['event']}.cdm", "--format", "json")
    record = json.loads(again.stdout)[0]
    assert record["hbr_m"] == float(first["hbr_m"])
    assert record["results"][-1]["method"] == "foster_1992"
    # EME2000 against TEME axes: the same geometry, turned.
    assert record["results"][-1]["pc"] == pytest.approx(float(first["pc"]), rel=1e-6)


def test_the_same_command_again_takes_the_run_from_the_store(
    sky: Sky, home: Path, assessed: tuple[Result, Path], tmp_path: Path
) -> None:
    again = run(home, "assess", "--catalog", sky.file, "--start", START, "--hours", HOURS, "--format", "csv",
                "--output", tmp_path)  # fmt: skip
    assert "taken from the store" in again.stderr
    assert again.stdout == assessed[0].stdout


def test_replay_recomputes_an_event_and_lists_what_is_stored(home: Path, assessed: tuple[Result, Path]) -> None:
    for row in rows(assessed[0].stdout)[:3]:
        result = run(home, "replay", row["event"], "--format", "json")
        assert result.exit_code == 0, result.stdout
        assert all(one["same"] for one in json.loads(result.stdout))
    assert rows(assessed[0].stdout)[0]["event"] in run(home, "replay").stdout


def test_replay_says_when_inputs_are_gone_or_changed(sky: Sky, tmp_path: Path) -> None:
    result = run(tmp_path, "assess", "--catalog", sky.file, "--start", START, "--hours", 1, "--format", "csv",
                 "--output", tmp_path / "out")  # fmt: skip
    event = rows(result.stdout)[0]["event"]
    kept = next((tmp_path / "inputs").iterdir())
    kept.write_text(kept.read_text().replace("0.00", "0.01", 1))
    from orbwatch.errors import StoreError

    with pytest.raises(StoreError, match="another hash"):
        run(tmp_path, "replay", event)
    kept.unlink()
    with pytest.raises(StoreError, match="gone"):
        run(tmp_path, "replay", event)


def test_assess_prints_the_messages_of_the_top_events(sky: Sky, home: Path, tmp_path: Path) -> None:
    result = run(home, "assess", "--catalog", sky.file, "--start", START, "--hours", HOURS, "--format", "cdm",
                 "--output", tmp_path, "--top-events", 2)  # fmt: skip
    (tmp_path / "both.cdm").write_text(result.stdout)
    printed = [f"{cdm.message_id.replace('_', '.')}.cdm" for cdm in read_cdms(tmp_path / "both.cdm")]
    assert len(printed) == 2
    assert sorted(printed) == sorted(file.name for file in (tmp_path / "cdm").iterdir())
    # Several messages in one file can be written again, but not as XML.
    written = run(home, "cdm", "write", tmp_path / "both.cdm", "--to", "json").stdout
    assert len(json.loads(written)) == 2
    with pytest.raises(InputError, match="2 messages, an XML file one"):
        run(home, "cdm", "write", tmp_path / "both.cdm", "--to", "xml")


def test_outputs_name_the_screening_box_and_leave_messages_of_others_alone(
    sky: Sky, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "cdm").mkdir()
    theirs, ours = tmp_path / "cdm" / "from_operator.cdm", tmp_path / "cdm" / "5-7-20200101T000000.000.cdm"
    theirs.write_text("theirs")
    ours.write_text("of an earlier run")
    run(home, "assess", "--catalog", sky.file, "--start", START, "--hours", HOURS, "--output", tmp_path,
        "--box-rtn-km", 2, 10, 10)  # fmt: skip
    assert "within ± 2 × 10 × 10 km (RTN)" in (tmp_path / "report.html").read_text()
    assert theirs.read_text() == "theirs"
    assert not ours.exists()


def test_names_of_any_kind_are_data(sky: Sky, home: Path, tmp_path: Path) -> None:
    sets = json.loads(sky.file.read_text())
    odd = ["[bold]A[/bold] [/]", "</script><!--<script>", 'B, "C"', "Ünicode", "=1+1"]
    for i, one in enumerate(sets):
        one["OBJECT_NAME"] = odd[i % len(odd)]
    file = tmp_path / "odd.json"
    file.write_text(json.dumps(sets))
    arguments = ["assess", "--catalog", file, "--start", START, "--hours", HOURS, "--output", tmp_path / "out",
                 "--store", tmp_path / "odd.db"]  # fmt: skip
    shown = run(home, *arguments).stdout
    assert any(name in shown for name in odd)
    html = (tmp_path / "out" / "report.html").read_text()
    assert "<!--<script" not in html
    messages = [read_cdm(one) for one in (tmp_path / "out" / "cdm").iterdir()]
    names = {part.name for cdm in messages for part in cdm.objects}
    assert names <= {*odd[:3], "Unicode", "=1+1"}
    # A store given as a path works like one given as a URL: inputs lie beside it, and the report says where to replay.
    assert next((tmp_path / "inputs").iterdir()).suffix == ".json"
    event = rows((tmp_path / "out" / "events.csv").read_text())[0]["event"]
    assert run(home, "replay", event, "--store", tmp_path / "odd.db").exit_code == 0
    # What is kept of the settings is what the numbers rest on: not the store's address, which may hold a password.
    with Store.open(tmp_path / "odd.db") as store:
        assert set(store.runs()[0].settings) == {"screen", "risk"}


def test_a_history_in_parquet_is_a_catalogue(sky: Sky, home: Path, tmp_path: Path) -> None:
    write_history(sky.truth.table, tmp_path / "sets.parquet")
    common = ["--at", START, "--format", "csv"]
    packed = rows(run(home, "propagate", "--catalog", tmp_path / "sets.parquet", *common).stdout)
    plain = rows(run(home, "propagate", "--catalog", sky.file, *common).stdout)
    assert [row["norad_id"] for row in packed] == [row["norad_id"] for row in plain]


def test_object_is_seen_at_the_catalogues_time_not_its_own(sky: Sky, home: Path) -> None:
    oldest = int(sky.truth.table.norad_id[sky.truth.table.epoch_us.argmin()])
    number = str(oldest)
    facts = json.loads(run(home, "object", number, "--catalog", sky.file, "--format", "json").stdout)
    assert facts["age_day"] > 0.1


def test_object_without_a_state_says_so(sky: Sky, home: Path) -> None:
    number = int(sky.truth.table.norad_id[0])
    text = run(home, "object", number, "--catalog", sky.file, "--at", "2099-01-01", "--format", "json").stdout
    facts = json.loads(text)
    if facts["status"]:
        assert facts["latitude_deg"] is facts["altitude_km"] is None


def test_public_messages_are_read(home: Path, tmp_path: Path) -> None:
    row = {"CDM_ID": "7", "TCA": "2025-04-15T00:00:00.5", "MIN_RNG": "41", "PC": "0.001", "SAT_1_ID": "25544",
           "SAT_1_NAME": "ISS", "SAT_1_EXCL_VOL": "5.0", "SAT_2_ID": "48274", "SAT_2_NAME": "CSS",
           "SAT_2_EXCL_VOL": "1.0"}  # fmt: skip
    file = tmp_path / "public.json"
    file.write_text(json.dumps([row]))
    (shown,) = json.loads(run(home, "cdm", "read", file, "--format", "json").stdout)
    assert shown["object_1"] == "25544 ISS"
    assert shown["hbr_m"] == 6.0
    none = run(home, "cdm", "read", tmp_path / "none.cdm", "--format", "json")
    assert json.loads(none.stdout) == []
    assert none.exit_code == 1


def test_screen_all_one_list_and_among(sky: Sky, home: Path, tmp_path: Path) -> None:
    common = [
        "screen",
        "--catalog",
        sky.file,
        "--start",
        START,
        "--hours",
        HOURS,
        "--threshold-km",
        5,
        "--format",
        "csv",
    ]
    every = rows(run(home, *common).stdout)
    assert list(every[0]) == ["norad_id_1", "norad_id_2", "tca_utc", "miss_km", "rel_speed_km_s", "co_moving"]
    one = every[0]["norad_id_1"]
    mine = rows(run(home, *common, "--id", one).stdout)
    assert mine == [row for row in every if one in (row["norad_id_1"], row["norad_id_2"])]
    ids = tmp_path / "ids.txt"
    ids.write_text(f"{one}\n{every[0]['norad_id_2']}\n")
    listed = rows(run(home, *common, "--ids", ids).stdout)
    assert {row["norad_id_1"] for row in listed} >= {one}
    among = rows(run(home, *common, "--ids", ids, "--among").stdout)
    assert among == [row for row in every if (row["norad_id_1"], row["norad_id_2"]) == (one, every[0]["norad_id_2"])]


def test_propagate_prints_states_with_units(sky: Sky, home: Path) -> None:
    states = rows(run(home, "propagate", "--catalog", sky.file, "--at", START, "--format", "csv").stdout)
    assert list(states[0]) == ["norad_id", "x_teme_km", "y_teme_km", "z_teme_km", "vx_teme_km_s", "vy_teme_km_s",
                               "vz_teme_km_s", "status"]  # fmt: skip
    assert len(states) == len(sky.truth.table)
    assert {row["status"] for row in states} == {"0"}


@pytest.mark.parametrize("form", ["table", "json", "omm"])
def test_object_in_every_form(sky: Sky, home: Path, form: str, tmp_path: Path) -> None:
    number = int(sky.truth.table.norad_id[0])
    text = run(home, "object", number, "--catalog", sky.file, "--at", START, "--format", form).stdout
    if form == "json":
        facts = json.loads(text)
        assert facts["norad_id"] == number
        assert facts["perigee_altitude_km"] > 100.0
        assert facts["sigma_along_track_km"] > 0.0
    elif form == "omm":
        (tmp_path / "one.json").write_text(text)
        assert read_gp(tmp_path / "one.json").table.norad_id.tolist() == [number]
    else:
        assert "sigma_source" in text


def test_messages_read_and_convert(home: Path, assessed: tuple[Result, Path], tmp_path: Path) -> None:
    file = next((assessed[1] / "cdm").glob("*.cdm"))
    bad = tmp_path / "bad.cdm"
    bad.write_text("CCSDS_CDM_VERS = 1.0\nCREATION_DATE = yesterday\n")
    result = run(home, "cdm", "read", file, bad, "--format", "json")
    assert result.exit_code == 1
    assert "bad.cdm" in result.stderr
    assert len(json.loads(result.stdout)) == 1
    assert "foster_1992" in run(home, "cdm", "pc", file).stdout
    for form in ("xml", "json", "kvn"):
        (tmp_path / f"again.{form}").write_text(run(home, "cdm", "write", file, "--to", form).stdout)
        assert read_cdm(tmp_path / f"again.{form}").tca_us == read_cdm(file).tca_us


def test_demo_is_judged_against_its_own_truth(home: Path, tmp_path: Path) -> None:
    result = run(home, "demo", "--output", tmp_path, "--objects", 300, "--seed", 2)
    assert result.exit_code == 0, result.stderr
    assert "0 verdicts wrong" in result.stderr
    assert "Simulated catalogue" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["screen", "--catalog", "none.json"], "none.json"),
        (["screen", "--catalog", "SKY", "--id", "5"], "1 of the wanted objects are not in the catalogue: 5"),
        (["screen", "--catalog", "SKY", "--among"], "which objects"),
        (["object", "5", "--catalog", "SKY"], "no such object"),
        (["assess", "--catalog", "SKY", "--start", "2019-01-01"], "young enough"),
        (["propagate", "--catalog", "SKY", "--at", "tomorrow"], "tomorrow"),
        (["screen", "--catalog", "SKY", "--threshold-km", "-1"], "threshold_km"),
        (["assess", "--catalog", "SKY", "--output", "SKY"], "cannot make the output folder"),
        (["assess", "--catalog", "SKY", "--store", "SKY/x.db"], "Not a directory"),
        (["assess"], "(--catalog FILE)"),
        (["replay", "1-2-20250101T000000.000"], "holds no event"),
    ],
)  # fmt: skip
def test_errors_are_plain_and_end_with_1(
    sky: Sky,
    home: Path,
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from orbwatch.cli import main

    monkeypatch.setattr("sys.argv", ["orbwatch", *(one.replace("SKY", str(sky.file)) for one in arguments)])
    monkeypatch.setenv("ORBWATCH_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORBWATCH_SOURCE_CELESTRAK_URL", "http://127.0.0.1:9")  # nobody listens
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert words in capfd.readouterr().err


def test_a_reader_that_leaves_is_no_error(sky: Sky, home: Path) -> None:
    command = [sys.executable, "-m", "orbwatch.cli", "propagate", "--catalog", str(sky.file), "--at", START]
    process = subprocess.Popen([*command, "--format", "csv"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=os.environ | {"ORBWATCH_HOME": str(home)})  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0
    assert said == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--help"], 0), (["nonsense"], 2), (["screen"], 2), (["demo", "--seed", "-1"], 2)],
)
def test_usage_ends_with_2(
    arguments: list[str], code: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from orbwatch.cli import main

    monkeypatch.setattr("sys.argv", ["orbwatch", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    assert capfd.readouterr()


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, orbwatch.cli; print([m for m in ('numpy', 'numba', 'polars', 'pydantic') if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert said.stdout.strip() == "[]"
