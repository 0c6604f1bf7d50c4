"""A catalogue with corrections: moved as told, with velocities that belong to the positions."""

from __future__ import annotations

import numpy as np

from orbwatch.constants import DAY_US
from orbwatch.propagate.curvilinear import shifted
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.simulate.population import EPOCH_US, population

from .moved import moved

TABLE = population(1, 200)[::20]
SIZE = np.random.default_rng(4).normal(0.0, [5.0, 0.5, 0.5], (len(TABLE), 3))
CATALOG = moved(TABLE, EPOCH_US, SIZE, without=2)
OFFSETS_S = np.array([-30.0, 1000.0, 50_000.0, 86_000.0])


def test_states_are_those_of_sgp4_shifted() -> None:
    rv, status = CATALOG.nodes(EPOCH_US, OFFSETS_S)
    plain, plain_status = CATALOG.plain().nodes(EPOCH_US, OFFSETS_S)
    np.testing.assert_array_equal(status, plain_status)
    at_us = EPOCH_US + np.rint(OFFSETS_S * 1e6).astype(np.int64)
    for i in range(len(TABLE)):
        if CATALOG.row[i] < 0:
            np.testing.assert_array_equal(rv[:, :, i], plain[:, :, i])
            continue
        moves = CATALOG.shift.at(np.full(len(at_us), i), at_us, plain[:, :, i])
        assert np.abs(moves[:, 0]).max() > 0.1
        np.testing.assert_allclose(rv[:, :3, i], shifted(plain[:, :, i], moves)[:, :3], atol=1e-7)


def test_one_by_one_is_the_same_and_some_can_be_taken() -> None:
    rv, _ = CATALOG.nodes(EPOCH_US, OFFSETS_S)
    index = np.arange(len(TABLE))
    r, v, status = CATALOG.at(index, EPOCH_US, np.full(len(TABLE), OFFSETS_S[2]))
    np.testing.assert_allclose(np.concatenate([r, v], axis=1).T, rv[2], atol=1e-8)
    assert not status.any()
    some = np.array([7, 2, len(TABLE) - 1])
    part, _ = CATALOG.take(some).nodes(EPOCH_US, OFFSETS_S)
    np.testing.assert_allclose(part, rv[:, :, some], atol=1e-8)
    assert type(CATALOG.plain()) is Sgp4Catalog
    assert type(type(CATALOG).from_gp(TABLE)) is Sgp4Catalog


def test_velocities_are_the_change_of_positions_as_well_as_sgp4s_own() -> None:
    step_s, times_s = 0.5, np.linspace(500.0, DAY_US / 1e6 - 500.0, 60)

    def off(catalog: Sgp4Catalog) -> np.ndarray:
        before, here, after = (catalog.nodes(EPOCH_US, times_s + h)[0] for h in (-step_s, 0.0, step_s))
        change = (after[:, :3] - before[:, :3]) / (2.0 * step_s)
        return np.linalg.norm(change - here[:, 3:], axis=1).max(axis=0)

    # The time shift grows by 5 s a day (5e-4 km/s), waves by as much: leaving any part out would show.
    assert (off(CATALOG) < off(CATALOG.plain()) + 3e-5).all()


def test_a_set_without_a_state_stays_without() -> None:
    rv, status = CATALOG.nodes(EPOCH_US + 3000 * DAY_US, np.zeros(1))
    lost = status[0] != 0
    assert lost.any()
    assert np.isnan(rv[0, 0, lost]).all()
