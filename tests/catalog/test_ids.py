from __future__ import annotations

from pathlib import Path

import pytest

from orbwatch.catalog.ids import read_ids
from orbwatch.errors import InputError


def test_reads_any_layout_each_once(tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("norad_id\n25544, 5  # the station\n\n999999999 5\n")
    assert read_ids(file) == [25544, 5, 999_999_999]


@pytest.mark.parametrize(
    ("text", "what"), [("5\nISS\n", "line 2"), ("-7\n", "line 1"), ("1234567890\n", "1..999999999")]
)
def test_a_wrong_number_is_located(tmp_path: Path, text: str, what: str) -> None:
    file = tmp_path / "ids.txt"
    file.write_text(text)
    with pytest.raises(InputError, match=what):
        read_ids(file)


def test_an_empty_list_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("# none\n")
    with pytest.raises(InputError, match="no catalogue numbers"):
        read_ids(file)
