"""A planted burn is found again: its size, axis and time, within what the estimate says of itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from orbwatch.catalog.burns import Burns
from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.maneuver.estimate import estimate
from orbwatch.maneuver.kinds import KINDS, NO_KIND, kind_of
from orbwatch.maneuver.scatter import minimum_detectable_m_s
from orbwatch.maneuver.truth import true_gaps

from .planted import BEFORE, GEO, LEO, START_US, history

GAP = np.array([BEFORE - 1])
BURN_US = START_US + (BEFORE - 1) * DAY_US + DAY_US // 3


@pytest.mark.parametrize(
    ("first", "dv_m_s", "kind"),
    [
        (LEO, (0.0, 0.02, 0.0), "in_track_raise"),
        (LEO, (0.0, -0.3, 0.0), "in_track_lower"),
        (LEO, (0.0, 0.0, 1.0), "cross_track"),
        (LEO, (1.0, 0.0, 0.0), "radial"),
        (GEO, (0.0, 0.1, 0.0), "in_track_raise"),
        (GEO, (0.0, 0.0, -2.0), "cross_track"),
    ],
)
def test_a_planted_burn_is_measured(first: dict[str, Any], dv_m_s: tuple[float, float, float], kind: str) -> None:
    table = history(first, dv_m_s)
    got = estimate(table, GAP)
    size = float(np.linalg.norm(dv_m_s))
    assert got.kind.tolist() == [kind]
    assert got.size_m_s[0] == pytest.approx(size, rel=0.15)
    assert abs(got.size_m_s[0] - size) < 3.0 * got.sigma_m_s[0]
    assert np.all(np.linalg.eigvalsh(got.cov_rtn_m2_s2[0]) > 0.0)
    if kind.startswith("in_track"):
        assert got.dv_rtn_m_s[0, 1] == pytest.approx(dv_m_s[1], rel=0.15)
        assert abs(got.epoch_us[0] - BURN_US) < DAY_US / 4


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_gap_beside_the_right_one_is_put_right(shift: int) -> None:
    got = estimate(history(LEO, (0.0, 0.05, 0.0)), GAP + shift)
    assert got.dv_rtn_m_s[0, 1] == pytest.approx(0.05, rel=0.15)
    assert abs(got.epoch_us[0] - BURN_US) < DAY_US / 4


def test_nothing_is_made_of_scatter() -> None:
    table = history(LEO, (0.0, 0.0, 0.0))
    got = estimate(table, np.arange(8, 44, 6))
    assert np.mean(got.kind == NO_KIND) > 0.5
    told = estimate(table, np.arange(8, 44, 6), likely=np.ones(6, bool)).kind
    assert set(told.tolist()) <= {"in_track_raise", "in_track_lower"}, "a burn, so they say: most likely along"
    assert np.all(np.abs(got.dv_rtn_m_s[:, 1]) < 3.0 * np.sqrt(got.cov_rtn_m2_s2[:, 1, 1]))


def test_events_come_back_in_the_order_asked() -> None:
    table = GpTable.concat([history(LEO, (0.0, 0.05, 0.0)), history(GEO, (0.0, -0.2, 0.0))])
    rows = np.array([50 + BEFORE - 1, BEFORE - 1])
    got = estimate(table, rows)
    assert got.kind.tolist() == ["in_track_lower", "in_track_raise"]
    guess = estimate(table, rows, table.epoch_us[rows] + DAY_US // 2)
    np.testing.assert_allclose(guess.dv_rtn_m_s, got.dv_rtn_m_s)


def test_too_few_sets_tell_nothing_and_do_no_harm() -> None:
    got = estimate(history(LEO, (0.0, 0.05, 0.0))[BEFORE - 2 : BEFORE + 2], np.array([1]))
    assert got.kind.shape == (1,)
    assert len(estimate(history(LEO, (0.0, 0.0, 0.0)), np.zeros(0, np.int64)).kind) == 0


def test_the_least_detectable_burn_is_what_is_then_detected() -> None:
    ids, least = minimum_detectable_m_s(history(LEO, (0.0, 0.0, 0.0)))
    assert ids.tolist() == [90001]
    assert np.all(least[0] > 0.0)
    assert least[0, 1] < 0.01 < 0.1  # timing tells millimetres a second, the plane centimetres
    size = 2.0 * float(least[0, 1])
    assert estimate(history(LEO, (0.0, size, 0.0), seed=3), GAP).kind.tolist() == ["in_track_raise"]


def test_kinds_go_by_the_greatest_component() -> None:
    dv = np.array([[0.1, 1.0, 0.0], [0.1, -1.0, 0.0], [0.0, 0.1, -1.0], [1.0, 0.1, 0.1], [0.0, 0.0, 0.0]])
    assert kind_of(dv).tolist() == [*KINDS[:4], NO_KIND]
    assert kind_of(dv, np.array([True, False, False, False, False])).tolist()[0] == KINDS[4]


def test_burns_in_one_gap_are_one_event() -> None:
    table = history(LEO, (0.0, 0.0, 0.0))
    at = START_US + np.array([-1, 10, 10, 20, 90]) * DAY_US + np.array([0, 1, 2, 3, 0]) * (DAY_US // 4)
    dv = np.array([[0.0, 9.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.3, 0.0], [np.nan] * 3, [0.0, 9.0, 0.0]])
    axis = np.array(["", "", "", "cross_track", ""])
    truth = true_gaps(table, Burns(np.full(5, 90001), at, at, dv, np.full(5, "name"), axis))
    assert truth.row.tolist() == [10, 20]
    assert truth.epoch_us.tolist() == at[[2, 3]].tolist()
    np.testing.assert_allclose(truth.dv_rtn_m_s[0], [0.0, 0.4, 0.0])
    assert truth.kind.tolist() == ["in_track_raise", "cross_track"]
