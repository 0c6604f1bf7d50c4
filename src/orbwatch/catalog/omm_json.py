"""OMM in JSON, as CelesTrak and Space-Track serve it: an array of flat objects, or one object."""

from __future__ import annotations

import bisect
import json
import re
from typing import Any

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.omm import READ_KEYS, messages, omm_table, seen_texts
from orbwatch.catalog.quality import TEXT_SHOWN, GpRead, Rejected
from orbwatch.catalog.tle import read_tle_sets

_DECODER = json.JSONDecoder()
_GAP = re.compile(r"[\s,]*")


def read_omm_json(text: str, file: str = "") -> GpRead:
    """Element sets from JSON text: numbers may be strings, keywords in any case, unknown ones are ignored.

    Objects with TLE lines instead of elements (keys TLE1 and TLE2, or TLE_LINE1 and TLE_LINE2) are read from those. A
    text that ends or breaks off in the middle gives the objects before that, and a `Rejected` for the rest.
    """
    newlines = [match.start() for match in re.finditer("\n", text)]
    records: list[dict[str, Any]] = []
    spans: list[tuple[int, int]] = []
    rejected: list[Rejected] = []

    def line_of(position: int) -> int:
        return bisect.bisect_left(newlines, position) + 1

    def put_aside(position: int, reason: str) -> None:
        rejected.append(Rejected(line_of(position), None, reason, text[position : position + TEXT_SHOWN], file))

    start = _skip(text, 0)
    is_array = text.startswith("[", start)
    position = _skip(text, start + 1) if is_array else start
    while position < len(text) and not (is_array and text[position] == "]"):
        try:
            record, end = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError) as error:  # ValueError: also a whole number of thousands of digits
            put_aside(position, f"the JSON is damaged or cut off here: {getattr(error, 'msg', None) or error}")
            break
        if isinstance(record, dict):
            records.append(record)
            spans.append((position, end))
        else:
            put_aside(position, "not an object with OMM keywords")
        position = _skip(text, end)
    else:
        if is_array and position >= len(text):
            last = text.rstrip()
            put_aside(max(len(last) - 80, 0), "the JSON array is not closed: the file was cut off")
        elif is_array and text[position + 1 :].strip():
            put_aside(position + 1, "text after the end of the JSON array")
    lines = [line_of(first) for first, _ in spans]
    read = _read_records(records, lines, spans, text, file)
    return GpRead(read.table, sorted(rejected + read.rejected, key=lambda one: one.line or 0))


def _skip(text: str, position: int) -> int:
    gap = _GAP.match(text, position)
    return gap.end() if gap else position


def _read_records(
    records: list[dict[str, Any]], lines: list[int], spans: list[tuple[int, int]], text: str, file: str
) -> GpRead:
    records = [
        record if "NORAD_CAT_ID" in record else {key.upper(): value for key, value in record.items()}
        for record in records
    ]
    lined = [i for i, record in enumerate(records) if "MEAN_MOTION" not in record and _tle(record)]
    if lined:
        sets = [(lines[i], *_tle(records[i])) for i in lined]
        tles = read_tle_sets(sets, file)
        if len(lined) == len(records):
            return tles
        chosen = set(lined)
        rest = [i for i in range(len(records)) if i not in chosen]
        omms = _read_records([records[i] for i in rest], [lines[i] for i in rest], [spans[i] for i in rest], text, file)
        return GpRead(GpTable.concat([omms.table, tles.table], file), omms.rejected + tles.rejected)
    columns = {key: [record.get(key) for record in records] for key in READ_KEYS}
    return omm_table(columns, lines, lambda i: text[slice(*spans[i])], file)


def _tle(record: dict[str, Any]) -> tuple[str, str, str] | tuple[()]:
    """Name and lines of an object that carries a TLE, () of one that does not."""
    for one, two in (("TLE1", "TLE2"), ("TLE_LINE1", "TLE_LINE2")):
        first, second = record.get(one), record.get(two)
        if isinstance(first, str) and isinstance(second, str):
            name = record.get("ON") or record.get("OBJECT_NAME") or record.get("NAME") or ""
            return str(name).strip(), first.rstrip(), second.rstrip()
    return ()


def write_omm_json(table: GpTable) -> str:
    """A JSON array, one object a line, numbers as numbers (shortest text that reads back as the same number).

    CREATION_DATE is given where it is known when the set became public. Raises InputError for values out of range.
    """
    lines = []
    for message, seen in zip(messages(table, ascii_only=False), seen_texts(table), strict=True):
        if seen:
            message["CREATION_DATE"] = seen
        lines.append(json.dumps(message, ensure_ascii=False, separators=(",", ":")))
    return "[" + ",\n".join(lines) + "]\n"
