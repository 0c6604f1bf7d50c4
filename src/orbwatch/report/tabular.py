"""Results as rows: a table on a terminal, or CSV, JSON and Parquet for programs."""

from __future__ import annotations

import io
import json
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import polars as pl
from rich.console import Console, ConsoleDimensions
from rich.table import Table as TerminalTable

Format = Literal["table", "csv", "json", "parquet"]


@runtime_checkable
class ByteStream(Protocol):
    """Anything that takes bytes: standard output, an open file, a buffer."""

    def write(self, data: bytes, /) -> int: ...
    def flush(self) -> None: ...


Columns = Mapping[str, "np.ndarray | Sequence[Any]"]


def emit(
    columns: Columns,
    form: Format,
    stream: ByteStream | None = None,
    *,
    title: str = "",
    limit: int | None = None,
    rest: str = "--format json gives all",
    numbers: Mapping[str, str] | None = None,
) -> None:
    """Write columns of equal length to a stream (standard output).

    `limit` shortens a terminal table only, and says by how much and where the `rest` is; `numbers` gives its formats by
    column. CSV, JSON and Parquet carry every row at full precision; a value that is not finite is empty (null).
    """
    out: Any = stream or sys.stdout.buffer
    if form == "table":
        out.write(_terminal(columns, title, limit, rest, numbers or {}).encode())
    elif form == "json":
        emit_json(_rows(columns), out)
    else:
        frame = pl.DataFrame({name: _series(name, values) for name, values in columns.items()})
        if form == "csv":
            out.write(frame.write_csv().encode())
        else:
            buffer = io.BytesIO()  # polars writes to pipes by itself, and says "OSError" when their reader has gone
            frame.write_parquet(buffer)
            out.write(buffer.getvalue())
    out.flush()


def emit_json(value: Any, stream: ByteStream | None = None) -> None:
    """Write one JSON document to a stream (standard output); NaN is refused, as JSON has none."""
    out: Any = stream or sys.stdout.buffer
    out.write(json.dumps(value, indent=1, allow_nan=False).encode() + b"\n")
    out.flush()


def emit_facts(facts: Mapping[str, Any], stream: ByteStream | None = None, *, title: str = "") -> None:
    """Write facts for reading to a stream (standard output): one a line, those of a group indented below its name.

    A value is text, a number, a list, or a group (a mapping) in turn. Long ones go on, indented, on the next line.
    """
    out: Any = stream or sys.stdout.buffer
    width = max(80, min(120, shutil.get_terminal_size().columns))
    lines = [title, *_fact_lines(facts, width, "")] if title else _fact_lines(facts, width, "")
    out.write("".join(f"{line}\n" for line in lines).encode())
    out.flush()


def _fact_lines(facts: Mapping[str, Any], width: int, indent: str) -> Iterator[str]:
    column = max((len(name) for name, value in facts.items() if not isinstance(value, Mapping)), default=0) + 2
    further = indent + " " * min(column, width * 3 // 5)
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield f"{indent}{name}" if value else f"{indent}{name:{column}}-"
            yield from _fact_lines(value, width, indent + "  ")
        else:
            text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else _shown(value, None)
            line = f"{indent}{name:{column}}{text or '-'}"
            if " " in text:
                yield from textwrap.wrap(
                    line, width, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
                )
            else:  # a hash or a path stays whole, to be copied: rather a wide line
                yield line


def _series(name: str, values: Any) -> pl.Series:
    series = pl.Series(name, values)
    if series.dtype == pl.Null:  # nothing but missing texts: numbers come as arrays
        series = series.cast(pl.String)
    if series.dtype.is_float():
        return series.set(~series.is_finite(), None)
    return series


def _rows(columns: Columns) -> list[dict[str, Any]]:
    plain = {name: _series(name, values).to_list() for name, values in columns.items()}
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def _terminal(columns: Columns, title: str, limit: int | None, rest: str, numbers: Mapping[str, str]) -> str:
    rows = _rows(columns)
    shown = rows[:limit]
    table = TerminalTable(title=title or None, title_justify="left", header_style="bold")
    for name, values in columns.items():
        numeric = np.asarray(values).dtype.kind in "iuf"
        table.add_column(name, justify="right" if numeric else "left", no_wrap=True)
    for row in shown:
        table.add_row(*(_shown(value, numbers.get(name)) for name, value in row.items()))
    buffer = io.StringIO()
    # Names are data, not mark-up. A narrow terminal still gets whole numbers: rather a wide line than a cut figure.
    console = Console(file=buffer, force_terminal=sys.stdout.isatty(), markup=False, emoji=False, highlight=False)
    console.size = ConsoleDimensions(10_000, 25)
    console.size = ConsoleDimensions(max(80, console.measure(table).maximum), 25)
    console.print(table)
    if len(shown) < len(rows):
        console.print(f"{len(rows) - len(shown):,} more rows; {rest}")
    return buffer.getvalue()


def _shown(value: Any, spec: str | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return format(value, spec) if spec else str(value)
