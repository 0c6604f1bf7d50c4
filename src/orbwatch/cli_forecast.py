"""`orbwatch forecast`: tracks for half an hour, catalogued objects for a week."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from orbwatch.options import FILE, format_option


@click.command()
@click.argument("ids", type=int, nargs=-1, metavar="[ID]...")
@click.option("--history", type=FILE, help="Element sets over time: Parquet, or any format of element sets.")
@click.option("--catalog", type=FILE, help="Newest element sets, any format; with or without a history.")
@click.option("--ids", "ids_file", type=FILE, help="File of catalogue numbers. [default: all objects of the history]")
@click.option("--at", help="UTC instant of asking: only what was public then is used. [default: now]")
@click.option(
    "--horizons-day", help="Forecast times: days up to 7.5, separated by commas. [default: 0.5,1,2,3,5,7, or to --days]"
)
@click.option("--days", type=click.FloatRange(0.0, 7.5, min_open=True), help="How far ahead: days up to 7.5.")
@click.option("--names", type=FILE, help="Table with columns norad and name. [default: objects.tsv beside the history]")
@click.option("--oem", type=FILE, help="Ephemeris message with covariances there; several objects: a folder of them.")
@click.option("--plot", type=FILE, help="Page (HTML) of one object's error growth and of its past forecasts there.")
@click.option("--past", is_flag=True, help="Instead: how forecasts of the 30 days before held, by object and horizon.")
@click.option(
    "--refresh",
    type=FILE,
    help="Instead: a standing Parquet file of forecasts each six hours of UTC; only objects with news are done again.",
)
@click.option(
    "--calibration", type=FILE, help="Factors on the regions' radii that `orbwatch calibration --save` has learned."
)
@click.option("--output", type=FILE, help="Write there instead of to the terminal.")
@click.option(
    "--track",
    type=FILE,
    help="Positions instead: CSV (time_utc, x_km, y_km, z_km; object_id, sigma_m, frame, ballistic_m2_kg), or an OEM.",
)
@click.option("--sigma-m", type=click.FloatRange(1e-3, 1e5), help="Noise of positions, m an axis, where not said.")
@click.option(
    "--frame",
    type=click.Choice(["gcrf", "eme2000", "teme", "itrf"]),
    help="Of positions, where not said. With --history: further columns in this frame (not itrf), and that of --oem.",
)
@click.option("--model", help="Packaged model, or a model's folder. [default: catalog; with --track: track]")
@click.option(
    "--minutes",
    default="5,10,20,30",
    show_default=True,
    help="Forecast times after a track's last position: whole minutes 1 to 30, separated by commas.",
)
@click.option(
    "--level",
    type=float,
    default=0.9,
    show_default=True,
    help="Share of positions inside a track's region: 0.5, 0.6, 0.7, 0.8, 0.9, 0.95 or 0.99.",
)
@format_option("table", "csv", "json", "parquet")
def forecast(
    ids: tuple[int, ...],
    history: Path | None,
    catalog: Path | None,
    ids_file: Path | None,
    at: str | None,
    horizons_day: str | None,
    days: float | None,
    names: Path | None,
    oem: Path | None,
    plot: Path | None,
    past: bool,
    refresh: Path | None,
    calibration: Path | None,
    output: Path | None,
    track: Path | None,
    sigma_m: float | None,
    frame: Any,
    model: str | None,
    minutes: str,
    level: float,
    form: Any,
) -> None:
    """Where objects will be, with regions that hold what they say.

    With --history, --catalog or both: catalogued objects, from the sets that were public at the asking. The table says
    in words how far off the forecast can be in 90 of 100 cases. CSV, JSON and Parquet have TEME states, covariances
    (km^2) along radial, transverse and normal of the state, and k50, k90, k99: how many standard deviations large the
    ellipsoids are that hold the truth in 50, 90 and 99 of 100 cases. k90_joint is
    for all times of the week at once.

    With --track: tracked objects in the next half hour if no thrust follows. Sigmas, m, and covariances, m^2 (not in
    the table), are along R, T and N of the predicted state: radial, transverse and normal to the orbit, transverse near
    the velocity. The region is the ellipsoid of that covariance, region_radius standard deviations large; region_axis_m
    is the geometric mean of its semi-axes. Both are empty where the model has no calibrated region. fit_rms is 1 where
    the positions are as noisy as stated, and large for a burn, a wrong frame or more noise.
    """
    if (history is None and catalog is None) == (track is None):
        raise click.UsageError(
            "Give --history FILE or --catalog FILE (catalogued objects), or --track FILE (positions)."
        )
    _refuse(_OF_CATALOG if track is not None else _OF_TRACKS, "--history" if track is not None else "--track")
    if track is not None:
        from orbwatch import views_models

        times = views_models.check_minutes(minutes)
        sys.exit(views_models.forecast_track(track, sigma_m, frame, model or "track", times, level, form))
    from orbwatch import views_catalog

    if horizons_day is not None and days is not None:
        raise click.UsageError("Give --horizons-day or --days.")
    if frame == "itrf":
        raise click.UsageError("--frame itrf is for positions; forecasts of a history are inertial.")
    if plot is not None and plot.suffix.lower() not in (".html", ".htm"):
        raise click.UsageError("--plot writes HTML: name the file .html.")
    if past and refresh is not None:
        raise click.UsageError("Give --past or --refresh.")
    asked = views_catalog.Asked(
        history,
        catalog,
        at,
        views_catalog.check_days(horizons_day, days),
        ids_file,
        ids,
        names,
        model or "catalog",
        calibration,
    )
    if refresh is not None:
        _refuse(_NOT_STANDING, "forecasts at chosen times, not --refresh,")
        sys.exit(views_catalog.refresh_history(asked, refresh, 7.0 if days is None else days))
    if past:
        _refuse(("oem", "plot", "frame", "calibration"), "forecasts, not --past,")
        sys.exit(views_catalog.past_of_history(asked, output, form))
    sys.exit(views_catalog.forecast_history(asked, output, form, frame=frame, oem=oem, plot=plot))


_OF_CATALOG = (
    "ids", "ids_file", "at", "horizons_day", "days", "names", "oem", "plot", "past", "refresh", "calibration", "output",
)  # fmt: skip
_OF_TRACKS = ("sigma_m", "minutes", "level")
_NOT_STANDING = ("calibration", "horizons_day", "oem", "plot", "frame", "output", "form", "names")


def _refuse(names: tuple[str, ...], needed: str) -> None:
    """Options that would be ignored are an error."""
    context = click.get_current_context()
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if parameter.name in names and given and context.params[parameter.name]:
            raise click.UsageError(f"{'/'.join(parameter.opts)} goes with {needed} only.")
