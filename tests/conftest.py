"""Shapes are checked at run time, floating-point faults raise, and real data comes from `ORBWATCH_DATA`."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import settings
from jaxtyping import install_import_hook
from jaxtyping._import_hook import _JaxtypingLoader

SRC = Path(__file__).parent.parent / "src" / "orbwatch"

# numba compiles the functions of *_kernel modules itself: a Python wrapper around them would not compile.
_checked = [
    name
    for _, name, is_package in pkgutil.walk_packages([str(SRC)], "orbwatch.", onerror=lambda _: None)
    if not is_package and not name.endswith("_kernel")
]
install_import_hook(_checked, "beartype.beartype")

if "SLIPCOVER_ENABLED" in os.environ:
    # Lines are counted in the code with the checks: its finder asks the one above, and no cache lies between the two.
    sys.meta_path.sort(key=lambda finder: type(finder).__name__ != "SlipcoverMetaPathFinder")
    _JaxtypingLoader.get_code = lambda loader, _: loader.source_to_code(loader.get_data(loader.path), loader.path)

# A busy machine is no failure, and a failure comes with the example that makes it again.
settings.register_profile("orbwatch", deadline=None, print_blob=True)
settings.load_profile("orbwatch")


@pytest.fixture(autouse=True)
def _numpy_faults_raise() -> Iterator[None]:
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        yield


@pytest.fixture(scope="session")
def scoringrules() -> ModuleType:
    """Scores of others. A fixture, as numba compiles them at import: only where they are used."""
    return importlib.import_module("scoringrules")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and reference cases; tests that need it are skipped without it."""
    folder = os.environ.get("ORBWATCH_DATA")
    if not folder:
        pytest.skip("needs real data: set ORBWATCH_DATA to the folder that holds data/ and reference/")
    return Path(folder)


@pytest.fixture(scope="session")
def reference(shared: Path) -> Path:
    return shared / "reference"


@pytest.fixture(scope="session")
def data(shared: Path) -> Path:
    return shared / "data"
