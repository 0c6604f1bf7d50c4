"""One self-contained HTML file: no network, no server, opens anywhere.

A `Page` is what the report says; this module only lays it out. Figures are plotly.js specifications (plain mappings,
see `orbwatch.report.plots`), drawn when their section is opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader
from plotly.offline import get_plotlyjs

Figure = Mapping[str, Any]
"""A plotly.js specification, "data" and "layout"; with a true "wide" it takes the whole width of the page."""


@dataclass(frozen=True)
class Table:
    """Columns with units in their heads; a cell is text or a number (sorted as such), numbers shown by `formats`."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    formats: Mapping[str, str] = field(default_factory=dict)
    """Python format specification by column head."""
    links: Sequence[str | None] = ()
    """Anchor of each row's section further down, where it has one."""
    note: str = ""


@dataclass(frozen=True)
class Section:
    """One event: a heading that can be opened, facts, tables and figures."""

    anchor: str
    heading: str
    badge: str
    badge_class: str
    facts: Sequence[tuple[str, str]]
    tables: Sequence[tuple[str, Table]] = ()
    figures: Sequence[Figure] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Page:
    """Everything a report says, in reading order."""

    title: str
    label: str
    """Shown as a banner when not empty: 'simulated data', for one."""
    lead: str
    """What matters, in one or two sentences."""
    numbers: Sequence[tuple[str, str]]
    """(value, what it counts): the large figures at the top."""
    figures: Sequence[Figure]
    tables: Sequence[tuple[str, Table]]
    sections_title: str
    sections: Sequence[Section]
    method: Sequence[tuple[str, str]]
    """How it was made: inputs, hashes, settings, limits."""


def render(page: Page) -> str:
    """The page as one HTML document with plotly.js and all data inside (about 5 MB)."""
    return _environment().get_template("report.html.j2").render(page=page, plotly_js=get_plotlyjs())


def cell(value: Any, spec: str | None) -> str:
    """A table cell as people read it: '-' for nothing, else by its format."""
    if value is None or (isinstance(value, float) and value != value):
        return "–"
    if spec and isinstance(value, int | float) and not isinstance(value, bool):
        return format(value, spec)
    if isinstance(value, bool):
        return "yes" if value else ""
    return str(value)


def sort_key(value: Any) -> str:
    """What the browser sorts a cell by; nothing sorts last."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    return repr(float(value)) if isinstance(value, int | float) else str(value)


def _figure_json(figure: Figure) -> str:
    # "</script" would end the script element that carries the specification, "<!--" would hide its end.
    return json.dumps(figure, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


@cache
def _environment() -> Environment:
    environment = Environment(loader=PackageLoader("orbwatch.report"), autoescape=True, trim_blocks=True)
    environment.filters["figure_json"] = _figure_json
    environment.globals.update(cell=cell, sort_key=sort_key)
    return environment
