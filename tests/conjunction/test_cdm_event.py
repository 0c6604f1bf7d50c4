"""Messages put together: in order of time, with what changed, in words; categories over an event."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from orbwatch.catalog.cdm_message import Cdm
from orbwatch.catalog.cdm_public import CdmPublic
from orbwatch.conjunction.cdm_assess import assess_message, assess_public
from orbwatch.conjunction.cdm_changes import trend
from orbwatch.conjunction.cdm_event import Assessed, entries
from orbwatch.settings import RiskSettings

from .made_messages import DAY_US, TCA_US, made

RISK = RiskSettings()


def told(*messages: Cdm) -> list[dict[str, Any]]:
    assessed = [
        Assessed(f"{i}.cdm", ("1001", "2001"), ("A", "B"), cdm.tca_us, cdm.creation_us,
                 assess_message(cdm, settings=RISK, curved=False), cdm)
        for i, cdm in enumerate(messages)
    ]  # fmt: skip
    return [entry for _, entry in entries(assessed, RISK, TCA_US - DAY_US)]


def test_a_story_in_order_of_time() -> None:
    first, last = told(made(1.0, 0.2, 0.25), made(2.0, 0.0))
    assert json.loads(json.dumps(last, allow_nan=False)) == last
    assert (first["file"], last["file"]) == ("1.cdm", "0.cdm")
    assert (first["lead_day"], last["lead_day"], last["to_tca_day"]) == (2.0, 1.0, 1.0)
    assert (first["changes"], last["message"], last["messages"]) == (None, 2, 2)
    change = last["changes"]
    assert change["after_day"] == 1.0
    assert change["miss_change_rtn_m"] == pytest.approx([200.0, 0.0, 0.0], abs=3.0)
    assert change["sigma_ratio_rtn"] == pytest.approx([0.5] * 3)
    assert change["pc"] == [first["pc"], last["pc"]]
    assert "24.0 h later; miss 1" in change["words"]
    assert "R +200 m" in change["words"]
    assert change["miss_sigmas"] == pytest.approx(200.0 / first["sigma_rtn_m"][0], rel=0.1)


def test_sigmas_away() -> None:
    (entry,) = told(made())
    cov, miss = np.array(entry["cov_miss_rtn_m2"]), np.array(entry["miss_rtn_m"])
    assert entry["mahalanobis"] == pytest.approx(float(np.sqrt(miss @ np.linalg.solve(cov, miss))), rel=1e-6)
    # Straight motion has its closest approach where the miss is normal to the speed: only what the plane sees counts.
    along = np.array(entry["velocity_rtn_m_s"]) / np.linalg.norm(entry["velocity_rtn_m_s"])
    axes = np.linalg.svd(np.eye(3) - np.outer(along, along))[0][:, :2].T
    flat, seen = axes @ miss, axes @ cov @ axes.T
    assert entry["mahalanobis_plane"] == pytest.approx(float(np.sqrt(flat @ np.linalg.solve(seen, flat))), rel=1e-6)
    assert entry["mahalanobis_plane"] < entry["mahalanobis"]
    assert entry["sigma_rtn_m"] == pytest.approx(np.sqrt(np.diag(cov)))
    assert np.linalg.norm(miss) * 1.0 == pytest.approx(entry["miss_m"])


def test_categories_hold_over_an_event() -> None:
    found = told(made(4.0), made(3.0, 0.6), made(2.0, 0.7), made(1.0, 0.8))
    alone = [entry["category_alone"] for entry in found]
    assert alone[0] in ("high", "critical")
    assert alone[1] == "low"
    assert [entry["category"] for entry in found] == [alone[0], alone[0], "low", "low"]
    assert "kept at" in found[1]["category_reason"]


def test_rows_of_cdm_public_join_in() -> None:
    row = CdmPublic(7, TCA_US + 1_000_000, 40.0, 1001, 2001, created_us=TCA_US - 3 * DAY_US)
    cdm = made()
    mixed = [
        Assessed("m.cdm", ("1001", "2001"), ("A", "B"), cdm.tca_us, cdm.creation_us,
                 assess_message(cdm, settings=RISK, curved=False), cdm),
        Assessed("p.json", ("1001", "2001"), ("A", "B"), row.tca_us, row.created_us, assess_public(row)),
    ]  # fmt: skip
    public, last = (entry for _, entry in entries(mixed, RISK, TCA_US))
    assert public["event"] == last["event"]
    assert public["p_close_miss"] > RISK.close_alert
    assert public["category"] in ("high", "critical")
    assert "no covariance; a final miss below 0.2 km has" in public["category_reason"]
    assert "Pc" in last["changes"]["words"]
    assert "none before" in last["changes"]["words"]


def test_without_a_date_nothing_is_known_of_the_lead() -> None:
    row = CdmPublic(7, TCA_US, 40.0, 1001, 2001)
    ((_, entry),) = entries([Assessed("p", ("1001", "2001"), ("", ""), TCA_US, None, assess_public(row))], RISK, TCA_US)
    assert (entry["lead_day"], entry["category"]) == (None, "unknown")


def test_objects_the_other_way_round() -> None:
    cdm, swapped = made(2.0), made(1.0)
    swapped = replace(swapped, object1=swapped.object2, object2=swapped.object1)
    both = [
        Assessed(str(i), pair, ("", ""), one.tca_us, one.creation_us,
                 assess_message(one, settings=RISK, curved=False), one)
        for i, (one, pair) in enumerate(((cdm, ("1001", "2001")), (swapped, ("2001", "1001"))))
    ]  # fmt: skip
    (_, first), (_, last) = entries(both, RISK, TCA_US)
    assert first["event"] == last["event"]
    assert last["changes"]["miss_change_rtn_m"] is None
    assert last["pc"] == pytest.approx(first["pc"], rel=1e-9)


def test_trend() -> None:
    assert trend([1e-5, 1e-4]) is None
    assert trend([1.0, 1e-5, None, 2e-5, 3e-5]) == "rising"
    assert trend([1e-5, 2e-5, 0.0]) == "falling"
    assert trend([1e-5, 3e-5, 1.1e-5]) == "steady"
