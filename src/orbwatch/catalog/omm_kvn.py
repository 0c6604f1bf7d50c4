"""OMM in keyword = value notation (CCSDS 502.0-B-3, chapters 4 and 7), one message or many after one another."""

from __future__ import annotations

from dataclasses import dataclass, field

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.kvn import KvnLine, kvn_line, read_kvn
from orbwatch.catalog.omm import (
    META,
    ORIGINATOR,
    READ_KEYS,
    SEEN,
    UNITS,
    creation_date,
    messages,
    number_text,
    omm_table,
    seen_texts,
    wrong_unit,
)
from orbwatch.catalog.quality import GpRead


@dataclass
class Message:
    """The values of one message by keyword, as far as they are read."""

    line: int
    values: dict[str, str] = field(default_factory=dict)
    wrong: str = ""
    """The first thing wrong with it."""

    def set(self, key: str, value: str, unit: str | None, line: int) -> None:
        """Takes one value; says what is wrong when it comes twice or in another unit."""
        if key in self.values and key in READ_KEYS:
            self.wrong = self.wrong or f"{key} comes twice (again in line {line})"
        elif key in UNITS and unit is not None and wrong_unit(key, unit):
            self.wrong = self.wrong or f"{key} is in {unit[:20]!r}; legal: {UNITS[key]}"
        else:
            self.values[key] = value


def read_omm_kvn(text: str, file: str = "") -> GpRead:
    """Element sets from KVN text: units in brackets, header, comments and unknown keywords may be there or not.

    A message begins with CCSDS_OMM_VERS or, where that is left out, with the next OBJECT_NAME.
    """
    found: list[Message] = []
    for item in read_kvn(text):
        begins = item.key == "CCSDS_OMM_VERS" or (item.key == "OBJECT_NAME" and found and "EPOCH" in found[-1].values)
        if begins or not found:
            found.append(Message(item.line))
        _take(found[-1], item)
    return table_of_messages(found, text, file)


def _take(message: Message, item: KvnLine) -> None:
    if item.key is None:
        message.wrong = message.wrong or f"line {item.line} is not 'keyword = value'"
    elif item.key in UNITS or item.key == "ECCENTRICITY":
        message.set(item.key, item.value, item.unit, item.line)
    elif item.key != "COMMENT":
        message.set(item.key, item.text, None, item.line)


def table_of_messages(found: list[Message], text: str, file: str) -> GpRead:
    """Messages as a checked table; those with something wrong are put aside."""
    rows = text.split("\n")
    lines = [message.line for message in found]
    reasons = {i: message.wrong for i, message in enumerate(found) if message.wrong}
    columns = {key: [message.values.get(key) for message in found] for key in READ_KEYS}
    return omm_table(columns, lines, lambda i: "\n".join(rows[lines[i] - 1 : lines[i] + 29]), file, reasons)


def write_omm_kvn(table: GpTable, created_us: int | None = None) -> str:
    """KVN messages of version 3.0, one after another; `created_us` is their CREATION_DATE (default: now).

    Raises InputError for values out of range and for names that are not printable ASCII.
    """
    created = creation_date(created_us)
    blocks = []
    for message, seen in zip(messages(table), seen_texts(table), strict=True):
        lines = [
            kvn_line("CCSDS_OMM_VERS", "3.0"),
            kvn_line("CREATION_DATE", created),
            kvn_line("ORIGINATOR", ORIGINATOR),
        ]
        for key, value in message.items():
            shown = number_text(value) if isinstance(value, float) else str(value)
            lines.append(kvn_line(key, shown or "UNKNOWN"))
            if key == "OBJECT_ID":
                lines += [kvn_line(name, legal[0]) for name, legal in META.items()]
        if seen:
            lines.append(kvn_line(SEEN, seen))
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)
