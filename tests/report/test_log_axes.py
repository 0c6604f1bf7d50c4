"""Logarithmic axes: whole labels at decades, few of them, the same notation on all of an axis."""

from __future__ import annotations

import json

import numpy as np
import pytest

from orbwatch.report.log_axes import log_axis


def shown(axis: dict[str, object]) -> list[str]:
    """Labels inside the range."""
    low, high = axis["range"]  # type: ignore[misc]
    pairs = zip(axis["tickvals"], axis["ticktext"], strict=True)  # type: ignore[call-overload]
    return [text for value, text in pairs if low <= np.log10(value) <= high]


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0.04, 3e3], ["0.1", "1", "10", "100", "1,000"]),
        ([0.7, 1.3], ["0.5", "1", "2"]),
        ([0.3, 12.0], ["1", "10"]),
        ([1.5, 80.0], ["2", "5", "10", "20", "50"]),
        ([5e-8, 2e-3], ["10<sup>−7</sup>", "10<sup>−6</sup>", "10<sup>−5</sup>", "10<sup>−4</sup>", "10<sup>−3</sup>"]),
        ([1e-20, 1.0], [f"10<sup>−{k}</sup>" for k in (20, 16, 12, 8, 4)] + ["1"]),
        ([1e-310, 1e-3], [f"10<sup>−{k}</sup>" for k in (24, 20, 16, 12, 8, 4)]),
        ([1e-310], []),
        ([5e-5, 0.3], ["0.0001", "0.001", "0.01", "0.1"]),
        ([100.0], ["50", "100", "200"]),
    ],
)
def test_labels(values: list[float], labels: list[str]) -> None:
    assert shown(log_axis([values])) == labels


def test_the_range_holds_what_is_drawn_and_only_that() -> None:
    axis = log_axis([[None, 3.0, 0.0], np.array([np.nan, -1.0, np.inf, 40.0])])
    low, high = axis["range"]
    assert 2.6 < 10.0**low < 3.0
    assert 40.0 < 10.0**high < 46.0
    assert log_axis([[5.0]], 1.0, 1e3)["range"] == pytest.approx([0.0, 3.0])
    json.dumps(axis, allow_nan=False)


def test_nothing_to_show_is_an_axis_too() -> None:
    assert log_axis([])["type"] == log_axis([[None, 0.0]])["type"] == "log"
