"""`assess` and `screen` with a history: forecast orbits and covariances, what is said of them, and replay."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from orbwatch.catalog.cdm import read_cdm
from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import write_history
from orbwatch.catalog.omm_json import write_omm_json
from orbwatch.cli import cli
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError, StoreError
from orbwatch.time import format_utc

from ..conjunction.test_screen import START_US, library_state, meet, orbit
from ..learn.wandering import LAG_US

START = format_utc(START_US, 0)
HOURS = 2.0
LONE = 131
"""The number of an object whose only set is too old for a forecast."""


def past_of(row: dict, rng: np.random.Generator) -> list[dict]:
    """A set and older ones of the same orbit, that wander by some tenths of a second."""
    from orbwatch.simulate.mean_elements import through_state

    sets = []
    for k in range(5):
        at_us = row["epoch_us"] - k * DAY_US // 3
        one = through_state(library_state(row, at_us), at_us, at_us, row["bstar_per_er"])
        one["mean_anomaly_deg"] = (one["mean_anomaly_deg"] + (rng.normal(0.0, 0.01) if k else 0.0)) % 360.0
        sets.append({**one, "norad_id": row["norad_id"], "seen_us": at_us + LAG_US // 20})
    return sets


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history of pairs that meet in the window, some sets that were not public yet, and the catalogue of its end."""
    folder = tmp_path_factory.mktemp("forecast")
    rng = np.random.default_rng(5)
    rows: list[dict] = []
    for k in range(6):
        one = orbit(float(rng.uniform(6900.0, 7400.0)), 0.001, rng)
        two = meet(one, START_US + int(rng.uniform(600.0, 6600.0) * 1e6), float(rng.uniform(0.1, 2.0)), 60.0, rng)
        rows += [{**one, "norad_id": 100 + 2 * k}, {**two, "norad_id": 101 + 2 * k}]
    sets = [one for row in rows for one in past_of(row, rng)]
    lone = {**orbit(7000.0, 0.001, rng), "norad_id": LONE, "epoch_us": START_US - 40 * DAY_US}
    table = GpTable.from_rows([*sets, lone], "sets")
    hidden = replace(
        table.newest(), seen_us=np.full(13, START_US + DAY_US), epoch_us=table.newest().epoch_us + 60_000_001
    )
    write_history(GpTable.concat([table, hidden[hidden.norad_id != LONE]]), folder / "history.parquet")
    names = np.array([f"SAT {number}" for number in table.newest().norad_id])
    (folder / "catalogue.json").write_text(write_omm_json(replace(table.newest(), name=names)))
    return folder


def run(place: Path, *words: object) -> Result:
    environment = {"ORBWATCH_HOME": str(place / "home")}
    return CliRunner().invoke(cli, [str(word) for word in words], env=environment, catch_exceptions=False)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


COMMON = ("--start", START, "--hours", HOURS, "--threshold-km", 30, "--max-age-day", 60, "--format", "csv")


@pytest.fixture(scope="module")
def assessed(place: Path) -> Result:
    result = run(place, "assess", "--history", place / "history.parquet", *COMMON, "--output", place / "out")
    assert result.exit_code in (0, 3), result.output
    return result


def test_events_say_which_covariance_and_what_sgp4_says(place: Path, assessed: Result) -> None:
    events = rows(assessed.stdout)
    assert len(events) > 5
    forecast = [one for one in events if one["covariance"].count("forecaster `catalog` of") == 2]
    assert forecast
    assert all(" d old" in one["covariance"] for one in forecast)
    moved = [abs(float(one["miss_km"]) - float(one["sgp4_miss_km"])) for one in events if one["sgp4_miss_km"]]
    assert max(moved) > 1e-3
    page = (place / "out" / "report.html").read_text()
    for words in ("By SGP4, km", "12</b><span>of 13 forecast", "newest set older than 30 days", "By SGP4 alone",
                  "Where states and covariances come from", "Propagation"):  # fmt: skip
        assert words in page
    message = read_cdm(place / "out" / "cdm" / f"{events[0]['event']}.cdm")
    comments = str([message.comments, *(part.comments for part in message.objects)])
    assert "SGP4, CORRECTED BY A FORECASTER, FROM ELEMENTS" in comments
    assert "MISS BY SGP4 ALONE" in comments
    assert "forecaster `catalog`" in comments


def test_what_the_objects_did_before_stands_beside_their_events_and_in_the_store(place: Path, assessed: Result) -> None:
    page = (place / "out" / "report.html").read_text()
    assert "objects shown maneuvered in the 30 days before" in page
    for words in ("Maneuvers 1", "Maneuvers 2", "Pattern 1", "none found in the 30 days before the window"):
        assert words in page
    first = rows(assessed.stdout)[0]["norad_id_1"]
    told = run(place, "maneuvers", first)
    assert told.exit_code == 0, told.output
    assert f"{first}: " in told.stdout


def test_what_was_not_public_has_no_say(place: Path, assessed: Result) -> None:
    from orbwatch.catalog.history import read_history

    known = read_history(place / "history.parquet", public_by_us=START_US)
    write_history(known.table, place / "known.parquet")
    again = run(place, "assess", "--history", place / "known.parquet", *COMMON, "--output", place / "known")
    assert again.stdout == assessed.stdout


def test_a_run_again_and_a_replay_are_the_same(place: Path, assessed: Result) -> None:
    again = run(place, "assess", "--history", place / "history.parquet", *COMMON, "--output", place / "out")
    assert "taken from the store" in again.stderr
    assert again.stdout == assessed.stdout
    event = rows(assessed.stdout)[0]["event"]
    replayed = run(place, "replay", event, "--format", "json")
    assert replayed.exit_code == 0, replayed.output
    assert len(json.loads(replayed.stdout)) == 3
    (kept,) = (place / "home" / "inputs").glob("*.npz")
    content = kept.read_bytes()
    for spoiled in (b"PK rubbish", None):
        kept.unlink() if spoiled is None else kept.write_bytes(spoiled)
        with pytest.raises(StoreError, match=r"cannot be read|are gone"):
            run(place, "replay", event)
    kept.write_bytes(content)


def test_a_catalogue_says_which_objects_and_names_them(place: Path, assessed: Result) -> None:
    words = ("--catalog", place / "catalogue.json", "--history", place / "history.parquet", *COMMON)
    result = run(place, "assess", *words, "--output", place / "both", "--store", place / "both.db")
    events = rows(result.stdout)
    assert events[0]["name_1"].startswith("SAT ")
    assert [(one["event"], one["covariance"]) for one in events] == [
        (one["event"], one["covariance"]) for one in rows(assessed.stdout)
    ]
    few = json.loads((place / "catalogue.json").read_text())[:4]
    few[0]["EPOCH"] = format_utc(START_US - 5 * DAY_US, 6)  # the history has a newer one
    (place / "few.json").write_text(json.dumps(few))
    result = run(place, "assess", "--catalog", place / "few.json", *words[2:], "--output", place / "few")
    assert "(objects: 1); these are used" in result.stderr
    numbers = {int(one[name]) for one in rows(result.stdout) for name in ("norad_id_1", "norad_id_2")}
    assert numbers <= {100, 101, 102, 103}


def test_screening_goes_by_the_same_orbits(place: Path, assessed: Result) -> None:
    words = ("--start", START, "--hours", HOURS, "--threshold-km", 30, "--format", "csv")
    found = rows(run(place, "screen", "--history", place / "history.parquet", *words).stdout)
    misses = sorted(float(one["miss_km"]) for one in rows(assessed.stdout))
    np.testing.assert_allclose(sorted(float(one["miss_km"]) for one in found), misses, atol=1e-5)
    with pytest.raises(InputError, match="a longer window than the forecasts"):
        run(place, "screen", "--history", place / "history.parquet", "--start", START, "--hours", 200)


def test_options_that_do_not_belong_together(place: Path) -> None:
    assert "--model goes with --history" in run(place, "assess", "--model", "x").output
    assert "--model goes with --history" in run(place, "screen", "--model", "x").output
    assert "Give --catalog FILE or --history FILE" in run(place, "screen").output
    with pytest.raises(InputError, match="no element set was public by the start"):
        run(place, "assess", "--history", place / "history.parquet", "--start", "2001-01-01", "--output", place / "x")


def test_beyond_the_forecasts_sgp4_goes_on(place: Path) -> None:
    words = ("--start", START, "--hours", 192, "--threshold-km", 400, "--format", "csv", "--output", place / "long")
    events = rows(run(place, "assess", "--history", place / "history.parquet", *words).stdout)
    end = format_utc(START_US + round(7.5 * DAY_US), 6)
    late, early = ([one for one in events if (one["tca_utc"] > end) == side] for side in (True, False))
    assert late
    assert early
    assert all("beyond the forecasts" in one["covariance"] and "no_forecast" in one["flags"] for one in late)
    assert all(one["sgp4_miss_km"] == one["miss_km"] for one in late)
