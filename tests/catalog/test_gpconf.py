"""gpconf, the conformance corpus for GP readers (https://gpconf.neogy.dev): every case that needs no fetched data."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

OFFLINE = ("alpha5-encoding-vectors", "alpha5-tle-derived", "corrupt-input", "kvn-syntax-variants", "tle-writer-alpha5")

pytestmark = pytest.mark.skipif(importlib.util.find_spec("gpconf") is None, reason="needs gpconf")


def results(adapter: str, folder: Path) -> list[dict[str, Any]]:
    report = folder / "report.json"
    command = [sys.executable, "-m", "gpconf", "run", "--adapter", f"gpconf_adapter:{adapter}", "--data", str(folder)]
    command += ["--json", str(report), *(word for case in OFFLINE for word in ("--case", case))]
    subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, check=False, timeout=120)
    return json.loads(report.read_text())["results"]


def test_every_case_that_needs_no_fetched_data_passes(tmp_path: Path) -> None:
    found = results("Adapter", tmp_path)
    assert sorted(one["case"] for one in found) == sorted(OFFLINE)
    for one in found:
        assert one["status"] in ("pass", "pass-tolerance"), [x for x in one["items"] if x["status"] == "fail"]
        assert one["counts"].get("skip", 0) == 0, one


def test_counters_differ_only_where_the_file_leaves_them_out(tmp_path: Path) -> None:
    items = [item for one in results("WithCounters", tmp_path) for item in one["items"] if item["status"] == "fail"]
    assert [item["check"] for item in items] == ["values"]
    assert "v05-omm-3.0-header-optional-keywords-omitted" in items[0]["file"]
    assert "keyword omitted in source" in items[0]["detail"]
