"""Which of the newest sets are believed, one story at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.samples.catalog_asks import NONE, Asks, asks
from orbwatch.models.catalog_doubt import Believed, believed, widened
from orbwatch.propagate.sgp4 import Sgp4Catalog

from ..learn.wandering import wandering

SETS = 12
TABLE = wandering(objects=1, sets=SETS, seed=3)
ASKED_US = int(TABLE.seen_us.max())


def told(wild: dict[int, float], table: GpTable = TABLE) -> tuple[GpTable, Asks, Believed]:
    """What is believed when these rows have another inclination (deg to add)."""
    incl = table.inclination_deg.copy()
    for row, more in wild.items():
        incl[row] = np.abs(incl[row] - more)
    table = replace(table, inclination_deg=incl)
    asked = asks(table, table.norad_id[:1], np.array([ASKED_US]))
    return table, asked, believed(table, asked)


def test_a_history_that_hangs_together_is_left_alone() -> None:
    _, asked, found = told({})
    np.testing.assert_array_equal(found.asked.past, asked.past)
    assert not found.contradicted.any()


def test_a_wild_newest_set_is_left_out_and_remembered() -> None:
    _, asked, found = told({SETS - 1: 5.0})
    assert found.asked.newest[0] == SETS - 2
    assert found.rival[0].tolist() == [SETS - 1, NONE]
    assert (found.asked.past[0] != NONE).sum() == (asked.past[0] != NONE).sum() - 1


def test_a_wild_set_before_the_newest_is_left_out() -> None:
    _, _, found = told({SETS - 2: 5.0})
    assert found.asked.newest[0] == SETS - 1
    assert found.asked.past[0, -2] == SETS - 3
    assert not found.contradicted.any()


def test_two_that_agree_are_believed_with_a_rival_and_three_without() -> None:
    _, _, found = told({SETS - 1: 5.0, SETS - 2: 5.0})
    assert found.asked.newest[0] == SETS - 1
    assert found.rival[0].tolist() == [SETS - 3, NONE]
    _, _, settled = told({SETS - 1: 5.0, SETS - 2: 5.0, SETS - 3: 5.0})
    assert settled.asked.newest[0] == SETS - 1
    assert not settled.contradicted.any()


def test_two_that_differ_from_all_are_left_out() -> None:
    _, _, found = told({SETS - 1: 5.0, SETS - 2: 10.0})
    assert found.asked.newest[0] == SETS - 3
    assert found.rival[0].tolist() == [SETS - 1, SETS - 2]


def test_where_all_differ_nothing_is_believed() -> None:
    _, _, found = told({SETS - 1: 5.0, SETS - 2: 10.0, SETS - 3: 15.0})
    assert found.asked.newest[0] == NONE
    last_three = TABLE[SETS - 3 :]
    incl = last_three.inclination_deg - np.array([0.0, 5.0, 10.0])
    _, _, few = told({}, replace(last_three, inclination_deg=incl))
    assert few.asked.newest[0] == NONE


def test_a_step_as_a_maneuver_makes_it_is_believed_with_a_rival() -> None:
    motion = TABLE.mean_motion_rev_day.copy()
    motion[-1] *= 1.0005
    table = replace(TABLE, mean_motion_rev_day=motion)
    found = believed(table, asks(table, table.norad_id[:1], np.array([ASKED_US])))
    assert found.asked.newest[0] == SETS - 1
    assert found.rival[0].tolist() == [SETS - 2, NONE]


def test_sets_far_apart_in_time_do_not_contradict_each_other() -> None:
    epoch_us = TABLE.epoch_us.copy()
    epoch_us[-1] += 20 * DAY_US
    incl = TABLE.inclination_deg.copy()
    incl[-1] += 5.0
    table = replace(TABLE, epoch_us=epoch_us, seen_us=epoch_us, inclination_deg=incl)
    found = believed(table, asks(table, table.norad_id[:1], epoch_us[-1:]))
    assert found.asked.newest[0] == SETS - 1
    assert not found.contradicted.any()


def test_regions_reach_to_the_rivals() -> None:
    table, _, found = told({SETS - 1: 5.0})
    at_us = ASKED_US + np.array([[DAY_US, 3 * DAY_US]])
    states = Sgp4Catalog(table)
    rows, offset_s = np.full(2, SETS - 2), (at_us[0] - ASKED_US) / 1e6
    r, v, _ = states.at(rows, ASKED_US, offset_s)
    other = states.at(rows + 1, ASKED_US, offset_s)[0]
    cov = np.broadcast_to(np.eye(3), (1, 2, 3, 3))
    wide = widened(cov, np.concatenate([r, v], axis=1)[None], table, found.rival, at_us)
    most = np.sqrt(np.linalg.eigvalsh(wide[0])[:, -1])
    assert most == pytest.approx(np.sqrt(1.0 + np.linalg.norm(other - r, axis=1) ** 2), rel=1e-9)
    none = np.full((1, 2), NONE)
    assert widened(cov, np.concatenate([r, v], axis=1)[None], table, none, at_us) is cov


def test_a_rival_that_ends_leaves_the_whole_orbit() -> None:
    table = replace(TABLE, eccentricity=np.where(np.arange(SETS) == SETS - 1, 0.9999, TABLE.eccentricity))
    r, v, _ = Sgp4Catalog(table).at(np.array([0]), ASKED_US, np.zeros(1))
    rival = np.array([[SETS - 1, NONE]])
    cov = np.broadcast_to(np.eye(3), (1, 1, 3, 3))
    wide = widened(cov, np.concatenate([r, v], axis=1)[None], table, rival, np.array([[ASKED_US]]))
    np.testing.assert_allclose(wide[0, 0], (1.0 + r[0] @ r[0]) * np.eye(3), rtol=1e-9)
