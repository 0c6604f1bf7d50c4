"""Real crossings, drawn by brute force on the sgp4 library, are in the matrix."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np

from orbwatch.catalog.files import read_gp

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "matrix.py"


def benchmark() -> Any:
    """The benchmark, which is no part of any package that tests can import."""
    spec = importlib.util.spec_from_file_location("matrix_benchmark", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_real_crossings_are_found_where_the_library_has_them(data: Path) -> None:
    matrix = benchmark()
    file = next((data / "catalog_snapshots").glob("20250415*"))
    satrecs = matrix.low_objects(file, 400)
    truth = matrix.crossings(satrecs, 40)
    table = read_gp(file).table.newest()
    table = table[np.isin(table.norad_id, [one.satnum for one in satrecs])]
    got = matrix.score(table, satrecs, truth)
    assert (got.found, got.in_matrix, got.dense) == (40, 40, 40)
    assert got.shift_ms.max() < 1.0
    assert got.off_m.max() < 1.0
