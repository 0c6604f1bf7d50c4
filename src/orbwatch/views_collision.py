"""What the verbs of collision prediction do and say."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from orbwatch.catalog.written import write_atomically
from orbwatch.errors import InputError
from orbwatch.progress import Progress
from orbwatch.report.tabular import Format, emit
from orbwatch.settings import Settings
from orbwatch.settings_groups import ScreenedSettings
from orbwatch.views_learn import need_learning, packed, say_built, training_line


@dataclass(frozen=True)
class Asked:
    """What is wanted of every event."""

    at_lead_day: float
    below_km: tuple[float, ...]
    within_km: float | None


def predict_collisions(predictions: Path, asked: Asked, model: str, output: Path | None, form: Format) -> None:
    """Forecast the end of every event of a file, as it stood so many days before TCA."""
    from orbwatch.learn.samples.collision_predictions import read_predictions
    from orbwatch.models.collision_runtime import CollisionPredictor

    at_lead_day = asked.at_lead_day
    table = read_predictions(predictions, at_lead_day)
    if not len(table):
        raise InputError("no prediction was made so early", file=predictions, field="--at-lead-day", value=at_lead_day)
    predictor = CollisionPredictor.load(model, threads=2)
    within = np.inf if asked.within_km is None else asked.within_km
    columns = predictor.predict(table, at_lead_day, asked.below_km, within).columns(table)
    numbers = {name: ".3f" for name, values in columns.items() if np.asarray(values).dtype.kind == "f"}
    title = f"{len(columns['norad1']):,} events by their last prediction at least {at_lead_day:g} days before TCA"
    if output is None:
        if form == "table":
            nearest = np.argsort(
                -np.asarray(columns[next(name for name in columns if name.startswith("p_miss_below"))])
            )
            columns = {name: np.asarray(values)[nearest] for name, values in columns.items()}
            title += ", the likeliest near ones first"
        emit(columns, form, title=title, limit=60, numbers=numbers)
        return
    rows = io.BytesIO()
    emit(columns, form, rows, title=title, numbers=numbers)
    try:
        write_atomically(output, rows.getvalue())
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", file=output) from error
    click.echo(f"{output}: {title}", err=True)


def build_conjunctions(
    settings: ScreenedSettings, history: Path, names: Path | None, gcat: Path | None, output: Path, progress: Progress
) -> None:
    """Screen a history day by day, or go on, and say what it cost."""
    from orbwatch.catalog.gcat import read_unpropelled
    from orbwatch.catalog.ids import known_names
    from orbwatch.learn.screening.screened_history import build_predictions

    without = read_unpropelled(gcat) if gcat is not None else set()
    built = build_predictions(settings, history, output, known_names(None, names, history), without, progress)
    say_built(output, built, "predictions")


def train_predictor(predictions: Path, output: Path, settings: Settings, resume: bool, progress: Progress) -> None:
    """Train, pack, and say how it went."""
    need_learning()
    from orbwatch.learn.judging.collision_packing import pack_collision
    from orbwatch.learn.training.train_collision import train_collision

    del progress
    trained = train_collision(
        predictions, output, settings.predictor, settings.train, resume=resume, progress=training_line()
    )
    ended = "stopped early" if trained.stopped_early else "done"
    click.echo(
        f"{output}: {ended} after {trained.epochs} epochs over {trained.windows:,} askings; best validation loss "
        f"{trained.best_loss:.4f} in epoch {trained.best_epoch}; {trained.windows_per_s:,.0f} askings/s",
        err=True,
    )
    for name, value in trained.figures.items():
        click.echo(f"  {name.replace('_ratio', '')}: error over that of the latest prediction {value:.3f}", err=True)
    packed(output, lambda folder: pack_collision([output], predictions, folder))


def pack_predictors(runs: list[Path], predictions: Path, folder: Path, name: str | None) -> None:
    """One calibrated predictor of several training runs."""
    need_learning()
    from orbwatch.learn.judging.collision_packing import pack_collision

    card = pack_collision(runs, predictions, folder, name=name)
    used = card.coverage["calibrated_on"]
    click.echo(f"{folder}: {card.members} network(s), calibrated on {used['events']:,} events", err=True)


def evaluate_predictor(model: str, predictions: Path, below_km: float, form: Format, progress: Progress) -> None:
    """Judge a predictor against its rivals, and print the leaderboard."""
    need_learning()
    from orbwatch.learn.judging.collision_judge import columns_of, judge_collision
    from orbwatch.learn.samples.collision_store import CollisionStore
    from orbwatch.models.collision_runtime import CollisionPredictor

    store = CollisionStore.open(predictions)
    columns = columns_of(judge_collision(store, CollisionPredictor.load(model, threads=2), below_km, progress))
    progress("judged", 1.0)
    numbers = {name: ".3f" for name, values in columns.items() if isinstance(values[0], float)}
    numbers |= {"lead_day": "g", "miss_m": ".1f", "tca_ms": ".1f", "brier": ".5f", "log_score": ".4f", "ece": ".4f"}
    shown = (
        columns
        if form != "table"
        else {k: v for k, v in columns.items() if not k.startswith(("predictor_over_", "tca_over_latest_"))}
    )
    emit(shown, form, title=f"{model}: final miss and TCA of events it has not seen", numbers=numbers)
