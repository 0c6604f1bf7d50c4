"""Evidence of gaps: what a burn does to it, and that later sets have no say in what is told causally."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.learn.wandering import wandering

from orbwatch.catalog.gp import GpTable
from orbwatch.learn.samples.gap_series import ALONG, PLANE_X, gap_series
from orbwatch.learn.samples.gaps import COLUMNS, LOOKAHEAD, NETWORK_COLUMNS, gap_table


@pytest.fixture(scope="module")
def quiet() -> GpTable:
    """Sets of several objects with the noise of public ones."""
    return wandering(4, 80)


def test_a_gap_lies_between_two_sets_of_one_object(quiet: GpTable) -> None:
    gaps = gap_table(quiet)
    assert gaps.features.shape == (len(quiet) - len(np.unique(quiet.norad_id)), len(COLUMNS))
    assert np.array_equal(quiet.norad_id[gaps.row], quiet.norad_id[gaps.row + 1])
    assert np.isfinite(gaps.features).all()


def test_one_set_has_no_gap(quiet: GpTable) -> None:
    assert len(gap_table(quiet[:1]).row) == 0
    assert len(gap_table(quiet[:0]).row) == 0


def test_the_networks_columns_are_among_the_columns() -> None:
    assert len(set(COLUMNS)) == len(COLUMNS)
    assert len(set(NETWORK_COLUMNS)) == 24
    assert set(NETWORK_COLUMNS) <= set(COLUMNS)


def test_sets_later_than_the_lookahead_have_no_say(quiet: GpTable) -> None:
    mine = quiet[quiet.norad_id == quiet.norad_id[0]]
    whole = gap_table(mine, LOOKAHEAD).features
    for gap in (20, 33, len(mine) - LOOKAHEAD - 2):
        until = gap_table(mine[: gap + 2 + LOOKAHEAD], LOOKAHEAD).features
        np.testing.assert_allclose(until[gap], whole[gap], rtol=1e-6, atol=1e-6)


def test_a_burn_is_a_step_of_its_own_speed(quiet: GpTable) -> None:
    mine = quiet[quiet.norad_id == quiet.norad_id[0]]
    at = len(mine) // 2
    after = np.arange(len(mine)) > at
    speed_m_s = gap_series(mine).speed_m_s[0]
    dv_m_s = 0.5
    burnt = replace(
        mine, mean_motion_rev_day=mine.mean_motion_rev_day * np.where(after, 1.0 - 3.0 * dv_m_s / speed_m_s, 1.0)
    )
    step = gap_series(burnt).value[:, ALONG] - gap_series(mine).value[:, ALONG]
    np.testing.assert_allclose(step[after] - step[~after].max(), dv_m_s, rtol=1e-2)
    z = np.abs(gap_table(burnt).features[:, COLUMNS.index("along_2d")])
    assert z.argmax() == at


def test_a_turned_plane_is_a_step_normal_to_the_orbit(quiet: GpTable) -> None:
    mine = quiet[quiet.norad_id == quiet.norad_id[0]]
    after = np.arange(len(mine)) > len(mine) // 2
    turned = replace(mine, inclination_deg=mine.inclination_deg + np.where(after, 0.01, 0.0))
    step = gap_series(turned).value[:, PLANE_X] - gap_series(mine).value[:, PLANE_X]
    np.testing.assert_allclose(step[after].mean(), gap_series(mine).speed_m_s[0] * np.radians(0.01), rtol=1e-6)


def test_objects_do_not_leak_into_each_other(quiet: GpTable) -> None:
    alone = quiet[quiet.norad_id == quiet.norad_id[-1]]
    together = gap_table(quiet)
    mine = quiet.norad_id[together.row] == quiet.norad_id[-1]
    np.testing.assert_allclose(gap_table(alone).features, together.features[mine], rtol=1e-5, atol=1e-5)
