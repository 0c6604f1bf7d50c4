"""Windows gathered from the files are those of the series; files that are not right are named."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orbwatch.errors import InputError
from orbwatch.learn.samples.cut import windows_of
from orbwatch.learn.samples.sequences import MANIFEST, SequenceStore
from orbwatch.learn.samples.splits import SPLITS
from orbwatch.learn.samples.windows import Windows
from orbwatch.settings_groups import DatasetSettings


@pytest.fixture(scope="module")
def store(tiny_dataset: Path) -> SequenceStore:
    return SequenceStore.open(tiny_dataset)


@pytest.fixture
def copy(tiny_dataset: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_dataset, tmp_path / "copy")


def test_what_is_in_it(store: SequenceStore, tiny_settings: DatasetSettings) -> None:
    assert (store.objects, store.rows, store.windows_per_object, store.windows) == (10, 72, 23, 230)
    assert store.step_s == 60.0
    assert store.settings == DatasetSettings(**{**vars(tiny_settings), "workers": 2})
    assert len(store.data_hash) == len(store.code_hash) == 64


def test_gathered_windows_are_those_cut_from_the_series(store: SequenceStore) -> None:
    places = np.array([7, 1, 4])
    sigma_km, noise_km = store.noise(places)
    cut = windows_of(store.truth(places), noise_km, sigma_km, np.arange(23))
    gathered = store.gather((places[:, None] * 23 + np.arange(23)).ravel())
    for name in [f.name for f in fields(Windows) if f.name != "fit"]:
        np.testing.assert_array_equal(getattr(gathered, name), getattr(cut, name), err_msg=name)
    np.testing.assert_array_equal(gathered.fit.rv_km, cut.fit.rv_km)
    np.testing.assert_array_equal(gathered.fit.status, cut.fit.status)
    np.testing.assert_array_equal(gathered.fit.count, cut.fit.count)
    np.testing.assert_allclose(gathered.fit.cov, cut.fit.cov, rtol=1e-6)
    np.testing.assert_allclose(gathered.fit.rms, cut.fit.rms, rtol=1e-6)


def test_any_order_any_number_of_times(store: SequenceStore) -> None:
    ids = np.array([229, 0, 100, 0, 57])
    some, all_of_them = store.gather(ids), store.gather(store.ids())
    np.testing.assert_array_equal(some.truth_rv_km, all_of_them.take(ids).truth_rv_km)
    np.testing.assert_array_equal(some.fit.cov, all_of_them.take(ids).fit.cov)
    assert len(store.gather(ids[:0])) == 0


def test_without_truth(store: SequenceStore) -> None:
    windows = store.gather(np.array([3]), truth=False)
    assert windows.truth_rv_km is None
    assert windows.truth_history_rv_km is None
    np.testing.assert_array_equal(windows.r_obs_km, store.gather(np.array([3])).r_obs_km)


def test_splits_share_no_object(store: SequenceStore) -> None:
    objects = [set(store.object_of(store.ids(name)).tolist()) for name in SPLITS]
    assert sum(len(each) for each in objects) == len(set.union(*objects)) == 10
    usable = store.gather(store.ids("train", usable=True))
    assert (usable.burn & 2 == 0).all()
    assert (usable.fit.status == 0).all()
    assert 0 < len(usable) < len(store.ids("train"))


def test_truth_has_its_burns(store: SequenceStore) -> None:
    truth = store.truth(np.arange(10))
    marked = set(np.flatnonzero(truth.burn.any(axis=1)).tolist())
    assert marked == {burn.object_id for burn in truth.burns if burn.start_s < 71 * 60.0}
    only = store.truth(np.array([truth.burns[0].object_id]))
    assert {burn.object_id for burn in only.burns} == {truth.burns[0].object_id}


def test_another_process_opens_it_anew(store: SequenceStore) -> None:
    again = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(again.gather(np.array([42])).r_obs_km, store.gather(np.array([42])).r_obs_km)


def test_what_is_not_there(store: SequenceStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such split"):
        store.ids("trian")
    with pytest.raises(InputError, match="no such window"):
        store.gather(np.array([230]))
    with pytest.raises(InputError, match="no such object"):
        store.truth(np.array([-1]))
    with pytest.raises(InputError, match="no data set here"):
        SequenceStore.open(tmp_path)


def _cut_short(folder: Path) -> Path:
    path = folder / "shards/004/fit_cov.npy"
    path.write_bytes(path.read_bytes()[:-8])
    return path


def _gone(folder: Path) -> Path:
    path = folder / "shards/002/noise_km.npy"
    path.unlink()
    return path


def _no_array(folder: Path) -> Path:
    path = folder / "shards/001/burn.npy"
    path.write_bytes(b"\0" * path.stat().st_size)
    return path


def _another_type(folder: Path) -> Path:
    path = folder / "shards/000/truth_rv_km.npy"
    np.save(path, np.load(path).view(np.int64))
    return path


@pytest.mark.parametrize("damage", [_cut_short, _gone, _no_array, _another_type])
def test_damaged_files_are_named(copy: Path, damage: Callable[[Path], Path]) -> None:
    path = damage(copy)
    with pytest.raises(InputError, match="dataset build") as caught:
        SequenceStore.open(copy)
    assert caught.value.file == path


def _edit(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    def edit(text: str) -> str:
        manifest = json.loads(text)
        change(manifest)
        return json.dumps(manifest)

    return edit


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (lambda text: text[:100], "cannot be read"),
        (_edit(lambda m: m.update(format=99)), "another format"),
        (_edit(lambda m: m.update(complete=False)), "not complete"),
        (_edit(lambda m: m.pop("splits")), "damaged manifest"),
        (_edit(lambda m: m["splits"]["test"].append(10)), "not there"),
        (_edit(lambda m: m["shards"][0]["arrays"].pop("burn")), "cannot be read"),
    ],
)
def test_damaged_manifests(copy: Path, edit: Callable[[str], str], what: str) -> None:
    path = copy / MANIFEST
    path.write_text(edit(path.read_text()))
    with pytest.raises(InputError, match=what):
        SequenceStore.open(copy)
