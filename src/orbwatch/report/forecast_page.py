"""One object's forecast as a page: what is promised, and how the same promises held in the past."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orbwatch.constants import DAY_US
from orbwatch.models.catalog_forecast import CatalogForecasts
from orbwatch.models.catalog_past import PAST_DAY, PastForecasts, summary
from orbwatch.report.forecast_plots import axis_figure, held_figure, miss_figure
from orbwatch.report.forecast_words import (
    age_text,
    distance_text,
    forecast_words,
    half_axes_km,
    half_turn_km,
    held_sentence,
    past_words,
    sentence,
    share_text,
)
from orbwatch.report.html import Figure, Page, Table
from orbwatch.time import format_utc

SHOWN_DAY = np.array([0.5, 1.0, 2.0, 3.0, 5.0, 7.0])


def page(made: CatalogForecasts, past: PastForecasts, name: str, caution: str = "") -> Page:
    """The page of the only object in `made` (at many horizons); past: its forecasts of the last month.

    caution: what else speaks against it, a sentence without capital and stop.
    """
    norad_id = int(made.norad_id[0])
    names = {norad_id: name}
    truths, askings = int(past.told.sum()), len(past.asked_us)
    figures: list[Figure] = []
    if truths or np.isfinite(made.rv_teme_km).any():
        figures += [axis_figure(made, past, axis) for axis in (1, 0, 2)]
    tables = [("Forecast", _table(forecast_words(_some(made), names)))]
    if truths:
        figures += [miss_figure(past), held_figure(past)]
        tables.append(("The same object's past forecasts", _table(past_words(summary(past, SHOWN_DAY), names))))
    sentences = (sentence(_some(made), 0, name), caution, held_sentence(past.held(), truths, askings))
    return Page(
        title=f"{norad_id} {name}: forecast of {format_utc(made.asked_us, 0).replace('T', ' ')} UTC",
        label="",
        lead=" ".join(f"{one[0].upper()}{one[1:]}." for one in sentences if one),
        numbers=_numbers(made, past),
        figures=figures,
        tables=tables,
        sections_title="",
        sections=[],
        method=[
            ("model", made.model),
            ("regime", str(made.regime[0])),
            ("newest set", f"{format_utc(int(made.newest_us[0]), 0)} UTC" if made.newest_us[0] else "none"),
            ("status", str(made.status[0])),
            ("regions", "reach of the calibrated ellipsoids along each axis of the forecast state"),
            ("past forecasts", f"asked every half day of the last {PAST_DAY:g} days, each from what was public then"),
            (
                "truth",
                "the later set nearest in time, within 0.3 days: with an error of its own, often 0.1 km and more",
            ),
            ("cases", "overlap in time: they are fewer in truth than their number"),
        ],
    )


def _some(made: CatalogForecasts) -> CatalogForecasts:
    """At the horizons that a table shows."""
    at = np.unique([int(np.abs(made.horizon_day - day).argmin()) for day in SHOWN_DAY])
    return replace(
        made, horizon_day=made.horizon_day[at], rv_teme_km=made.rv_teme_km[:, at], cov_rtn_km2=made.cov_rtn_km2[:, at],
        radius=made.radius[:, at], joint_radius=made.joint_radius[:, at], sgp4_teme_km=None,
    )  # fmt: skip


def _numbers(made: CatalogForecasts, past: PastForecasts) -> list[tuple[str, str]]:
    half_km = half_axes_km(made, 1)[0, :, 1]
    found = []
    for day in (1.0, 3.0, 7.0):
        at = int(np.abs(made.horizon_day - day).argmin())
        if abs(made.horizon_day[at] - day) < 0.2:
            text = f"± {distance_text(float(half_km[at]))}" if half_km[at] < half_turn_km(made)[0, at] else "anywhere"
            text = text if np.isfinite(made.rv_teme_km[0, at]).all() else "none"
            found.append((text, f"along-track after {age_text(day)}, 90 %"))
    if past.told.any():
        held = past.held()
        found += [(share_text(float(held[1])), "of past cases in the 90 % region")]
        found += [(share_text(float(held[2])), "in the 99 % region")]
    if made.newest_us[0]:
        found.append((age_text((made.asked_us - int(made.newest_us[0])) / DAY_US), "age of the newest set"))
    return found


def _table(columns: dict[str, object]) -> Table:
    values = [np.asarray(each).tolist() for each in columns.values()]
    return Table(columns=list(columns), rows=[list(row) for row in zip(*values, strict=True)])
