"""Cards, the list of models, and what cannot be exported."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from orbwatch.errors import InputError
from orbwatch.learn.samples.features import QUERY, feature_table
from orbwatch.models import export as exporting
from orbwatch.models.card import read_card, write_card
from orbwatch.models.registry import find_model, list_models, show
from orbwatch.models.runtime import TrajectoryForecaster
from orbwatch.models.trajectory import TrajectoryTransformer
from orbwatch.settings import as_json
from orbwatch.settings_groups import NetworkSettings

from .packaged import SMALL, scaler, variant


def test_card_says_what_it_is(model: Path) -> None:
    card = show(model).card
    assert (card.name, card.kind, card.members, card.note) == ("two", "trajectory", 2, "for a test")
    assert card.data == {"windows": 3}
    assert len(card.features) == 24
    assert sorted(card.files) == [f"member-{k}.{n}" for k in (0, 1) for n in ("head.onnx", "scaler.json", "trunk.onnx")]
    assert card.parameters > 0
    assert write_card(card, model) == read_card(model) == card
    assert str(model) not in (model / "member-0.trunk.onnx").read_bytes().decode("latin-1")
    assert b"site-packages" not in (model / "member-0.trunk.onnx").read_bytes()


def test_models_are_listed_by_folder(model: Path, tmp_path: Path) -> None:
    packaged_ones = list_models()
    assert [f.card.name for f in list_models(model)] == [f.card.name for f in packaged_ones] + ["two"]
    assert list_models(model.parent)[-1].folder == model
    assert find_model(str(model)) == model
    with pytest.raises(InputError, match="no model in this folder"):
        list_models(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 99}, "another version"),
        ({"surplus": 1}, "missing or unknown"),
        ({"kind": "weather"}, "not a model of trajectories"),
        ({"fallback": ["XEO"]}, "unknown group"),
        ({"features": [{"name": "other"}]}, "other features"),
    ],
)
def test_cards_that_do_not_fit_are_refused(model: Path, tmp_path: Path, change: dict[str, Any], message: str) -> None:
    place = variant(model, tmp_path / "m") / "card.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | change))
    with pytest.raises(InputError, match=message):
        TrajectoryForecaster.load(place.parent)


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_broken_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(InputError, match=r"card\.json"):
        show(tmp_path)


def test_a_broken_network_is_refused_even_with_its_hash(model: Path, tmp_path: Path) -> None:
    broken = variant(model, tmp_path / "m", {"member-0.head.onnx": b"no network"})
    with pytest.raises(InputError, match="not a readable network"):
        TrajectoryForecaster.load(broken)


def test_number_of_members_and_checkpoints(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="number of networks"):
        exporting.export([], tmp_path, SMALL)
    with pytest.raises(InputError, match="number of networks"):
        exporting.export_checkpoints([], tmp_path)


def checkpoint(path: Path, seed: int, settings: NetworkSettings = SMALL, data: str = "d") -> Path:
    """What a training run leaves, as far as exporting needs it."""
    torch.manual_seed(seed)
    weights = TrajectoryTransformer(settings).state_dict()
    names = [feature._asdict() for feature in feature_table()]
    carried = {"network": as_json(settings), "train": {"epochs": 2}, "scaler": scaler().to_dict(), "windows": 88}
    carried |= {"features": names, "query": [feature._asdict() for feature in QUERY], "data_sha256": data}
    torch.save({"state_dict": {f"network.{k}": v for k, v in weights.items()}, "orbwatch": carried}, path)
    return path


def test_checkpoints_become_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[float] = []
    monkeypatch.setattr(exporting, "export_member", lambda model, *_: made.append(model.place.sum().item()))
    runs = [checkpoint(tmp_path / f"{k}.ckpt", k) for k in (0, 1)]
    card = exporting.export_checkpoints(runs, tmp_path / "m", data={"split": "by object"}, fallback=["GEO"])
    assert len(set(made)) == card.members == 2
    assert card.data == {"data_sha256": "d", "windows": 88, "windows_of_members": [88, 88], "split": "by object"}
    assert (card.train, card.fallback) == ({"epochs": 2}, ["GEO"])
    other = checkpoint(tmp_path / "other.ckpt", 2, replace(SMALL, layers=2))
    with pytest.raises(InputError, match=r"other\.ckpt.*unlike the others"):
        exporting.export_checkpoints([*runs, other], tmp_path / "m")
    other = checkpoint(tmp_path / "other.ckpt", 2, data="e")
    with pytest.raises(InputError, match=r"other\.ckpt.*trained on other data"):
        exporting.export_checkpoints([*runs, other], tmp_path / "m")
