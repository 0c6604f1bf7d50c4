"""The verbs of collision prediction: `collision predict`, `collision pack`, `dataset conjunctions`, `train collision`,
`evaluate collision`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from orbwatch.cli_learn import dataset, evaluate, train
from orbwatch.options import FILE, config_option, format_option, group_options, settings_of, terminal_progress

predictions_option = click.option(
    "--predictions",
    type=FILE,
    required=True,
    help="Predicted approaches, each event again and again (Parquet or CSV: norad1, norad2, tca, generated, rx ... vz, "
    "alt_km).",
)


@click.group()
def collision() -> None:
    """How predicted approaches will have changed when they happen."""


@collision.command("predict")
@predictions_option
@click.option(
    "--at-lead-day",
    type=click.FloatRange(0.0, 30.0),
    default=0.0,
    show_default=True,
    help="Ask so many days before TCA: rows made later than that are not looked at.",
)
@click.option("--model", default="collision", show_default=True, help="Packaged model, or a model's folder.")
@click.option(
    "--below-km",
    type=click.FloatRange(0.0, 5.0, min_open=True),
    multiple=True,
    help="Also the probability that the final miss is below this; can be given again. [1 km is always told]",
)
@click.option(
    "--within-km",
    type=click.FloatRange(0.1, min_open=True),
    help="Tell the miss given that it is below this (5: that the event will be listed again). [default: nothing given]",
)
@click.option("--output", type=FILE, help="File to write. [default: standard output]")
@format_option("table", "csv", "json", "parquet")
def collision_predict(
    predictions: Path,
    at_lead_day: float,
    model: str,
    below_km: tuple[float, ...],
    within_km: float | None,
    output: Path | None,
    form: Any,
) -> None:
    """Final miss distance, shift of TCA and probability of a near miss of every event, with intervals that hold.

    No covariance is needed: how predictions have changed so far tells how they will. Learned from massive derelicts
    that do not maneuver; an object that does may do anything.
    """
    from orbwatch import views_collision

    asked = views_collision.Asked(at_lead_day, tuple(dict.fromkeys((1.0, *below_km))), within_km)
    views_collision.predict_collisions(predictions, asked, model, output, form)


@dataset.command("conjunctions")
@click.option("--history", type=FILE, required=True, help="Element sets over weeks, with the time each became public.")
@click.option("--names", type=FILE, help="Names of the objects by number (TSV), which tell debris and rocket bodies.")
@click.option("--gcat", type=FILE, help="GCAT's table of payloads, which tells who has no engine.")
@click.option("--output", type=FILE, required=True, help="Folder of the data set; an unfinished one is continued.")
@group_options("screened")
@config_option
def dataset_conjunctions(history: Path, names: Path | None, gcat: Path | None, output: Path, **options: Any) -> None:
    """Screen a history at every midnight by what was public then: predictions.parquet, for `train collision`.

    Each approach below 5 km is predicted again daily for a week; the sets nearest to it tell what became of it.
    """
    from orbwatch import views_collision

    settings = settings_of(options).screened
    views_collision.build_conjunctions(settings, history, names, gcat, output, terminal_progress())


@train.command("collision")
@predictions_option
@click.option("--output", type=FILE, required=True, help="Folder of the run: checkpoints, logs, loss curve, the model.")
@click.option("--resume", is_flag=True, help="Go on from the run's last checkpoint.")
@group_options("train", "loss", "beta", "physics", "horizons", "augment", "augmentations", "burn_repeat")
@group_options("predictor")
@config_option
def train_collision(predictions: Path, output: Path, resume: bool, **options: Any) -> None:
    """The collision predictor: how the approaches predicted so far will have changed when they happen.

    The file must hold predictions made after the fact, too: they are the truth.
    """
    from orbwatch import views_collision

    views_collision.train_predictor(predictions, output, settings_of(options), resume, terminal_progress())


@collision.command("pack")
@click.argument("runs", type=FILE, nargs=-1, required=True)
@predictions_option
@click.option("--output", type=FILE, required=True, help="Folder of the model.")
@click.option("--name", help="Its name. [default: the folder's]")
def collision_pack(runs: tuple[Path, ...], predictions: Path, output: Path, name: str | None) -> None:
    """One calibrated predictor from up to five training runs on the same file: an ensemble. Needs orbwatch[learn]."""
    from orbwatch import views_collision

    views_collision.pack_predictors(list(runs), predictions, output, name)


@evaluate.command("collision")
@click.option("--model", default="collision", show_default=True, help="Packaged model, or a model's folder.")
@predictions_option
@click.option("--below-km", type=click.FloatRange(0.0, 5.0, min_open=True), default=1.0, show_default=True)
@format_option("table", "csv", "json", "parquet")
def evaluate_collision(model: str, predictions: Path, below_km: float, form: Any) -> None:
    """Errors 2, 3 and 5 days ahead against rivals, on events later than the training, of pairs old and new.

    Give the file that the model was trained on: the split by time and pair is the same.
    """
    from orbwatch import views_collision

    views_collision.evaluate_predictor(model, predictions, below_km, form, terminal_progress())
