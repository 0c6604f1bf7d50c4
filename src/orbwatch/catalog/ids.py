"""Lists of catalogue numbers: one or more a line, separated by spaces or commas; '#' starts a comment."""

from __future__ import annotations

import re
from pathlib import Path

from orbwatch.catalog.opened import open_text
from orbwatch.errors import InputError

LARGEST_ID = 999_999_999


def read_ids(path: Path) -> list[int]:
    """The numbers in file order, each once. A first line without a digit is taken for a column head.

    Raises:
        InputError: something that is not a catalogue number of up to nine digits, or no number at all.
    """
    ids: dict[int, None] = {}
    for number, line in enumerate(open_text(path).splitlines(), start=1):
        text = line.partition("#")[0].strip()
        if number == 1 and not re.search(r"\d", text):
            continue
        for word in re.split(r"[\s,;]+", text):
            if not word:
                continue
            if not (word.isascii() and word.isdigit() and 0 < int(word) <= LARGEST_ID):
                raise InputError(
                    "not a catalogue number",
                    file=path,
                    line=number,
                    value=word,
                    legal=f"a whole number 1..{LARGEST_ID}",
                )
            ids[int(word)] = None
    if not ids:
        raise InputError("no catalogue numbers in it", file=path, hint="Write one number a line")
    return list(ids)
