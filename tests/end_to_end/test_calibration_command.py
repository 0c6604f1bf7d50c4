"""`orbwatch calibration`, and forecasts with what it saved."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result

from orbwatch.catalog.history import write_history
from orbwatch.cli import cli
from orbwatch.constants import DAY_US
from orbwatch.time import format_utc
from orbwatch.views_calibration import DRIFT, sampled

from ..learn.wandering import wandering

TABLE = wandering(objects=20, sets=100)
NOW_US = int(TABLE.seen_us.max())


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("calibration")
    write_history(TABLE, place / "history.parquet")
    lines = [f"{norad_id}\tTHING DEB" for norad_id in np.unique(TABLE.norad_id)]
    (place / "names.tsv").write_text("\n".join(["norad\tname", *lines]) + "\n")
    return place


def test_measured_saved_and_used(folder: Path) -> None:
    history, saved = folder / "history.parquet", folder / "factors.json"
    result = run("calibration", "--history", history, "--days", 20, "--names", folder / "names.tsv", "--save", saved,
                 "--plot", folder / "page.html", "--format", "json")  # fmt: skip
    assert result.exit_code in (0, DRIFT), result.output
    assert ("drift: " in result.stderr) == (result.exit_code == DRIFT)
    rows = json.loads(result.stdout)
    assert {row["part"] for row in rows} >= {"all", "passive"}
    assert all(0.0 <= row["inside_90_low"] <= row["inside_90"] <= row["inside_90_high"] <= 1.0 for row in rows)
    assert "cells as calibrated" in result.stderr
    page = (folder / "page.html").read_text()
    assert "Do the regions hold?" in page
    assert "by day, adapted" in page
    factors = json.loads(saved.read_text())
    assert factors["objects"] == 20
    assert len(factors["history_sha256"]) == 64

    command = ("forecast", "--history", history, "--at", format_utc(NOW_US), "--format", "parquet", "--output")
    plain, adapted = folder / "plain.parquet", folder / "adapted.parquet"
    assert run(*command, plain).exit_code == 0
    result = run(*command, adapted, "--calibration", saved)
    assert result.exit_code == 0, result.output
    before, after = pl.read_parquet(plain), pl.read_parquet(adapted)
    assert after["method"][0] == f"catalog, adapted to {format_utc(NOW_US, 0)[:10]}"
    assert before.drop("k50", "k90", "k99", "k90_joint", "method").equals(
        after.drop("k50", "k90", "k99", "k90_joint", "method")
    )
    assert not np.allclose(before["k90"].to_numpy(), after["k90"].to_numpy())
    early = run(*command, adapted, "--calibration", saved, "--at", format_utc(NOW_US - DAY_US))
    assert "what came after the asking" in str(early.exception)


def test_the_terminals_table_and_errors(folder: Path, tmp_path: Path) -> None:
    history = folder / "history.parquet"
    ids = tmp_path / "ids.txt"
    ids.write_text("\n".join(map(str, np.unique(TABLE.norad_id)[:8])))
    result = run("calibration", "--history", history, "--ids", ids, "--days", 12)
    assert result.exit_code in (0, DRIFT), result.output
    assert "--format json gives all" in result.stdout
    early = format_utc(int(TABLE.epoch_us.min()))
    nothing = run("calibration", "--history", history, "--at", early)
    assert "no object has two element sets in this time" in str(nothing.exception)
    assert run("calibration").exit_code == 2
    track = run("forecast", "--track", tmp_path / "x.csv", "--calibration", tmp_path / "y.json")
    assert track.exit_code == 2


def test_a_sample_has_some_of_every_regime() -> None:
    many = wandering(objects=20, sets=1)
    rate = np.where(np.arange(20) < 14, 15.5, 1.0)
    table = replace(many, mean_motion_rev_day=rate, eccentricity=np.full(20, 1e-3))
    chosen = sampled(table, 12)
    assert len(chosen) == 12
    assert np.isin(chosen, table.norad_id[14:]).sum() >= 2
    np.testing.assert_array_equal(sampled(table, 0), table.norad_id)
