"""Screening of corrected orbits against brute force on their positions, and what SGP4 alone says of the same passes."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from orbwatch.catalog.gp import GpTable
from orbwatch.conjunction.gate import collision_possible
from orbwatch.conjunction.screen import Approaches, screen
from orbwatch.conjunction.uncorrected import uncorrected
from orbwatch.propagate.corrected import CorrectedCatalog
from orbwatch.uncertainty.covariance import EmpiricalCovariance

from ..propagate.moved import moved
from .test_screen import START_US, meet, orbit, table

HOURS, THRESHOLD_KM = 1.0, 5.0


@functools.cache
def sky() -> CorrectedCatalog:
    """Pairs that SGP4 brings together in the hour; corrections of up to 300 km carry half of them elsewhere."""
    rng = np.random.default_rng(11)
    rows = []
    for _ in range(24):
        one = orbit(float(rng.uniform(6800.0, 7900.0)), float(rng.uniform(0.0, 0.02)), rng)
        at_us = START_US + int(rng.uniform(120.0, 3480.0) * 1e6)
        rows += [one, meet(one, at_us, float(rng.uniform(0.1, 6.0)), float(rng.uniform(20.0, 170.0)), rng)]
    sets = table(rows)
    late_s = np.repeat(rng.choice([-1.0, 1.0], 24) * 10.0 ** rng.uniform(-2.0, 1.5, 24), 2)
    late_s[1::2] += rng.normal(0.0, 0.3, 24) * (np.arange(24) % 2)  # odd pairs: the two drift apart
    move = np.stack([late_s, *rng.normal(0.0, 0.4, (2, 48))], axis=1)
    return moved(sets, START_US, move, without=4)


@functools.cache
def found() -> Approaches:
    return screen(sky(), START_US, HOURS, THRESHOLD_KM, threads=1)


def test_no_pass_of_the_corrected_orbits_is_missed_and_none_invented() -> None:
    seconds = np.arange(-2.0, HOURS * 3600.0 + 3.0)
    rv, _ = sky().nodes(START_US, seconds)
    truth = []
    for i in range(len(sky())):
        d2 = np.sum((rv[:, :3, i + 1 :] - rv[:, :3, i : i + 1]) ** 2, axis=1)
        k, j = np.nonzero((d2[1:-1] < d2[:-2]) & (d2[1:-1] <= d2[2:]) & (d2[1:-1] < 40.0**2))
        before, at, after = d2[k, j], d2[k + 1, j], d2[k + 2, j]
        shift = 0.5 * (before - after) / (before - 2.0 * at + after)
        miss = np.sqrt(np.maximum(at - 0.25 * (before - after) * shift, 0.0))
        truth += list(zip(np.full(len(j), i), i + 1 + j, seconds[k + 1] + shift, miss, strict=True))
    near = [one for one in truth if one[3] < THRESHOLD_KM and 0.0 <= one[2] < HOURS * 3600.0]
    assert len(near) > 12
    here = found()
    assert len(here) == len(near)
    for i, j, tca_s, miss_km in near:
        (row,) = np.flatnonzero((here.index_1 == i) & (here.index_2 == j) & (np.abs(here.tca_s - tca_s) < 0.5))
        assert here.miss_km[row] == pytest.approx(miss_km, abs=5e-3)


def test_lists_and_windows_give_the_same_passes() -> None:
    mine = np.array([0, 1, 6])
    some = screen(sky(), START_US, HOURS, THRESHOLD_KM, first=mine, threads=1)
    wanted = np.isin(found().index_1, mine) | np.isin(found().index_2, mine)
    np.testing.assert_allclose(some.miss_km, found().miss_km[wanted], atol=1e-6)
    among = screen(sky(), START_US, HOURS, THRESHOLD_KM, first=mine, second=mine, threads=1)
    assert set(among.index_1) | set(among.index_2) <= set(mine.tolist())


def test_sgp4s_own_pass_is_told_beside_it() -> None:
    alone = uncorrected(sky(), found())
    plain = screen(sky().plain(), START_US, HOURS, 60.0, threads=1)
    both = 0
    for k in range(len(found())):
        same = np.flatnonzero(
            (plain.index_1 == found().index_1[k])
            & (plain.index_2 == found().index_2[k])
            & (np.abs(plain.tca_s - (found().tca_s[k] - alone.later_s[k])) < 0.01)
        )
        if len(same):
            both += 1
            assert alone.miss_km[k] == pytest.approx(plain.miss_km[same[0]], abs=1e-6)
    assert both >= len(found()) - 2
    still = ~alone.moved.any(axis=1)
    np.testing.assert_allclose(alone.miss_km[still], found().miss_km[still], atol=1e-6)
    assert np.abs(alone.miss_km - found().miss_km).max() > 0.3


class _Known(EmpiricalCovariance):
    """One covariance for all: 20 km along the orbit, 0.1 km across."""

    def cov_rtn_km2(self, table: GpTable, at_us: np.ndarray) -> np.ndarray:
        assert len(table) == len(at_us)
        return np.broadcast_to(np.diag([0.01, 400.0, 0.01]), (len(table), 3, 3))


def test_the_covariance_keeps_what_may_collide() -> None:
    empirical = EmpiricalCovariance.load()
    known = _Known("k", empirical.age_day, empirical.variance_km2, empirical.correlation_rt)
    wide = screen(sky(), START_US, HOURS, 60.0, threads=1)
    possible = collision_possible(wide, sky().table, known)
    height_km = np.abs(np.linalg.norm(wide.r2_teme_km, axis=1) - np.linalg.norm(wide.r1_teme_km, axis=1))
    # A kilometre of height is seven sigmas; what is as high, and further than five kilometres, may collide.
    assert not possible[height_km > 1.0].any()
    assert (possible & (wide.miss_km > THRESHOLD_KM)).any()
    assert possible[wide.miss_km < 0.05].all()
