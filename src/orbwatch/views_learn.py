"""What the verbs of learning do and say."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orbwatch.errors import OrbwatchError
from orbwatch.models.registry import RUN_MODEL
from orbwatch.progress import Progress
from orbwatch.report.progress import LOG_EVERY_S
from orbwatch.report.tabular import Format, emit, emit_facts, emit_json
from orbwatch.settings import AskSettings, DatasetSettings, Settings

if TYPE_CHECKING:
    from orbwatch.learn.samples.dataset import Built


def build_dataset(settings: DatasetSettings, output: Path, progress: Progress) -> None:
    """Build or continue a data set, and say what it cost."""
    from orbwatch.learn.samples.dataset import build

    say_built(output, build(settings, output, progress), "windows")


def say_built(output: Path, built: Built, what: str) -> None:
    """What a data set cost."""
    click.echo(
        f"{output}: {built.windows:,} {what}, {built.bytes / 1e6:.1f} MB, in {built.seconds:.0f} s, "
        f"most memory of all processes together {built.peak_rss_mb:.0f} MB",
        err=True,
    )


def build_catalog_dataset(settings: AskSettings, history: Path, output: Path, progress: Progress) -> None:
    """Build or continue a data set of askings, and say what it cost."""
    from orbwatch.learn.samples.catalog_dataset import build_catalog

    say_built(output, build_catalog(settings, history, output, progress), "askings")


def show_dataset(folder: Path, form: str) -> None:
    """What a data set holds."""
    from orbwatch.learn.samples.dataset import info

    facts = info(folder)
    if form == "json":
        emit_json(facts)
    else:
        emit_facts(facts, title=str(folder))


def check_dataset(folder: Path, progress: Progress) -> int:
    """Print the findings; 1 when there are any."""
    from orbwatch.learn.samples.dataset import check

    findings = check(folder, progress)
    for finding in findings:
        click.echo(finding)
    click.echo(f"{folder}: {len(findings)} findings" if findings else f"{folder}: nothing found", err=True)
    return 1 if findings else 0


def train_trajectory(data: Path, output: Path, settings: Settings, resume: bool, progress: Progress) -> None:
    """Train, and say how it went; a run that no model can be packed of (too few windows, say) is a run all the same."""
    _train(data, output, settings, resume, "30 min", "least squares")
    packed(output, lambda folder: pack_models([output], data, folder, None, progress))


def train_catalog(
    data: Path, history: Path, output: Path, settings: Settings, resume: bool, progress: Progress
) -> None:
    """Train the catalogue's forecaster, and say how it went."""
    fitting = replace(settings, train=replace(settings.train, loss="student"))
    _train(data, output, fitting, resume, "3 days", "SGP4")
    packed(output, lambda folder: pack_catalog_models([output], data, history, None, folder, None, progress))


def _train(data: Path, output: Path, settings: Settings, resume: bool, horizon: str, physics: str) -> None:
    need_learning()
    from orbwatch.learn.training.train import train

    trained = train(data, output, settings.network, settings.train, resume=resume, progress=training_line())
    ended = "stopped early" if trained.stopped_early else "done"
    click.echo(
        f"{output}: {ended} after {trained.epochs} epochs over {trained.windows:,} windows "
        f"({trained.samples:,} samples an epoch); best validation loss {trained.best_loss:.4f} in epoch "
        f"{trained.best_epoch}; {trained.windows_per_s:,.0f} windows/s",
        err=True,
    )
    for regime, (model, base) in trained.median_km.items():
        click.echo(f"  {regime}: median error after {horizon} {model:.3f} km; {physics} {base:.3f} km", err=True)


def packed(run: Path, pack: Callable[[Path], object]) -> None:
    """Packs a run's model; where that cannot be done, says so: the run is a run all the same."""
    try:
        pack(run / RUN_MODEL)
    except OrbwatchError as error:
        click.echo(f"no model was packed of it: {error}", err=True)
        click.echo(f"The run itself is whole: {run} can be packed with other data", err=True)


def train_trees(history: Path, output: Path, settings: Settings, progress: Progress) -> None:
    """Train the trees of every regime, and say from how much."""
    need_learning()
    from orbwatch.learn.training.catalog_boosting import train_trees

    counts = train_trees(history, output, settings.asks, settings.boost, progress)
    for regime, rows in counts.items():
        click.echo(f"  {regime}: " + (f"{rows:,} rows" if rows else "too few objects, no trees"), err=True)


def pack_catalog_models(
    runs: list[Path],
    data: Path,
    history: Path,
    trees: Path | None,
    folder: Path,
    name: str | None,
    progress: Progress,
) -> None:
    """Make a catalogue model of training runs."""
    need_learning()
    from orbwatch.learn.judging.catalog_packing import pack_catalog

    card = pack_catalog(runs, data, history, folder, progress, trees=trees, name=name)
    used = card.coverage["calibrated_on"]
    what = f"{card.members} network(s)" + ("" if trees is None else " and trees")
    click.echo(f"{folder}: {what}, calibrated on {used['askings']:,} askings of {used['objects']:,} objects", err=True)


def evaluate_catalog(
    model: str, data: Path, history: Path, names: Path | None, output: Path | None, form: Format, progress: Progress
) -> None:
    """Measure a catalogue model on what it has not seen, put it into its card, and print the table.

    output: folder of the leaderboard, which has every baseline beside the model.
    """
    from orbwatch.catalog.history import read_history
    from orbwatch.catalog.ids import read_names
    from orbwatch.learn.judging.catalog_judge import judge_catalog, unseen_windows
    from orbwatch.learn.judging.catalog_noise import noise_floor_km, with_noise
    from orbwatch.learn.judging.catalog_record import record_catalog
    from orbwatch.learn.samples.catalog_store import CatalogStore
    from orbwatch.models.catalog_runtime import CatalogForecaster

    settings = CatalogStore.open(data).settings
    forecaster = CatalogForecaster.load(model, threads=2)
    named = {} if names is None else read_names(names)
    read = read_history(history)
    windows = unseen_windows(read, settings, progress)
    found = judge_catalog(forecaster, windows, named, progress)
    record_catalog(found, forecaster.folder)
    found = with_noise(found, noise_floor_km(read.table, named))
    texts = ("regime", "kind")
    numbers = {name: ".3g" for name in found if name not in texts}
    emit(found, form, title=f"{forecaster.card.name} against SGP4", numbers=numbers)
    if output is not None:
        from orbwatch.learn.judging.catalog_board import board_of
        from orbwatch.report.catalog_board import lead, width_sentence, write_board

        board = board_of(forecaster, windows, read.table, named, progress)
        place = write_board(board, output)
        for sentence in (lead(board), width_sentence(board.widths), f"{place}: the leaderboard"):
            click.echo(sentence, err=True)


def pack_models(runs: list[Path], data: Path, folder: Path, name: str | None, progress: Progress) -> None:
    """Make a model of training runs, and say where it forecasts and where physics does."""
    need_learning()
    from orbwatch.learn.judging.packing import pack

    card = pack(runs, data, folder, progress, name=name)
    physics = ", ".join(card.fallback) or "no group of windows"
    click.echo(f"{folder}: {card.members} network(s); least squares instead in {physics}", err=True)


def training_line() -> Progress:
    """Training says how it goes in one line: rewritten on a terminal, now and then in a log."""
    live = sys.stderr.isatty()
    said = [0.0]

    def show(text: str, fraction: float) -> None:
        now = time.monotonic()
        if live or fraction >= 1.0 or now - said[0] >= LOG_EVERY_S:
            said[0] = now
            start, end = ("\r\x1b[K", "" if fraction < 1.0 else "\n") if live else ("", "\n")
            sys.stderr.write(f"{start}{fraction:4.0%} {text}{end}")
            sys.stderr.flush()

    return show


def evaluate_trajectory(baseline: Path, scaled: Path, data: Path, output: Path, progress: Progress) -> None:
    """Evaluate, write the report, and put its figures into the model's card."""
    need_learning()
    from orbwatch.learn.judging.evaluate import evaluate
    from orbwatch.learn.judging.packing import record
    from orbwatch.report.evaluation import lead, write_report

    evaluation = evaluate(baseline, scaled, data, output, progress)
    report = write_report(evaluation, output)
    click.echo(lead(evaluation), err=True)
    click.echo(report)
    record(evaluation, scaled)


def need_learning() -> None:
    """Raises OrbwatchError that names what is not installed."""
    for name in ("torch", "lightning", "tensorboard", "onnx", "onnxscript", "captum", "sklearn"):
        if find_spec(name) is None:
            raise OrbwatchError(f"this needs {name}: pip install 'orbwatch[learn]'")
