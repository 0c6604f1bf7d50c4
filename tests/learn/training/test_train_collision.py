"""The collision predictor from a table to a calibrated model: untrained the latest prediction stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from click.testing import CliRunner

from orbwatch.cli import cli
from orbwatch.errors import InputError
from orbwatch.learn.judging.collision_judge import calibration_error, judge_collision
from orbwatch.learn.judging.collision_packing import pack_collision
from orbwatch.learn.samples.collision_asks import FEATURES
from orbwatch.learn.samples.collision_predictions import read_predictions
from orbwatch.learn.samples.collision_store import CollisionStore
from orbwatch.learn.training.train import Trained
from orbwatch.learn.training.train_collision import train_collision
from orbwatch.models.collision import CollisionNetwork
from orbwatch.models.collision_calibration import CollisionCalibration
from orbwatch.models.collision_loss import Truth, mixture_loss
from orbwatch.models.collision_runtime import CollisionPredictor
from orbwatch.models.trajectory import parameters
from orbwatch.settings_groups import PredictorSettings, TrainSettings

from ..collision_world import write_predictions

SIZES = PredictorSettings(width=16, timing_width=16, layers=2)
QUICK = TrainSettings(epochs=8, batch=128, learning_rate=1e-2, ema=0.9, threads=1, device="cpu")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("collision") / "predictions.parquet"
    write_predictions(path, events=700)
    return path


@pytest.fixture(scope="module")
def run(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train_collision(file, tmp_path_factory.mktemp("runs") / "one", SIZES, QUICK)


@pytest.fixture(scope="module")
def model(run: Trained, file: Path) -> Path:
    pack_collision([run.folder], file, run.folder / "model")
    return run.folder / "model"


def test_untrained_the_latest_prediction_stands() -> None:
    network = CollisionNetwork(PredictorSettings(), len(FEATURES))
    assert parameters(network) <= 56_000
    log_weight, mean, log_sigma, along = network(torch.randn(5, len(FEATURES)), torch.randn(5, 7, 3), torch.ones(5, 3))
    assert (mean == 0.0).all()
    assert torch.isfinite(log_sigma).all()
    assert log_weight.exp().sum(1).tolist() == pytest.approx([1.0] * 5)
    assert along.exp().sum(1).tolist() == pytest.approx([1.0] * 5)


def test_neither_where_nor_when_pulls_at_the_other() -> None:
    """Height and side have weights of their own, so that a shift in the tails moves nothing but the shift."""
    network = CollisionNetwork(SIZES, len(FEATURES))
    truth = Truth(torch.tensor([[0.1, 0.2, 9.0]]), torch.ones(1), torch.zeros(1, dtype=torch.bool), torch.zeros(1, 2))
    told = network(torch.randn(1, len(FEATURES)), torch.randn(1, 7, 3), torch.ones(1, 3))
    both, where = (mixture_loss(told, t, 0.01) for t in (truth, truth._replace(timed=torch.zeros(1))))
    (both - where).sum().backward()
    assert network.timing_head.bias.grad is not None
    assert network.timing_head.bias.grad.abs().sum() > 0.0
    assert network.place_head.bias.grad is None or float(network.place_head.bias.grad.abs().max()) < 1e-6


def test_an_event_beyond_the_list_costs_what_the_share_outside_says() -> None:
    told = (torch.zeros(2, 1), torch.zeros(2, 1, 3), torch.full((2, 1, 3), np.log(0.1)), torch.zeros(2, 1))
    now = torch.tensor([[0.1, 5.0], [0.1, 2.0]])
    truth = Truth(torch.zeros(2, 3), torch.ones(2), torch.ones(2, dtype=torch.bool), now)
    near, inside = mixture_loss(told, truth, 0.01).tolist()
    assert near == pytest.approx(-np.log(0.01 + 0.99 * 0.5), abs=0.02)
    assert inside == pytest.approx(-np.log(0.01), abs=0.01)


def test_it_learns_the_drift(run: Trained) -> None:
    assert run.figures["height_ratio"] < 0.3


def test_packed_it_forecasts_better_than_the_latest_and_its_interval_holds(model: Path, file: Path) -> None:
    store, predictor = CollisionStore.open(file), CollisionPredictor.load(model)
    judged = judge_collision(store, predictor, leads_day=(2.0,))
    rows = {(row.model, row.lead_day): row for row in judged if row.events == "all"}
    row = rows["predictor", 2.0]
    assert row.over_latest.estimate < 0.5
    assert row.tca_over_latest.estimate < 0.7
    assert 0.75 < row.inside.estimate <= 1.0
    assert row.brier <= rows["latest", 2.0].brier + 1e-6
    assert rows["latest", 2.0].over_latest.estimate == 1.0
    assert rows["latest", 2.0].ranked - 0.05 < row.ranked <= 1.0


def test_the_command_writes_what_is_asked_for(model: Path, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "told.parquet"
    asked = ["collision", "predict", "--predictions", str(file), "--at-lead-day", "2", "--model", str(model)]
    result = CliRunner().invoke(cli, [*asked, "--below-km", "2", "--format", "parquet", "--output", str(out)])
    assert result.exit_code == 0, result.output
    told = pl.read_parquet(out)
    low, middle, high = (told[f"miss_km_{name}"].to_numpy() for name in ("p05", "median", "p95"))
    assert ((low <= middle) & (middle <= high)).all()
    early, late = told["tca_shift_s_p05"].to_numpy(), told["tca_shift_s_p95"].to_numpy()
    assert (early <= late).all()
    assert (told["p_miss_below_1km"] <= told["p_miss_below_2km"] + 1e-6).all()
    assert told["lead_day"].min() >= 2.0
    assert len(told) == len(np.unique(read_predictions(file, 2.0).event))


def test_later_rows_change_no_answer(model: Path, file: Path, tmp_path: Path) -> None:
    frame = pl.read_parquet(file)
    day = pl.duration(days=1)
    frame.filter(pl.col("tca") - pl.col("generated") >= 3 * day).write_parquet(tmp_path / "early.parquet")
    predictor = CollisionPredictor.load(model)
    whole, early = (read_predictions(path) for path in (file, tmp_path / "early.parquet"))
    assert predictor.predict(whole, 3.0).miss_km == pytest.approx(predictor.predict(early, 3.0).miss_km, abs=1e-6)


def test_given_that_it_is_listed_the_miss_is_below_the_list(model: Path, file: Path) -> None:
    table, predictor = read_predictions(file), CollisionPredictor.load(model)
    given = predictor.predict(table, 5.0, within_km=5.0)
    plain = predictor.predict(table, 5.0)
    assert given.miss_km.max() <= 5.0
    assert plain.miss_km.max() > 5.0
    assert (given.below[1.0] >= plain.below[1.0] - 1e-6).all()


def test_a_calibration_moves_levels_to_where_truths_fell(tmp_path: Path) -> None:
    """Forecasts half as wide as they should be: their 5 % quantile must be taken further out."""
    rng = np.random.default_rng(1)
    lead = rng.uniform(1.0, 3.0, 20_000)
    place = rng.uniform(size=20_000) ** 2
    fitted = CollisionCalibration.fit(lead, np.column_stack((place, place)), np.full(20_000, np.nan))
    fitted.write(tmp_path)
    read = CollisionCalibration.read(tmp_path)
    assert read.miss_level(np.full(20_000, 0.5), lead) == pytest.approx(0.25, abs=0.02)
    assert read.miss_probability(np.full(20_000, 0.25), lead) == pytest.approx(0.5, abs=0.02)
    assert read.shift_level(np.full(3, 0.3), np.array((0.5, 2.5, 9.0))) == pytest.approx(0.3)
    (tmp_path / "calibration.json").write_text("{}")
    with pytest.raises(InputError, match="not a calibration"):
        CollisionCalibration.read(tmp_path)


def test_probabilities_that_are_what_they_say_have_no_calibration_error() -> None:
    told = np.repeat((0.05, 0.95), 1000)
    was = np.concatenate((np.arange(1000) % 20 == 0, np.arange(1000) % 20 != 0))
    assert calibration_error(told, was) == pytest.approx(0.0, abs=1e-9)
    assert calibration_error(np.ones(10), np.zeros(10, np.bool_)) == 1.0


def test_a_file_without_truth_teaches_nothing(file: Path, tmp_path: Path) -> None:
    frame = pl.read_parquet(file)
    frame.filter(pl.col("generated") < pl.col("tca")).write_parquet(tmp_path / "ahead.parquet")
    with pytest.raises(InputError, match="no event whose end is known"):
        CollisionStore.open(tmp_path / "ahead.parquet")
