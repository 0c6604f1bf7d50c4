"""A kernel whose dependencies have changed must be compiled anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from .kernel_stamps import SRC, dependencies, kernels, stamped


@pytest.mark.parametrize("kernel", kernels(), ids=lambda path: path.stem)
def test_stamp_is_that_of_what_it_is_compiled_with(kernel: Path) -> None:
    assert kernel.read_text() == stamped(kernel), "run: python tests/kernel_stamps.py"


def test_dependencies_are_found() -> None:
    names = {path.stem for path in dependencies(SRC / "orbwatch" / "propagate" / "field_kernel.py")}
    assert names == {"zonal_kernel"}
