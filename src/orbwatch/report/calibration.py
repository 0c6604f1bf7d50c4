"""The page of `orbwatch calibration --plot`: how the regions of past forecasts have held, day by day and by horizon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from orbwatch.learn.judging.catalog_held import (
    ALL,
    HOLDS,
    NARROW,
    TOLERANCE,
    UNCLEAR,
    WIDE,
    cells,
    daily_shares,
    words,
)
from orbwatch.learn.judging.metrics import Columns, height, rows_of
from orbwatch.learn.samples.catalog_regimes import CATALOG_REGIMES
from orbwatch.models.catalog_coverage import Matured
from orbwatch.report.html import Page, Table
from orbwatch.report.plots import ALERT, COMBINED, INK, PRIMARY, SECONDARY, Spec, _clean, _layout
from orbwatch.time import format_utc

PROMISED = 0.9
_DAYS_SHOWN = (1.0, 3.0, 7.0)
_COLOURS = (PRIMARY, SECONDARY, "#1a7f37")
_REGIME_COLOURS = (PRIMARY, SECONDARY, "#1a7f37", "#7a4fa3", "#c99700", INK)
_LEAST_A_DAY = 20
_TALL = 400  # px, for legends of two lines


def calibration_page(
    table: Columns,
    matured: Matured,
    factor: Float[np.ndarray, "n h l"],
    drifting: Sequence[str],
    horizon_day: Float[np.ndarray, " h"],
    model: str,
    days: int,
) -> Page:
    """What the page says. factor: on the radii, as they stood at each asking."""
    lead = "; ".join(words(table)[:1])
    alarm = f" In the last week: {'; '.join(drifting)}." if drifting else " The last week shows no drift."
    figures = [by_day(matured, None, horizon_day, "as calibrated"), by_day(matured, factor, horizon_day, "adapted")]
    figures += [by_horizon(table, "inside_90", "as calibrated"), by_horizon(table, "adapted_90", "adapted")]
    verdicts = [table["verdict"][i] for i in cells(table)]
    counts = [(str(verdicts.count(what)), f"cells: {what}") for what in (HOLDS, NARROW, WIDE, UNCLEAR)]
    return Page(
        title="Do the regions hold?",
        label="",
        lead=f"{lead}.{alarm}",
        numbers=[(f"{len(matured):,}", "past forecasts held to the truth"), *counts],
        figures=figures,
        tables=[("Shares inside the regions", _table(table))],
        sections_title="",
        sections=[],
        method=_method(matured, model, days),
    )


def by_day(
    matured: Matured, factor: Float[np.ndarray, "n h l"] | None, horizon_day: Float[np.ndarray, " h"], label: str
) -> Spec:
    """Share inside the 90 % ellipsoids of all objects, by day of asking; the band is what counts as held."""
    rows = np.ones(len(matured), bool)
    data: list[Spec] = []
    for day, colour in zip(_DAYS_SHOWN, _COLOURS, strict=True):
        column = int(np.abs(horizon_day - day).argmin())
        when, share, count = daily_shares(matured, factor, rows, column)
        enough = count >= _LEAST_A_DAY
        data.append({
            "type": "scatter", "mode": "lines+markers", "name": f"{horizon_day[column]:g} d",
            "x": [format_utc(int(t), 0) for t in when[enough]], "y": _clean(share[enough]),
            "line": {"color": colour, "width": 1.5}, "marker": {"size": 4},
        })  # fmt: skip
    layout = _layout(
        f"90 % ellipsoids by day, {label}", "asked, UTC", "share inside", shapes=_band(),
        xaxis={"type": "date"}, yaxis=_shares(data), height=_TALL,
    )  # fmt: skip
    return {"data": data, "layout": layout}


def by_horizon(table: Columns, column: str, label: str) -> Spec:
    """Share inside the 90 % ellipsoids of each regime against the horizon, with intervals where there are some."""
    data: list[Spec] = []
    for regime, colour in zip(CATALOG_REGIMES, _REGIME_COLOURS, strict=True):
        rows = rows_of(table, regime=regime, part=ALL)
        if not rows:
            continue
        line: dict[str, Any] = {
            "type": "scatter", "mode": "lines+markers", "name": regime, "x": [row["day"] for row in rows],
            "y": _clean([row[column] for row in rows]), "line": {"color": colour, "width": 1.5},
        }  # fmt: skip
        if column == "inside_90":
            line["error_y"] = {
                "type": "data", "symmetric": False, "thickness": 1,
                "array": _clean([row["inside_90_high"] - row["inside_90"] for row in rows]),
                "arrayminus": _clean([row["inside_90"] - row["inside_90_low"] for row in rows]),
            }  # fmt: skip
        data.append(line)
    layout = _layout(
        f"90 % ellipsoids by horizon, {label}", "horizon, days", "share inside", shapes=_band(),
        yaxis=_shares(data), height=_TALL, legend={"y": -0.32},
    )  # fmt: skip
    return {"data": data, "layout": layout}


def _shares(data: list[Spec]) -> Spec:
    least = min((y for line in data for y in line["y"] if y is not None), default=1.0)
    return {"range": [min(0.7, least - 0.02), 1.0], "tickformat": ".0%"}


def _band() -> list[Spec]:
    across = {"xref": "paper", "x0": 0, "x1": 1}
    dashes = {"color": ALERT, "dash": "dash", "width": 1}
    return [
        {"type": "rect", **across, "y0": PROMISED - TOLERANCE, "y1": PROMISED + TOLERANCE, "fillcolor": COMBINED,
         "opacity": 0.15, "line": {"width": 0}, "layer": "below"},
        {"type": "line", **across, "y0": PROMISED, "y1": PROMISED, "line": dashes},
    ]  # fmt: skip


def _table(table: Columns) -> Table:
    heads = {
        "regime": "Regime", "part": "Part", "day": "Horizon, d", "truths": "Truths", "objects": "Objects",
        "inside_50": "In 50 %", "inside_90": "In 90 %", "inside_90_low": "from", "inside_90_high": "to",
        "inside_99": "In 99 %", "adapted_50": "Adapted, 50 %", "adapted_90": "Adapted, 90 %",
        "adapted_99": "Adapted, 99 %", "radial_km_90": "Half axis R, km", "along_km_90": "T, km",
        "normal_km_90": "N, km", "verdict": "Verdict", "week_90": "Last week, 90 %",
        "week_adapted_90": "Last week, adapted", "drift_p": "Chance",
    }  # fmt: skip
    rows = [[table[name][i] for name in heads] for i in range(height(table))]
    shares = [head for name, head in heads.items() if "inside" in name or "adapted" in name or name.startswith("week")]
    kilometres = [head for name, head in heads.items() if name.endswith("km_90")]
    formats = dict.fromkeys(shares, ".1%") | dict.fromkeys(kilometres, ".3g")
    note = "Intervals are 95 %, by object. Half axes are medians of the 90 % ellipsoids as calibrated."
    counts = {"Horizon, d": "g", "Truths": ",", "Objects": ",", "Chance": ".2g"}
    return Table(list(heads.values()), rows, formats | counts, note=note)


def _method(matured: Matured, model: str, days: int) -> list[tuple[str, str]]:
    return [
        ("Model", model),
        ("Asked", f"each of {days} days, from {format_utc(int(matured.asked_us.min()), 0)} UTC"),
        ("Objects", f"{len(np.unique(matured.norad_id)):,}"),
        ("Truth", "the later set nearest in time, within 0.3 d; it shares what both sets have wrong"),
        ("Adapted", "with factors learned from the truths that were public at each asking"),
    ]
