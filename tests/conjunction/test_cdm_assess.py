"""Messages assessed: by every method, with a choice, its reason and a category; what is lacking is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orbwatch.catalog.cdm import Cdm, read_cdm, write_cdm
from orbwatch.catalog.cdm_message import CdmObject
from orbwatch.catalog.cdm_public import CdmPublic
from orbwatch.conjunction.category import category
from orbwatch.conjunction.cdm_assess import _ruled_out, assess_message, assess_public
from orbwatch.conjunction.cdm_event import event_names
from orbwatch.conjunction.choice import Candidate, cheapest_valid
from orbwatch.conjunction.monte_carlo import Trials
from orbwatch.conjunction.shared_error import shared_errors_rtn
from orbwatch.messages_assess import How, Wanted, assess
from orbwatch.settings import RiskSettings, Settings
from orbwatch.time import parse_utc

RISK = RiskSettings()
TCA_US = parse_utc("2024-03-01T12:00:00")
COMMENT = {"comments": {"relative": ("HBR = 12.5 [m]",)}}
STATES = {1: ([7000.0, 0.0, 0.0], [0.0, 7.5, 0.1]), 2: ([7000.1, 0.05, 0.02], [0.1, 0.2, 7.4])}
METHODS = ["foster_1992", "hall_2021_nc2d", "hall_2021_nc3d", "coppola_2012", "monte_carlo"]


def part(n: int, **changes: Any) -> CdmObject:
    cov = np.zeros((6, 6))
    cov[:3, :3] = np.diag(np.square([0.03, 0.2, 0.02])) * n
    r, v = (np.array(vector) for vector in STATES[n])
    default = {"designator": str(n), "r_km": r, "v_km_s": v, "ref_frame": "GCRF", "cov_rtn_km2": cov}
    return CdmObject(**{**default, "covariance_method": "CALCULATED", **changes})


def message(one: CdmObject | None = None, two: CdmObject | None = None, **changes: Any) -> Cdm:
    return Cdm(tca_us=TCA_US, object1=one or part(1), object2=two or part(2), **changes)


def full() -> np.ndarray:
    cov = np.diag(np.square([0.03, 0.2, 0.02, 2e-4, 3e-5, 2e-5]))
    cov[0, 4] = cov[4, 0] = -0.9 * 0.03 * 3e-5
    cov[1, 3] = cov[3, 1] = -0.9 * 0.2 * 2e-4
    return cov


def whole(**changes: Any) -> Cdm:
    return message(part(1, cov_rtn_km2=full()), part(2, cov_rtn_km2=full()), **{**COMMENT, **changes})


def test_all_methods_and_a_choice() -> None:
    found = assess_message(whole(), settings=RISK, samples=20_000)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert [one["method"] for one in found["results"]] == METHODS
    values = [one["pc"] for one in found["results"]]
    assert values[:4] == pytest.approx([values[1]] * 4, rel=2e-3)
    low, high = found["results"][-1]["interval"]
    assert low < values[1] < high
    assert found["chosen"] == "foster_1992"
    assert found["pc"] == values[0]


def test_position_covariances_allow_straight_paths_only() -> None:
    found = assess_message(message(**COMMENT), settings=RISK)
    assert [one["method"] for one in found["results"]] == ["foster_1992"]
    assert "no_velocity_covariance" in found["results"][0]["flags"]
    assert "straight paths only" in found["reason"]


def test_one_covariance_or_none() -> None:
    single = assess_message(message(part(1, cov_rtn_km2=None), **COMMENT), settings=RISK)
    assert "single_covariance" in single["results"][0]["flags"]
    assert "single_covariance" in single["reason"]
    none = assess_message(message(part(1, cov_rtn_km2=None), part(2, cov_rtn_km2=None), **COMMENT), settings=RISK)
    assert (none["chosen"], none["pc"]) == (None, None)


@pytest.mark.parametrize(("row", "flag"), [(4, "negative_variance"), (0, "default_covariance")])
def test_variances_that_are_none(row: int, flag: str) -> None:
    cov = full()
    cov[row, row] = -cov[row, row] if flag == "negative_variance" else 1e10
    found = assess_message(message(part(1, cov_rtn_km2=cov), part(2, cov_rtn_km2=full()), **COMMENT), settings=RISK)
    assert flag in found["results"][0]["flags"]
    assert len(found["results"]) == 1


def test_repair_is_stated() -> None:
    cov = full()
    cov[0, 1] = cov[1, 0] = 0.5  # far above the product of the sigmas
    found = assess_message(
        message(part(1, cov_rtn_km2=cov), part(2, cov_rtn_km2=full()), **COMMENT), settings=RISK, curved=False
    )
    assert "non_positive_definite" in found["results"][0]["flags"]
    assert found["repair"]
    assert found["chosen"] != "foster_1992" or "no method is beyond doubt" in found["reason"]


@pytest.mark.parametrize("nothing", ["r_km", "v_km_s"])
def test_states_without_axes(nothing: str) -> None:
    parts = [part(n, cov_rtn_km2=full(), **{nothing: np.zeros(3)}) for n in (1, 2)]
    found = assess_message(message(*parts, **COMMENT), settings=RISK)
    assert found["chosen"] is None
    assert {"missing_covariance_1", "missing_covariance_2"} <= set(found["results"][0]["flags"])


def test_unbound_orbit_leaves_the_straight_value() -> None:
    fast = part(2, cov_rtn_km2=full(), v_km_s=np.array([0.1, 0.2, 17.4]))
    found = assess_message(message(part(1, cov_rtn_km2=full()), fast, **COMMENT), settings=RISK, samples=100)
    by = {one["method"]: one for one in found["results"]}
    assert by["hall_2021_nc3d"]["pc"] is None
    assert "no_orbit" in by["hall_2021_nc3d"]["flags"]
    assert found["chosen"] == "foster_1992"


def test_shared_density_error() -> None:
    texts = (
        "DCP Density Forecast Uncertainty = 2.0e-01",
        "DCP Sensitivity Vector RTN Pos = -1.0e+01 5.0e+02 1.0e+00 [m]",
        "DCP Sensitivity Vector RTN Vel = -5.0e-01 1.0e-02 1.0e-03 [m/sec]",
    )
    one, two = (part(n, cov_rtn_km2=full(), comments={"od_parameters": texts}) for n in (1, 2))
    moved = shared_errors_rtn(message(one, two))
    assert moved is not None
    assert np.allclose(moved[0], np.array([-2.0, 100.0, 0.2, -0.1, 0.002, 0.0002]) / 1e3)
    assert shared_errors_rtn(message(one, part(2))) is None
    found = assess_message(message(one, two, **COMMENT), settings=RISK, samples=0)
    shared = {each["method"]: each["pc"] for each in found["shared_density_error"]}
    assert shared["foster_1992"] == pytest.approx(shared["hall_2021_nc3d"], rel=5e-3)
    assert shared["foster_1992"] != pytest.approx(found["results"][0]["pc"], rel=1e-3)


def test_public_rows_are_labelled() -> None:
    row = CdmPublic(1, TCA_US, 120.0, 5, 6, collision_probability=2e-4)
    found = assess_public(row)
    assert (found["chosen"], found["pc"]) == ("given", 2e-4)
    assert found["results"][0]["flags"] == ["no_covariance"]
    assert assess_public(replace(row, collision_probability=None))["pc"] is None


def test_choice() -> None:
    good = [Candidate("foster_1992", 1e-5), Candidate("hall_2021_nc2d", 1e-5)]
    assert cheapest_valid(good)[0] == "foster_1992"
    bent = [Candidate("foster_1992", 1e-9, ("inaccurate",)), Candidate("hall_2021_nc2d", 1e-5)]
    method, reason = cheapest_valid(bent)
    assert method == "hall_2021_nc2d"
    assert "inaccurate" in reason
    assert cheapest_valid([Candidate("foster_1992", None)])[0] is None
    assert [category(pc, RISK) for pc in (0.0, 1e-7, 1e-4, 1e-3)] == ["low", "medium", "high", "critical"]


def test_events_are_chains_in_time() -> None:
    minute = 60_000_000
    pairs = [("1", "2"), ("2", "1"), ("1", "2"), ("1", "3")]
    names = event_names(pairs, [15 * minute, 0, 60 * minute, 0])
    assert names[0] == names[1] != names[2]
    assert names[3] not in names[:3]


def test_folder_with_a_bad_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = write_cdm(_writable(), "kvn")
    (tmp_path / "a.cdm").write_text(text)
    (tmp_path / "b.cdm").write_text(text.replace("CR_R ", "CR_R x"))
    code = assess([tmp_path], How(trials=0), None, Settings(), Wanted("json"))
    out = capsys.readouterr()
    assert code == 1
    assert "b.cdm" in out.err
    (entry,) = json.loads(out.out)
    assert {"file", "event", "tca_utc", "results", "chosen", "reason", "category"} <= set(entry)
    assert assess([tmp_path / "a.cdm"], How(curved=False), None, Settings(), Wanted()) == 0


def _writable() -> Cdm:
    more = {"catalog_name": "SATCAT", "name": "A", "international_designator": "2000-001A", "ephemeris_name": "NONE"}
    parts = [part(n, cov_rtn_km2=full(), maneuverable="N/A", **more) for n in (1, 2)]
    return message(*parts, **COMMENT, creation_us=TCA_US, originator="US", message_id="1", miss_distance_m=113.0)


def test_nasas_messages(data: Path) -> None:
    file = next((data / "cdm/cara").glob("000043613_conj_000052010*"))
    found = assess_message(read_cdm(file), settings=RISK, samples=0)
    assert found["chosen"] == "hall_2021_nc2d"
    assert "inaccurate" in found["results"][0]["flags"]
    zero = next((data / "cdm/cara").glob("AlfanoTestCase11*"))
    assert assess_message(read_cdm(zero), settings=RISK, samples=0)["chosen"] != "foster_1992"


def test_a_second_encounter_is_not_left_out(data: Path) -> None:
    # Alfano (2009), case 2: they meet again three hours later; NASA CARA's 1e8 trials over both found 1.5547e-2.
    file = next((data / "cdm/cara").glob("AlfanoTestCase02*"))
    found = assess_message(read_cdm(file), settings=RISK, samples=0)
    assert (found["chosen"], found["pc"]) == ("hall_2021_nc3d", pytest.approx(1.5547e-2, rel=2e-3))
    assert "counted from 18.1 h before to 21.7 h after" in found["reason"]
    by_method = {one["method"]: one["flags"] for one in found["results"]}
    assert all("other_encounters" in by_method[name] for name in ("foster_1992", "hall_2021_nc2d"))


def test_trials_rule_out_what_is_far_from_them() -> None:
    trials = Trials(*(np.array([x]) for x in (0.016, 0.015, 0.017, 1600.0, 1e5)), ["ok"])
    assert [_ruled_out(pc, trials) for pc in (0.0062, 0.0155, 0.03, None)] == [
        ["not_as_trials"], [], ["not_as_trials"], []
    ]  # fmt: skip
