"""`orbwatch what-if`: what a burn before a close approach would change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from orbwatch.options import FILE, config_option, format_option, setting, settings_of, terminal_progress


class Span(click.ParamType):  # type: ignore[type-arg]
    """LOW:HIGH or LOW:HIGH:COUNT."""

    name = "LOW:HIGH[:COUNT]"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        try:
            parts = tuple(float(one) for one in str(value).split(":"))
        except ValueError:
            parts = ()
        if len(parts) not in (2, 3) or not parts[0] < parts[1]:
            self.fail(f"{value!r} is not LOW:HIGH, two numbers with the lower first", param, ctx)
        return parts


class Burn(click.ParamType):  # type: ignore[type-arg]
    """DELTA-V@HOURS."""

    name = "M/S@HOURS"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, float]:
        if isinstance(value, tuple):
            return value
        try:
            dv, hours = (float(one) for one in str(value).split("@"))
        except ValueError:
            self.fail(f"{value!r} is not a burn: 0.05@12 is 0.05 m/s, 12 hours before", param, ctx)
        return dv, hours


@click.command("what-if")
@click.argument("event", metavar="EVENT|CDM")
@click.option(
    "--catalog", type=FILE, help="Element sets that hold the event (and the objects that are met afterwards)."
)
@click.option("--burns", help="Which object burns: 1, 2 or its number. [default: the one that may have an engine]")
@click.option("--dv-m-s", type=Span(), help="Delta-v along the track, m/s. [default: twice what helps]")
@click.option("--hours", type=Span(), default="1:48", show_default=True, help="Burn, hours before closest approach.")
@click.option(
    "--target-pc", type=click.FloatRange(0.0, 1.0, True, True), help="What Pc is to go below. [default: --pc-alert]"
)
@click.option(
    "--error-percent",
    type=click.FloatRange(0.0, 100.0),
    default=0.0,
    show_default=True,
    help="Standard deviation of the burn's size, percent of it.",
)
@click.option(
    "--back-hours",
    type=click.FloatRange(0.5, 2400.0),
    default=24.0,
    show_default=True,
    help="Back in its slot so long after the closest approach (cost only).",
)
@click.option(
    "--days",
    type=click.FloatRange(0.0, 14.0),
    default=3.0,
    show_default=True,
    help="Screen the moved object until so long after the event; 0: do not.",
)
@click.option("--maneuver", "maneuvers", type=Burn(), multiple=True, help="What this burn does, e.g. 0.05@12.")
@click.option("--hbr-m", type=click.FloatRange(0.0, min_open=True), help="Combined hard-body radius of a message, m.")
@setting("screen.threshold_km")
@setting("screen.max_age_day")
@setting("screen.threads")
@setting("risk.pc_alert")
@setting("risk.hbr_table")
@setting("risk.satcat")
@setting("store.url", "--store")
@click.option("--output", type=FILE, help="The surface there: .csv, .parquet or .json.")
@click.option("--plot", type=FILE, help="Page (HTML) with the maps there.")
@format_option("table", "json", "csv", "parquet")
@config_option
def what_if(
    event: str,
    catalog: Path | None,
    burns: str | None,
    dv_m_s: tuple[float, ...] | None,
    hours: tuple[float, ...],
    target_pc: float | None,
    error_percent: float,
    back_hours: float,
    days: float,
    maneuvers: tuple[tuple[float, float], ...],
    hbr_m: float | None,
    output: Path | None,
    plot: Path | None,
    form: Any,
    **options: Any,
) -> None:
    """What a burn along the track would change: Pc and miss over delta-v and time. Decision support, not a command.

    EVENT is one that `assess` has stored (`orbwatch replay` lists them), or, with --catalog, any two objects and a time
    within two minutes of their approach in the same notation, as from `screen`. A CDM is a message's file.

    Gives the smallest burns, forwards and backwards, that take the probability below the target, what returning costs,
    and what else the moved object would meet.
    """
    for flag, file, kinds in (("--output", output, (".csv", ".parquet", ".json")), ("--plot", plot, (".html", ".htm"))):
        if file is not None and file.suffix.lower() not in kinds:
            raise click.UsageError(f"{flag}: name the file {' or '.join(kinds)}.")
    if not 0.0 < hours[0] < hours[1] <= 240.0:
        raise click.UsageError("--hours: a burn comes before the closest approach, 240 hours at most.")
    if dv_m_s is not None and max(abs(dv_m_s[0]), abs(dv_m_s[1])) > 100.0:
        raise click.UsageError("--dv-m-s: within -100:100 m/s.")
    if any(not 0.0 < at <= 240.0 for _, at in maneuvers):
        raise click.UsageError("--maneuver: later than 240 hours before the closest approach, and before it.")
    if any(not abs(dv) <= 100.0 for dv, _ in maneuvers):
        raise click.UsageError("--maneuver: within -100:100 m/s.")
    from orbwatch import views_what_if
    from orbwatch.conjunction.what_if_secondary import Maneuver

    settings = settings_of(options)
    asked = views_what_if.Asked(
        event, catalog, burns, dv_m_s, hours, target_pc or settings.risk.pc_alert, error_percent / 100.0, back_hours,
        days, tuple(Maneuver(*one) for one in maneuvers), hbr_m,
    )  # fmt: skip
    views_what_if.run(asked, settings, form, output, plot, terminal_progress())
