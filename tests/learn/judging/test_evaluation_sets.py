"""Windows to be judged on: quiet, apart from each other, or with exactly one burn."""

from __future__ import annotations

import numpy as np
import pytest

from orbwatch.errors import InputError
from orbwatch.learn.judging import evaluation_sets
from orbwatch.learn.samples.cut import SPAN
from orbwatch.learn.samples.windows import BURN_IN_HISTORY, HISTORY

from .evaluated import ROWS, series


def test_quiet_windows_do_not_overlap_and_hold_no_burn() -> None:
    all_of_it = series()
    windows = evaluation_sets.quiet(all_of_it)
    assert (windows.burn == 0).all()
    assert (windows.fit.status == 0).all()
    for number in range(8):
        gaps = np.diff(np.sort(windows.epoch_us[windows.object_id == number]))
        assert (gaps >= SPAN * 60_000_000).all()
    per_object = np.bincount(windows.object_id)
    assert per_object[0] == ROWS // SPAN
    assert per_object[1] < per_object[0]  # the one with the burn is left out


def test_windows_that_no_orbit_fits_are_kept_apart() -> None:
    all_of_it = series()
    all_of_it.noise_km[0] = np.nan
    windows = evaluation_sets.quiet(all_of_it)
    lost = windows.object_id == 0
    assert lost.any()
    np.testing.assert_array_equal(windows.fit.status != 0, lost)
    assert set(evaluation_sets.fitted(windows).object_id.tolist()) == set(range(1, 8))
    all_of_it.noise_km[:] = np.nan
    with pytest.raises(InputError, match="no window without thrust that least squares can fit"):
        evaluation_sets.quiet(all_of_it)


def test_draws_differ_in_noise_and_place_and_repeat_exactly() -> None:
    one = evaluation_sets.draws_of(series(), 2, seed=3, sigma_m=50.0)
    again = evaluation_sets.draws_of(series(), 2, seed=3, sigma_m=50.0)
    np.testing.assert_array_equal(one.r_obs_km, again.r_obs_km)
    assert set(np.unique(one.sigma_km)) == {0.05}
    assert len(np.unique(one.epoch_us[one.object_id == 0] % (SPAN * 60_000_000))) == 2
    other = evaluation_sets.draws_of(series(), 2, seed=4, sigma_m=50.0)
    assert not np.array_equal(one.r_obs_km[: len(other)], other.r_obs_km[: len(one)])


def test_noise_is_of_the_stated_size() -> None:
    windows = evaluation_sets.draws_of(series(16), 3, seed=1, sigma_m=200.0)
    noise = windows.r_obs_km - windows.truth_history_rv_km[..., :3]
    assert np.nanstd(noise) == pytest.approx(0.2, rel=0.05)
    drawn = evaluation_sets.draws_of(series(16), 3, seed=1).sigma_km[:, 0] * 1e3
    assert 10.0 <= drawn.min() < drawn.max() <= 500.0
    assert len(np.unique(drawn)) == 48


def test_burn_windows_hold_the_whole_burn_in_their_history() -> None:
    windows = evaluation_sets.with_burn(series(), 0.1, 10.0, seed=1, sigma_m=50.0, looks=3)
    assert len(windows) == 6
    assert set(windows.object_id.tolist()) == {1, 2}
    assert (windows.burn == BURN_IN_HISTORY).all()
    burned_us = series().truth.start_us[windows.object_id] + np.int64(9_030_000_000)
    assert (windows.epoch_us >= burned_us + 60_000_000).all()
    assert (windows.epoch_us - (HISTORY - 1) * 60_000_000 <= burned_us).all()
    assert len(np.unique(windows.epoch_us)) == 6


def test_no_burn_of_that_size_is_an_error() -> None:
    with pytest.raises(InputError, match=r"exactly one burn of 0\.1 to 10 m/s"):
        evaluation_sets.with_burn(series(dv_m_s=50.0), 0.1, 10.0, seed=1, sigma_m=50.0)


def test_burn_at_the_end_of_a_series_gives_no_window_beyond_it() -> None:
    short = series(rows=175)
    objects, firsts, _ = evaluation_sets.burn_rows(short, 0.1, 10.0, 20, np.random.default_rng(1))
    assert not len(objects)
    longer = series(rows=190)
    objects, firsts, _ = evaluation_sets.burn_rows(longer, 0.1, 10.0, 20, np.random.default_rng(1))
    assert len(objects)
    assert (firsts + SPAN <= 190).all()
