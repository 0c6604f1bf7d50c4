"""brahe, an independent reader, finds in our files what we wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.omm import REALS, WHOLE
from orbwatch.catalog.omm_json import write_omm_json
from orbwatch.catalog.omm_kvn import write_omm_kvn
from orbwatch.catalog.omm_xml import write_omm_xml
from orbwatch.catalog.tle_write import write_tle
from orbwatch.time import format_utc

from .sets import ASCII, Rows, rows, tle_rows

brahe = pytest.importorskip("brahe", reason="needs brahe")
ccsds = pytest.importorskip("brahe.ccsds", reason="needs brahe")
SINCE_1972 = 63_072_000_000_000  # before, brahe's UTC has seconds of other lengths


def same_instant(epoch: Any, epoch_us: int) -> bool:
    return epoch_us < SINCE_1972 or abs(epoch - brahe.Epoch(format_utc(epoch_us) + "Z")) < 2e-6


@settings(max_examples=30, deadline=None, phases=[Phase.generate])
@given(rows(ASCII))
def test_omm(made: Rows) -> None:
    small = {"element_set_no": made[0]["element_set_no"] % 10_000, "rev_at_epoch": made[0]["rev_at_epoch"] % 100_000}
    table = GpTable.from_rows([made[0] | small])  # brahe keeps the counters in 16 and 32 bits
    row = table.row(0)
    gp = brahe.GPRecord.from_json(json.dumps(json.loads(write_omm_json(table))[0]))
    for write in (write_omm_kvn, write_omm_xml):
        omm = ccsds.OMM.from_str(write(table))
        for key, name in {**REALS, **WHOLE}.items():
            assert getattr(omm, key.lower()) == row[name], key
            assert getattr(gp, key.lower()) == pytest.approx(row[name], rel=1e-14), key  # its JSON reader is 1 ulp off
        assert same_instant(omm.epoch, row["epoch_us"])
    assert gp.epoch == format_utc(row["epoch_us"])


@settings(max_examples=30, deadline=None, phases=[Phase.generate])
@given(tle_rows())
def test_tle(made: Rows) -> None:
    table = GpTable.from_rows(made)
    lines = [line for line in write_tle(table, names=False).split("\n") if line]
    for i, (first, second) in enumerate(zip(lines[::2], lines[1::2], strict=True)):
        row = table.row(i)
        assert brahe.validate_tle_lines(first, second)
        epoch, elements = brahe.keplerian_elements_from_tle(first, second)
        assert elements[1] == row["eccentricity"]
        assert same_instant(epoch, row["epoch_us"])
