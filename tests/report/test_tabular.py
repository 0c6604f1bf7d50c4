from __future__ import annotations

import io
import json

import numpy as np
import polars as pl
import pytest

from orbwatch.report.tabular import Format, emit

COLUMNS = {"norad_id": np.array([5, 25544]), "miss_km": np.array([0.25, np.nan]), "name": ["A", "B"]}


def written(form: Format, limit: int | None = None) -> bytes:
    out = io.BytesIO()
    emit(COLUMNS, form, out, title="approaches", limit=limit, numbers={"miss_km": ".3f"})
    return out.getvalue()


def test_csv_and_parquet_keep_every_value_and_leave_nan_empty() -> None:
    assert written("csv") == b"norad_id,miss_km,name\n5,0.25,A\n25544,,B\n"
    assert pl.read_parquet(io.BytesIO(written("parquet"))).rows() == [(5, 0.25, "A"), (25544, None, "B")]


def test_json_is_strict() -> None:
    assert json.loads(written("json"))[1] == {"norad_id": 25544, "miss_km": None, "name": "B"}


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
