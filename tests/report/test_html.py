from __future__ import annotations

import json
import re

import numpy as np
import pytest

from orbwatch.report import plots
from orbwatch.report.html import Page, Section, Table, cell, render, sort_key


def page(name: str = "STARLINK-1 & <b>", figures: tuple[plots.Spec, ...] = ()) -> Page:
    table = Table(["Event", "Miss, km"], [["a", 0.25], ["b", None]], {"Miss, km": ".3f"}, ["e-a", None], "2 of 2")
    section = Section("e-a", name, "Pc 1e-4", "red", [("Miss", "0.25 km")], [("By method", table)], figures, ["a note"])
    return Page("Title", "Simulated", "Lead.", [("2", "events")], figures, [("Events", table)], "Top", [section], [])


def test_page_is_self_contained_and_escaped() -> None:
    html = render(page())
    before_scripts = html[: html.index("<script>")]
    assert not re.search(r"(src|href)=\"(https?:)?//", before_scripts)
    assert "STARLINK-1 &amp; &lt;b&gt;" in html
    assert 'href="#e-a"' in html
    assert "Plotly.newPlot" in html


def test_figures_travel_as_strict_json() -> None:
    spec = plots.pc_against_hbr(np.array([1.0, 2.0]), np.array([1e-5, np.nan]), 1.5)
    html = render(page(figures=(spec,)))
    carried = re.search(r'<script type="application/json">(.*?)</script>', html)
    assert carried is not None
    assert json.loads(carried.group(1))["data"][0]["y"] == [1e-5, None]


def test_a_script_end_in_data_does_not_end_the_script() -> None:
    spec = plots.encounter_plane(np.zeros(2), np.eye(2), np.eye(2), 10.0, ("</script><b>", "<!--<script>"))
    html = render(page(figures=(spec,)))
    assert "</script><b>" not in html
    assert "<!--<script" not in html  # it would make the next </script> a part of the data


@pytest.mark.parametrize(
    ("value", "spec", "shown", "key"),
    [
        (None, ".2f", "–", ""),
        (float("nan"), None, "–", ""),
        (1.234, ".2f", "1.23", "1.234"),
        (True, None, "yes", "1.0"),
        ("x", ".2f", "x", "x"),
    ],
)
def test_cells(value: object, spec: str | None, shown: str, key: str) -> None:
    assert cell(value, spec) == shown
    assert sort_key(value) == key


def test_ellipse_is_where_the_mahalanobis_distance_is_the_sigma() -> None:
    cov = np.array([[2.0, 0.6], [0.6, 0.5]])
    line = plots.ellipse(cov, 3.0)
    assert np.allclose(np.einsum("ki,ij,kj->k", line, np.linalg.inv(cov), line), 9.0)


def test_overview_plots_count_everything() -> None:
    ages = plots.age_histogram(np.array([0.1, 0.2, 9.0]), 3, 30.0)
    heights = plots.altitude_histogram(np.array([550.0, 560.0, 35786.0]))
    dots = plots.approaches_in_time(["2025-01-01"], np.array([1.0]), np.array([np.nan]), ["a"], 5.0)
    curve = plots.dilution(np.array([0.5, 1.0]), np.array([1e-5, 1e-6]))
    assert sum(ages["data"][0]["y"]) == 3
    assert sum(heights["data"][0]["y"]) == 2
    assert dots["data"][0]["marker"]["color"] == [-10.0]
    assert curve["layout"]["xaxis"]["type"] == "log"
