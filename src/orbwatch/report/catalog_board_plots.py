"""The plots of the catalogue's leaderboard, as plotly.js specifications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orbwatch.learn.judging.catalog_board import NETWORKS, SGP4, SHIPPED, TREES
from orbwatch.learn.judging.metrics import Columns, rows_of
from orbwatch.report.log_axes import log_axis
from orbwatch.report.plots import ALERT, COMBINED, INK, PRIMARY, SECONDARY, Spec, _clean, _layout

COLOURS = {SGP4: INK, NETWORKS: PRIMARY, TREES: SECONDARY, SHIPPED: "#1a7f37"}
"""One colour for a method wherever it is drawn; physics share one."""
_GROUPED = {"scattermode": "group", "scattergap": 0.6, "height": 460, "legend": {"y": -0.6}}


def overview(rows: Columns, days: Sequence[float]) -> list[Spec]:
    """Ratios of median errors to SGP4's, a figure for each day, in the groups that something is aimed at for."""
    return [_overview(rows, day) for day in days]


def _overview(rows: Columns, day: float) -> Spec:
    aims = [row for row in rows_of(rows, day=day, method=SHIPPED) if row["target"] == row["target"]]
    shown = [row["group"] for row in aims]
    best = [rows_of(rows, day=day, group=row["group"], method=row["best_physics"])[0] for row in aims]
    drawn = {"best physics": best}
    for name in (TREES, NETWORKS, SHIPPED):
        drawn[name] = [row for row in rows_of(rows, day=day, method=name) if row["group"] in shown]
    data = [_points(name, each, "group") for name, each in drawn.items() if each]
    data.append({
        "type": "scatter", "mode": "markers", "name": "target", "x": [row["group"] for row in aims],
        "y": _clean([row["target"] for row in aims]),
        "marker": {"symbol": "line-ew-open", "size": 26, "color": ALERT, "line": {"width": 2}},
    })  # fmt: skip
    title = f"Median error after {day:g} day{'s' if day != 1.0 else ''}, over SGP4's"
    return {
        "data": data,
        "layout": _layout(title, "", "ratio", yaxis=_axis(data), shapes=[_level(1.0)], **_GROUPED),
    }


def ratios(rows: Columns, group: str, methods: Sequence[str]) -> Spec:
    """Ratios of median errors to SGP4's against the horizon, with intervals."""
    data = [_points(name, rows_of(rows, group=group, method=name), "day", "lines+markers") for name in methods]
    layout = _layout(
        f"{group}: median error over SGP4's",
        "days",
        "ratio",
        yaxis=_axis(data),
        shapes=[_level(1.0)],
        height=420,
    )
    return {"data": [each for each in data if each["x"]], "layout": layout}


def errors(rows: Columns, group: str) -> Spec:
    """Median errors, and 90th percentiles, of SGP4 and of what is shipped, with the noise of the truth."""
    data: list[Spec] = []
    for name in (SGP4, SHIPPED):
        mine = rows_of(rows, group=group, method=name)
        for key, dash in (("median_km", "solid"), ("p90_km", "dot")):
            data.append({
                "type": "scatter", "mode": "lines+markers", "name": f"{name}, {key.removesuffix('_km')}",
                "x": [row["day"] for row in mine], "y": _clean([row[key] for row in mine]),
                "line": {"color": COLOURS[name], "dash": dash},
            })  # fmt: skip
    noise = [row["noise_km"] for row in rows_of(rows, group=group, method=SHIPPED)]
    shapes = [_level(noise[0])] if noise and noise[0] == noise[0] else []
    title = f"{group}: errors (dashed: noise between neighbouring sets)"
    return {
        "data": data,
        "layout": _layout(title, "days", "km", yaxis=_axis(data), shapes=shapes, height=420),
    }


def coverage(rows: Columns) -> Spec:
    """Shares of truths inside the 90 % ellipsoids by group against the horizon."""
    data: list[Spec] = []
    for name in dict.fromkeys(rows["group"]):
        mine = rows_of(rows, group=name, method=SHIPPED)
        data.append({
            "type": "scatter", "mode": "lines+markers", "name": name, "x": [row["day"] for row in mine],
            "y": _clean([row["inside_90"] for row in mine]),
        })  # fmt: skip
    title = "Inside the 90 % ellipsoids (dashed: 86, 94 %)"
    shapes = [_level(0.86), _level(0.94)]
    return {
        "data": data,
        "layout": _layout(title, "days", "share", yaxis={"range": [0.6, 1.01]}, shapes=shapes, height=520),
    }


def _axis(data: Sequence[Spec]) -> Spec:
    """Logarithmic, with room for error bars, and, where there are any, for the ratio 1."""
    bars = [(one, one["error_y"]) for one in data if "error_y" in one]
    ends = [
        [None if None in (y, bar) else y + sign * bar for y, bar in zip(one["y"], error[side], strict=True)]
        for one, error in bars for sign, side in ((1, "array"), (-1, "arrayminus"))
    ]  # fmt: skip
    return log_axis([*(one["y"] for one in data), *ends, [1.0] if bars else []])


def _points(name: str, rows: Sequence[dict[str, Any]], x: str, mode: str = "markers") -> Spec:
    middle = [row["ratio"] for row in rows]
    return {
        "type": "scatter", "mode": mode, "name": name, "x": [row[x] for row in rows], "y": _clean(middle),
        "text": [row["method"] for row in rows], "hovertemplate": "%{x}: %{y:.3f} (%{text})<extra></extra>",
        "marker": {"color": COLOURS.get(name, COMBINED), "size": 8},
        "error_y": {
            "type": "data", "symmetric": False, "thickness": 1.2,
            "array": _clean([row["ratio_high"] - row["ratio"] for row in rows]),
            "arrayminus": _clean([row["ratio"] - row["ratio_low"] for row in rows]),
        },
    }  # fmt: skip


def _level(y: float) -> Spec:
    return {
        "type": "line", "y0": y, "y1": y, "xref": "paper", "x0": 0, "x1": 1,
        "line": {"color": ALERT, "dash": "dash", "width": 1},
    }  # fmt: skip
