"""From a training run to a calibrated model, judged and recorded."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from orbwatch import views_learn
from orbwatch.errors import InputError
from orbwatch.learn.judging import packing
from orbwatch.learn.judging.comparison import DECISION
from orbwatch.learn.judging.evaluation import SETS, Evaluation, Plan
from orbwatch.learn.samples.sequences import MANIFEST
from orbwatch.learn.samples.windows import GROUPS
from orbwatch.learn.training.train import train
from orbwatch.models.card import Card, read_card, write_card
from orbwatch.models.runtime import TrajectoryForecaster
from orbwatch.settings import Settings
from orbwatch.settings_groups import NetworkSettings, TrainSettings

from ..small_store import write_store

NETWORK = NetworkSettings(width=8, heads=2, layers=1, feedforward=8)
QUICK = TrainSettings(epochs=1, batch=64, horizons=4, windows=64, threads=1, device="cpu")
PLAN = Plan(draws=1, bootstrap=20, threads=1)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packing")
    write_store(folder / "data")
    train(folder / "data", folder / "run", NETWORK, QUICK)
    return folder / "run"


def test_a_run_becomes_a_calibrated_model(run: Path, tmp_path: Path) -> None:
    stale = tmp_path / "model" / "conformal.json"
    stale.parent.mkdir()
    stale.write_text("of another model")
    card = packing.pack([run], run.parent / "data", tmp_path / "model", lambda *_: None, name="small", plan=PLAN)
    assert json.loads(json.dumps(asdict(card))) == asdict(read_card(tmp_path / "model"))
    assert card.data["windows"] == 64
    assert card.data["samples_an_epoch"] >= 64
    assert {"data_sha256", "dataset", "code_sha256"} <= card.data.keys()
    assert card.coverage["calibrated_on"]["unit"] == PLAN.unit
    assert card.coverage["decided_on"]["objects"] > 0
    assert card.coverage["calibrated_on"]["data_sha256"] == card.data["data_sha256"]
    json.dumps(card.coverage, allow_nan=False)
    radii = TrajectoryForecaster.load(tmp_path / "model").radii
    assert radii is not None
    np.testing.assert_array_equal(radii.horizon_s, 60.0 * np.arange(1.0, 31.0))
    decision = packing.decision_of(card)
    assert tuple(decision) == DECISION
    assert decision["regime"] == list(GROUPS)
    assert [group for group, ships in zip(GROUPS, decision["ships"], strict=True) if not ships] == card.fallback
    assert set(decision["reason"]) >= {"no windows to judge by"}


def test_a_card_without_reasons_still_says_where_it_ships() -> None:
    card = Card("m", "trajectory", "", "", {}, {}, 1, 1, [], [], "", fallback=["GEO"])
    decision = packing.decision_of(card)
    assert decision["ships"] == [group != "GEO" for group in GROUPS]
    assert np.isnan(decision["ratio"]).all()


def test_data_that_do_not_fit_leave_no_model(run: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_store(data, seed=2)
    with pytest.raises(InputError, match="not the data that"):
        packing.pack([run], data, tmp_path / "model", lambda *_: None, plan=PLAN)
    assert not (tmp_path / "model").exists()


def test_training_ends_well_where_no_model_can_be_packed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, output = tmp_path / "data", tmp_path / "run"
    write_store(data, objects=8, rows=60)
    manifest = json.loads((data / MANIFEST).read_text())
    manifest["splits"]["calibration"] = []
    (data / MANIFEST).write_text(json.dumps(manifest))
    settings = Settings(network=NETWORK, train=QUICK)
    views_learn.train_trajectory(data, output, settings, False, lambda *_: None)
    said = capsys.readouterr().err
    assert "no model was packed of it: " in said
    assert "no window" in said
    assert (output / "best.ckpt").exists()
    assert not (output / "model").exists()


def test_a_report_is_written_before_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise InputError("the model's card cannot be written")

    monkeypatch.setattr("orbwatch.learn.judging.evaluate.evaluate", lambda *_: None)
    monkeypatch.setattr("orbwatch.learn.judging.packing.record", refused)
    written: list[Path] = []
    monkeypatch.setattr("orbwatch.report.evaluation.write_report", lambda _, output: written.append(output))
    monkeypatch.setattr("orbwatch.report.evaluation.lead", lambda _: "")
    with pytest.raises(InputError, match="card"):
        views_learn.evaluate_trajectory(tmp_path, tmp_path, tmp_path, tmp_path / "report", lambda *_: None)
    assert written == [tmp_path / "report"]


def test_figures_go_into_the_card(tmp_path: Path) -> None:
    write_card(Card("m", "trajectory", "", "", {}, {}, 1, 1, [], [], "", coverage={"decided_on": {}}), tmp_path)
    row = {"set": "flown", "quantity": "position", "forecaster": "shipped", "regime": "LEO", "horizon_min": 30.0}
    error = row | {"median": 0.1234, "p95": 0.5}
    ratio = row | {"reference": "least_squares", "ratio": 0.5, "ratio_low": 0.4, "ratio_high": 0.6}
    ratio |= {"windows": 10, "objects": 2}
    where = {"set": "flown", "source": "shipped", "kind": "conformal"}
    cells = [
        where | {"regime": "LEO", "horizon_min": h, "coverage": c} for h, c in ((0.0, 0.8), (1.0, 0.9), (2.0, 0.91))
    ]
    worst = [where | {"within": 1, "cells": 2}, where | {"kind": "conformal by object", "within": 0, "cells": 2}]
    tables = [[{"set": "flown"}], [error], [ratio], [], cells, [], worst, [], []]
    evaluation = Evaluation({}, *({key: [r[key] for r in rows] for key in (rows or [{}])[0]} for rows in tables), {})
    packing.record(evaluation, tmp_path)
    card = read_card(tmp_path)
    assert card.figures["flown"]["LEO"]["median_m"] == 123.4
    assert card.figures["flown"]["LEO"]["ratio_to_least_squares"] == [0.5, 0.4, 0.6]
    measured = card.coverage["measured"]["flown"]
    assert measured["LEO"] == {"least": 0.9, "greatest": 0.91, "joint": 0.8}
    assert (measured["cells_within"], measured["cells_within_by_object"]) == ([1, 2], [0, 2])
    assert card.coverage["decided_on"] == {}
    assert "flown" in SETS
