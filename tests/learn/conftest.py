"""A small data set, built once for all tests here."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbwatch.learn.samples.dataset import build
from orbwatch.settings_groups import DatasetSettings


@pytest.fixture(scope="session")
def tiny_settings() -> DatasetSettings:
    return DatasetSettings(objects=10, hours=1.2, workers=1, burn_share=1.0, burn_interval_min=60.0)


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory, tiny_settings: DatasetSettings) -> Path:
    """Ten objects, 72 rows and 23 windows each, with burns. Tests must not change it."""
    folder = tmp_path_factory.mktemp("tiny") / "data"
    build(tiny_settings, folder)
    return folder
