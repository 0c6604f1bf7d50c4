from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from orbwatch.catalog.cdm import write_cdm
from orbwatch.catalog.cdm_message import Cdm
from orbwatch.catalog.store import StoredEvent
from orbwatch.conjunction.cdm import assess_cdm
from orbwatch.conjunction.message import event_cdm, printable
from orbwatch.conjunction.risk import probabilities
from orbwatch.frames import eme2000_to_gcrf, gcrf_to_teme
from orbwatch.time import parse_utc, us_to_jd

TCA_US = parse_utc("2025-04-15T12:00:00")
# Object 1's radial, transverse and normal axes are x, y and z of TEME.
R_KM = [[7000.0, 0.0, 0.0], [7000.1, 0.2, -0.3]]
V_KM_S = [[0.0, 7.5, 0.0], [0.1, 0.2, 7.4]]
COV_KM2 = [np.diag([0.01, 0.09, 0.04]), np.diag([0.04, 0.25, 0.01])]


def event() -> StoredEvent:
    payload = {
        "flags": [],
        "hbr_m": 12.0,
        "hbr_source": "default for payload + default for debris",
        "covariance_source": "test",
        "cov_rtn_km2": COV_KM2,
        "object_id": ["1998-067A", ""],
        "age_day": [0.5, 1.5],
        "r_teme_km": R_KM,
        "v_teme_km_s": V_KM_S,
    }
    relative = [np.linalg.norm(np.subtract(*pair)) for pair in (R_KM, V_KM_S)]
    made = StoredEvent(
        "1-2-x", 1, 2, "ONE", "TWO DEB", TCA_US, float(relative[0]), float(relative[1]), False, None, payload
    )
    return replace(made, pc=float(probabilities(made).circle[0]))


def message() -> Cdm:
    return event_cdm(event(), TCA_US)


def test_relative_state_is_object_2_from_object_1_in_its_rtn() -> None:
    cdm = message()
    assert cdm.relative_position_rtn_m == pytest.approx([100.0, 200.0, -300.0])
    assert cdm.relative_velocity_rtn_m_s == pytest.approx([100.0, -7300.0, 7400.0])
    assert cdm.miss_distance_m == pytest.approx(1e3 * np.sqrt(0.14))
    assert cdm.relative_speed_m_s == pytest.approx(1e3 * np.sqrt(0.01 + 7.3**2 + 7.4**2))


def test_states_are_the_events_in_eme2000() -> None:
    jd, fr = us_to_jd(TCA_US)
    for part, r_km, v_km_s, cov in zip(message().objects, R_KM, V_KM_S, COV_KM2, strict=True):
        assert part.ref_frame == "EME2000"
        r, v = gcrf_to_teme(*eme2000_to_gcrf(part.r_km, part.v_km_s), jd, fr)
        assert r == pytest.approx(r_km, abs=1e-9)
        assert v == pytest.approx(v_km_s, abs=1e-12)
        assert part.cov_rtn_km2 is not None
        assert np.array_equal(part.cov_rtn_km2[:3, :3], cov)
        assert not part.cov_rtn_km2[3:].any()


def test_a_reader_finds_the_same_probability_and_radius() -> None:
    cdm = message()
    again = assess_cdm(cdm)[-1]
    assert again.pc == pytest.approx(event().pc, rel=1e-8)
    assert cdm.collision_probability == event().pc
    assert again.hbr_m == pytest.approx(12.0)


def test_units_as_written() -> None:
    lines = [line.split() for line in write_cdm(message()).splitlines()]
    written = {words[0]: (float(words[2]), words[3]) for words in reversed(lines) if words[-1].startswith("[")}
    assert written["RELATIVE_POSITION_N"] == (pytest.approx(-300.0), "[m]")
    assert written["RELATIVE_VELOCITY_T"] == (pytest.approx(-7300.0), "[m/s]")
    assert written["CT_T"] == (pytest.approx(0.09e6), "[m**2]")  # object 1's: it comes first
    assert abs(written["X"][0]) == pytest.approx(7000.0, abs=1.0)
    assert (written["X"][1], written["X_DOT"][1]) == ("[km]", "[km/s]")


def test_the_radius_keeps_all_its_digits_and_texts_become_ascii() -> None:
    made = event()
    payload = {**made.payload, "hbr_m": 12.345678912, "hbr_source": "Größen – Tabelle.csv"}
    cdm = event_cdm(replace(made, payload=payload, name_1="  Ünicode\t→ x "), TCA_US)
    assert assess_cdm(cdm)[-1].hbr_m == 12.345678912
    assert "HBR SOURCE: Gro?en ? Tabelle.csv" in write_cdm(cdm)
    assert cdm.object1.name == "Unicode ? x"


def test_long_texts_end_with_a_whole_word() -> None:
    text = " ".join(["reasons"] * 40)
    cut = printable(text)
    assert 190 < len(cut) <= 200
    assert set(cut.removesuffix(" ...").split()) == {"reasons"}
    assert cut.endswith(" ...")
    assert len(printable("x" * 300)) == 200
    assert printable("y" * 200) == "y" * 200
