"""Predicted approaches out of a history of element sets: screened at every midnight, as an operator would have.

A folder holds one file for each midnight, and when all are there, predictions.parquet, which `train collision` takes.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Int

from orbwatch.catalog.history import clean_history, read_sets
from orbwatch.catalog.kinds import kinds_of
from orbwatch.catalog.written import make_folder, write_atomically
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.learn.samples.dataset import Built, most_memory_mb
from orbwatch.learn.screening.screened_day import AHEAD_DAY, screened_after, screened_ahead, with_truth
from orbwatch.progress import Progress, silent
from orbwatch.settings import as_json
from orbwatch.settings_groups import ScreenedSettings
from orbwatch.time import format_utc

PREDICTIONS = "predictions.parquet"
MANIFEST = "screened.json"
_LEARNING_DAY = 10
"""Days at the beginning of a history in which many objects have no set yet."""


def build_predictions(
    settings: ScreenedSettings,
    history: Path,
    folder: Path,
    names: Mapping[int, str],
    without_engine: Collection[int] = (),
    progress: Progress = silent,
) -> Built:
    """Screens the objects of a history at every midnight, or at those that are missing in the folder.

    names, by catalogue number, and the numbers of payloads without an engine tell what cannot maneuver. Raises
    InputError for a history that cannot be read, is too short or holds too few such objects, and for a folder of other
    settings or another history.
    """
    started = time.perf_counter()
    progress("reading the history", 0.0)
    sets, _ = read_sets(history)
    ids = np.unique(sets.norad_id)
    if settings.passive:
        ids = ids[(kinds_of(ids, names) == "passive") | np.isin(ids, np.array(sorted(without_engine), np.int64))]
    chosen = choose_objects(settings, ids, history)
    sets = sets[np.isin(sets.norad_id, chosen)]
    later = clean_history(sets).table
    days = midnights(settings, later.epoch_us, history)
    make_folder(folder)
    _settle(
        folder,
        {"settings": as_json(replace(settings, threads=1)), "sets_sha256": sets.content_hash(), "objects": len(chosen)},
    )
    for i, day in enumerate(days):
        file = folder / f"{format_utc(day)[:10]}.parquet"
        if file.is_file():
            continue
        progress(f"midnight {i + 1} of {len(days)}", i / len(days))
        # The day before was listed by runs since the first midnight only: before it, nothing was predicted.
        parts = [screened_after(later, day - DAY_US, settings.threads)] if i else []
        parts += [screened_ahead(sets, day, settings.threads)] if day <= days[-1] - DAY_US else []
        _write(pl.concat(parts), file)
    frame = pl.concat([pl.read_parquet(folder / f"{format_utc(day)[:10]}.parquet") for day in days])
    frame = frame.filter(pl.Series(with_truth(later, frame)))
    if not len(frame):
        hint = "More objects or days are needed, with sets every day"
        raise InputError("no approach below 5 km whose end can be told", file=history, hint=hint)
    _write(frame, folder / PREDICTIONS)
    size = sum(file.stat().st_size for file in folder.iterdir())
    return Built(len(frame), size, time.perf_counter() - started, most_memory_mb())


def choose_objects(settings: ScreenedSettings, ids: Int[np.ndarray, " n"], history: Path) -> Int[np.ndarray, " m"]:
    """As many of the objects as are wanted. Raises InputError for fewer than two."""
    if 0 < settings.objects < len(ids):
        ids = np.sort(np.random.default_rng(settings.seed).choice(ids, settings.objects, replace=False))
    if len(ids) < 2:
        hint = (
            "Names tell what is passive (--names), GCAT what has no engine (--gcat); --no-passive takes all"
            if settings.passive
            else None
        )
        raise InputError("fewer than two objects to screen", file=history, value=len(ids), hint=hint)
    return ids


def midnights(settings: ScreenedSettings, epoch_us: Int[np.ndarray, " n"], history: Path) -> list[int]:
    """Of the days to screen, UTC microseconds: the last ones of the history, after its beginning.

    Raises InputError where there are fewer than two.
    """
    first = int(np.quantile(epoch_us, 0.001)) // DAY_US + _LEARNING_DAY
    last = int(np.quantile(epoch_us, 0.999)) // DAY_US
    first = max(first, last - settings.days + 1) if settings.days else first
    if last - first < 1:
        legal = f"{_LEARNING_DAY + AHEAD_DAY} days or more"
        raise InputError("the history is too short", file=history, field="days", value=last - first + 1, legal=legal)
    return [day * DAY_US for day in range(first, last + 1)]


def _settle(folder: Path, made_of: dict[str, object]) -> None:
    """Writes the manifest, or compares with the one that is there."""
    path = folder / MANIFEST
    text = json.dumps(made_of, indent=1, sort_keys=True) + "\n"
    if path.is_file():
        if path.read_text() != text:
            raise InputError("the folder was begun with other settings or another history", file=path)
        return
    if any(folder.iterdir()):
        raise InputError("the folder holds something else", file=folder, hint="Give a new one")
    write_atomically(path, text.encode())


def _write(frame: pl.DataFrame, file: Path) -> None:
    rows = io.BytesIO()
    frame.write_parquet(rows)
    try:
        write_atomically(file, rows.getvalue())
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", file=file) from error
