from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orbwatch.catalog.cdm import read_cdm
from orbwatch.catalog.cdm_message import Cdm, CdmObject
from orbwatch.conjunction.cdm import assess_cdm, pc_record
from orbwatch.constants import DAY_US
from orbwatch.frames import gcrf_to_eme2000, gcrf_to_itrf
from orbwatch.time import parse_utc, us_to_jd

TCA_US = parse_utc("2024-03-01T12:00:00")
STATES = {1: ([7000.0, 0.0, 0.0], [0.0, 7.5, 0.1]), 2: ([7000.1, 0.05, 0.02], [0.1, 0.2, 7.4])}


def part(n: int, **changes: Any) -> CdmObject:
    cov = np.zeros((6, 6))
    cov[:3, :3] = np.diag(np.square([0.03, 0.2, 0.02])) * n
    r, v = (np.array(vector) for vector in STATES[n])
    default: dict[str, Any] = {"ref_frame": "GCRF", "cov_rtn_km2": cov, "covariance_method": "CALCULATED"}
    return CdmObject(designator=str(n), r_km=r, v_km_s=v, **{**default, **changes})


def message(one: CdmObject | None = None, two: CdmObject | None = None, **changes: Any) -> Cdm:
    return Cdm(tca_us=TCA_US, object1=one or part(1), object2=two or part(2), **changes)


COMMENT = {"comments": {"relative": ("HBR = 12.5 [m]",)}}


def test_record_is_plain_and_ends_with_the_circle() -> None:
    record = pc_record(message(**COMMENT), "some.cdm")
    again = json.loads(json.dumps(record, allow_nan=False))
    assert list(again) == ["file", "tca_utc", "miss_m", "rel_speed_m_s", "hbr_m", "hbr_source", "results"]
    assert again["tca_utc"] == "2024-03-01T12:00:00.000000"
    assert again["hbr_m"] == 12.5
    assert again["hbr_source"] == "CDM comment HBR"
    assert set(again["results"][0]) == {"method", "kind", "pc", "flags"}
    last = again["results"][-1]
    assert (last["method"], last["kind"]) == ("foster_1992", "circle")
    assert last["pc"] == assess_cdm(message(**COMMENT))[-1].pc > 0.0


def test_radius_given_or_by_default() -> None:
    given = assess_cdm(message(**COMMENT), hbr_m=3.0)[-1]
    assert (given.hbr_m, given.hbr_source) == (pytest.approx(3.0), "given")
    debris, unknown = part(1, object_type="DEBRIS"), part(2)
    default = assess_cdm(message(debris, unknown))[-1]
    assert default.hbr_source == "default for debris + default for unknown"
    assert default.hbr_m == pytest.approx(6.1)


def test_source_and_age_of_the_covariance() -> None:
    old = part(1, more={"time_lastob_end_us": TCA_US - 2 * DAY_US})
    result = assess_cdm(message(old, part(2, cov_rtn_km2=None), **COMMENT))[-1]
    assert (result.cov_source_1, result.cov_source_2) == ("CDM, CALCULATED", "none")
    assert (result.cov_age_day_1, result.cov_age_day_2) == (2.0, None)
    assert "single_covariance" in result.flags


def test_frames_do_not_change_the_probability() -> None:
    jd, fr = us_to_jd(TCA_US)

    def itrf(n: int) -> CdmObject:
        given = part(n)
        r, v = gcrf_to_itrf(given.r_km, given.v_km_s, jd, fr)
        return replace(given, r_km=r, v_km_s=v, ref_frame="ITRF")

    def eme2000(n: int) -> CdmObject:
        given = part(n)
        r, v = gcrf_to_eme2000(given.r_km, given.v_km_s)
        return replace(given, r_km=r, v_km_s=v, ref_frame="EME2000")

    expected = assess_cdm(message(**COMMENT))[-1].pc
    assert assess_cdm(message(eme2000(1), eme2000(2), **COMMENT))[-1].pc == pytest.approx(expected, rel=1e-7)
    assert assess_cdm(message(itrf(1), itrf(2), **COMMENT))[-1].pc == pytest.approx(expected, rel=1e-5)
    assert assess_cdm(message(part(1), itrf(2), **COMMENT))[-1].pc == pytest.approx(expected, rel=1e-4)
    assert assess_cdm(message(eme2000(1), part(2), **COMMENT))[-1].pc == pytest.approx(expected, rel=1e-4)


def test_40_real_messages(reference: Path, data: Path) -> None:
    cases = json.loads((reference / "pc_cara_real_cdms.json").read_text())["cases"]
    for case in cases:
        record: Any = pc_record(read_cdm(data / "cdm" / "cara" / f"{case['id']}.cdm"), case["id"])
        assert record["results"][-1]["pc"] == pytest.approx(case["expected"]["Pc2D"], rel=1e-7), case["id"]
        assert record["hbr_m"] == pytest.approx(case["hbr_m"])
        assert record["miss_m"] == pytest.approx(case["expected"]["miss_distance_m"], rel=1e-3)


def test_message_in_itrf(reference: Path, data: Path) -> None:
    case = json.loads((reference / "pc_itrf_cdm_ion_starlink.json").read_text())
    results = assess_cdm(read_cdm(data / "cdm" / "ccsds_orekit" / "ION_SCV8_vs_STARLINK_1233.txt"))
    by_kind = {one.kind: one.pc for one in results if one.method == "foster_1992"}
    assert by_kind["circle"] == pytest.approx(case["check"]["circle"], rel=1e-7)
    assert by_kind["square"] == pytest.approx(case["expected"]["cdm_COLLISION_PROBABILITY"], rel=1e-4)
