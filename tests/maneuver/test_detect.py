"""Events: the likeliest gap of each few neighbours; and the detector that learns nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.learn.wandering import wandering

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.gap_series import gap_series
from orbwatch.learn.samples.gaps import LOOKAHEAD, GapTable, gap_table
from orbwatch.maneuver.detect import by_threshold, detect, events


@pytest.fixture(scope="module")
def burnt() -> GpTable:
    """One object, sets 8 h apart, that is raised by 2 m/s in the middle."""
    table = wandering(4, 80)
    mine = table[table.norad_id == table.norad_id[0]]
    days = (mine.epoch_us - mine.epoch_us[len(mine) // 2]) / DAY_US
    gain_rev_day = -mine.mean_motion_rev_day[0] * 3.0 * 2.0 / gap_series(mine).speed_m_s[0]
    return replace(
        mine,
        mean_motion_rev_day=mine.mean_motion_rev_day + np.where(days > 0.0, gain_rev_day, 0.0),
        mean_anomaly_deg=np.mod(mine.mean_anomaly_deg + 360.0 * gain_rev_day * np.maximum(days, 0.0), 360.0),
    )


def test_the_burn_is_the_likeliest_event(burnt: GpTable) -> None:
    found = detect(burnt, by_threshold, min_probability=0.5)
    assert abs(found.row[found.probability.argmax()] - len(burnt) // 2) <= 1
    assert (abs(found.row - len(burnt) // 2) <= 15).all()  # within the spans that see it


def test_found_causally_without_what_came_later(burnt: GpTable) -> None:
    until = len(burnt) // 2 + 3
    whole = detect(burnt, by_threshold, causal=True, min_probability=0.5)
    early = detect(burnt[: until + 2 + LOOKAHEAD], by_threshold, causal=True, min_probability=0.5)
    judged = whole.row <= until
    assert judged.any()
    assert np.array_equal(early.row[early.row <= until], whole.row[judged])
    np.testing.assert_allclose(early.probability[early.row <= until], whole.probability[judged], rtol=1e-5)


def test_the_likeliest_of_near_gaps_stands_for_them(burnt: GpTable) -> None:
    gaps = GapTable(np.arange(len(burnt) - 1), np.zeros((len(burnt) - 1, 1), np.float32))
    probability = np.zeros(len(burnt) - 1)
    probability[[10, 11, 12, 20]] = 0.3, 0.9, 0.4, 0.2
    found = events(burnt, gaps, probability, 0.05)
    assert found.row.tolist() == [11, 20]
    assert (found.epoch_us > burnt.epoch_us[found.row]).all()
    assert (found.epoch_us < burnt.epoch_us[found.row + 1]).all()


def test_objects_do_not_take_each_others_events() -> None:
    table = wandering(4, 5)
    gaps = gap_table(table)
    found = events(table, gaps, np.full(len(gaps.row), 0.5))
    assert np.array_equal(np.unique(table.norad_id[found.row]), np.unique(table.norad_id))


def test_no_sets_no_events() -> None:
    assert len(detect(wandering(4, 2)[:0], by_threshold).row) == 0
