"""The readers under fuzz: each with small texts to start from, all of them made by our own writers.

To add one: write its seeds and a function that takes the bytes of a file, and put both into READERS.
"""

from __future__ import annotations

import gzip
import io
import lzma
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from orbwatch.catalog.files import parse_gp_text
from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import read_history
from orbwatch.catalog.history_parquet import write_parquet
from orbwatch.catalog.kvn import read_kvn
from orbwatch.catalog.omm_csv import read_omm_csv, write_omm_csv
from orbwatch.catalog.omm_json import read_omm_json, write_omm_json
from orbwatch.catalog.omm_kvn import read_omm_kvn, write_omm_kvn
from orbwatch.catalog.omm_xml import read_omm_xml, write_omm_xml
from orbwatch.catalog.opened import text_of
from orbwatch.catalog.quality import CHECKED, GpRead, is_legal
from orbwatch.catalog.tle import read_tle
from orbwatch.catalog.tle_write import write_tle


@dataclass(frozen=True)
class Reader:
    """What to start from, and what to call with the mutated bytes."""

    seeds: Callable[[], list[bytes]]
    call: Callable[[bytes], object]


@cache
def table(sets: int = 3) -> GpTable:
    """A few sets of two made-up objects."""
    return GpTable.from_columns(
        {
            "norad_id": [25544 + 74456 * (i % 2) for i in range(sets)],
            "epoch_us": [1_776_000_000_000_032 + 40_000_000_032 * i for i in range(sets)],
            "mean_motion_rev_day": [15.50103472 + 1e-5 * i for i in range(sets)],
            "eccentricity": [0.0004567, 0.7000001, 0.001][:sets] * (sets // 3),
            "inclination_deg": [51.6432] * sets,
            "raan_deg": [347.1234] * sets,
            "arg_perigee_deg": [88.0123] * sets,
            "mean_anomaly_deg": [271.5] * sets,
            "bstar_per_er": [0.00010270, -1.5e-5, 0.0][:sets] * (sets // 3),
            "mean_motion_dot_rev_day2": [1.6717e-4, -2.2e-7, 0.0][:sets] * (sets // 3),
            "name": ["ISS (ZARYA)", "", "STARLINK-30 [DTC]"][:sets] * (sets // 3),
            "object_id": ["1998-067A", "", "2026-067CY"][:sets] * (sets // 3),
            "seen_us": [1_776_000_060_000_000] * sets,
        }
    )


def texts(*made: str) -> list[bytes]:
    return [text.encode() for text in made]


def gp(read: Callable[[str, str], GpRead]) -> Callable[[bytes], GpRead]:
    """A reader of element sets; whatever it accepts must be legal."""

    def call(data: bytes) -> GpRead:
        result = read(text_of(data, "fuzz"), "fuzz")
        for name in CHECKED:
            assert is_legal(name, getattr(result.table, name)).all(), name
        result.table.content_hash()
        assert all(str(one) for one in result.rejected)
        return result

    return call


def packed() -> list[bytes]:
    text = write_tle(table()).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("a.tle"), text, zipfile.ZIP_DEFLATED)
    return [gzip.compress(text, mtime=0), lzma.compress(text), out.getvalue(), text]


def keeptrack() -> str:
    _, first, second = write_tle(table()[:1]).splitlines()
    return f'[{{"ON":"ISS (ZARYA)","OT":1,"TLE1":"{first}","TLE2":"{second}"}},\n{write_omm_json(table())[1:]}'


def parquet() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seed.parquet"
        write_parquet(table(30), path)
        return [path.read_bytes()]


def history(data: bytes) -> object:
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(data)
        file.flush()
        return read_history(file.name)


def all_formats() -> list[bytes]:
    made = [write(table()) for write in (write_tle, write_omm_json, write_omm_csv)]
    return texts(*made, write_omm_kvn(table(), 0), write_omm_xml(table(), 0))


READERS: dict[str, Reader] = {
    "opened": Reader(packed, lambda data: text_of(data, "fuzz", 1_000_000)),
    "kvn": Reader(lambda: texts(write_omm_kvn(table(), 0)), lambda data: list(read_kvn(text_of(data)))),
    "tle": Reader(lambda: texts(write_tle(table()), write_tle(table(), names=False)), gp(read_tle)),
    "omm_json": Reader(lambda: texts(write_omm_json(table()), keeptrack()), gp(read_omm_json)),
    "omm_csv": Reader(lambda: texts(write_omm_csv(table())), gp(read_omm_csv)),
    "omm_kvn": Reader(lambda: texts(write_omm_kvn(table(), 0)), gp(read_omm_kvn)),
    "omm_xml": Reader(lambda: texts(write_omm_xml(table(), 0), write_omm_xml(table()[:1], 0)), gp(read_omm_xml)),
    "gp": Reader(all_formats, gp(parse_gp_text)),
    "history": Reader(parquet, history),
}
