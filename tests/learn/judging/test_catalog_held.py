"""Which regions have held: shares, words, the alarm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orbwatch.constants import DAY_US
from orbwatch.learn.judging.catalog_held import (
    HOLDS,
    NAMES,
    NARROW,
    UNCLEAR,
    WIDE,
    alarms,
    cells,
    daily_shares,
    held_table,
    verdict,
    words,
)
from orbwatch.learn.judging.metrics import Columns, rows_of
from orbwatch.models.catalog_coverage import HORIZON_DAY, Matured
from orbwatch.models.catalog_groups import GROUPS

from ...models.looked_back import BEGIN_US, looked_back

DAYS = 30
END_US = BEGIN_US + DAYS * DAY_US


def held(matured: Matured, factor: float = 1.0) -> Columns:
    return held_table(matured, np.full((*matured.distance.shape, 3), factor), HORIZON_DAY, GROUPS, END_US)


def grown(last_week: float) -> np.ndarray:
    return np.concatenate([np.ones(DAYS - 7), np.full(7, last_week)])


def test_what_holds_is_said_to_hold() -> None:
    matured = looked_back(np.ones(DAYS))
    found = held(matured, factor=2.0)
    assert set(found) == set(NAMES)
    (row,) = rows_of(found, regime="LEO < 600 km", part="all", day=3.0)
    assert row["truths"] == 60 * DAYS
    assert row["objects"] == 60
    assert abs(row["inside_50"] - 0.5) < 0.05
    assert row["inside_90_low"] < 0.9 < row["inside_90_high"]
    assert row["adapted_90"] > 0.99
    assert row["along_km_90"] == 2.5
    assert not alarms(found)
    assert {found["part"][i] for i in cells(found)} == {"alone, calm", "alone, uneven", "alone, restless"}
    assert words(found)[0].startswith("90 % within 4 points: 18 of 18 cells as calibrated, 0 adapted")


def test_a_week_of_larger_errors_raises_the_alarm() -> None:
    found = held(looked_back(grown(1.6)))
    said = alarms(found)
    assert said
    assert all("too small for errors as they are now" in line for line in said)
    assert any(line.startswith("LEO < 600 km, 1 d: the 90 % ellipsoids held") for line in said)
    assert "too large" in alarms(held(looked_back(grown(0.3))))[0]


def test_narrow_and_wide_cells_are_named() -> None:
    narrow = held(looked_back(np.full(DAYS, 1.5)))
    assert any(line.startswith("too narrow: LEO < 600 km, alone, calm, 0.5 d") for line in words(narrow))
    assert any(line.startswith("too wide: ") for line in words(held(looked_back(np.full(DAYS, 0.5)))))


def test_verdicts() -> None:
    assert verdict(0.93, 0.92, 0.94, 0.9, 0.04) == HOLDS
    assert verdict(0.85, 0.80, 0.88, 0.9, 0.04) == UNCLEAR
    assert verdict(0.80, 0.75, 0.85, 0.9, 0.04) == NARROW
    assert verdict(0.97, 0.95, 0.98, 0.9, 0.04) == WIDE
    assert verdict(0.80, np.nan, np.nan, 0.9, 0.04) == UNCLEAR


def test_kinds_rows_and_what_has_no_region() -> None:
    matured = looked_back(np.ones(DAYS))
    named = replace(matured, kind=np.where(matured.norad_id % 2 == 0, "passive", "payload"))
    found = held(named)
    assert rows_of(found, part="passive", day=1.0)[0]["truths"] == 30 * DAYS
    named.radius[matured.group == 0] = np.inf
    assert not rows_of(held(named), part="alone, calm")
    assert not any(name for name in held(looked_back(np.ones(3), objects=2)).values())


def test_shares_by_day() -> None:
    matured = looked_back(grown(3.0))
    every = np.ones(len(matured), bool)
    when, share, count = daily_shares(matured, None, every, 0)
    assert len(when) == DAYS
    assert (count == 60).all()
    assert share[:20].mean() > 0.85 > 0.5 > share[-5:].mean()
    _, wide, _ = daily_shares(matured, np.full((len(matured), 6, 3), 100.0), every, 0)
    assert (wide == 1.0).all()
