"""Messages written back: strictly, with our value, readable again; what cannot be told is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from orbwatch.catalog.cdm import Cdm, hbr, parse_cdms
from orbwatch.catalog.cdm_write import write_cdm
from orbwatch.conjunction.cdm_assess import assess_message
from orbwatch.conjunction.cdm_event import Assessed, entries
from orbwatch.conjunction.cdm_out import reassessed
from orbwatch.errors import InputError
from orbwatch.settings import RiskSettings

from .made_messages import TCA_US, covariance, made

RISK = RiskSettings()


def entry_of(cdm: Cdm, hbr_m: float | None = None) -> dict[str, Any]:
    found = assess_message(cdm, settings=RISK, hbr_m=hbr_m, curved=False)
    return entries([Assessed("a", ("1", "2"), ("", ""), cdm.tca_us, cdm.creation_us, found, cdm)], RISK, TCA_US)[0][1]


def again(cdm: Cdm, hbr_m: float | None = None) -> Cdm:
    entry = entry_of(cdm, hbr_m)
    (read,) = parse_cdms(write_cdm(reassessed(cdm, entry, TCA_US)))
    return read


def test_written_and_read_again() -> None:
    cdm = made(collision_probability=0.5, collision_probability_method="UNKNOWN")
    entry, read = entry_of(cdm), again(cdm)
    assert (read.collision_probability, read.collision_probability_method) == (entry["pc"], "FOSTER-1992")
    assert read.miss_distance_m == entry["miss_m"]
    assert read.relative_position_rtn_m == pytest.approx(entry["miss_rtn_m"])
    assert (read.originator, read.message_id) == ("ORBWATCH", "1_ORBWATCH")
    comments = read.comments["relative"]
    assert f"CATEGORY: {entry['category']}" in comments
    assert "PC the message's own: 5.000000e-01" in comments
    assert entry_of(read)["pc"] == pytest.approx(entry["pc"], rel=1e-12)


def test_radius_given_replaces_the_message_s() -> None:
    assert hbr(again(made(), 3.0)) == (3.0, "CDM comment HBR")
    assert hbr(again(made())) == (12.5, "CDM comment HBR")


def test_what_the_standard_does_not_have_goes_into_comments() -> None:
    one = replace(made().object1, unknown={"MY_KEY": "Größe 5"}, name="", ref_frame="J2000", object_type="rocket_body")
    read = again(made(object1=one, unknown={"ANOTHER": "x"}, version="1.9"))
    assert "NOT A STANDARD KEYWORD: MY_KEY = Gro?e 5" in read.object1.comments["metadata"]
    assert (read.object1.name, read.object1.ref_frame, read.object1.object_type) == (
        "UNKNOWN",
        "EME2000",
        "ROCKET BODY",
    )
    assert "NOT A STANDARD KEYWORD: ANOTHER = x" in read.comments["relative"]


def test_half_a_covariance_becomes_zeros_that_are_said() -> None:
    half = covariance()
    half[3:], half[:, 3:] = np.nan, np.nan
    read = again(made(object2=replace(made().object2, cov_rtn_km2=half)))
    assert read.object2.cov_rtn_km2 is not None
    assert not read.object2.cov_rtn_km2[3:].any()
    assert any("ZEROS" in text for text in read.object2.comments["covariance"])


def test_teme_becomes_gcrf() -> None:
    parts = [replace(part, ref_frame="TEME") for part in made().objects]
    read = again(made(object1=parts[0], object2=parts[1]))
    assert read.object1.ref_frame == "GCRF"
    assert 1.0 < np.linalg.norm(read.object1.r_km - parts[0].r_km) < 60.0


def test_no_covariance_cannot_be_told() -> None:
    with pytest.raises(InputError, match="covariance of object 1 is missing"):
        again(made(object1=replace(made().object1, cov_rtn_km2=None)))
