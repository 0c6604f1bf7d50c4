"""Burns put into quiet histories: what the sets say afterwards, and that SGP4 agrees with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float

from orbwatch.catalog.gp import COLUMNS, GpTable
from orbwatch.catalog.history import read_history
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.propagate.curvilinear import shift_of
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.simulate.put_burns import Arcs, Placed, Pushes, joined, put_burns

from .quiet_sets import GEO, LOW, quiet_sets

_ANGLES = ("raan_deg", "arg_perigee_deg", "mean_anomaly_deg")


def missed_s(table: GpTable) -> Float[np.ndarray, " g"]:
    """By how many seconds each set, propagated by SGP4 to the next one's epoch, misses it along the orbit."""
    catalog, rows, at = Sgp4Catalog(table), np.arange(len(table) - 1), table.epoch_us[1:]
    start = int(at.min())
    there = np.concatenate(catalog.at(rows, start, (at - start) / 1e6)[:2], axis=1)
    then = catalog.at(rows + 1, start, (at - start) / 1e6)[0]
    return shift_of(there, then)[:, 0]


def pushed(table: GpTable, row: int, dv: tuple[float, float, float], share: float = 0.5) -> tuple[GpTable, int]:
    """The table after a push between the sets `row` and `row` + 1, and when it was."""
    gap = int(table.epoch_us[row + 1] - table.epoch_us[row])
    when = int(table.epoch_us[row]) + int(share * gap)
    return put_burns(table, Pushes.at(table.norad_id[:1], np.array([when]), np.array([dv]))), when


def test_nothing_happens_without_burns() -> None:
    table = GpTable.concat([quiet_sets(5), quiet_sets(9, GEO)])
    same = put_burns(table, joined(Pushes, []))
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(same, name), getattr(table, name), err_msg=name)


@pytest.mark.parametrize("orbit", [LOW, GEO, (2.0, 0.6, 63.4)])
def test_sets_after_a_burn_agree_with_one_another(orbit: tuple[float, float, float]) -> None:
    table, row = quiet_sets(7, orbit), 60
    moved, _ = pushed(table, row, (0.5, 2.0, 1.0))
    before, after = missed_s(table), missed_s(moved)
    np.testing.assert_array_equal(after[:row], before[:row])
    assert np.median(np.abs(after[row + 1 :])) < 1.3 * np.median(np.abs(before[row + 1 :])) + 1e-3
    assert np.abs(after[row]) > 20.0 * np.abs(after[row + 1 :]).max()


def test_size_of_the_step_is_that_of_gauss() -> None:
    table, row = quiet_sets(7, noise=0.0), 60
    moved, when = pushed(table, row, (0.0, 1.0, 0.0))
    step = moved.mean_motion_rev_day - table.mean_motion_rev_day
    assert np.all(step[: row + 1] == 0.0)
    speed_m_s = np.cbrt(398600.8 * 14.3 * 2 * np.pi / 86400.0) * 1e3
    np.testing.assert_allclose(step[row + 1 :], -3.0 * 14.3 / speed_m_s, rtol=6e-3)
    late_s = (table.epoch_us[row + 1] - when) / 1e6 * 3.0 / speed_m_s
    assert missed_s(moved)[row] == pytest.approx(-late_s, rel=0.03)
    across, _ = pushed(table, row, (0.0, 0.0, 5.0))
    tilt = np.radians(across.inclination_deg - table.inclination_deg)[row + 1]
    turn = np.radians(across.raan_deg - table.raan_deg)[row + 1] * np.sin(np.radians(82.5))
    assert np.hypot(tilt, turn) == pytest.approx(5.0 / speed_m_s, rel=0.01)


def test_sets_learn_of_a_burn_late() -> None:
    table, row = quiet_sets(7, noise=0.0), 60
    when = table.epoch_us[row : row + 1] + 1000
    dv = np.array([[0.0, 1.0, 0.0]])
    at_once = put_burns(table, Pushes.at(table.norad_id[:1], when, dv))
    none = np.zeros(1)
    lagging = put_burns(table, Pushes(table.norad_id[:1], when, dv, none + 1.5, none, none, none))
    slow = put_burns(table, Pushes(table.norad_id[:1], when, dv, none, none + 5.0, none, none))
    day = (table.epoch_us - when) / DAY_US
    old = (day > 0.0) & (day < 1.5)
    assert old.any()
    # the lower air takes a little more meanwhile
    np.testing.assert_allclose(lagging.mean_motion_rev_day[old], table.mean_motion_rev_day[old], atol=1e-6)
    np.testing.assert_array_equal(lagging.mean_motion_rev_day[day > 1.5], at_once.mean_motion_rev_day[day > 1.5])
    full = at_once.mean_motion_rev_day - table.mean_motion_rev_day
    share = (slow.mean_motion_rev_day - table.mean_motion_rev_day)[day > 0.0] / full[day > 0.0]
    u = np.minimum(day[day > 0.0] / 5.0, 1.0)
    np.testing.assert_allclose(share, 3.0 * u**2 - 2.0 * u**3, atol=0.02)


def test_drag_changes_the_decay_and_the_bstar_with_it() -> None:
    table = quiet_sets(7, (15.2, 1e-3, 51.6), bstar=3e-4, noise=0.3)
    half = int(table.epoch_us[85])
    arcs = Arcs(table.norad_id[:1], np.array([half]), np.array([half * 2]), np.array([2.0]), np.zeros(1))
    moved = put_burns(table, joined(Pushes, []), arcs)
    day = (table.epoch_us - half) / DAY_US
    late = day > 3.0
    fall = [np.polyfit(day[late], each.mean_motion_rev_day[late], 1)[0] for each in (table, moved)]
    assert fall[1] / fall[0] == pytest.approx(2.0, rel=0.1)
    assert np.median(moved.bstar_per_er[late]) == pytest.approx(6e-4, rel=0.05)
    assert np.median(np.abs(missed_s(moved))) < 3.0 * np.median(np.abs(missed_s(table)))


def test_an_object_that_comes_down_has_no_more_sets() -> None:
    table = quiet_sets(7, (15.6, 1e-3, 51.6))
    moved, when = pushed(table, 60, (0.0, -120.0, 0.0))
    assert len(moved) == np.searchsorted(table.epoch_us, when)


def test_placed_elsewhere_a_geostationary_object_feels_another_pull() -> None:
    table = quiet_sets(7, GEO, noise=0.0)
    moved = put_burns(table, joined(Pushes, []), None, Placed(table.norad_id[:1], np.array([60.0])))
    ahead = np.unwrap(np.radians(sum(moved.__dict__[n] - table.__dict__[n] for n in _ANGLES)))
    assert np.degrees(ahead[0]) % 360.0 == pytest.approx(60.0, abs=0.01)
    assert np.ptp(moved.mean_motion_rev_day - table.mean_motion_rev_day) > 1e-5


def test_a_table_out_of_order_is_refused() -> None:
    table = quiet_sets(7)
    with pytest.raises(InputError, match="out of order"):
        put_burns(table[::-1], joined(Pushes, []))


def test_on_real_sets(data: Path) -> None:
    table = read_history(data / "maneuvers" / "TOPEX.tle.xz").table[:300]
    moved, _ = pushed(table, 150, (0.0, 0.5, 0.0))
    before, after = missed_s(table), missed_s(moved)
    assert np.abs(after[150]) > 20.0 * np.median(np.abs(before))
    assert np.median(np.abs(after[151:])) < 1.2 * np.median(np.abs(before[151:]))
