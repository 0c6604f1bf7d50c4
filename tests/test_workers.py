"""Jobs by several processes: in order, with their errors."""

from __future__ import annotations

import math

import pytest

from orbwatch.workers import in_order


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order_and_errors_too(workers: int) -> None:
    assert list(in_order(math.sqrt, (float(k * k) for k in range(9)), workers)) == list(range(9))
    results = in_order(math.sqrt, [4.0, -1.0, 9.0], workers)
    assert next(results) == 2.0
    with pytest.raises(ValueError, match="math domain"):
        next(results)
