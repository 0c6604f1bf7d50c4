"""What a forecaster changed in an assessment: words and a table for its report."""

from __future__ import annotations

from orbwatch.catalog.store import StoredEvent
from orbwatch.conjunction.assessment import Assessment
from orbwatch.report.html import Table
from orbwatch.time import format_utc
from orbwatch.uncertainty.forecast_covariance import OK


def forecast_number(result: Assessment) -> list[tuple[str, str]]:
    """How many objects are forecast, for the top of the page; nothing where there is no forecaster."""
    known = result.forecasts
    return (
        [] if known is None else [(f"{known.used:,}", f"of {known.objects:,} forecast, with a calibrated covariance")]
    )


def forecast_table(result: Assessment) -> Table:
    """How many objects have which state and covariance, and what speaks against forecasts."""
    known = result.forecasts
    if known is None:
        return Table([], [])
    rows = [
        [
            "forecast" if has and status == OK else "forecast, with caution" if has else "no forecast",
            "" if status == OK else status,
            "SGP4, corrected" if has else "SGP4",
            "forecaster's, calibrated" if has else "empirical table, by regime and age",
            number,
        ]
        for status, has, number in known.counts
    ]
    until = format_utc(known.until_us, 0)[:16].replace("T", " ")
    note = (
        f"{known.label[0].upper()}{known.label[1:]}. It forecasts until {until} UTC; after that, approaches rest on "
        "SGP4 and the empirical covariance."
    )
    return Table(["Objects with", "Because", "State", "Covariance", "Objects"], rows, {"Objects": ",d"}, note=note)


def miss_by_sgp4(event: StoredEvent) -> list[tuple[str, str]]:
    """The miss before the correction, as a fact of the event; nothing where there was none."""
    if "sgp4_miss_km" not in event.payload:
        return []
    miss_km, later_s = event.payload["sgp4_miss_km"], event.payload["after_sgp4_s"]
    if miss_km is None:
        return [("By SGP4 alone", "no approach within four minutes")]
    when = "earlier" if later_s >= 0.0 else "later"
    return [("By SGP4 alone", f"{miss_km:.4f} km, {abs(later_s):.3f} s {when}")]


def correction(result: Assessment) -> str:
    """What follows the propagator's name where its states are corrected."""
    if result.forecasts is None:
        return ""
    return (
        "; where there is a forecast, moved along the orbit and across it. Screening and closest approaches are on the "
        "moved orbits"
    )
