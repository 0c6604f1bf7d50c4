"""The packaged forecaster against truths that are known: orbits and sets made of the same simulated objects."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from orbwatch.catalog.gp import NO_TIME, GpTable
from orbwatch.catalog.history import write_history
from orbwatch.catalog.precise import PreciseOrbit
from orbwatch.cli import cli
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.frames import teme_to_itrf
from orbwatch.learn.judging.catalog_noise import noise_between_km, noise_floor_km, with_noise
from orbwatch.learn.judging.catalog_other_truth import Asked, judge_other, other_windows
from orbwatch.learn.judging.catalog_precise import check_rows, judge_precise, known_orbits, precise_windows
from orbwatch.learn.judging.catalog_scores import MEASURED, CatalogScores, measured
from orbwatch.learn.judging.metrics import rows_of
from orbwatch.models.catalog_runtime import CatalogForecaster
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.time import format_utc, us_to_jd

from ...catalog.orbit_files import sp3_text
from ..wandering import wandering

TABLE = wandering(objects=12, sets=75)
OWN = replace(TABLE, seen_us=np.full(len(TABLE), NO_TIME))
FIRST_US = int(TABLE.epoch_us.min())
SPAN_US = FIRST_US + np.arange(0, 5 * 1440, 2) * 60_000_000 + 18 * DAY_US


def orbit_of(which: int, times_us: np.ndarray = SPAN_US, label: str = "L01") -> PreciseOrbit:
    """What the object's set in the middle of the span says, as a precise orbit."""
    norad_id = np.unique(TABLE.norad_id)[which]
    own = TABLE[TABLE.norad_id == norad_id]
    row = np.full(len(times_us), np.abs(own.epoch_us - times_us.mean()).argmin())
    r = Sgp4Catalog(own).at(row, FIRST_US, (times_us - FIRST_US) / 1e6)[0]
    return PreciseOrbit(label, ("x",), times_us, teme_to_itrf(r, np.zeros_like(r), *us_to_jd(times_us))[0])


@pytest.fixture(scope="module")
def model() -> CatalogForecaster:
    return CatalogForecaster.load("catalog")


def test_an_orbit_finds_its_object_and_a_strange_one_none() -> None:
    lost = orbit_of(3, label="L09")
    lost = replace(lost, r_itrf_km=1.3 * lost.r_itrf_km)
    early = replace(orbit_of(5, label="L10"), times_us=SPAN_US - 400 * DAY_US)
    known, strange = known_orbits([orbit_of(3), lost, orbit_of(7), early], OWN)
    assert [each.norad_id for each in known] == np.unique(TABLE.norad_id)[[3, 7]].tolist()
    assert [each.label for each in strange] == ["L09", "L10"]
    assert (np.diff(known[0].table.epoch_us) > 0).all()


def test_sgp4_at_the_epochs_comes_first() -> None:
    known, _ = known_orbits([orbit_of(3)], OWN)
    row = rows_of(check_rows(known), orbit="L01")[0]
    assert row["sets"] == 15
    assert 0.0 < row["epoch_median_m"] < 10_000.0
    assert row["interpolation_m"] < 1.0
    # An hour of time mistaken is no small thing.
    shifted = replace(known[0], orbit=replace(known[0].orbit, times_us=SPAN_US + 60_000_000))
    assert rows_of(check_rows([shifted]))[0]["epoch_median_m"] > 50_000.0


def test_askings_see_what_was_public_and_truth_is_the_orbit() -> None:
    known, _ = known_orbits([orbit_of(3)], OWN)
    windows, truth = precise_windows(known[0])
    late, _ = precise_windows(known[0], DAY_US)
    assert (windows.lag_day >= 0.0).all()
    assert (windows.lag_day < 0.34).all()
    assert (late.lag_day >= 1.0).all()
    at_us = windows.asked_us[:, None] + np.rint(windows.horizon_day * DAY_US).astype(np.int64)
    inside = (at_us >= SPAN_US[0]) & (at_us <= SPAN_US[-1])
    np.testing.assert_array_equal(np.isfinite(truth).all(axis=2), inside)
    assert inside.any(axis=1).all()


def test_the_table_against_orbits(model: CatalogForecaster) -> None:
    known, _ = known_orbits([orbit_of(3), orbit_of(7, label="L02")], OWN)
    found = judge_precise(model, known)
    assert set(found["orbit"]) == {"L01", "L02", "all"}
    assert tuple(found)[3:] == MEASURED
    both = [rows_of(found, orbit=name, day=1.0)[0]["truths"] for name in ("L01", "L02")]
    together = rows_of(found, orbit="all", day=1.0)[0]
    assert together["truths"] == sum(both)
    assert together["inside_50"] <= together["inside_90"] <= together["inside_99"]
    assert together["ratio_low"] <= together["ratio"] <= together["ratio_high"]
    assert together["sgp4_median_m"] > 1.0


def test_sets_of_another_file_are_the_truth_and_nothing_else(model: CatalogForecaster) -> None:
    """With the truth moved, errors move; what the forecasts see stays."""
    asked = Asked(FIRST_US + 18 * DAY_US)
    before, after = OWN[OWN.epoch_us <= asked.at_us], OWN[OWN.epoch_us > asked.at_us]
    windows, truth = other_windows(before, after, asked)
    assert len(windows) == 12
    away = np.linalg.norm(truth - windows.rv_teme_km[..., :3], axis=2)
    assert np.nanmedian(away) < 50.0
    turned = replace(after, raan_deg=np.mod(after.raan_deg + 10.0, 360.0))
    same, far = other_windows(before, turned, asked)
    np.testing.assert_array_equal(same.shift, windows.shift)
    assert np.nanmedian(np.linalg.norm(far - same.rv_teme_km[..., :3], axis=2)) > 10.0 * np.nanmedian(away)
    found = judge_other(model, windows, truth, {}, least=3)
    assert set(found["kind"]) == {"all", "unnamed"}
    assert set(found["day"]) <= {float(day) for day in range(1, 8)}
    everything = rows_of(found, regime="all", day=2.0)[0]
    assert everything["clusters"] == 12


def test_one_single_set_is_enough(model: CatalogForecaster) -> None:
    asked = Asked(FIRST_US + 18 * DAY_US)
    last = OWN[OWN.epoch_us <= asked.at_us].newest()
    windows, truth = other_windows(last, OWN[OWN.epoch_us > asked.at_us + 3 * DAY_US].newest(), asked)
    assert np.isfinite(windows.age_day).sum(axis=1).tolist() == [1] * 12
    assert (np.isfinite(truth[..., 0]).sum(axis=1) == 1).all()
    found = judge_other(model, windows, truth, {}, least=1)
    assert "without a past" in found["behaviour"]


def test_truths_that_cannot_be() -> None:
    with pytest.raises(InputError, match="no element sets"):
        other_windows(OWN, OWN[:0], Asked(FIRST_US))
    with pytest.raises(InputError, match="no set after the asking"):
        other_windows(OWN, OWN, Asked(int(OWN.epoch_us.max()) + 1))
    with pytest.raises(InputError, match="no object"):
        other_windows(OWN, replace(OWN, norad_id=OWN.norad_id + 1), Asked(FIRST_US + DAY_US))


def test_asked_again_and_again_within_the_truth() -> None:
    truth = OWN[OWN.epoch_us > FIRST_US + 18 * DAY_US]
    times = Asked(None).times_us(OWN, truth)
    assert (times >= FIRST_US + 10 * DAY_US).all()
    assert (times < OWN.epoch_us.max()).all()
    assert (np.diff(times) > 0).all()
    windows, _ = other_windows(OWN, truth, Asked(None))
    assert set(windows.asked_us.tolist()) <= set(times.tolist())


def test_a_region_that_is_missing_holds_nothing() -> None:
    error = np.array([[1.0], [3.0], [2.0], [np.nan]])
    inside = np.ones((4, 1, 3), np.bool_)
    inside[0, 0, 0] = False
    axis = np.array([[2.0], [np.inf], [4.0], [1.0]])
    numbers = np.arange(4)
    scores = CatalogScores(error, 2.0 * error, inside, axis, numbers, numbers)
    row = dict(zip(MEASURED, measured(scores, np.ones((4, 1), np.bool_)) or [], strict=True))
    assert (row["truths"], row["clusters"]) == (3, 3)
    assert row["median_m"] == 2000.0
    assert row["ratio"] == 0.5
    assert (row["inside_50"], row["inside_90"]) == (0.5, 1.0)
    assert row["no_region"] == pytest.approx(1.0 / 3.0)
    assert row["axis_90_m"] == 3000.0
    assert measured(scores, np.zeros((4, 1), np.bool_)) is None
    assert measured(scores, np.ones((4, 1), np.bool_), least=4) is None


def test_the_noise_floor_is_what_neighbours_differ_by() -> None:
    names = {int(each): "COSMOS DEB" for each in np.unique(TABLE.norad_id)}
    floor = noise_floor_km(TABLE, names)
    assert set(floor["kind"]) == {"all", "passive"}
    assert sum(rows["pairs"] for rows in rows_of(floor, kind="all")) == 12 * 74
    # Ten times the wandering, about ten times the noise.
    middle = np.repeat(np.array([[0.0, 1.0]]), len(TABLE) // 2 + 1, axis=0).ravel()[: len(TABLE)]
    wild = replace(TABLE, mean_anomaly_deg=np.mod(TABLE.mean_anomaly_deg + middle, 360.0))
    more = noise_floor_km(wild, names)
    assert min(more["noise_median_km"]) > 10.0 * min(floor["noise_median_km"])
    joined = with_noise({"regime": [floor["regime"][0], "nowhere"], "kind": ["all", "all"], "x": [1, 2]}, floor)
    assert joined["noise_km"][0] == floor["noise_median_km"][0]
    assert np.isnan(joined["noise_km"][1])


def test_noise_between_two_tables_leaves_out_the_same_set() -> None:
    odd = np.arange(len(TABLE)) % 2 == 0
    between = noise_between_km(TABLE[odd], TABLE[~odd])
    assert sum(rows["pairs"] for rows in rows_of(between, kind="all")) > 400
    same = noise_between_km(TABLE, TABLE)
    assert same["pairs"] == []
    assert noise_between_km(TABLE, TABLE[:0])["pairs"] == []


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, ["evaluate", "catalog", *map(str, words)])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("truths")
    write_history(OWN, place / "history.parquet")
    asked_us = FIRST_US + 18 * DAY_US
    write_history(OWN[OWN.epoch_us <= asked_us], place / "before.parquet")
    write_history(OWN[OWN.epoch_us > asked_us], place / "after.parquet")
    (place / "ids").write_text(" ".join(map(str, np.unique(OWN.norad_id)[:5])))
    (place / "orbits").mkdir()
    orbit = orbit_of(3)
    (place / "orbits" / "a.sp3").write_text(
        sp3_text(SPAN_US, {"L01": orbit.r_itrf_km, "L02": 2 * orbit.r_itrf_km}, "UTC")
    )
    (place / "orbits" / "readme").write_text("no orbit")
    return place


def test_the_verb_with_precise_orbits(files: Path) -> None:
    words = ("--truth", "precise", "--orbits", files / "orbits", "--history", files / "history.parquet")
    result = run(*words, "--delay-h", 6, "--format", "json")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert {row["orbit"] for row in rows} == {"L01"}
    assert "no element sets at the time of 1 orbits: L02" in result.stderr
    assert "readme" in result.stderr
    assert "epoch_median_m" in result.stderr
    assert "ratio_p90" in run(*words).stdout
    lost = run("--truth", "precise", "--orbits", files / "orbits", "--history", files / "before.parquet")
    assert lost.exit_code == 0 or "at the time" in str(lost.exception)


def test_the_verb_with_sets_of_another_file(files: Path) -> None:
    words = ("--truth", "other", "--later", files / "after.parquet", "--history", files / "before.parquet")
    result = run(*words, "--at", format_utc(FIRST_US + 18 * DAY_US), "--format", "json")
    assert result.exit_code == 0, result.output
    # Twelve objects, and rows of thirty truths: a day or more of nodes together.
    assert {row["regime"] for row in json.loads(result.stdout)} == {"all"}
    few = run(*words, "--ids", files / "ids", "--format", "csv")
    assert few.exit_code == 0, few.output
    assert few.stdout.startswith("regime,kind,behaviour,day,truths")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--truth", "precise"), "needs --orbits"),
        (("--truth", "other"), "needs --later"),
        ((), "needs --data"),
        (("--data", "x", "--at", "2026-01-01"), "--at goes with --truth other"),
        (("--truth", "precise", "--orbits", "x", "--ids", "x"), "--ids goes with --truth other"),
        (("--truth", "other", "--later", "x", "--delay-h", "3"), "--delay-h goes with --truth precise"),
    ],
)
def test_options_that_do_not_go_together(words: tuple[str, ...], said: str) -> None:
    result = run("--history", "x", *words)
    assert result.exit_code == 2
    assert said in result.output


def test_real_orbits_are_where_sets_say(data: Path, model: CatalogForecaster, tmp_path: Path) -> None:
    """TOPEX, Jason-1 and Jason-2: frames and times hold, and ours is about as good as SGP4 or better."""
    from orbwatch.catalog.files import read_gp
    from orbwatch.catalog.history import clean_history
    from orbwatch.catalog.precise import read_precise

    table = GpTable.concat([read_gp(data / "maneuvers" / f"{n}.tle.xz").table for n in ("TOPEX", "Jason-1", "Jason-2")])
    for name in ("ssaja102*", "grgja203*", "grgtop03*", "*jason3*"):
        file = next((data / "precise_orbits").glob(name))
        (tmp_path / file.name).symlink_to(file)
    known, strange = known_orbits(read_precise(tmp_path)[0], clean_history(table).table)
    assert sorted(each.norad_id for each in known) == [22076, 26997, 33105]
    assert [each.label for each in strange] == ["jason3"]
    assert all(300.0 < m < 1200.0 for m in check_rows(known)["epoch_median_m"])
    together = rows_of(judge_precise(model, known), orbit="all")
    assert np.median([row["ratio"] for row in together]) <= 1.02
