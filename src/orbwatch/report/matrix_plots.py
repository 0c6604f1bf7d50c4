"""Heat maps of a matrix of pairs, as plotly.js specifications: object by object, or group by group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from orbwatch.conjunction.matrix import PairMatrix
from orbwatch.report.matrix_groups import Grouped
from orbwatch.report.plots import Spec, _layout
from orbwatch.time import format_utc_many

OBJECTS = 60
"""Most objects that are shown one by one."""
_PC_FLOOR = -12.0
FOREMOST = 30
"""Objects of the nearest pairs that are shown where there are more."""
_SIDE = 24
_CELLS = 60


def shown_objects(matrix: PairMatrix) -> Int[np.ndarray, " s"]:
    """All objects when they are few; else those of the nearest pairs; in the order of their orbits."""
    n = len(matrix.table)
    if n <= OBJECTS:
        chosen = np.arange(n)
    else:
        both = np.stack([matrix.closest.index_1, matrix.closest.index_2], axis=1).ravel()
        chosen = np.sort(both[np.sort(np.unique(both, return_index=True)[1])][:FOREMOST])
    table = matrix.table
    order: Int[np.ndarray, " s"] = np.lexsort((table.inclination_deg[chosen], -table.mean_motion_rev_day[chosen]))
    return np.asarray(chosen[order])


def by_object(matrix: PairMatrix, objects: Int[np.ndarray, " s"], what: str) -> Spec:
    """Objects against each other; what: "distance" (the smallest of the window) or "probability" (the highest)."""
    labels = [str(name) or str(number) for name, number in zip(matrix.table.name[objects].tolist(),
              matrix.table.norad_id[objects].tolist(), strict=True)]  # fmt: skip
    labels = [label if labels.count(label) == 1 else f"{label} ({matrix.table.norad_id[i]})"
              for label, i in zip(labels, objects, strict=True)]  # fmt: skip
    place = np.full(len(matrix.table), -1)
    place[objects] = np.arange(len(objects))
    a, b = place[matrix.closest.index_1], place[matrix.closest.index_2]
    rows = np.flatnonzero((a >= 0) & (b >= 0))
    a, b = a[rows], b[rows]
    size = len(objects)
    z, texts = np.full((size, size), np.nan), np.full((size, size), "", object)
    if what == "distance":
        value = np.log10(np.maximum(matrix.closest.miss_km[rows], 1e-3))
        title, bar, colours = "Smallest distance in the window", "km", "YlOrRd"
    else:
        value = _log_pc(matrix.pc_highest[rows])
        title, bar, colours = "Highest probability of collision of a pair's approaches", "Pc", "YlOrRd"
    z[a, b] = z[b, a] = value
    texts[a, b] = texts[b, a] = _texts(matrix, rows)
    which = "" if size == len(matrix.table) else " of the nearest pairs"
    return _heat(f"{title}: {size} objects{which}", labels, z, texts, bar, colours, what == "probability")


def by_group(found: Grouped, title: str, what: str) -> Spec:
    """Groups against each other; what: "pairs" (how many come below the threshold) or "probability" (the highest)."""
    labels = [f"{name} ({count:,})" for name, count in zip(found.names, found.objects.tolist(), strict=True)]
    texts = np.full(found.pairs.shape, "", object)
    for i, j in np.argwhere(found.pairs > 0):
        pc = found.pc_highest[i, j]
        most = "no Pc" if np.isnan(pc) else f"highest Pc {pc:.1e}"
        texts[i, j] = f"{found.pairs[i, j]:,} pairs, nearest {found.nearest_km[i, j]:.3f} km, {most}"
    if what == "pairs":
        z = np.where(found.pairs > 0, np.log10(np.maximum(found.pairs, 1)), np.nan)
        return _heat(title, labels, z, texts, "pairs", "Blues", False)
    return _heat(title, labels, _log_pc(found.pc_highest), texts, "Pc", "YlOrRd", True)


def _log_pc(pc: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    return np.asarray(np.where(np.isnan(pc), np.nan, np.log10(np.maximum(np.nan_to_num(pc), 10.0**_PC_FLOOR))))


def _texts(matrix: PairMatrix, rows: Int[np.ndarray, " k"]) -> list[str]:
    times = format_utc_many(matrix.closest.tca_us[rows], 0)
    out = []
    for row, at in zip(rows.tolist(), times, strict=True):
        pc = matrix.pc[row]
        told = "at an end of the window" if matrix.edge[row] else "no Pc" if np.isnan(pc) else f"Pc {pc:.1e}"
        out.append(f"{matrix.closest.miss_km[row]:,.3f} km, {at} UTC, {told}")
    return out


def _heat(
    title: str,
    labels: Sequence[str],
    z: Float[np.ndarray, "s s"],
    texts: np.ndarray,
    bar: str,
    colours: str,
    probability: bool,
) -> Spec:
    """A square heat map; z is a logarithm to base ten, blank where there is nothing."""
    finite = z[np.isfinite(z)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if probability:
        low, high = _PC_FLOOR, max(high, -3.0)
    ticks = [float(t) for t in range(int(np.floor(low)), int(np.ceil(high)) + 1)]
    marks = [(f"1e{t:.0f}" if probability else f"{10.0**t:,.10g}") for t in ticks]
    if probability:
        marks[0] = f"≤ {marks[0]}"
    size = len(labels)
    side = max(420, min(_SIDE * size, 860) + 180)
    step = max(1, -(-size // _CELLS))
    axis = {"tickmode": "array", "tickvals": list(range(0, size, step)), "ticktext": [labels[k] for k in
            range(0, size, step)], "tickfont": {"size": 10}, "showgrid": False, "zeroline": False}  # fmt: skip
    return {
        "data": [
            {
                "type": "heatmap",
                "z": [[float(v) if np.isfinite(v) else None for v in row] for row in z],
                "text": texts.tolist(),
                "customdata": [[f"{one} × {two}" for two in labels] for one in labels] if size <= OBJECTS else None,
                "hovertemplate": f"{'%{customdata}<br>' if size <= OBJECTS else ''}%{{text}}<extra></extra>",
                "hoverongaps": False,
                "xgap": 1 if size <= OBJECTS else 0,
                "ygap": 1 if size <= OBJECTS else 0,
                "colorscale": colours,
                "reversescale": bar != "km",  # dark is near, probable, many
                "zmin": low,
                "zmax": high if high > low else low + 1.0,
                "colorbar": {"title": {"text": bar}, "thickness": 12, "tickvals": ticks, "ticktext": marks},
            }
        ],
        "layout": _layout(
            title, "", "", height=side, plot_bgcolor="#f4f7f9",
            xaxis={**axis, "tickangle": -60, "constrain": "domain"},
            yaxis={**axis, "autorange": "reversed", "scaleanchor": "x", "constrain": "domain"},
        ),
        "wide": size > 12,
    }  # fmt: skip
