"""From columns of text or numbers, as the readers of element sets collect them, to a checked `GpTable`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from orbwatch.catalog.gp import COLUMNS, GpTable
from orbwatch.catalog.quality import (
    ANGLES,
    CHECKED,
    LEGAL_INT,
    LEGAL_REAL,
    TEXT_SHOWN,
    GpRead,
    Rejected,
    is_legal,
    legal_text,
    wrap_circle,
)

Reasons = dict[int, str]
"""Why rows are put aside: row number -> the first reason found."""

_DECIMAL = frozenset("0123456789+-.eE")
_REAL = re.compile(r"[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]{1,4})?")  # ++: never tried twice
_INTEGER = re.compile(r"\+?[0-9]{1,18}")
LONGEST_NAME = 120
"""A longer one is damage, such as a quote that swallowed what follows it."""


def checked_table(
    columns: Mapping[str, Any],
    lines: Sequence[int],
    text: Callable[[int], str],
    file: str,
    reasons: Reasons,
    label: Mapping[str, str] | None = None,
) -> GpRead:
    """Columns by name of `GpTable` (each n arrays elements, already numbers or texts) as a table of the legal rows.

    `lines` (n) are the line numbers, `text(i)` gives row i as it stood in the file, `reasons` what is already known to
    be wrong, `label` how the file calls a column (default: its own name). Every row with a reason is put aside.
    """
    names = label or {}
    n = len(lines)
    for name in ("name", "object_id"):
        for i, words in enumerate(columns[name]):
            if len(words) > LONGEST_NAME:
                reasons.setdefault(i, f"{name} has {len(words)} characters; legal: at most {LONGEST_NAME}")
    for name in CHECKED:
        good = is_legal(name, columns[name])
        for i in np.flatnonzero(~good).tolist():
            value = columns[name][i].item()
            reasons.setdefault(i, f"{names.get(name, name)} = {value} is out of range; legal: {legal_text(name)}")
    for name in LEGAL_REAL:
        columns[name][...] += 0.0  # no negative zeros: equal sets get equal hashes
    for name in ANGLES:
        wrap_circle(columns[name])
    rejected = [
        Rejected(lines[i], _known_id(columns, i), reasons[i], text(i)[:TEXT_SHOWN], file) for i in sorted(reasons)
    ]
    keep = np.ones(n, bool)
    keep[list(reasons)] = False
    table = GpTable.from_columns({name: _column(columns[name], keep) for name in COLUMNS if name in columns}, file)
    return GpRead(table, rejected)


def _column(values: Any, keep: Bool[np.ndarray, " n"]) -> Any:
    if isinstance(values, np.ndarray):
        return values if keep.all() else values[keep]
    return values if keep.all() else [value for value, kept in zip(values, keep.tolist(), strict=True) if kept]


def _known_id(columns: Mapping[str, Any], i: int) -> int | None:
    norad_id = int(columns["norad_id"][i])
    return norad_id if LEGAL_INT["norad_id"][0] <= norad_id <= LEGAL_INT["norad_id"][1] else None


def reals(values: Sequence[Any], label: str, reasons: Reasons, default: float | None) -> Float[np.ndarray, " n"]:
    """Texts or numbers (n) as floats; None or '' gives the default, or a reason when there is none; NaN where wrong."""
    try:
        if all(type(value) is float for value in values):
            return np.array(values, np.float64)
        if all(type(value) is str for value in values) and set("".join(values)) <= _DECIMAL:
            return np.array(list(map(float, values)), np.float64)
    except ValueError:  # an empty field, or a number that is none: one by one, to tell which
        pass
    out = np.full(len(values), np.nan)
    for i, value in enumerate(values):
        text = "" if value is None else str(value).strip()
        if not text and default is not None:
            out[i] = default
        elif _REAL.fullmatch(text) and type(value) is not bool:
            out[i] = float(text)
        else:
            reasons.setdefault(i, f"{label} = {_short(value)} is not a number" if text else f"{label} is missing")
    return out


def integers(values: Sequence[Any], label: str, reasons: Reasons, default: int | None) -> Int[np.ndarray, " n"]:
    """Texts or numbers (n) as whole numbers; None or '' gives the default, a reason if there is none; -1 if wrong."""
    out = np.full(len(values), -1, np.int64)
    for i, value in enumerate(values):
        if type(value) is int and 0 <= value < 10**18:
            out[i] = value
            continue
        text = "" if value is None else str(value).strip()
        if not text and default is not None:
            out[i] = default
        elif _INTEGER.fullmatch(text):
            out[i] = int(text)
        else:
            wrong = f"{label} = {_short(value)} is not a whole number of up to nine digits"
            reasons.setdefault(i, wrong if text else f"{label} is missing")
    return out


def _short(value: Any) -> str:
    shown = repr(value) if isinstance(value, str) else str(value)
    return shown if len(shown) <= 40 else shown[:40] + "..."
