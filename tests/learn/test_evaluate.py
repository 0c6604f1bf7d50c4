"""The whole evaluation with models whose worth is known, and its report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from orbwatch.learn.evaluation import SETS, Evaluation, Plan
from orbwatch.learn.forecasters import SOURCES, Predicted, Reference
from orbwatch.learn.judge import judge
from orbwatch.learn.metrics import rows_of
from orbwatch.learn.windows import Windows
from orbwatch.report.evaluation import lead, write_report
from orbwatch.uncertainty.gaussian import GaussianForecast

from .evaluated import series

PLAN = Plan(draws=2, looks=2, bootstrap=40, threads=1)


class TowardsTruth:
    """Least squares moved by a share of its error; its covariance is scaled by `claims` squared."""

    sources = SOURCES[1:]
    shipped = "ensemble"

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
    names = ["hold", "two_body", "j2_j4", "least_squares", "ukf", "baseline", "scaled"]
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
    assert evaluation.fallback["ships"] == [True] * 4


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
