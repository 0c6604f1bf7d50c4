"""What a burn would change, as plotly.js specifications: delta-v against time, coloured by probability or miss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from orbwatch.conjunction.what_if import Surface
from orbwatch.conjunction.what_if_least import Least
from orbwatch.report.log_axes import log_axis
from orbwatch.report.plots import INK, PRIMARY, Spec, _clean, _layout

FLOOR = -12.0
CONTOURS = (-7, -4)
"""Powers of ten of the probability that are drawn as lines."""


def probability_map(
    made: Surface, smallest: Sequence[Least] = (), wide: bool = False, reach_m_s: float = np.inf
) -> Spec:
    """Probability of collision over delta-v and time of the burn, with lines of equal probability.

    reach_m_s: what is shown at first of the delta-v, either way.
    """
    log_pc = np.where(np.isnan(made.pc), np.nan, np.log10(np.maximum(np.nan_to_num(made.pc), 10.0**FLOOR)))
    ticks = list(range(int(FLOOR), 0, 2))
    axes = {"x": _clean(made.lead_h), "y": _clean(made.dv_m_s), "z": [_clean(row) for row in log_pc]}
    data: list[Spec] = [
        {
            **axes,
            "type": "heatmap",
            "zsmooth": "best",
            "colorscale": "YlOrRd",
            "reversescale": True,
            "zmin": FLOOR,
            "zmax": max(-3.0, float(np.nanmax(log_pc, initial=FLOOR))),
            "customdata": [[f"{pc:.1e}, miss {miss:.2f} km" for pc, miss in zip(*row, strict=True)]
                           for row in zip(made.pc, made.miss_km, strict=True)],
            "hovertemplate": "%{y:.3f} m/s, %{x:.1f} h before: Pc %{customdata}<extra></extra>",
            "colorbar": {"title": {"text": "Pc"}, "thickness": 12, "tickvals": ticks,
                         "ticktext": [f"{'≤ ' if t == FLOOR else ''}1e{t}" for t in ticks]},
        },
        {
            **axes,
            "type": "contour",
            "showscale": False,
            "hoverinfo": "skip",
            "contours": {"coloring": "lines", "start": CONTOURS[0], "end": CONTOURS[1], "size": 1,
                         "showlabels": True, "labelfont": {"size": 10, "color": INK}},
            "line": {"width": 1},
            "colorscale": [[0, INK], [1, INK]],
        },
    ]  # fmt: skip
    data += [
        {
            "type": "scatter", "mode": "lines", "x": _clean(one.lead_h), "y": _clean(one.dv_m_s),
            "name": f"smallest for Pc ≤ {one.threshold:g}", "showlegend": number == 0,
            "line": {"color": PRIMARY, "width": 2.5, "dash": "dash"},
        }
        for number, one in enumerate(smallest)
    ]  # fmt: skip
    return _map(made, data, "Pc if it burns along its track (contours: powers of ten)", wide, reach_m_s)


def miss_map(made: Surface, wide: bool = False, reach_m_s: float = np.inf) -> Spec:
    """Miss distance over delta-v and time of the burn."""
    axes = {"x": _clean(made.lead_h), "y": _clean(made.dv_m_s), "z": [_clean(row) for row in np.log10(
            np.maximum(made.miss_km, 1e-3))]}  # fmt: skip
    ticks = list(range(-3, 4))
    data: list[Spec] = [
        {
            **axes,
            "type": "heatmap",
            "zsmooth": "best",
            "colorscale": "YlGnBu",
            "zmin": -1.0,
            "zmax": 2.0,
            "customdata": [[f"{miss:.3f}" for miss in row] for row in made.miss_km],
            "hovertemplate": "%{y:.3f} m/s, %{x:.1f} h before: miss %{customdata} km<extra></extra>",
            "colorbar": {"title": {"text": "km"}, "thickness": 12, "tickvals": ticks,
                         "ticktext": [f"{10.0**t:g}" for t in ticks]},
        },
        {
            **axes,
            "type": "contour",
            "showscale": False,
            "hoverinfo": "skip",
            "contours": {"coloring": "lines", "start": -1, "end": 2, "size": 0.5},
            "line": {"width": 1},
            "colorscale": [[0, INK], [1, INK]],
        },
    ]  # fmt: skip
    return _map(made, data, "Miss distance if it burns along its track", wide, reach_m_s)


def least_lines(smallest: Sequence[Least]) -> Spec:
    """The smallest burn that takes the probability below the threshold, forwards and backwards."""
    data = [
        {
            "type": "scatter", "mode": "lines+markers", "x": _clean(one.lead_h), "y": _clean(np.abs(one.dv_m_s)),
            "name": "forwards" if np.nansum(one.dv_m_s) >= 0.0 else "backwards", "marker": {"size": 4},
        }
        for one in smallest
    ]  # fmt: skip
    title = f"Smallest burn for Pc ≤ {smallest[0].threshold:g}" if smallest else "Smallest burn"
    return {
        "data": data,
        "layout": _layout(title, "burn, hours before the closest approach", "|delta-v|, m/s",
                          yaxis=log_axis([one["y"] for one in data]), xaxis={"autorange": "reversed"}),
    }  # fmt: skip


def _map(made: Surface, data: list[Spec], title: str, wide: bool, reach_m_s: float) -> Spec:
    low, high = _range(made.lead_h)
    least_m_s, most_m_s = _range(made.dv_m_s)
    shown = [max(least_m_s, -reach_m_s), min(most_m_s, reach_m_s)]
    return {
        "data": data,
        "layout": _layout(
            title, "burn, hours before the closest approach", "delta-v along the track, m/s",
            xaxis={"range": [high, low]}, yaxis={"range": shown}, height=430 if wide else 400,
        ),
        "wide": wide,
    }  # fmt: skip


def _range(values: Float[np.ndarray, " k"]) -> tuple[float, float]:
    return float(values.min()), float(values.max())
