"""Physics baselines find what was put into the sets: drag, mean motion, frozen perigees, slots."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from orbwatch.catalog.gp import GpTable
from orbwatch.constants import DAY_US
from orbwatch.learn.judging.catalog_baselines import physics
from orbwatch.learn.judging.catalog_mean_elements import mean_elements_km, perigee_km
from orbwatch.learn.judging.catalog_refit import refitted_s
from orbwatch.learn.judging.catalog_run_back import carried, past_us, robust_fit
from orbwatch.learn.judging.catalog_slot import kept_s, mean_longitude_rad
from orbwatch.learn.samples.catalog_windows import ELEMENTS, CatalogWindows
from orbwatch.propagate.curvilinear import shift_of
from orbwatch.simulate.population import population

AHEAD_DAY = np.array([1.0, 3.0, 7.0])
AGE_DAY = np.append(np.arange(40, 0, -1) / 3.0, 0.0)
FLOWN = population(2, 200)
TURN_DEG_DAY = 3.34
"""Of the perigee of `one`, backwards, by J2."""


def one(**changed: float) -> GpTable:
    """A low, nearly round orbit, with some elements changed."""
    made = {
        "mean_motion_rev_day": 15.0, "eccentricity": 1e-3, "inclination_deg": 98.0, "arg_perigee_deg": 90.0,
        "bstar_per_er": 5e-4, "mean_motion_dot_rev_day2": 0.0, "raan_deg": 30.0, "mean_anomaly_deg": 270.0,
    } | changed  # fmt: skip
    return replace(FLOWN[:1], **{name: np.array([value]) for name, value in made.items()})


def seen(newest: GpTable, flown: GpTable, age_day: np.ndarray = AGE_DAY) -> CatalogWindows:
    """What is known of an object that flies as one set says and whose newest set is another."""
    asked_us = newest.epoch_us.copy()
    age = age_day[None]
    elements = np.stack([np.broadcast_to(getattr(newest, name)[:, None], age.shape) for name in ELEMENTS], axis=2)
    ahead_us = asked_us[:, None] + np.rint(AHEAD_DAY * DAY_US).astype(np.int64)
    every = np.ones(ahead_us.shape, bool)
    rv = carried(newest, ahead_us, every)
    truth = shift_of(rv, carried(flown, ahead_us, every)[..., :3])
    made = CatalogWindows(newest, asked_us, age, np.zeros((*age.shape, 3)), elements, AHEAD_DAY[None], rv, truth)
    back_us, known = past_us(made), np.ones(age.shape, bool)
    shift = shift_of(carried(newest, back_us, known), carried(flown, back_us, known)[..., :3])
    return replace(made, shift=shift)


def test_robust_fit_resists_an_outlier_and_needs_enough_values() -> None:
    t = np.arange(12.0)
    value = np.stack([2.0 + 3.0 * t, 2.0 + 3.0 * t])
    value[0, 5] += 1000.0
    value[1, 3:] = np.nan
    design = np.stack([np.ones((2, 12)), np.broadcast_to(t, (2, 12))], axis=2)
    found = robust_fit(design, value, 5)
    np.testing.assert_allclose(found[0], [2.0, 3.0], atol=0.3)
    np.testing.assert_array_equal(found[1], 0.0)


def test_a_refit_finds_the_drag_and_the_mean_motion() -> None:
    windows = seen(one(bstar_per_er=4e-4, mean_motion_rev_day=15.0001), one())
    assert windows.truth_shift is not None
    late = windows.truth_shift[..., 0]
    assert np.abs(late[0, -1]) > 0.3
    np.testing.assert_allclose(refitted_s(windows), late, rtol=0.03)


def test_a_refit_of_too_few_sets_is_sgp4() -> None:
    windows = seen(one(bstar_per_er=4e-4), one(), AGE_DAY[-4:])
    np.testing.assert_array_equal(refitted_s(windows), 0.0)


def test_a_perigee_that_stays_moves_the_object_outwards_and_along() -> None:
    newest = one(bstar_per_er=0.0, eccentricity=2e-3)
    windows = seen(newest, newest)
    turn = np.radians(TURN_DEG_DAY) * AHEAD_DAY
    # All sets have perigee in the north: where it stays, and SGP4 turns it away.
    largest_km = 6.94e3 * 2e-3 * 2.0 * np.sin(turn / 2.0)
    made = perigee_km(windows)
    np.testing.assert_allclose(np.hypot(made[0, :, 0], made[0, :, 1] / 2.0), largest_km, rtol=0.03)
    np.testing.assert_array_equal(made[..., 2], 0.0)


def test_the_first_order_is_what_sgp4_makes_of_another_perigee() -> None:
    """At one instant: a set, and the one with its perigee elsewhere and the same mean argument of latitude."""
    newest = one(bstar_per_er=0.0, eccentricity=2e-3)
    windows = seen(newest, newest)
    turn_deg, at = TURN_DEG_DAY * AHEAD_DAY, windows.asked_us[:, None]
    for i, turned in enumerate(turn_deg.tolist()):
        other = replace(
            newest,
            arg_perigee_deg=newest.arg_perigee_deg - turned,
            mean_anomaly_deg=newest.mean_anomaly_deg + turned,
        )
        here = carried(other, at, np.ones((1, 1), bool))
        apart = shift_of(here, carried(newest, at, np.ones((1, 1), bool))[..., :3])[0, 0]
        there = replace(windows, rv_teme_km=np.repeat(here, len(AHEAD_DAY), axis=1))
        out_km, along_km, _ = perigee_km(there)[0, i]
        assert out_km == pytest.approx(apart[1], abs=0.1 * np.hypot(*apart[:2]) + 0.02)
        assert along_km == pytest.approx(apart[0] * np.linalg.norm(here[0, 0, 3:]), abs=0.05 * turned + 0.1)


def test_oval_and_distant_orbits_keep_their_perigees() -> None:
    for changed in ({"eccentricity": 0.1}, {"mean_motion_rev_day": 2.0}):
        newest = one(**changed)
        np.testing.assert_array_equal(perigee_km(seen(newest, newest)), 0.0)


def test_mean_elements_follow_the_phase_and_the_plane() -> None:
    windows = seen(one(raan_deg=30.002), one())
    assert windows.truth_shift is not None
    # The sets' own perigees turn as SGP4 says, so that nothing is left of that.
    angle = np.radians(90.0) + np.radians(TURN_DEG_DAY) * AGE_DAY
    windows.elements[..., 6] = np.degrees(angle)
    found = mean_elements_km(windows)
    np.testing.assert_allclose(found[..., 2], windows.truth_shift[..., 2], atol=0.05)
    assert np.abs(windows.truth_shift[..., 2]).max() > 0.1


def kept_satellite() -> GpTable:
    """Over 75 degrees east, where nothing pulls, with a mean motion that stays there."""
    made = one(mean_motion_rev_day=1.0027, eccentricity=2e-4, inclination_deg=0.05, bstar_per_er=0.0)
    for _ in range(3):
        at_us = made.epoch_us[:, None] + np.array([[-7, 0, 7]]) * DAY_US
        east = mean_longitude_rad(carried(made, at_us, np.ones((1, 3), bool)), at_us)[0]
        off = np.degrees(np.unwrap(east))
        made = replace(
            made,
            mean_motion_rev_day=made.mean_motion_rev_day - (off[2] - off[0]) / 14.0 / 360.0,
            mean_anomaly_deg=np.mod(made.mean_anomaly_deg + 75.1 - off[1], 360.0),
        )
    return made


def test_a_satellite_returns_to_its_slot() -> None:
    slot = kept_satellite()
    drifting = replace(slot, mean_motion_rev_day=slot.mean_motion_rev_day + 2e-5)
    windows = seen(drifting, slot)
    assert windows.truth_shift is not None
    late, found = windows.truth_shift[0, :, 0], kept_s(windows)[0]
    assert np.abs(late[-1]) > 5.0
    assert np.abs(found[-1] - late[-1]) < 0.5 * np.abs(late[-1])
    low = seen(one(), one())
    np.testing.assert_array_equal(kept_s(low), 0.0)


def test_all_of_them_have_an_answer_for_everything() -> None:
    flown = one()
    windows = CatalogWindows.concat([seen(one(bstar_per_er=4e-4), flown), seen(flown, flown, AGE_DAY)])
    found = physics(windows)
    assert {"refit", "perigee", "slot", "mean elements", "quadratic 14.5 d", "line 1.5 d"} <= set(found)
    for name, moved in found.items():
        assert moved.shape == (2, 3, 3), name
        assert np.isfinite(moved).all(), name
    assert windows.truth_shift is not None
    speed = np.linalg.norm(windows.rv_teme_km[..., 3:], axis=-1)
    left = windows.truth_shift[0, :, 0] * speed[0] - found["quadratic 14.5 d"][0, :, 1]
    assert (np.abs(left) < 0.2 * np.abs(windows.truth_shift[0, :, 0] * speed[0])).all()
    assert physics(windows.take(slice(0, 0)))["refit"].shape == (0, 3, 3)


@pytest.mark.parametrize("name", ["refit", "mean elements", "perigee", "slot"])
def test_no_past_is_sgp4(name: str) -> None:
    alone = seen(one(), one(bstar_per_er=8e-4), np.zeros(1))
    np.testing.assert_array_equal(physics(alone)[name], 0.0)
