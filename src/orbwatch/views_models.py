"""What `models` and `forecast` do and say."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from orbwatch.errors import InputError
from orbwatch.report.tabular import Format, emit, emit_facts, emit_json

if TYPE_CHECKING:
    from orbwatch.models.card import Card

_SHOWN = 10  # rows put aside that are named
_NUMBERS = {"horizon_min": "g", "region_radius": ".2f", "fit_rms": ".2f"}
_UNITS = {"_km_s": ".6f", "_km": ".3f", "_m": ".1f"}


def show_models(form: Format) -> None:
    """The packaged models."""
    from orbwatch.models.registry import list_models
    from orbwatch.report.model_words import figures_words, parameters_words, trained_words

    found = [model.card for model in list_models()]
    columns: dict[str, Any] = {
        "name": [card.name for card in found],
        "kind": [card.kind for card in found],
        "networks": np.array([card.members for card in found], np.int64),
        "parameters": [parameters_words(card) for card in found],
        "trained on": [trained_words(card) for card in found],
        "measured": [figures_words(card) for card in found],
        "created (UTC)": [card.created_utc for card in found],
        "physics instead in": [_physics(card) for card in found],
    }
    emit(columns, form, title="Packaged models")


def _physics(card: Card) -> str:
    """Where physics answers; a catalogue model takes a share of each correction to SGP4, fitted group by group."""
    if card.kind == "catalog":
        return "in part, by group"
    return ", ".join(card.fallback) or "nowhere"


def show_model(name: str, form: str) -> None:
    """A model's card."""
    from orbwatch.models.registry import show

    found = show(name)
    facts = asdict(found.card)
    if form == "json":
        emit_json(facts)
        return
    for key in ("features", "query"):
        facts[key] = ", ".join(feature["name"] for feature in facts[key])
    emit_facts(facts)


def forecast_track(
    file: Path, sigma_m: float | None, frame: str | None, model: str, minutes: tuple[int, ...], level: float, form: Any
) -> int:
    """Forecast the objects of a track file; 1 when none could be."""
    from orbwatch.catalog.tracks import read_tracks
    from orbwatch.models.track_forecast import forecast_tracks

    tracks = read_tracks(file, sigma_m, frame)
    made = forecast_tracks(tracks, model, minutes, level)
    for row in tracks.rejected[:_SHOWN]:
        click.echo(f"put aside: {row}", err=True)
    if len(tracks.rejected) > _SHOWN:
        click.echo(f"put aside: and {len(tracks.rejected) - _SHOWN:,} more", err=True)
    for name, reason in made.refused.items():
        click.echo(f"no forecast for {name}: {reason}", err=True)
    columns = made.columns()
    if form == "table":
        columns = {name: values for name, values in columns.items() if not name.startswith("cov_")}
    emit(columns, form, title=made.title(), limit=60, numbers={name: _number(name) for name in columns})
    return 0 if len(made.name) else 1


def _number(column: str) -> str:
    """How a terminal shows a column: by name, or by the unit at its end."""
    return _NUMBERS.get(column) or next((spec for unit, spec in _UNITS.items() if column.endswith(unit)), "")


def check_minutes(text: str) -> tuple[int, ...]:
    """Forecast times from the command line: whole minutes, separated by commas."""
    try:
        minutes = tuple(int(part) for part in text.split(","))
    except ValueError:
        minutes = ()
    if not minutes or not all(1 <= minute <= 30 for minute in minutes):
        raise InputError(
            "not forecast times",
            file="command line",
            field="--minutes",
            value=text,
            legal="whole minutes 1 to 30, separated by commas",
        )
    return minutes
