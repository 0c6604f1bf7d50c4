"""The verbs around models as people use them: data sets, models, forecasts of tracks."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result

from orbwatch import views_learn
from orbwatch.cli import cli
from orbwatch.errors import InputError, OrbwatchError
from orbwatch.uncertainty.conformal import LEVELS

from ..learn.simulated import windows
from ..models.packaged import packaged
from ..models.tracked import calibrated, tracks_of, write_csv

OPTIONS = ["--objects", 8, "--hours", 2, "--workers", 1, "--burn-share", 0]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("dataset") / "data"
    return folder, run("dataset", "build", "--output", folder, *OPTIONS)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network, calibrated on 40 simulated objects of each regime."""
    folder = tmp_path_factory.mktemp("model")
    packaged(folder / "plain", zero=True)
    return calibrated(folder / "plain", folder / "small", windows(160, seed=5), name="small")


@pytest.fixture(scope="module")
def track(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_csv(tracks_of(windows(4, missing=0.0)), tmp_path_factory.mktemp("track") / "tracks.csv")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_data_set_is_built_and_sound(built: tuple[Path, Result]) -> None:
    folder, result = built
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "568 windows" in result.stderr  # 8 objects x (120 - 49) windows
    assert "of all processes together" in result.stderr
    checked = run("dataset", "check", folder)
    assert (checked.exit_code, checked.stdout) == (0, "")
    assert "nothing found" in checked.stderr


def test_what_a_data_set_holds_fits_a_terminal(built: tuple[Path, Result]) -> None:
    folder, _ = built
    text = run("dataset", "info", folder).stdout
    lines = text.splitlines()
    assert lines[0] == str(folder)
    assert max(len(line) for line in lines[1:]) <= 120
    assert any(line.split() == ["windows", "568"] for line in lines)
    assert any(line.split() == ["LEO", "4"] for line in lines)
    facts = json.loads(run("dataset", "info", folder, "--format", "json").stdout)
    assert (facts["windows"], facts["objects"], facts["step_s"]) == (568, 8, 60.0)
    assert facts["data hash"] in text


def test_a_damaged_data_set_is_found_out(built: tuple[Path, Result], tmp_path: Path) -> None:
    folder = shutil.copytree(built[0], tmp_path / "data")
    array = next(folder.glob("shards/*/noise_km.npy"))
    content = bytearray(array.read_bytes())
    content[-8:] = b"\xff" * 8
    array.write_bytes(bytes(content))
    checked = run("dataset", "check", folder)
    assert checked.exit_code == 1
    assert array.parent.name in checked.stdout
    assert "findings" in checked.stderr


def test_models_are_listed_and_shown(model: Path) -> None:
    listed = json.loads(run("models", "list", "--format", "json").stdout)
    physics = {row["name"]: row["physics instead in"] for row in listed}
    assert physics["catalog"] == "in part, by group"
    assert "GEO" in physics["track"].split(", ")
    assert all({"name", "networks"} <= row.keys() for row in listed)
    assert run("models", "list").exit_code == 0
    text = run("models", "show", model).stdout
    assert max(len(line) for line in text.splitlines()) <= 120
    assert any(line.split() == ["windows", "3"] for line in text.splitlines())
    assert json.loads(run("models", "show", model, "--format", "json").stdout)["name"] == "small"


def test_tracks_are_forecast_with_regions(model: Path, track: Path) -> None:
    result = run("forecast", "--track", track, "--model", model, "--minutes", "5,30", "--format", "csv")
    assert result.exit_code == 0
    assert result.stderr == ""
    found = rows(result.stdout)
    assert [row["horizon_min"] for row in found] == ["5.0", "30.0"] * 4
    assert all(float(row["region_axis_m"]) > 0.0 and row["caution"] == "" for row in found)
    assert {"sigma_r_m", "cov_rt_m2", "cov_rn_m2", "cov_tn_m2"} <= found[0].keys()
    again = run("forecast", "--track", track, "--model", model, "--minutes", "5,30", "--format", "json")
    assert [row["x_gcrf_km"] for row in json.loads(again.stdout)] == [float(row["x_gcrf_km"]) for row in found]
    binary = run("forecast", "--track", track, "--model", model, "--format", "parquet")
    assert len(pl.read_parquet(io.BytesIO(binary.stdout_bytes))) == 16


def test_the_table_of_a_forecast_is_short_and_says_when_it_holds(model: Path, track: Path) -> None:
    text = run("forecast", "--track", track, "--model", model, "--minutes", "5").stdout
    assert "if no thrust follows" in text
    assert "cov_" not in text
    row = next(line for line in text.splitlines() if "object 000" in line)
    decimals = [len(cell.partition(".")[2]) for cell in row.replace("│", " ").split() if cell.lstrip("-")[:1].isdigit()]
    assert decimals[-12:] == [3, 3, 3, 6, 6, 6, 1, 1, 1, 2, 1, 2]


def test_regions_that_nothing_vouches_for_are_empty(model: Path, track: Path) -> None:
    command = ["forecast", "--track", track, "--model", model, "--minutes", "5", "--level", "0.99", "--format"]
    found = rows(run(*command, "csv").stdout)
    assert [(row["region_radius"], row["region_axis_m"]) for row in found] == [("", "")] * 4
    assert found[0]["caution"] == "no calibrated region for LEO"
    assert json.loads(run(*command, "json").stdout)[3]["region_axis_m"] is None


def test_rows_put_aside_and_objects_without_forecast_are_named(model: Path, track: Path, tmp_path: Path) -> None:
    lines = track.read_text().splitlines()
    few = tmp_path / "few.csv"
    few.write_text("\n".join([*lines[:21], *lines[21:24], *["bad,2024-03-01,1,2,3,50,gcrf"] * 14]) + "\n")
    result = run("forecast", "--track", few, "--model", model, "--format", "json")
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)) == 4
    said = result.stderr.splitlines()
    assert said[0].startswith(f"put aside: {few}, line 25: no orbit is there")
    assert said[0].count("few.csv") == 1
    assert said[10:] == [
        "put aside: and 4 more",
        "no forecast for object 001: 3 positions; at least 4 are needed",
    ]
    few.write_text("\n".join([lines[0], *lines[21:24]]) + "\n")
    assert run("forecast", "--track", few, "--model", model).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["dataset", "info", "HERE"], "HERE"),
        (["dataset", "check", "HERE/none"], "none"),
        (["dataset", "build", "--output", "HERE"], "the folder holds something else"),
        (["dataset", "build", "--output", "HERE/new", "--hours", "0.5"], "dataset.hours"),
        (["dataset", "build", "--output", "DATA", "--objects", "9"], "a data set of other settings"),
        (["models", "show", "HERE"], "no such model"),
        (["models", "show", "nonesuch"], "nonesuch"),
        (["forecast", "--track", "TRACK", "--model", "nonesuch"], "no such model"),
        (["forecast", "--track", "HERE/none.csv", "--model", "MODEL"], "none.csv"),
        (["forecast", "--track", "HERE/other.csv", "--model", "MODEL"], "a column is missing"),
        (["forecast", "--track", "TRACK", "--model", "MODEL", "--level", "0.85"], "0.5, 0.6, 0.7, 0.8, 0.9, 0.95"),
        (["forecast", "--track", "TRACK", "--model", "MODEL", "--minutes", "5,31"], "whole minutes 1 to 30"),
        (["train", "trajectory", "--data", "DATA", "--output", "HERE/r", "--heads", "3"], "divisor of network.width"),
        (["train", "trajectory", "--data", "DATA", "--output", "HERE/r", "--horizons", "31"], "at most 30"),
    ],
)  # fmt: skip
def test_errors_say_what_is_wrong(
    built: tuple[Path, Result], model: Path, track: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    places = {"HERE": tmp_path, "DATA": built[0], "MODEL": model, "TRACK": track}
    given = list(arguments)
    for name, path in places.items():
        given = [one.replace(name, str(path)) for one in given]
    with pytest.raises(InputError) as raised:
        run(*given)
    assert words.replace("HERE", str(tmp_path)) in str(raised.value)


def test_help_names_the_levels_and_times_that_there_are() -> None:
    words = " ".join(run("forecast", "--help").stdout.split())
    for level in LEVELS:
        assert f"{level:g}" in words
    assert "whole minutes 1 to 30, separated by commas" in words
    assert "of the predicted state" in words


@pytest.mark.parametrize("missing", ["torch", "lightning", "tensorboard", "onnx", "onnxscript", "captum"])
def test_what_training_lacks_is_said_before_it_starts(
    missing: str, built: tuple[Path, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views_learn, "find_spec", lambda name: None if name == missing else find_spec(name))
    with pytest.raises(OrbwatchError, match=rf"needs {missing}: pip install 'orbwatch\[learn\]'"):
        run("train", "trajectory", "--data", built[0], "--output", tmp_path / "run")


def test_help_is_quick() -> None:
    took_s = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "orbwatch.cli", "--help"], check=True, capture_output=True)
        took_s.append(time.perf_counter() - began)
    assert np.min(took_s) < 1.0  # 0.3 s on an idle machine


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["25544", "--track", "TRACK"], "goes with --history only"),
        (["--track", "TRACK", "--at", "2026-07-20"], "--at goes with --history only"),
        (["--history", "TRACK", "--minutes", "5"], "--minutes goes with --track only"),
    ],
)
def test_options_that_would_be_ignored_are_refused(words: list[str], said: str) -> None:
    result = run("forecast", *words)
    assert result.exit_code == 2
    assert said in result.output


def test_a_track_that_fits_no_orbit_is_cautioned(model: Path, track: Path, tmp_path: Path) -> None:
    lines = track.read_text().splitlines()
    column = lines[0].split(",").index("x_km")
    moved = tmp_path / "moved.csv"
    rows = [line.split(",") for line in lines[1:]]
    for row in rows[-5:]:
        row[column] = str(float(row[column]) + 100.0)
    moved.write_text("\n".join([lines[0], *(",".join(row) for row in rows)]) + "\n")
    result = run("forecast", "--track", moved, "--model", model, "--minutes", "5", "--format", "csv")
    assert "off any orbit: a burn, another frame, more noise?" in result.stdout
