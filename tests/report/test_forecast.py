"""Forecasts in words and as a page: units that suit, honest words where nothing is known, gaps and not NaN."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from orbwatch.models.catalog_past import PastForecasts, past_forecasts, summary
from orbwatch.models.catalog_runtime import CatalogForecaster
from orbwatch.report.forecast_page import page
from orbwatch.report.forecast_plots import axis_figure
from orbwatch.report.forecast_words import (
    ANYWHERE,
    age_text,
    distance_text,
    forecast_words,
    half_axes_km,
    held_sentence,
    past_words,
    sentence,
)
from orbwatch.report.html import render

from ..models.catalog_packaged import MODEL, history, nodes

TABLE, ASKED_US = history()
WHO = int(TABLE.norad_id.min())


@pytest.fixture(scope="module")
def past() -> PastForecasts:
    return past_forecasts(TABLE, np.array([WHO]), ASKED_US, CatalogForecaster.load(MODEL), past_day=8.0)


def one() -> object:
    made = nodes()
    assert made.sgp4_teme_km is not None
    return replace(
        made, norad_id=made.norad_id[:1], newest_us=made.newest_us[:1], rv_teme_km=made.rv_teme_km[:1],
        cov_rtn_km2=made.cov_rtn_km2[:1], radius=made.radius[:1], joint_radius=made.joint_radius[:1],
        group=made.group[:1], regime=made.regime[:1], status=made.status[:1],
        sgp4_teme_km=made.sgp4_teme_km[:1],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("km", "text"),
    [(0.0, "1 m"), (0.0093, "9 m"), (0.0838, "84 m"), (0.9949, "990 m"), (0.9951, "1.0 km"), (0.9999, "1.0 km"),
     (1.24, "1.2 km"), (9.97, "10 km"), (134.0, "130 km"), (12_345.0, "12,000 km"), (np.inf, "unknown"),
     (np.nan, "unknown")],
)  # fmt: skip
def test_distances(km: float, text: str) -> None:
    assert distance_text(km) == text


@pytest.mark.parametrize(
    ("day", "text"), [(0.01, "14 min"), (0.5, "12 h"), (1.0, "1.0 d"), (7.5, "7.5 d"), (79.2, "79 d")]
)
def test_ages(day: float, text: str) -> None:
    assert age_text(day) == text


def test_one_row_an_object_and_horizon() -> None:
    made = nodes()
    calm = replace(
        made, cov_rtn_km2=np.broadcast_to(np.diag([0.04, 1.0, 0.01]), made.cov_rtn_km2.shape),
        radius=np.broadcast_to([1.0, 3.0, 9.0], made.radius.shape),
    )  # fmt: skip
    rows = forecast_words(calm, {WHO: "THING"})
    n, h = made.radius.shape[:2]
    assert all(len(values) == n * h for values in rows.values())
    assert rows["name"][0] == "THING"
    assert rows["name"][h] == ""
    assert (rows["along-track"][0], rows["radial"][0], rows["cross-track"][0]) == ("± 3.0 km", "± 600 m", "± 300 m")
    assert "within 3.0 km along-track" in sentence(calm, 0, "THING")
    wide = replace(calm, cov_rtn_km2=1e9 * calm.cov_rtn_km2)
    assert set(forecast_words(wide, {})["along-track"]) == {ANYWHERE}
    assert "name" not in forecast_words(wide, {})
    open_ = replace(calm, radius=np.full_like(made.radius, np.inf))
    assert rows["radial"][0] != forecast_words(open_, {})["radial"][0] == "± unknown"
    assert np.isinf(half_axes_km(open_, 1)).all()


def test_an_object_without_a_forecast() -> None:
    made = nodes()
    gone = replace(
        made, rv_teme_km=np.full_like(made.rv_teme_km, np.nan), newest_us=np.zeros_like(made.newest_us),
        cov_rtn_km2=np.full_like(made.cov_rtn_km2, np.nan), status=np.full(len(made.norad_id), "no set was public"),
    )  # fmt: skip
    rows = forecast_words(gone, {})
    assert set(rows["along-track"]) == {"-"}
    assert set(rows["set's age"]) == {""}
    assert sentence(gone, 0, "X") == f"{WHO} X: no forecast: no set was public"


def test_the_past_in_words(past: PastForecasts) -> None:
    found = summary(past, np.array([0.5, 7.0]))
    rows = past_words(found, {WHO: "THING"})
    assert rows["ahead"] == ["12 h", "7.0 d"]
    assert rows["in 90 %"][0].endswith("%")
    assert rows["cases"][0] == found["truths"][0] > 0
    words = held_sentence(np.array([0.5, 0.9, 0.99]), 1200, 60)
    assert "met 1,200 times" in words
    assert "90 % region in 90 %" in words
    assert "none can be judged" in held_sentence(np.full(3, np.nan), 0, 4)
    assert "No past forecasts" in held_sentence(np.full(3, np.nan), 0, 0)


def test_the_page_draws_every_past_case_and_no_nan(past: PastForecasts) -> None:
    made = one()
    told = int(past.told.sum())
    for axis in range(3):
        figure = axis_figure(made, past, axis)  # type: ignore[arg-type]
        json.dumps(figure, allow_nan=False)
        assert sum(len(trace["x"]) for trace in figure["data"] if trace["mode"] == "markers") == told > 0
    shown = page(made, past, "THING")  # type: ignore[arg-type]
    assert len(shown.figures) == 5
    assert f"met {told:,} times" in shown.lead
    text = render(shown)
    assert "THING" in text
    empty = past.take(slice(0, 0))
    assert len(page(made, empty, "THING").figures) == 3  # type: ignore[arg-type]
