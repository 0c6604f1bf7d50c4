"""Element sets from any file or folder: the format is told by what the text looks like, not by the file's name."""

from __future__ import annotations

import re
from pathlib import Path

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.omm_csv import read_omm_csv
from orbwatch.catalog.omm_json import read_omm_json
from orbwatch.catalog.omm_kvn import read_omm_kvn
from orbwatch.catalog.omm_xml import read_omm_xml
from orbwatch.catalog.opened import open_text
from orbwatch.catalog.quality import GpRead, Rejected
from orbwatch.catalog.tle import is_line_1, read_tle
from orbwatch.errors import InputError

_HTML = re.compile(r"\s*<(?:!doctype html|html|head|body)\b", re.IGNORECASE)


def read_gp(path: str | Path) -> GpRead:
    """Element sets of a file (TLE, 3LE, OMM in JSON, CSV, KVN or XML; plain, .xz, .gz or .zip) or of a folder of them.

    Bad sets are put aside with their reason. Raises InputError when nothing is legible. In a folder, files are read in
    the order of their names and those without element sets are put aside as a whole.
    """
    path = Path(path)
    if not path.is_dir():
        return read_gp_text(open_text(path), str(path))
    tables: list[GpTable] = []
    rejected: list[Rejected] = []
    for file in sorted(entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith(".")):
        try:
            read = read_gp_text(open_text(file), str(file))
        except InputError as error:
            rejected.append(Rejected(error.line, None, error.what, "", str(file)))
        else:
            tables.append(read.table)
            rejected += read.rejected
    return GpRead(GpTable.concat(tables, str(path)), rejected).checked(str(path))


def read_gp_text(text: str, file: str = "") -> GpRead:
    """As `read_gp`, from a text; `file` is only named in errors and in the table's `source`."""
    return parse_gp_text(text, file).checked(file)


def parse_gp_text(text: str, file: str = "") -> GpRead:
    """As `read_gp_text`, but a text with bad sets only is returned with them, not raised."""
    form = form_of(text, file)
    return READERS[form](text, file)


READERS = {
    "json": read_omm_json,
    "csv": read_omm_csv,
    "kvn": read_omm_kvn,
    "xml": read_omm_xml,
    "tle": read_tle,
}


def form_of(text: str, file: str = "") -> str:
    """The format of a text with element sets: a key of `READERS`. Raises InputError for none of them."""
    start = text.lstrip()
    if not start:
        raise InputError("the file is empty", file=file or None)
    if start[0] in "[{":
        return "json"
    if _HTML.match(text):
        hint = "A service answered with a page: open the file to see what it says"
        raise InputError("this is a web page, not element sets", file=file or None, hint=hint)
    if start[0] == "<":
        return "xml"
    lines = [line.rstrip() for line in start[:4000].split("\n")]
    if any(is_line_1(line) for line in lines[:3]):
        return "tle"
    if "NORAD_CAT_ID" in lines[0].upper() and any(mark in lines[0] for mark in ",;\t"):
        return "csv"
    if "CCSDS_OMM_VERS" in start[:4000].upper() or "MEAN_MOTION" in start[:4000].upper():
        return "kvn"
    if any(is_line_1(line.rstrip()) for line in text.split("\n")):
        return "tle"
    hint = "Expected TLE, 3LE or OMM (JSON, CSV, KVN, XML)"
    raise InputError("no element sets in it", file=file or None, line=1, value=lines[0][:80], hint=hint)
