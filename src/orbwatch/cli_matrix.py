"""`orbwatch matrix`: how near every pair comes, when, and how probable a collision is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from orbwatch.options import FILE, config_option, format_option, setting, settings_of, terminal_progress


@click.command()
@click.option("--catalog", type=FILE, help="Element sets: OMM (JSON, CSV, KVN, XML), TLE/3LE or Parquet; xz, gz too.")
@click.option("--history", type=FILE, help="Element sets over time: orbits and covariances are forecast from them.")
@click.option("--model", help="Forecaster: packaged model, or a model's folder. [default: catalog]")
@click.option("--ids", type=FILE, help="File of catalogue numbers: the fleet.")
@click.option("--id", "single", type=int, multiple=True, help="A catalogue number of the fleet.")
@click.option("--against-all", is_flag=True, help="The fleet against the whole catalogue, not among itself.")
@click.option(
    "--pairs",
    type=click.Choice(["auto", "near", "all"]),
    default="auto",
    show_default=True,
    help="Pairs that get a row: those that come below the threshold, or all. auto: all of a fleet of up to 500.",
)
@click.option("--start", help="UTC start of the window. [default: this hour, or when an older catalogue was made]")
@setting("screen.hours")
@setting("screen.threshold_km")
@setting("screen.max_age_day")
@setting("screen.threads")
@setting("risk.pc_alert")
@setting("risk.hbr_table")
@setting("risk.satcat")
@click.option("--output", type=FILE, help="All rows there: .csv, .parquet or .json.")
@click.option("--plot", type=FILE, help="Page (HTML) with heat maps there.")
@format_option("table", "csv", "json", "parquet")
@config_option
def matrix(
    catalog: Path | None,
    history: Path | None,
    model: str | None,
    ids: Path | None,
    single: tuple[int, ...],
    against_all: bool,
    pairs: Any,
    start: str | None,
    output: Path | None,
    plot: Path | None,
    form: Any,
    **options: Any,
) -> None:
    """Collision matrix: every pair's smallest distance in the window, when, and its probability of collision.

    Of a catalogue the pairs that come below --threshold-km, each with its smallest approach, the number of its
    approaches and the highest probability among them. Of a fleet (--ids, --id) every pair, those that stay far apart
    too. Distances are of the whole window, its ends included; `where` says which it is. All are exact: found on the
    propagator, not sampled.
    """
    for flag, file, kinds in (("--output", output, (".csv", ".parquet", ".json")), ("--plot", plot, (".html", ".htm"))):
        if file is not None and file.suffix.lower() not in kinds:
            raise click.UsageError(f"{flag}: name the file {' or '.join(kinds)}.")
    if catalog is None and history is None:
        raise click.UsageError("Give --catalog FILE or --history FILE.")
    if model is not None and history is None:
        raise click.UsageError("--model goes with --history only.")
    from orbwatch import pipeline, views, views_matrix
    from orbwatch.catalog.ids import read_ids

    settings = settings_of(options)
    numbers = ([] if ids is None else read_ids(ids)) + list(single)
    asked = views_matrix.Asked(numbers or None, against_all, pairs)
    foresight = None
    if history is not None:
        newest = views.newest_of(history, model, catalog, start, settings)
        read, foresight, start = newest.read, newest.foresight, newest.foresight.start_utc
    elif catalog is not None:
        read = pipeline.read_sets(catalog)
    views_matrix.run(read, asked, start, settings, form, output, plot, terminal_progress(), foresight)
