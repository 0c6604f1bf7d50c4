"""Which windows train, and that a batch is a pure function of seed, epoch and step."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from orbwatch.errors import InputError
from orbwatch.learn.samples.features import inputs
from orbwatch.learn.samples.sequences import SequenceStore
from orbwatch.learn.samples.windows import BURN_IN_FORECAST, BURN_IN_HISTORY
from orbwatch.learn.training import datamodule
from orbwatch.learn.training.datamodule import TrackData, augmentation_names, choose
from orbwatch.settings_groups import TrainSettings

from ..small_store import write_store

SETTINGS = TrainSettings(batch=64, horizons=5, threads=1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SequenceStore:
    return write_store(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def tracks(store: SequenceStore) -> TrackData:
    return TrackData(store, SETTINGS)


def equal(a: Any, b: Any) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_batches_are_functions_of_their_place(store: SequenceStore, tracks: TrackData) -> None:
    again = TrackData(store, SETTINGS)
    for place in ((0, 3), (1, 0), (0, 0)):
        assert equal(tracks.train_batch(*place), again.train_batch(*place))
    assert not torch.equal(tracks.train_batch(0, 1).window, tracks.train_batch(1, 1).window)
    other = TrackData(store, replace(SETTINGS, seed=2))
    assert not torch.equal(tracks.train_batch(0, 1).window, other.train_batch(0, 1).window)


def test_a_batch_is_what_the_parts_give(store: SequenceStore) -> None:
    tracks = TrackData(store, replace(SETTINGS, augment=0.0, horizons=30))
    batch = tracks.train_batch(0, 2)
    windows = store.gather(batch.window.numpy())
    found = inputs(windows)
    x, query = tracks.scaler.apply(found)
    assert found.target is not None
    assert batch.x.shape == (64, 20, 24)
    assert batch.mix.shape == (64, 30, 6, 12)
    for tensor, array in ((batch.x, x), (batch.query, query), (batch.target, found.target), (batch.mix, found.mix)):
        assert tensor.dtype == torch.float32
        np.testing.assert_array_equal(tensor.numpy(), array)
    assert all(torch.isfinite(t).all() for t in batch)


def test_horizons_differ_by_batch_and_are_alike_in_all_processes(tracks: TrackData) -> None:
    tau = [tuple(tracks.train_batch(0, step).query[0, :, 0].tolist()) for step in range(3)]
    assert len(set(tau)) == 3
    assert all(len(t) == 5 for t in tau)
    parts = [tracks.train_batch(0, 0, rank, 2) for rank in range(2)]
    assert sorted(torch.cat([p.window for p in parts]).tolist()) == sorted(tracks.train_batch(0, 0).window.tolist())
    assert torch.equal(parts[0].query[0, :, 0], parts[1].query[0, :, 0])


def test_thrust_in_the_forecast_is_left_out(store: SequenceStore, tracks: TrackData) -> None:
    assert len(tracks.chosen.train) < len(store.ids("train"))
    for ids in (tracks.chosen.train, tracks.chosen.validation):
        assert not (store.gather(ids).burn & BURN_IN_FORECAST).any()


def test_no_object_both_trains_and_validates(store: SequenceStore, tracks: TrackData) -> None:
    sets = [set(store.object_of(ids).tolist()) for ids in (tracks.chosen.train, tracks.chosen.validation)]
    assert not sets[0] & sets[1]


def test_validation_is_spread_over_the_objects(store: SequenceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datamodule, "VALIDATION_WINDOWS", 10)
    chosen = choose(store, SETTINGS)
    assert len(chosen.validation) == 10
    assert set(store.object_of(chosen.validation)) == set(store.object_of(store.ids("validation", usable=True)))


def test_validation_batches_hold_every_horizon(tracks: TrackData) -> None:
    batches = list(tracks.val_dataloader())
    assert len(batches) == len(tracks.val_dataloader())
    assert sum(len(b.batch.x) for b in batches) == len(tracks.chosen.validation)
    assert batches[0].batch.target.shape[1:] == (30, 6)
    assert batches[0].factor_km.shape[1:] == (3, 3)


def test_some_windows_only(store: SequenceStore) -> None:
    settings = replace(SETTINGS, windows=88)
    tracks = TrackData(store, settings)
    assert tracks.chosen.distinct == 88
    assert tracks.order.steps == 1
    np.testing.assert_array_equal(tracks.chosen.train, choose(store, settings).train)
    whole = TrackData(store, SETTINGS)
    assert not np.array_equal(tracks.scaler.mean, whole.scaler.mean)  # fitted on its own windows


def test_windows_are_drawn_before_those_with_burns_are_repeated(store: SequenceStore) -> None:
    usable = store.ids("train", usable=True)
    store.__dict__["burn_bits"] = bits = store.burn_bits.copy()
    bits[usable[::2]] |= BURN_IN_HISTORY
    try:
        once, often = (choose(store, replace(SETTINGS, windows=60, burn_repeat=times)) for times in (1, 5))
    finally:
        del store.__dict__["burn_bits"]
    names, counts = np.unique(often.train, return_counts=True)
    np.testing.assert_array_equal(names, once.train)
    np.testing.assert_array_equal(counts, np.where(bits[names] & BURN_IN_HISTORY, 5, 1))
    assert once.distinct == often.distinct == 60


def test_bootstrap_draws_objects_with_replacement(store: SequenceStore) -> None:
    chosen = choose(store, replace(SETTINGS, bootstrap=True))
    objects, counts = np.unique(store.object_of(chosen.train), return_counts=True)
    assert len(objects) < len(store.splits["train"])
    assert counts.max() >= 2 * counts.min()
    other = choose(store, replace(SETTINGS, bootstrap=True, seed=2))
    assert not np.array_equal(chosen.train, other.train)


def test_augmentation_changes_a_share(store: SequenceStore, tracks: TrackData) -> None:
    plain = TrackData(store, replace(SETTINGS, augment=0.0), scaler=tracks.scaler)
    a, b = tracks.train_batch(0, 0), plain.train_batch(0, 0)
    assert torch.equal(a.window, b.window)
    share = (a.x != b.x).flatten(1).any(1).double().mean()
    assert 0.1 < share < 0.6


def test_without_uncertainty_features(store: SequenceStore) -> None:
    tracks = TrackData(store, SETTINGS, uncertainty=False)
    assert tracks.train_batch(0, 0).x.shape == (64, 20, 20)


def test_another_process_gets_the_same_batches(tracks: TrackData) -> None:
    sent = pickle.dumps(tracks)
    assert len(sent) < 100_000  # the files are mapped there, not sent
    assert equal(pickle.loads(sent).train_batch(0, 1), tracks.train_batch(0, 1))


def test_unknown_augmentation() -> None:
    with pytest.raises(InputError, match=r"no such augmentation.*blur"):
        augmentation_names(replace(SETTINGS, augmentations="noise, blur"))
    assert augmentation_names(replace(SETTINGS, augmentations="noise, shift")) == ("noise", "shift")


def test_nothing_to_train_on(store: SequenceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(store.__dict__, "fit_status", np.ones(store.windows, np.uint8))
    with pytest.raises(InputError, match="no usable training window"):
        choose(store, SETTINGS)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    store = write_store(tmp_path, objects=8, rows=60)
    file = next(tmp_path.rglob("truth_rv_km.npy"))
    file.write_bytes(file.read_bytes()[:-100])
    del store
    with pytest.raises(InputError, match="truth_rv_km"):
        SequenceStore.open(tmp_path)
