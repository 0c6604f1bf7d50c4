"""Our readers and writers under the names that gpconf calls; `test_gpconf` runs gpconf with it as a process."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from orbwatch.catalog.files import READERS
from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.omm import epoch_us_of
from orbwatch.catalog.omm_json import read_omm_json
from orbwatch.catalog.opened import text_of
from orbwatch.catalog.tle import object_id_of, read_tle
from orbwatch.catalog.tle_write import alpha5, checksum, write_tle

KEYS = {
    "norad_cat_id": "norad_id",
    "mean_motion": "mean_motion_rev_day",
    "eccentricity": "eccentricity",
    "inclination": "inclination_deg",
    "ra_of_asc_node": "raan_deg",
    "arg_of_pericenter": "arg_perigee_deg",
    "mean_anomaly": "mean_anomaly_deg",
    "bstar": "bstar_per_er",
    "mean_motion_dot": "mean_motion_dot_rev_day2",
    "mean_motion_ddot": "mean_motion_ddot_rev_day3",
}
OPTIONAL = {
    "ephemeris_type": "ephemeris_type",
    "classification_type": "classification",
    "element_set_no": "element_set_no",
    "rev_at_epoch": "rev_at_epoch",
}


_RECORD = {
    "EPOCH": "2000-06-27T18:50:19.733568",
    "NORAD_CAT_ID": 5,
    "MEAN_MOTION": 10.82419157,
    "ECCENTRICITY": 0.1859667,
    "INCLINATION": 34.2682,
    "RA_OF_ASC_NODE": 348.7242,
    "ARG_OF_PERICENTER": 331.7664,
    "MEAN_ANOMALY": 19.3264,
    "BSTAR": 2.8098e-5,
}
_VANGUARD = read_omm_json(json.dumps(_RECORD)).table


def _instant(us: int) -> dt.datetime:
    return dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=us)


class Adapter:
    """What gpconf calls, without the optional counters: the table has a default where a file has none."""

    keys: Mapping[str, str] = KEYS

    def parse(self, raw: bytes, form: str) -> list[dict[str, Any]]:
        read = READERS["tle" if form == "2le" else form](text_of(raw), "")
        out: list[dict[str, Any]] = [{"_adapter": {"refusals": True}}]
        for i in range(len(read.table)):
            row = read.table.row(i)
            record = {key: row[name] for key, name in self.keys.items()}
            record["norad_cat_id"] = record["norad_cat_id"] or None  # 0 stands for none
            texts = {"object_name": row["name"] or None, "object_id": row["object_id"] or None}
            out.append(record | texts | {"epoch": _instant(row["epoch_us"])})
        for one in read.rejected:
            field = one.text[2:7] if form in ("tle", "2le") else str(one.norad_id)
            out.append({"_refused": one.reason, "_field": field, "_input": one.text})
        return out

    def write_tle(self, record: dict[str, Any]) -> str:
        texts = {key: name for key, name in KEYS.items() if isinstance(record.get(key), str)}
        row: dict[str, Any] = {name: float(record[key]) for key, name in texts.items()}
        row |= {name: record[key] for key, name in (KEYS | OPTIONAL).items() if isinstance(record.get(key), int)}
        row["classification"] = record.get("classification_type") or "U"
        row["name"] = record.get("object_name") or ""
        row["object_id"] = record.get("object_id") or ""
        row["epoch_us"] = epoch_us_of(record["epoch"])
        return write_tle(GpTable.from_rows([row]))

    def alpha5_decode(self, field: str) -> int:
        lines = [line[:2] + field + line[7:-1] for line in write_tle(_VANGUARD).splitlines()]
        return _only(read_tle("\n".join(line + checksum(line) for line in lines)).table.norad_id)

    def alpha5_encode(self, norad_id: int) -> str:
        return alpha5(norad_id)

    def two_digit_year(self, year: str) -> int:
        return int(object_id_of(f"{year}001A")[:4])

    def parse_epoch(self, text: str) -> dt.datetime:
        return _instant(epoch_us_of(text))

    def parse_catalog_id(self, text: str) -> int:
        return _only(read_omm_json(json.dumps(_RECORD | {"NORAD_CAT_ID": text})).table.norad_id)


class WithCounters(Adapter):
    """With the optional counters too."""

    keys = KEYS | OPTIONAL


def _only(ids: np.ndarray) -> int:
    if len(ids) != 1:
        raise ValueError("refused")
    return int(ids[0])
