"""The maneuver classifier's training: it learns, resumes exactly, mixes only like windows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from orbwatch.errors import InputError
from orbwatch.learn.training.gap_data import GapData, like_windows
from orbwatch.learn.training.train import Trained
from orbwatch.learn.training.train_maneuver import train_maneuver
from orbwatch.models.checkpoint import load_network, read_checkpoint
from orbwatch.models.maneuver_export import load_classifier
from orbwatch.settings_groups import ClassifierSettings, TrainSettings

from ..gap_world import write_world

SIZES = ClassifierSettings(channels=16, hidden=8, attention=2, drop=0.1)
QUICK = TrainSettings(
    epochs=10, batch=16, learning_rate=1e-2, ema=0.9, checkpoint_steps=7, threads=1, device="cpu", burn_repeat=1
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gaps")
    write_world(folder)
    return folder


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train_maneuver(data, tmp_path_factory.mktemp("runs") / "whole", SIZES, QUICK)


def test_it_learns_kinds_and_patterns(run: Trained) -> None:
    assert run.figures["gap_macro_f1"] > 0.9
    assert run.figures["burn_precision"] > 0.95
    assert run.figures["pattern_macro_f1"] > 0.8
    head = run.metrics.read_text().splitlines()[0]
    assert head.startswith("step,epoch,train_loss")
    assert "gap_macro_f1" in head


def test_interrupted_run_ends_with_the_same_weights(data: Path, run: Trained, tmp_path: Path) -> None:
    class StopError(Exception):
        pass

    def stopping(text: str, fraction: float) -> None:
        if fraction > 0.5:
            raise StopError(text)

    with pytest.raises(StopError):
        train_maneuver(data, tmp_path / "run", SIZES, QUICK, progress=stopping)
    again = train_maneuver(data, tmp_path / "run", SIZES, QUICK, resume=True)
    first, second = read_checkpoint(run.last_checkpoint), read_checkpoint(again.last_checkpoint)
    assert all(torch.equal(first["state_dict"][name], second["state_dict"][name]) for name in first["state_dict"])
    with pytest.raises(InputError, match="not the run"):
        train_maneuver(data, tmp_path / "run", replace(SIZES, focus=2.0), QUICK, resume=True)


def test_checkpoints_are_not_taken_for_each_other(run: Trained) -> None:
    network, scaler, carried = load_classifier(run.best_checkpoint)
    assert carried["kinds"] == ["none", "up", "down"]
    assert len(scaler.mean) == 4
    assert not network.training
    with pytest.raises((InputError, TypeError)):
        load_network(run.best_checkpoint)


def test_batches_repeat_and_mix_like_windows_only(data: Path) -> None:
    from orbwatch.learn.samples.gap_store import GapStore

    store = GapStore.open(data)
    given = GapData(store, QUICK, replace(SIZES, mix=1.0))
    first, second = given.train_batch(1, 2), given.train_batch(1, 2)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert torch.allclose(first.kind.sum(-1), torch.ones(()))
    assert float(first.kind.max(-1).values.min()) < 1.0
    windows = store.series.gather(given.chosen.train[:9])
    other = replace(windows, regime=np.arange(9, dtype=np.int8) // 3)
    partner = like_windows(other, np.random.default_rng(1))
    assert (partner // 3 == np.arange(9) // 3).all()
    assert (partner != np.arange(9)).all()
    alone = replace(windows, regime=np.arange(9, dtype=np.int8))
    assert (like_windows(alone, np.random.default_rng(1)) == -1).all()


def test_data_without_validation_objects_is_refused(tmp_path: Path) -> None:
    write_world(tmp_path / "few", objects=3)
    with pytest.raises(InputError, match="no validation window"):
        train_maneuver(tmp_path / "few", tmp_path / "run", SIZES, QUICK)
    with pytest.raises(InputError, match="no data set"):
        train_maneuver(tmp_path / "nowhere", tmp_path / "run", SIZES, QUICK)
