"""Which models there are: those that come with orbwatch, and those in folders of the user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orbwatch.errors import InputError
from orbwatch.models.card import CARD, Card, read_card

PACKAGED = Path(__file__).parent / "weights"
RUN_MODEL = "model"
"""Where in the folder of a training run its model is."""


@dataclass(frozen=True)
class Found:
    """A model and where it lies."""

    folder: Path
    card: Card


def list_models(*folders: Path) -> list[Found]:
    """The packaged models and those in `folders` (each a model's folder, or one that holds some), by name.

    Raises InputError for a folder without a model, and for a broken card.
    """
    found = _inside(PACKAGED)
    for folder in folders:
        more = [_found(folder)] if (folder / CARD).is_file() else _inside(folder)
        if not more:
            raise InputError("no model in this folder", file=folder, legal=f"a folder with {CARD}")
        found += more
    return found


def find_model(name: str | Path) -> Path:
    """The folder of a packaged model's name, of a path, or of a training run's model. Raises InputError for others."""
    if (PACKAGED / name / CARD).is_file():
        return PACKAGED / name
    for folder in (Path(name), Path(name) / RUN_MODEL):
        if (folder / CARD).is_file():
            return folder
    names = ", ".join(sorted(path.parent.name for path in PACKAGED.glob(f"*/{CARD}"))) or "none"
    legal = f"a folder with {CARD}, or a packaged model: {names}"
    raise InputError("no such model", field="model", value=str(name), legal=legal)


def show(name: str | Path) -> Found:
    """A model by its packaged name or folder. Raises InputError where there is none, or its card is broken."""
    return _found(find_model(name))


def _found(folder: Path) -> Found:
    return Found(folder, read_card(folder))


def _inside(folder: Path) -> list[Found]:
    return [_found(card.parent) for card in sorted(folder.glob(f"*/{CARD}"))]
