"""Models against physics: errors, tests, regions.

Everything that is fitted or decided here (conformal radii, in which regimes a model ships) uses the calibration
objects; everything that is reported is measured on the test objects.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from orbwatch.learn import comparison
from orbwatch.learn.baselines import BASELINES
from orbwatch.learn.coverage import (
    COVERAGE,
    RELIABILITY,
    Method,
    Seen,
    coverage_rows,
    methods,
    reliability_rows,
    worst_cells,
    yardstick,
)  # fmt: skip
from orbwatch.learn.evaluation import BURN_M_S, PAIRS, SETS, SIGMA_M, Evaluation, Plan, Progress
from orbwatch.learn.evaluation_sets import Series, draws_of, quiet, with_burn
from orbwatch.learn.forecasters import LEAST_SQUARES, SHIPPED, Forecaster, Predicted, Reference, reference, shipped
from orbwatch.learn.metrics import Columns, columns, error_table, errors, height, rows_of, stacked
from orbwatch.learn.scored import PIT, SCORES, pit_rows, score_rows
from orbwatch.learn.windows import GROUPS, REGIMES, Windows, group_code


def judge(
    test: Series, calibration: Series, models: Mapping[str, Forecaster], plan: Plan, progress: Progress
) -> Evaluation:
    """Everything but attributions: `models` are those of `MODELS`; the regions are those of "scaled"."""
    began = time.monotonic()
    known, fitted, decision = calibrate(calibration, models["scaled"], plan, progress)
    judged = _sets(test, plan)
    found = []
    for index, windows in enumerate(judged.values()):
        progress("errors and tests", index / len(judged))
        found.append(_errors(windows, models, decision, plan))
    progress("errors and tests", 1.0)
    shares: list[list[Any]] = []
    for index, name in enumerate(judged):
        progress("uncertainty", index / len(judged))
        windows = judged[name] if name == "burn" else _many(test, name, plan)
        shares.append(list(_uncertainty(windows, models["scaled"], fitted, decision, plan)))
    progress("uncertainty", 1.0)
    tables = [stacked(dict(zip(judged, parts, strict=True)), "set") for parts in zip(*found, strict=True)]
    coverage, reliability, scores, pit = (
        stacked(dict(zip(judged, parts, strict=True)), "set") for parts in zip(*shares, strict=True)
    )
    worst = {name: worst_cells(_of_set(coverage, name)) for name in judged}
    facts = {
        "test objects": f"{len(test.sigma_km)}, unseen in training and calibration",
        "conformal": f"fitted on {known:,} windows of {len(calibration.sigma_km)} calibration objects,"
        f" exchangeable unit: {plan.unit}",
        "seed": str(plan.seed),
        "took": f"{time.monotonic() - began:.0f} s",
    }
    conformal = {m.source: m.conformal.to_dict() for pair in fitted.values() for m in pair if m.conformal}
    return Evaluation(
        facts, _described(judged), tables[0], tables[1], decision, coverage, reliability, stacked(worst, "set"), scores,
        pit, conformal,
    )  # fmt: skip


def calibrate(
    calibration: Series, model: Forecaster, plan: Plan, progress: Progress, sources: Sequence[str] | None = None
) -> tuple[int, dict[str, tuple[Method, Method]], Columns]:
    """Windows used, conformal on each of `sources` (None: all), and in which groups the model ships.

    All from calibration objects, with burns as they come; which of `GROUPS` a window is in shows in its own fit.
    """
    windows = draws_of(calibration, plan.draws, plan.seed, burns=True, threads=plan.threads)
    physics = reference(windows, plan.threads)
    seen = _seen(windows, physics)
    whole = _predicted(windows, physics, model, model.whole, plan)
    forecasts = {
        name: errors(each.rv_km, _truth(windows)) for name, each in ((model.whole, whole), (LEAST_SQUARES, physics))
    }
    pair = (model.whole, LEAST_SQUARES)
    table = comparison.compare(
        forecasts, [pair], seen.group, windows.object_id, windows.epoch_us, windows.horizon_s[0], GROUPS, plan.bootstrap
    )
    decision = comparison.fallback(table, *pair, GROUPS)
    fitted = {}
    sources = sources or (LEAST_SQUARES, *model.sources, SHIPPED)
    for index, source in enumerate(sources):
        progress("calibrating", index / len(sources))
        predicted = _predicted(windows, physics, model, source, plan, decision)
        fitted[source] = methods(source, predicted.gaussian, seen, plan.unit)
    progress("calibrating", 1.0)
    return len(windows), fitted, decision


def _sets(test: Series, plan: Plan) -> dict[str, Windows]:
    """The sets that errors are measured on: windows that share nothing, one look at each."""
    return {
        "stored": quiet(test, threads=plan.threads),
        "sigma50": quiet(test.redrawn(plan.seed, SIGMA_M), threads=plan.threads),
        "burn": with_burn(test, *BURN_M_S, plan.seed, SIGMA_M, plan.looks, plan.threads),
    }


def _many(test: Series, name: str, plan: Plan) -> Windows:
    """More windows of a quiet set, for coverage: noise of the same kind drawn several times."""
    return draws_of(test, plan.draws, plan.seed + 50, SIGMA_M if name == "sigma50" else None, threads=plan.threads)


def _errors(
    windows: Windows, models: Mapping[str, Forecaster], decision: Columns, plan: Plan
) -> tuple[Columns, Columns]:
    forecasts = {name: errors(forecast(windows), _truth(windows)) for name, forecast in BASELINES.items()}
    physics = reference(windows, plan.threads)
    for name, model in models.items():
        forecasts[name] = errors(_predicted(windows, physics, model, model.whole, plan).rv_km, _truth(windows))
    users = _predicted(windows, physics, models["scaled"], SHIPPED, plan, decision)
    forecasts[SHIPPED] = errors(users.rv_km, _truth(windows))
    about = windows.regime, windows.object_id
    table = error_table(forecasts, *about, windows.horizon_s[0], REGIMES)
    tests = comparison.compare(
        forecasts, PAIRS, *about, windows.epoch_us, windows.horizon_s[0], REGIMES, plan.bootstrap
    )  # fmt: skip
    return table, tests


def _uncertainty(
    windows: Windows, scaled: Forecaster, fitted: Mapping[str, tuple[Method, Method]], decision: Columns, plan: Plan
) -> tuple[Columns, Columns, Columns, Columns]:
    physics = reference(windows, plan.threads)
    seen = _seen(windows, physics)
    oracle = yardstick(physics.gaussian, seen)
    rows: dict[str, list[list[Any]]] = {"coverage": [], "reliability": [], "scores": [], "pit": []}
    for source in fitted:
        forecast = _predicted(windows, physics, scaled, source, plan, decision).gaussian
        for method in fitted[source]:
            rows["coverage"] += coverage_rows(method, forecast, seen, oracle, REGIMES)
            rows["reliability"] += reliability_rows(method, forecast, seen, REGIMES)
            rows["scores"] += score_rows(method, forecast, seen, REGIMES)
        rows["pit"] += pit_rows(source, forecast, seen)
    return tuple(
        columns(names, rows[key])
        for key, names in (("coverage", COVERAGE), ("reliability", RELIABILITY), ("scores", SCORES), ("pit", PIT))
    )  # type: ignore[return-value]


def _predicted(
    windows: Windows, physics: Reference, model: Forecaster, source: str, plan: Plan, decision: Columns | None = None
) -> Predicted:
    if source == LEAST_SQUARES:
        return physics
    if source != SHIPPED or decision is None:
        return model.predict(windows, physics, source, plan.seed)
    codes = [GROUPS.index(row["regime"]) for row in rows_of(decision, ships=True)]
    return shipped(
        physics, model.predict(windows, physics, model.whole, plan.seed), np.isin(group_code(windows), codes)
    )


def _seen(windows: Windows, physics: Reference) -> Seen:
    return Seen(
        physics.to_rtn(_truth(windows)), windows.regime, group_code(windows), windows.object_id, windows.horizon_s[0]
    )


def _truth(windows: Windows) -> np.ndarray:
    assert windows.truth_rv_km is not None
    return windows.truth_rv_km


def _described(judged: Mapping[str, Windows]) -> Columns:
    rows = []
    for name, windows in judged.items():
        counts = np.bincount(windows.regime, minlength=len(REGIMES))
        rows.append([name, SETS[name], len(windows), len(np.unique(windows.object_id)), *(int(c) for c in counts)])
    return columns(("set", "what", "windows", "objects", *REGIMES), rows)


def _of_set(table: Columns, name: str) -> Columns:
    rows = rows_of(table, set=name)
    return {key: [row[key] for row in rows] for key in table if key != "set"} if height(table) else {}
