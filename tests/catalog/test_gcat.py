"""GCAT's payloads: who has no engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbwatch.catalog.gcat import read_unpropelled
from orbwatch.errors import InputError


def test_payloads_without_propulsion(tmp_path: Path) -> None:
    path = tmp_path / "psatcat.tsv"
    path.write_text(
        "#JCAT\tName\tMvr\n# Updated\n\nS00005\tVanguard 1\t-\nS00900\tOther\tM\nA01234\tNo number\t-\nS12\n"
    )
    assert read_unpropelled(path) == {5}
    path.write_text("norad\tname\n5\tVanguard\n")
    with pytest.raises(InputError, match="not GCAT"):
        read_unpropelled(path)
