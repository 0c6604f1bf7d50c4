"""`orbwatch calibration`: how the regions of past forecasts have held."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from orbwatch.options import FILE, format_option, terminal_progress


@click.command()
@click.option("--history", type=FILE, required=True, help="Element sets over time, with when each became public.")
@click.option("--ids", "ids_file", type=FILE, help="File of catalogue numbers. [default: a sample of all objects]")
@click.option("--at", help="UTC instant that counts as now. [default: when the history ends]")
@click.option(
    "--days", type=click.IntRange(1, 400), default=30, show_default=True, help="Days to ask again, backwards."
)
@click.option(
    "--sample",
    type=click.IntRange(0),
    default=2000,
    show_default=True,
    help="Most objects, drawn evenly from the regimes; 0: all.",
)
@click.option("--model", default="catalog", show_default=True, help="Packaged model, or a model's folder.")
@click.option("--names", type=FILE, help="Names of the objects (columns norad and name): adds rows by kind of object.")
@click.option("--save", type=FILE, help="Write the factors there, for `orbwatch forecast --calibration`.")
@click.option("--plot", type=FILE, help="Write a page with plots there (HTML).")
@format_option("table", "csv", "json", "parquet")
def calibration(
    history: Path,
    ids_file: Path | None,
    at: str | None,
    days: int,
    sample: int,
    model: str,
    names: Path | None,
    save: Path | None,
    plot: Path | None,
    form: Any,
) -> None:
    """How the regions of past forecasts have held, on your own history.

    Objects are asked about again on each of the last days, with what was public then, and the answers held to later
    sets: shares inside the 50, 90 and 99 % ellipsoids by regime, behaviour and horizon, as the model has them and
    adapted (with factors learned from what had met its truth by each asking). A 90 % region "holds" within four points;
    "unclear" are those that do not, but may by chance. --save keeps the factors as they stand now.

    Exit code: 0; 3 for a drift: the share of the last week's truths inside the 90 % ellipsoids of a regime at a horizon
    is off by more than two points and chance (5 %, of all regimes and horizons together); 1 where nothing could be
    measured.
    """
    from orbwatch import views_calibration

    asked = views_calibration.LookBack(history, ids_file, at, days, sample, model, names)
    sys.exit(views_calibration.calibrate(asked, save, plot, form, terminal_progress()))
