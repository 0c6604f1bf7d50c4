"""Categories: thresholds, rising at once, falling late, and what is said of it."""

from __future__ import annotations

import pytest

from orbwatch.conjunction.category import Risk, categories, category
from orbwatch.errors import InputError
from orbwatch.settings import RiskSettings

RISK = RiskSettings()


def levels(values: list[float | None], settings: RiskSettings = RISK) -> list[str]:
    risks = [None if value is None else Risk("pc", value, f"Pc {value:g}") for value in values]
    return [level for level, _ in categories(risks, settings)]


def test_thresholds() -> None:
    assert [category(pc, RISK) for pc in (None, 0.0, 1e-7, 1e-4, 1e-3)] == [
        "unknown",
        "low",
        "medium",
        "high",
        "critical",
    ]
    own = RiskSettings(pc_watch=1e-6, pc_alert=1e-5, critical_factor=2.0)
    assert [category(pc, own) for pc in (9e-7, 1e-6, 1e-5, 2e-5)] == ["low", "medium", "high", "critical"]


def test_alerts_do_not_flicker() -> None:
    assert levels([2e-4, 0.8e-4, 2e-4, 0.8e-4]) == ["high"] * 4
    assert levels([2e-4, 1e-6, 2e-4, 1e-6]) == ["high"] * 4
    assert levels([2e-4, 1e-6, 1e-6]) == ["high", "high", "medium"]
    assert levels([2e-4, 1e-12, 1e-12, 1e-12]) == ["high", "high", "low", "low"]
    assert levels([1e-9, 2e-3]) == ["low", "critical"]
    assert levels([2e-4, 0.8e-4], RiskSettings(hold_factor=1.0, hold_messages=1)) == ["high", "medium"]


def test_nothing_said_changes_nothing() -> None:
    assert levels([None, 2e-4, None, 1e-6]) == ["unknown", "high", "high", "high"]


def test_reasons_in_words() -> None:
    risks = [Risk("pc", 2e-4, "Pc 2e-04"), Risk("pc", 0.8e-4, "Pc 8e-05"), None]
    first, held, silent = (reason for _, reason in categories(risks, RISK))
    assert first == "Pc 2e-04: high, from 0.0001 (risk.pc_alert)"
    assert held.startswith(
        "Pc 8e-05: medium by itself, kept at high until it is below 0.0001 (risk.pc_alert) by a factor"
    )
    assert silent == "the message says nothing of the risk: high as before"
    close = Risk("close", 0.2, "no covariance")
    assert categories([close], RISK)[0] == ("high", "no covariance: high, from 0.1 (risk.close_alert)")


def test_thresholds_in_order() -> None:
    with pytest.raises(InputError, match="close_alert"):
        RiskSettings(close_alert=0.9)
