"""Predicted approaches: read, grouped, told the same whichever way they are written down, without a look ahead."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from orbwatch.errors import InputError
from orbwatch.learn.samples.collision_asks import FEATURES, ask, newest_rows
from orbwatch.learn.samples.collision_plane import encounter_plane
from orbwatch.learn.samples.collision_predictions import Predictions, group_events, read_predictions
from orbwatch.learn.samples.collision_splits import PARTS, split_events
from orbwatch.learn.samples.collision_truth import BEYOND, DROPPED, LISTED, UNKNOWN, find_ends, targets

from ..collision_world import DAY_US, START_US, approach, write_predictions


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("collision") / "predictions.parquet"
    write_predictions(path)
    return path


@pytest.fixture(scope="module")
def table(file: Path) -> Predictions:
    return read_predictions(file)


def test_events_are_told_apart_and_in_order(table: Predictions) -> None:
    assert 300 < table.event[-1] < 400  # some are never within the list
    order = np.lexsort((table.generated_us, table.event))
    assert (order == np.arange(len(table))).all()
    for event in (0, 17, 200):
        rows = table.event == event
        assert np.ptp(table.tca_us[rows]) < 1_000_000
        assert (table.pair[rows] == table.pair[rows][0]).all()


def test_csv_and_aware_times_read_the_same(file: Path, table: Predictions, tmp_path: Path) -> None:
    frame = pl.read_parquet(file)
    frame.write_csv(tmp_path / "p.csv")
    frame.with_columns(pl.col("tca", "generated").dt.replace_time_zone("UTC")).write_parquet(tmp_path / "p.parquet")
    for name in ("p.csv", "p.parquet"):
        other = read_predictions(tmp_path / name)
        assert (other.tca_us == table.tca_us).all()
        assert other.r_km == pytest.approx(table.r_km)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [("rx", np.nan, "rx"), ("vy", 400.0, "vy"), ("norad1", -3, "norad1"), ("alt_km", -7000.0, "alt_km")],
)
def test_a_bad_value_is_named(file: Path, tmp_path: Path, column: str, value: float, told: str) -> None:
    frame = pl.read_parquet(file)
    values = frame[column].to_list()
    values[11] = value
    frame.with_columns(pl.Series(column, values)).write_parquet(tmp_path / "bad.parquet")
    with pytest.raises(InputError, match=rf"line 12: .*{told}"):
        read_predictions(tmp_path / "bad.parquet")


def test_bad_files_are_refused(file: Path, tmp_path: Path) -> None:
    frame = pl.read_parquet(file)
    bad = tmp_path / "bad.parquet"
    frame.drop("vz", "tca").write_parquet(bad)
    with pytest.raises(InputError, match=r"columns are missing .*tca, vz"):
        read_predictions(bad)
    frame.head(0).write_parquet(bad)
    with pytest.raises(InputError, match="no prediction"):
        read_predictions(bad)
    frame.with_columns(tca=pl.lit("yesterday")).write_parquet(bad)
    with pytest.raises(InputError, match="line 1: not a time"):
        read_predictions(bad)
    frame.with_columns(range_km=pl.lit(9000.0)).write_parquet(bad)
    with pytest.raises(InputError, match="range_km"):
        read_predictions(bad)
    bad.write_text("norad1")
    with pytest.raises(InputError, match="cannot be read"):
        read_predictions(bad)
    with pytest.raises(InputError, match="no such file"):
        read_predictions(tmp_path / "none.parquet")


def test_an_early_object_moves_side_and_tca_as_it_should() -> None:
    early = np.array((0.0, 0.01))
    r, v, shift = approach(np.array((1.0, 1.0)), 2.0, early)
    plane = encounter_plane(np.array([[1, 2], [1, 2]]), r, v, np.full(2, 1000.0))
    assert plane.height_km == pytest.approx(1.0)
    assert abs(plane.side_km[0]) == pytest.approx(2.0)
    assert np.diff(plane.side_km)[0] == pytest.approx(plane.swing_km_s[0] * 0.01, rel=1e-3)
    assert np.diff(shift)[0] == pytest.approx(-0.5 * 0.01, rel=1e-3)


def test_the_other_name_first_and_the_other_axes_are_the_same_approach() -> None:
    """1 minus 2 in the axes of 1, 2 minus 1 in those of 2, and 1 minus 2 in the axes of 2."""
    r, v, _ = approach(np.array((1.0,)), 2.0, np.zeros(1))
    # Both objects are at one place and level: object 2's axes have the same radial; its along is object 1's cross.
    turned = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
    alt = np.full(1, 1000.0)
    told = [
        encounter_plane(np.array([[1, 2]]), r, v, alt),
        encounter_plane(np.array([[2, 1]]), -r @ turned.T, -v @ turned.T, alt),
        encounter_plane(np.array([[1, 2]]), r @ turned.T, v @ turned.T, alt),
    ]
    for other in told[1:]:
        for name in ("height_km", "side_km", "swing_km_s", "crossing", "up"):
            assert getattr(other, name) == pytest.approx(getattr(told[0], name), abs=1e-9), name


def test_nothing_made_later_is_looked_at(table: Predictions, file: Path) -> None:
    row = newest_rows(table, 2.0)
    assert (table.lead_day[row] >= 2.0).all()
    told = ask(table, row)
    past = read_predictions(file, at_lead_day=2.0)
    assert past.lead_day.min() >= 2.0
    assert ask(past, newest_rows(past, 2.0)).features == pytest.approx(told.features)


def test_a_mirrored_approach_asks_the_same(table: Predictions) -> None:
    """Seen from below, with both objects changed over: the same numbers go into the network."""
    mirrored = replace(table, norad=table.norad[:, ::-1], r_km=-table.r_km, v_km_s=-table.v_km_s)
    swapped = ask(mirrored, newest_rows(table, 2.0))
    told = ask(table, newest_rows(table, 2.0))
    assert (told.now_km[:, 0] >= 0.0).all()
    assert np.isfinite(told.features).all()
    assert swapped.features[:, FEATURES.index("miss")] == pytest.approx(told.features[:, FEATURES.index("miss")])


def test_a_trend_carried_on_is_the_change_to_come(table: Predictions) -> None:
    asks = ask(table, newest_rows(table, 3.0))
    change, _, _ = targets(table, find_ends(table), asks)
    known = np.isfinite(change[:, 0]) & (asks.trend_km[:, 2, 0] != 0.0)
    assert np.abs(change[known, 0]).mean() > 0.05
    assert asks.trend_km[known, 2, 0] == pytest.approx(change[known, 0], abs=0.03)


def test_another_clock_is_no_change_of_the_orbit(table: Predictions) -> None:
    row = newest_rows(table, 2.0)
    tca = table.tca_us.copy()
    tca[row - 1] += 16_000_000
    told, plain = (ask(one, row) for one in (replace(table, tca_us=tca), table))
    assert np.abs(told.trend_km[:, :, 2]).max() < 1.0
    assert told.trend_km[:, :, :2] == pytest.approx(plain.trend_km[:, :, :2], rel=1e-2, abs=1e-3)


def _one(made_day: list[float], miss_km: list[float], run_day: float = 1.0) -> Predictions:
    """One event of objects 1 and 2 with TCA at START, and another pair's after-the-fact row `run_day` later."""
    rows = [
        (1, 2, START_US, START_US + int(day * DAY_US), miss, 7 if day < 0 else 1)
        for day, miss in zip(made_day, miss_km, strict=True)
    ]
    rows.append((3, 4, START_US + int((run_day - 0.1) * DAY_US), START_US + int(run_day * DAY_US), 1.0, 1))
    names = ("norad1", "norad2", "tca", "generated", "rx", "horizon_days")
    frame = pl.DataFrame(rows, schema=names, orient="row")
    still = dict.fromkeys(("ry", "rz", "vx"), pl.lit(0.0))
    return group_events(frame.with_columns(**still, vy=pl.lit(7.0), vz=pl.lit(7.0), alt_km=pl.lit(800.0)))


@pytest.mark.parametrize(
    ("table", "state", "miss"),
    [
        (_one([-2.0, 0.5], [1.0, 1.5]), LISTED, 1.5),
        (_one([-2.0, -1.0], [4.5, 4.9]), BEYOND, np.inf),
        (_one([-2.0, -1.0], [2.5, 2.4]), DROPPED, np.nan),
        (_one([-2.0, -1.0], [4.5, 4.9], run_day=3.0), UNKNOWN, np.nan),
    ],
)
def test_what_became_of_an_event(table: Predictions, state: int, miss: float) -> None:
    ends = find_ends(table)
    assert ends.state[0] == state
    assert ends.miss_km(table)[0] == pytest.approx(miss, nan_ok=True)


def test_parts_follow_one_another_and_share_no_row(table: Predictions) -> None:
    day = 1_000_000 * 86_400
    edges = tuple(START_US + days * day for days in (60, 80, 105))
    splits = split_events(table, edges, 0.3)
    for early, late in pairwise(PARTS[:4]):
        before, after = (splits.part[table.event] == PARTS.index(name) for name in (early, late))
        assert table.tca_us[before].max() < table.generated_us[after & (table.lead_day < 6.9)].min() + 2 * day
        assert table.tca_us[before].max() < table.tca_us[after].min() - 7 * day
    back = splits.kept_back[table.event]
    assert not (back & (splits.part[table.event] < 3)).any()
    assert (back & (splits.part[table.event] == 3)).any()
