"""What the verbs of learning do and say."""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from pathlib import Path

import click

from orbwatch.errors import OrbwatchError
from orbwatch.models.registry import RUN_MODEL
from orbwatch.progress import Progress
from orbwatch.report.progress import LOG_EVERY_S
from orbwatch.report.tabular import emit_facts, emit_json
from orbwatch.settings import DatasetSettings, Settings


def build_dataset(settings: DatasetSettings, output: Path, progress: Progress) -> None:
    """Build or continue a data set, and say what it cost."""
    from orbwatch.learn.samples.dataset import build

    built = build(settings, output, progress)
    click.echo(
        f"{output}: {built.windows:,} windows, {built.bytes / 1e6:.1f} MB, in {built.seconds:.0f} s, "
        f"most memory of all processes together {built.peak_rss_mb:.0f} MB",
        err=True,
    )


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
    _need_torch()
    from orbwatch.learn.training.train import train

    trained = train(data, output, settings.network, settings.train, resume=resume, progress=_line())
    ended = "stopped early" if trained.stopped_early else "done"
    click.echo(
        f"{output}: {ended} after {trained.epochs} epochs over {trained.windows:,} windows "
        f"({trained.samples:,} samples an epoch); best validation loss {trained.best_loss:.4f} in epoch "
        f"{trained.best_epoch}; {trained.windows_per_s:,.0f} windows/s",
        err=True,
    )
    for regime, (model, squares) in trained.median_km.items():
        click.echo(f"  {regime}: median error after 30 min {model:.3f} km; least squares {squares:.3f} km", err=True)
    try:
        pack_models([output], data, output / RUN_MODEL, None, progress)
    except OrbwatchError as error:
        click.echo(f"no model was packed of it: {error}", err=True)
        click.echo(f"The run itself is whole: {trained.best_checkpoint} can be packed with other data", err=True)


def pack_models(runs: list[Path], data: Path, folder: Path, name: str | None, progress: Progress) -> None:
    """Make a model of training runs, and say where it forecasts and where physics does."""
    _need_torch()
    from orbwatch.learn.judging.packing import pack

    card = pack(runs, data, folder, progress, name=name)
    physics = ", ".join(card.fallback) or "no group of windows"
    click.echo(f"{folder}: {card.members} network(s); least squares instead in {physics}", err=True)


def _line() -> Progress:
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
    _need_torch()
    from orbwatch.learn.judging.evaluate import evaluate
    from orbwatch.learn.judging.packing import record
    from orbwatch.report.evaluation import lead, write_report

    evaluation = evaluate(baseline, scaled, data, output, progress)
    report = write_report(evaluation, output)
    click.echo(lead(evaluation), err=True)
    click.echo(report)
    record(evaluation, scaled)


def _need_torch() -> None:
    for name in ("torch", "lightning", "tensorboard", "onnx", "onnxscript", "captum"):
        if find_spec(name) is None:
            raise OrbwatchError(f"this needs {name}: pip install 'orbwatch[learn]'")
