"""Models against physics: errors, tests, regions.

In which groups of windows a model ships is decided on the validation objects, conformal radii are fitted on the
calibration objects, and everything that is reported is measured on the test objects. Groups are those that show when
a forecast is made; tables are by true regime.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Int8

from orbwatch.learn.judging import comparison
from orbwatch.learn.judging.baselines import BASELINES
from orbwatch.learn.judging.coverage import (
    ALONE,
    BY_OBJECT,
    CONFORMAL,
    COVERAGE,
    RELIABILITY,
    Method,
    Seen,
    conformal,
    coverage_rows,
    reliability_rows,
    worst_cells,
    yardstick,
)  # fmt: skip
from orbwatch.learn.judging.evaluation import BASE, BURN_M_S, PAIRS, SETS, SIGMA_M, Evaluation, Plan
from orbwatch.learn.judging.evaluation_sets import Series, draws_of, fitted, quiet, with_burn
from orbwatch.learn.judging.forecasters import (
    LEAST_SQUARES,
    SHIPPED,
    Forecaster,
    Predicted,
    Reference,
    reference,
    shipped,
)
from orbwatch.learn.judging.metrics import Columns, columns, error_table, errors, height, rows_of, stacked
from orbwatch.learn.judging.scored import PIT, SCORES, pit_rows, score_rows
from orbwatch.learn.samples.windows import GROUPS, REGIMES, Windows, group_code, regime_code
from orbwatch.models.radii import Radii
from orbwatch.progress import Progress


@dataclass(frozen=True, eq=False)
class Packaged:
    """What a packed model brings along."""

    radii: Radii
    decision: Columns
    """See `comparison.fallback`."""


def judge(
    test: Series,
    calibration: Series,
    validation: Series,
    models: Mapping[str, Forecaster],
    plan: Plan,
    progress: Progress,
    packaged: Packaged | None = None,
) -> Evaluation:
    """Everything but attributions: `models` are those of `MODELS`; the regions are those of "scaled".

    packaged: what users of "scaled" get, which is then judged as it is; without it, both are made here.
    """
    began = time.monotonic()
    scaled = models["scaled"]
    if packaged is None:
        known = looks(validation, plan)
        decision = decide(known, scaled, plan, progress)
        ships = f"decided on {len(known):,} windows of {len(validation.sigma_km)} validation objects"
    else:
        decision, ships = packaged.decision, "as packaged with the model"
    known = looks(calibration, plan)
    made = calibrate(known, scaled, decision, plan, progress, radii=None if packaged is None else packaged.radii)
    raw = _sets(test, plan)
    judged = {name: fitted(windows) for name, windows in raw.items()}
    found = []
    for index, windows in enumerate(judged.values()):
        progress("errors and tests", index / len(judged))
        found.append(_errors(windows, models, decision, plan))
    progress("errors and tests", 1.0)
    shares: list[list[Any]] = []
    for index, name in enumerate(judged):
        progress("uncertainty", index / len(judged))
        windows = judged[name] if name == "burn" else fitted(_many(test, name, plan))
        shares.append(list(_uncertainty(windows, scaled, made, decision, plan)))
    progress("uncertainty", 1.0)
    tables = [stacked(dict(zip(judged, parts, strict=True)), "set") for parts in zip(*found, strict=True)]
    coverage, reliability, scores, pit = (
        stacked(dict(zip(judged, parts, strict=True)), "set") for parts in zip(*shares, strict=True)
    )
    worst = {name: worst_cells(_of_set(coverage, name)) for name in judged}
    facts = {
        "test objects": f"{len(test.sigma_km)}, unseen in training, decision and calibration",
        "where it ships": ships,
        "conformal": f"fitted on {len(known):,} windows of {len(calibration.sigma_km)} calibration objects,"
        f" exchangeable unit: {plan.unit}" + _shipped_with(packaged),
        "seed": str(plan.seed),
        "took": f"{time.monotonic() - began:.0f} s",
    }
    regions = {
        m.source: m.conformal.to_dict() for each in made.values() for m in each if m.conformal and m.kind == CONFORMAL
    }
    return Evaluation(
        facts, _described(raw), tables[0], tables[1], decision, coverage, reliability, stacked(worst, "set"), scores,
        pit, regions,
    )  # fmt: skip


def looks(series: Series, plan: Plan) -> Windows:
    """Windows to decide or calibrate on: several looks at each object, noise and burns as they come."""
    return fitted(draws_of(series, plan.draws, plan.seed, burns=True, threads=plan.threads))


def forecast_group(windows: Windows) -> Int8[np.ndarray, " n"]:
    """Class of each window from its fit alone, as when a track is forecast: the truth's regime is not known then."""
    return group_code(replace(windows, regime=regime_code(windows.fit.rv_km)))


def decide(windows: Windows, model: Forecaster, plan: Plan, progress: Progress) -> Columns:
    """In which groups of windows the model ships (`comparison.fallback`), by windows of the validation objects.

    Training took its best epoch by the loss on these objects too: one choice of some tens, for all groups together.
    """
    progress("deciding where it ships", 0.0)
    physics = reference(windows, plan.threads)
    whole = _predicted(windows, physics, model, model.whole, plan)
    forecasts = {name: errors(each.rv_km, _truth(windows)) for name, each in ((model.whole, whole), (BASE, physics))}
    pair = (model.whole, BASE)
    about = forecast_group(windows), windows.object_id, windows.epoch_us, windows.horizon_s[0]
    table = comparison.compare(forecasts, [pair], *about, GROUPS, plan.bootstrap)
    progress("deciding where it ships", 1.0)
    return comparison.fallback(table, *pair, GROUPS)


def calibrate(
    windows: Windows,
    model: Forecaster,
    decision: Columns,
    plan: Plan,
    progress: Progress,
    sources: Sequence[str] | None = None,
    radii: Radii | None = None,
) -> dict[str, list[Method]]:
    """For each of `sources` (None: all) its covariance alone, conformal on it, and for what ships conformal by object.

    windows: of calibration objects, with burns as they come; which of `GROUPS` a window is in shows in its own fit.
    radii: what ships has these instead of fitted ones. Raises InputError where they are of other horizons.
    """
    physics = reference(windows, plan.threads)
    seen = _seen(windows, physics)
    if radii is not None:
        radii.columns(windows.horizon_s)
    made: dict[str, list[Method]] = {}
    sources = sources or (LEAST_SQUARES, *model.sources, SHIPPED)
    for index, source in enumerate(sources):
        progress("calibrating", index / len(sources))
        forecast = _predicted(windows, physics, model, source, plan, decision).gaussian
        if source == SHIPPED and radii is not None:
            own = Method(source, CONFORMAL, radii.conformal)
        else:
            own = conformal(source, forecast, seen, plan.unit)
        made[source] = [Method(source, ALONE), own]
        if source == SHIPPED:
            made[source].append(conformal(source, forecast, seen, "object", BY_OBJECT))
    progress("calibrating", 1.0)
    return made


def _shipped_with(packaged: Packaged | None) -> str:
    if packaged is None:
        return ""
    return f"; what ships has the radii packaged with the model, exchangeable unit: {packaged.radii.conformal.unit}"


def _sets(test: Series, plan: Plan) -> dict[str, Windows]:
    """The sets that errors are measured on: one look at each window; those around one burn overlap."""
    return {
        "stored": quiet(test, threads=plan.threads),
        "sigma50": quiet(test.redrawn(plan.seed, SIGMA_M), threads=plan.threads),
        "burn": with_burn(test, *BURN_M_S, plan.seed, SIGMA_M, plan.looks, plan.threads),
        "flown": draws_of(test, 1, plan.seed + 90, burns=True, threads=plan.threads),
    }


def _many(test: Series, name: str, plan: Plan) -> Windows:
    """More windows of a set, for coverage: noise of the same kind drawn several times."""
    sigma_m = SIGMA_M if name == "sigma50" else None
    return draws_of(test, plan.draws, plan.seed + 50, sigma_m, burns=name == "flown", threads=plan.threads)


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
    windows: Windows, scaled: Forecaster, made: Mapping[str, Sequence[Method]], decision: Columns, plan: Plan
) -> tuple[Columns, Columns, Columns, Columns]:
    physics = reference(windows, plan.threads)
    seen = _seen(windows, physics)
    oracle = yardstick(physics.gaussian, seen)
    rows: dict[str, list[list[Any]]] = {"coverage": [], "reliability": [], "scores": [], "pit": []}
    for source in made:
        predicted = _predicted(windows, physics, scaled, source, plan, decision)
        forecast = predicted.gaussian
        for method in made[source]:
            rows["coverage"] += coverage_rows(method, forecast, seen, oracle, REGIMES)
            rows["reliability"] += reliability_rows(method, forecast, seen, REGIMES)
            rows["scores"] += score_rows(method, predicted, seen, REGIMES)
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
        physics, model.predict(windows, physics, model.whole, plan.seed), np.isin(forecast_group(windows), codes)
    )


def _seen(windows: Windows, physics: Reference) -> Seen:
    return Seen(
        physics.to_rtn(_truth(windows)),
        windows.regime,
        forecast_group(windows),
        windows.object_id,
        windows.horizon_s[0],
    )


def _truth(windows: Windows) -> np.ndarray:
    assert windows.truth_rv_km is not None
    return windows.truth_rv_km


def _described(raw: Mapping[str, Windows]) -> Columns:
    rows = []
    for name, every in raw.items():
        windows = fitted(every)
        counts = np.bincount(windows.regime, minlength=len(REGIMES))
        rows.append([name, SETS[name], len(windows), len(np.unique(windows.object_id)),
                     len(every) - len(windows), *(int(c) for c in counts)])  # fmt: skip
    return columns(("set", "what", "windows", "objects", "without_fit", *REGIMES), rows)


def _of_set(table: Columns, name: str) -> Columns:
    rows = rows_of(table, set=name)
    return {key: [row[key] for row in rows] for key in table if key != "set"} if height(table) else {}
