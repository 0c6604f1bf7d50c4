"""The plots of one object's forecast, as plotly.js specifications (plain mappings: data + layout)."""

from __future__ import annotations

import numpy as np

from orbwatch.frames import rtn_matrix
from orbwatch.models.catalog_forecast import LEVELS, CatalogForecasts
from orbwatch.models.catalog_past import PastForecasts
from orbwatch.report.forecast_words import AXES, half_axes_km
from orbwatch.report.log_axes import log_axis
from orbwatch.report.plots import ALERT, COMBINED, INK, PRIMARY, SECONDARY, Spec, _clean, _layout

_GREEN = "#1a7f37"
_LEVELS = ((0, "50 % region", COMBINED), (1, "90 % region", PRIMARY), (2, "99 % region", _GREEN))
_FLOOR_KM = 1e-3


def axis_figure(made: CatalogForecasts, past: PastForecasts, axis: int) -> Spec:
    """Sizes of errors of the only object along one axis (0 radial, 1 along-track, 2 cross-track), by horizon.

    Lines: how far the promised 50, 90 and 99 % regions reach, the 90 % one shaded, and where SGP4 alone would be.
    Points: what past forecasts missed by, over or under what was promised them.
    """
    day, told = made.horizon_day, past.told
    size_km = np.abs(np.where(told, past.miss_rtn_km[..., axis], 0.0))
    data: list[Spec] = []
    for inside, colour, words in (
        (True, INK, "past misses, inside their 90 % region"), (False, ALERT, "outside it")
    ):  # fmt: skip
        asked, at = np.nonzero(told & (past.inside[..., 1] == inside))
        points = {"color": colour, "size": 4, "opacity": 0.5}
        data.append(_curve(words, past.horizon_day[at], size_km[asked, at], {"mode": "markers", "marker": points}))
    for level, words, colour in _LEVELS:
        half_km = half_axes_km(made, level)[0, :, axis]
        more: Spec = {"line": {"color": colour, "width": 2}}
        if level == 1:
            more |= {"fill": "tozeroy", "fillcolor": "rgba(11,98,168,0.12)"}
        data.append(_curve(words, day, half_km, more))
    if made.sgp4_teme_km is not None:
        dotted = {"line": {"color": SECONDARY, "width": 2, "dash": "dot"}}
        data.append(_curve("SGP4 less the forecast", day, np.abs(sgp4_away_km(made)[:, axis]), dotted))
    low_km = np.quantile(size_km[told], 0.02) if told.any() else _FLOOR_KM
    drawn = [np.array([1.0], float) * low_km, half_axes_km(made, 1)[0, :, axis], size_km[told]]
    all_km = np.concatenate([each[np.isfinite(each)] for each in drawn])
    bottom_km, top_km = 0.6 * max(low_km, _FLOOR_KM), 2.0 * max(all_km.max(), _FLOOR_KM)
    layout = _layout(
        f"{AXES[axis].capitalize()} error", "days after the asking", "km", height=430,
        xaxis={"range": [0, float(day[-1]) + 0.1]},
        yaxis=log_axis([], float(bottom_km), float(max(top_km, 10.0 * bottom_km))),
    )  # fmt: skip
    return {"data": data, "layout": layout}


def _curve(name: str, x: np.ndarray, y_km: np.ndarray, more: Spec) -> Spec:
    """A curve or points on a logarithmic axis, which has no zero."""
    y = np.where(np.isfinite(y_km), np.maximum(np.where(np.isfinite(y_km), y_km, 0.0), _FLOOR_KM / 10.0), np.nan)
    return {"type": "scatter", "mode": "lines", "name": name, "x": _clean(x), "y": _clean(y), **more}


def sgp4_away_km(made: CatalogForecasts) -> np.ndarray:
    """Where SGP4 alone has the first object, along R, T, N of its forecast: (h, 3) km."""
    assert made.sgp4_teme_km is not None
    rv = made.rv_teme_km[0]
    axes = rtn_matrix(rv[:, :3], rv[:, 3:])
    return np.asarray(np.einsum("hij,hj->hi", axes, made.sgp4_teme_km[0] - rv[:, :3]))


def miss_figure(past: PastForecasts) -> Spec:
    """How far past forecasts and SGP4 missed by, by horizon: median and 90th percentile."""
    data: list[Spec] = []
    for name, miss, colour in (
        ("forecast", past.miss_rtn_km, PRIMARY), ("SGP4", past.sgp4_miss_rtn_km, SECONDARY)
    ):  # fmt: skip
        size = np.where(past.told, np.linalg.norm(np.where(past.told[..., None], miss, 0.0), axis=-1), np.nan)
        for q, words, dash in ((0.5, "median", "solid"), (0.9, "9 of 10 below", "dot")):
            curve = [np.quantile(v[np.isfinite(v)], q) if np.isfinite(v).any() else np.nan for v in size.T]
            data.append(
                {
                    "type": "scatter", "mode": "lines", "name": f"{name}, {words}", "x": _clean(past.horizon_day),
                    "y": _clean(curve), "line": {"color": colour, "width": 2, "dash": dash},
                }
            )  # fmt: skip
    layout = _layout(
        "Past misses", "days after the asking", "km", yaxis=log_axis([one["y"] for one in data]), height=420
    )
    return {"data": data, "layout": layout}


def held_figure(past: PastForecasts) -> Spec:
    """Shares of past truths inside the 50, 90 and 99 % regions, by horizon; dashed: what they promise."""
    data: list[Spec] = []
    shapes = []
    count = past.told.sum(axis=0)
    for at, words, colour in _LEVELS:
        level = LEVELS[at]
        share = np.where(count > 0, (past.inside[..., at] & past.told).sum(axis=0) / np.maximum(count, 1), np.nan)
        data.append(
            {
                "type": "scatter", "mode": "lines+markers", "name": words, "x": _clean(past.horizon_day),
                "y": _clean(100.0 * share), "line": {"color": colour, "width": 2},
                "marker": {"size": 4},
            }
        )  # fmt: skip
        shapes.append(
            {
                "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 100.0 * level, "y1": 100.0 * level,
                "line": {"color": colour, "dash": "dash", "width": 1},
            }
        )  # fmt: skip
    layout = _layout(
        "How often the region held", "days after the asking", "% of cases", shapes=shapes, yaxis={"range": [0, 103]},
        height=420,
    )  # fmt: skip
    return {"data": data, "layout": layout}
