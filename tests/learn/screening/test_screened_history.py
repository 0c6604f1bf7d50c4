"""A history screened day by day: only what was public counts, every row is an approach, a folder goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import write_history
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.learn.samples.collision_predictions import read_predictions
from orbwatch.learn.screening.screened_day import screened_ahead
from orbwatch.learn.screening.screened_history import PREDICTIONS, build_predictions
from orbwatch.settings_groups import ScreenedSettings

from ..wandering import wandering

SETTINGS = ScreenedSettings(days=2, passive=False, threads=1)


@pytest.fixture(scope="module")
def sets() -> GpTable:
    return wandering(objects=50, sets=40)


def test_what_is_not_public_yet_changes_nothing(sets: GpTable) -> None:
    at_us = int(np.median(sets.epoch_us)) // DAY_US * DAY_US
    secret = sets.seen_us > at_us
    spoiled = replace(sets, mean_anomaly_deg=np.where(secret, 0.0, sets.mean_anomaly_deg))
    told = screened_ahead(sets, at_us, 1)
    assert len(told)
    assert told.equals(screened_ahead(spoiled, at_us, 1))
    assert told["tca"].dt.epoch("us").min() >= at_us


def test_a_folder_goes_on_and_is_read_as_predictions(sets: GpTable, tmp_path: Path) -> None:
    history, folder = tmp_path / "history.parquet", tmp_path / "out"
    write_history(sets, history)
    build_predictions(SETTINGS, history, folder, {})
    first = (folder / PREDICTIONS).read_bytes()
    days = sorted(folder.glob("2*.parquet"))
    assert len(days) == 2
    days[1].unlink()
    build_predictions(replace(SETTINGS, threads=2), history, folder, {})
    assert (folder / PREDICTIONS).read_bytes() == first
    table = read_predictions(folder / PREDICTIONS)
    speed = np.linalg.norm(table.v_km_s, axis=1)
    assert (np.linalg.norm(table.r_km, axis=1) < 5.0).all()
    assert np.abs((table.r_km * table.v_km_s).sum(axis=1) / speed).max() < 0.02  # nearest there
    assert set(pl.read_parquet(folder / PREDICTIONS)["horizon_days"]) <= {1, 7}
    with pytest.raises(InputError, match="other settings"):
        build_predictions(replace(SETTINGS, seed=2), history, folder, {})


def test_without_names_nothing_is_known_to_be_passive(sets: GpTable, tmp_path: Path) -> None:
    write_history(sets, tmp_path / "history.parquet")
    with pytest.raises(InputError, match="fewer than two objects"):
        build_predictions(ScreenedSettings(), tmp_path / "history.parquet", tmp_path / "out", {})
