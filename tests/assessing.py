"""What tests of `cdm assess` share: a good message, changed, assessed, refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from orbwatch.catalog.cdm_write import write_cdm
from orbwatch.messages_assess import How, Wanted, assess
from orbwatch.settings import Settings

from .conjunction.made_messages import made

TEXT = write_cdm(made())
SETTINGS = Settings()
QUICK = How(trials=0, curved=False)


def put(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text)
    return file


def changed(pattern: str, new: str, text: str = TEXT) -> str:
    made_over, count = re.subn(pattern, new, text, flags=re.MULTILINE)
    assert count
    return made_over


def run(place: Path, capsys: pytest.CaptureFixture[str], how: How = QUICK) -> tuple[int, list[dict[str, Any]], str]:
    code = assess([place], how, "2024-02-28T00:00:00", SETTINGS, Wanted("json"))
    out = capsys.readouterr()
    return code, json.loads(out.out), out.err


def one(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, how: How = QUICK) -> dict[str, Any]:
    code, entries, errors = run(put(tmp_path, "a.cdm", text), capsys, how)
    assert (code, errors) == (0, "")
    (entry,) = entries
    return entry


def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> str:
    code, entries, errors = run(put(tmp_path, "a.cdm", text), capsys)
    assert (code, entries) == (1, [])
    assert "a.cdm" in errors
    return errors


def pc(entry: dict[str, Any], method: str) -> float:
    return next(each["pc"] for each in entry["results"] if each["method"] == method)


def line(pattern: str, text: str) -> int:
    return next(i for i, row in enumerate(text.split("\n"), 1) if re.match(pattern, row))
