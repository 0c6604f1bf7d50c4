"""Detectors of maneuvers: taught, judged on satellites left out, packed, and used again without scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from orbwatch.catalog.burns import Burns
from orbwatch.catalog.gp import GpTable
from orbwatch.catalog.history import write_history
from orbwatch.constants import DAY_US
from orbwatch.errors import InputError
from orbwatch.learn.judging.detector_board import board_row, judge_detectors
from orbwatch.learn.judging.detector_left_out import is_near, left_out, threshold_odds
from orbwatch.learn.judging.detector_matching import Matched, match
from orbwatch.learn.judging.detector_packing import train_detector
from orbwatch.learn.judging.detector_teachers import Teachers
from orbwatch.learn.samples.gap_rows import satellites
from orbwatch.maneuver.detect import detect
from orbwatch.models.maneuver_trees import FACTS, ManeuverTrees
from orbwatch.settings_groups import DetectorSettings

from ...maneuver.burning import START_US, STEP_US, history

QUICK = DetectorSettings(detector_models=1, detector_trees=12, detector_least=2)
NUMBERS = (20, 44, 68, 92)


@pytest.fixture(scope="module")
def table() -> GpTable:
    """Three low satellites and two geostationary ones, each with four burns."""
    low = [history(7 + k, 55, dict.fromkeys(NUMBERS, 0.1 + 0.02 * k), seed=k) for k in range(3)]
    high = [history(20 + k, 55, dict.fromkeys(NUMBERS, 0.5), seed=9 + k, rev_day=1.0027) for k in range(2)]
    return GpTable.concat([*low, *high])


@pytest.fixture(scope="module")
def burns(table: GpTable) -> Burns:
    ids = np.repeat(np.unique(table.norad_id), len(NUMBERS))
    start = np.tile(START_US + np.array(NUMBERS) * STEP_US + STEP_US // 2, len(np.unique(ids)))
    nothing = np.full((len(ids), 3), np.nan)
    return Burns(ids, start, start, nothing, np.full(len(ids), ""), np.full(len(ids), ""))


def day(*days: float) -> np.ndarray:
    return (np.array(days) * DAY_US).astype(np.int64)


def test_each_burn_is_taken_once_and_far_detections_are_false_alarms() -> None:
    found = match(day(100.2, 100.9, 120.0, 150.5), np.array([0.9, 0.8, 0.7, 0.6]), day(100.0, 150.0))
    assert found.hit.tolist() == [True, False, True]  # the second is of a burn that is taken: it counts neither way
    assert found.probability.tolist() == [0.9, 0.7, 0.6]
    assert found.years == pytest.approx(60.0 / 365.25)


def test_recall_at_a_rate_of_false_alarms() -> None:
    found = match(day(100.2, 120.0, 150.5), np.array([0.9, 0.7, 0.6]), day(100.0, 150.0))
    assert found.at_rate(1.0).recall == 0.5  # a sixth of a year allows no false alarm
    assert found.at_rate(7.0).recall == 1.0
    assert found.best_f1() == pytest.approx(0.8)
    low, high = found.at_rate(1.0).recall_interval
    assert low < 0.5 < high


def test_burns_below_the_noise_count_neither_way() -> None:
    found = match(day(100.2, 150.5), np.array([0.9, 0.6]), day(100.0, 150.0), np.array([False, True]))
    assert found.burns == 1
    assert found.at_rate(1.0).found == 1


def test_satellites_are_put_in_one_order() -> None:
    one = match(day(100.2), np.array([0.5]), day(100.0))
    other = match(day(130.0), np.array([0.9]), day(100.0, 160.0))
    joined = Matched.join([one, other])
    assert joined.hit.tolist() == [False, True]
    assert joined.burns == 3


def test_near() -> None:
    assert is_near(day(1.0, 5.0), day(1.5, 9.0), int(DAY_US)).tolist() == [True, False]


def test_gaps_with_burns_are_told(table: GpTable, burns: Burns) -> None:
    known = satellites(table, burns, None)
    assert [int(one.table.norad_id[0]) for one in known] == [7, 8, 9, 20, 21]
    rows = known[0].rows()
    assert rows.burn.sum() == len(NUMBERS)
    start = known[0].table.epoch_us[known[0].gaps.row]
    assert (
        len(rows.burn) == ((start >= burns.start_us[0] - 5 * DAY_US) & (start < burns.start_us[3] + 4.6 * DAY_US)).sum()
    )


def test_a_detector_is_trained_packed_and_used(table: GpTable, burns: Burns, tmp_path: Path) -> None:
    write_history(table, tmp_path / "history.parquet")
    folder = tmp_path / "burns"
    folder.mkdir()
    for number in np.unique(burns.norad_id).tolist():
        mine = burns[burns.norad_id == number]
        lines = [f"- {np.datetime64(us, 'us')}".replace("T", " ")[:21] for us in mine.start_us.tolist()]
        (folder / f"manoeuvres_{number}.yaml").write_text(
            f"SATCAT number: {number}\nmanoeuvre_timestamps:\n" + "\n".join(lines) + f"\nname: '{number}'\n"
        )
    model = tmp_path / "model"
    card = train_detector(tmp_path / "history.parquet", folder, None, None, model, QUICK)
    assert set(card.data["gaps"]) == {"near_batch", "far_batch", "near_causal", "far_causal"}
    for causal in (False, True):
        found = detect(table, ManeuverTrees.load(model, causal), causal, 0.2)
        true = START_US + np.array(NUMBERS) * STEP_US + STEP_US // 2
        hit = [is_near(true, found.epoch_us[table.norad_id[found.row] == k], int(DAY_US)).sum() for k in (7, 8, 20)]
        assert min(hit) >= 3
    facts = (model / FACTS).read_text()
    (model / FACTS).write_text(facts.replace('"miss_t"', '"other"', 1))
    with pytest.raises(InputError, match="other evidence"):
        ManeuverTrees.load(model)


def test_too_few_satellites_are_refused(table: GpTable, tmp_path: Path) -> None:
    write_history(table[table.norad_id == 7], tmp_path / "history.parquet")
    (tmp_path / "list.yaml").write_text("SATCAT number: 7\nmanoeuvre_timestamps:\n- 2026-03-01 00:00:00\nname: x\n")
    with pytest.raises(InputError, match="1 satellites with known burns in near orbits"):
        train_detector(tmp_path / "history.parquet", tmp_path / "list.yaml", None, None, tmp_path / "model", QUICK)


def test_the_board_says_what_learns_and_what_does_not(table: GpTable, burns: Burns) -> None:
    rows = judge_detectors(table, burns, Teachers(), QUICK)
    assert {(row.detector, row.orbit) for row in rows} == {
        (name, orbit)
        for orbit in ("near", "far")
        for name in ("threshold", "timing only", "boosted trees, batch", "boosted trees, causal")
    }
    by = {(row.detector, row.orbit): row for row in rows}
    assert by["timing only", "near"].f1 < by["boosted trees, batch", "near"].f1
    assert all(row.ece is None or 0.0 <= row.ece <= 1.0 for row in rows)
    assert by["boosted trees, batch", "near"].ece is not None
    assert all(row.all_burns == len(NUMBERS) * row.satellites for row in rows)


def test_one_that_learns_nothing_needs_no_others(table: GpTable, burns: Burns) -> None:
    known = satellites(table, burns, None)[:2]
    row = board_row("threshold", "near", left_out(known, threshold_odds))
    assert row.satellites == 2
    assert row.recall_low <= row.recall[1] <= row.recall_high
