"""The leaderboard of the catalogue's forecasters as one picture (SVG) that needs no program to be seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from orbwatch.learn.judging.catalog_board import NETWORKS, SHIPPED, TREES
from orbwatch.learn.judging.metrics import Columns, rows_of
from orbwatch.report.catalog_board_plots import COLOURS
from orbwatch.report.plots import ALERT, COMBINED, INK

WIDE, HIGH, ACROSS = 250, 200, 4
"""Size of a panel, px, and how many stand in a row."""
_LEFT, _TOP, _RIGHT, _BOTTOM = 36, 30, 8, 24
_LEAST, _MOST = 0.03, 3.0
_LAST_DAY = 7.3
_FONT = 'font-family="sans-serif" font-size="10"'
_KEY = 34
_BEST = "best physics"


def picture(rows: Columns) -> str:
    """Ratios of median errors to SGP4's against the horizon, a panel for each group that something is aimed at for."""
    groups = [name for name in dict.fromkeys(rows["group"]) if _aims(rows, name)]
    lines = max(1, math.ceil(len(groups) / ACROSS))
    width, height = WIDE * ACROSS, HIGH * lines + _KEY
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {_FONT}>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *(_panel(rows, name, WIDE * (i % ACROSS), HIGH * (i // ACROSS)) for i, name in enumerate(groups)),
        _key(height - _KEY / 2.0),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _panel(rows: Columns, group: str, left: int, top: int) -> str:
    shipped = rows_of(rows, group=group, method=SHIPPED)
    best = [rows_of(rows, group=group, day=row["day"], method=row["best_physics"])[0] for row in shipped]
    parts = [f'<text x="{_LEFT}" y="18" font-size="12" fill="{INK}">{escape(group)}</text>']
    for ratio in (0.03, 0.1, 0.3, 1.0, 3.0):
        style = f'stroke="{ALERT}" stroke-dasharray="4 3"' if ratio == 1.0 else 'stroke="#e6ebef"'
        y = _y(ratio)
        parts.append(f'<line x1="{_LEFT}" x2="{WIDE - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" {style}/>')
        parts.append(f'<text x="{_LEFT - 4}" y="{y + 3:.1f}" text-anchor="end" fill="{COMBINED}">{ratio:g}</text>')
    parts += [
        f'<text x="{_x(day):.1f}" y="{HIGH - 10}" text-anchor="middle" fill="{COMBINED}">{day:g} d</text>'
        for day in (1.0, 3.0, 5.0, 7.0)
    ]
    band = [*((row["day"], row["ratio_high"]) for row in shipped), *((r["day"], r["ratio_low"]) for r in shipped[::-1])]
    parts.append(f'<polygon points="{_points(band)}" fill="{COLOURS[SHIPPED]}" fill-opacity="0.18"/>')
    drawn = {_BEST: best, TREES: rows_of(rows, group=group, method=TREES)}
    drawn |= {NETWORKS: rows_of(rows, group=group, method=NETWORKS), SHIPPED: shipped}
    for name, each in drawn.items():
        points = _points([(row["day"], row["ratio"]) for row in each])
        parts.append(f'<polyline points="{points}" fill="none" {_style(name)}/>')
    parts += [_aim(_x(row["day"]), _y(row["target"])) for row in _aims(rows, group)]
    return f'<g transform="translate({left} {top})">{"".join(parts)}</g>'


def _aims(rows: Columns, group: str) -> list[dict[str, Any]]:
    found = rows_of(rows, group=group, method=SHIPPED)
    return [row for row in found if row["target"] == row["target"]]


def _aim(x: float, y: float) -> str:
    return f'<line x1="{x - 7:.1f}" x2="{x + 7:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{ALERT}" stroke-width="2"/>'


def _key(y: float) -> str:
    parts, x = [], 20.0
    for name, words in ((SHIPPED, "shipped, 95 % interval"), (NETWORKS, NETWORKS), (TREES, TREES), (_BEST, _BEST)):
        parts.append(f'<line x1="{x:.0f}" x2="{x + 24:.0f}" y1="{y:.0f}" y2="{y:.0f}" {_style(name)}/>')
        parts.append(f'<text x="{x + 30:.0f}" y="{y + 4:.0f}" fill="{INK}">{words}</text>')
        x += 60.0 + 6.0 * len(words)
    words = "aimed at; median error over that of SGP4 from the newest public set, by days ahead"
    return "".join([*parts, _aim(x + 7.0, y), f'<text x="{x + 20:.0f}" y="{y + 4:.0f}" fill="{INK}">{words}</text>'])


def _style(name: str) -> str:
    dash = ' stroke-dasharray="2 2"' if name == _BEST else ""
    return f'stroke="{COLOURS.get(name, COMBINED)}" stroke-width="{2.0 if name == SHIPPED else 1.3}"{dash}'


def _points(values: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_x(day):.1f},{_y(ratio):.1f}" for day, ratio in values)


def _x(day: float) -> float:
    return _LEFT + (WIDE - _LEFT - _RIGHT) * day / _LAST_DAY


def _y(ratio: float) -> float:
    """Logarithmic; what lies outside is drawn at the edge."""
    share = math.log(min(max(ratio, _LEAST), _MOST) / _LEAST) / math.log(_MOST / _LEAST)
    return HIGH - _BOTTOM - (HIGH - _TOP - _BOTTOM) * share
