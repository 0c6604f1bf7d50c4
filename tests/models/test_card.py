"""Cards, the list of models, and what cannot be exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orbwatch.errors import InputError
from orbwatch.models.card import read_card, write_card
from orbwatch.models.export import export, export_checkpoints
from orbwatch.models.registry import find_model, list_models, show
from orbwatch.models.runtime import TrajectoryForecaster

from .packaged import SMALL, variant


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
        ({"fallback": ["XEO"]}, "unknown regime"),
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
        export([], tmp_path, SMALL)
    with pytest.raises(InputError, match="no checkpoint"):
        export_checkpoints([], tmp_path)
