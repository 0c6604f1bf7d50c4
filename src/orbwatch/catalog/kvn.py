"""Keyword = value notation of the CCSDS navigation messages (CCSDS 502.0-B-3, chapter 7; 508.0-B-1, chapter 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KvnLine:
    """One line that says something."""

    line: int
    """1-based line number."""
    key: str | None
    """Upper-case keyword, COMMENT, or a mark such as META_START; None for a row of data (ephemeris, covariance)."""
    text: str
    """All that stands after the equals sign or COMMENT, or the whole row of data; '' for a mark."""

    @property
    def value(self) -> str:
        """The value without the unit in square brackets at its end (numbers; names may end in brackets: use `text`)."""
        return self.text.rpartition("[")[0].rstrip() if self.text.endswith("]") and "[" in self.text else self.text

    @property
    def unit(self) -> str | None:
        """The unit in square brackets at the end as written, None when there is none."""
        return self.text[:-1].rpartition("[")[2].strip() if self.text.endswith("]") and "[" in self.text else None


def read_kvn(text: str) -> Iterator[KvnLine]:
    """The lines of a KVN text, blank ones skipped.

    Tolerant: any white space, keywords in any case, units optional. It never fails: what is not a keyword, a mark or a
    comment comes as a row of data, for the reader of the message to judge.
    """
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line:
            continue
        key, equals, value = line.partition("=")
        key = key.rstrip().upper()
        first, _, rest = line.partition(" ")
        if first.upper() == "COMMENT":
            yield KvnLine(number, "COMMENT", rest.strip())
        elif equals and _is_keyword(key):
            yield KvnLine(number, key, value.lstrip())
        elif not equals and key.endswith(("_START", "_STOP")) and _is_keyword(key):
            yield KvnLine(number, key, "")
        else:
            yield KvnLine(number, None, line)


def _is_keyword(text: str) -> bool:
    return text.isascii() and text.replace("_", "").isalnum() and text[0].isalpha()


def kvn_line(key: str, value: str, unit: str | None = None) -> str:
    """One line of KVN with the equals signs in a column: ``KEY                 = value [unit]``."""
    return f"{key:<20s}= {value}{f' [{unit}]' if unit else ''}".rstrip()
