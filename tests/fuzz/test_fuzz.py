from __future__ import annotations

import pytest

from .fuzz_readers import ALL, fuzz


@pytest.mark.parametrize("name", sorted(ALL))
def test_only_our_own_errors_come_out(name: str) -> None:
    count = fuzz(ALL[name], inputs=150)
    assert count.read + count.refused == 150
