"""Histories: many element sets of many objects over time, ordered, without doubles, outliers put aside."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int

from orbwatch.catalog.files import read_gp_text
from orbwatch.catalog.gp import NO_TIME, GpTable
from orbwatch.catalog.history_parquet import read_parquet, write_parquet
from orbwatch.catalog.opened import open_text
from orbwatch.catalog.quality import CHECKED, Rejected, is_legal, legal_text
from orbwatch.catalog.trend import off_trend, perigee_radius_km
from orbwatch.constants import WGS72_RADIUS_KM
from orbwatch.errors import InputError
from orbwatch.time import format_utc

SAME_SET_US = 60_000_000
"""Sets of an object closer than this are versions of one set: the last one stays."""


@dataclass(frozen=True)
class History:
    """Element sets ordered by (norad_id, epoch_us), and those put aside."""

    table: GpTable
    rejected: list[Rejected] = field(default_factory=list)
    doubles: int = 0
    """Sets dropped because another of the same object follows within a minute."""

    def ids(self) -> Int[np.ndarray, " k"]:
        """The objects, ascending."""
        return np.unique(self.table.norad_id)

    def newest(self) -> GpTable:
        """The last set of each object, one row an object."""
        ids = self.table.norad_id
        return self.table[np.flatnonzero(np.append(ids[1:] != ids[:-1], len(ids) > 0))]

    def of(self, norad_id: int) -> GpTable:
        """The sets of one object, ordered by epoch; empty when there are none."""
        first, last = np.searchsorted(self.table.norad_id, [norad_id, norad_id + 1])
        return self.table[int(first) : int(last)]


def read_history(
    path: str | Path,
    ids: Collection[int] | None = None,
    start_us: int | None = None,
    end_us: int | None = None,
    public_by_us: int | None = None,
) -> History:
    """The history in a file or folder: Parquet, or any format of element sets, packed or not, in any order.

    Only objects in `ids` (default: all) and epochs start_us <= epoch < end_us (UTC microseconds since 1970) are kept,
    and with `public_by_us` only sets that were public by then: nothing that came later has a say in what is put aside.
    Sets out of range, of decayed objects (perigee inside the Earth) and off their object's own trend (`off_trend`) are
    put aside. Raises InputError when nothing is legible; a selection that matches nothing gives an empty history.
    """
    return clean_history(*read_sets(path, ids, start_us, end_us, public_by_us))


def read_sets(
    path: str | Path,
    ids: Collection[int] | None = None,
    start_us: int | None = None,
    end_us: int | None = None,
    public_by_us: int | None = None,
) -> tuple[GpTable, list[Rejected]]:
    """As `read_history`, in file order and before the cleaning; and what could not be read."""
    path = Path(path)
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    tables: list[GpTable] = []
    rejected: list[Rejected] = []
    for file in files:
        try:
            table, bad = _read(file, ids, start_us, end_us)
        except InputError as error:
            if not path.is_dir():
                raise
            rejected.append(Rejected(error.line, None, error.what, "", str(file)))
            continue
        if public_by_us is not None:
            table = table[(table.seen_us == NO_TIME) | (table.seen_us <= public_by_us)]
        tables.append(table)
        rejected += bad
    if not tables:
        first = f"; the first of {len(rejected)} files: {rejected[0]}" if rejected else ""
        raise InputError(f"no element sets in it{first}", file=path)
    table = tables[0] if len(tables) == 1 else GpTable.concat(tables, str(path))
    return table, rejected


def clean_history(table: GpTable, rejected: list[Rejected] | None = None) -> History:
    """Any element sets as a history: ordered, doubles dropped, bad ones put aside (added to `rejected`)."""
    aside = list(rejected or [])
    table, bad = _without_illegal(table)
    aside += bad
    if not _in_order(table).all():
        table = table[np.lexsort((table.seen_us, table.epoch_us, table.norad_id))]
    same = table.norad_id[1:] == table.norad_id[:-1]
    followed = np.zeros(len(table), bool)
    followed[:-1] = same & (table.epoch_us[1:] - table.epoch_us[:-1] < SAME_SET_US)
    doubles = int(followed.sum())
    if doubles:
        table = table[~followed]
    outlier = np.zeros(len(table), bool)
    for name, rows in off_trend(table).items():
        new = rows[~outlier[rows]]
        outlier[new] = True
        aside += [_put_aside(table, int(i), f"{name} is off the object's own trend") for i in new]
    return History(table[~outlier] if outlier.any() else table, aside, doubles)


def check_ordered(table: GpTable) -> None:
    """Raises InputError, naming the first object, where sets are not ordered by (norad_id, epoch_us)."""
    good = _in_order(table)
    if not good.all():
        at = int(np.argmin(good)) + 1
        what = f"element sets out of order: row {at + 1} (object {int(table.norad_id[at])})"
        raise InputError(what, file=table.source or None, hint="catalog.history.clean_history orders them")


def _in_order(table: GpTable) -> Bool[np.ndarray, " m"]:
    """For each set from the second on, whether it may follow the one before it."""
    same = table.norad_id[1:] == table.norad_id[:-1]
    later = table.epoch_us[1:] >= table.epoch_us[:-1]
    return np.asarray((table.norad_id[1:] > table.norad_id[:-1]) | (same & later))


def write_history(table: GpTable, path: str | Path) -> None:
    """Writes a history as Parquet; an existing file is replaced only when the new one is complete.

    Raises InputError for values out of range, or when the file cannot be written.
    """
    path = Path(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        write_parquet(table, part)
        part.replace(path)
    except OSError as error:
        raise InputError(f"cannot write the history: {error.strerror or error}", file=path) from error
    finally:
        part.unlink(missing_ok=True)


def _read(
    file: Path, ids: Collection[int] | None, start_us: int | None, end_us: int | None
) -> tuple[GpTable, list[Rejected]]:
    if _is_parquet(file):
        return read_parquet(file, ids, start_us, end_us), []
    read = read_gp_text(open_text(file), str(file))
    keep = np.ones(len(read.table), bool)
    if ids is not None:
        keep &= np.isin(read.table.norad_id, np.fromiter(ids, np.int64))
    if start_us is not None:
        keep &= read.table.epoch_us >= start_us
    if end_us is not None:
        keep &= read.table.epoch_us < end_us
    return read.table[keep], read.rejected


def _is_parquet(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(4) == b"PAR1"
    except OSError as error:
        raise InputError(f"cannot read the file: {error.strerror or error}", file=file) from error


def _without_illegal(table: GpTable) -> tuple[GpTable, list[Rejected]]:
    bad: Bool[np.ndarray, " n"] = np.zeros(len(table), bool)
    aside: list[Rejected] = []
    for name in CHECKED:
        wrong = ~is_legal(name, getattr(table, name)) & ~bad
        for i in np.flatnonzero(wrong).tolist():
            value = getattr(table, name)[i].item()
            aside.append(_put_aside(table, i, f"{name} = {value} is out of range; legal: {legal_text(name)}"))
        bad |= wrong
    decayed = ~bad & (perigee_radius_km(table) < WGS72_RADIUS_KM)
    for i in np.flatnonzero(decayed).tolist():
        height = float(perigee_radius_km(table[i : i + 1])[0]) - WGS72_RADIUS_KM
        aside.append(_put_aside(table, i, f"decayed: perigee {height:.0f} km below the surface".replace("-", "")))
    bad |= decayed
    return (table[~bad] if bad.any() else table), aside


def _put_aside(table: GpTable, i: int, reason: str) -> Rejected:
    try:
        epoch = f" (epoch {format_utc(int(table.epoch_us[i]), 0)})"
    except InputError:
        epoch = ""
    norad_id = int(table.norad_id[i])
    return Rejected(None, norad_id if norad_id >= 0 else None, reason + epoch, "", table.source)
