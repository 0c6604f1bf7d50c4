from __future__ import annotations

from orbwatch.catalog.kvn import KvnLine, kvn_line, read_kvn

# After the example of CCSDS 502.0-B-3, figure 4-1 and annex G, spaced badly on purpose.
TEXT = """CCSDS_OMM_VERS = 3.0
  comment GENERATED = BY HAND
comment
\tMean_Motion=1.00273272[rev/day]
OBJECT_NAME = STARLINK-11072 [DTC]
OBJECT_DESIGNATOR =

META_START
2019-05-05T11:00:00 1 2 3
= 5
"""


def test_lines() -> None:
    lines = list(read_kvn(TEXT))
    assert [(line.line, line.key, line.text) for line in lines] == [
        (1, "CCSDS_OMM_VERS", "3.0"),
        (2, "COMMENT", "GENERATED = BY HAND"),
        (3, "COMMENT", ""),
        (4, "MEAN_MOTION", "1.00273272[rev/day]"),
        (5, "OBJECT_NAME", "STARLINK-11072 [DTC]"),
        (6, "OBJECT_DESIGNATOR", ""),
        (8, "META_START", ""),
        (9, None, "2019-05-05T11:00:00 1 2 3"),
        (10, None, "= 5"),
    ]
    assert (lines[3].value, lines[3].unit) == ("1.00273272", "rev/day")
    assert (lines[0].value, lines[0].unit) == ("3.0", None)


def test_written_line_reads_back() -> None:
    assert list(read_kvn(kvn_line("HBR", "5.0", "m"))) == [KvnLine(1, "HBR", "5.0 [m]")]
    assert kvn_line("COMMENT", "") == "COMMENT             ="
