"""Lists of catalogue numbers: one or more a line, separated by spaces or commas; '#' starts a comment."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.opened import open_text
from orbwatch.errors import InputError

LARGEST_ID = 999_999_999
_NAMES = "objects.tsv"


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


def read_names(path: Path) -> dict[int, str]:
    """Names by catalogue number, from a table whose head names the columns norad (or norad_cat_id) and name.

    Columns are parted by tabs or commas. Raises InputError where a column is missing; rows without a number are left
    out.
    """
    lines = open_text(path).splitlines()
    head = lines[0] if lines else ""
    rows = csv.DictReader(lines, delimiter="\t" if "\t" in head else ",")
    columns = {name.strip().lower(): name for name in rows.fieldnames or ()}
    number = columns.get("norad") or columns.get("norad_cat_id")
    name = columns.get("name") or columns.get("object_name")
    if number is None or name is None:
        raise InputError("a column is missing", file=path, line=1, value=head, legal="norad and name, among others")
    return {int(row[number]): row[name] or "" for row in rows if (row[number] or "").isdigit()}


def known_names(table: GpTable | None, names: Path | None, history: Path | None) -> dict[int, str]:
    """Names by catalogue number: what element sets say, overruled by a table of names, or objects.tsv by the history.

    Raises InputError where the table has no such columns.
    """
    named: dict[int, str] = {}
    if table is not None:
        told = table.name != ""
        named |= dict(zip(table.norad_id[told].tolist(), table.name[told].tolist(), strict=True))
    beside = None if history is None else (history if history.is_dir() else history.parent) / _NAMES
    if names is not None:
        named |= read_names(names)
    elif beside is not None and beside.is_file():
        named |= read_names(beside)
    return named
