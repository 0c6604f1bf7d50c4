"""Windows cut from series hold the right rows, bits and times, and their fits are as good as their noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from orbwatch.errors import InputError
from orbwatch.learn.samples.cut import SPAN, burn_bits, fit_series, windows_of
from orbwatch.learn.samples.sequences import SequenceStore
from orbwatch.learn.samples.windows import HISTORY, HORIZONS
from orbwatch.simulate.trajectories import Truth


@pytest.fixture(scope="module")
def store(tiny_dataset: Path) -> SequenceStore:
    return SequenceStore.open(tiny_dataset)


def series(store: SequenceStore, places: list[int]) -> tuple[Truth, np.ndarray, np.ndarray]:
    sigma_km, noise_km = store.noise(np.array(places))
    return store.truth(np.array(places)), noise_km, sigma_km


def test_rows_and_times(store: SequenceStore) -> None:
    truth, noise_km, sigma_km = series(store, [3, 5])
    windows = windows_of(truth, noise_km, sigma_km, np.array([0, 11, 22]))
    assert windows.object_id.tolist() == [3, 3, 3, 5, 5, 5]
    last = 11 + HISTORY - 1
    assert windows.epoch_us[1] == truth.start_us[0] + last * 60_000_000
    assert windows.t_s[1, [0, -1]].tolist() == [-1140.0, 0.0]
    np.testing.assert_array_equal(windows.r_obs_km[1, -1], truth.rv_km[0, last, :3] + noise_km[0, last])
    assert windows.truth_history_rv_km is not None
    assert windows.truth_rv_km is not None
    np.testing.assert_array_equal(windows.truth_history_rv_km[1], truth.rv_km[0, 11 : 11 + HISTORY])
    np.testing.assert_array_equal(windows.truth_rv_km[4, HORIZONS - 1], truth.rv_km[1, 11 + SPAN - 1])
    assert (windows.sigma_km[3:] == sigma_km[1]).all()
    assert windows.regime.tolist() == [truth.regime[0]] * 3 + [truth.regime[1]] * 3


def test_fits_along_a_series_are_those_without_a_guess(store: SequenceStore) -> None:
    truth, noise_km, sigma_km = series(store, [0, 2, 3, 4])
    along = windows_of(truth, noise_km, sigma_km, np.arange(23))
    each = windows_of(truth, noise_km, sigma_km, np.tile(np.arange(22, -1, -1), (4, 1)))
    order = (23 * np.arange(4)[:, None] + np.arange(22, -1, -1)).ravel()
    quiet = along.burn & 1 == 0
    off = (along.fit.rv_km - each.fit.rv_km[order])[quiet]
    nees = np.einsum("ni,ni->n", off, np.linalg.solve(along.fit.cov[quiet], off[:, :, None])[:, :, 0])
    assert np.sqrt(nees.max()) < 0.01


def test_quiet_fits_are_as_good_as_their_noise(store: SequenceStore) -> None:
    windows = store.gather(np.flatnonzero(store.burn_bits == 0))
    assert (windows.fit.status == 0).all()
    assert 0.8 < np.median(windows.fit.rms) < 1.2
    assert windows.truth_history_rv_km is not None
    off = windows.fit.rv_km - windows.truth_history_rv_km[:, -1]
    nees = np.einsum("ni,ni->n", off, np.linalg.solve(windows.fit.cov, off[:, :, None])[:, :, 0])
    assert 2.0 < np.median(nees) < 15.0


def test_burn_bits() -> None:
    burn = np.zeros((1, SPAN + 25), np.uint8)
    burn[0, 30] = 1  # thrust between rows 29 and 30
    bits = burn_bits(burn)[0]
    history = [w for w in range(len(bits)) if w < 30 <= w + HISTORY - 1]
    forecast = [w for w in range(len(bits)) if w + HISTORY - 1 < 30 <= w + SPAN - 1]
    assert np.flatnonzero(bits & 1).tolist() == history
    assert np.flatnonzero(bits & 2).tolist() == forecast


def test_a_window_without_positions_has_a_status_and_its_neighbours_a_fit(store: SequenceStore) -> None:
    truth, noise_km, sigma_km = series(store, [2])
    noise_km = np.array(noise_km)
    noise_km[:, 5:25] = np.nan
    windows = windows_of(truth, noise_km, sigma_km, np.arange(23))
    assert windows.fit.status[5] == 1
    assert np.isnan(windows.fit.rv_km[5]).all()
    assert windows.fit.status[[0, 22]].tolist() == [0, 0]


def test_what_does_not_fit(store: SequenceStore) -> None:
    truth, noise_km, sigma_km = series(store, [2])
    with pytest.raises(InputError, match="beyond its series"):
        windows_of(truth, noise_km, sigma_km, np.array([23]))
    with pytest.raises(InputError, match="different objects or rows"):
        windows_of(truth, noise_km[:, :-1], sigma_km, np.array([0]))
    with pytest.raises(InputError, match="no windows to fit"):
        fit_series(truth.rv_km[:, :, :3], sigma_km, truth.start_us, np.array([0]), 0, 60.0)
