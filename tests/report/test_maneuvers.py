"""Maneuvers in words and as plots: sizes with their unit, honest words where nothing was found, gaps and not NaN."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from orbwatch.catalog.burns import Burns
from orbwatch.catalog.gp import NO_TIME
from orbwatch.constants import DAY_US
from orbwatch.maneuver.found import Maneuvers
from orbwatch.maneuver.patterns import Pattern, patterns
from orbwatch.maneuver.timeline import timeline
from orbwatch.models.maneuver_told import ToldPattern
from orbwatch.report.html import render
from orbwatch.report.maneuver_page import page
from orbwatch.report.maneuver_plots import rhythm_figure, timeline_figure
from orbwatch.report.maneuver_sizes import signed_text, size_text, speed_text, usual_text
from orbwatch.report.maneuver_truth import matched, truth_sentence, truth_table
from orbwatch.report.maneuver_words import (
    caution_sentence,
    event_columns,
    event_words,
    life_lines,
    life_sentence,
    next_words,
    object_words,
    perhaps_words,
    told_sentence,
)

from ..maneuver.burning import START_US, history

TABLE = history(7, 12)
LEAST = np.array([np.nan, 0.0052, 0.4])


def found(day: list[float], **changes: object) -> Maneuvers:
    at_us = START_US + np.rint(np.array(day) * DAY_US).astype(np.int64)
    made = Maneuvers.from_times(np.full(len(day), 7), at_us, None, np.tile([0.0, 0.1, 0.0], (len(day), 1)))
    made = replace(made, dv_sigma_m_s=np.full(len(day), 0.01), kind=np.full(len(day), "in_track_raise"))
    return replace(made, pattern=np.full(len(day), "station_keeping"), **changes)


def burns(day: list[float], dv_m_s: float = 0.1) -> Burns:
    at_us = START_US + np.rint(np.array(day) * DAY_US).astype(np.int64)
    dv = np.tile([0.0, dv_m_s, 0.0], (len(day), 1))
    return Burns(np.full(len(day), 7), at_us, at_us, dv, np.full(len(day), "X"), np.full(len(day), ""))


def life(events: Maneuvers) -> Pattern:
    return patterns(TABLE, events)[0]


@pytest.mark.parametrize(
    ("m_s", "text"),
    [(0.0004, "0.4 mm/s"), (0.031, "3.1 cm/s"), (0.124, "0.12 m/s"), (1.44, "1.4 m/s"), (14.2, "14 m/s"),
     (1234.0, "1,234 m/s"), (np.nan, "unknown")],
)  # fmt: skip
def test_speeds(m_s: float, text: str) -> None:
    assert speed_text(m_s) == text


@pytest.mark.parametrize(
    ("m_s", "sigma_m_s", "text"),
    [(1.1, 0.07, "1.1 m/s ± 0.07 m/s"), (0.0, 0.0019, "below 3.8 mm/s"), (0.031, 0.004, "3.1 cm/s ± 0.4 cm/s"),
     (0.5, np.nan, "0.50 m/s ± unknown"), (np.nan, 0.1, "-")],
)  # fmt: skip
def test_a_size_and_its_scatter_have_one_unit_and_noise_is_told(m_s: float, sigma_m_s: float, text: str) -> None:
    assert size_text(m_s, sigma_m_s) == text


def test_a_forecast_after_a_maneuver_is_told_with_its_size_where_that_is_known() -> None:
    assert caution_sentence(found([1.0]), 8) == ""
    seen = caution_sentence(found([1.0, 3.0], probability=np.array([0.7, 0.8])), 7)
    assert "(0.10 m/s in-track, raising, p 0.80) and 1 before it: " in seen
    assert "(below 0.70 m/s in-track" in caution_sentence(found([1.0], dv_sigma_m_s=np.array([0.3])), 7)
    assert "(in-track" in caution_sentence(found([1.0], dv_rtn_m_s=np.full((1, 3), np.nan)), 7)


def test_the_rule_counts() -> None:
    told = ToldPattern("drifting", 0.7, ("drifting",), 90.0)
    assert told_sentence(told, "station_keeping").endswith("; the rule counts: station keeping")
    assert "counts" not in told_sentence(told, "drifting")


def test_no_negative_nothing() -> None:
    assert signed_text(-1e-9) == "+0.0000"
    assert signed_text(np.nan) == "-"


def test_the_newest_stands_first_in_words_and_the_oldest_in_columns() -> None:
    events = found([2.0, 8.0])
    assert event_words(events)["about, UTC"] == ["2026-03-05 06:13", "2026-02-27 06:13"]
    assert (np.diff(event_columns(events)["norad_id"]) == 0).all()
    assert event_columns(events)["burn_utc"][0].startswith("2026-02-27")
    assert event_columns(events)["epoch_utc"] == event_columns(events)["end_utc"]
    unknown = replace(events, dv_rtn_m_s=np.full((2, 3), np.nan))
    assert event_words(unknown)["delta-v"] == ["-", "-"]


def test_a_quiet_object_is_told_what_would_have_been_seen() -> None:
    lines = life_lines(TABLE, found([]), life(found([])), LEAST)
    assert lines[1] == "no maneuver found above 5.2 mm/s in-track or 0.40 m/s cross-track in 24 element sets over 12 d"
    nothing = life_lines(TABLE, found([]), life(found([])), np.full(3, np.nan))
    assert nothing[1] == "no maneuver found in 24 element sets over 12 d"


def test_a_life_in_a_sentence() -> None:
    events = found([2.0, 5.0, 8.0, 11.0])
    known = replace(
        life(events), name="station_keeping", keeps="height", cycle_day=3.0, next_us=START_US + 14 * DAY_US,
        next_low_us=START_US + 13 * DAY_US, next_high_us=START_US + 16 * DAY_US, control_lost=False,
    )  # fmt: skip
    text = life_sentence(known, events)
    assert text == (
        "station keeping (its height); a burn every 3.0 d; last maneuver 2026-03-08 06:13 UTC (0.10 m/s in-track, "
        "raising, p 1.00); next expected 2026-03-10 to 2026-03-13"
    )
    other = life_sentence(replace(known, cycle_day=6.0), events)
    assert "a burn every 3.0 d, one like the last every 6.0 d" in other
    assert next_words(replace(known, next_high_us=NO_TIME)) == ["next expected 2026-03-10 to later"]
    lost = replace(known, control_lost=True, raising_since_us=START_US, raised_km=12.3)
    assert "control lost" in life_sentence(lost, events)
    assert "raising its orbit since 2026-02-25, 12 km so far" in life_sentence(lost, events)
    assert next_words(lost) == []


def test_unlikely_maneuvers_are_listed_and_not_spoken_of() -> None:
    events = found([2.0, 8.0], probability=np.array([0.9, 0.1]))
    assert "2026-02-27" in life_sentence(life(events), events)
    assert (
        "2 possible maneuvers in 24 element sets over 12 d, 1 of them more likely than not"
        in life_lines(TABLE, events, life(events), LEAST)[1]
    )


def test_what_may_be_a_maneuver_is_listed_beside_what_counts() -> None:
    events = found([2.0, 5.0, 8.0], probability=np.array([0.9, 0.45, 0.1]))
    lines = life_lines(TABLE, events, life(events), LEAST)
    assert lines[1].endswith("1 of them more likely than not (delta-v 0.10 m/s in the median)")
    assert lines[2] == (
        "not among those, but may be maneuvers: one event with p 0.2 to 0.5: 2026-03-02 06:13 "
        "(0.10 m/s in-track, raising, p 0.45)"
    )
    assert perhaps_words(found([2.0])) == []
    assert perhaps_words(found([float(k) for k in range(5)], probability=np.full(5, 0.3)))[0].endswith(", and 2 more")


@pytest.mark.parametrize(
    ("m_s", "sigma_m_s", "text"),
    [([0.1, 0.2, 0.4], [0.01] * 3, "0.20 m/s"), ([0.1, 0.001, 0.0], [0.01, 0.01, 0.02], "below 3.0 cm/s"),
     ([0.1, 0.001, 0.2], [0.01] * 3, "0.10 m/s"), ([np.nan, 0.3], [np.nan, 0.1], "0.30 m/s"), ([np.nan], [0.1], "-"),
     ([], [], "-")],
)  # fmt: skip
def test_the_usual_size_is_a_median_and_noise_is_told(m_s: list[float], sigma_m_s: list[float], text: str) -> None:
    assert usual_text(np.array(m_s, float), np.array(sigma_m_s, float)) == text


def test_objects_the_last_to_burn_first() -> None:
    both = Maneuvers.concat([found([2.0, 4.0]), replace(found([9.0]), norad_id=np.array([5]))])
    lives = {7: life(found([2.0, 4.0])), 5: replace(life(found([])), norad_id=5)}
    columns = object_words(both, lives, {7: "KEEPER"}, START_US + 10 * DAY_US)
    assert columns["norad_id"].tolist() == [5, 7]
    assert columns["maneuvers"].tolist() == [1, 2]
    assert columns["ago"] == ["1.0 d", "6.0 d"]
    less = replace(found([5.0, 6.0], probability=np.array([0.3, 0.1])), dv_rtn_m_s=np.full((2, 3), 9.0))
    more = object_words(Maneuvers.concat([both, less]), lives, {}, START_US + 10 * DAY_US)
    assert (more["maneuvers"].tolist(), more["perhaps more"]) == ([1, 2], [0, 1])
    assert more["usual delta-v"] == more["its delta-v"] == ["0.10 m/s", "0.10 m/s"]


def test_found_beside_true() -> None:
    events = found([2.0, 2.4, 5.5, 9.0], probability=np.array([0.9, 0.6, 0.8, 0.4]))
    both = matched(events, burns([2.1, 7.0, 8.8, 40.0]), TABLE)
    assert len(both.burns) == 3  # one is after the last set
    assert both.burn.tolist() == [0, -1, -1, 2]
    assert both.false.tolist() == [False, False, False, False]  # 5.5 is within two days of a burn
    assert both.missed.tolist() == [False, True, False]
    assert both.off_day()[[0, 3]] == pytest.approx([-0.1, 0.2])
    assert "Of 3 true burns, with p ≥ 0.5 1 (33 %) are found and 0 alarms are false" in truth_sentence(both, TABLE)
    table = truth_table(both)
    assert [row[0] for row in table.rows] == ["found", "missed", "found"]
    assert table.rows[0][-1] == pytest.approx(1.0)
    alone = matched(found([11.0]), burns([2.0]), TABLE)
    assert truth_table(alone).rows[-1][0] == "false alarm"
    nobody = matched(events, burns([40.0]), TABLE)
    assert "No true burn" in truth_sentence(nobody, TABLE)
    assert np.isnan(nobody.off_day()).all()


def test_figures_hold_only_what_json_can() -> None:
    events = replace(found([2.0, 5.0, 8.0]), dv_rtn_m_s=np.array([[0.0, np.nan, 0.0], [0, 0, 0], [0.1, 1, 2]]))
    truth = matched(events, burns([2.1, 7.0], np.nan), TABLE)
    known = replace(life(events), next_low_us=START_US + 13 * DAY_US, next_high_us=START_US + 900 * DAY_US)
    figure = timeline_figure(timeline(TABLE), events, known, truth)
    json.dumps(figure, allow_nan=False)
    json.dumps(rhythm_figure(events, known), allow_nan=False)
    names = [trace["name"] for trace in figure["data"]]
    assert {"true, found", "true, missed", "eccentricity"} <= set(names)
    # An interval that reaches far does not squeeze what was.
    assert figure["layout"]["xaxis"]["range"][1] < "2026-04"
    assert figure["layout"]["shapes"][0]["type"] == "rect"


def test_the_page_leads_with_the_life_and_shows_every_burn() -> None:
    events = found([2.0, 5.0, 8.0, 11.0])
    text = render(page(TABLE, events, life(events), LEAST, "KEEPER", "a detector", burns([2.1])))
    for words in ("7 KEEPER: maneuvers, 2026-02-25 to 2026-03-08", "a detector", "card plot wide", "4</b>",
                  "True burns beside what was found", "5.2 mm/s"):  # fmt: skip
        assert words in text
    quiet = render(page(TABLE, found([]), life(found([])), LEAST, "", "a detector"))
    assert "No maneuver found above 5.2 mm/s" in quiet
