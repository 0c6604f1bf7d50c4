"""The command line: verbs only. Standard output carries data; progress, talk and errors go to standard error.

Exit codes: 0 done, 1 error, 2 wrong usage, 3 events above the alert threshold, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

import click

from orbwatch import __version__
from orbwatch.cli_calibration import calibration
from orbwatch.cli_collision import collision
from orbwatch.cli_forecast import forecast
from orbwatch.cli_learn import VERBS
from orbwatch.cli_maneuvers import maneuvers
from orbwatch.cli_matrix import matrix
from orbwatch.cli_what_if import what_if
from orbwatch.errors import OrbwatchError
from orbwatch.options import FILE, config_option, format_option, setting, settings_of, terminal_progress

catalog_option = click.option(
    "--catalog",
    type=FILE,
    required=True,
    help="Element sets: OMM (JSON, CSV, KVN, XML), TLE/3LE or Parquet; xz, gz too.",
)


class Verbs(click.Group):
    """The verbs; when the reader of our output has gone (head, say) nothing is wrong, and nothing more can be said."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # click itself would end with 1
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="orbwatch")
def cli() -> None:
    """Space Domain Awareness: from public orbital data to decisions with error bars that hold."""


history_option = click.option(
    "--history",
    type=FILE,
    help="Element sets over time (Parquet, or any format of sets). What was public at the start is forecast from: SGP4 "
    "is corrected, covariances are calibrated. Without --catalog, the newest of these sets are the catalogue.",
)
model_option = click.option("--model", help="Forecaster: packaged model, or a model's folder. [default: catalog]")


@cli.command()
@click.option("--catalog", type=FILE, help="Element sets to assess; without it, today's public catalogue is fetched.")
@history_option
@model_option
@click.option("--start", help="UTC start of the window. [default: this hour, or when an older catalogue was made]")
@click.option(
    "--days", type=click.FloatRange(0.0, 30.0, min_open=True), help="Length of the window, instead of --hours."
)
@setting("screen.hours")
@setting("screen.threshold_km")
@setting("screen.reach_km")
@setting("screen.box_rtn_km")
@setting("screen.max_age_day")
@setting("screen.threads")
@setting("risk.pc_alert")
@setting("risk.hbr_table")
@setting("risk.satcat")
@setting("report.top_events")
@setting("store.url", "--store")
@click.option("--output", type=FILE, default=Path("orbwatch-out"), show_default=True, help="Folder of report and CDMs.")
@format_option("table", "json", "csv", "parquet", "cdm")
@config_option
def assess(
    catalog: Path | None,
    history: Path | None,
    model: str | None,
    start: str | None,
    days: float | None,
    output: Path,
    form: Any,
    **options: Any,
) -> None:
    """The main job: every close approach of the catalogue, its probability, a report and CDMs."""
    from orbwatch import outputs, pipeline, views

    if days is not None and options["screen__hours"] is not None:
        raise click.UsageError("--days and --hours both set the length of the window: give one of them.")

    settings = settings_of({**options, "screen__hours": days * 24.0} if days else options)
    outputs.make_folders(output)
    if history is None:
        _refuse_model(model)
        result = pipeline.assess(
            pipeline.read_catalogue(catalog, settings.source), start, settings, terminal_progress()
        )
    else:
        newest = views.newest_of(history, model, catalog, start, settings)
        at = newest.foresight.start_utc
        result = pipeline.assess(newest.read, at, settings, terminal_progress(), foresight=newest.foresight)
    written = outputs.write_outputs(result, output)
    views.show_assessment(result, form, written)
    views.say_where(written, result)
    sys.exit(130 if not result.complete else 3 if result.alerts else 0)


@cli.command()
@click.option("--catalog", type=FILE, help="Element sets: OMM (JSON, CSV, KVN, XML), TLE/3LE or Parquet; xz, gz too.")
@history_option
@model_option
@click.option("--ids", type=FILE, help="File of catalogue numbers: screen these against all others.")
@click.option("--id", "single", type=int, multiple=True, help="A catalogue number to screen against all others.")
@click.option("--among", is_flag=True, help="Screen the given ids only among themselves.")
@click.option("--start", help="UTC start of the window. [default: this hour, or when an older catalogue was made]")
@setting("screen.hours")
@setting("screen.threshold_km")
@setting("screen.box_rtn_km")
@setting("screen.threads")
@format_option("table", "csv", "json", "parquet")
@config_option
def screen(
    catalog: Path | None,
    history: Path | None,
    model: str | None,
    ids: Path | None,
    single: tuple[int, ...],
    among: bool,
    start: str | None,
    form: Any,
    **options: Any,
) -> None:
    """Every approach below a threshold: times and miss distances only. With --history, on corrected orbits."""
    from orbwatch import pipeline, views

    settings = settings_of(options)
    if history is None:
        _refuse_model(model)
        if catalog is None:
            raise click.UsageError("Give --catalog FILE or --history FILE.")
        read, foresight = pipeline.read_sets(catalog), None
    else:
        newest = views.newest_of(history, model, catalog, start, settings)
        read, foresight, start = newest.read, newest.foresight, newest.foresight.start_utc
    wanted = _ids(ids, single)
    views.show_approaches(views.screen_sets(read, wanted, among, start, settings, terminal_progress(), foresight), form)


def _refuse_model(model: str | None) -> None:
    if model is not None:
        raise click.UsageError("--model goes with --history only.")


@cli.command()
@catalog_option
@click.option("--at", required=True, help="UTC instant, e.g. 2025-04-15T12:00:00.")
@click.option("--ids", type=FILE, help="File of catalogue numbers.")
@format_option("table", "csv", "json", "parquet")
def propagate(catalog: Path, at: str, ids: Path | None, form: Any) -> None:
    """States of the catalogue at an instant (SGP4, TEME, km and km/s), with a status for each."""
    from orbwatch import views

    views.show_states(catalog, at, _ids(ids, ()), form)


@cli.command("object")
@click.argument("norad_id", type=int)
@catalog_option
@setting("risk.hbr_table")
@setting("risk.satcat")
@click.option("--at", help="UTC instant. [default: now, or when an older catalogue was made]")
@format_option("table", "json", "omm")
@config_option
def object_(norad_id: int, catalog: Path, at: str | None, form: Any, **options: Any) -> None:
    """One object: elements, their age and expected error, orbit, size."""
    from orbwatch import views

    views.show_object(norad_id, catalog, settings_of(options), form, at)


@cli.group()
def cdm() -> None:
    """Conjunction data messages (CCSDS 508.0-B)."""


@cdm.command("read")
@click.argument("files", type=FILE, nargs=-1, required=True)
@format_option("table", "json")
def cdm_read(files: tuple[Path, ...], form: Any) -> None:
    """What messages (and Space-Track's cdm_public) say; a file that cannot be read is named, the others shown."""
    from orbwatch import messages

    sys.exit(messages.show(files, form))


@cdm.command("pc")
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option(
    "--hbr-m", type=click.FloatRange(0.0, min_open=True), help="Combined hard-body radius, m, instead of the message's."
)
@click.option(
    "--hbr-range",
    type=click.FloatRange(0.0, min_open=True),
    nargs=2,
    metavar="LEAST MOST",
    help="Instead: 2D probability over combined hard-body radii, m.",
)
@click.option("--over-time", is_flag=True, help="Instead: Pc(t), how the 3D-Nc probability accrues.")
@format_option("table", "json", "csv", "parquet")
@config_option
def cdm_pc(
    files: tuple[Path, ...], hbr_m: float | None, hbr_range: tuple[float, float] | None, over_time: bool, form: Any,
    **options: Any,
) -> None:  # fmt: skip
    """Probability of collision of messages, by every 2D method (the last row is the reference), with flags.

    Whether straight paths are good enough for a message, and its probability on curved ones, says `cdm assess`.
    """
    from orbwatch import messages

    settings = settings_of(options)
    if hbr_range is None and not over_time:
        sys.exit(messages.show_pc(files, hbr_m, settings, form))
    if hbr_range is not None and (over_time or hbr_range[0] >= hbr_range[1]):
        raise click.UsageError("--hbr-range takes a least and a greater radius, and goes without --over-time.")
    sys.exit(messages.show_curves(files, hbr_range, over_time, hbr_m, settings, form))


@cdm.command("assess")
@click.argument("places", type=click.Path(path_type=Path, exists=True), nargs=-1, required=True)
@click.option(
    "--hbr-m", type=click.FloatRange(0.0, min_open=True), help="Combined hard-body radius, m, instead of the message's."
)
@click.option(
    "--trials",
    type=click.IntRange(0),
    default=100_000,
    show_default=True,
    help="Monte Carlo trials a message; 0: none.",
)
@click.option("--straight", is_flag=True, help="Straight paths (2D) only: quick, for many messages.")
@click.option("--at", help="UTC instant from which the time to closest approach is counted. [default: now]")
@click.option("--detail", is_flag=True, help="All messages of all events, with every method's value, flags and notes.")
@click.option("--report", type=FILE, help="Write a page of the events (HTML): trends, probabilities, curves.")
@click.option("--cdm-out", type=FILE, help="Folder to write the messages to again, with our probability and category.")
@setting("risk.pc_watch")
@setting("risk.pc_alert")
@format_option("table", "json")
@config_option
def cdm_assess(
    places: tuple[Path, ...], hbr_m: float | None, trials: int, straight: bool, at: str | None, detail: bool,
    report: Path | None, cdm_out: Path | None, form: Any, **options: Any,
) -> None:  # fmt: skip
    """Messages (files, folders) by event: how miss and probability went, which value to believe, how serious it is."""
    from orbwatch import messages_assess

    how = messages_assess.How(hbr_m, trials, not straight)
    wanted = messages_assess.Wanted(form, detail, report, cdm_out)
    sys.exit(messages_assess.assess(places, how, at, settings_of(options), wanted, terminal_progress()))


@cdm.command("write")
@click.argument("file", type=FILE)
@click.option("--to", type=click.Choice(["kvn", "xml", "json"]), default="kvn", show_default=True)
def cdm_write(file: Path, to: Any) -> None:
    """Write a message again, strictly by the standard, in another notation."""
    from orbwatch import messages

    messages.convert(file, to)


@cli.command()
@click.option(
    "--from",
    "service",
    type=click.Choice(["celestrak", "space-track", "space-track-cdm"]),
    default="celestrak",
    show_default=True,
    help="Space-Track needs ORBWATCH_SPACETRACK_USER and ORBWATCH_SPACETRACK_PASSWORD.",
)
@setting("source.celestrak_group")
@click.option("--output", type=FILE, help="Copy the file there; it stays in the cache as well.")
@config_option
def fetch(service: str, output: Path | None, **options: Any) -> None:
    """Fetch the public catalogue (at most once in two hours) and print the file's path."""
    from orbwatch import pipeline

    click.echo(pipeline.fetch(service, settings_of(options).source, output))


@cli.command()
@click.option(
    "--output", type=FILE, default=Path("orbwatch-demo"), show_default=True, help="Folder of report and CDMs."
)
@click.option("--objects", type=click.IntRange(200, 50_000), default=2000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@setting("screen.threads")
def demo(output: Path, objects: int, seed: int, **options: Any) -> None:
    """The main job on a simulated catalogue with planted approaches and maneuvers; offline, no account."""
    from orbwatch import demo as simulated
    from orbwatch import demo_maneuvers, outputs, views

    outputs.make_folders(output)
    result, verdicts = simulated.run(
        output, objects, seed, settings_of({**options, "config": None}), terminal_progress()
    )
    written = outputs.write_outputs(result, output, simulated.truth_table(verdicts), simulated.LABEL)
    views.show_assessment(result, "table", written)
    views.say_where(written, result)
    code = views.say_verdicts(verdicts)
    click.echo(demo_maneuvers.run(output, seed).words(), err=True)
    sys.exit(code)


@cli.command()
@click.argument("event", required=False)
@setting("store.url", "--store")
@format_option("table", "json")
@config_option
def replay(event: str | None, form: Any, **options: Any) -> None:
    """Recompute a stored event from its stored inputs and compare; without EVENT, list what is stored."""
    from orbwatch import replay as again
    from orbwatch import views

    settings = settings_of(options)
    if event is None:
        views.show_stored(settings, form)
    else:
        sys.exit(views.show_replay(again.replay(event, settings), form))


for _group in (forecast, maneuvers, calibration, collision, matrix, what_if, *VERBS):
    cli.add_command(_group)


def _ids(file: Path | None, single: tuple[int, ...]) -> list[int] | None:
    from orbwatch.catalog.ids import read_ids

    given = ([] if file is None else read_ids(file)) + list(single)
    return given or None


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    click.echo(f"warning: {message}", err=True)


def main() -> None:
    """Run the command line and leave with its exit code."""
    warnings.showwarning = _warn
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.UsageError as error:
        error.show()
        code = 2
    except (click.Abort, KeyboardInterrupt) as error:
        told = str(error) or "what was finished is stored; the same command continues"
        click.echo(f"interrupted: {told}", err=True)
        code = 130
    except OrbwatchError as error:
        click.echo(f"error: {error}", err=True)
        code = 1
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        click.echo(f"error: {where}{error.strerror or error}", err=True)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
