"""The verbs of the catalogue's forecaster, from a history to a measured model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from orbwatch.catalog.history import write_history
from orbwatch.catalog.ids import read_names
from orbwatch.cli import cli
from orbwatch.errors import InputError

from ..learn.wandering import wandering

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

TABLE = wandering(objects=60, sets=120)


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history with names, askings of it, and a training run with its model."""
    place = tmp_path_factory.mktemp("catalog")
    write_history(TABLE, place / "history.parquet")
    ids = np.unique(TABLE.norad_id)
    kinds = ("STARLINK-1", "COSMOS DEB", "SL-8 R/B", "METEOR 1")
    lines = [f"{norad_id}\t{kinds[at % 4]}\tx" for at, norad_id in enumerate(ids.tolist())]
    (place / "objects.tsv").write_text("\n".join(["norad\tname\tintldes", *lines]) + "\n")
    data = run("dataset", "catalog", "--history", place / "history.parquet", "--output", place / "asks",
               "--train-share", 0.5, "--step-day", 0.5, "--step-low-day", 0.5)  # fmt: skip
    assert data.exit_code == 0, data.output
    assert "askings" in data.stderr
    trained = run("train", "catalog", "--data", place / "asks", "--history", place / "history.parquet", "--output",
                  place / "run", "--epochs", 2, "--batch", 64, "--width", 16, "--heads", 2, "--layers", 1,
                  "--feedforward", 16, "--threads", 1, "--device", "cpu")  # fmt: skip
    assert trained.exit_code == 0, trained.output
    assert "median error after 3 days" in trained.stderr
    return place


def test_a_model_is_packed_and_measured(folder: Path) -> None:
    words = ("--data", folder / "asks", "--history", folder / "history.parquet")
    result = run("evaluate", "catalog", "--model", folder / "run", *words, "--names", folder / "objects.tsv",
                 "--format", "json")  # fmt: skip
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert {"ratio", "ratio_low", "inside_90", "sgp4_median_km"} <= rows[0].keys()
    assert {row["kind"] for row in rows} <= {"starlink", "passive", "payload"}
    assert all(row["ratio_low"] <= row["ratio"] <= row["ratio_high"] for row in rows)
    assert all(0.0 <= row["inside_50"] <= row["inside_90"] <= row["inside_99"] <= 1.0 for row in rows)
    again = run("models", "pack", folder / "run", *words, "--output", folder / "packed", "--name", "mine")
    assert again.exit_code == 0, again.output
    shown = run("models", "show", folder / "packed", "--format", "json")
    assert json.loads(shown.stdout)["kind"] == "catalog"


def test_what_does_not_belong_together(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.parquet"
    write_history(TABLE[:-1], other)
    result = run("models", "pack", folder / "run", "--data", folder / "asks", "--history", other, "--output", tmp_path)
    assert "not the history" in str(result.exception)
    result = run("train", "trajectory", "--data", tmp_path, "--output", tmp_path / "run")
    assert "no data set here" in str(result.exception)


def test_names_by_number(folder: Path, tmp_path: Path) -> None:
    names = read_names(folder / "objects.tsv")
    assert len(names) == 60
    assert set(names.values()) == {"STARLINK-1", "COSMOS DEB", "SL-8 R/B", "METEOR 1"}
    satcat = tmp_path / "satcat.csv"
    satcat.write_text("OBJECT_NAME,NORAD_CAT_ID\nVANGUARD 1,5\nNO NUMBER,\n")
    assert read_names(satcat) == {5: "VANGUARD 1"}
    satcat.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="a column is missing"):
        read_names(satcat)
