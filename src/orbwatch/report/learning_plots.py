"""The plots of an evaluation of forecasters, as plotly.js specifications (plain mappings: data + layout)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orbwatch.report.log_axes import log_axis
from orbwatch.report.plots import ALERT, COMBINED, INK, PRIMARY, SECONDARY, Spec, _clean, _layout

COLOURS = {
    "hold": "#b8c4ce",
    "two_body": "#8d9daa",
    "j2_j4": "#c2570c",
    "ukf": "#7a4fa3",
    "least_squares": INK,
    "least_squares_8x8": "#4d7c8a",
    "baseline": "#c99700",
    "scaled": PRIMARY,
    "shipped": "#1a7f37",
    "least squares": INK,
    "network": PRIMARY,
    "MC dropout": "#7a4fa3",
    "ensemble": "#1a7f37",
}
"""One colour for a forecaster wherever it is drawn."""

_TALL = 420  # px, where a dozen forecasters stand in the legend

Curve = tuple[Sequence[float], Sequence[float]]
"""x and y."""


def error_by_horizon(curves: Mapping[str, Curve], regime: str, measure: str, unit: str = "km") -> Spec:
    """An error of every forecaster against the horizon (minutes), logarithmic."""
    data = [_line(name, curve) for name, curve in curves.items()]
    return {
        "data": data,
        "layout": _layout(
            f"{regime}: {measure} error",
            "horizon, min",
            f"{measure}, {unit}",
            yaxis=log_axis([one["y"] for one in data]),
            height=_TALL,
        ),
    }


def ratios(
    rows: Mapping[str, Sequence[tuple[str, float, float, float]]], reference: str, horizon_min: float, title: str
) -> Spec:
    """Ratios of medians to a reference, with intervals: for each forecaster (regime, ratio, low, high)."""
    data: list[Spec] = []
    for name, cells in rows.items():
        middle = [cell[1] for cell in cells]
        data.append(
            {
                "type": "scatter", "mode": "markers", "name": name, "x": [cell[0] for cell in cells],
                "y": _clean(middle), "marker": {"color": COLOURS.get(name, COMBINED), "size": 9},
                "error_y": {
                    "type": "data", "symmetric": False, "thickness": 1.5,
                    "array": _clean([cell[3] - cell[1] for cell in cells]),
                    "arrayminus": _clean([cell[1] - cell[2] for cell in cells]),
                },
            }
        )  # fmt: skip
    words = f"over {reference}, {horizon_min:g} min"
    layout = _layout(title, "", words, shapes=[_level(1.0)], scattermode="group", scattergap=0.7, height=_TALL)
    return {"data": data, "layout": layout}


def coverage_map(
    values: Sequence[Sequence[float]], methods: Sequence[str], cells: Sequence[str], level: float, title: str
) -> Spec:
    """Coverage of every method (rows) in every cell (regime and horizon): blue too much, red too little."""
    return {
        "data": [
            {
                "type": "heatmap", "z": [_clean(row) for row in values], "y": list(methods), "x": list(cells),
                "zmin": level - 0.1, "zmid": level, "zmax": 1.0, "colorscale": "RdBu",
                "hovertemplate": "%{y}<br>%{x}<br>%{z:.3f}<extra></extra>",
                "colorbar": {"title": {"text": "coverage"}, "thickness": 10},
            }
        ],
        "layout": _layout(title, "", "", height=380, xaxis={"tickangle": -60, "tickfont": {"size": 9}}),
    }  # fmt: skip


def reliability(curves: Mapping[str, Curve], title: str) -> Spec:
    """Coverage against the level that was claimed; the diagonal is the truth."""
    diagonal = {**_line("ideal", ([0.0, 1.0], [0.0, 1.0])), "line": {"color": COMBINED, "dash": "dash", "width": 1}}
    data = [diagonal, *(_line(name, curve, "lines+markers") for name, curve in curves.items())]
    return {"data": data, "layout": _layout(title, "level claimed", "coverage", yaxis={"range": [0, 1]})}


def pit(counts: Mapping[str, Sequence[float]], title: str) -> Spec:
    """Histogram of the probability integral transform, as density: 1 everywhere where the forecast is calibrated."""
    data: list[Spec] = []
    for name, density in counts.items():
        middle = [(i + 0.5) / len(density) for i in range(len(density))]
        data.append({**_line(name, (middle, density)), "line": {"color": COLOURS.get(name, COMBINED), "shape": "hvh"}})
    shapes = [_level(1.0)]
    return {"data": data, "layout": _layout(title, "probability integral transform", "density", shapes=shapes)}


def axis_by_horizon(curves: Mapping[str, Curve], title: str) -> Spec:
    """Size of the regions (geometric mean of the semi-axes, m) against the horizon."""
    data = [_line(name, curve) for name, curve in curves.items()]
    axis = log_axis([one["y"] for one in data])
    return {"data": data, "layout": _layout(title, "horizon, min", "semi-axis, m", yaxis=axis)}


def attention_map(weights: Sequence[Sequence[float]], horizons: Sequence[str]) -> Spec:
    """How much of each step of the history each horizon reads."""
    steps = [f"{step - len(weights[0]) + 1}" for step in range(len(weights[0]))]
    return {
        "data": [
            {
                "type": "heatmap", "z": [_clean(row) for row in weights], "x": steps, "y": list(horizons),
                "colorscale": "Blues", "colorbar": {"title": {"text": "weight"}, "thickness": 10},
            }
        ],
        "layout": _layout("Attention over the history", "step of the history", "asked for"),
    }  # fmt: skip


def bars(values: Mapping[str, Mapping[str, float]], title: str, y: str, line: float | None = None) -> Spec:
    """Grouped bars: for each series, a value by name."""
    colours = (PRIMARY, SECONDARY, COMBINED)
    data = [
        {
            "type": "bar", "name": name, "x": list(cells), "y": _clean(list(cells.values())),
            "marker": {"color": colours[index % len(colours)]},
        }
        for index, (name, cells) in enumerate(values.items())
    ]  # fmt: skip
    return {"data": data, "layout": _layout(title, "", y, shapes=[] if line is None else [_level(line)])}


def losses(curves: Mapping[str, Curve]) -> Spec:
    """Training and validation losses over the epochs."""
    return {
        "data": [_line(name, curve) for name, curve in curves.items()],
        "layout": _layout("Loss while training", "epoch", "loss"),
    }


def _line(name: str, curve: Curve, mode: str = "lines") -> Spec:
    first = name.split(" + ")[0]
    style: dict[str, Any] = {"color": COLOURS.get(first, COMBINED), "width": 2}
    if first != name:
        style["dash"] = "dot"
    return {
        "type": "scatter", "mode": mode, "name": name, "x": _clean(curve[0]), "y": _clean(curve[1]), "line": style
    }  # fmt: skip


def _level(y: float) -> Spec:
    return {
        "type": "line", "y0": y, "y1": y, "xref": "paper", "x0": 0, "x1": 1,
        "line": {"color": ALERT, "dash": "dash", "width": 1},
    }  # fmt: skip
