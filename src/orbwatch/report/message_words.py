"""Assessed messages as a terminal shows them: a line an event, the messages of those that have several, reasons."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from orbwatch.conjunction.category import CATEGORIES
from orbwatch.conjunction.cdm_changes import length
from orbwatch.conjunction.choice import ORDER, SHORT
from orbwatch.report.tabular import Columns, emit

Entry = Mapping[str, Any]

_FEW = 12
"""Up to so many events, all have their reasons below the table; of more, those of high risk."""

COLUMN = {**SHORT, "frisbee_2015": "max, one cov.", "given": "message's own"}
"""Methods as heads of columns and in them: short."""

PLANE = "plane sigmas"
"""Head of the columns of the Mahalanobis distance in the encounter plane."""

_NUMBERS = {
    "lead d": ".2f", "to TCA d": ".2f", "miss m": ",.0f", PLANE: ".1f", "Pc": ".1e",
    **dict.fromkeys(COLUMN.values(), ".1e"),
}  # fmt: skip


def show(entries: Sequence[Entry], detail: bool) -> None:
    """Events on standard output, the most serious first; detail: all their messages, with every method and note."""
    events = by_event(entries)
    if not events:
        return
    emit(event_columns(events), "table", numbers=_NUMBERS)
    for messages in events:
        if detail or len(messages) > 1:
            emit(message_columns(messages), "table", title=title_of(messages[-1]), numbers=_NUMBERS)
        serious = CATEGORIES.index(messages[-1]["category"]) >= CATEGORIES.index("high")
        if detail or serious or len(messages) > 1 or len(events) <= _FEW:
            _write_lines(_lines(messages, detail))


def by_event(entries: Sequence[Entry]) -> list[list[Entry]]:
    """The entries of each event, in order of time; the most serious event first, then the most probable."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry["event"], []).append(entry)
    return sorted(groups.values(), key=_seriousness)


def _seriousness(messages: Sequence[Entry]) -> tuple[int, float, str]:
    last = messages[-1]
    return -CATEGORIES.index(last["category"]), -(last["pc"] or 0.0), last["event"]


def event_columns(events: Sequence[Sequence[Entry]]) -> Columns:
    """A row an event, by its last message."""
    last = [messages[-1] for messages in events]
    return {
        "event": [entry["event"] for entry in last],
        "category": [entry["category"] for entry in last],
        "Pc": numbers_of(last, "pc"),
        "method": [_chosen(entry) for entry in last],
        "miss m": numbers_of(last, "miss_m"),
        PLANE: numbers_of(last, "mahalanobis_plane"),
        "messages": [len(messages) for messages in events],
        "lead d": numbers_of(last, "lead_day"),
        "to TCA d": numbers_of(last, "to_tca_day"),
        "trend": [entry["trend"] or "" for entry in last],
    }


def message_columns(messages: Sequence[Entry]) -> Columns:
    """A row a message: the miss with its sigmas, every method's probability."""
    columns: dict[str, Any] = {
        "created": [(entry["created_utc"] or "")[:16] for entry in messages],
        "category": [entry["category"] for entry in messages],
        "lead d": numbers_of(messages, "lead_day"),
        "miss m": numbers_of(messages, "miss_m"),
        **{f"{axis} m (sigma)": [_component(entry, i) for entry in messages] for i, axis in enumerate("RTN")},
        PLANE: numbers_of(messages, "mahalanobis_plane"),
    }
    for method in (*ORDER, "frisbee_2015", "given"):
        values = [next((one["pc"] for one in entry["results"] if one["method"] == method), None) for entry in messages]
        if any(value is not None for value in values):
            columns[COLUMN[method]] = np.array([np.nan if value is None else value for value in values])
    columns["chosen"] = [_chosen(entry) for entry in messages]
    return columns


def _chosen(entry: Entry) -> str:
    return "none" if entry["chosen"] is None else COLUMN[entry["chosen"]]


def title_of(entry: Entry) -> str:
    """Who meets whom, when."""
    return f"{' and '.join(entry['objects'])}, closest approach {entry['tca_utc'][:23].replace('T', ' ')} UTC"


def numbers_of(entries: Sequence[Entry], key: str) -> np.ndarray:
    """A column with NaN for nothing."""
    return np.array([np.nan if entry[key] is None else entry[key] for entry in entries], float)


def _component(entry: Entry, i: int) -> str:
    if entry["miss_rtn_m"] is None:
        return ""
    sigma = None if entry["sigma_rtn_m"] is None else entry["sigma_rtn_m"][i]
    return f"{entry['miss_rtn_m'][i]:,.0f}" + ("" if sigma is None else f" ({length(sigma).removesuffix(' m')})")


def _lines(messages: Sequence[Entry], detail: bool) -> Iterator[str]:
    last = messages[-1]
    yield f"{last['event']}: {last['category_reason']}. {last['reason'][:1].upper()}{last['reason'][1:]}."
    for entry in () if detail else messages:
        for warning in entry["warnings"]:
            yield f"  {entry['file']}: {warning}"
    if last["changes"] is not None:
        yield f"  since the last message: {last['changes']['words']}."
    if detail:
        for entry in messages:
            yield f"  {entry['file']}"
            yield from _detail(entry)


def _detail(entry: Entry) -> Iterator[str]:
    for one in entry["results"]:
        value = "none" if one["pc"] is None else f"{one['pc']:.6e}"
        if one["interval"] is not None:
            value += f", 95 % {one['interval'][0]:.3e} to {one['interval'][1]:.3e}"
        yield f"    {SHORT[one['method']]}: {value}{'; ' if one['flags'] else ''}{', '.join(one['flags'])}"
    for one in entry["shared_density_error"]:
        value = "none" if one["pc"] is None else f"{one['pc']:.6e}"
        yield f"    {SHORT[one['method']]} with the density error that both share: {value}"
    if entry["mahalanobis"] is not None and entry["mahalanobis_plane"] is not None:
        plane, space = entry["mahalanobis_plane"], entry["mahalanobis"]
        yield f"    {plane:.1f} sigmas away in the encounter plane, {space:.1f} in all three dimensions"
    if entry["largest"] is not None:
        yield f"    {entry['largest']['words']}"
    if entry["hbr_m"] is not None:
        yield f"    hard-body radius {entry['hbr_m']:g} m ({entry['hbr_source']})"
    for note in entry["notes"]:
        yield f"    note: {note}"


def _write_lines(lines: Iterator[str]) -> None:
    width = max(80, min(140, shutil.get_terminal_size().columns))
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        for part in textwrap.wrap(
            line, width, subsequent_indent=indent + "  ", break_long_words=False, break_on_hyphens=False
        ):
            sys.stdout.write(part + "\n")
    sys.stdout.write("\n")
    sys.stdout.flush()
