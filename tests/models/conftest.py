"""Exported models that tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from .packaged import packaged


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with two members."""
    folder = tmp_path_factory.mktemp("models") / "two"
    packaged(folder, 2)
    return folder


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder whose heads are zero."""
    folder = tmp_path_factory.mktemp("models") / "untrained"
    packaged(folder, zero=True)
    return folder
