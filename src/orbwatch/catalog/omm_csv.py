"""OMM in CSV, as CelesTrak and Space-Track serve it: keywords in the first line, one element set a line."""

from __future__ import annotations

import csv
import io

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.omm import READ_KEYS, REQUIRED, WRITTEN_KEYS, messages, number_text, omm_table, seen_texts
from orbwatch.catalog.quality import TEXT_SHOWN, GpRead, Rejected
from orbwatch.errors import InputError


def read_omm_csv(text: str, file: str = "") -> GpRead:
    """Element sets from CSV text: columns in any order and case, unknown ones are ignored; ',', ';' or tab between.

    Raises InputError when the first line lacks a column that SGP4 needs.
    """
    lines = text.split("\n")
    top = next((i for i, line in enumerate(lines) if line.strip()), 0)
    separator = max(",;\t", key=lines[top].count)
    head = [cell.strip().upper() for cell in _cells(lines[top], separator)]
    missing = [key for key in REQUIRED if key not in head]
    if missing:
        hint = "The first line must hold the keywords of the OMM"
        raise InputError(f"no column {', '.join(missing)}", file=file or None, line=top + 1, hint=hint)
    rows: list[list[str]] = []
    numbers: list[int] = []
    rejected: list[Rejected] = []
    for number, line in enumerate(lines[top + 1 :], top + 2):
        if not line.strip():
            continue
        cells = _cells(line, separator)
        if len(cells) == len(head):
            rows.append(cells)
            numbers.append(number)
        else:
            reason = f"{len(cells)} values in a table of {len(head)} columns: the line was cut off or damaged"
            rejected.append(Rejected(number, _id(cells, head), reason, line[:TEXT_SHOWN], file))
    columns = {key: [row[i] for row in rows] for i, key in enumerate(head) if key in READ_KEYS}
    read = omm_table(columns, numbers, lambda i: lines[numbers[i] - 1], file)
    return GpRead(read.table, sorted(rejected + read.rejected, key=lambda one: one.line or 0))


def _id(cells: list[str], head: list[str]) -> int | None:
    """The catalogue number of a damaged line, if its place is still there and holds one."""
    text = "".join(cells[head.index("NORAD_CAT_ID") :][:1]).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def _cells(line: str, separator: str) -> list[str]:
    """The values of one line; a quote that is not closed does not swallow the lines after it."""
    if '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def write_omm_csv(table: GpTable) -> str:
    """CSV with CelesTrak's columns, and CREATION_DATE when it is known for any set when it became public.

    Raises InputError for values out of range.
    """
    rows = messages(table, ascii_only=False)
    seen = seen_texts(table)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    dated = any(seen)
    writer.writerow([*WRITTEN_KEYS] + (["CREATION_DATE"] if dated else []))
    for row, known in zip(rows, seen, strict=True):
        values = [number_text(value) if isinstance(value, float) else value for value in row.values()]
        writer.writerow(values + ([known] if dated else []))
    return out.getvalue()
