"""The plots of an evaluation are strict JSON and show what they are given."""

from __future__ import annotations

import json
import math

from orbwatch.report import learning_plots as plots


def _strict(spec: plots.Spec) -> plots.Spec:
    """As the browser gets it."""
    return json.loads(json.dumps(spec, allow_nan=False))


def test_error_curves_have_gaps_where_there_is_no_number() -> None:
    spec = _strict(plots.error_by_horizon({"hold": ([1.0, 2.0], [5.0, math.nan])}, "LEO", "median position"))
    assert spec["data"][0]["y"] == [5.0, None]
    assert spec["layout"]["yaxis"]["type"] == "log"
    assert spec["layout"]["title"]["text"] == "LEO: median position error"


def test_ratios_have_asymmetric_intervals_and_a_line_at_one() -> None:
    spec = _strict(plots.ratios({"scaled": [("LEO", 0.75, 0.5, 1.5)]}, "least squares", 30.0, "title"))
    bar = spec["data"][0]["error_y"]
    assert (bar["array"], bar["arrayminus"]) == ([0.75], [0.25])
    assert spec["layout"]["shapes"][0]["y0"] == 1.0


def test_coverage_map_is_centred_on_the_level() -> None:
    spec = _strict(plots.coverage_map([[0.9, math.nan]], ["ensemble"], ["LEO 1", "LEO joint"], 0.9, "title"))
    assert spec["data"][0]["z"] == [[0.9, None]]
    assert spec["data"][0]["zmid"] == 0.9


def test_conformal_curves_are_dotted_in_the_colour_of_their_source() -> None:
    spec = _strict(plots.reliability({"ensemble": ([0.5], [0.4]), "ensemble + conformal": ([0.5], [0.5])}, "title"))
    _, alone, conformal = spec["data"]
    assert alone["line"]["color"] == conformal["line"]["color"]
    assert conformal["line"]["dash"] == "dot"


def test_pit_bins_fill_the_unit_interval() -> None:
    spec = _strict(plots.pit({"ensemble": [0.5, 1.5]}, "title"))
    assert spec["data"][0]["x"] == [0.25, 0.75]


def test_attention_steps_end_at_the_last_position() -> None:
    spec = _strict(plots.attention_map([[0.2, 0.8]], ["state"]))
    assert spec["data"][0]["x"] == ["-1", "0"]


def test_bars_losses_and_axes() -> None:
    assert _strict(plots.bars({"a": {"x": 1.0}}, "t", "y", 1.0))["layout"]["shapes"]
    assert not _strict(plots.bars({"a": {"x": 1.0}}, "t", "y"))["layout"]["shapes"]
    assert _strict(plots.losses({"training": ([1.0], [math.inf])}))["data"][0]["y"] == [None]
    assert _strict(plots.axis_by_horizon({"ensemble": ([1.0], [20.0])}, "t"))["data"][0]["y"] == [20.0]
