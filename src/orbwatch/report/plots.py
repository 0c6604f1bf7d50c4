"""The plots of a conjunction report, as plotly.js specifications (plain mappings: data + layout)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from orbwatch.report.log_axes import log_axis

INK, PRIMARY, SECONDARY, COMBINED, ALERT = "#17212b", "#0b62a8", "#c2570c", "#6b7f91", "#b3261e"

Spec = dict[str, Any]


def _layout(title: str, x: str, y: str, **more: Any) -> Spec:
    axis = {"gridcolor": "#e6ebef", "zerolinecolor": "#c5ced6", "automargin": True}
    layout: Spec = {
        "title": {"text": title, "font": {"size": 15}, "x": 0.02, "xanchor": "left"},
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": INK},
        "margin": {"l": 60, "r": 20, "t": 46, "b": 50},
        "height": 340,
        "plot_bgcolor": "#ffffff",
        "paper_bgcolor": "#ffffff",
        "legend": {"orientation": "h", "y": -0.26, "yanchor": "top", "font": {"size": 10}, "itemwidth": 30},
        "xaxis": {"title": {"text": x}, **axis},
        "yaxis": {"title": {"text": y, "standoff": 10}, **axis},
    }
    for key, value in more.items():
        layout[key] = {**layout[key], **value} if isinstance(value, dict) and key in layout else value
    return layout


def _clean(values: Any) -> list[float | None]:
    """JSON has no NaN: a gap instead."""
    return [float(v) if np.isfinite(v) else None for v in np.asarray(values, float)]


def ellipse(cov: Float[np.ndarray, "2 2"], sigmas: float, points: int = 73) -> Float[np.ndarray, "points 2"]:
    """Outline of the `sigmas`-sigma ellipse of a 2x2 covariance, centred at zero, in the square root of its unit."""
    values, vectors = np.linalg.eigh(cov)
    angle = np.linspace(0.0, 2.0 * np.pi, points)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.asarray(sigmas * circle * np.sqrt(np.maximum(values, 0.0)) @ vectors.T)


def encounter_plane(
    miss_km: Float[np.ndarray, "2"],
    cov_1_km2: Float[np.ndarray, "2 2"],
    cov_2_km2: Float[np.ndarray, "2 2"],
    hbr_m: float,
    names: tuple[str, str],
) -> Spec:
    """Both objects in the plane perpendicular to their relative velocity, with 1-sigma and 3-sigma ellipses."""
    data: list[Spec] = []
    for centre, cov, name, colour in (
        (np.zeros(2), cov_1_km2, names[0], PRIMARY),
        (np.asarray(miss_km), cov_2_km2, names[1], SECONDARY),
    ):
        for sigmas, dash in ((1.0, "solid"), (3.0, "dot")):
            line = centre + ellipse(cov, sigmas)
            data.append(
                {
                    "type": "scatter", "mode": "lines", "x": _clean(line[:, 0]), "y": _clean(line[:, 1]),
                    "name": f"{name} {sigmas:g}σ", "line": {"color": colour, "dash": dash, "width": 1.5},
                }
            )  # fmt: skip
        data.append(
            {
                "type": "scatter", "mode": "markers", "x": _clean(centre[:1]), "y": _clean(centre[1:]),
                "name": name, "showlegend": False, "marker": {"color": colour, "size": 7},
            }
        )  # fmt: skip
    hbr_km = hbr_m / 1e3
    circle = {"type": "circle", "x0": -hbr_km, "x1": hbr_km, "y0": -hbr_km, "y1": hbr_km, "line": {"color": ALERT}}
    return {
        "data": data,
        "layout": _layout(
            "Encounter plane", "along the miss vector, km", "perpendicular, km",
            yaxis={"scaleanchor": "x"}, shapes=[circle], height=400,
        ),
    }  # fmt: skip


def pc_against_hbr(hbr_m: Float[np.ndarray, " k"], pc: Float[np.ndarray, " k"], used_m: float) -> Spec:
    """Probability of collision against the combined hard-body radius, with the radius used."""
    return {
        "data": [{"type": "scatter", "mode": "lines", "x": _clean(hbr_m), "y": _clean(pc), "line": {"color": PRIMARY}}],
        "layout": _layout(
            "2D Pc against hard-body radius", "combined hard-body radius, m", "Pc, 2D",
            xaxis=log_axis([hbr_m], labels=5), yaxis=log_axis([pc]), shapes=[_vertical(used_m)],
            showlegend=False,
        ),
    }  # fmt: skip


def dilution(scale: Float[np.ndarray, " k"], pc: Float[np.ndarray, " k"]) -> Spec:
    """Probability of collision as the combined standard deviation is scaled; right of the peak it is diluted."""
    return {
        "data": [{"type": "scatter", "mode": "lines", "x": _clean(scale), "y": _clean(pc), "line": {"color": PRIMARY}}],
        "layout": _layout(
            "Dilution: 2D Pc against scaled uncertainty", "scale of the combined standard deviation", "Pc, 2D",
            xaxis=log_axis([scale], labels=5), yaxis=log_axis([pc]), shapes=[_vertical(1.0)],
            showlegend=False,
        ),
    }  # fmt: skip


def _vertical(x: float) -> Spec:
    return {
        "type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1,
        "line": {"color": ALERT, "dash": "dash", "width": 1.5},
    }  # fmt: skip


def approaches_in_time(
    tca_utc: Sequence[str],
    miss_km: Float[np.ndarray, " k"],
    pc: Float[np.ndarray, " k"],
    labels: Sequence[str],
    threshold_km: float,
) -> Spec:
    """Every approach: when, how close, and how probable a collision (colour, log scale)."""
    log_pc = np.log10(np.maximum(np.nan_to_num(pc), 1e-10))
    return {
        "data": [
            {
                "type": "scattergl", "mode": "markers", "x": list(tca_utc), "y": _clean(miss_km), "text": list(labels),
                "hovertemplate": "%{text}<br>%{x}<br>%{y:.3f} km<extra></extra>",
                "marker": {
                    "size": 5, "color": _clean(log_pc), "cmin": -10, "cmax": -3,
                    "colorscale": "YlOrRd", "reversescale": True,
                    "colorbar": {"title": {"text": "log₁₀ Pc"}, "thickness": 10},
                },
            }
        ],
        "layout": _layout(
            "Close approaches", "time of closest approach, UTC", "miss distance, km", yaxis={"range": [0, threshold_km]}
        ),
    }  # fmt: skip


def _bars(values: Float[np.ndarray, " k"], edges: Float[np.ndarray, " m"], colour: str) -> Spec:
    counts, _ = np.histogram(values, bins=edges)
    middle = 0.5 * (edges[1:] + edges[:-1])
    return {"type": "bar", "x": _clean(middle), "y": _clean(counts), "marker": {"color": colour}}


def altitude_histogram(altitude_km: Float[np.ndarray, " k"]) -> Spec:
    """Where the approaches happen."""
    bars = _bars(altitude_km[altitude_km < 2000.0], np.arange(100.0, 2001.0, 50.0), PRIMARY)
    return {
        "data": [bars],
        "layout": _layout("Where they happen (below 2,000 km)", "altitude, km", "approaches per 50 km", bargap=0.05),
    }  # fmt: skip


def age_histogram(age_day: Float[np.ndarray, " n"], excluded: Int[np.ndarray, ""] | int, limit_day: float) -> Spec:
    """How old the element sets are at the start of the window."""
    bars = _bars(np.clip(age_day, 0.0, limit_day), np.linspace(0.0, limit_day, 41), COMBINED)
    beyond = f"days ({int(excluded):,} objects above {limit_day:g} left out)" if excluded else "days"
    return {
        "data": [bars],
        "layout": _layout(
            "Age of the element sets at the start", beyond, "objects", yaxis=log_axis([bars["y"]], low=0.7), bargap=0.05
        ),
    }
