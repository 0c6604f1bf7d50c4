"""`orbwatch maneuvers`: who maneuvered, when, how much, and in what rhythm."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from orbwatch.options import FILE, config_option, format_option, setting, settings_of, terminal_progress


@click.command()
@click.argument("who", nargs=-1, metavar="[ID|NAME]...")
@click.option("--all", "everyone", is_flag=True, help="All objects of the history (or of the store): the default.")
@click.option("--history", type=FILE, help="Element sets over time: a file or a folder, any format, in any order.")
@click.option("--ids", "ids_file", type=FILE, help="File of catalogue numbers.")
@click.option("--since", help="UTC instant: maneuvers after it only. What came before still tells what is usual.")
@click.option(
    "--causal", is_flag=True, help="Judge each gap as an alert would: by what came before and the set after it."
)
@click.option(
    "--min-probability",
    type=click.FloatRange(0.0, 1.0),
    default=0.05,
    show_default=True,
    help="Least probability of an event that is listed.",
)
@click.option("--names", type=FILE, help="Table with columns norad and name. [default: objects.tsv beside the history]")
@click.option("--truth", type=FILE, multiple=True, help="File of true burns, to stand beside what was found.")
@click.option(
    "--model",
    help="Detector: packaged model, a model's folder, or `threshold`: physics alone. [default: maneuver-detector]",
)
@click.option("--save", is_flag=True, help="Keep what is found in the store; searched objects are not searched again.")
@setting("store.url", "--store")
@setting("screen.threads")
@click.option("--output", type=FILE, help="Write there instead of to the terminal.")
@click.option("--plot", type=FILE, help="Page (HTML) of one object's timeline there.")
@format_option("table", "csv", "json", "parquet")
@config_option
def maneuvers(
    who: tuple[str, ...],
    everyone: bool,
    history: Path | None,
    ids_file: Path | None,
    since: str | None,
    causal: bool,
    min_probability: float,
    names: Path | None,
    truth: tuple[Path, ...],
    model: str | None,
    save: bool,
    output: Path | None,
    plot: Path | None,
    form: Any,
    **options: Any,
) -> None:
    """Maneuvers of catalogued objects: when, how large, of what kind, in what rhythm.

    With --history: found in the element sets of the given objects, or of all. One object's table has its last
    maneuvers, and says in words what it does; that of several has a row an object. CSV, JSON and Parquet have a row an
    event: the epochs of the sets around it, when it most likely was, its probability, type, delta-v along R, T and N
    (radial, transverse, normal) with the standard deviation of its size, m/s, and what the object does.

    Without --history: what --save and `orbwatch assess --history` have stored.
    """
    if everyone and (who or ids_file is not None):
        raise click.UsageError("Give objects, or --all.")
    if plot is not None and plot.suffix.lower() not in (".html", ".htm"):
        raise click.UsageError("--plot writes HTML: name the file .html.")
    from orbwatch import views_maneuvers

    asked = views_maneuvers.Asked(who, ids_file, since, min_probability, names)
    settings = settings_of(options)
    if history is None:
        for name, given in (("--causal", causal), ("--truth", truth), ("--model", model), ("--save", save),
                            ("--plot", plot)):  # fmt: skip
            if given:
                raise click.UsageError(f"{name} goes with --history only.")
        sys.exit(views_maneuvers.show_stored(asked, settings, output, form))
    search = views_maneuvers.SearchIn(history, causal, model, save, truth)
    sys.exit(views_maneuvers.find_in_history(asked, search, settings, output, plot, form, terminal_progress()))
