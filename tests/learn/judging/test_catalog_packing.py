"""From a history to forecasts: trained, packed, asked; on histories that wander a little."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import write_history
from orbwatch.cli import cli
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.learn.judging.catalog_packing import pack_catalog
from orbwatch.learn.samples.catalog_asks import asks
from orbwatch.learn.samples.catalog_dataset import build_catalog
from orbwatch.learn.samples.catalog_windows import windows_of
from orbwatch.learn.training.catalog_boosting import train_trees
from orbwatch.learn.training.train import train
from orbwatch.models.catalog_forecast import CatalogForecasts, forecast_catalog
from orbwatch.models.catalog_groups import GROUPS
from orbwatch.models.catalog_runtime import CatalogForecaster
from orbwatch.progress import silent
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.settings_groups import AskSettings, BoostSettings, NetworkSettings, TrainSettings
from orbwatch.time import format_utc

from ..wandering import wandering

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

DAYS = np.array([0.5, 1.0, 3.0])
TABLE = wandering(objects=40, sets=90)
ASKED_US = int(TABLE.epoch_us.min() + 24.0 * DAY_US)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "history.parquet"
    write_history(TABLE, path)
    return path


@pytest.fixture(scope="module")
def model(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalog")
    settled = AskSettings(train_share=0.6, step_day=1.0, step_low_day=1.0)
    build_catalog(settled, history, folder / "data")
    small = NetworkSettings(width=16, heads=2, layers=1, feedforward=16)
    settings = TrainSettings(epochs=2, batch=64, loss="student", threads=1, device="cpu")
    trained = train(folder / "data", folder / "run", small, settings)
    assert trained.epochs == 2
    assert "all" in trained.median_km
    grown = train_trees(
        history, folder / "trees", settled, BoostSettings(trees=5, least=5, askings=400, least_objects=3), silent
    )
    assert any(grown.values())
    packed = folder / "model"
    pack_catalog([trained.folder], folder / "data", history, packed, silent, trees=folder / "trees", name="tried")
    return folder / "model"


def asked(table: GpTable, model: Path, at_us: int = ASKED_US) -> CatalogForecasts:
    return forecast_catalog(table, np.unique(TABLE.norad_id), at_us, DAYS, str(model))


def test_every_object_gets_a_state_and_regions(model: Path) -> None:
    made = asked(TABLE, model)
    assert np.isfinite(made.rv_teme_km).all()
    assert (np.linalg.eigvalsh(made.cov_rtn_km2) > 0.0).all()
    assert np.isfinite(made.radius[..., 0]).any()
    assert (made.radius[..., 1:] >= made.radius[..., :-1]).all()
    assert set(made.status) <= {"ok", "restless: maneuvers or bad sets"}


def test_what_came_later_changes_nothing(model: Path) -> None:
    whole = asked(TABLE, model)
    cut = asked(TABLE[TABLE.seen_us <= ASKED_US], model)
    np.testing.assert_array_equal(whole.rv_teme_km, cut.rv_teme_km)
    np.testing.assert_array_equal(whole.cov_rtn_km2, cut.cov_rtn_km2)


def test_where_no_share_is_taken_it_is_sgp4(model: Path) -> None:
    forecaster = CatalogForecaster.load(model)
    assert forecaster.calibration is not None
    columns = forecaster.calibration.columns(DAYS)
    made = asked(TABLE, model)
    asked_for = asks(TABLE, made.norad_id, np.full(40, ASKED_US))
    calibration = forecaster.calibration
    group = calibration.grouping.of(windows_of(TABLE, Sgp4Catalog(TABLE), asked_for, DAYS, truth=False))
    for code in np.unique(group):
        shares = calibration.shares
        shut = (shares.across + shares.beside + shares.networks + shares.trees)[code, columns] == 0.0
        for who in np.flatnonzero(group == code):
            newest = TABLE[(TABLE.norad_id == made.norad_id[who]) & (TABLE.epoch_us == made.newest_us[who])]
            for at in np.flatnonzero(shut):
                states = Sgp4Catalog(newest).states(np.array([ASKED_US + int(DAYS[at] * DAY_US)]))
                np.testing.assert_allclose(made.rv_teme_km[who, at, :3], states.r_teme_km[0, 0], atol=1e-5)


def test_poor_histories_are_said_to_be_poor(model: Path) -> None:
    ids = np.unique(TABLE.norad_id)
    keep = (TABLE.norad_id != ids[0]) & ~((TABLE.norad_id == ids[1]) & (TABLE.seen_us > ASKED_US - 5 * DAY_US))
    last = (TABLE.norad_id == ids[2]) & (TABLE.seen_us <= ASKED_US)
    keep &= (TABLE.norad_id != ids[2]) | (last & (TABLE.epoch_us == TABLE.epoch_us[last].max()))
    keep &= ~((TABLE.norad_id == ids[3]) & (TABLE.epoch_us > TABLE.epoch_us.min() + DAY_US))
    made = asked(TABLE[keep], model)
    assert made.status[0] == "no set was public"
    assert made.status[1] == "old set: wide region"
    assert made.status[2] == "one set and no past: wide region"
    assert np.isnan(made.rv_teme_km[0]).all()
    late = asked(TABLE, model, ASKED_US + 40 * DAY_US)
    assert set(late.status) == {"newest set older than 30 days"}


def test_elements_that_go_nowhere(model: Path) -> None:
    ids = np.unique(TABLE.norad_id)
    eccentricity = np.where(TABLE.norad_id == ids[5], 0.9999, TABLE.eccentricity)
    made = asked(replace(TABLE, eccentricity=eccentricity), model)
    assert made.status[5] in ("elements that cannot be propagated", "re-enters, or SGP4 ends")
    assert np.isfinite(made.rv_teme_km[6]).all()


def test_the_command_writes_what_is_asked_for(model: Path, history: Path, tmp_path: Path) -> None:
    out = tmp_path / "forecast.parquet"
    command = ["forecast", "--history", history, "--at", format_utc(ASKED_US), "--horizons-day", "0.5,1,7",
               "--model", model, "--format", "parquet", "--output", out]  # fmt: skip
    result = CliRunner().invoke(cli, [str(word) for word in command])
    assert result.exit_code == 0, result.output
    rows = pl.read_parquet(out)
    assert rows.height == 40 * 3
    wanted = ["norad_id", "asked_utc", "t_utc", "newest_epoch_utc", "x_teme_km", "vz_teme_km_s", "cov_rr_km2",
              "cov_nn_km2", "k50", "k90", "k99", "method", "regime", "status"]  # fmt: skip
    assert set(wanted) <= set(rows.columns)
    assert rows["method"].unique().to_list() == ["tried"]
    table = CliRunner().invoke(cli, [*map(str, command[:7]), "--model", str(model), str(TABLE.norad_id[0])])
    assert table.exit_code == 0, table.output
    assert "along-track" in table.output


@pytest.mark.parametrize("days", ["", "x", "0,1", "2,1", "1,nan"])
def test_times_that_are_none(model: Path, history: Path, days: str) -> None:
    command = ["forecast", "--history", str(history), "--horizons-day", days, "--model", str(model)]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code != 0
    assert "not forecast times" in str(result.exception)


def test_horizons_beyond_the_calibration_and_other_models(model: Path) -> None:
    with pytest.raises(InputError, match="no region was fitted"):
        forecast_catalog(TABLE, np.unique(TABLE.norad_id), ASKED_US, np.array([9.0]), str(model))
    with pytest.raises(InputError, match="not a model of the catalogue"):
        CatalogForecaster.load("track")
    assert len(GROUPS) == 90


def test_either_a_history_or_a_track() -> None:
    result = CliRunner().invoke(cli, ["forecast"])
    assert result.exit_code == 2
    assert "--history FILE" in result.output


def test_the_packaged_model_forecasts_what_it_never_saw() -> None:
    made = forecast_catalog(TABLE, np.unique(TABLE.norad_id), ASKED_US, DAYS, "catalog")
    assert np.isfinite(made.rv_teme_km).all()
    assert np.isfinite(made.radius[..., 0]).mean() > 0.9
    assert CatalogForecaster.load("catalog").card.figures


def test_a_leaderboard_is_written_by_the_command(model: Path, history: Path, tmp_path: Path) -> None:
    mine = tmp_path / "model"
    shutil.copytree(model, mine)
    command = ["evaluate", "catalog", "--model", mine, "--data", model.parent / "data", "--history", history,
               "--output", tmp_path / "board", "--format", "csv"]  # fmt: skip
    result = CliRunner().invoke(cli, [str(word) for word in command])
    assert result.exit_code == 0, result.output
    assert "the shipped forecast's median error" in result.output
    assert (tmp_path / "board" / "leaderboard.html").stat().st_size > 1_000_000
    rows = pl.read_csv(tmp_path / "board" / "leaderboard.csv")
    assert {"group", "method", "ratio", "p_holm"} <= set(rows.columns)
