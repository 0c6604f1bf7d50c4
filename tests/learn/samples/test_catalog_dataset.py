"""Data sets of askings: nothing from after the end of training in training, the same bytes when built again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from orbwatch.catalog.history import read_history, write_history
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.learn.samples.catalog_dataset import STALE_DAY, build_catalog, divided
from orbwatch.learn.samples.catalog_store import CatalogStore, is_catalog
from orbwatch.learn.samples.catalog_windows import NODES_DAY
from orbwatch.learn.samples.splits import SPLITS
from orbwatch.settings_groups import AskSettings

from ..wandering import wandering

SETTINGS = AskSettings(train_share=0.6, step_day=1.0, step_low_day=1.0, stale=0.2, short=0.2)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "history.parquet"
    write_history(wandering(objects=40, sets=90), path)
    return path


@pytest.fixture(scope="module")
def data(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asks") / "data"
    build_catalog(SETTINGS, history, folder)
    return folder


def test_objects_and_times_are_kept_apart(history: Path, data: Path) -> None:
    store = CatalogStore.open(data)
    until_us = store.manifest["until_us"]
    owners = {name: set(store.asks["norad_id"][store.ids(name)].tolist()) for name in SPLITS}
    assert sum(len(ids) for ids in owners.values()) == len(set.union(*owners.values())) == 40
    for name in SPLITS:
        asked_us = store.asks["asked_us"][store.ids(name)]
        assert len(asked_us)
        assert (asked_us < until_us).all() if name == "train" else (asked_us >= until_us).all()
    train = store.ids("train")
    target = store.gather(train).target
    assert target is not None
    at_us = store.asks["asked_us"][train][:, None] + NODES_DAY * DAY_US
    assert np.isnan(target[at_us > until_us]).all()
    assert np.isfinite(target).all(axis=2).any(axis=1).mean() > 0.9
    assert divided(read_history(history), SETTINGS)[2] == until_us


def test_some_are_stale_and_some_have_no_past(data: Path) -> None:
    store = CatalogStore.open(data)
    lag_day = (store.asks["asked_us"] - store.asks["epoch_us"]) / DAY_US
    assert 0.05 < (lag_day > 2.0).mean() < 0.4
    assert lag_day.max() < STALE_DAY + 1.0
    assert 0.05 < (store.gather(np.arange(len(store))).valid.sum(axis=1) <= 6).mean() < 0.5


def test_building_again_mends_what_is_missing(history: Path, data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(data, folder)
    (folder / "shards" / "000" / "x.npy").write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"x\.npy"):
        CatalogStore.open(folder)
    build_catalog(SETTINGS, history, folder)
    assert CatalogStore.open(folder).data_hash == CatalogStore.open(data).data_hash


def test_other_data_and_other_folders_are_refused(history: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="other settings or data"):
        build_catalog(AskSettings(seed=9), history, data)
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(InputError, match="something else"):
        build_catalog(SETTINGS, history, tmp_path)
    with pytest.raises(InputError, match="no such history"):
        build_catalog(SETTINGS, tmp_path / "none.parquet", tmp_path / "new")
    with pytest.raises(InputError, match="no such split"):
        CatalogStore.open(data).ids("exam")


def test_a_folder_that_is_none(data: Path, tmp_path: Path) -> None:
    assert is_catalog(data)
    assert not is_catalog(tmp_path)
    with pytest.raises(InputError, match="no data set here"):
        CatalogStore.open(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        CatalogStore.open(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"kind": "tracks"}))
    with pytest.raises(InputError, match="not a data set of askings"):
        CatalogStore.open(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"kind": "catalog", "format": 1, "complete": False}))
    with pytest.raises(InputError, match="not complete"):
        CatalogStore.open(tmp_path)
