"""The exported classifier tells what the network tells, calibrated, whichever way its windows fall."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from orbwatch.errors import InputError
from orbwatch.models.card import HEAD, SCALER, TRUNK, read_json, write_card
from orbwatch.models.maneuver import ManeuverClassifier
from orbwatch.models.maneuver_calibration import Labelled, ManeuverCalibration
from orbwatch.models.maneuver_export import export_classifiers, load_classifier
from orbwatch.models.maneuver_runtime import ManeuverModel, Told
from orbwatch.models.runtime import TrajectoryForecaster
from orbwatch.models.trajectory import parameters
from orbwatch.settings_groups import ClassifierSettings

SIZES = {"channels": 16, "hidden": 8, "attention": 2, "drop": 0.3}
FEATURES = ("a", "b", "c")


def checkpoint(path: Path, seed: int) -> Path:
    """An untrained network as a training run leaves it."""
    torch.manual_seed(seed)
    network = ManeuverClassifier(ClassifierSettings(**SIZES), 3, 4, 2)  # type: ignore[arg-type]
    carried = {
        "network": SIZES, "train": {}, "kinds": ["none", "x", "y", "z"], "patterns": ["p", "q"],
        "features": list(FEATURES), "units": "", "windows": 5,
        "scaler": {"features": list(FEATURES), "mean": [0.5, 0.0, 0.0], "spread": [2.0, 1.0, 1.0]},
    }  # fmt: skip
    weights = {f"average.{name}": value for name, value in network.state_dict().items()}
    torch.save({"orbwatch": carried, "state_dict": weights}, path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("maneuver")
    model = place / "model"
    card = export_classifiers([checkpoint(place / "1.ckpt", 1)], model)
    # A second member of the same weights, to whom the gaps look otherwise: exporting one takes seconds.
    for name in (TRUNK, HEAD):
        shutil.copyfile(model / name.format(0), model / name.format(1))
    scaler = read_json(model / SCALER.format(0)) | {"spread": [1.0, 1.0, 1.0]}
    (model / SCALER.format(1)).write_text(json.dumps(scaler))
    write_card(replace(card, members=2), model)
    return model


@pytest.fixture(scope="module")
def given() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return rng.normal(size=(58, 3)).astype(np.float32), np.repeat([4, 5, 6], [33, 20, 5])


def test_default_network_is_within_its_limit() -> None:
    assert parameters(ManeuverClassifier(ClassifierSettings())) <= 719_000


def test_onnx_and_torch_agree(folder: Path, given: tuple[np.ndarray, np.ndarray]) -> None:
    features, owner = given
    model = ManeuverModel.load(folder)
    network, scaler, _ = load_classifier(folder.parent / "1.ckpt")
    x = torch.from_numpy(scaler.apply(features[33:53], np.ones(20, np.bool_))[None])
    with torch.no_grad():
        kind, pattern = network(x, torch.ones(1, 20) > 0)
    found = model.logits(features, owner)
    assert found.shape == (2, 58, 4)
    np.testing.assert_allclose(found[0, 33:53], kind[0].numpy(), atol=2e-5)
    told = model.pattern_logits(features, owner, np.array([33]))
    np.testing.assert_allclose(told[0], pattern.numpy(), atol=2e-5)


def test_objects_do_not_see_each_other(folder: Path, given: tuple[np.ndarray, np.ndarray]) -> None:
    features, owner = given
    model = ManeuverModel.load(folder)
    whole = model.tell(features, owner)
    parts = [model.tell(features[owner == one], owner[owner == one]).maneuver for one in (4, 5, 6)]
    np.testing.assert_allclose(whole.maneuver, np.concatenate(parts), atol=1e-6)
    np.testing.assert_allclose(whole.kinds.sum(axis=-1), 1.0, atol=1e-6)
    assert (whole.votes.disagreement.mutual_information > 0).any()
    np.testing.assert_allclose(model.score(features, owner), whole.maneuver)
    ids, patterns = model.last_patterns(features, owner)
    assert ids.tolist() == [4, 5, 6]
    assert patterns.shape == (2, 3, 2)
    assert model.tell(features[:0], owner[:0]).maneuver.shape == (0,)


def test_dropout_passes_differ_and_repeat(folder: Path, given: tuple[np.ndarray, np.ndarray]) -> None:
    features, owner = given
    model = ManeuverModel.load(folder)
    first, again = (model.tell_by_dropout(features, owner, passes=3, seed=1).kinds for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first[0] - first[1]).max() > 1e-4
    kept = model.logits(features, owner, np.ones((2, 1, 1, 1, 16), np.float32))
    np.testing.assert_allclose(kept[0], model.logits(features, owner)[0], atol=1e-6)


def test_calibration_makes_confidence_true_and_sets_hold(folder: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    n = 4000
    true = rng.normal(size=(n, 4)) + np.array([3.0, 0, 0, 0])
    p = np.exp(true) / np.exp(true).sum(axis=1, keepdims=True)
    label = (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    spoiled = 3.0 * (true - np.array([2.0, 0, 0, 0]))
    object_id = np.arange(n)
    made = ManeuverCalibration.fit(Labelled(spoiled, label, object_id), Labelled(true[:, :2], label % 2, object_id))
    assert made.kind_temperature == pytest.approx(3.0, rel=0.15)
    assert made.none_shift == pytest.approx(2.0, abs=0.2)
    np.testing.assert_allclose(made.kinds(spoiled)[:, 0].mean(), (label == 0).mean(), atol=0.01)
    burned = label > 0
    held = made.sets_of_kinds(made.kinds(spoiled), 0.9)[burned, label[burned] - 1].mean()
    assert 0.88 <= held <= 0.92
    made.write(tmp_path)
    again = ManeuverCalibration.read(tmp_path)
    np.testing.assert_array_equal(again.kinds(spoiled), made.kinds(spoiled))
    model = ManeuverModel.load(folder)
    made.write(folder)
    write_card(model.card, folder)
    assert ManeuverModel.load(folder).calibration.kind_temperature == made.kind_temperature


def test_other_models_and_members_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a model of trajectories"):
        TrajectoryForecaster.load(folder)
    with pytest.raises(InputError, match="not a model of maneuvers"):
        ManeuverModel.load("track")
    with pytest.raises(InputError, match="number of networks"):
        export_classifiers([], tmp_path)


def test_steady_thrust_is_no_burn() -> None:
    kinds = np.array([[[0.5, 0.3, 0.2], [1.0, 0.0, 0.0]]])
    told = Told(kinds, steady=2)
    np.testing.assert_allclose(told.maneuver, [0.5, 0.0])
    np.testing.assert_allclose(told.burn, [0.3, 0.0])
