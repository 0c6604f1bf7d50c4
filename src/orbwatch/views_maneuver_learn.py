"""What training and judging of the maneuver classifier do and say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from orbwatch.progress import Progress
from orbwatch.report.tabular import Format, emit
from orbwatch.settings import Settings
from orbwatch.settings_groups import LifeSettings
from orbwatch.views_learn import need_learning, packed, say_built, training_line

GAPS = "gaps"
"""Where in a run's folder its data set is."""


@dataclass(frozen=True)
class Given:
    """What there is to learn from."""

    lives: tuple[Path, ...]
    history: Path | None
    burns: Path | None
    start: Path | None


def build_maneuvers(
    settings: LifeSettings, history: Path, names: Path | None, gcat: Path | None, output: Path, progress: Progress
) -> None:
    """Build or continue a data set of simulated maneuvers, and say what it cost."""
    from orbwatch.catalog.gcat import read_unpropelled
    from orbwatch.catalog.ids import known_names
    from orbwatch.learn.samples.maneuver_dataset import build_lives

    without = read_unpropelled(gcat) if gcat is not None else set()
    built = build_lives(settings, history, output, known_names(None, names, history), without, progress)
    say_built(output, built, "histories")


def train_maneuver(given: Given, output: Path, settings: Settings, resume: bool, progress: Progress) -> None:
    """Make the gaps, train, pack, and say how it went."""
    need_learning()
    from orbwatch.learn.judging.maneuver_packing import pack_maneuver
    from orbwatch.learn.samples.gap_dataset import build_gaps
    from orbwatch.learn.samples.sequences import MANIFEST
    from orbwatch.learn.training.train_maneuver import train_maneuver

    data = output / GAPS
    if not (resume and (data / MANIFEST).is_file()):
        build_gaps(given.lives, data, given.history, given.burns, progress=progress)
    trained = train_maneuver(
        data, output, settings.classifier, settings.train, start=given.start, resume=resume, progress=training_line()
    )
    ended = "stopped early" if trained.stopped_early else "done"
    click.echo(
        f"{output}: {ended} after {trained.epochs} epochs over {trained.windows:,} windows; best validation loss "
        f"{trained.best_loss:.4f} in epoch {trained.best_epoch}; {trained.windows_per_s:,.0f} windows/s",
        err=True,
    )
    for name, value in trained.figures.items():
        click.echo(f"  {name.replace('_', ' ')} {value:.3f}", err=True)
    packed(output, lambda folder: pack_maneuver([output], data, folder))


def evaluate_maneuver(model: str, data: Path, form: Format, progress: Progress) -> None:
    """Judge a model on the test objects of a data set, and print the table."""
    need_learning()
    from orbwatch.learn.judging.maneuver_classes import columns_of, judge_classes
    from orbwatch.learn.samples.gap_store import GapStore
    from orbwatch.models.maneuver_runtime import ManeuverModel

    progress("judging", 0.0)
    scores = judge_classes(GapStore.open(data), ManeuverModel.load(model))
    progress("judging", 1.0)
    numbers = dict.fromkeys(("macro_f1", "low", "high", "chance", "accuracy", "ece"), ".3f")
    emit(columns_of(scores), form, title=f"{model}, on objects it has not seen", numbers=numbers)
    for score in scores:
        if score.model == "network":
            click.echo(f"{score.what}, true in rows, told in columns: {', '.join(score.names)}", err=True)
            for name, row in zip(score.names, score.table, strict=True):
                click.echo(f"  {name:15s}" + "".join(f"{count:8.0f}" for count in row), err=True)


def train_detector(
    history: Path,
    burns: Path,
    lives: Path | None,
    quiet: Path | None,
    output: Path,
    settings: Settings,
    progress: Progress,
) -> None:
    """Train the detector, and say from how much."""
    need_learning()
    from orbwatch.learn.judging.detector_packing import train_detector

    card = train_detector(history, burns, lives, quiet, output, settings.detector, progress)
    for name, count in card.data["gaps"].items():
        click.echo(f"  {name.replace('_', ', ')}: {count:,} gaps of real satellites", err=True)


def evaluate_detector(
    history: Path,
    burns: Path,
    lives: Path | None,
    quiet: Path | None,
    settings: Settings,
    form: Format,
    progress: Progress,
) -> None:
    """Judge detectors on satellites left out, and print the leaderboard."""
    need_learning()
    from dataclasses import asdict

    from orbwatch.catalog.burns import read_burns
    from orbwatch.catalog.history import read_history
    from orbwatch.learn.judging.detector_board import judge_detectors
    from orbwatch.learn.judging.detector_matching import RATES_YEAR
    from orbwatch.learn.judging.detector_teachers import Teachers

    teachers = Teachers.read(lives, quiet)
    found = [
        asdict(row)
        for row in judge_detectors(
            read_history(history).table, read_burns(burns), teachers, settings.detector, progress
        )
    ]
    names = [name for name in found[0] if name != "recall"] if found else []
    columns = {name: [row[name] for row in found] for name in names}
    columns |= {f"recall at {rate}": [row["recall"][i] for row in found] for i, rate in enumerate(RATES_YEAR)}
    numbers = dict.fromkeys(
        (*(f"recall at {rate}" for rate in RATES_YEAR), "recall_low", "recall_high", "precision", "recall_all", "f1",
         "ece"), ".3f") | {"years": ".0f"}  # fmt: skip
    title = "Maneuvers found, at false alarms per satellite-year; each satellite by models that never saw it"
    emit(columns, form, title=title, numbers=numbers)
