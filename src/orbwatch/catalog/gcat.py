"""Which satellites have no engine, by J. McDowell's General Catalog of Artificial Space Objects (CC-BY)."""

from __future__ import annotations

from pathlib import Path

from orbwatch.catalog.opened import open_text
from orbwatch.errors import InputError

_NO_ENGINE = "-"


def read_unpropelled(path: Path) -> set[int]:
    """Catalogue numbers of the payloads without propulsion in a `psatcat` file (TSV; plain or packed).

    GCAT's column Mvr is "-" for them. Raises InputError for a file without its columns.
    """
    lines = open_text(path).splitlines()
    head = lines[0].lstrip("#").split("\t") if lines else []
    missing = [name for name in ("JCAT", "Mvr") if name not in head]
    if missing:
        hint = "Expected psatcat.tsv of planet4589.org/space/gcat"
        raise InputError("not GCAT's catalogue of payloads", file=path, line=1, field=missing[0], hint=hint)
    number, engine = head.index("JCAT"), head.index("Mvr")
    found = set()
    for line in lines[1:]:
        words = line.split("\t")
        if line.startswith("#") or len(words) <= max(number, engine):
            continue
        digits = words[number].strip().removeprefix("S")
        if digits.isdigit() and words[engine].strip() == _NO_ENGINE:
            found.add(int(digits))
    return found
