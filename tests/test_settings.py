"""Settings: where values come from, what is refused, and that each field is documented once."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from orbwatch import settings as module
from orbwatch.errors import InputError
from orbwatch.settings import (
    RiskSettings,
    ScreenSettings,
    Settings,
    TrainSettings,
    as_json,
    data_folder,
    describe,
    find_file,
    load_settings,
    settings_hash,
)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORBWATCH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def toml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "orbwatch.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_are_legal_and_documented() -> None:
    assert load_settings() == Settings()
    infos = describe(Settings)
    assert len({info.name for info in infos}) == len(infos)
    for info in infos:
        assert info.help.endswith("."), info.name
        assert info.legal, info.name
        TypeAdapter(info.hint).validate_python(info.default)


def test_describe_one_class() -> None:
    infos = {info.name: info for info in describe(ScreenSettings)}
    assert infos["threshold_km"].type is float
    assert infos["threshold_km"].default == 5.0
    assert infos["threshold_km"].legal == "a number above 0 and at most 500"
    assert infos["threshold_km"].help.startswith("Report approaches")
    assert infos["threads"].legal == "a whole number at least 1 and at most 256"
    assert infos["box_rtn_km"].type == tuple[float, float, float]
    assert infos["box_rtn_km"].legal == "3 numbers"
    assert {info.name for info in describe(RiskSettings)} == {f.name for f in fields(RiskSettings)}


def test_later_sources_win(tmp_path: Path) -> None:
    file = toml(tmp_path, "[screen]\nthreshold_km = 7\nhours = 48.0\nthreads = 4\n")
    environ = {"ORBWATCH_SCREEN_HOURS": "72", "ORBWATCH_SCREEN_THREADS": "1", "ORBWATCH_STORE_URL": ""}
    found = load_settings(file, {"screen.threads": 3, "screen.hours": None}, environ)
    assert found.screen == ScreenSettings(threshold_km=7.0, hours=72.0, threads=3)
    assert isinstance(found.screen.threshold_km, float)
    assert found.store.url is None


def test_file_in_the_working_folder_then_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_file() is None
    (tmp_path / "home").mkdir()
    toml(tmp_path / "home", "[report]\ntop_events = 3\n")
    assert load_settings().report.top_events == 3
    toml(tmp_path, "[report]\ntop_events = 4\n")
    assert load_settings().report.top_events == 4
    monkeypatch.delenv("ORBWATCH_HOME")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nothing"))
    monkeypatch.chdir(tmp_path / "home")
    assert load_settings().report.top_events == 3


def test_paths_and_tuples(tmp_path: Path) -> None:
    file = toml(tmp_path, '[risk]\nhbr_table = "hbr.csv"\n[screen]\nbox_rtn_km = [0.4, 44, 51]\n')
    found = load_settings(file, environ={})
    assert found.risk.hbr_table == tmp_path / "hbr.csv"
    assert found.screen.box_rtn_km == (0.4, 44.0, 51.0)
    again = load_settings(environ={"ORBWATCH_SCREEN_BOX_RTN_KM": "1,2, 3"})
    assert again.screen.box_rtn_km == (1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[screen]\nthreshold_km = -1",
            r"orbwatch\.toml: .*greater than 0 \[field screen\.threshold_km = -1\]; legal: a",
        ),
        ("[screen]\nthreshold_km = nan", "threshold_km = nan"),
        ("[screen]\nthreshold_km = true", r"threshold_km = True\]; legal: a number above 0"),
        ('[screen]\nthreads = "many"', "whole number at least 1"),
        ("[screen]\nthreads = 1.5", "whole number at least 1"),
        ("[screen]\nbox_rtn_km = [1, 2]", "3 numbers"),
        (
            "[screen]\ntreshold_km = 1",
            r"unknown setting \[field screen\.treshold_km\]. Did you mean screen.threshold_km\?",
        ),
        ("[zzz]\nqqq = 1", "unknown setting.*Known: screen.threshold_km"),
        ("hours = 1", "settings stand in groups"),
        ("hours = ,", "not a TOML file.*line 1"),
        ("[risk]\npc_watch = 0.01", r"risk\.pc_watch = 0\.01\]; legal: at most risk\.pc_alert = 0\.0001"),
    ],
)
def test_bad_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_settings(toml(tmp_path, text), environ={})


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml: cannot read the settings: No such file"):
        load_settings(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\n")
    with pytest.raises(InputError, match="not a TOML file"):
        load_settings(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("ORBWATCH_SCREEN_HOURS", "0", "environment variable ORBWATCH_SCREEN_HOURS: should be greater than 0"),
        ("ORBWATCH_SCREEN_HOUR", "1", "Did you mean ORBWATCH_SCREEN_HOURS"),
        ("ORBWATCH_SOURCE_SPACETRACK_PER_MINUTE", "30", "at least 1 and below 30"),
    ],
)
def test_bad_environment(variable: str, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_settings(environ={variable: text})


def test_other_variables_are_left_alone() -> None:
    others = {"ORBWATCH_HOME": "/h", "ORBWATCH_DATA": "/d", "ORBWATCH_SPACETRACK_USER": "u", "PATH": ""}
    assert load_settings(environ=others) == Settings()


def test_bad_override() -> None:
    with pytest.raises(InputError, match=r"command line: .*at most|less than or equal"):
        load_settings(overrides={"screen.threshold_km": 1e9})


def test_hash_covers_what_results_depend_on() -> None:
    base = Settings()
    assert settings_hash(base) == settings_hash(Settings())
    assert settings_hash(base) != settings_hash(replace(base, screen=ScreenSettings(threshold_km=6.0)))
    assert settings_hash(base) == settings_hash(replace(base, screen=ScreenSettings(threads=1)))
    assert settings_hash(base) == settings_hash(replace(base, report=module.ReportSettings(top_events=1)))
    assert settings_hash(base.screen) != settings_hash(base.risk)
    record: dict[str, Any] = as_json(replace(base, risk=RiskSettings(hbr_table=Path("a.csv"))))
    assert record["risk"]["hbr_table"] == "a.csv"
    assert record["screen"]["threads"] == 2


def test_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_folder() == tmp_path / "home"
    assert Settings().store.resolved_url() == f"sqlite:///{tmp_path / 'home' / 'orbwatch.db'}"
    assert Settings().source.resolved_cache_dir() == tmp_path / "home" / "cache"
    monkeypatch.delenv("ORBWATCH_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert data_folder().name == "orbwatch"


def test_import_is_light() -> None:
    code = "import sys, orbwatch.settings as s; s.load_settings(environ={}); print('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize(
    ("values", "says"),
    [({"network.heads": 3}, "divisor of network.width = 64"), ({"train.horizons": 31}, "at most 30")],
)
def test_networks_that_cannot_be_are_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        load_settings(overrides=values)


def test_all_that_changes_the_numbers_of_a_training_is_hashed() -> None:
    train = TrainSettings()
    assert settings_hash(train) == settings_hash(replace(train, threads=7, device="cpu"))
    assert settings_hash(train) != settings_hash(replace(train, devices=2))
