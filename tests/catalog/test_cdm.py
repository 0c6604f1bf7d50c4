from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from orbwatch.catalog.cdm import Cdm, hbr, parse_cdms, read_cdm
from orbwatch.errors import InputError
from orbwatch.time import parse_utc

# The obligatory keywords of the first example of CCSDS 508.0-B-1 (annex, "CDM/KVN example: obligatory"); object 2 has
# its covariance left out here.
EXAMPLE = (Path(__file__).parent.parent / "truth" / "cdm_508x0b1.kvn").read_text()


def read(text: str) -> Cdm:
    (cdm,) = parse_cdms(text, "in.cdm")
    return cdm


def change(old: str, new: str, count: int = 1) -> str:
    assert old in EXAMPLE
    return EXAMPLE.replace(old, new, count)


def without(key: str) -> str:
    return "\n".join(line for line in EXAMPLE.split("\n") if line.split(" ")[0] != key)


def test_example_of_the_standard() -> None:
    cdm = read(EXAMPLE)
    assert cdm.tca_us == parse_utc("2010-03-13T22:37:52.618")
    assert cdm.miss_distance_m == 715.0
    assert (cdm.version, cdm.originator, cdm.message_id) == ("1.0", "JSPOC", "201113719185")
    one, two = cdm.objects
    assert one.norad_id == 12345
    assert (one.name, one.international_designator, one.maneuverable) == ("SATELLITE A", "1997-030E", "YES")
    assert one.r_km.tolist() == [2570.097065, 2244.654904, 6281.497978]
    assert two.v_km_s.tolist() == [-2.8886125, -6.007247516, 3.328770172]
    assert one.cov_rtn_km2 is not None
    assert np.array_equal(one.cov_rtn_km2, one.cov_rtn_km2.T)
    assert one.cov_rtn_km2[0, 0] == 41.42e-6  # m^2 to km^2, rounded once
    assert one.cov_rtn_km2[1, 3] == -5.476e-6
    assert one.cov_rtn_km2[5, 5] == 5.529e-11
    assert two.cov_rtn_km2 is None
    # The states give the miss distance of the message.
    assert np.linalg.norm(two.r_km - one.r_km) == pytest.approx(0.715, abs=2e-3)


@pytest.mark.parametrize(
    ("text", "line", "field", "what"),
    [
        (change("2010-03-13T22:37", "2010-02-31T22:37"), 5, "TCA", "no such day"),
        (without("TCA"), 1, "TCA", "closest approach is missing"),
        (change("-8.579E+00  ", "-8.579E+00 x"), 23, "CT_R", "not a number"),
        (change("-8.579E+00", "NaN"), 22, "CT_R", "covariance is incomplete"),
        (change("2570.097065", "NaN"), 16, "X", "not a number"),
        (change("2570.097065", "1e400"), 16, "X", "not a finite number"),
        (change("2570.097065", "1_0"), 16, "X", "not a number"),
        (change("2570.097065", "9" * 100_000 + "x"), 16, "X", "not a number"),  # in linear time
        (without("Y_DOT"), 7, "Y_DOT", "state is incomplete"),
        (without("REF_FRAME"), 7, "REF_FRAME", "frame of the state is missing"),
        (change("[km]", "[ft]"), 16, "X", "wrong unit"),
        (change("OBJECT2", "OBJECT1"), 43, "OBJECT", "which object"),
        (change("OBJECT2", "OBJECT3"), 43, "OBJECT", "which object"),
        (EXAMPLE[: EXAMPLE.index("OBJECT                        = OBJECT2")], 1, "OBJECT", "OBJECT2 is missing"),
        (without("CCSDS_CDM_VERS"), None, None, "no CCSDS_CDM_VERS"),
        (change("MISS_DISTANCE", "TCA          "), 6, "TCA", "given twice"),
        (change("ORIGINATOR", "CCSDS_CDM_VERS = 1.0 x\nORIGINATOR"), 1, "OBJECT", "OBJECT1 is missing"),
        (change("MISS_DISTANCE", "no equals sign\nMISS_DISTANCE"), 6, None, "not a keyword = value line"),
        (change("MANEUVERABLE", "OBS_USED = 1.5\nMANEUVERABLE"), 14, "OBS_USED", "not a whole number"),
        ("", None, None, "no CCSDS_CDM_VERS"),
    ],
)
def test_errors_say_where(text: str, line: int | None, field: str | None, what: str) -> None:
    with pytest.raises(InputError, match=what) as caught:
        parse_cdms(text, "in.cdm")
    assert (caught.value.file, caught.value.line, caught.value.field) == ("in.cdm", line, field)


def test_reading_is_tolerant() -> None:
    text = without("CREATION_DATE").replace("[m**2]", "").replace("[km]", "[KM]").replace("[m**2/s]", "[m^2/sec]")
    text = text.replace(
        "MISS_DISTANCE                 = 715                                  [m]", "miss_distance=0.715 [km]"
    )
    text = text.replace("MANEUVERABLE", "OBS_USED = NaN\nRESIDUALS_ACCEPTED = 85.4   [\nFOO = bar [x]\nMANEUVERABLE", 1)
    text = text.replace("-3.526774282 ", "-3.526774282D0").replace("1997-030E", "1997\N{MINUS SIGN}030E")
    text = text.replace(
        "TCA ", "RELATIVE_VELOCITY_R = 1.5 [m]\nRELATIVE_VELOCITY_T = 2 [km/s]\nRELATIVE_VELOCITY_N = 3\nTCA "
    )
    cdm = read(text.replace("TCA ", "RELATIVE_POSITION_R = 1.5\nUSER_DEFINED_A = b c\nTCA "))
    assert cdm.creation_us is None
    assert cdm.miss_distance_m == 715.0
    assert cdm.object1.unknown == {"FOO": "bar [x]"}
    assert cdm.object1.more == {"residuals_accepted_percent": 85.4}
    assert cdm.object1.v_km_s[2] == -3.526774282
    assert cdm.object1.international_designator == "1997-030E"
    assert cdm.object1.cov_rtn_km2 is not None
    assert cdm.object1.cov_rtn_km2[3, 0] == 2.52e-9
    assert cdm.relative_velocity_rtn_m_s is not None
    assert cdm.relative_velocity_rtn_m_s.tolist() == [1.5, 2000.0, 3.0]
    assert cdm.relative_position_rtn_m is None
    assert cdm.unknown == {"RELATIVE_POSITION_R": "1.5"}
    assert cdm.user_defined == {"A": "b c"}


def test_position_covariance_alone() -> None:
    lines = [line for line in EXAMPLE.split("\n") if "DOT_" not in line]
    covariance = read("\n".join(lines)).object1.cov_rtn_km2
    assert covariance is not None
    assert np.isfinite(covariance[:3, :3]).all()
    assert np.isnan(covariance[3:]).all()


def test_comments_stay_with_their_block() -> None:
    text = change("CREATION_DATE", "COMMENT one\nCOMMENT\ntwo = x\nCREATION_DATE")
    text = text.replace("CR_R", "COMMENT cov\nCR_R", 1) + "COMMENT end"
    cdm = read(text.replace("OBJECT   ", "COMMENT o\nOBJECT   "))
    assert cdm.comments == {"header": ("one", "")}
    assert cdm.unknown == {"TWO": "x"}
    assert cdm.object1.comments == {"metadata": ("o",), "covariance": ("cov",)}
    assert cdm.object2.comments == {"metadata": ("o",), "state_vector": ("end",)}


def test_hard_body_radius_and_its_source() -> None:
    assert hbr(read(EXAMPLE)) is None
    cara = change("OBJECT    ", "COMMENT HBR                        = 15.0 [m]\nOBJECT    ")
    assert hbr(read(cara)) == (15.0, "CDM comment HBR")
    for none in ("0", "-15.0 [m]"):
        with pytest.raises(InputError, match="no hard-body radius"):
            hbr(read(change("OBJECT    ", f"COMMENT HBR = {none}\nOBJECT    ")))
    area = change("MANEUVERABLE", "AREA_PC = 12.566370614359172 [m**2]\nMANEUVERABLE", 2)
    assert hbr(read(area)) == (4.0, "CDM sum of radii: AREA_PC")
    volume = area.replace("X_DOT", "COMMENT Exclusion Volume Radius=0.005 [km]\nX_DOT", 1)
    both = "CDM sum of radii: exclusion volume radius (object 1), AREA_PC (object 2)"
    assert hbr(read(volume)) == (7.0, both)
    operator = volume.replace("Y_DOT", "COMMENT Operator Hard Body Radius = 6.00 [m]\nY_DOT", 1)
    assert hbr(read(operator)) == (8.0, both.replace("exclusion volume radius", "operator hard-body radius"))
    keyword = operator.replace("MANEUVERABLE", "HBR = 1.5 [m]\nMANEUVERABLE")
    assert hbr(read(keyword)) == (3.0, "CDM sum of radii: HBR")
    assert hbr(read(EXAMPLE.replace("MANEUVERABLE", "HBR = 1.5 [m]\nMANEUVERABLE", 1))) is None


def test_one_message_is_expected(tmp_path: Path) -> None:
    path = tmp_path / "two.cdm"
    path.write_text(EXAMPLE + EXAMPLE)
    with pytest.raises(InputError, match="2 messages"):
        read_cdm(path)
