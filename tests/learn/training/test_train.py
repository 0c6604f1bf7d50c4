"""Training runs: what they leave, that they learn, exact resume after SIGKILL, and errors that name their cause."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from orbwatch.errors import InputError
from orbwatch.learn.samples.features import inputs
from orbwatch.learn.samples.sequences import SequenceStore
from orbwatch.learn.training import fit, run_folder
from orbwatch.learn.training.datamodule import Batch, TrackData
from orbwatch.learn.training.failures import TrainingError
from orbwatch.learn.training.forecaster import Forecaster
from orbwatch.learn.training.run_folder import RunFolder
from orbwatch.learn.training.train import Trained, train
from orbwatch.models.checkpoint import load_network, read_checkpoint
from orbwatch.settings_groups import NetworkSettings, TrainSettings

from ..small_store import write_store

NETWORK = {"width": 16, "heads": 2, "layers": 1, "feedforward": 16}
SETTINGS = {"epochs": 3, "batch": 64, "horizons": 4, "checkpoint_steps": 3, "threads": 1, "device": "cpu"}
SMALL, QUICK = NetworkSettings(**NETWORK), TrainSettings(**SETTINGS)  # type: ignore[arg-type]

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_store(folder)
    return folder


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(data, tmp_path_factory.mktemp("runs") / "whole", SMALL, QUICK)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def same_state(a: Path, b: Path) -> None:
    """Weights, their average, optimiser and schedule, bit for bit."""
    first, second = read_checkpoint(a), read_checkpoint(b)
    assert first["global_step"] == second["global_step"]
    assert list(first["state_dict"]) == list(second["state_dict"])
    for name, tensor in first["state_dict"].items():
        assert torch.equal(tensor, second["state_dict"][name]), name
    states = [c["optimizer_states"][0]["state"] for c in (first, second)]
    for key, state in states[0].items():
        assert all(torch.equal(state[name], states[1][key][name]) for name in ("step", "exp_avg", "exp_avg_sq"))
    assert first["lr_schedulers"] == second["lr_schedulers"]
    assert first["orbwatch"]["result"] == second["orbwatch"]["result"]


def test_what_a_run_leaves(run: Trained) -> None:
    steps = run.steps // 3
    assert run.epochs == 3
    assert not run.stopped_early
    assert {path.name for path in run.folder.iterdir()} == {
        *("config.json", "scaler.json", "last.ckpt", "best.ckpt", "metrics.csv", "loss.html", "tensorboard")
    }
    found = rows(run.folder)
    assert [int(row["step"]) for row in found if row["val_loss"]] == [steps, 2 * steps, 3 * steps]
    losses = [float(row["val_loss"]) for row in found if row["val_loss"]]
    assert min(losses) == pytest.approx(run.best_loss)
    assert run.best_epoch == 1 + int(np.argmin(losses))
    assert all(float(row["least_squares_30min_km_all"]) > 0.0 for row in found if row["val_loss"])
    assert run.windows_per_s > 0.0
    assert 0.0 <= run.waited_share <= 1.0
    assert "<svg" in run.loss_curve.read_text()
    assert list((run.folder / "tensorboard").iterdir())
    config = json.loads((run.folder / "config.json").read_text())
    assert config["network"]["width"] == 16
    assert [len(code) for code in (config["data_sha256"], *config["code_sha256"])] == [64, 64]
    assert run.samples >= run.windows


def test_a_checkpoint_can_be_used_elsewhere(run: Trained, data: Path) -> None:
    network, scaler, carried = load_network(run.best_checkpoint)
    assert len(carried["features"]) == 24
    assert carried["features"][0].keys() >= {"name", "unit"}
    assert carried["result"]["best_loss"] == run.best_loss
    store = SequenceStore.open(data)
    found = inputs(store.gather(store.ids("test")[:8]))
    x, query = scaler.apply(found)
    with torch.inference_mode():
        mean, factor = network(*(torch.from_numpy(a) for a in (x, found.valid, query, found.mix, found.log_scale)))
    assert mean.shape == (8, 30, 6)
    assert torch.isfinite(factor).all()


def test_shipped_weights_are_the_average(run: Trained) -> None:
    weights = read_checkpoint(run.best_checkpoint)["state_dict"]
    network = load_network(run.best_checkpoint)[0].state_dict()
    assert all(torch.equal(network[name], weights[f"average.{name}"]) for name in network)
    assert any(not torch.equal(network[name], weights[f"network.{name}"]) for name in network)


def test_the_same_seed_gives_the_same_weights(run: Trained, data: Path, tmp_path: Path) -> None:
    again = train(data, tmp_path / "again", SMALL, QUICK)
    same_state(run.last_checkpoint, again.last_checkpoint)


def test_sigkill_and_resume_give_the_same_weights(run: Trained, data: Path, tmp_path: Path) -> None:
    """Killed before an epoch's last batch, then in mid-epoch two batches after a checkpoint, then at an epoch's end."""
    epoch = run.steps // 3
    assert epoch % 3 != 0  # so that some checkpoints do not fall on an epoch's end
    output = tmp_path / "killed"
    kills = [str(step) for step in (epoch - 1, epoch + 4, 2 * epoch)]
    command = [sys.executable, str(Path(__file__).with_name("killed_training.py")), str(data), str(output)]
    subprocess.run([*command, json.dumps(NETWORK), json.dumps(SETTINGS), *kills], check=True)
    stopped_at = read_checkpoint(output / "last.ckpt")["global_step"]
    assert stopped_at == 2 * epoch
    said: list[tuple[float, str]] = []
    resumed = train(data, output, SMALL, QUICK, resume=True, progress=lambda words, f: said.append((f, words)))
    same_state(run.last_checkpoint, resumed.last_checkpoint)
    same_state(run.best_checkpoint, resumed.best_checkpoint)
    assert min(f for f, _ in said) > 2 / 3
    for a, b in zip(rows(run.folder), rows(resumed.folder), strict=True):
        assert a["step"] == b["step"]
        assert a["val_loss"] == b["val_loss"]


def test_resume_in_mid_epoch_has_only_the_remaining_batches(
    run: Trained, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, made = tmp_path / "stopped", []
    original = TrackData.train_batch

    def watched(self: TrackData, epoch: int, step: int, *rest: int) -> Batch:
        made.append((epoch, step))
        return original(self, epoch, step, *rest)

    interrupt_at(monkeypatch, 4)
    with pytest.raises(KeyboardInterrupt):
        train(data, output, SMALL, QUICK)
    monkeypatch.undo()
    monkeypatch.setattr(TrackData, "train_batch", watched)
    resumed = train(data, output, SMALL, QUICK, resume=True)
    same_state(run.last_checkpoint, resumed.last_checkpoint)
    steps = run.steps // 3
    assert made == [divmod(i, steps) for i in range(5, run.steps)]


def interrupt_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    original = Forecaster.training_step

    def interrupted(self: Forecaster, batch: Batch) -> torch.Tensor:
        if self.trainer.global_step == step:
            os.kill(os.getpid(), signal.SIGINT)
        return original(self, batch)

    monkeypatch.setattr(Forecaster, "training_step", interrupted)


def test_ctrl_c_leaves_a_checkpoint_of_that_step(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_at(monkeypatch, 1)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match=r"last\.ckpt"):
        train(data, tmp_path / "run", SMALL, QUICK)
    assert read_checkpoint(tmp_path / "run" / "last.ckpt")["global_step"] == 2
    assert signal.getsignal(signal.SIGINT) is before


def test_a_finished_run_is_not_trained_again(run: Trained, data: Path) -> None:
    before = run.last_checkpoint.read_bytes()
    assert train(data, run.folder, SMALL, QUICK, resume=True) == run
    assert run.last_checkpoint.read_bytes() == before


def test_a_run_that_goes_on_with_other_code_says_so(
    run: Trained, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = json.loads((run.folder / "config.json").read_text())["code_sha256"]
    interrupt_at(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        train(data, tmp_path / "run", SMALL, QUICK)
    monkeypatch.undo()
    monkeypatch.setattr(run_folder, "code_hash", lambda: "other")
    for _ in range(2):
        found = train(data, tmp_path / "run", SMALL, QUICK, resume=True)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["code_sha256"] == [*before, "other"]
    assert read_checkpoint(found.best_checkpoint)["orbwatch"]["code_sha256"] == [*before, "other"]


def test_early_stopping(data: Path, tmp_path: Path) -> None:
    settings = replace(QUICK, epochs=6, patience=2, learning_rate=1e-30)  # nothing ever gets better
    found = train(data, tmp_path / "run", SMALL, settings)
    assert found.stopped_early
    assert (found.epochs, found.best_epoch) == (3, 1)
    assert train(data, tmp_path / "run", SMALL, settings, resume=True) == found


def test_another_run_in_the_folder(run: Trained, data: Path) -> None:
    with pytest.raises(InputError, match="holds a training run already"):
        train(data, run.folder, SMALL, QUICK)
    with pytest.raises(InputError, match=r"train\.learning_rate = 0\.1.*legal: 0\.002"):
        train(data, run.folder, SMALL, replace(QUICK, learning_rate=0.1), resume=True)


def test_a_broken_checkpoint(run: Trained, data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.json").write_bytes((run.folder / "config.json").read_bytes())
    (folder / "last.ckpt").write_bytes(run.last_checkpoint.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"last\.ckpt: not a readable checkpoint"):
        train(data, folder, SMALL, QUICK, resume=True)
    with pytest.raises(InputError, match="no such checkpoint"):
        read_checkpoint(tmp_path / "none.ckpt")


def test_a_loss_that_is_not_a_number_names_the_windows(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = TrackData.train_batch
    bad: list[int] = []

    def spoiled(self: TrackData, epoch: int, step: int, *rest: int) -> Batch:
        batch = original(self, epoch, step, *rest)
        if (epoch, step) == (0, 2):
            batch.x[7] = float("nan")
            bad.append(int(batch.window[7]))
        return batch

    monkeypatch.setattr(TrackData, "train_batch", spoiled)
    with pytest.raises(TrainingError, match=r"epoch 1, batch 3, for 1 of 64 windows: \d+ \(object \d+\)") as caught:
        train(data, tmp_path / "run", SMALL, QUICK)
    assert f"windows: {bad[0]} " in str(caught.value)


def test_diverged_weights_are_told_from_bad_windows(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Forecaster.training_step

    def diverged(self: Forecaster, batch: Batch) -> torch.Tensor:
        if self.trainer.global_step == 1:
            with torch.no_grad():
                self.network.embed.weight.fill_(float("nan"))
        return original(self, batch)

    monkeypatch.setattr(Forecaster, "training_step", diverged)
    with pytest.raises(TrainingError, match=r"all 64 windows: the weights have diverged"):
        train(data, tmp_path / "run", SMALL, QUICK)


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory. Tried")])
def test_out_of_memory(error: Exception, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise error

    monkeypatch.setattr(Forecaster, "training_step", full)
    with pytest.raises(TrainingError, match=r"out of memory .* batches of 64. Lower train.batch"):
        train(data, tmp_path / "run", SMALL, QUICK)


def test_other_faults_are_not_hidden(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("something else")

    monkeypatch.setattr(TrackData, "train_batch", broken)
    with pytest.raises(RuntimeError, match="something else"):
        train(data, tmp_path / "run", SMALL, QUICK)


def test_progress_says_how_it_goes(data: Path, tmp_path: Path) -> None:
    said: list[tuple[float, str]] = []
    train(data, tmp_path / "run", SMALL, replace(QUICK, epochs=2), progress=lambda words, f: said.append((f, words)))
    assert [f for f, _ in said] == sorted(f for f, _ in said)
    assert said[-1][0] == 1.0
    assert any("epoch 2/2, loss" in words and "windows/s" in words for _, words in said)


def test_devices_and_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert fit.pick_device(replace(QUICK, device="auto")) == "cpu"
    assert fit.pick_precision(replace(QUICK, precision="auto"), "cpu") == "32-true"
    assert fit.pick_precision(replace(QUICK, precision="bf16"), "cpu") == "bf16-mixed"
    with pytest.raises(InputError, match="no GPU"):
        fit.pick_device(replace(QUICK, device="cuda"))
    with pytest.raises(InputError, match="needs a GPU"):
        fit.pick_precision(replace(QUICK, precision="fp16"), "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert fit.pick_device(replace(QUICK, device="auto")) == "cuda"
    assert fit.pick_precision(replace(QUICK, precision="auto"), "cuda") == "bf16-mixed"
    assert fit.pick_precision(replace(QUICK, precision="fp16"), "cuda") == "16-mixed"
    with pytest.raises(InputError, match="fewer GPUs"):
        fit.pick_device(replace(QUICK, device="cuda", devices=3))


def test_a_folder_that_cannot_be(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot make the output folder"):
        train(data, tmp_path / "file" / "run", SMALL, QUICK)
    with pytest.raises(InputError, match="not a readable file of a training run"):
        RunFolder(tmp_path).read_json("config.json")


def test_every_loss_and_bf16_train(data: Path, tmp_path: Path) -> None:
    for loss in ("nll", "crps", "energy", "huber"):
        settings = replace(QUICK, epochs=1, loss=loss, windows=64, precision="bf16" if loss == "crps" else "fp32")
        assert np.isfinite(train(data, tmp_path / loss, SMALL, settings).best_loss)


def test_two_processes_train_together(data: Path, tmp_path: Path) -> None:
    """DDP: each takes half of every batch, the first writes."""
    said: list[tuple[float, str]] = []
    settings = replace(QUICK, devices=2, epochs=1, windows=256)
    found = train(data, tmp_path / "run", SMALL, settings, progress=lambda words, f: said.append((f, words)))
    assert found.epochs == 1
    assert found.steps == 4
    assert np.isfinite(found.best_loss)
    assert any("windows/s" in words for _, words in said)
    load_network(found.best_checkpoint)
