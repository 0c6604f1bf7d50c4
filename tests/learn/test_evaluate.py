"""The whole evaluation with models whose worth is known, and its report."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from orbwatch.errors import InputError
from orbwatch.learn import evaluate
from orbwatch.learn.evaluation import SETS, Evaluation, Plan
from orbwatch.learn.evaluation_sets import quiet, series_of, with_burn
from orbwatch.learn.features import FEATURES, QUERY, inputs
from orbwatch.learn.forecasters import SOURCES, Predicted, Reference
from orbwatch.learn.judge import judge
from orbwatch.learn.metrics import rows_of
from orbwatch.learn.scaler import Scaler
from orbwatch.learn.windows import GROUPS, Windows
from orbwatch.models.card import Card
from orbwatch.models.trajectory import TrajectoryTransformer
from orbwatch.report.evaluation import lead, write_report
from orbwatch.settings_groups import NetworkSettings
from orbwatch.uncertainty.gaussian import GaussianForecast

from .evaluated import series
from .small_store import write_store

PLAN = Plan(draws=2, looks=2, bootstrap=40, threads=1)


class TowardsTruth:
    """Least squares moved by a share of its error; its covariance is scaled by `claims` squared."""

    sources = SOURCES[1:-1]
    whole = "ensemble"

    def __init__(self, share: float, claims: float) -> None:
        self.share, self.claims = share, claims

    def predict(self, windows: Windows, physics: Reference, source: str, seed: int) -> Predicted:
        assert source in SOURCES[1:]
        assert seed == PLAN.seed
        assert windows.truth_rv_km is not None
        moved = self.share * physics.to_rtn(windows.truth_rv_km)
        velocity = self.share * np.einsum(
            "nhij,nhj->nhi", physics.rtn, windows.truth_rv_km[..., 3:] - physics.rv_km[..., 3:]
        )
        gaussian = GaussianForecast(moved, self.claims**2 * physics.gaussian.cov_rtn_km2)
        return Predicted(physics.moved(moved, velocity), gaussian)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    models = {"baseline": TowardsTruth(0.0, 1.0), "scaled": TowardsTruth(0.5, 0.5)}
    said: list[tuple[str, float]] = []
    test, calibration = series(16, 1, burning=(1, 2, 4, 7)), series(16, 2)
    out = judge(test, calibration, models, PLAN, lambda stage, done: said.append((stage, done)))
    assert {stage for stage, done in said if done == 1.0} == {"calibrating", "errors and tests", "uncertainty"}
    return out


def test_errors_are_of_every_forecaster_and_in_order(evaluation: Evaluation) -> None:
    names = ["hold", "two_body", "j2_j4", "least_squares", "ukf", "baseline", "scaled", "shipped"]
    assert list(dict.fromkeys(evaluation.errors["forecaster"])) == names
    assert list(dict.fromkeys(evaluation.errors["set"])) == list(SETS)
    at = {"set": "sigma50", "quantity": "position", "regime": "LEO", "horizon_min": 30.0}
    median = {name: rows_of(evaluation.errors, forecaster=name, **at)[0]["median"] for name in names}
    assert median["hold"] > 1000.0 > median["two_body"] > median["least_squares"]
    assert median["baseline"] == pytest.approx(median["least_squares"], rel=1e-6)
    assert median["scaled"] == pytest.approx(0.5 * median["least_squares"], rel=1e-6)
    assert 0.01 < median["least_squares"] < 1.0


def test_comparisons_say_how_much_better(evaluation: Evaluation) -> None:
    for quantity in ("position", "velocity"):
        where = {"set": "stored", "quantity": quantity, "regime": "all", "horizon_min": 30.0}
        (row,) = rows_of(evaluation.comparisons, forecaster="scaled", reference="least_squares", **where)
        assert (row["ratio"], row["ratio_low"], row["ratio_high"]) == pytest.approx((0.5, 0.5, 0.5))
        assert row["wilcoxon_p"] < 0.01
        (row,) = rows_of(evaluation.comparisons, forecaster="scaled", reference="baseline", **where)
        assert row["ratio"] == pytest.approx(0.5)
    assert evaluation.fallback["regime"] == list(GROUPS)
    assert evaluation.fallback["ships"] == [True] * 4 + [False] * 4  # nothing disturbed to judge by


def test_burn_set_is_where_least_squares_is_far_off(evaluation: Evaluation) -> None:
    at = {"quantity": "position", "forecaster": "least_squares", "regime": "all", "horizon_min": 30.0}
    (quiet,), (burn,) = (rows_of(evaluation.errors, set=name, **at) for name in ("sigma50", "burn"))
    assert burn["median"] > 2.0 * quiet["median"]
    assert (burn["windows"], burn["objects"]) == (8, 4)


def test_coverage_of_honest_and_conformal_regions(evaluation: Evaluation) -> None:
    at = {"set": "stored", "regime": "all"}
    for kind in ("alone", "conformal"):
        for row in rows_of(evaluation.coverage, kind=kind, **at):
            if row["horizon_min"] > 0.0 and row["coverage"] < 1.0:
                assert 0.75 < row["coverage"] < 0.99
    (ratio,) = {round(row["axis_ratio"] / other["axis_ratio"], 4) for row, other in zip(
        rows_of(evaluation.coverage, source="ensemble", kind="alone", **at),
        rows_of(evaluation.coverage, source="least_squares", kind="alone", **at), strict=True)}  # fmt: skip
    assert ratio == 0.5
    assert set(evaluation.conformal) == set(SOURCES)
    assert list(dict.fromkeys(evaluation.pit["source"])) == list(SOURCES)
    assert np.mean(evaluation.pit["density"][0]) == pytest.approx(1.0)
    (row,) = rows_of(evaluation.scores, source="least_squares", kind="alone", **at)
    assert row["ece"] < 0.1
    assert row["crps_km"] < row["energy_km"]


def test_report_is_written_and_numbers_return(evaluation: Evaluation, tmp_path: Path) -> None:
    path = write_report(evaluation, tmp_path / "report")
    html = path.read_text()
    assert "Where the model ships" in html
    assert "ensemble + conformal" in html
    assert "0.50 times that of least squares (95 % interval 0.50 to 0.50)" in html
    stored = json.loads((tmp_path / "report" / "evaluation.json").read_text())
    again = Evaluation.from_dict(stored)
    assert lead(again) == lead(evaluation)
    assert again.errors["median"] == evaluation.errors["median"]


def test_model_folders_are_judged_and_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "run"
    (run / "model").mkdir(parents=True)
    (run / "metrics.csv").write_text("step,epoch,train_loss,val_loss\n1,0.5,2.0,\n2,1.0,1.5,1.75\n")
    write_checkpoint(run / "best.ckpt")
    store = write_store(tmp_path / "data")
    card = Card("m", "trajectory", "2026-01-01T00:00:00Z", "0", {}, {}, 7, 1, [], [], "", data={"windows": 88})
    loaded = SimpleNamespace(card=card)
    monkeypatch.setattr(evaluate.TrajectoryForecaster, "load", lambda *_: loaded)
    monkeypatch.setattr(evaluate, "Model", lambda _: TowardsTruth(0.0, 1.0))
    monkeypatch.setattr(evaluate, "series_of", lambda _, split: series(8, len(split)))
    arguments = tmp_path / "elsewhere", run / "model", store.folder, tmp_path / "report"
    found = evaluate.evaluate(*arguments, lambda *_: None, PLAN)
    assert found.facts["scaled model"].startswith("m: 1 network of 7 parameters, trained on 88 windows")
    assert found.losses == {"scaled, training": [[0.5, 1.0], [2.0, 1.5]], "scaled, validation": [[1.0], [1.75]]}
    assert set(found.attributions["ablation"]) == {feature.group for feature in FEATURES}
    assert not any(found.fallback["ships"])
    html = write_report(found, tmp_path / "report").read_text()
    assert "What the scaled model looks at" in html
    assert "It ships nowhere" in html


def test_output_that_cannot_be_made_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = write_store(tmp_path / "data")
    monkeypatch.setattr(evaluate.TrajectoryForecaster, "load", lambda *_: None)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot make the output folder"):
        evaluate.evaluate(tmp_path, tmp_path, store.folder, tmp_path / "file" / "report", lambda *_: None)


def test_a_data_set_without_such_burns_is_an_error(tmp_path: Path) -> None:
    store = write_store(tmp_path / "data")
    split = series_of(store, "train")
    assert len(split.sigma_km) == len(store.splits["train"])
    assert split.settings.step == store.step_s
    with pytest.raises(InputError, match="exactly one burn"):
        with_burn(split, 0.1, 10.0, 1, 50.0)


def write_checkpoint(path: Path) -> None:
    network = NetworkSettings(width=8, heads=2, layers=1, feedforward=8)
    model = TrajectoryTransformer(network)
    torch.nn.init.normal_(model.state_head.weight, std=0.1)
    scaler = Scaler.fit([inputs(quiet(series(8)))])
    carried = {
        "network": asdict(network), "features": [feature.name for feature in FEATURES],
        "query": list(range(len(QUERY))), "scaler": scaler.to_dict(),
    }  # fmt: skip
    weights = {f"network.{name}": value for name, value in model.state_dict().items()}
    torch.save({"orbwatch": carried, "state_dict": weights}, path)
