"""The leaderboard: every method on the same truths, weighted and tested; and what is written of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import polars as pl
import pytest

from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.learn.judging import catalog_board, catalog_sharpness, catalog_widths
from orbwatch.learn.judging.catalog_board import BOARD, SGP4, SHIPPED, Board, board, board_of
from orbwatch.learn.judging.catalog_board_groups import BOARD_GROUPS, members
from orbwatch.learn.judging.catalog_packing import true_km
from orbwatch.learn.judging.catalog_widths import Said, kilometre_shares
from orbwatch.learn.judging.metrics import rows_of
from orbwatch.learn.samples.catalog_asks import asks
from orbwatch.learn.samples.catalog_windows import CatalogWindows, windows_of
from orbwatch.models.catalog_runtime import CatalogForecaster
from orbwatch.progress import silent
from orbwatch.propagate.sgp4 import Sgp4Catalog
from orbwatch.report.catalog_board import lead, markdown, page, width_sentence, write_board
from orbwatch.report.html import render

from ..wandering import wandering

DAYS = np.array([1.0, 3.0, 7.0])
TABLE = wandering(objects=24, sets=100)


@pytest.fixture(scope="module")
def windows() -> CatalogWindows:
    ids = np.unique(TABLE.norad_id)
    at_us = int(TABLE.epoch_us.min()) + np.arange(15, 25) * DAY_US
    asked = asks(TABLE, np.repeat(ids, len(at_us)), np.tile(at_us, len(ids)))
    return windows_of(TABLE, Sgp4Catalog(TABLE), asked, DAYS, truth=True)


@pytest.fixture(scope="module")
def made(windows: CatalogWindows) -> Board:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog_board, "LEAST", 10)
        patch.setattr(catalog_board, "DRAWS", 60)
        patch.setattr(catalog_widths, "LEAST", 5)
        patch.setattr(catalog_sharpness, "LEAST", 10)
        return board_of(CatalogForecaster.load("catalog"), windows, TABLE, {}, silent)


def test_every_method_stands_beside_sgp4(made: Board) -> None:
    rows = rows_of(made.rows)
    assert set(made.rows) == set(BOARD)
    assert {SGP4, SHIPPED, "networks", "refit", "perigee", "slot", "mean elements"} <= set(made.rows["method"])
    assert set(made.rows["day"]) == set(DAYS)
    for row in rows_of(made.rows, method=SGP4):
        assert row["ratio"] == row["ratio_low"] == row["ratio_high"] == row["ratio_p90"] == 1.0
    for row in rows:
        assert row["median_km"] == pytest.approx(row["ratio"] * row["sgp4_median_km"])
        assert row["median_km"] <= row["p90_km"]
        assert not row["ratio_low"] > row["ratio_high"]
        assert np.isfinite(row["inside_90"]) == (row["method"] == SHIPPED)
        if row["method"] == row["best_physics"]:
            assert row["over_physics"] == 1.0
        tested = row["method"] in catalog_board.LEARNED
        assert np.isnan(row["p_holm"]) or (tested and 0.0 <= row["p_holm"] <= 1.0)
    best = {(row["group"], row["day"]): row["best_physics"] for row in rows}
    for row in rows:
        if row["method"] not in catalog_board.LEARNED:
            least = rows_of(made.rows, group=row["group"], day=row["day"], method=best[row["group"], row["day"]])
            assert least[0]["median_km"] <= row["median_km"]


def test_the_noise_of_the_sets_stands_beside_it(made: Board) -> None:
    noise = {row["group"]: row["noise_km"] for row in rows_of(made.rows)}
    assert any(0.0 < value < 1e3 for value in noise.values())


def test_a_forecast_that_is_true_wins(windows: CatalogWindows, monkeypatch: pytest.MonkeyPatch) -> None:
    """A baseline that knows the truth has no error, and nothing that is learned beats it."""
    monkeypatch.setattr(catalog_board, "LEAST", 10)
    monkeypatch.setattr(catalog_board, "DRAWS", 30)
    monkeypatch.setattr(catalog_board, "physics", lambda w: {"truth": 0.999 * np.nan_to_num(true_km(w))})
    found = board(CatalogForecaster.load("catalog"), windows, {}, {}, silent)
    for row in rows_of(found.rows, method="truth"):
        assert row["best_physics"] == "truth"
        assert row["ratio"] < 0.01
    assert all(row["over_physics"] > 1.0 for row in rows_of(found.rows, method=SHIPPED))


def test_a_model_without_regions_is_refused(windows: CatalogWindows) -> None:
    packed = CatalogForecaster.load("catalog")
    bare = CatalogForecaster(packed.folder, packed.card, packed.members, packed.trees, None)
    with pytest.raises(InputError, match="not been calibrated"):
        board(bare, windows, {}, {}, silent)


def test_groups_are_told_by_orbit_and_name() -> None:
    names = dict.fromkeys(np.unique(TABLE.norad_id).tolist(), "")
    ids = np.unique(TABLE.norad_id)
    names[int(ids[0])], names[int(ids[1])] = "STARLINK-1", "COSMOS DEB"
    found = {group.name: members(group, TABLE, names) for group in BOARD_GROUPS}
    assert set(TABLE.norad_id[found["Starlink"]]) == {ids[0]}
    payloads = found["LEO 600-1200 km, payloads"] | found["LEO < 600 km, payloads"]
    assert not payloads[np.isin(TABLE.norad_id, ids[:2])].any()
    whole = found["LEO < 600 km, payloads"] | found["LEO < 600 km, passive"]
    np.testing.assert_array_equal(found["LEO < 600 km, not Starlink"], whole)


def test_kilometres_that_are_promised_and_kept(windows: CatalogWindows) -> None:
    n, h = windows.horizon_day.shape
    narrow = Said(np.broadcast_to(0.01 * np.eye(3), (n, h, 3, 3)), np.full((n, h), 2.0), np.zeros(n, np.int64))
    wide = narrow._replace(radius=np.full((n, h), np.inf))
    everyone = rows_of(kilometre_shares(windows, narrow, {}), group="all")
    late_km = np.abs(true_km(windows)[..., 1])
    assert [row["share"] for row in everyone] == [1.0, 1.0, 1.0]
    for at, row in enumerate(everyone):
        known = np.isfinite(late_km[:, at])
        assert row["held"] == pytest.approx((late_km[known, at] <= 0.2).mean())
        assert row["sgp4_share"] == float(np.quantile(late_km[known, at], 0.9) < 1.0)
    for row in rows_of(kilometre_shares(windows, wide, {}), group="all"):
        assert row["share"] == 0.0
        assert np.isnan(row["held"])
    old = replace(windows, asked_us=windows.asked_us + 10 * DAY_US)
    assert not rows_of(kilometre_shares(old, narrow, {}))


def test_a_page_tables_and_markdown(made: Board, tmp_path: Path) -> None:
    place = write_board(made, tmp_path / "report")
    assert place.name == "leaderboard.html"
    rows = pl.read_csv(place.parent / "leaderboard.csv")
    assert rows.height == len(made.rows["group"])
    drawn = ET.parse(place.parent / "leaderboard.svg").getroot()
    aimed_at = {row["group"] for row in rows_of(made.rows) if row["target"] == row["target"]}
    assert len(drawn.findall("{http://www.w3.org/2000/svg}g")) == len(aimed_at) > 0
    sharp = pl.read_csv(place.parent / "sharpness.csv")
    assert sharp.height == len(made.sharpness["group"]) > 0
    text = render(page(made))
    assert "empirical covariance" in text
    assert "shipped" in text
    groups = dict.fromkeys(made.rows["group"])
    lines = markdown(made).splitlines()
    assert len(lines) == 2 * (2 + len(groups)) + 1
    assert len({line.count("|") for line in lines[: 2 + len(groups)]}) == 1
    assert lead(made).startswith("In ")
    assert "along the track" in width_sentence(made.widths)
    assert width_sentence({"group": [], "day": []}) == ""
