"""Simulated histories with burns: the same for the same seed, burns as Gauss' equations have them, quiet without."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.catalog.gp import GpTable
from orbwatch.maneuver.timeline import timeline
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.simulate.kept import Orbit, kept
from orbwatch.simulate.population import EPOCH_US

ORBIT = Orbit(EPOCH_US, 12.81 * 2.0 * np.pi / 86400.0, 1e-4, -1e-3, np.radians(66.0), 0.7, 0.5)


def state(orbit: Orbit) -> np.ndarray:
    table = GpTable.from_rows([{**orbit.row(), "norad_id": 1}])
    r, v, status = Sgp4Catalog(table).at(np.array([0]), orbit.at_us, np.zeros(1))
    assert status[0] == 0
    return np.concatenate([r[0], v[0]])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_burn_changes_the_velocity_and_not_the_place(axis: int) -> None:
    dv = np.zeros(3)
    dv[axis] = 1.0
    before, after = state(ORBIT), state(ORBIT.burned(dv))
    # Mean elements for osculating ones, and circular equations: some percent of the burn, some meters.
    assert np.linalg.norm(after[:3] - before[:3]) < 0.02
    along = before[3:] / np.linalg.norm(before[3:])
    normal = np.cross(before[:3], before[3:])
    normal /= np.linalg.norm(normal)
    axes = np.stack([np.cross(along, normal), along, normal])
    assert axes @ (after[3:] - before[3:]) * 1e3 == pytest.approx(dv, abs=0.03)


def test_orbits_go_as_sgp4_has_them() -> None:
    later = state(ORBIT.later(EPOCH_US + 86_400_000_000))
    table = GpTable.from_rows([{**ORBIT.row(), "norad_id": 1}])
    r, _, _ = Sgp4Catalog(table).at(np.array([0]), EPOCH_US, np.array([86400.0]))
    assert np.linalg.norm(later[:3] - r[0]) < 0.05


def test_histories_are_the_seeds_and_the_last_object_is_quiet() -> None:
    made, again = kept(3, EPOCH_US, 3, 30.0), kept(3, EPOCH_US, 3, 30.0)
    assert made.table.content_hash() == again.table.content_hash()
    assert made.table.content_hash() != kept(4, EPOCH_US, 3, 30.0).table.content_hash()
    ids = np.unique(made.table.norad_id)
    assert set(made.burns.norad_id.tolist()) == set(ids[:-1].tolist())
    assert made.table.epoch_us.max() <= EPOCH_US
    spread = [np.nanmax(np.abs(timeline(made.table[made.table.norad_id == one]).late_km)) for one in ids]
    assert spread[-1] < 0.3
    assert max(spread[:-1]) > 1.0
