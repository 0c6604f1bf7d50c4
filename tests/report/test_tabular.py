from __future__ import annotations

import io
import json

import numpy as np
import polars as pl
import pytest

from orbwatch.report.tabular import Format, emit, emit_facts

COLUMNS = {
    "norad_id": np.array([5, 25544]),
    "miss_km": np.array([0.25, np.nan]),
    "axis_m": np.array([np.inf, 2.0]),
    "name": ["A", "B"],
}


def written(form: Format, limit: int | None = None) -> bytes:
    out = io.BytesIO()
    emit(COLUMNS, form, out, title="approaches", limit=limit, numbers={"miss_km": ".3f"})
    return out.getvalue()


def test_csv_and_parquet_keep_every_value_and_leave_what_is_not_finite_empty() -> None:
    assert written("csv") == b"norad_id,miss_km,axis_m,name\n5,0.25,,A\n25544,,2.0,B\n"
    assert pl.read_parquet(io.BytesIO(written("parquet"))).rows() == [(5, 0.25, None, "A"), (25544, None, 2.0, "B")]


def test_json_is_strict() -> None:
    first, second = json.loads(written("json"))
    assert first == {"norad_id": 5, "miss_km": 0.25, "axis_m": None, "name": "A"}
    assert second == {"norad_id": 25544, "miss_km": None, "axis_m": 2.0, "name": "B"}


def test_missing_numbers_stay_missing() -> None:
    out = io.BytesIO()
    emit({"pc": [None, float("nan"), float("-inf"), 0.5], "note": [None, None, None, None]}, "csv", out)
    assert out.getvalue() == b"pc,note\n,\n,\n,\n0.5,\n"


@pytest.mark.parametrize(("limit", "more"), [(None, False), (1, True)])
def test_terminal_table_says_what_it_leaves_out(limit: int | None, more: bool) -> None:
    text = written("table", limit).decode()
    assert "0.250" in text
    assert ("1 more rows" in text) is more


def test_a_terminal_table_is_never_cut_and_names_are_no_mark_up() -> None:
    names = ["[/] [bold]x[/bold] :smile:", "y" * 300]
    out = io.BytesIO()
    emit({"name": names, "norad_id": np.array([999999999, 5])}, "table", out)
    text = out.getvalue().decode()
    assert all(name in text for name in names)
    assert "999999999" in text


def test_columns_of_an_empty_result_keep_their_types() -> None:
    out = io.BytesIO()
    emit({"norad_id": np.zeros(0, np.int64), "miss_km": np.zeros(0), "name": []}, "parquet", out)
    assert list(pl.read_parquet(out.getvalue()).schema.values()) == [pl.Int64, pl.Float64, pl.String]


def test_facts_stand_one_a_line_with_groups_below_their_names() -> None:
    digest = "d" * 130
    facts = {
        "windows": 5,
        "split": {"train": 3, "why": {"LEO": [1, 2]}, "none": {}},
        "note": "long " * 60,
        "hash": digest,
        "empty": "",
        "gone": None,
        "torch": False,
    }
    out = io.BytesIO()
    emit_facts(facts, out, title="data")
    lines = out.getvalue().decode().splitlines()
    assert lines[:4] == ["data", "windows  5", "split", "  train  3"]
    assert "    LEO  1, 2" in lines
    assert lines[-3:] == ["empty    -", "gone     -", "torch    no"]
    assert max(len(line) for line in lines if digest not in line) <= 120
    assert f"hash     {digest}" in lines
    assert sum(line.count("long") for line in lines) == 60
