"""`orbwatch matrix` and `orbwatch what-if` as people use them, on a simulated catalogue."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.omm_json import write_omm_json
from orbwatch.cli import cli
from orbwatch.conjunction.what_if import LABEL
from orbwatch.errors import InputError, StoreError
from orbwatch.simulate.population import EPOCH_US, population
from orbwatch.simulate.truth import planted
from orbwatch.time import format_utc, parse_utc

HOURS = 6.0
START = format_utc(EPOCH_US, 0)


@pytest.fixture(scope="module")
def table() -> GpTable:
    return planted(population(1, 200), EPOCH_US, HOURS, 5.0, 1).table


@pytest.fixture(scope="module")
def catalog(table: GpTable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sky") / "catalogue.json"
    file.write_text(write_omm_json(table))
    return file


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def run(home: Path, *arguments: object) -> Result:
    return CliRunner().invoke(
        cli, [str(one) for one in arguments], env={"ORBWATCH_HOME": str(home)}, catch_exceptions=False
    )


def rows(result: Result) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_matrix_of_a_catalogue_holds_what_screen_finds(catalog: Path, home: Path, tmp_path: Path) -> None:
    window = ("--catalog", catalog, "--start", START, "--hours", HOURS)
    page, file = tmp_path / "m" / "matrix.html", tmp_path / "m" / "pairs.parquet"
    found = run(home, "matrix", *window, "--format", "csv", "--plot", page, "--output", file)
    assert found.exit_code == 0
    pairs = rows(found)
    wanted: dict[tuple[str, str], float] = {}
    for row in rows(run(home, "screen", *window, "--format", "csv")):
        key = (row["norad_id_1"], row["norad_id_2"])
        wanted[key] = min(wanted.get(key, 9.0), float(row["miss_km"]))
    inside = {
        (row["norad_id_1"], row["norad_id_2"]): float(row["min_km"]) for row in pairs if row["where"] == "approach"
    }
    assert len(inside) > 3
    assert all(inside[key] == pytest.approx(wanted[key], abs=1e-6) for key in inside)
    assert set(wanted) <= {(row["norad_id_1"], row["norad_id_2"]) for row in pairs}
    for row in pairs:
        assert row["pc_method"] == "foster_1992 circle"
        assert float(row["hbr_m"]) > 0.0
        assert row["covariance"]
    kept = pl.read_parquet(file)
    assert kept["min_km"].to_list() == sorted(kept["min_km"].to_list())
    assert len(kept) == len(pairs)
    html = page.read_text()
    assert "by mean altitude" in html
    assert "heatmap" in html
    assert f"{len(pairs):,} listed" in found.stderr


def test_matrix_of_a_fleet_has_every_pair(catalog: Path, table: GpTable, home: Path, tmp_path: Path) -> None:
    ids, page = tmp_path / "fleet.txt", tmp_path / "fleet.html"
    ids.write_text(" ".join(str(number) for number in table.norad_id[:9].tolist()))
    window = ("--catalog", catalog, "--start", START, "--hours", 2)
    pairs = rows(run(home, "matrix", *window, "--ids", ids, "--format", "csv", "--plot", page))
    assert len(pairs) == 9 * 8 // 2
    assert all(float(row["min_km"]) > 0.0 for row in pairs)
    assert {row["where"] for row in pairs} <= {"approach", "window start", "window end"}
    assert all((row["category"] == "none") == (float(row["min_km"]) >= 5.0) for row in pairs)
    assert "&#34;none&#34;: no approach below 5 km" in page.read_text()
    assert 'risk "none": no approach below 5 km' in run(home, "matrix", *window, "--ids", ids).stdout
    assert "Smallest distance in the window: 9 objects" in page.read_text()
    near = rows(run(home, "matrix", *window, "--ids", ids, "--pairs", "near", "--threshold-km", 400, "--format", "csv"))
    assert {row["min_km"][:9] for row in near} <= {row["min_km"][:9] for row in pairs}
    against = run(home, "matrix", *window, "--ids", ids, "--against-all", "--threshold-km", 50, "--format", "json")
    fleet = set(table.norad_id[:9].tolist())
    found = json.loads(against.stdout)
    assert found
    assert all(row["norad_id_1"] in fleet or row["norad_id_2"] in fleet for row in found)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--id", "1"), "not in the catalogue"),
        (("--against-all",), "--ids"),
        (("--start", "1999-01-01T00:00:00"), "two objects"),
    ],
)
def test_what_a_matrix_cannot_do_is_said(catalog: Path, home: Path, arguments: tuple[str, ...], what: str) -> None:
    with pytest.raises(InputError, match=what):
        run(home, "matrix", "--catalog", catalog, *arguments)


def test_matrix_names_wrong_files(catalog: Path, home: Path) -> None:
    assert run(home, "matrix", "--catalog", catalog, "--plot", "x.png").exit_code == 2
    assert run(home, "matrix").exit_code == 2


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("output")


@pytest.fixture(scope="module")
def event(catalog: Path, home: Path, output: Path) -> str:
    found = run(home, "assess", "--catalog", catalog, "--start", START, "--hours", HOURS, "--format", "json",
                "--output", output)  # fmt: skip
    assert "decision support, not a command" in (output / "report.html").read_text()
    fast = [row for row in json.loads(found.stdout) if not row["co_moving"] and row["pc"] and row["pc"] > 1e-6]
    return str(max(fast, key=lambda row: row["pc"])["event"])


def test_what_if_of_a_stored_event(event: str, home: Path, tmp_path: Path) -> None:
    page, file = tmp_path / "burn.html", tmp_path / "burn.csv"
    found = run(home, "what-if", event, "--hours", "1:12:12", "--dv-m-s=-0.5:0.5:41", "--target-pc", "1e-9", "--days",
                0.5, "--plot", page, "--output", file, "--format", "json")  # fmt: skip
    assert found.exit_code == 0
    told = json.loads(found.stdout)
    assert told["label"] == LABEL
    assert told["event"] == event
    assert told["pc"] > 1e-6
    assert told["smallest_burns"]
    assert all(row["pc"] <= 1e-9 for row in told["smallest_burns"])
    assert told["screened_again"][0]["maneuver"] == "no burn"
    assert all(row["orbit_error_m"] < 200.0 for row in told["screened_again"][1:])
    text = page.read_text()
    assert LABEL in text
    assert "contour" in text
    with file.open() as opened:
        surface = list(csv.DictReader(opened))
    assert len(surface) == 12 * 41
    none = [float(row["pc"]) for row in surface if float(row["dv_m_s"]) == 0.0]
    assert len(none) == 12
    assert none == pytest.approx([told["pc"]] * 12, rel=1e-9)
    assert {row["note"] for row in surface} == {LABEL}


def test_what_if_of_a_catalogue_and_of_a_message_agree(event: str, catalog: Path, home: Path, output: Path) -> None:
    few = ("--hours", "0.1:0.3:6", "--dv-m-s=-0.2:0.2:5", "--days", 0, "--format", "csv")
    stored = rows(run(home, "what-if", event, *few))
    looked = rows(run(home, "what-if", event, "--catalog", catalog, *few))
    message = rows(run(home, "what-if", output / "cdm" / f"{event}.cdm", *few))
    for one, two, three in zip(stored, looked, message, strict=True):
        assert float(two["miss_km"]) == pytest.approx(float(one["miss_km"]), rel=1e-6)
        assert float(two["pc"]) == pytest.approx(float(one["pc"]), rel=1e-4)
        assert float(three["miss_km"]) == pytest.approx(float(one["miss_km"]), abs=2e-5)  # messages round to 0.01 m
        assert three["hbr_m"] == one["hbr_m"]
    shown = run(home, "what-if", event, *few[:-2])
    assert shown.stdout.startswith(LABEL)
    assert "not screened again" in shown.stderr


def test_what_cannot_be_tried_is_said(event: str, home: Path) -> None:
    with pytest.raises(InputError, match="neither a file nor an event"):
        run(home, "what-if", "nonsense")
    with pytest.raises(StoreError, match="no event"):
        run(home, "what-if", "1-2-20250101T000000.000")
    with pytest.raises(InputError, match="not an object of the event"):
        run(home, "what-if", event, "--burns", "3")
    assert run(home, "what-if", event, "--hours", "6:1").exit_code == 2
    assert run(home, "what-if", event, "--hours", "0:6").exit_code == 2
    assert run(home, "what-if", event, "--maneuver", "0.1").exit_code == 2


def test_a_message_on_curved_paths_and_when_it_was_made(data: Path) -> None:
    (file,) = (data / "cdm/cara").glob("000032060_conj_000049574_20220227*.cdm")
    told = CliRunner().invoke(cli, ["what-if", str(file), "--hours", "1:200:5"], catch_exceptions=False)
    assert "Straight paths are doubtful here: with curved ones Pc is 1.4e-04 (2D-Nc)" in told.stdout
    (early,) = (data / "cdm/cara").glob("OmitronTestCase_Test01_HighPc.cdm")
    made = CliRunner().invoke(cli, ["what-if", str(early), "--format", "json"], catch_exceptions=False)
    burns = json.loads(made.stdout)["smallest_burns"]
    assert burns
    assert max(one["hours_before"] for one in burns) < 42.5, "the message came 42.4 h before"


def test_a_catalogue_of_another_time_is_refused(data: Path, catalog: Path, home: Path) -> None:
    (message,) = (data / "cdm/cara").glob("000028654_conj_000041835_20220106*.cdm")
    few = ("--catalog", catalog, "--dv-m-s=-0.2:0.2:5", "--hours", "1:6:6", "--maneuver", "0.01@3", "--days", 0.1)
    with pytest.raises(InputError, match="young enough for the event") as refused:
        run(home, "what-if", message, *few)
    assert "--max-age-day" in str(refused.value)
    taken = run(home, "what-if", message, *few, "--max-age-day", 3650)
    assert "no burn (without the event)" in taken.stdout
    assert "the event itself is not among the approaches" in taken.stdout


def test_no_burn_before_the_event_was_known(event: str, catalog: Path, table: GpTable, home: Path) -> None:
    tca_us = parse_utc(
        f"{event[-19:-15]}-{event[-15:-13]}-{event[-13:-11]}T{event[-10:-8]}:{event[-8:-6]}:{event[-6:]}"
    )
    pair = np.isin(table.norad_id, [int(one) for one in event.split("-")[:2]])
    for more, from_us in ((), EPOCH_US), (("--catalog", catalog), int(table.epoch_us[pair].max())):
        known_h = (tca_us - from_us) / 3.6e9
        told = run(home, "what-if", event, *more, "--hours", "0.01:48:9", "--days", 0, "--target-pc", "1e-9")
        assert f"earlier than {known_h:.3g} h before are left out" in told.stdout
        surface = rows(run(home, "what-if", event, *more, "--hours", "0.01:48:9", "--days", 0, "--format", "csv"))
        assert max(float(row["hours_before"]) for row in surface) == pytest.approx(known_h, abs=1e-6)


def test_a_burn_that_is_asked_for_lies_after_the_event_was_known(event: str, home: Path) -> None:
    few = ("what-if", event, "--hours", "0.1:0.3:6", "--dv-m-s=-0.2:0.2:5", "--days", 0)
    with pytest.raises(
        InputError, match=r"would come before the event was known \[field --maneuver = '0.05@200'"
    ) as no:
        run(home, *few, "--maneuver", "0.05@200")
    assert "hours before the closest approach (the start of its run's window" in str(no.value)
    with pytest.raises(InputError, match="all burns would come before"):
        run(home, *few[:3], "190:200", "--days", 0)
    told = run(home, *few, "--maneuver", "0.2@0.3")
    (line,) = [line for line in told.stdout.splitlines() if line.startswith("With +0.2000 m/s, 0.3 h before, ")]
    surface = rows(run(home, *few, "--format", "csv"))
    (same,) = [row for row in surface if float(row["hours_before"]) == 0.3 and float(row["dv_m_s"]) == 0.2]
    assert f"the miss is {float(same['miss_km']):.3f} km, Pc {float(same['pc']):.1e}." in line
    for wrong in ("0.05@-3", "0.05@0", "nan@3", "500@3"):
        assert run(home, *few, "--maneuver", wrong).exit_code == 2


def test_who_burns_and_which_times_have_none_is_said(event: str, home: Path) -> None:
    few = ("what-if", event, "--hours", "0.1:0.3:6", "--dv-m-s=-0.0001:0.0001:5", "--days", 0, "--target-pc", "1e-12")
    told = run(home, *few)
    assert "No burn is enough forwards up to 0.0001 m/s" in told.stdout
    assert " burns: the first of the two" in told.stdout
    assert " burns: as asked for." in run(home, *few, "--burns", 2).stdout


def test_the_range_is_that_of_what_helps(event: str, home: Path) -> None:
    told = ("what-if", event, "--hours", "0.5:1:6", "--days", 0, "--target-pc", "1e-7")
    wide = [abs(float(row["dv_m_s"])) for row in rows(run(home, *told, "--dv-m-s=-0.2:0.2", "--format", "csv"))]
    own = [abs(float(row["dv_m_s"])) for row in rows(run(home, *told, "--format", "csv"))]
    burns = json.loads(run(home, *told, "--format", "json").stdout)["smallest_burns"]
    assert max(wide) == pytest.approx(0.2)
    assert max(own) == pytest.approx(0.2) if not burns else max(own) != pytest.approx(0.2)
    assert all(abs(burn["dv_m_s"]) <= max(own) for burn in burns)
