"""Judging short-arc forecasters: two trained models against physics, on unseen objects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from orbwatch.catalog.written import make_folder
from orbwatch.learn.judging.evaluation import Evaluation, Plan
from orbwatch.learn.judging.evaluation_sets import fitted, quiet, series_of
from orbwatch.learn.judging.forecasters import Model
from orbwatch.learn.judging.judge import Packaged, judge
from orbwatch.learn.judging.packing import decision_of
from orbwatch.learn.judging.unseen import check_unseen
from orbwatch.learn.samples.sequences import SequenceStore
from orbwatch.learn.training.metrics_file import LOSSES, METRICS, curve, read_metrics
from orbwatch.learn.training.run_folder import BEST
from orbwatch.models.card import Card
from orbwatch.models.radii import Radii
from orbwatch.models.runtime import TrajectoryForecaster
from orbwatch.progress import Progress


def evaluate(
    baseline: Path, scaled: Path, data: Path, output: Path, progress: Progress, plan: Plan | None = None
) -> Evaluation:
    """Judges two model folders (`models.export`) on a data set's test objects; `report.evaluation` writes the report.

    baseline: trained on few windows; scaled: on all. Where best.ckpt or metrics.csv of a model's training run lie in
    its folder or the one above, the evaluation has attributions and losses too (with orbwatch[learn]). A scaled model
    that was packed with its calibration is judged with it, as users get it. Raises InputError for folders that cannot
    be opened or written, for a data set without windows of every set, and for one whose test objects may be training
    objects of a model (see `unseen`).
    """
    plan = plan or Plan()
    folders = {"baseline": baseline, "scaled": scaled}
    store = SequenceStore.open(data)
    loaded = {name: TrajectoryForecaster.load(folder, plan.threads) for name, folder in folders.items()}
    related = {name: check_unseen(each.card.data, store, folders[name]) for name, each in loaded.items()}
    make_folder(output)
    test, calibration, validation = (series_of(store, split) for split in ("test", "calibration", "validation"))
    models = {name: Model(forecaster) for name, forecaster in loaded.items()}
    found = judge(
        test, calibration, validation, models, plan, progress, _packaged(loaded["scaled"].radii, loaded["scaled"].card)
    )
    facts = {
        "data set": f"{data.name}, {store.objects:,} objects, {store.windows:,} windows, data hash {store.data_hash}",
        **{f"{name} model": _about(forecaster.card) for name, forecaster in loaded.items()},
        **{f"data set for the {name} model": words for name, words in related.items()},
    }
    checkpoint = _beside(scaled, BEST)
    attributions: dict[str, Any] = {}
    if checkpoint is not None:
        from orbwatch.learn.judging.explained import explain

        progress("attributions", 0.0)
        attributions = explain(checkpoint, fitted(quiet(test, threads=plan.threads)), plan.seed)
        progress("attributions", 1.0)
    losses = {
        f"{name}, {which}": curve for name, folder in folders.items() for which, curve in _losses(folder).items()
    }  # fmt: skip
    return replace(found, facts=facts | found.facts, attributions=attributions, losses=losses)


def _packaged(radii: Radii | None, card: Card) -> Packaged | None:
    return None if radii is None else Packaged(radii, decision_of(card))


def _about(card: Card) -> str:
    trained = f"{card.data['windows']:,} windows" if "windows" in card.data else "unknown windows"
    if "samples_an_epoch" in card.data:
        trained += f" ({card.data['samples_an_epoch']:,} samples an epoch)"
    networks = "1 network" if card.members == 1 else f"{card.members} networks"
    made = f"{card.created_utc}, orbwatch {card.orbwatch}"
    return f"{card.name}: {networks} of {card.parameters:,} parameters, trained on {trained}, {made}"


def _beside(folder: Path, name: str) -> Path | None:
    """A file of the training run: in the model's folder or the one above."""
    return next((place / name for place in (folder, folder.parent) if (place / name).is_file()), None)


def _losses(folder: Path) -> dict[str, list[list[float]]]:
    """Curves of training and validation losses, where the training run's log lies beside the model."""
    path = _beside(folder, METRICS)
    rows = [] if path is None else read_metrics(path)
    curves = {which: curve(rows, column) for which, column in LOSSES.items()}
    return {which: [[x for x, _ in points], [y for _, y in points]] for which, points in curves.items() if points}
