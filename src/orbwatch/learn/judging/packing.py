"""From training runs to a model that users get: exported, calibrated, physics where the gain is not significant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from orbwatch.errors import InputError
from orbwatch.learn.judging.comparison import DECISION
from orbwatch.learn.judging.coverage import BY_OBJECT, CONFORMAL, LEVEL
from orbwatch.learn.judging.evaluation import BASE, Evaluation, Plan, plain
from orbwatch.learn.judging.evaluation_sets import series_of
from orbwatch.learn.judging.forecasters import SHIPPED, Model
from orbwatch.learn.judging.judge import calibrate, decide, looks
from orbwatch.learn.judging.metrics import ALL, Columns, columns, rows_of
from orbwatch.learn.judging.unseen import check_unseen
from orbwatch.learn.samples.sequences import SequenceStore
from orbwatch.learn.samples.windows import GROUPS, Windows
from orbwatch.learn.training.run_folder import BEST
from orbwatch.models.card import Card, read_card, write_card
from orbwatch.models.radii import Radii
from orbwatch.models.registry import find_model
from orbwatch.models.runtime import TrajectoryForecaster
from orbwatch.progress import Progress


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

    The validation objects decide in which groups of windows the model ships; in the others it says what least squares
    says. Raises InputError for runs that cannot be read or do not belong together, for data whose objects the runs may
    have trained on (see `unseen`), and for data without usable windows of either split: the runs stay as they are.
    """
    from orbwatch.models.checkpoint import read_checkpoint
    from orbwatch.models.export import export_checkpoints

    plan = plan or Plan()
    store = SequenceStore.open(data)
    for run in runs:
        check_unseen(read_checkpoint(run / BEST)["orbwatch"], store, run)
    deciding, calibrating = (looks(series_of(store, split), plan) for split in ("validation", "calibration"))
    card = export_checkpoints([run / BEST for run in runs], folder, name=name)
    model = Model(TrajectoryForecaster.load(folder, plan.threads))
    decision = decide(deciding, model, plan, progress)
    fitted = calibrate(calibrating, model, decision, plan, progress, (SHIPPED,))[SHIPPED][1].conformal
    assert fitted is not None
    coverage = {
        "calibrated_on": _used(calibrating, store) | {"unit": plan.unit},
        "decided_on": _used(deciding, store),
        "decision": plain(rows_of(decision)),
    }
    physics = [row["regime"] for row in rows_of(decision, ships=False)]
    try:
        Radii(calibrating.horizon_s[0], fitted).write(folder)
        return write_card(replace(card, fallback=physics, coverage=coverage), folder)
    except OSError as error:
        raise InputError(f"cannot write the model: {error.strerror or error}", file=folder) from error


def decision_of(card: Card) -> Columns:
    """Where a packed model ships and why, as `comparison.fallback` says it."""
    said = {row["regime"]: row for row in card.coverage.get("decision", [])}
    rows = []
    for group in GROUPS:
        row = said.get(group, {"reason": "as the model's card says"})
        ratios = [np.nan if row.get(key) is None else row[key] for key in DECISION[2:-1]]
        rows.append([group, group not in card.fallback, *ratios, row["reason"]])
    return columns(DECISION, rows)


def _used(windows: Windows, store: SequenceStore) -> dict[str, Any]:
    return {
        "windows": len(windows), "objects": len(np.unique(windows.object_id)), "data_sha256": store.data_hash
    }  # fmt: skip


def record(evaluation: Evaluation, model: Path) -> None:
    """Puts what was measured on unseen objects into the model's card. Raises InputError where it cannot be written."""
    folder = find_model(model)
    card = read_card(folder)
    figures = {name: _figures(evaluation, name) for name in evaluation.sets["set"]}
    coverage = card.coverage | {"measured": {name: _coverage(evaluation, name) for name in evaluation.sets["set"]}}
    try:
        write_card(replace(card, figures=figures, coverage=coverage), folder)
    except OSError as error:
        raise InputError(f"the model's card cannot be written: {error.strerror or error}", file=folder) from error


def _figures(evaluation: Evaluation, name: str) -> dict[str, Any]:
    """Errors after 30 minutes by regime, metres, and ratios of medians to least squares with their intervals."""
    found: dict[str, Any] = {}
    pick = {"set": name, "quantity": "position", "horizon_min": 30.0, "forecaster": SHIPPED}
    for row in rows_of(evaluation.comparisons, reference="least_squares", **pick):
        errors = rows_of(evaluation.errors, regime=row["regime"], **pick)[0]
        found[row["regime"]] = {
            "median_m": round(1e3 * errors["median"], 1),
            "p95_m": round(1e3 * errors["p95"], 1),
            "windows": row["windows"],
            "objects": row["objects"],
        }
    for reference in dict.fromkeys(("least_squares", BASE)):
        for row in rows_of(evaluation.comparisons, reference=reference, **pick):
            ratios = [round(row[key], 4) for key in ("ratio", "ratio_low", "ratio_high")]
            found[row["regime"]][f"ratio_to_{reference}"] = ratios
    return found


def _coverage(evaluation: Evaluation, name: str) -> dict[str, Any]:
    """Least and greatest coverage of the 90 % regions over horizons, by regime, and that of all horizons at once; how
    many cells (regimes by horizons) hold 88 to 92 %, also with objects as the unit."""
    where = {"set": name, "source": SHIPPED}
    rows = [row for row in rows_of(evaluation.coverage, kind=CONFORMAL, **where) if row["regime"] != ALL]
    found: dict[str, Any] = {"level": LEVEL}
    for kind, key in ((CONFORMAL, "cells_within"), (BY_OBJECT, "cells_within_by_object")):
        for row in rows_of(evaluation.worst, kind=kind, **where):
            found[key] = [row["within"], row["cells"]]
    for regime in dict.fromkeys(row["regime"] for row in rows):
        shares = {row["horizon_min"]: row["coverage"] for row in rows if row["regime"] == regime}
        joint = shares.pop(0.0)
        found[regime] = {"least": min(shares.values()), "greatest": max(shares.values()), "joint": joint}
    return found
