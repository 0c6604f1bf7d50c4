"""The whole evaluation with models whose worth is known, and its report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from orbwatch.errors import InputError
from orbwatch.learn.judging import comparison, evaluate
from orbwatch.learn.judging.baselines import BASELINES
from orbwatch.learn.judging.evaluation import BASE, SETS, Evaluation, Plan
from orbwatch.learn.judging.evaluation_sets import Series, fitted, quiet, series_of, with_burn
from orbwatch.learn.judging.forecasters import SOURCES, Predicted, Reference
from orbwatch.learn.judging.judge import Packaged, forecast_group, judge, looks
from orbwatch.learn.judging.metrics import rows_of
from orbwatch.learn.samples.features import FEATURES, QUERY, inputs
from orbwatch.learn.samples.scaler import Scaler
from orbwatch.learn.samples.windows import BURN_IN_FORECAST, BURN_IN_HISTORY, GROUPS, Windows
from orbwatch.models.card import Card
from orbwatch.models.radii import Radii
from orbwatch.models.trajectory import TrajectoryTransformer
from orbwatch.report.evaluation import NAMES, lead, write_report
from orbwatch.settings_groups import NetworkSettings
from orbwatch.uncertainty.conformal import Conformal
from orbwatch.uncertainty.gaussian import GaussianForecast

from ..small_store import write_store
from .evaluated import series

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
        share = np.full(moved.shape[:2], 0.25) if source == "ensemble" else None
        return Predicted(physics.moved(moved, velocity), gaussian, epistemic_share=share)


class OneNetwork(TowardsTruth):
    """The same without dropout and members."""

    sources = SOURCES[1:2]
    whole = "network"


def leo(seed: int) -> Series:
    """Four objects of one regime, so that tables stay short; two burn."""
    return series(16, seed, burning=(4, 8)).take(np.arange(0, 16, 4))


@pytest.fixture(scope="module", autouse=True)
def _few_horizons() -> Iterator[None]:
    """Differences are tested after 15 and 30 minutes only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "TESTED_MIN", (15.0, 30.0))
        yield


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    models = {"baseline": TowardsTruth(0.0, 1.0), "scaled": TowardsTruth(0.5, 0.5)}
    said: list[tuple[str, float]] = []
    test, calibration = series(16, 1, burning=(1, 2, 4, 7)), series(16, 2)
    out = judge(test, calibration, series(16, 3), models, PLAN, lambda stage, done: said.append((stage, done)))
    stages = {"deciding where it ships", "calibrating", "errors and tests", "uncertainty"}
    assert {stage for stage, done in said if done == 1.0} == stages
    return out


def test_errors_are_of_every_forecaster_and_in_order(evaluation: Evaluation) -> None:
    names = [*BASELINES, "baseline", "scaled", "shipped"]
    assert list(dict.fromkeys(evaluation.errors["forecaster"])) == names
    assert list(dict.fromkeys(evaluation.errors["set"])) == list(SETS)
    at = {"set": "sigma50", "quantity": "position", "regime": "LEO", "horizon_min": 30.0}
    median = {name: rows_of(evaluation.errors, forecaster=name, **at)[0]["median"] for name in names}
    assert median["hold"] > 1000.0 > median["two_body"] > median["least_squares"]
    assert median["baseline"] == pytest.approx(median[BASE], rel=1e-6)
    assert median["scaled"] == pytest.approx(0.5 * median[BASE], rel=1e-6)
    assert 0.01 < median["least_squares"] < 1.0


def test_comparisons_say_how_much_better(evaluation: Evaluation) -> None:
    for quantity in ("position", "velocity"):
        where = {"set": "stored", "quantity": quantity, "regime": "all", "horizon_min": 30.0}
        (row,) = rows_of(evaluation.comparisons, forecaster="scaled", reference=BASE, **where)
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
            if row["horizon_min"] > 0.0 and row["coverage"] < 1.0 and row["kind"] != "conformal by object":
                assert 0.75 < row["coverage"] < 0.99
    (ratio,) = {round(row["axis_ratio"] / other["axis_ratio"], 4) for row, other in zip(
        rows_of(evaluation.coverage, source="ensemble", kind="alone", **at),
        rows_of(evaluation.coverage, source="least_squares", kind="alone", **at), strict=True)
        if row["horizon_min"] > 0.0}  # fmt: skip
    assert ratio == 0.5
    for row in rows_of(evaluation.coverage, horizon_min=0.0):
        assert np.isnan(row["axis_ratio"])
    assert set(evaluation.conformal) == set(SOURCES)
    assert evaluation.conformal["shipped"]["unit"] == PLAN.unit
    by_object = rows_of(evaluation.worst, kind="conformal by object")
    assert [(row["set"], row["source"]) for row in by_object] == [(name, "shipped") for name in SETS]
    assert list(dict.fromkeys(evaluation.pit["source"])) == list(SOURCES)
    assert np.mean(evaluation.pit["density"][0]) == pytest.approx(1.0)
    (row,) = rows_of(evaluation.scores, source="least_squares", kind="alone", **at)
    assert row["coverage_gap_mean"] < 0.1
    assert row["coverage_gap_mean"] <= row["coverage_gap_max"]
    assert row["crps_km"] < row["energy_km"]
    for row in rows_of(evaluation.scores, **at):
        known = (row["source"], row["kind"]) == ("ensemble", "alone")
        assert row["epistemic_share"] == pytest.approx(0.25 if known else np.nan, nan_ok=True)


def test_as_flown_holds_windows_with_burns_and_quiet_ones(evaluation: Evaluation) -> None:
    quiet, flown = (rows_of(evaluation.sets, set=name)[0] for name in ("stored", "flown"))
    assert flown["what"] == "as flown: noise and burns as they come"
    assert quiet["without_fit"] == flown["without_fit"] == 0
    burned = looks(series(8), replace(PLAN, draws=8)).burn
    assert (burned & BURN_IN_HISTORY).any()
    assert not (burned & BURN_IN_FORECAST).any()
    assert (burned == 0).any()
    assert evaluation.facts["where it ships"].startswith("decided on ")
    assert "16 validation objects" in evaluation.facts["where it ships"]


def test_group_is_that_of_the_forecast_time() -> None:
    windows = fitted(quiet(series(8)))
    misled = replace(windows, regime=np.full(len(windows), 2, np.int8))
    np.testing.assert_array_equal(forecast_group(misled), forecast_group(windows))
    assert len(np.unique(forecast_group(misled))) >= 4


def test_a_packed_model_is_judged_as_it_is(evaluation: Evaluation) -> None:
    """Its own radii and decision, not those that these calibration objects would give."""
    models = {"baseline": TowardsTruth(0.0, 1.0), "scaled": TowardsTruth(0.5, 0.5)}
    radii = Conformal.from_dict(evaluation.conformal["shipped"])
    radii.radius[:] = 1e6
    decision = evaluation.fallback | {"ships": [False] * 8}
    horizon_s = 60.0 * np.arange(1.0, 31.0)
    given = series(8), series(8, 2), series(8, 3), models, replace(PLAN, draws=1), lambda *_: None
    found = judge(*given, Packaged(Radii(horizon_s, radii), decision))
    at = {"set": "stored", "quantity": "position", "regime": "LEO", "horizon_min": 30.0}
    shipped, base = (rows_of(found.errors, forecaster=name, **at)[0]["median"] for name in ("shipped", BASE))
    assert shipped == pytest.approx(base, rel=1e-6)
    rows = rows_of(found.coverage, set="flown", source="shipped", kind="conformal")
    assert {row["coverage"] for row in rows if row["horizon_min"] > 0.0} == {1.0}
    assert "as packaged" in found.facts["where it ships"]
    assert "radii packaged with the model" in found.facts["conformal"]
    with pytest.raises(InputError, match="other forecast times"):
        judge(*given, Packaged(Radii(horizon_s + 30.0, radii), decision))


def test_report_is_written_and_numbers_return(evaluation: Evaluation, tmp_path: Path) -> None:
    path = write_report(evaluation, tmp_path / "report")
    html = path.read_text()
    assert "Where the model ships" in html
    assert "ensemble + conformal" in html
    assert f"0.50 times that of {NAMES[BASE]} (95 % interval 0.50 to 0.50)" in html
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
    card = Card(
        "m",
        "trajectory",
        "2026-01-01T00:00:00Z",
        "0",
        {},
        {},
        7,
        1,
        [],
        [],
        "",
        data={"windows": 88, "samples_an_epoch": 99},
    )
    card.data["data_sha256"] = store.data_hash
    loaded = SimpleNamespace(card=card, radii=None)
    monkeypatch.setattr(evaluate.TrajectoryForecaster, "load", lambda *_: loaded)
    monkeypatch.setattr(evaluate, "Model", lambda _: OneNetwork(0.0, 1.0))
    monkeypatch.setattr(evaluate, "series_of", lambda _, split: leo(len(split)))
    arguments = tmp_path / "elsewhere", run / "model", store.folder, tmp_path / "report"
    found = evaluate.evaluate(*arguments, lambda *_: None, Plan(draws=1, looks=1, bootstrap=10, threads=1))
    assert found.facts["scaled model"].startswith("m: 1 network of 7 parameters, trained on 88 windows (99 samples")
    assert found.losses == {"scaled, training": [[0.5, 1.0], [2.0, 1.5]], "scaled, validation": [[1.0], [1.75]]}
    assert set(found.attributions["ablation"]) == {feature.group for feature in FEATURES}
    assert not any(found.fallback["ships"])
    html = write_report(found, tmp_path / "report").read_text()
    assert "What the scaled model looks at" in html
    assert "It ships nowhere" in html


def test_output_that_cannot_be_made_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = write_store(tmp_path / "data")
    card = SimpleNamespace(data={"data_sha256": store.data_hash})
    monkeypatch.setattr(evaluate.TrajectoryForecaster, "load", lambda *_: SimpleNamespace(card=card))
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
    scaler = Scaler.fit([inputs(fitted(quiet(series(8))))])
    carried = {
        "network": asdict(network), "features": [feature.name for feature in FEATURES],
        "query": list(range(len(QUERY))), "scaler": scaler.to_dict(),
    }  # fmt: skip
    weights = {f"network.{name}": value for name, value in model.state_dict().items()}
    torch.save({"orbwatch": carried, "state_dict": weights}, path)
