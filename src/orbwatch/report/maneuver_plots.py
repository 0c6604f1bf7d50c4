"""The plots of one object's maneuvers, as plotly.js specifications (plain mappings: data + layout)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from orbwatch.catalog.gp import NO_TIME
from orbwatch.constants import DAY_US
from orbwatch.maneuver.found import Maneuvers
from orbwatch.maneuver.patterns import Pattern
from orbwatch.maneuver.timeline import Timeline
from orbwatch.report.log_axes import log_axis
from orbwatch.report.maneuver_sizes import signed_text, size_text, speed_text
from orbwatch.report.maneuver_truth import Matched
from orbwatch.report.maneuver_words import KIND_WORDS, when_text
from orbwatch.report.plots import ALERT, COMBINED, INK, PRIMARY, SECONDARY, Spec, _clean, _layout
from orbwatch.time import format_utc, format_utc_many

_GREEN = "#1a7f37"
KIND_COLOURS = {
    "in_track_raise": PRIMARY, "in_track_lower": SECONDARY, "cross_track": _GREEN, "radial": "#7b3fa0",
    "non_impulsive": COMBINED, "unknown": INK,
}  # fmt: skip
_MOST_LINES = 400  # more only paint the plot over
_ECCENTRIC = 0.02
_LEAST_M_S = 1e-4
"""Smaller sizes are noise; where these and unknown ones stand."""
_ROWS = 5
_GAP = 0.035


def timeline_figure(line: Timeline, found: Maneuvers, life: Pattern, truth: Matched | None) -> Spec:
    """Elements, residuals and burns above each other, on one axis of time that zooms them together.

    Burns: as large as their delta-v (logarithmic), as strong as they are probable; thin lines carry them up through
    the other rows. Triangles: true burns. Shaded: when the next burn is expected.
    """
    times = format_utc_many(line.epoch_us, 0)
    height_title, heights = _heights(line, times)
    shape_title, shape = _shape(line, times)
    rows: list[tuple[str, list[Spec]]] = [
        (height_title, heights),
        ("inclination, deg", [_line("inclination", times, line.inclination_deg, PRIMARY)]),
        (shape_title, shape),
        ("set off the one before, km", _residuals(line, times)),
        ("delta-v, m/s", [*_burns(found), *([] if truth is None else _true_burns(truth))]),
    ]
    data: list[Spec] = []
    layout = _layout("Elements, residuals, maneuvers", "UTC", "", height=980, margin={"t": 52})
    layout["xaxis"] |= {"type": "date", "anchor": f"y{_ROWS}", "domain": [0, 1]}
    tall = (1.0 - _GAP * (_ROWS - 1)) / _ROWS
    plain = layout.pop("yaxis")
    for k, (title, traces) in enumerate(rows, start=1):
        top = 1.0 - (k - 1) * (tall + _GAP)
        name = "" if k == 1 else str(k)
        layout[f"yaxis{name}"] = {**plain, "title": {"text": title, "standoff": 14}, "domain": [top - tall, top]}
        data += [{**trace, "yaxis": f"y{name}", "xaxis": "x"} for trace in traces]
    layout[f"yaxis{_ROWS}"] |= _size_axis(rows[-1][1])
    for axis, values in (
        ("yaxis", [line.perigee_km, line.apogee_km] if len(heights) > 1 else [line.axis_km]),
        ("yaxis2", [line.inclination_deg]),
        ("yaxis3", [line.east_deg if line.geostationary else line.eccentricity]),
        ("yaxis4", [line.late_km, line.across_km]),
    ):
        layout[axis] |= {"range": _middle(values)}
    for axis in ("yaxis", "yaxis3"):
        layout[axis] |= {"exponentformat": "none"}
    layout["xaxis"] |= {"range": _span(line, life)}
    layout["shapes"] = [*_expected(life), *_lines(found)]
    layout["legend"] = {
        "orientation": "h",
        "y": -0.06,
        "yanchor": "top",
        "font": {"size": 11},
        "itemsizing": "constant",
    }
    layout["hovermode"] = "closest"
    return {"data": data, "layout": layout, "wide": True}


def _heights(line: Timeline, times: list[str]) -> tuple[str, list[Spec]]:
    if line.geostationary or np.median(line.eccentricity) < _ECCENTRIC:
        return "mean height, km", [_line("semi-major axis less the Earth's radius", times, line.axis_km, PRIMARY)]
    return "height, km", [
        _line("apogee", times, line.apogee_km, SECONDARY), _line("perigee", times, line.perigee_km, PRIMARY)
    ]  # fmt: skip


def _shape(line: Timeline, times: list[str]) -> tuple[str, list[Spec]]:
    if line.geostationary:
        return "longitude, deg east", [_line("longitude", times, line.east_deg, PRIMARY)]
    return "eccentricity", [_line("eccentricity", times, line.eccentricity, PRIMARY)]


def _residuals(line: Timeline, times: list[str]) -> list[Spec]:
    return [
        _points("ahead along the track of the set before", times, line.late_km, PRIMARY),
        _points("across its orbit", times, line.across_km, SECONDARY),
    ]


def _span(line: Timeline, life: Pattern) -> list[str]:
    """From the first set to the last, and on to the next burn, but not far."""
    first, last = int(line.epoch_us[0]), int(line.epoch_us[-1])
    room = max((last - first) // 50, DAY_US)
    until = last + room
    if NO_TIME not in (life.next_low_us, life.next_high_us) and not life.control_lost:
        until = min(max(until, life.next_high_us + room), last + 8 * room)
    return [format_utc(first - room, 0), format_utc(until, 0)]


def _middle(values: Sequence[Float[np.ndarray, " n"]]) -> list[float]:
    """A range that holds nearly all of the values: a few wild ones would flatten the rest."""
    known = np.concatenate(values)
    known = known[np.isfinite(known)]
    if not len(known):
        return [-1.0, 1.0]
    low, high = np.quantile(known, [0.002, 0.998])
    room = max(0.15 * float(high - low), 1e-6)
    return [float(low) - room, float(high) + room]


def _line(name: str, x: list[str], y: np.ndarray, colour: str) -> Spec:
    return {
        "type": "scattergl", "mode": "lines", "name": name, "x": x, "y": _clean(y),
        "line": {"color": colour, "width": 1}, "showlegend": False,
        "hovertemplate": f"{name} %{{y}}<br>%{{x}}<extra></extra>",
    }  # fmt: skip


def _points(name: str, x: list[str], y: np.ndarray, colour: str) -> Spec:
    return {
        "type": "scattergl", "mode": "markers", "name": name, "x": x, "y": _clean(y),
        "marker": {"color": colour, "size": 3, "opacity": 0.6},
        "hovertemplate": f"%{{y:.3f}} km {name}<br>%{{x}}<extra></extra>",
    }  # fmt: skip


def _burns(found: Maneuvers) -> list[Spec]:
    """A trace for each kind."""
    size = found.size_m_s()
    shown = np.fmax(size, _LEAST_M_S)
    traces: list[Spec] = []
    for kind in dict.fromkeys(found.kind.tolist()):
        at = np.flatnonzero(found.kind == kind)
        traces.append(
            {
                "type": "scatter", "mode": "markers", "name": f"found: {KIND_WORDS.get(kind, kind)}",
                "x": format_utc_many(found.epoch_us[at], 0), "y": _clean(shown[at]),
                "text": [_hover(found, int(i), float(size[i])) for i in at],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {
                    "color": KIND_COLOURS.get(kind, INK), "size": _clean(_marker(shown[at])),
                    "opacity": _clean(0.15 + 0.85 * found.probability[at]), "line": {"width": 0},
                },
            }
        )  # fmt: skip
    return traces


def _hover(found: Maneuvers, i: int, size_m_s: float) -> str:
    r, t, n = (float(one) for one in found.dv_rtn_m_s[i])
    parts = [
        f"{when_text(int(found.epoch_us[i]))} UTC, p {found.probability[i]:.2f}",
        f"{KIND_WORDS.get(str(found.kind[i]), str(found.kind[i]))}",
        size_text(size_m_s, float(found.dv_sigma_m_s[i])),
        f"R {signed_text(r)}, T {signed_text(t)}, N {signed_text(n)} m/s",
        f"between {when_text(int(found.start_us[i]))} and {when_text(int(found.end_us[i]))}",
    ]
    return "<br>".join(parts)


def _marker(size_m_s: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
    """Pixels: 5 for 1 mm/s, four more for each tenfold."""
    return np.asarray(np.clip(5.0 + 4.0 * (np.log10(np.maximum(size_m_s, 1e-6)) + 3.0), 4.0, 26.0))


def _size_axis(traces: list[Spec]) -> Spec:
    """With room for whole markers."""
    sizes = np.array([one for trace in traces for one in trace["y"] if one], float)
    return log_axis([sizes / 1.8, sizes * 1.8], labels=4)


def _true_burns(truth: Matched) -> list[Spec]:
    size = np.sqrt((truth.burns.dv_rtn_m_s**2).sum(axis=1))
    shown = np.fmax(size, _LEAST_M_S / 2.0)
    traces: list[Spec] = []
    for words, mask, colour in (("true, found", ~truth.missed, INK), ("true, missed", truth.missed, ALERT)):
        at = np.flatnonzero(mask)
        traces.append(
            {
                "type": "scatter", "mode": "markers", "name": words, "y": _clean(shown[at]),
                "x": format_utc_many(truth.burns.start_us[at], 0),
                "text": [f"{words}: {speed_text(float(size[i]))}" for i in at],
                "hovertemplate": "%{text}<br>%{x}<extra></extra>",
                "marker": {"color": colour, "symbol": "triangle-up-open", "size": 9},
            }
        )  # fmt: skip
    return traces


def _lines(found: Maneuvers) -> list[Spec]:
    """A thin line through all rows for the most probable maneuvers."""
    top = np.argsort(-found.probability, kind="stable")[:_MOST_LINES]
    return [
        {
            "type": "line", "xref": "x", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "layer": "below",
            "opacity": 0.35 * p, "line": {"color": COMBINED, "width": 1},
        }
        for x, p in zip(format_utc_many(found.epoch_us[top], 0), found.probability[top].tolist(), strict=True)
    ]  # fmt: skip


def _expected(life: Pattern) -> Sequence[Spec]:
    low_us, high_us = life.next_low_us, life.next_high_us
    if NO_TIME in (low_us, high_us) or life.control_lost:
        return []
    return [
        {
            "type": "rect", "xref": "x", "x0": format_utc(low_us, 0), "x1": format_utc(high_us, 0),
            "yref": "paper", "y0": 0, "y1": 1, "fillcolor": _GREEN, "opacity": 0.15, "line": {"width": 0},
            "layer": "below", "label": {"text": "next", "textposition": "top center"},
        }
    ]  # fmt: skip


def rhythm_figure(found: Maneuvers, life: Pattern) -> Spec:
    """Days from each maneuver (more likely than not) to the one before; the band: when the next is expected."""
    at_us: Int[np.ndarray, " k"] = np.sort(found.epoch_us[found.probability >= 0.5])
    day = np.diff(at_us) / DAY_US
    data: list[Spec] = [
        {
            "type": "scatter", "mode": "lines+markers", "x": format_utc_many(at_us[1:], 0), "y": _clean(day),
            "line": {"color": COMBINED, "width": 1}, "marker": {"color": PRIMARY, "size": 6},
            "hovertemplate": "%{y:.1f} days after the one before<br>%{x}<extra></extra>",
        }
    ]  # fmt: skip
    shapes: list[Spec] = []
    if NO_TIME not in (life.next_low_us, life.next_high_us) and not life.control_lost and len(at_us):
        low, high = ((us - int(at_us[-1])) / DAY_US for us in (life.next_low_us, life.next_high_us))
        shapes.append(
            {
                "type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": max(low, 0.0), "y1": high, "fillcolor": _GREEN,
                "opacity": 0.15, "line": {"width": 0}, "layer": "below",
            }
        )  # fmt: skip
    title = "Days between maneuvers (band: the next)"
    top = 1.1 * float(max([*day, *(min(one["y0"] * 2.0, one["y1"]) for one in shapes)], default=1.0))
    layout = _layout(title, "UTC", "days", shapes=shapes, showlegend=False, yaxis={"range": [0, top]})
    return {"data": data, "layout": layout}


def sizes_figure(found: Maneuvers) -> Spec:
    """How large the maneuvers are, by kind."""
    size = found.size_m_s()
    good = np.isfinite(size) & (size > 0.0)
    data: list[Spec] = []
    for kind in dict.fromkeys(found.kind[good].tolist()):
        here = np.log10(size[good & (found.kind == kind)])
        counts, edges = np.histogram(here, bins=np.arange(-4.0, 3.01, 0.25))
        used = np.flatnonzero(counts)
        some = slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 0)
        data.append(
            {
                "type": "bar", "name": KIND_WORDS.get(kind, kind), "x": _clean(10.0 ** (edges[:-1] + 0.125)[some]),
                "y": _clean(counts[some]), "width": _clean((10.0 ** edges[1:] - 10.0 ** edges[:-1])[some]),
                "marker": {"color": KIND_COLOURS.get(kind, INK)},
            }
        )  # fmt: skip
    layout = _layout(
        "Sizes", "delta-v, m/s", "maneuvers", barmode="stack", xaxis=log_axis([one["x"] for one in data], labels=5)
    )
    return {"data": data, "layout": layout}
