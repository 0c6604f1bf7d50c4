"""The plots of an event's messages, as plotly.js specifications (plain mappings: data + layout)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from orbwatch.conjunction.category import CATEGORIES, limits
from orbwatch.conjunction.choice import ORDER, SHORT
from orbwatch.conjunction.probability_nc import RateHistory
from orbwatch.report.log_axes import log_axis
from orbwatch.report.message_words import numbers_of
from orbwatch.report.plots import ALERT, COMBINED, INK, PRIMARY, SECONDARY, Spec, _clean, _layout
from orbwatch.settings import RiskSettings

Entry = Mapping[str, Any]

_COLOURS = {"foster_1992": COMBINED, "hall_2021_nc2d": SECONDARY, "hall_2021_nc3d": "#3b7d3a", "monte_carlo": "#7b4fa3"}
_LIMIT_COLOURS = ("#c79100", ALERT, "#6d1a14")
_LEAST_PC = 1e-12
"""Probabilities are drawn down to here."""


def miss_figure(messages: Sequence[Entry]) -> Spec:
    """The miss along R, T and N at each message with its one-sigma bars, an axis each; zero is the other object."""
    x, label, reverse = _when(messages)
    data: list[Spec] = []
    axes: Spec = {}
    for i, (axis, colour) in enumerate(zip("RTN", (PRIMARY, SECONDARY, INK), strict=True)):
        values = [_at(entry["miss_rtn_m"], i) for entry in messages]
        sigmas = [_at(entry["sigma_rtn_m"], i) for entry in messages]
        number = "" if i == 0 else str(i + 1)
        data.append(
            {
                "type": "scatter", "mode": "lines+markers", "x": x, "y": _clean(values), "name": axis,
                "yaxis": f"y{number}", "line": {"color": colour, "width": 2},
                "error_y": {"type": "data", "array": _clean(np.nan_to_num(sigmas)), "color": colour, "thickness": 1},
            }
        )  # fmt: skip
        axes[f"yaxis{number}"] = {
            "title": {"text": f"{axis}, m"}, "domain": [0.69 - 0.345 * i, 0.99 - 0.345 * i], "gridcolor": "#e6ebef",
            "zerolinecolor": "#7b8894", "automargin": True,
        }  # fmt: skip
    layout = _layout(
        "Miss along R, T, N of object 1, ± one sigma", label, "", height=480, showlegend=False,
        xaxis={"anchor": "y3", **reverse},
    )  # fmt: skip
    return {"data": data, "layout": layout | axes}


def pc_figure(messages: Sequence[Entry], settings: RiskSettings) -> Spec:
    """Every method's probability at each message, the chosen one as a line, and the thresholds of the categories."""
    x, label, reverse = _when(messages)
    data: list[Spec] = []
    for method in (*ORDER, "given"):
        rows = [next((one for one in entry["results"] if one["method"] == method), None) for entry in messages]
        values = np.array([np.nan if row is None or row["pc"] is None else row["pc"] for row in rows], float)
        if not np.isfinite(values).any():
            continue
        trace = {
            "type": "scatter", "mode": "markers", "x": x, "y": _logs(values), "name": SHORT[method],
            "marker": {"color": _COLOURS.get(method, "#9aa5ae"), "size": 7, "symbol": _symbol(method)},
        }  # fmt: skip
        if method == "monte_carlo":
            ends = [[np.nan, np.nan] if row is None or row["interval"] is None else row["interval"] for row in rows]
            low, high = np.array(ends, float).T
            trace["error_y"] = {
                "type": "data", "symmetric": False, "color": _COLOURS[method], "thickness": 1,
                "array": _clean(np.nan_to_num(high - values)), "arrayminus": _clean(np.nan_to_num(values - low)),
            }  # fmt: skip
        data.append(trace)
    chosen = numbers_of(messages, "pc")
    data.append(
        {
            "type": "scatter", "mode": "lines", "x": x, "y": _logs(chosen), "name": "chosen",
            "line": {"color": PRIMARY, "width": 2},
        }
    )  # fmt: skip
    shapes, notes = [], []
    for i, limit in enumerate(limits("pc", settings)):
        line = {"color": _LIMIT_COLOURS[i], "dash": "dash", "width": 1.3}
        shapes.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": limit, "y1": limit, "line": line})
        notes.append(
            {
                "xref": "paper", "x": 1, "y": float(np.log10(limit)), "text": CATEGORIES[i + 2], "showarrow": False,
                "xanchor": "right", "yanchor": "bottom", "font": {"size": 10, "color": _LIMIT_COLOURS[i]},
            }
        )  # fmt: skip
    shown = [value for trace in data for value in trace["y"] if value is not None and value > 0.0]
    low = min([*shown, settings.pc_watch]) / 5.0
    high = min(1.0, max([*shown, settings.critical_factor * settings.pc_alert]) * 5.0)
    layout = _layout(
        "Probability of collision over the messages", label, "Pc", height=480, shapes=shapes, annotations=notes,
        legend={"y": -0.22}, xaxis=reverse,
        yaxis=log_axis([], low, high),
    )  # fmt: skip
    return {"data": data, "layout": layout}


def time_figure(history: RateHistory) -> Spec:
    """How the probability accrues in time, and its rate: where in the encounter a collision would be."""
    unit, scale = ("s", 1.0) if np.ptp(history.t_s) < 600.0 else ("min", 60.0)
    x = _clean(history.t_s / scale)
    data: list[Spec] = [
        {
            "type": "scatter", "mode": "lines", "x": x, "y": _clean(history.pc), "name": "Pc(t)",
            "line": {"color": PRIMARY},
        },
        {
            "type": "scatter", "mode": "lines", "x": x, "y": _clean(history.rate_per_s * scale), "yaxis": "y2",
            "name": f"rate per {unit}", "line": {"color": SECONDARY, "dash": "dot"},
        },
    ]  # fmt: skip
    layout = _layout(
        "Pc(t): how it accrues (3D-Nc)", f"{unit} from the closest approach", "Pc up to then",
        yaxis={"exponentformat": "power", "rangemode": "tozero"},
        yaxis2={
            "overlaying": "y", "side": "right", "title": {"text": f"per {unit}"}, "showgrid": False,
            "exponentformat": "power", "rangemode": "tozero", "automargin": True,
        },
    )  # fmt: skip
    return {"data": data, "layout": layout}


def _when(messages: Sequence[Entry]) -> tuple[list[float | None], str, Spec]:
    """Where messages stand along the axis, what that is, and whether it runs backwards."""
    lead = numbers_of(messages, "lead_day")
    if np.isfinite(lead).all():
        return _clean(lead), "days before the closest approach", {"autorange": "reversed"}
    return _clean(np.arange(1.0, len(messages) + 1.0)), "message", {"dtick": 1}


def _at(values: Sequence[float | None] | None, i: int) -> float:
    value = None if values is None else values[i]
    return float("nan") if value is None else value


def _symbol(method: str) -> str:
    return {"foster_1992": "circle-open", "given": "x", "monte_carlo": "square-open"}.get(method, "diamond-open")


def _logs(values: np.ndarray) -> list[float | None]:
    """For a logarithmic axis: nothing below the least drawn, not even zero."""
    return _clean(np.where(np.nan_to_num(values) >= _LEAST_PC, values, np.nan))
