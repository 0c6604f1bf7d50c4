"""What was measured of a catalogue model, put into its card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orbwatch.errors import InputError
from orbwatch.learn.judging.metrics import Columns
from orbwatch.models.card import read_card, write_card

_KEYS = ("regime", "kind", "day")


def record_catalog(found: Columns, folder: Path) -> None:
    """Rows of `judge_catalog`, by regime, kind and horizon. Raises InputError where the card cannot be written."""
    names = [name for name in found if name not in _KEYS]
    figures = {
        f"{regime}, {kind}, {day:g} d": {
            name: value if isinstance(value, int) else round(value, 4)
            for name, value in zip(names, values, strict=True)
        }
        for regime, kind, day, *values in zip(*(found[name] for name in (*_KEYS, *names)), strict=True)
    }
    try:
        write_card(replace(read_card(folder), figures=figures), folder)
    except OSError as error:
        raise InputError(f"the model's card cannot be written: {error.strerror or error}", file=folder) from error
