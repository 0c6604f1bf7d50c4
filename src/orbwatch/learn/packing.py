"""From training runs to a model that users get: exported, calibrated, physics where the gain is not significant."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from orbwatch.catalog.written import write_atomically
from orbwatch.learn.coverage import LEVEL
from orbwatch.learn.evaluation import Evaluation, Plan, Progress
from orbwatch.learn.evaluation_sets import series_of
from orbwatch.learn.forecasters import SHIPPED, Model
from orbwatch.learn.judge import calibrate
from orbwatch.learn.metrics import ALL, rows_of
from orbwatch.learn.run_folder import BEST
from orbwatch.learn.sequences import SequenceStore
from orbwatch.models.card import CONFORMAL, Card, read_card, write_card
from orbwatch.models.registry import find_model
from orbwatch.models.runtime import TrajectoryForecaster


def pack(
    runs: Sequence[Path],
    data: Path,
    folder: Path,
    progress: Progress,
    *,
    name: str | None = None,
    plan: Plan | None = None,
) -> Card:
    """Exports the best weights of 1 to 5 runs as one model, calibrated on the calibration objects of `data`.

    Those objects decide, too, in which groups of windows the model ships; in the others it says what least squares
    says. Raises InputError for runs that cannot be read, and for data without calibration windows.
    """
    from orbwatch.models.export import export_checkpoints

    plan = plan or Plan()
    store = SequenceStore.open(data)
    card = export_checkpoints([run / BEST for run in runs], folder, name=name)
    model = Model(TrajectoryForecaster.load(folder, plan.threads))
    count, fitted, decision = calibrate(series_of(store, "calibration"), model, plan, progress, (SHIPPED,))
    conformal = fitted[SHIPPED][1].conformal
    assert conformal is not None
    write_atomically(folder / CONFORMAL, (json.dumps(conformal.to_dict()) + "\n").encode())
    reasons = {row["regime"]: row["reason"] for row in rows_of(decision)}
    calibrated = {"windows": count, "objects": len(store.splits["calibration"]), "data_sha256": store.data_hash}
    physics = [row["regime"] for row in rows_of(decision, ships=False)]
    card = replace(card, fallback=physics, coverage={"calibrated_on": calibrated, "ships_because": reasons})
    return write_card(card, folder)


def record(evaluation: Evaluation, model: Path) -> None:
    """Puts what was measured on unseen objects into the model's card."""
    folder = find_model(model)
    card = read_card(folder)
    figures = {name: _figures(evaluation, name) for name in evaluation.sets["set"]}
    coverage = card.coverage | {"measured": {name: _coverage(evaluation, name) for name in evaluation.sets["set"]}}
    write_card(replace(card, figures=figures, coverage=coverage), folder)


def _figures(evaluation: Evaluation, name: str) -> dict[str, Any]:
    """Errors after 30 minutes by regime, metres, and the ratio of medians to least squares with its interval."""
    found: dict[str, Any] = {}
    pick = {"set": name, "quantity": "position", "horizon_min": 30.0, "forecaster": SHIPPED}
    for row in rows_of(evaluation.comparisons, reference="least_squares", **pick):
        errors = rows_of(evaluation.errors, regime=row["regime"], **pick)[0]
        found[row["regime"]] = {
            "median_m": round(1e3 * errors["median"], 1),
            "p95_m": round(1e3 * errors["p95"], 1),
            "ratio_to_least_squares": [round(row[key], 4) for key in ("ratio", "ratio_low", "ratio_high")],
            "windows": row["windows"],
            "objects": row["objects"],
        }
    return found


def _coverage(evaluation: Evaluation, name: str) -> dict[str, Any]:
    """Least and greatest coverage of the 90 % regions over horizons, by regime, and that of all horizons at once."""
    rows = [
        row for row in rows_of(evaluation.coverage, set=name, source=SHIPPED, kind="conformal") if row["regime"] != ALL
    ]
    found: dict[str, Any] = {"level": LEVEL}
    for regime in dict.fromkeys(row["regime"] for row in rows):
        shares = {row["horizon_min"]: row["coverage"] for row in rows if row["regime"] == regime}
        joint = shares.pop(0.0)
        found[regime] = {"least": min(shares.values()), "greatest": max(shares.values()), "joint": joint}
    return found
