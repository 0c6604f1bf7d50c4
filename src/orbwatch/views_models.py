"""What `models` and `forecast` do and say."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np

from orbwatch.errors import InputError
from orbwatch.report.tabular import Format, emit, emit_json


def show_models(form: Format) -> None:
    """The packaged models."""
    from orbwatch.models.registry import list_models

    found = [model.card for model in list_models()]
    columns: dict[str, Any] = {
        "name": [card.name for card in found],
        "kind": [card.kind for card in found],
        "networks": np.array([card.members for card in found], np.int64),
        "parameters": np.array([card.parameters for card in found], np.int64),
        "trained on": [f"{card.data.get('windows', 0):,} windows" for card in found],
        "created (UTC)": [card.created_utc for card in found],
        "physics instead in": [", ".join(card.fallback) or "no regime" for card in found],
    }
    emit(columns, form, title="Packaged models")


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
    for key, value in facts.items():
        if not isinstance(value, dict):
            click.echo(f"{key:12} {value}")
    for key, value in facts.items():
        if isinstance(value, dict):
            click.echo(f"\n{key}")
            for inner, item in value.items():
                click.echo(f"  {inner:28} {json.dumps(item) if isinstance(item, dict | list) else item}")


def forecast_track(
    file: Path, sigma_m: float | None, frame: str | None, model: str, minutes: tuple[int, ...], level: float, form: Any
) -> int:
    """Forecast the objects of a track file; 1 when none could be."""
    from orbwatch.catalog.tracks import read_tracks
    from orbwatch.models.track_forecast import forecast_tracks

    tracks = read_tracks(file, sigma_m, frame)
    made = forecast_tracks(tracks, model, minutes, level)
    for row in tracks.rejected:
        click.echo(f"put aside: {row}", err=True)
    for name, reason in made.refused.items():
        click.echo(f"no forecast for {name}: {reason}", err=True)
    emit(made.columns(), form, title=made.title(), limit=60)
    return 0 if len(made.name) else 1


def check_minutes(text: str) -> tuple[int, ...]:
    """Forecast times from the command line: whole minutes, separated by commas."""
    try:
        minutes = tuple(int(part) for part in text.split(","))
    except ValueError:
        minutes = ()
    if not minutes or not all(1 <= minute <= 30 for minute in minutes):
        raise InputError(
            "not forecast times", file="command line", field="--minutes", value=text, legal="1 to 30, commas between"
        )
    return minutes
