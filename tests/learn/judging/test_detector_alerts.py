"""How soon burns are told, and false alarms on objects that cannot burn."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.catalog.burns import Burns
from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.judging.detector_delay import NEVER, Delays, at_first_sight, delays, nearest, sets_needed
from orbwatch.learn.judging.detector_left_out import LeftOut
from orbwatch.learn.judging.detector_quiet import count_alarms, passive_ids
from orbwatch.learn.samples.gap_rows import Satellite
from orbwatch.learn.samples.gaps import COLUMNS, GapTable
from orbwatch.maneuver.detect import events

from ...maneuver.burning import START_US, STEP_US, history

SETS = 40
BURN = 20  # gap after this row


@pytest.fixture(scope="module")
def satellite() -> Satellite:
    table = history(7, SETS // 2)
    when = np.array([START_US + BURN * STEP_US + STEP_US // 2])
    burns = Burns(np.array([7]), when, when, np.full((1, 3), np.nan), np.array([""]), np.array([""]))
    rows = np.arange(SETS - 1)
    return Satellite(table, burns, GapTable(rows, np.zeros((SETS - 1, len(COLUMNS)), np.float32)))


def left(satellite: Satellite, chance: np.ndarray) -> LeftOut:
    seen = events(satellite.table, satellite.gaps, chance)
    return LeftOut(satellite, seen, np.zeros(len(seen.row)))


def test_sets_needed() -> None:
    probability = np.array([[0.1, 0.9, 0.2], [0.6, 0.4, 0.2], [0.7, 0.9, 0.3]])
    assert sets_needed(probability, 0.5).tolist() == [1, 0, NEVER]


def test_nearest() -> None:
    assert nearest(np.array([0, 14, 16, 99]), np.array([10, 20])).tolist() == [10, 10, 20, 20]


def test_an_alert_waits_for_the_sets_that_it_needs(satellite: Satellite) -> None:
    probability = np.full((3, SETS - 1), 0.01)
    probability[1, BURN], probability[2, BURN] = 0.4, 0.8
    probability[2, 5] = 0.9  # a false alarm has no delay
    found = delays(left(satellite, probability[2]), probability, 0.5)
    step_h = STEP_US / 3.6e9
    assert found.sets.tolist() == [2]
    assert found.after_gap_h == pytest.approx([2 * step_h])
    assert found.after_burn_h == pytest.approx([2.5 * step_h])
    sooner = delays(left(satellite, probability[2]), probability, 0.3)
    assert sooner.sets.tolist() == [1]
    both = Delays.join([found, sooner])
    assert both.share_by() == {0: 0.0, 1: 0.5, 2: 1.0}


def test_haste_keeps_alarms_that_were_taken_back(satellite: Satellite) -> None:
    probability = np.full((2, SETS - 1), 0.001)
    probability[0, 5], probability[1, BURN] = 0.9, 0.8
    assert left(satellite, probability[-1]).seen.row.tolist() == [BURN]
    assert at_first_sight(satellite, probability).seen.row.tolist() == [5, BURN]


def test_false_alarms_of_passive_objects() -> None:
    table = GpTable.concat([history(number, SETS // 2) for number in (7, 8, 9)])
    names = {7: "SOME DEB", 8: "SL-8 R/B", 9: "A PAYLOAD"}
    ids = passive_ids(table, names)
    assert ids.tolist() == [7, 8]
    assert not len(passive_ids(table, names, SETS + 1))
    found = count_alarms(table, np.array([3, 30, SETS + 5, 2 * SETS + 5]), ids)  # the last is of the payload
    years = 2 * (SETS - 1) * STEP_US / DAY_US / 365.25
    assert (found.objects, found.alarms, found.alarmed) == (2, 3, 2)
    assert found.years == pytest.approx(years)
    assert found.rate.estimate == pytest.approx(3 / years)
    assert found.rate.low < found.rate.estimate < found.rate.high
    assert count_alarms(table, np.array([3, 30]), ids).alarmed == 1
